import { describe, expect, it } from '@jest/globals';
import { uniform } from './random.js';
import { reliance, type Judged } from './reliance.js';

const judged = (changes: Partial<Judged>): Judged => ({ accepted: true, aiRight: true, firstRight: null, finalRight: null, weight: 1, ...changes });

describe('reliance', () => {
  it('counts each share as it is defined', () => {
    const result = reliance([
      judged({ accepted: true, aiRight: true, firstRight: false, finalRight: true, weight: 30 }),
      judged({ accepted: false, aiRight: true, firstRight: false, finalRight: false, weight: 10 }),
      judged({ accepted: true, aiRight: true, firstRight: true, finalRight: true, weight: 20 }),
      judged({ accepted: true, aiRight: false, firstRight: true, finalRight: false, weight: 6 }),
      judged({ accepted: false, aiRight: false, firstRight: true, finalRight: true, weight: 9 }),
      judged({ accepted: true, aiRight: false, firstRight: false, finalRight: false, weight: 5 }),
      judged({ accepted: false, aiRight: true, firstRight: true, finalRight: true, weight: 1 }),
    ]);
    expect(result).toEqual({
      overReliance: { value: 11 / 20, numerator: 11, denominator: 20, unknown: 0 },
      underReliance: { value: 11 / 61, numerator: 11, denominator: 61, unknown: 0 },
      overrideCorrectness: { value: 10 / 20, numerator: 10, denominator: 20, unknown: 0 },
      rair: { value: 30 / 40, numerator: 30, denominator: 40, unknown: 0 },
      rsr: { value: 9 / 15, numerator: 9, denominator: 15, unknown: 0 },
      discrimination: expect.closeTo(50 / 61 - 11 / 20, 14),
    });
  });

  it('guesses nothing: what is not known is counted apart', () => {
    const { overrideCorrectness, rair, rsr, underReliance } = reliance([
      judged({ accepted: false, aiRight: true, firstRight: false, weight: 2 }),
      judged({ accepted: false, aiRight: true, finalRight: true, weight: 3 }),
      judged({ accepted: false, aiRight: true, firstRight: true, weight: 4 }),
      judged({ accepted: true, aiRight: true, firstRight: false, finalRight: true, weight: 5 }),
    ]);
    expect(overrideCorrectness).toEqual({ value: 1, numerator: 3, denominator: 3, unknown: 6 });
    expect(rair).toEqual({ value: 1, numerator: 5, denominator: 5, unknown: 5 });
    expect(rsr).toEqual({ value: null, numerator: 0, denominator: 0, unknown: 0 });
    expect(underReliance.denominator).toBe(14);
  });

  it('is null, never 0, of empty denominators', () => {
    const nothing = { value: null, numerator: 0, denominator: 0, unknown: 0 };
    expect(reliance([])).toEqual({ overReliance: nothing, underReliance: nothing, overrideCorrectness: nothing, rair: nothing, rsr: nothing, discrimination: null });
    expect(reliance([judged({})])).toMatchObject({ overReliance: nothing, underReliance: { value: 0 }, discrimination: null });
    expect(reliance([judged({ aiRight: false })])).toMatchObject({ overReliance: { value: 1 }, discrimination: null });
    expect(reliance([judged({ weight: 0 })]).underReliance.value).toBeNull();
    for (const weight of [-1, NaN, Infinity]) expect(() => reliance([judged({ weight })])).toThrow(RangeError);
  });

  it('finds the truth of all results though overrides are looked up ten times as often', () => {
    const seed = 2023;
    const random = uniform(seed);
    const sampled: Judged[] = [];
    const unweighted: Judged[] = [];
    // The AI is right in .8; accepted in .9 where it is and in .4 where it is not.
    for (let i = 0; i < 100_000; i += 1) {
      const aiRight = random() < 0.8;
      const accepted = random() < (aiRight ? 0.9 : 0.4);
      const probability = accepted ? 0.05 : 0.5;
      if (random() >= probability) continue;
      sampled.push(judged({ accepted, aiRight, weight: 1 / probability }));
      unweighted.push(judged({ accepted, aiRight }));
    }
    const { overReliance, underReliance, discrimination } = reliance(sampled);
    const naive = reliance(unweighted);
    console.info(`over-reliance .4: weighted ${overReliance.value!.toFixed(3)}, unweighted ${naive.overReliance.value!.toFixed(3)}; discrimination .5: ${discrimination!.toFixed(3)}, ${naive.discrimination!.toFixed(3)}; seed ${seed}`);
    expect(Math.abs(overReliance.value! - 0.4)).toBeLessThan(0.03);
    expect(Math.abs(underReliance.value! - 0.1)).toBeLessThan(0.02);
    expect(Math.abs(discrimination! - 0.5)).toBeLessThan(0.03);
    expect(naive.overReliance.value!).toBeLessThan(0.1);
  });
});
