import { describe, expect, it } from '@jest/globals';
import { uniform } from './random.js';
import { stabilityIndex } from './stability.js';

describe('stabilityIndex', () => {
  it('is the sum over categories, of shares with half a count added', () => {
    // (.6 - .5) ln 1.2 + (.4 - .5) ln .8 = .0405, with counts so large that the halves do not show.
    expect(stabilityIndex([5e9, 5e9], [6e9, 4e9])).toBeCloseTo(0.1 * Math.log(1.5), 8);
    const [a, b] = [10.5 / 21, 0.5 / 11];
    expect(stabilityIndex([10, 10], [0, 10])).toBeCloseTo((b - a) * Math.log(b / a) + (a - b) * Math.log((1 - b) / (1 - a)), 12);
  });

  it('is 0 of the same, the same either way, and finite where a category is new or gone', () => {
    expect(stabilityIndex([3, 5, 9], [3, 5, 9])).toBe(0);
    expect(stabilityIndex([30, 50, 90], [80, 10, 3])).toBeCloseTo(stabilityIndex([80, 10, 3], [30, 50, 90])!, 14);
    expect(stabilityIndex([100, 0], [0, 100])).toBeGreaterThan(1);
    expect(stabilityIndex([100, 0], [0, 100])).toBeLessThan(Infinity);
  });

  it('is null where there is nothing to compare, and refuses nonsense', () => {
    for (const [expected, actual] of [[[], []], [[5], [5]], [[0, 0], [1, 2]], [[1, 2], [0, 0]]] as const) expect(stabilityIndex(expected, actual)).toBeNull();
    expect(() => stabilityIndex([1, 2], [1, 2, 3])).toThrow(/categories/);
    for (const count of [-1, NaN, Infinity]) expect(() => stabilityIndex([1, count], [1, 2])).toThrow(/count/);
  });

  it('is by chance what the docstring says', () => {
    const [seed, repetitions] = [2020, 2000];
    const random = uniform(seed);
    const drawn = (n: number) => {
      const counts = [0, 0, 0, 0, 0];
      for (let i = 0; i < n; i += 1) counts[Math.floor(random() * 5)]! += 1;
      return counts;
    };
    for (const [n, m] of [[200, 200], [500, 100]] as const) {
      let mean = 0;
      for (let i = 0; i < repetitions; i += 1) mean += stabilityIndex(drawn(n), drawn(m))! / repetitions;
      const said = 4 * (1 / n + 1 / m);
      console.info(`mean of the same distribution, ${n} and ${m} inputs: ${mean.toFixed(4)}, said ${said.toFixed(4)}, seed ${seed}`);
      expect(Math.abs(mean / said - 1)).toBeLessThan(0.1);
    }
  });
});
