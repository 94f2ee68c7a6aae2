import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seeded } from '../../../test/support/seeded.js';
import { changed } from './changed.js';

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000_007);

/** The definition, cell by cell. */
function plainDistance(before: string, after: string): number {
  const [a, b] = [[...before], [...after]];
  let row = b.map((_, j) => j + 1);
  row.unshift(0);
  for (const [i, char] of a.entries()) {
    const next = [i + 1];
    for (const [j, other] of b.entries()) next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (char === other ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

const plain = (before: string, after: string) => (before === after ? 0 : plainDistance(before, after) / Math.max([...before].length, [...after].length));

describe('changed', () => {
  it.each<[string, string, number]>([
    ['', '', 0],
    ['', 'abc', 1],
    ['abc', '', 1],
    ['same', 'same', 0],
    ['kitten', 'sitting', 3 / 7],
    ['flaw', 'lawn', 2 / 4],
    ['abc', 'xyz', 1],
    ['🧡🧡', '🧡', 1 / 2],
    ['naïve', 'naive', 1 / 5],
    ['a\ud800b', 'ab', 1 / 3],
  ])('of %j and %j', (before, after, expected) => {
    expect(changed(before, after)).toBe(expected);
  });

  it('of nothing is that of an empty text', () => {
    expect(changed(undefined as never, null as never)).toBe(0);
    expect(changed(undefined as never, 'a')).toBe(1);
  });

  it(`is the definition, across blocks of 32 (SEED=${SEED})`, () => {
    const text = fc.oneof(fc.string({ unit: fc.constantFrom('a', 'b', '🧡'), maxLength: 140 }), fc.string({ unit: 'grapheme', maxLength: 70 }));
    fc.assert(fc.property(text, text, (before, after) => expect(changed(before, after)).toBe(plain(before, after))), { seed: SEED, numRuns: 400 });
  });

  it(`is the definition for an edited text (SEED=${SEED})`, () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(9), fc.string({ maxLength: 9 })), { maxLength: 8 });
    const property = fc.property(fc.string({ unit: fc.constantFrom(...'abc '), minLength: 50, maxLength: 400 }), edits, (before, changes) => {
      let after = before;
      for (const [at, gone, put] of changes) after = after.slice(0, at % (after.length + 1)) + put + after.slice((at % (after.length + 1)) + gone);
      expect(changed(before, after)).toBe(plain(before, after));
    });
    fc.assert(property, { seed: SEED, numRuns: 100 });
  });
});

describe('changed, of very long texts', () => {
  const chance = seeded(7);
  const words = (count: number) => Array.from({ length: count }, () => Array.from({ length: 2 + chance.below(7) }, () => String.fromCharCode(97 + chance.below(26))).join('')).join(' ');
  const long = words(20_000);

  it('is exact where the edits lie far apart, as edits do', () => {
    const cut = long.slice(0, 30_000) + long.slice(30_120);
    const after = `Dear all, ${cut.slice(0, 60_000)}, and so on, ${cut.slice(60_000)} Bye`;
    expect(changed(long, after)).toBe((10 + 120 + 13 + 4) / long.length);
  });

  it('is exact where a paragraph was added, and another moved out', () => {
    const paragraph = words(400);
    const after = long.slice(0, 20_000) + paragraph + long.slice(20_000, 90_000) + long.slice(91_000);
    expect(changed(long, after) * after.length).toBeLessThanOrEqual(paragraph.length + 1_000);
    expect(changed(long, after) * after.length).toBeGreaterThan(paragraph.length);
  });

  it('is near the truth where every sentence was touched', () => {
    const after = long.replaceAll(/(.{100})../g, '$1-');
    expect(changed(long, after) * long.length).toBeLessThanOrEqual(2 * Math.ceil(long.length / 102));
  });

  it('is never below the true distance, nor above 1', () => {
    const other = words(20_000);
    const share = changed(long, other);
    expect(share).toBeGreaterThan(0.7);
    expect(share).toBeLessThan(0.9);
    expect(changed(long, 'z'.repeat(150_000))).toBeLessThanOrEqual(1);
    expect(changed(long, 'a' + 'b'.repeat(20))).toBeCloseTo(1, 3);
  });

  it('takes a bounded time, in whatever proportion they are', () => {
    const begin = performance.now();
    changed(long, words(20_000));
    changed(words(160), 'x'.repeat(200_000));
    changed('x'.repeat(200_000), words(160));
    expect(performance.now() - begin).toBeLessThan(10_000); // some 200 ms outside of jest; the whole matrix of the first alone takes 6 s
  });
});
