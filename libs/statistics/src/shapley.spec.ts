import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decomposeProduct, type Factor } from './shapley.js';

const SEED = 1953;
const amounts = (...pairs: [before: number | null, after: number | null][]): Factor<string>[] => pairs.map(([before, after], i) => ({ name: 'abcdefghi'[i]!, before, after }));
const contributionsOf = (factors: Factor<string>[]) => decomposeProduct(factors).contributions.map(({ contribution }) => contribution);

/** The value by its definition: mean over all orders of the change a factor makes when its turn comes. */
function overAllOrders(factors: Factor<string>[]): number[] {
  const sums = factors.map(() => 0);
  let orders = 0;
  const walk = (moved: number[]) => {
    if (moved.length < factors.length) {
      for (let i = 0; i < factors.length; i += 1) if (!moved.includes(i)) walk([...moved, i]);
      return;
    }
    orders += 1;
    const now = factors.map(({ before }) => before!);
    for (const i of moved) {
      const was = now.reduce((product, factor) => product * factor, 1);
      now[i] = factors[i]!.after!;
      sums[i]! += now.reduce((product, factor) => product * factor, 1) - was;
    }
  };
  walk([]);
  return sums.map((sum) => sum / orders);
}

describe('decomposeProduct', () => {
  it('gives the known split of two and of three factors', () => {
    expect(contributionsOf(amounts([10, 12], [5, 3]))).toEqual([expect.closeTo(2 * 4, 12), expect.closeTo(-2 * 11, 12)]);
    // J. W. Sun's complete decomposition (Energy Economics 20 (1998) 85-100): joint effects shared equally.
    const [x, y, z, dx, dy, dz] = [2, 3, 5, 1, -2, 4];
    const first = dx * y * z + (dx * (dy * z + dz * y)) / 2 + (dx * dy * dz) / 3;
    expect(contributionsOf(amounts([x, x + dx], [y, y + dy], [z, z + dz]))[0]).toBeCloseTo(first, 12);
  });

  it('names a factor that fell to zero, and takes those it leaves without a value as they were', () => {
    const { before, after, change, contributions, fellToZero } = decomposeProduct([
      { name: 'people', before: 40, after: 40 }, { name: 'coverage', before: 0.5, after: 0 }, { name: 'results per task', before: 2, after: null },
    ]);
    expect({ before, after, change, fellToZero }).toEqual({ before: 40, after: 0, change: -40, fellToZero: ['coverage'] });
    expect(contributions).toEqual([{ name: 'people', contribution: 0 }, { name: 'coverage', contribution: expect.closeTo(-40, 12) }, { name: 'results per task', contribution: 0 }]);
    expect(decomposeProduct(amounts([0, 3], [null, 2])).contributions.map(({ contribution }) => contribution)).toEqual([6, 0]);
    expect(decomposeProduct(amounts([0, 3], [null, 2])).fellToZero).toEqual([]);
    expect(decomposeProduct(amounts([0, 0], [null, null])).fellToZero).toEqual([]);
    expect(decomposeProduct(amounts([0, 0], [null, null])).contributions.map(({ contribution }) => contribution)).toEqual([0, 0]);
  });

  it('sums to the change, is the mean over all orders, and gives nothing to what did not move', () => {
    console.info(`seed ${SEED}`);
    const amount = fc.oneof(fc.constantFrom(0, 1, 0.5), fc.double({ min: 1e-6, max: 1000, noNaN: true }));
    fc.assert(fc.property(fc.array(fc.tuple(amount, amount), { minLength: 1, maxLength: 5 }), (pairs) => {
      const factors = amounts(...pairs, [3, 3]);
      const { change, contributions } = decomposeProduct(factors);
      const largest = pairs.reduce((product, [before, after]) => product * Math.max(before, after), 3);
      const near = (one: number, other: number) => expect(Math.abs(one - other)).toBeLessThanOrEqual(1e-12 * largest);
      near(contributions.reduce((sum, { contribution }) => sum + contribution, 0), change);
      overAllOrders(factors).forEach((contribution, i) => near(contributions[i]!.contribution, contribution));
      expect(contributions.at(-1)!.contribution).toBe(0);
    }), { seed: SEED, numRuns: 150 });
  });

  it('takes eight factors', () => {
    const factors = amounts(...Array.from({ length: 8 }, (_, i): [number, number] => [1 + i / 8, 2 - i / 9]));
    const { change, contributions } = decomposeProduct(factors);
    expect(contributions.reduce((sum, { contribution }) => sum + contribution, 0)).toBeCloseTo(change, 9);
    expect(contributionsOf([...factors].reverse()).reverse()).toEqual(contributions.map(({ contribution }) => expect.closeTo(contribution, 9)));
  });

  it('refuses a wrong number of factors, nonsense, and a missing value that no zero explains', () => {
    expect(() => decomposeProduct([])).toThrow(/1 to 8/);
    expect(() => decomposeProduct(amounts(...Array.from({ length: 9 }, (): [number, number] => [1, 1])))).toThrow(/1 to 8/);
    for (const value of [-1, NaN, Infinity]) expect(() => decomposeProduct(amounts([1, value]))).toThrow(/a must be/);
    expect(() => decomposeProduct(amounts([0, 1], [null, null]))).toThrow(/b must be 0 or more after/);
  });
});
