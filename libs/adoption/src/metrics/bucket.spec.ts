import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { dayNumber, dayText } from '../local-day.js';
import { buckets } from './bucket.js';
import { GRAINS, type Grain } from '@foothold/contract';

const of = (grain: Grain, from: string, to: string) => buckets({ grain, from: dayNumber(from)!, to: dayNumber(to)! }).map((bucket) => `${dayText(bucket.from)} ${dayText(bucket.to)}`);

describe('buckets', () => {
  it('of weeks are ISO weeks, from Monday, over the ends of years', () => {
    // Week 53 of 2026 ends with 2027-01-03; week 1 of 2025 begins with 2024-12-30.
    expect(of('week', '2026-12-21', '2027-01-10')).toEqual(['2026-12-21 2026-12-27', '2026-12-28 2027-01-03', '2027-01-04 2027-01-10']);
    expect(of('week', '2024-12-29', '2025-01-01')).toEqual(['2024-12-29 2024-12-29', '2024-12-30 2025-01-01']);
  });

  it('are clipped to the range', () => {
    expect(of('week', '2026-11-25', '2026-12-01')).toEqual(['2026-11-25 2026-11-29', '2026-11-30 2026-12-01']);
    expect(of('week', '2026-11-25', '2026-11-26')).toEqual(['2026-11-25 2026-11-26']);
    expect(of('month', '2026-11-25', '2027-02-01')).toEqual(['2026-11-25 2026-11-30', '2026-12-01 2026-12-31', '2027-01-01 2027-01-31', '2027-02-01 2027-02-01']);
    expect(of('day', '2026-11-30', '2026-12-01')).toEqual(['2026-11-30 2026-11-30', '2026-12-01 2026-12-01']);
    expect(of('all', '2026-11-25', '2027-02-01')).toEqual(['2026-11-25 2027-02-01']);
  });

  it('of months know leap years', () => {
    expect(of('month', '2024-02-10', '2024-03-01')).toEqual(['2024-02-10 2024-02-29', '2024-03-01 2024-03-01']);
    expect(of('month', '1900-02-28', '1900-03-01')).toEqual(['1900-02-28 1900-02-28', '1900-03-01 1900-03-01']);
  });

  it('of weeks before 1970 begin on Mondays too', () => {
    expect(of('week', '1969-12-28', '1969-12-29')).toEqual(['1969-12-28 1969-12-28', '1969-12-29 1969-12-29']);
  });

  it('cover a range without gap or overlap, each beginning where its first day lies', () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    process.stderr.write(`bucket: seed ${seed}\n`);
    fc.assert(
      fc.property(fc.constantFrom(...GRAINS), fc.integer({ min: dayNumber('1685-01-01')!, max: dayNumber('2252-10-01')! }), fc.integer({ min: 0, max: 800 }), (grain, from, length) => {
        const found = buckets({ grain, from, to: from + length });
        expect([found[0]!.from, found.at(-1)!.to]).toEqual([from, from + length]);
        for (const [i, bucket] of found.entries()) {
          if (i > 0) expect(bucket.from).toBe(found[i - 1]!.to + 1);
          expect(bucket.to).toBeGreaterThanOrEqual(bucket.from);
          const begins = new Date(bucket.from * 86_400_000);
          if (i > 0 && grain === 'week') expect(begins.getUTCDay()).toBe(1);
          if (i > 0 && grain === 'month') expect(begins.getUTCDate()).toBe(1);
          if (grain === 'week') expect(bucket.to - bucket.from).toBeLessThan(7);
          if (grain === 'month') expect(dayText(bucket.to).slice(0, 7)).toBe(dayText(bucket.from).slice(0, 7));
        }
      }),
      { seed, numRuns: 400 },
    );
  });
});
