import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MemoryQueue, type Entry } from './queue.js';

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000_007);
const entry = (serial: number, bytes = 10): Entry => ({ serial, id: String(serial), type: 't', text: '', bytes });
const serials = (entries: Entry[]) => entries.map(({ serial }) => serial);

describe('the queue', () => {
  it('holds so many events and so many bytes, and heartbeats on top', () => {
    const queue = new MemoryQueue(3, 35);
    expect([queue.offer(entry(1)), queue.offer(entry(2)), queue.offer(entry(3, 16)), queue.offer(entry(4, 15)), queue.offer(entry(5)), queue.offer(entry(6), true)]).toEqual([true, true, false, true, false, true]);
    expect([queue.size, serials(queue.head(10, 1_000))]).toEqual([4, [1, 2, 4, 6]]);
    queue.settle(queue.head(2, 1_000));
    expect([queue.offer(entry(7)), queue.offer(entry(8))]).toEqual([true, false]);
  });

  it('gives the head by number and bytes, but one at least', () => {
    const queue = new MemoryQueue(10, 1_000);
    for (let i = 1; i <= 4; i++) queue.offer(entry(i));
    expect([serials(queue.head(3, 1_000)), serials(queue.head(10, 25)), serials(queue.head(10, 5))]).toEqual([[1, 2, 3], [1, 2], [1]]);
  });

  it(`is a list, whatever is settled in whatever order (SEED=${SEED})`, () => {
    const step = fc.oneof(fc.record({ add: fc.integer({ min: 1, max: 700 }) }), fc.record({ from: fc.nat(40), count: fc.nat(900), every: fc.integer({ min: 1, max: 3 }) }));
    const property = fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const queue = new MemoryQueue(5_000, 1_000_000);
      let [list, serial]: [Entry[], number] = [[], 0];
      for (const each of steps) {
        if ('add' in each) {
          for (let i = 0; i < each.add; i++) {
            const next = entry(++serial);
            if (queue.offer(next)) list.push(next);
          }
        } else {
          const leaving = list.slice(each.from, each.from + each.count).filter((_, i) => i % each.every === 0);
          expect(queue.settle(leaving)).toEqual(leaving);
          expect(queue.settle(leaving)).toEqual([]);
          list = list.filter((kept) => !leaving.includes(kept));
        }
        expect([queue.size, queue.first?.serial, serials(queue.head(Infinity, Infinity))]).toEqual([list.length, list[0]?.serial, serials(list)]);
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 30 });
  });
});
