import { describe, expect, it } from '@jest/globals';
import { copilotPeople } from '../../../test/support/copilot-log.js';
import { resamplePeople } from './bootstrap.js';
import { gini } from './concentration.js';
import { uniform } from './random.js';

const { cos, floor, log, sqrt, PI } = Math;
function mean(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
const acceptance = (people: readonly (readonly { accepted: boolean }[])[]) => {
  let [accepted, shown] = [0, 0];
  for (const suggestions of people) {
    shown += suggestions.length;
    for (const suggestion of suggestions) if (suggestion.accepted) accepted += 1;
  }
  return shown === 0 ? null : accepted / shown;
};

describe('resamplePeople', () => {
  it('gives acceptance over shown on the Copilot log its interval, and the same one again', () => {
    const seed = 20220808;
    const people = copilotPeople();
    const interval = resamplePeople(people, acceptance, seed)!;
    console.info(`Copilot, acceptance over shown ${acceptance(people)!.toFixed(4)}: ${interval.low.toFixed(4)} to ${interval.high.toFixed(4)}, seed ${seed}`);
    expect(Math.abs(interval.low - 0.282)).toBeLessThan(0.01);
    expect(Math.abs(interval.high - 0.392)).toBeLessThan(0.01);
    expect(resamplePeople(people, acceptance, seed)).toEqual(interval);
    expect(resamplePeople(people, acceptance, seed + 1)).not.toEqual(interval);
    const narrower = resamplePeople(people, acceptance, seed, 2000, 0.8)!;
    expect(narrower.high - narrower.low).toBeLessThan(0.75 * (interval.high - interval.low));
  });

  it('draws each person as often as the others, and leaves them as they were', () => {
    const people = Object.freeze([0, 1, 2, 3, 4]);
    const drawn = [0, 0, 0, 0, 0];
    resamplePeople(people, (sample) => {
      expect(sample).toHaveLength(5);
      for (const person of sample) drawn[person]! += 1;
      return 0;
    }, 1979, 4000);
    for (const times of drawn) expect(Math.abs(times - 4000)).toBeLessThan(250);
  });

  it('leaves out draws without a value, and gives nothing where they are many', () => {
    let call = 0;
    const every = (nth: number) => () => ((call += 1) % nth === 0 ? null : call);
    expect(resamplePeople([1, 2], every(25), 1, 1000)).not.toBeNull();
    expect(resamplePeople([1, 2], every(15), 1, 1000)).toBeNull();
  });

  it('takes the ends of a known order: 2.5 % of the values below and above them', () => {
    let value = 0;
    expect(resamplePeople([1, 2], () => (value += 1), 1, 1000)).toEqual({ low: 26, high: 975 });
  });

  it('knows nothing from one person or none, and refuses nonsense', () => {
    expect(resamplePeople([1], mean, 1)).toBeNull();
    expect(resamplePeople([], mean, 1)).toBeNull();
    expect(() => resamplePeople([1, 2], () => NaN, 1)).toThrow(/the statistic/);
    for (const draws of [99, 100.5, NaN]) expect(() => resamplePeople([1, 2], mean, 1, draws)).toThrow(/draws/);
    expect(() => resamplePeople([1, 2], mean, 1, 100, 1)).toThrow(/level/);
    expect(() => resamplePeople([1, 2], mean, 0.5)).toThrow(/seed/);
  });

  it('holds the truth about as often as it says', () => {
    const [seed, repetitions, draws] = [1997, 400, 200];
    const random = uniform(seed);
    const lines: string[] = [];
    for (const n of [10, 40]) {
      const held = { mean: 0, gini: 0 };
      for (let i = 0; i < repetitions; i += 1) {
        const normal = Array.from({ length: n }, () => sqrt(-2 * log(1 - random())) * cos(2 * PI * random()));
        const ofMean = resamplePeople(normal, mean, i, draws)!;
        if (ofMean.low <= 0 && 0 <= ofMean.high) held.mean += 1 / repetitions;
        // Whole amounts of an exponential distribution of mean 20, whose Gini is a half.
        const ofGini = resamplePeople(Array.from({ length: n }, () => floor(-20 * log(1 - random()) + random())), gini, i, draws)!;
        if (ofGini.low <= 0.5 && 0.5 <= ofGini.high) held.gini += 1 / repetitions;
      }
      lines.push(`${n} people: mean ${held.mean.toFixed(3)}, Gini ${held.gini.toFixed(3)}`);
      expect(held.mean).toBeGreaterThan(n === 10 ? 0.85 : 0.9);
      expect(held.gini).toBeGreaterThan(n === 10 ? 0.75 : 0.85);
    }
    console.info(`coverage of 95 % intervals, ${repetitions} repetitions of ${draws} draws, seed ${seed}\n${lines.join('\n')}`);
  });
});
