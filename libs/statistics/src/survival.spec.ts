import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { uniform } from './random.js';
import { kaplanMeier, logRank, medianSurvival, type Lives } from './survival.js';

const { floor, log } = Math;

interface Patient extends Lives {
  group: string;
  logWbc: number;
}
const patients = readFileSync(join(import.meta.dirname, '../../../test/fixtures/remission/remission.csv'), 'utf8').trimEnd().split('\n').slice(1).map((line): Patient => {
  const [group, weeks, relapsed, logWbc] = line.split(',');
  return { group: group!, time: Number(weeks), ended: Number(relapsed), censored: 1 - Number(relapsed), logWbc: Number(logWbc) };
});
const of = (group: string) => patients.filter((patient) => patient.group === group);
const life = (time: number, ended = true): Lives => ({ time, ended: ended ? 1 : 0, censored: ended ? 0 : 1 });

describe('kaplanMeier', () => {
  it('gives the published curve of the remission trial, its errors and its bounds', () => {
    // Curve and errors: Cox & Oakes 1984, Kleinbaum & Klein; bounds: G. Rodríguez' Stata listing, whose kind ours are.
    const published = [
      [6, 0.8571, 0.0764, 0.6197, 0.9516], [7, 0.8067, 0.0869, 0.5631, 0.9228], [10, 0.7529, 0.0963, 0.5032, 0.8894],
      [13, 0.6902, 0.1068, 0.4316, 0.8491], [16, 0.6275, 0.1141, 0.3675, 0.8049], [22, 0.5378, 0.1282, 0.2678, 0.7468],
      [23, 0.4482, 0.1346, 0.1881, 0.6801],
    ] as const;
    const steps = kaplanMeier(of('6-MP'));
    expect(steps.map(({ atRisk, ended }) => [atRisk, ended])).toEqual([[21, 3], [17, 1], [15, 1], [12, 1], [11, 1], [7, 1], [6, 1]]);
    published.forEach(([time, survival, error, low, high], i) => {
      expect(steps[i]!.time).toBe(time);
      expect(steps[i]!.survival).toBeCloseTo(survival, 4);
      expect(steps[i]!.standardError).toBeCloseTo(error, 4);
      expect(steps[i]!.low).toBeCloseTo(low, 4);
      expect(steps[i]!.high).toBeCloseTo(high, 4);
    });
    expect(kaplanMeier(of('placebo'))[0]).toMatchObject({ low: expect.closeTo(0.67, 4), high: expect.closeTo(0.9753, 4) });
  });

  it('is the share still there where nobody is censored, from counts as from people', () => {
    const counted = kaplanMeier([{ time: 3, ended: 2, censored: 0 }, { time: 1, ended: 1, censored: 0 }, { time: 5, ended: 0, censored: 7 }]);
    expect(counted.map(({ time, survival }) => [time, survival])).toEqual([[1, 0.9], [3, expect.closeTo(0.7, 12)]]);
    expect(kaplanMeier([life(3), life(1), life(3), ...Array.from({ length: 7 }, () => life(5, false))])).toEqual(counted);
  });

  it('claims nothing of the end that it cannot know', () => {
    const steps = kaplanMeier([life(1), life(2), life(3)]);
    expect(steps[2]).toMatchObject({ survival: 0, standardError: null, low: 0, high: steps[1]!.high });
    expect(kaplanMeier([{ time: 4, ended: 8, censored: 0 }])).toEqual([{ time: 4, atRisk: 8, ended: 8, survival: 0, standardError: null, low: 0, high: expect.closeTo(0.3244, 4) }]);
    expect(kaplanMeier([life(3, false), { time: 9, ended: 0, censored: 0 }])).toEqual([]);
    expect(kaplanMeier([])).toEqual([]);
  });

  it('refuses nonsense', () => {
    for (const lives of [[life(-1)], [life(NaN)], [{ time: 1, ended: -1, censored: 0 }], [{ time: 1, ended: 1, censored: Infinity }]]) {
      expect(() => kaplanMeier(lives)).toThrow(/must be 0 or more/);
    }
    expect(() => kaplanMeier([life(1)], 1)).toThrow(RangeError);
  });

  it('has bounds and a median that hold the truth: exponential lives, a third censored', () => {
    const [seed, repetitions, median] = [1958, 2000, Math.LN2];
    const random = uniform(seed);
    const lines: string[] = [];
    for (const n of [10, 30, 100]) {
      const held = { bounds: 0, plain: 0, median: 0 };
      for (let i = 0; i < repetitions; i += 1) {
        const lives = Array.from({ length: n }, () => {
          const [end, seen] = [-log(1 - random()), -2 * log(1 - random())];
          return life(end < seen ? end : seen, end < seen);
        });
        const steps = kaplanMeier(lives);
        const step = steps.filter(({ time }) => time <= median).at(-1);
        // Nothing has ended yet: there is no step, and no interval says more than 0..1.
        if (!step || (step.low <= 0.5 && 0.5 <= step.high)) held.bounds += 1 / repetitions;
        if (!step || Math.abs(step.survival - 0.5) <= 1.959964 * (step.standardError ?? 0)) held.plain += 1 / repetitions;
        const { low, high } = medianSurvival(steps);
        if ((low ?? Infinity) <= median && median <= (high ?? Infinity)) held.median += 1 / repetitions;
      }
      lines.push(`${n} people: bounds ${held.bounds.toFixed(3)}, plain bounds ${held.plain.toFixed(3)}, median ${held.median.toFixed(3)}`);
      expect(held.bounds).toBeGreaterThan(0.93);
      expect(held.bounds).toBeLessThan(0.98);
      expect(held.median).toBeGreaterThan(0.93);
      if (n === 10) expect(held.plain).toBeLessThan(0.91);
    }
    console.info(`coverage at the median, ${repetitions} repetitions, seed ${seed}\n${lines.join('\n')}`);
  });
});

describe('medianSurvival', () => {
  it('gives the published medians of the remission trial', () => {
    expect(medianSurvival(kaplanMeier(of('6-MP')))).toEqual({ median: 23, low: 13, high: null });
    expect(medianSurvival(kaplanMeier(of('placebo')))).toEqual({ median: 8, low: 4, high: 11 });
  });

  it('is the first time by which half have ended, and null until then', () => {
    expect(medianSurvival(kaplanMeier([1, 2, 3, 4].map((time) => life(time)))).median).toBe(2);
    expect(medianSurvival(kaplanMeier([1, 2, 3, 4, 5, 6].map((time) => life(time)))).median).toBe(3);
    expect(medianSurvival(kaplanMeier([life(1), life(2, false), life(2, false)]))).toEqual({ median: null, low: 1, high: null });
    expect(medianSurvival([])).toEqual({ median: null, low: null, high: null });
  });
});

describe('logRank', () => {
  it('gives the published test of the remission trial', () => {
    const { chiSquare, df, p, observed, expected } = logRank([of('6-MP'), of('placebo')])!;
    expect(chiSquare).toBeCloseTo(16.793, 3);
    expect(df).toBe(1);
    expect(p).toBeCloseTo(4.17e-5, 7);
    expect(observed).toEqual([9, 21]);
    expect(expected).toEqual([expect.closeTo(19.25, 2), expect.closeTo(10.75, 2)]);
  });

  it('gives the published test of its three groups by white cells, in any order', () => {
    const groups = [[0, 2.3], [2.3, 3], [3, 9]].map(([above, upTo]) => patients.filter(({ logWbc }) => logWbc > above! && logWbc <= upTo!));
    const test = logRank(groups)!;
    expect(test.chiSquare).toBeCloseTo(26.391, 3);
    expect(test.df).toBe(2);
    expect(test.observed).toEqual([4, 10, 16]);
    expect(test.expected).toEqual([expect.closeTo(13.06, 2), expect.closeTo(10.72, 2), expect.closeTo(6.21, 2)]);
    for (const order of [[2, 0, 1], [1, 2, 0]]) expect(logRank(order.map((i) => groups[i]!))!.chiSquare).toBeCloseTo(test.chiSquare, 10);
  });

  it('counts no degree of freedom for a group that was at risk beside nobody', () => {
    const [treated, placebo] = [of('6-MP'), of('placebo')];
    for (const idle of [[], [life(0.5, false)], [life(0, false), life(0.9, false)]]) {
      const test = logRank([treated, idle, placebo])!;
      expect(test.df).toBe(1);
      expect(test.chiSquare).toBeCloseTo(16.793, 3);
    }
    expect(logRank([[...treated, { time: 99, ended: 0, censored: 0 }], placebo])).toEqual(logRank([treated, placebo]));
    expect(logRank([[life(1), life(2)], []])).toBeNull();
    expect(logRank([[life(3, false)], [life(2, false)]])).toBeNull();
  });

  it('refuses a single group and nonsense in one', () => {
    expect(() => logRank([of('6-MP')])).toThrow(RangeError);
    expect(() => logRank([of('6-MP'), [life(-1)]])).toThrow(RangeError);
  });

  it('finds a difference where there is none in one of twenty, and where there is one more often', () => {
    const [seed, repetitions] = [1966, 2000];
    const random = uniform(seed);
    // Weeks, so many end together, and each is seen for 5 to 24 of them.
    const drawn = (n: number, rate: number) => Array.from({ length: n }, () => {
      const [end, seen] = [1 + floor(-log(1 - random()) / rate), 5 + floor(20 * random())];
      return end <= seen ? life(end) : life(seen, false);
    });
    const rejected = (rates: number[], n: number) => {
      let found = 0;
      for (let i = 0; i < repetitions; i += 1) if (logRank(rates.map((rate) => drawn(n, rate)))!.p < 0.05) found += 1;
      return found / repetitions;
    };
    const [two, three, different] = [rejected([0.1, 0.1], 30), rejected([0.1, 0.1, 0.1], 20), rejected([0.05, 0.15], 30)];
    console.info(`log-rank p < .05: two alike ${two}, three alike ${three}, thrice the rate ${different}; ${repetitions} repetitions, seed ${seed}`);
    for (const alike of [two, three]) {
      expect(alike).toBeGreaterThan(0.035);
      expect(alike).toBeLessThan(0.068);
    }
    expect(different).toBeGreaterThan(0.8);
  });
});
