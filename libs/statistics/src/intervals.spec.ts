import { describe, expect, it } from '@jest/globals';
import { clusteredRatio, differenceOfShares, meanOfShares, wilson, type ClusteredSums } from './intervals.js';
import { studentT } from './quantiles.js';

/** The sums over pairs [x, y], one a person. */
function sumsOf(pairs: [number, number][]): ClusteredSums {
  const sums = { n: pairs.length, sumX: 0, sumY: 0, sumXX: 0, sumXY: 0, sumYY: 0 };
  for (const [x, y] of pairs) {
    sums.sumX += x;
    sums.sumY += y;
    sums.sumXX += x * x;
    sums.sumXY += x * y;
    sums.sumYY += y * y;
  }
  return sums;
}

const sharesOf = (shares: number[]) => ({
  n: shares.length, sum: shares.reduce((sum, share) => sum + share, 0), sumSquares: shares.reduce((sum, share) => sum + share * share, 0),
});
const logit = (p: number) => Math.log(p / (1 - p));

describe('wilson', () => {
  it('gives the known interval of 8 of 10', () => {
    const { low, high } = wilson(8, 10)!;
    expect(low).toBeCloseTo(0.4902, 4);
    expect(high).toBeCloseTo(0.9433, 4);
  });

  it('ends exactly at 0 and 1, mirrors itself, widens with the level', () => {
    for (const n of [1, 3, 10, 1e6]) {
      expect(wilson(0, n)!.low).toBe(0);
      expect(wilson(n, n)!.high).toBe(1);
      expect(wilson(0, n)!.high).toBeCloseTo(1 - wilson(n, n)!.low, 12);
    }
    expect(wilson(8, 10, 0.99)!.low).toBeLessThan(wilson(8, 10, 0.8)!.low);
  });

  it('is null of nobody and refuses nonsense', () => {
    expect(wilson(0, 0)).toBeNull();
    for (const [successes, n, level] of [[3, 2, 0.95], [-1, 2, 0.95], [1, NaN, 0.95], [1, 2, 1], [1, 2, 0]] as const) {
      expect(() => wilson(successes, n, level)).toThrow(RangeError);
    }
  });
});

describe('clusteredRatio', () => {
  it('is the linearised variance on the logit scale', () => {
    const pairs: [number, number][] = [[3, 10], [1, 2], [0, 5], [7, 9]];
    const ratio = 11 / 26;
    const variance = ((4 / 3) * pairs.reduce((sum, [x, y]) => sum + (x - ratio * y) ** 2, 0)) / 26 ** 2;
    const half = (studentT(0.975, 3) * Math.sqrt(variance)) / (ratio * (1 - ratio));
    const { low, high } = clusteredRatio(sumsOf(pairs))!;
    expect(logit(low)).toBeCloseTo(logit(ratio) - half, 10);
    expect(logit(high)).toBeCloseTo(logit(ratio) + half, 10);
  });

  it('claims no certainty where nobody or everybody does: as many answers as people', () => {
    const none = clusteredRatio(sumsOf([[0, 40], [0, 40], [0, 40], [0, 40], [0, 40]]))!;
    expect(none).toEqual(wilson(0, 5));
    expect(clusteredRatio(sumsOf([[40, 40], [40, 40], [40, 40], [40, 40], [40, 40]]))).toEqual(wilson(5, 5));
    expect(clusteredRatio(sumsOf([[0, 900], [0, 1], [0, 1], [0, 1], [0, 1]]))!.high).toBeGreaterThan(0.75);
  });

  it('claims no certainty where everybody is alike, however the sums are rounded', () => {
    for (const [x, y] of [[1, 2], [1, 3], [70, 97]] as const) {
      const { low, high } = clusteredRatio(sumsOf([[x, y], [2 * x, 2 * y], [x, y], [3 * x, 3 * y], [7 * x, 7 * y]]))!;
      const people = 14 ** 2 / (1 + 4 + 1 + 9 + 49);
      expect(low).toBeCloseTo(wilson((people * x) / y, people)!.low, 9);
      expect(high).toBeCloseTo(wilson((people * x) / y, people)!.high, 9);
    }
  });

  it('knows nothing from one person, and nothing at all without a denominator', () => {
    for (const x of [0, 3, 9]) expect(clusteredRatio(sumsOf([[x, 9]]))).toEqual({ low: 0, high: 1 });
    expect(clusteredRatio(sumsOf([]))).toBeNull();
    expect(clusteredRatio(sumsOf([[0, 0], [0, 0]]))).toBeNull();
  });

  it('stays within 0..1 and holds the ratio, down to two people', () => {
    for (const pairs of [[[0, 50], [1, 1]], [[1, 1000], [0, 3]], [[99, 100], [1, 1]]] as [number, number][][]) {
      const sums = sumsOf(pairs);
      const { low, high } = clusteredRatio(sums)!;
      expect(0 <= low && low < sums.sumX / sums.sumY && sums.sumX / sums.sumY < high && high <= 1).toBe(true);
    }
  });

  it('refuses a part above its whole', () => {
    expect(() => clusteredRatio(sumsOf([[3, 2], [1, 1]]))).toThrow(RangeError);
    expect(() => clusteredRatio(sumsOf([[1, 2], [1, 1]]), 1.5)).toThrow(RangeError);
  });
});

describe('meanOfShares', () => {
  it('is the t interval on the logit scale', () => {
    const shares = [0.1, 0.4, 0.35, 0.8];
    const mean = 0.4125;
    const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / 3 / 4;
    const half = (studentT(0.95, 3) * Math.sqrt(variance)) / (mean * (1 - mean));
    const { low, high } = meanOfShares(sharesOf(shares), 0.9)!;
    expect(logit(low)).toBeCloseTo(logit(mean) - half, 10);
    expect(logit(high)).toBeCloseTo(logit(mean) + half, 10);
  });

  it('claims no certainty where all shares are the same', () => {
    expect(meanOfShares(sharesOf([0, 0, 0, 0]))).toEqual(wilson(0, 4));
    expect(meanOfShares(sharesOf([1, 1, 1, 1]))).toEqual(wilson(4, 4));
    const same = meanOfShares(sharesOf(Array.from({ length: 7 }, () => 1 / 3)))!;
    expect(same.low).toBeCloseTo(wilson(7 / 3, 7)!.low, 9);
  });

  it('knows nothing from one person, and nothing at all from none', () => {
    for (const share of [0, 0.3, 1]) expect(meanOfShares(sharesOf([share]))).toEqual({ low: 0, high: 1 });
    expect(meanOfShares(sharesOf([]))).toBeNull();
    expect(() => meanOfShares({ n: 3, sum: 4, sumSquares: 6 })).toThrow(RangeError);
  });
});

describe('differenceOfShares', () => {
  const of = (successes: number, n: number) => ({ value: successes / n, ...wilson(successes, n)! });

  // Newcombe (1998), table II, method 10.
  it.each([
    [56, 70, 48, 80, 0.0524, 0.3339], [9, 10, 3, 10, 0.1705, 0.809], [6, 7, 2, 7, 0.0582, 0.8062],
    [5, 56, 0, 29, -0.0381, 0.1926], [0, 10, 0, 20, -0.1611, 0.2775], [10, 10, 0, 10, 0.6075, 1],
  ])('%d of %d less %d of %d lies between %d and %d', (a, m, b, n, low, high) => {
    const found = differenceOfShares(of(a, m), of(b, n), 0);
    expect([found.low, found.high]).toEqual([expect.closeTo(low, 4), expect.closeTo(high, 4)]);
  });

  it('is narrower where the two rise and fall together, and refuses what is no correlation', () => {
    const width = (correlation: number) => { const { low, high } = differenceOfShares(of(56, 70), of(48, 80), correlation); return high - low; };
    expect([width(0.5) < width(0), width(0) < width(-0.5)]).toEqual([true, true]);
    for (const correlation of [1.01, -1.01, NaN]) expect(() => differenceOfShares(of(1, 2), of(1, 2), correlation)).toThrow(RangeError);
  });
});
