import { describe, expect, it } from '@jest/globals';
import { copilotPeople } from '../../../test/support/copilot-log.js';
import { brierScore, calibrationError, calibrationSlope, reliabilityBins, type Stated } from './calibration.js';
import { clusteredRatio } from './intervals.js';
import { uniform } from './random.js';

const stated = (confidence: number, outcome: boolean | number, weight = 1): Stated => ({ confidence, outcome: Boolean(outcome), weight });
const logistic = (x: number) => 1 / (1 + Math.exp(-x));
const copilot = copilotPeople().map((suggestions) => suggestions.flatMap(({ confidence, accepted, overridden }) =>
  (confidence === undefined || !(accepted || overridden) ? [] : [stated(confidence, accepted)])));

/** Results whose outcome has the probability logistic(intercept + slope logit(confidence)), confidence uniform in its logit. */
function drawn(n: number, intercept: number, slope: number, random: () => number): Stated[] {
  return Array.from({ length: n }, () => {
    const x = 6 * random() - 3;
    return stated(logistic(x), random() < logistic(intercept + slope * x));
  });
}

/** How steeply the likelihood still rises at a fit. */
function ascent(results: Stated[], { slope, intercept }: { slope: number; intercept: number }): number {
  let [g0, g1] = [0, 0];
  for (const { confidence, outcome, weight } of results) {
    const clamped = Math.min(0.999, Math.max(0.001, confidence));
    const x = Math.log(clamped / (1 - clamped));
    const rest = weight * (Number(outcome) - logistic(intercept + slope * x));
    g0 += rest;
    g1 += rest * x;
  }
  return Math.abs(g0) + Math.abs(g1);
}

describe('Copilot\'s own confidence against acceptance', () => {
  it('has the published score and error, and a slope that says it is too extreme', () => {
    const results = copilot.flat();
    expect(results).toHaveLength(1014);
    expect(brierScore(results)).toBeCloseTo(0.289, 4);
    expect(calibrationError(reliabilityBins(results))).toBeCloseTo(0.2239, 4);
    // The same fit by another program (Fisher scoring in 50-digit arithmetic).
    expect(calibrationSlope(results)!.slope).toBeCloseTo(0.34027371028, 10);
    expect(calibrationSlope(results)!.intercept).toBeCloseTo(-0.71818474489, 10);
  });

  it('has an interval of the score from sums over people', () => {
    const sums = { n: 0, sumX: 0, sumY: 0, sumXX: 0, sumXY: 0, sumYY: 0 };
    for (const results of copilot) {
      const [x, y] = [brierScore(results)! * results.length, results.length];
      sums.n += 1;
      sums.sumX += x;
      sums.sumY += y;
      sums.sumXX += x * x;
      sums.sumXY += x * y;
      sums.sumYY += y * y;
    }
    const { low, high } = clusteredRatio(sums)!;
    expect(low).toBeLessThan(0.289);
    expect(high).toBeGreaterThan(0.289);
    expect(high - low).toBeLessThan(0.1);
  });
});

describe('brierScore', () => {
  it('is the mean square, weighted', () => {
    expect(brierScore([stated(1, 1), stated(0, 0)])).toBe(0);
    expect(brierScore([stated(0.5, 1), stated(0.5, 0)])).toBe(0.25);
    expect(brierScore([stated(0.8, 1, 3), stated(0.8, 0)])).toBeCloseTo((3 * 0.04 + 0.64) / 4, 14);
    expect(brierScore([])).toBeNull();
  });
});

describe('reliabilityBins', () => {
  it('are 5 under 200 results and 10 from there, the last one closed', () => {
    const few = [stated(0, 0), stated(0.2, 1), stated(0.39, 0), stated(1, 1), stated(0.8, 0, 3)];
    expect(reliabilityBins(few)).toEqual([
      { low: 0, high: 0.2, results: 1, weight: 1, confidence: 0, share: 0 },
      { low: 0.2, high: 0.4, results: 2, weight: 2, confidence: expect.closeTo(0.295, 12), share: 0.5 },
      { low: 0.8, high: 1, results: 2, weight: 4, confidence: expect.closeTo(0.85, 12), share: 0.25 },
    ]);
    const steps = (n: number) => Array.from({ length: n }, (_, i) => stated((i % 11) / 10, 1));
    expect(reliabilityBins(steps(199)).map(({ low }) => low)).toEqual([0, 0.2, 0.4, 0.6, 0.8]);
    expect(reliabilityBins(steps(200)).map(({ low }) => low)).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]);
    expect(reliabilityBins(steps(220)).map(({ results }) => results)).toEqual([20, 20, 20, 20, 20, 20, 20, 20, 20, 40]);
  });
});

describe('calibrationError', () => {
  it('is the weighted distance between what was said and what came', () => {
    expect(calibrationError(reliabilityBins([stated(0.1, 0), stated(0.9, 0, 3)]))).toBeCloseTo((0.1 + 3 * 0.9) / 4, 14);
    // Within a bin what is too high makes good for what is too low.
    expect(calibrationError(reliabilityBins([stated(0.05, 0), stated(0.15, 0.2), stated(0.1, 0), stated(0.1, 0)]))).toBeCloseTo(0.15, 14);
    expect(calibrationError([])).toBeNull();
  });
});

describe('calibrationSlope', () => {
  it('gives the published fit of twenty students, hours against passing', () => {
    const passed = [[0.5, 0], [0.75, 0], [1, 0], [1.25, 0], [1.5, 0], [1.75, 0], [1.75, 1], [2, 0], [2.25, 1], [2.5, 0], [2.75, 1], [3, 0], [3.25, 1], [3.5, 0], [4, 1], [4.25, 1], [4.5, 1], [4.75, 1], [5, 1], [5.5, 1]] as const;
    const { slope, intercept } = calibrationSlope(passed.map(([hours, outcome]) => stated(logistic(hours), outcome)))!;
    expect(slope).toBeCloseTo(1.5046, 4);
    expect(intercept).toBeCloseTo(-4.0777, 4);
  });

  it('counts a weight as that many results', () => {
    const results = drawn(60, 0, 1, uniform(5));
    const twice = calibrationSlope([...results, ...results.slice(0, 20)])!;
    const weighted = calibrationSlope(results.map((result, i) => ({ ...result, weight: i < 20 ? 2 : 1 })))!;
    expect(weighted.slope).toBeCloseTo(twice.slope, 9);
    expect(weighted.intercept).toBeCloseTo(twice.intercept, 9);
  });

  it('reads certainty as .001 and .999', () => {
    const others = drawn(50, 0, 1, uniform(6));
    expect(calibrationSlope([...others, stated(1, 0), stated(0, 1)])).toEqual(calibrationSlope([...others, stated(0.999, 0), stated(0.001, 1)]));
    expect(calibrationSlope([...others, stated(0.0001, 1)])).toEqual(calibrationSlope([...others, stated(0.001, 1)]));
  });

  it('is null where there is no maximum', () => {
    for (const results of [
      [], [stated(0.3, 1)], [stated(0.3, 1), stated(0.6, 1)], [stated(0.3, 1), stated(0.3, 0)],
      [stated(0.3, 0), stated(0.4, 0), stated(0.6, 1)], [stated(0.3, 1), stated(0.6, 0)],
      [stated(0.2, 0), stated(0.5, 0), stated(0.5, 1), stated(0.9, 1)], [stated(0.9999, 1), stated(1, 0)],
      // Those that only look as if they had one, once the doubles of the sums run out.
      [stated(0.2, 0), stated(0.6, 0), stated(0.6, 1), stated(0.9, 1)], [stated(0.95, 0, 10), stated(0.7, 0), stated(0.7, 1), stated(0.01, 1, 10)],
      [stated(0, 1, 10), stated(0, 1, 10), stated(0.05, 0)],
    ]) expect(calibrationSlope(results)).toBeNull();
    // Kept from parting by one unit in the last place.
    expect(calibrationSlope([stated(0.49, 0), stated(0.5 + 1.2e-16, 0), stated(0.5, 1), stated(0.51, 1)])).toBeNull();
  });

  it('is the maximum: the slope of the likelihood is 0 there, for odd little sets too', () => {
    const seed = 1958;
    console.info(`seed ${seed}`);
    const random = uniform(seed);
    let found = 0;
    for (let i = 0; i < 500; i += 1) {
      const results = Array.from({ length: 3 + Math.floor(random() * 8) }, () => stated(Math.floor(random() * 11) / 10, random() < 0.5, random() < 0.2 ? 50 : 1));
      const fit = calibrationSlope(results);
      if (!fit) continue;
      found += 1;
      expect(ascent(results, fit)).toBeLessThan(1e-6);
    }
    expect(found).toBeGreaterThan(200);
    // Newton's whole steps jump over this one and never come back.
    const far = [stated(0.6, 1), stated(0, 1), stated(0.5, 0), stated(0.6, 1, 1000), stated(0.9, 0)];
    expect(ascent(far, calibrationSlope(far)!)).toBeLessThan(1e-6);
  });

  it('finds the truth of simulated results', () => {
    const seed = 1984;
    const random = uniform(seed);
    for (const [intercept, slope] of [[0, 1], [0.5, 0.4], [-1, -0.5]] as const) {
      const fit = calibrationSlope(drawn(20_000, intercept, slope, random))!;
      console.info(`intercept ${intercept}, slope ${slope}: ${fit.intercept.toFixed(3)}, ${fit.slope.toFixed(3)}; seed ${seed}`);
      expect(Math.abs(fit.intercept - intercept)).toBeLessThan(0.06);
      expect(Math.abs(fit.slope - slope)).toBeLessThan(0.05);
    }
  });
});

describe('what is no confidence', () => {
  it('is refused', () => {
    for (const broken of [stated(-0.1, 1), stated(1.1, 1), stated(NaN, 1), stated(0.5, 1, 0), stated(0.5, 1, -1), stated(0.5, 1, NaN)]) {
      for (const figure of [brierScore, reliabilityBins, calibrationSlope]) expect(() => figure([broken])).toThrow(RangeError);
    }
  });
});
