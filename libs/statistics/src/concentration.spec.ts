import { describe, expect, it } from '@jest/globals';
import { gini, topFifth } from './concentration.js';
import { uniform } from './random.js';

describe('gini', () => {
  it('is a third for 1 to 5', () => {
    expect(gini([1, 2, 3, 4, 5])).toBeCloseTo(1 / 3, 14);
    expect(gini([4, 1, 5, 3, 2])).toBeCloseTo(1 / 3, 14);
  });

  it('is 0 where all do the same and 1 where one does it all, in groups of any size', () => {
    for (const n of [2, 3, 10, 1000]) {
      expect(gini(Array.from({ length: n }, () => 0.1))).toBeCloseTo(0, 12);
      expect(gini(Array.from({ length: n }, (_, i) => (i === 1 ? 7 : 0)))).toBe(1);
    }
  });

  it('is the mean difference of two people over twice the mean, zeros included', () => {
    const random = uniform(1912);
    const amounts = Array.from({ length: 30 }, () => Math.max(0, Math.floor(random() * 20) - 6));
    let difference = 0;
    for (const [i, one] of amounts.entries()) for (const [j, other] of amounts.entries()) if (i !== j) difference += Math.abs(one - other) / (30 * 29);
    expect(amounts).toContain(0);
    expect(gini(amounts)).toBeCloseTo(difference / ((2 * amounts.reduce((sum, amount) => sum + amount, 0)) / 30), 12);
  });

  it('is on average the same in small groups as in large: a half for exponential amounts', () => {
    const seed = 2003;
    const random = uniform(seed);
    const means = [3, 10, 50].map((n) => {
      let sum = 0;
      for (let i = 0; i < 4000; i += 1) sum += gini(Array.from({ length: n }, () => -Math.log(1 - random())))!;
      return sum / 4000;
    });
    console.info(`mean Gini of 3, 10, 50 people ${means.map((value) => value.toFixed(4)).join(', ')}, seed ${seed}`);
    for (const value of means) expect(Math.abs(value - 0.5)).toBeLessThan(0.015);
  });

  it('is null for fewer than two people or where nobody did anything, and refuses nonsense', () => {
    for (const amounts of [[], [3], [0, 0, 0]]) expect(gini(amounts)).toBeNull();
    for (const amounts of [[1, -1], [1, NaN], [1, Infinity]]) expect(() => gini(amounts)).toThrow(RangeError);
  });
});

describe('topFifth', () => {
  it('sums the fifth of the people who do most', () => {
    expect(topFifth([1, 9, 2, 3, 4, 5, 6, 7, 8, 10])).toEqual({ people: 2, numerator: 19, denominator: 55 });
    expect(topFifth([10, 9, 100, 0, 0])).toEqual({ people: 1, numerator: 100, denominator: 119 });
  });

  it('rounds the fifth up, never to nobody', () => {
    for (const [n, people] of [[1, 1], [5, 1], [6, 2], [10, 2], [11, 3], [35, 7], [36, 8], [1000, 200]] as const) {
      expect(topFifth(Array.from({ length: n }, () => 1))).toEqual({ people, numerator: people, denominator: n });
    }
  });

  it('is null where there is nobody or nobody did anything, and refuses nonsense', () => {
    for (const amounts of [[], [0], [0, 0, 0]]) expect(topFifth(amounts)).toBeNull();
    expect(() => topFifth([1, -1])).toThrow(RangeError);
  });
});
