import { describe, expect, it } from '@jest/globals';
import { incompleteBeta, logGamma, upperGamma } from './special-functions.js';

describe('logGamma', () => {
  it('is the logarithm of the factorial at whole numbers', () => {
    let factorial = 0;
    for (let n = 1; n <= 170; n += 1) {
      expect(Math.abs(logGamma(n) - factorial)).toBeLessThan(1e-13 * Math.max(1, factorial));
      factorial += Math.log(n);
    }
  });

  it('is known at halves', () => {
    expect(logGamma(0.5)).toBeCloseTo(0.5 * Math.log(Math.PI), 13);
    expect(logGamma(1.5)).toBeCloseTo(0.5 * Math.log(Math.PI) - Math.log(2), 13);
    expect(logGamma(0.25)).toBeCloseTo(Math.log(3.625609908221908), 13);
  });

  it('refuses what has no logarithm', () => {
    for (const x of [0, -1, NaN]) expect(() => logGamma(x)).toThrow(RangeError);
  });
});

describe('incompleteBeta', () => {
  it('is the tail of the binomial at whole a and b', () => {
    for (const [a, b] of [[1, 1], [2, 3], [7, 2], [12, 30]] as const) {
      for (const x of [0.01, 0.2, 0.5, 0.77, 0.99]) {
        const n = a + b - 1;
        let tail = 0;
        for (let k = a; k <= n; k += 1) {
          tail += Math.exp(logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1) + k * Math.log(x) + (n - k) * Math.log(1 - x));
        }
        expect(incompleteBeta(x, a, b)).toBeCloseTo(tail, 12);
      }
    }
  });

  it('is the arcsine law at a half and a half, and symmetric', () => {
    for (const x of [0.001, 0.3, 0.5, 0.999]) {
      expect(incompleteBeta(x, 0.5, 0.5)).toBeCloseTo((2 / Math.PI) * Math.asin(Math.sqrt(x)), 13);
      expect(incompleteBeta(x, 3.5, 0.7) + incompleteBeta(1 - x, 0.7, 3.5)).toBeCloseTo(1, 12);
    }
  });

  it('runs from 0 to 1 and refuses what lies beyond', () => {
    expect(incompleteBeta(0, 2, 3)).toBe(0);
    expect(incompleteBeta(1, 2, 3)).toBe(1);
    expect(() => incompleteBeta(1.1, 2, 3)).toThrow(RangeError);
    expect(() => incompleteBeta(0.5, 0, 3)).toThrow(RangeError);
  });
});

describe('upperGamma', () => {
  it('is the tail of the Poisson distribution at whole a', () => {
    for (const a of [1, 2, 5, 20, 60]) {
      for (const x of [0.01, 0.5, 3, 19, 21, 60, 200]) {
        let tail = 0;
        for (let k = 0; k < a; k += 1) tail += Math.exp(k * Math.log(x) - x - logGamma(k + 1));
        expect(Math.abs(upperGamma(a, x) / tail - 1)).toBeLessThan(1e-11);
      }
    }
  });

  it('gives the table of chi-square', () => {
    for (const [c, df, p] of [[3.841459, 1, 0.05], [6.634897, 1, 0.01], [5.991465, 2, 0.05], [18.307038, 10, 0.05], [10.827566, 1, 0.001], [124.342113, 100, 0.05]] as const) {
      expect(Math.abs(upperGamma(df / 2, c / 2) / p - 1)).toBeLessThan(1e-6);
    }
  });

  it('runs from 1 to 0 and refuses what lies beyond', () => {
    expect(upperGamma(0.5, 0)).toBe(1);
    expect(upperGamma(0.5, Infinity)).toBe(0);
    expect(upperGamma(0.5, 1e4)).toBe(0);
    for (const [a, x] of [[0, 1], [-1, 1], [NaN, 1], [Infinity, 1], [1, -1], [1, NaN]] as const) expect(() => upperGamma(a, x)).toThrow(RangeError);
    expect(() => upperGamma(1e12, 1e12)).toThrow(/no convergence/);
  });
});
