import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { dayNumber, dayText } from '../local-day.js';
import { type Range } from './answer.js';
import { buckets } from './bucket.js';
import { GRAINS, type Grain } from '@foothold/contract';

const range = (grain: Grain, from: number, to: number): Range => ({ deployment: 1, grain, by: [], from, to, fromText: dayText(from), toText: dayText(to) });
const of = (grain: Grain, from: string, to: string) => buckets(range(grain, dayNumber(from)!, dayNumber(to)!)).map((bucket) => `${bucket.start} ${bucket.from} ${bucket.to}`);

describe('buckets', () => {
  it('of weeks are ISO weeks, from Monday, over the ends of years', () => {
    // Week 53 of 2026 ends with 2027-01-03; week 1 of 2025 begins with 2024-12-30.
    expect(of('week', '2026-12-21', '2027-01-10')).toEqual(['2026-12-21 2026-12-21 2026-12-27', '2026-12-28 2026-12-28 2027-01-03', '2027-01-04 2027-01-04 2027-01-10']);
    expect(of('week', '2024-12-29', '2025-01-01')).toEqual(['2024-12-23 2024-12-29 2024-12-29', '2024-12-30 2024-12-30 2025-01-01']);
  });

  it('are clipped to the range, and know where they would have begun', () => {
    expect(of('week', '2026-11-25', '2026-12-01')).toEqual(['2026-11-23 2026-11-25 2026-11-29', '2026-11-30 2026-11-30 2026-12-01']);
    expect(of('week', '2026-11-25', '2026-11-26')).toEqual(['2026-11-23 2026-11-25 2026-11-26']);
    expect(of('month', '2026-11-25', '2027-02-01')).toEqual(['2026-11-01 2026-11-25 2026-11-30', '2026-12-01 2026-12-01 2026-12-31', '2027-01-01 2027-01-01 2027-01-31', '2027-02-01 2027-02-01 2027-02-01']);
    expect(of('day', '2026-11-30', '2026-12-01')).toEqual(['2026-11-30 2026-11-30 2026-11-30', '2026-12-01 2026-12-01 2026-12-01']);
    expect(of('all', '2026-11-25', '2027-02-01')).toEqual(['2026-11-25 2026-11-25 2027-02-01']);
  });

  it('of months know leap years', () => {
    expect(of('month', '2024-02-10', '2024-03-01')).toEqual(['2024-02-01 2024-02-10 2024-02-29', '2024-03-01 2024-03-01 2024-03-01']);
    expect(of('month', '1900-02-28', '1900-03-01')).toEqual(['1900-02-01 1900-02-28 1900-02-28', '1900-03-01 1900-03-01 1900-03-01']);
  });

  it('of weeks before 1970 begin on Mondays too', () => {
    expect(of('week', '1969-12-28', '1969-12-29')).toEqual(['1969-12-22 1969-12-28 1969-12-28', '1969-12-29 1969-12-29 1969-12-29']);
  });

  it('cover a range without gap or overlap, each beginning where its first day lies', () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    process.stderr.write(`bucket: seed ${seed}\n`);
    fc.assert(
      fc.property(fc.constantFrom(...GRAINS), fc.integer({ min: dayNumber('1685-01-01')!, max: dayNumber('2252-10-01')! }), fc.integer({ min: 0, max: 800 }), (grain, from, length) => {
        const found = buckets(range(grain, from, from + length));
        expect(found[0]!.from).toBe(dayText(from));
        expect(found.at(-1)!.to).toBe(dayText(from + length));
        for (const [i, bucket] of found.entries()) {
          if (i > 0) expect(dayNumber(bucket.from)).toBe(found[i - 1]!.lastDay + 1);
          expect(dayText(bucket.lastDay)).toBe(bucket.to);
          expect(bucket.from <= bucket.to && bucket.start <= bucket.from).toBe(true);
          if (i > 0) expect(bucket.start).toBe(bucket.from);
          const start = new Date(`${bucket.start}T00:00:00Z`);
          if (grain === 'week') expect([start.getUTCDay(), dayNumber(bucket.to)! - dayNumber(bucket.start)! <= 6]).toEqual([1, true]);
          if (grain === 'month') expect([start.getUTCDate(), bucket.to.slice(0, 7)]).toEqual([1, bucket.start.slice(0, 7)]);
        }
      }),
      { seed, numRuns: 400 },
    );
  });
});
