/** An interval of anything that can be computed from people, by drawing the people anew. */
import { type Interval } from './intervals.js';
import { uniform } from './random.js';

/** Share of the draws that may be without a value before their percentiles say too little about the rest. */
const MISSING = 0.05;

/**
 * Percentile interval of a statistic, with people resampled: as many as there are, with replacement, each with all that
 * is theirs. For what has no closed form; a ratio has `clusteredRatio`, which is faster and claims no certainty where
 * everybody is alike. Here everybody alike gives no width, and a few people give too little of it: simulated for a mean
 * and for a Gini coefficient, 95 % intervals hold the truth in .87-.90 at 10 people and in .88-.93 at 40.
 *
 * Source: B. Efron, "Bootstrap methods: another look at the jackknife", Ann. Statist. 7 (1979) 1-26; people as the unit
 * because results of one person are not independent (A. C. Davison & D. V. Hinkley, "Bootstrap Methods and their
 * Application", 1997, ch. 3.8).
 *
 * @param people one element a person, in an order that is the same each time: it and the seed fix the answer
 * @param statistic its value for a sample of people, or null where it has none; it must not keep or change the sample,
 * which the next draw fills anew
 * @param seed whole number to be printed with the answer: the same seed, people and draws give the same interval
 * @param draws how many samples, at least 100
 * @param level share of such intervals that hold the truth, between 0 and 1
 * @returns the interval in the statistic's unit, of the draws with a value; or null where there are fewer than two
 * people or more than one draw in twenty has none
 * @throws RangeError for a seed, draws or level outside their ranges, or where the statistic gives what is no number
 */
export function resamplePeople<T>(
  people: readonly T[], statistic: (sample: readonly T[]) => number | null, seed: number, draws = 2000, level = 0.95,
): Interval | null {
  if (!(Number.isInteger(draws) && draws >= 100)) throw new RangeError(`resamplePeople: draws must be a whole number from 100, got ${draws}`);
  if (!(level > 0 && level < 1)) throw new RangeError(`resamplePeople: level must be between 0 and 1, got ${level}`);
  const random = uniform(seed);
  const n = people.length;
  if (n < 2) return null;
  const sample = [...people];
  const values: number[] = [];
  for (let draw = 0; draw < draws; draw += 1) {
    for (let i = 0; i < n; i += 1) sample[i] = people[(random() * n) | 0]!;
    const value = statistic(sample);
    if (value === null) continue;
    if (!Number.isFinite(value)) throw new RangeError(`resamplePeople: the statistic must give a number or null, got ${value}`);
    values.push(value);
  }
  if (values.length < (1 - MISSING) * draws) return null;
  values.sort((a, b) => a - b);
  const tail = ((1 - level) / 2) * values.length;
  return { low: values[Math.floor(tail)]!, high: values[Math.ceil(values.length - tail) - 1]! };
}
