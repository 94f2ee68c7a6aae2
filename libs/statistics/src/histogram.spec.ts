import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bucketOf, GAMMA, histogramOf, histogramQuantile, mergeHistograms, RELATIVE_ERROR } from './histogram.js';
import { uniform } from './random.js';

const SEED = 20190812;
const milliseconds = fc.oneof(fc.nat(5), fc.nat(10_000), fc.nat(100_000_000));
const several = fc.array(milliseconds, { maxLength: 60 });
const probability = fc.oneof(fc.constantFrom(0, 0.05, 0.5, 0.95, 1), fc.double({ min: 0, max: 1, noNaN: true }));
const holds = <T>(property: fc.IProperty<T>) => fc.assert(property, { seed: SEED, numRuns: 500 });

/** The smallest value at or under which at least p of the values lie. */
function exact(values: number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(p * sorted.length)) - 1]!;
}

describe('bucketOf', () => {
  it('meets the exact bounds on whole numbers up to 10^11', () => {
    // (51/49)^b in whole numbers: the largest one at or under it lies in bucket b, the next in b + 1.
    for (let b = 1; 51n ** BigInt(b) / 49n ** BigInt(b) <= 10n ** 11n; b += 1) {
      const under = Number(51n ** BigInt(b) / 49n ** BigInt(b));
      expect(bucketOf(under)).toBeLessThanOrEqual(b);
      expect(bucketOf(under + 1)).toBeGreaterThan(b);
    }
  });

  it('holds 1 alone in bucket 0, what is less in -1', () => {
    expect([0, 0.3, 0.999, 1, 1.0001, 2].map(bucketOf)).toEqual([-1, -1, -1, 0, 1, 18]);
    for (const value of [-1, NaN, Infinity]) expect(() => bucketOf(value)).toThrow(RangeError);
  });
});

describe('the histogram', () => {
  it('gives every quantile within 2 %, and what is below 1 as 0', () => {
    console.info(`seed ${SEED}`);
    expect(GAMMA).toBeCloseTo(51 / 49, 15);
    holds(fc.property(fc.array(milliseconds, { minLength: 1, maxLength: 60 }), probability, (values, p) => {
      const truth = exact(values, p);
      expect(Math.abs(histogramQuantile(histogramOf(values), p)! - truth)).toBeLessThanOrEqual(RELATIVE_ERROR * truth * (1 + 1e-12));
    }));
    expect(histogramQuantile(histogramOf([0.4, 0.9]), 1)).toBe(0);
    expect(histogramQuantile(histogramOf([1, 1]), 0.5)).toBe(1);
    const random = uniform(SEED);
    const fractions = Array.from({ length: 5000 }, () => 1 + random() * 5000);
    for (let p = 0; p <= 1; p += 0.01) expect(Math.abs(histogramQuantile(histogramOf(fractions), p)! / exact(fractions, p) - 1)).toBeLessThan(0.02 + 1e-12);
  });

  it('merges to what all values together give, in any order and grouping', () => {
    holds(fc.property(several, several, several, (one, two, three) => {
      const [a, b, c] = [histogramOf(one), histogramOf(two), histogramOf(three)];
      const all = histogramOf([...one, ...two, ...three]);
      expect(mergeHistograms([a, b, c])).toEqual(all);
      expect(mergeHistograms([c, mergeHistograms([b, a])])).toEqual(all);
      expect(mergeHistograms([mergeHistograms([a, b]), c])).toEqual(all);
      expect(histogramOf(one)).toEqual(a);
    }));
    expect(mergeHistograms([])).toEqual([]);
  });

  it('is whole numbers that survive JSON, the same for the same contents', () => {
    const histogram = histogramOf([300, 0, 1, 300, 299]);
    expect(JSON.stringify(histogram)).toBe('[[-1,1],[0,1],[143,3]]');
    expect(JSON.stringify(mergeHistograms([histogramOf([299, 300]), histogramOf([300, 1, 0])]))).toBe(JSON.stringify(histogram));
    expect(histogramQuantile(JSON.parse(JSON.stringify(histogram)), 0.5)).toBe(histogramQuantile(histogram, 0.5));
  });

  it('stays small: days of decisions in a few hundred buckets', () => {
    const random = uniform(1);
    expect(histogramOf(Array.from({ length: 50_000 }, () => Math.floor(Math.exp(random() * 18)))).length).toBeLessThan(460);
  });

  it('is null of nothing and refuses nonsense', () => {
    expect(histogramQuantile([], 0.5)).toBeNull();
    for (const p of [-0.1, 1.1, NaN]) expect(() => histogramQuantile([[0, 1]], p)).toThrow(RangeError);
    for (const broken of [[-2, 1], [0.5, 1], [1, 0], [1, -1], [1, 0.5]] as const) expect(() => mergeHistograms([[broken]])).toThrow(RangeError);
  });
});
