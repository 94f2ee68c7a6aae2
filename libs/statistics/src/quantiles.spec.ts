import { describe, expect, it } from '@jest/globals';
import { normalQuantile, studentT } from './quantiles.js';

describe('normalQuantile', () => {
  it('gives the published values', () => {
    // The check values of AS 241 (Wichura 1988), then those of common tables.
    expect(normalQuantile(0.25)).toBeCloseTo(-0.6744897501960817, 15);
    expect(normalQuantile(0.001)).toBeCloseTo(-3.090232306167814, 14);
    expect(normalQuantile(1e-20)).toBeCloseTo(-9.262340089798408, 13);
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 14);
    expect(normalQuantile(0.995)).toBeCloseTo(2.5758293035489, 13);
    expect(normalQuantile(0.5)).toBe(0);
  });

  it('is odd about a half and rises across the seams of its three pieces', () => {
    let last = -Infinity;
    for (const p of [1e-300, 1e-12, 1.3e-11, 1.5e-11, 0.01, 0.0749, 0.0751, 0.3, 0.5]) {
      expect(normalQuantile(p)).toBeGreaterThan(last);
      last = normalQuantile(p);
      if (p >= 0.01) expect(normalQuantile(1 - p)).toBeCloseTo(-last, 13);
    }
  });

  it('refuses what is no probability', () => {
    for (const p of [0, 1, -0.1, 1.1, NaN]) expect(() => normalQuantile(p)).toThrow(RangeError);
  });
});

describe('studentT', () => {
  it.each([
    [0.975, 1, 12.7062], [0.975, 2, 4.30265], [0.975, 5, 2.57058], [0.975, 10, 2.22814], [0.975, 20, 2.08596],
    [0.975, 30, 2.04227], [0.975, 120, 1.97993], [0.95, 1, 6.31375], [0.95, 10, 1.81246], [0.995, 5, 4.03214],
    [0.995, 30, 2.75], [0.9995, 1, 636.619], [0.9995, 10, 4.58689], [0.975, Infinity, 1.959964],
  ])('gives the table: %d with %d degrees is %d', (p, df, value) => {
    expect(Math.abs(studentT(p, df) / value - 1)).toBeLessThan(4e-6);
    expect(studentT(1 - p, df)).toBeCloseTo(-studentT(p, df), 8);
  });

  it('is exact where there is a formula: one, two and four degrees', () => {
    for (const p of [1e-12, 1e-6, 0.01, 0.3, 0.499, 0.501, 0.9, 0.99999]) {
      const error = (df: number, truth: number) => Math.abs(studentT(p, df) / truth - 1);
      expect(error(1, -1 / Math.tan(Math.PI * p))).toBeLessThan(1e-10);
      expect(error(2, (2 * p - 1) / Math.sqrt(2 * p * (1 - p)))).toBeLessThan(1e-10);
      // W. T. Shaw, "Sampling Student's T distribution", J. Comp. Finance 9 (2006): the closed form at four degrees.
      const root = Math.sqrt(4 * p * (1 - p));
      const four = Math.sign(p - 0.5) * 2 * Math.sqrt(Math.cos(Math.acos(root) / 3) / root - 1);
      expect(error(4, four)).toBeLessThan(1e-8);
    }
    expect(studentT(0.5, 3)).toBe(0);
  });

  it('falls towards the normal with the degrees, across the seam at 100,000', () => {
    let last = Infinity;
    for (const df of [0.5, 1, 3, 10, 100, 1e4, 99_999, 100_000, 100_001, 1e9]) {
      expect(studentT(0.975, df)).toBeLessThan(last);
      last = studentT(0.975, df);
    }
    expect(Math.abs(studentT(1e-6, 99_999.999) - studentT(1e-6, 100_000))).toBeLessThan(1e-9);
    expect(last).toBeGreaterThanOrEqual(normalQuantile(0.975));
  });

  it('refuses what is out of range', () => {
    for (const p of [0, 1, NaN]) expect(() => studentT(p, 5)).toThrow(RangeError);
    for (const df of [0, -1, NaN]) expect(() => studentT(0.9, df)).toThrow(RangeError);
  });
});
