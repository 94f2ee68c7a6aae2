/**
 * How long use lasts, where it has not yet ended for all: those whose end is not known count for as long as they were
 * seen. What comes in are counts of people by time, which a database can group; `{ time, ended: 1, censored: 0 }` is one
 * person.
 */
import { wilson, type Interval } from './intervals.js';
import { normalQuantile } from './quantiles.js';
import { upperGamma } from './special-functions.js';

/** People seen for `time` (0 or more, of any one unit): for `ended` of them it ended then, `censored` were last seen. */
export interface Lives {
  time: number;
  ended: number;
  censored: number;
}

/** The curve from `time` on, until the next step: at the first time and between steps it is flat, before the first 1. */
export interface SurvivalStep extends Interval {
  time: number;
  /** People not yet ended and still seen just before `time`, those censored at it among them. */
  atRisk: number;
  ended: number;
  /** Share for whom it lasts longer than `time`, 0..1. */
  survival: number;
  /** Greenwood's; null where the survival is 0, of which it says nothing. */
  standardError: number | null;
}

/** What products of doubles leave of a half. */
const ROUNDING = 1e-12;
/** A pivot this small beside the largest is a zero that was rounded. */
const SINGULAR = 1e-10;

/**
 * The Kaplan-Meier curve with Greenwood's standard errors and pointwise bounds.
 *
 * Bounds are symmetric for log(-log survival), and so need no clamp to stay in 0..1. Plain bounds, survival -+ z standard
 * errors, leave 0..1 and hold less often than they say: simulated at the median of exponential lives with a third
 * censored, 95 % plain bounds hold the truth in .89 at 10 people, .93 at 30, and these in .95 to .96. Once the survival is 0 the formula
 * says nothing: the upper bound stays where it was, since a curve cannot rise; where it falls to 0 at once, Wilson's.
 *
 * Sources: E. L. Kaplan & P. Meier, "Nonparametric estimation from incomplete observations", JASA 53 (1958) 457-481;
 * M. Greenwood, "The natural duration of cancer" (1926); J. D. Kalbfleisch & R. L. Prentice, "The Statistical Analysis
 * of Failure Time Data" (1980) for the bounds.
 *
 * @param lives counts by time, in any order; a time may come more than once
 * @param level share of such pointwise intervals that hold the truth, between 0 and 1
 * @returns a step for each time at which somebody's ended, ascending; none where nobody's did
 * @throws RangeError for a time or count below 0, or a level outside its range
 */
export function kaplanMeier(lives: readonly Lives[], level = 0.95): SurvivalStep[] {
  if (!(level > 0 && level < 1)) throw new RangeError(`kaplanMeier: level must be between 0 and 1, got ${level}`);
  const z = -normalQuantile((1 - level) / 2);
  const steps: SurvivalStep[] = [];
  let survival = 1;
  let hazards = 0;
  for (const { time, atRisk, ended } of lifeTable(lives)) {
    if (ended === 0) continue;
    if (ended === atRisk) {
      const high = steps.at(-1)?.high ?? wilson(0, atRisk, level)!.high;
      steps.push({ time, atRisk, ended, survival: 0, standardError: null, low: 0, high });
      break;
    }
    survival *= 1 - ended / atRisk;
    hazards += ended / (atRisk * (atRisk - ended));
    const widen = Math.exp((z * Math.sqrt(hazards)) / -Math.log(survival));
    const [low, high] = [survival ** widen, survival ** (1 / widen)];
    steps.push({ time, atRisk, ended, survival, standardError: survival * Math.sqrt(hazards), low, high });
  }
  return steps;
}

/**
 * Median of how long it lasts: the first time by which half have ended, and the times between which the bounds of the
 * curve pass a half (R. Brookmeyer & J. Crowley, "A confidence interval for the median survival time", Biometrics 38
 * (1982) 29-41). Where the curve lies at a half from one time to the next, the earlier one.
 *
 * @param steps from `kaplanMeier`, whose level the interval has
 * @returns times in the unit of the steps; a null means "not reached yet", for the upper end and the median: later than
 * anything seen
 */
export function medianSurvival(steps: readonly SurvivalStep[]): { median: number | null; low: number | null; high: number | null } {
  const first = (of: 'survival' | 'low' | 'high') => steps.find((step) => step[of] <= 0.5 + ROUNDING)?.time ?? null;
  return { median: first('survival'), low: first('low'), high: first('high') };
}

/** `observed` ends of each group against those `expected` if all groups had ended alike; chi-square of the difference. */
export interface LogRank {
  chiSquare: number;
  /** Degrees of freedom: one fewer than the groups, where each was at risk beside another. */
  df: number;
  /** Probability of a chi-square this large or larger if all ended alike. */
  p: number;
  observed: number[];
  expected: number[];
}

/**
 * The log-rank test of two or more groups. Group by group, the ends observed less those expected from everybody at risk
 * at the same time, weighed by their hypergeometric covariance. In small groups p is approximate.
 *
 * Source: N. Mantel, "Evaluation of survival data and two new rank order statistics arising in its consideration",
 * Cancer Chemother. Rep. 50 (1966) 163-170; more than two groups as in R. Peto & J. Peto, J. R. Statist. Soc. A 135
 * (1972) 185-207.
 *
 * @param groups counts by time of each group, two or more, all in one unit of time
 * @returns the test, or null where no end fell while two groups were at risk: there is nothing to compare
 * @throws RangeError for fewer than two groups, or a time or count below 0
 */
export function logRank(groups: readonly (readonly Lives[])[]): LogRank | null {
  if (groups.length < 2) throw new RangeError(`logRank: two groups or more must be compared, got ${groups.length}`);
  const tables = groups.map((lives) => new Map(lifeTable(lives).map((row) => [row.time, row])));
  const atRisk = groups.map((lives) => lives.reduce((sum, { ended, censored }) => sum + ended + censored, 0));
  const observed = groups.map(() => 0);
  const expected = groups.map(() => 0);
  const covariance = groups.map(() => groups.map(() => 0));
  for (const { time, atRisk: all, ended } of lifeTable(groups.flat())) {
    const spread = all > 1 ? (ended * (all - ended)) / (all - 1) : 0;
    for (let g = 0; g < groups.length; g += 1) {
      const share = atRisk[g]! / all;
      observed[g]! += tables[g]!.get(time)?.ended ?? 0;
      expected[g]! += ended * share;
      for (let h = 0; h < groups.length; h += 1) covariance[g]![h]! += spread * share * ((g === h ? 1 : 0) - atRisk[h]! / all);
    }
    tables.forEach((table, g) => (atRisk[g]! -= table.get(time)?.leaving ?? 0));
  }
  const { chiSquare, df } = quadratic(observed.map((ends, g) => ends - expected[g]!), covariance);
  return df === 0 ? null : { chiSquare, df, p: upperGamma(df / 2, chiSquare / 2), observed, expected };
}

/** x' V^- x and the rank of V, for a covariance whose rows sum to 0 (so its rank is short of its size) and x in its range. */
function quadratic(x: number[], covariance: number[][]): { chiSquare: number; df: number } {
  const left = new Set(x.keys());
  const tiny = SINGULAR * Math.max(...covariance.map((row, i) => row[i]!));
  let chiSquare = 0;
  let df = 0;
  for (;;) {
    let pivot = -1;
    for (const i of left) if (covariance[i]![i]! > Math.max(tiny, covariance[pivot]?.[pivot] ?? 0)) pivot = i;
    if (pivot < 0) return { chiSquare, df };
    const row = covariance[pivot]!;
    chiSquare += x[pivot]! ** 2 / row[pivot]!;
    df += 1;
    left.delete(pivot);
    for (const i of left) {
      const factor = covariance[i]![pivot]! / row[pivot]!;
      x[i]! -= factor * x[pivot]!;
      for (const j of left) covariance[i]![j]! -= factor * row[j]!;
    }
  }
}

/** One row a time, ascending: how many were at risk, ended, and left (ended or censored: these after the ends of that time). */
function lifeTable(lives: readonly Lives[]): { time: number; atRisk: number; ended: number; leaving: number }[] {
  const rows = new Map<number, { ended: number; leaving: number }>();
  let atRisk = 0;
  for (const { time, ended, censored } of lives) {
    for (const [name, value] of Object.entries({ time, ended, censored })) {
      if (!(value >= 0 && value < Infinity)) throw new RangeError(`survival: ${name} must be 0 or more, got ${value}`);
    }
    const row = rows.get(time) ?? { ended: 0, leaving: 0 };
    rows.set(time, row);
    row.ended += ended;
    row.leaving += ended + censored;
    atRisk += ended + censored;
  }
  return [...rows].filter(([, { leaving }]) => leaving > 0).sort(([a], [b]) => a - b).map(([time, row]) => {
    const before = atRisk;
    atRisk -= row.leaving;
    return { time, atRisk: before, ...row };
  });
}
