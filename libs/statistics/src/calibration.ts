/**
 * Whether a stated confidence means what it says: against what people accepted, or against what was true. The figures
 * are plain ones of all results; results of one person are not independent, so an interval is clustered by person:
 * Brier's score is a mean, for which `clusteredRatio` serves (x the person's sum of squared errors, y their results),
 * the others have `resamplePeople`.
 */

/** One result whose confidence was stated and whose outcome is known. */
export interface Stated {
  /** 0..1. */
  confidence: number;
  /** Accepted, or right: whichever the confidence is held against. */
  outcome: boolean;
  /** How many results it stands for, above 0: 1 / probability of its having been sampled. 1 where it was not sampled. */
  weight: number;
}

/** Results whose confidence lies in low <= confidence < high; the last bin holds its upper end too. */
export interface ReliabilityBin {
  low: number;
  high: number;
  results: number;
  weight: number;
  /** Weighted mean of the confidence stated. */
  confidence: number;
  /** Weighted share with the outcome. */
  share: number;
}

/** Under this many results ten bins hold too few each to say anything. */
const FEW = 200;
/** How much lower a likelihood may come out by rounding alone, relative to itself. */
const ROUNDING = 1e-12;
/** Certainty has no finite logit: confidence below this, or above 1 less this, is read as this far from the end. */
const CERTAIN = 0.001;

/**
 * Brier's score: mean squared difference between confidence and outcome (1 or 0). 0 is perfect, .25 what one gets by
 * always saying a half; it mixes calibration with how hard the results were to tell apart.
 *
 * Source: G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78 (1950)
 * 1-3, in its form for two outcomes.
 *
 * @param results one a result
 * @returns 0..1, or null of no results
 * @throws RangeError for a confidence or weight outside its range
 */
export function brierScore(results: readonly Stated[]): number | null {
  check(results);
  return mean(results, ({ confidence, outcome }) => (confidence - Number(outcome)) ** 2);
}

/**
 * The reliability diagram: results in 10 bins of equal width, 5 of them under 200 results.
 *
 * @param results one a result
 * @returns the bins that hold a result, ascending
 * @throws RangeError for a confidence or weight outside its range
 */
export function reliabilityBins(results: readonly Stated[]): ReliabilityBin[] {
  check(results);
  const count = results.length < FEW ? 5 : 10;
  const bins = new Map<number, Stated[]>();
  for (const result of results) {
    const bin = Math.min(count - 1, Math.floor(result.confidence * count));
    const held = bins.get(bin);
    if (held) held.push(result);
    else bins.set(bin, [result]);
  }
  return [...bins].sort(([a], [b]) => a - b).map(([bin, held]) => ({
    low: bin / count,
    high: (bin + 1) / count,
    results: held.length,
    weight: held.reduce((sum, { weight }) => sum + weight, 0),
    confidence: mean(held, ({ confidence }) => confidence)!,
    share: mean(held, ({ outcome }) => Number(outcome))!,
  }));
}

/**
 * Expected calibration error: mean over results of the distance between their bin's confidence and share. Never below
 * 0, so chance alone makes it positive: with few results it is large where nothing is wrong.
 *
 * Source: M. P. Naeini, G. F. Cooper & M. Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning",
 * AAAI 2015, 2901-2907.
 *
 * @param bins from `reliabilityBins`
 * @returns 0..1, or null of no results
 */
export function calibrationError(bins: readonly ReliabilityBin[]): number | null {
  return mean(bins, ({ confidence, share }) => Math.abs(confidence - share));
}

/**
 * Slope and intercept of logit P(outcome) = intercept + slope logit(confidence), by maximum likelihood. Slope 1 and
 * intercept 0 where confidence means what it says; a slope under 1 where it is too extreme, under 0 where it misleads.
 *
 * Confidence below .001 or above .999 is read as .001 or .999: certainty has no finite logit, and one wrong certainty
 * would decide alone. Newton's method, its step halved while it would not climb; the likelihood is concave.
 *
 * Sources: D. R. Cox, "Two further applications of a model for binary regression", Biometrika 45 (1958) 562-565; when
 * there is a maximum: A. Albert & J. A. Anderson, Biometrika 71 (1984) 1-10.
 *
 * @param results one a result
 * @returns the two, no unit; null where there is no maximum: all outcomes alike, one confidence only, or a confidence
 * that parts the outcomes with none on the wrong side; and where so little keeps them from it that 100 steps find none
 * @throws RangeError for a confidence or weight outside its range
 */
export function calibrationSlope(results: readonly Stated[]): { slope: number; intercept: number } | null {
  check(results);
  const rows = results.map(({ confidence, outcome, weight }) => {
    const p = Math.min(1 - CERTAIN, Math.max(CERTAIN, confidence));
    return { x: Math.log(p / (1 - p)), outcome, weight };
  });
  if (parted(rows)) return null;
  const likelihood = (a: number, b: number) => rows.reduce((sum, { x, outcome, weight }) => sum - weight * Math.log1p(Math.exp(outcome ? -a - b * x : a + b * x)), 0);
  let [intercept, slope] = [0, 0];
  let reached = likelihood(0, 0);
  for (let i = 0; i < 100; i += 1) {
    let [g0, g1, h00, h01, h11] = [0, 0, 0, 0, 0];
    for (const { x, outcome, weight } of rows) {
      const p = 1 / (1 + Math.exp(-intercept - slope * x));
      const rest = weight * (Number(outcome) - p);
      const spread = weight * p * (1 - p);
      g0 += rest;
      g1 += rest * x;
      h00 += spread;
      h01 += spread * x;
      h11 += spread * x * x;
    }
    const determinant = h00 * h11 - h01 * h01;
    let [da, db] = [(h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant];
    if (Math.abs(da) + Math.abs(db) < 1e-10 * (1 + Math.abs(intercept) + Math.abs(slope))) return { slope: slope + db, intercept: intercept + da };
    let next = likelihood(intercept + da, slope + db);
    for (let halved = 0; halved < 60 && !(next >= reached + ROUNDING * reached); halved += 1) {
      [da, db] = [da / 2, db / 2];
      next = likelihood(intercept + da, slope + db);
    }
    [intercept, slope, reached] = [intercept + da, slope + db, next];
  }
  return null;
}

/** Whether some x parts the outcomes, those that lie on it apart: then the likelihood only rises, for ever. */
function parted(rows: readonly { x: number; outcome: boolean }[]): boolean {
  const ends = { with: [Infinity, -Infinity], without: [Infinity, -Infinity] };
  for (const { x, outcome } of rows) {
    const range = outcome ? ends.with : ends.without;
    range[0] = Math.min(range[0]!, x);
    range[1] = Math.max(range[1]!, x);
  }
  return !(ends.with[0]! < ends.without[1]! && ends.without[0]! < ends.with[1]!);
}

function mean<T extends { weight: number }>(items: readonly T[], of: (item: T) => number): number | null {
  let [sum, total] = [0, 0];
  for (const item of items) {
    sum += item.weight * of(item);
    total += item.weight;
  }
  return total === 0 ? null : sum / total;
}

function check(results: readonly Stated[]): void {
  for (const { confidence, weight } of results) {
    if (!(confidence >= 0 && confidence <= 1)) throw new RangeError(`calibration: confidence must be in 0..1, got ${confidence}`);
    if (!(weight > 0 && weight < Infinity)) throw new RangeError(`calibration: weight must be above 0, got ${weight}`);
  }
}
