/** What the intervals promise, against people resampled and against simulated people whose truth is known. */
import { describe, expect, it } from '@jest/globals';
import { copilotPeople } from '../../../test/support/copilot-log.js';
import { resamplePeople } from './bootstrap.js';
import { clusteredRatio, meanOfShares, wilson, type Interval } from './intervals.js';
import { uniform } from './random.js';

type Pairs = [number, number][];

/** Taken out of the global object once: a hundred million look-ups through the test environment take a minute. */
const { cos, exp, floor, log, sqrt, PI } = Math;

const total = (pairs: readonly [number, number][], of: (x: number, y: number) => number) => pairs.reduce((sum, [x, y]) => sum + of(x, y), 0);
const linearised = (pairs: Pairs) => clusteredRatio({
  n: pairs.length, sumX: total(pairs, (x) => x), sumY: total(pairs, (_, y) => y),
  sumXX: total(pairs, (x) => x * x), sumXY: total(pairs, (x, y) => x * y), sumYY: total(pairs, (_, y) => y * y),
})!;
const ofShares = (pairs: Pairs) => meanOfShares({ n: pairs.length, sum: total(pairs, (x, y) => x / y), sumSquares: total(pairs, (x, y) => (x / y) ** 2) })!;
const show = ({ low, high }: Interval) => `${low.toFixed(4)} to ${high.toFixed(4)}`;

/** Suggestions accepted and shown, a programmer each. */
const COPILOT: Pairs = copilotPeople().map((suggestions) => [suggestions.filter(({ accepted }) => accepted).length, suggestions.length]);

describe('acceptance over shown on the Copilot log', () => {
  it('has the interval that resampled people have, not the one of independent results', () => {
    const seed = 20220808;
    const resampled = resamplePeople(COPILOT, (people) => total(people, (x) => x) / total(people, (_, y) => y), seed, 10_000)!;
    const ours = linearised(COPILOT);
    const naive = wilson(386, 1150)!;
    console.info(`Copilot, acceptance over shown .3357: linearised ${show(ours)}, people resampled ${show(resampled)} (10,000, seed ${seed}), `
      + `Wilson as if results were independent ${show(naive)}; mean of shares ${show(ofShares(COPILOT))}`);
    expect(Math.abs(resampled.low - 0.282)).toBeLessThan(0.004);
    expect(Math.abs(resampled.high - 0.392)).toBeLessThan(0.004);
    expect(Math.abs(ours.low - resampled.low)).toBeLessThan(0.015);
    expect(Math.abs(ours.high - resampled.high)).toBeLessThan(0.015);
    expect(naive.low).toBeCloseTo(0.309, 3);
    expect(naive.high).toBeCloseTo(0.363, 3);
  });
});

describe('coverage of 95 % intervals with simulated people', () => {
  const REPETITIONS = 1000;
  const SEED = 4711;

  /** How many results a person is shown: about as on the Copilot log, few, or most of them to a few people (log-normal, sd 1). */
  const WEIGHTS: Record<string, (random: () => number) => number> = {
    'even 20-100': (random) => 20 + floor(random() * 81),
    'few 1-5': (random) => 1 + floor(random() * 5),
    'skewed': (random) => 1 + floor(exp(2.5 + sqrt(-2 * log(1 - random())) * cos(2 * PI * random()))),
  };

  /** Share of repetitions whose intervals hold the truth: people of Beta(a, b) rates, a and b whole, n of them. */
  function coverage(a: number, b: number, n: number, weight: (random: () => number) => number) {
    const random = uniform(SEED);
    const gamma = (shape: number) => {
      let sum = 0;
      for (let i = 0; i < shape; i += 1) sum -= log(1 - random());
      return sum;
    };
    const truth = a / (a + b);
    const held = { ratio: 0, mean: 0, naive: 0 };
    const holds = ({ low, high }: Interval) => (low <= truth && truth <= high ? 1 / REPETITIONS : 0);
    for (let repetition = 0; repetition < REPETITIONS; repetition += 1) {
      const pairs = Array.from({ length: n }, (): [number, number] => {
        const shown = weight(random);
        const accepts = gamma(a);
        const rate = accepts / (accepts + gamma(b));
        let accepted = 0;
        for (let i = 0; i < shown; i += 1) if (random() < rate) accepted += 1;
        return [accepted, shown];
      });
      held.ratio += holds(linearised(pairs));
      held.mean += holds(ofShares(pairs));
      held.naive += holds(wilson(total(pairs, (x) => x), total(pairs, (_, y) => y))!);
    }
    return held;
  }

  it.each(Object.keys(WEIGHTS))('holds the truth with %s results a person', (weights) => {
    // Linearisation is known to be short where a few people make the ratio; the docstring says by how much.
    const least = weights === 'skewed' ? 0.87 : 0.9;
    const lines: string[] = [];
    for (const [a, b] of [[2, 4], [1, 9], [18, 2]] as const) {
      for (const n of [10, 30, 100]) {
        const { ratio, mean, naive } = coverage(a, b, n, WEIGHTS[weights]!);
        lines.push(`Beta(${a}, ${b}), ${n} people: ratio ${ratio.toFixed(3)}, mean of shares ${mean.toFixed(3)}, Wilson on results ${naive.toFixed(3)}`);
        expect(ratio).toBeGreaterThanOrEqual(least);
        expect(mean).toBeGreaterThanOrEqual(0.9);
      }
    }
    console.info(`coverage, ${weights} results a person, ${REPETITIONS} repetitions, seed ${SEED}\n${lines.join('\n')}`);
  });
});
