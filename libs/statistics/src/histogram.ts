/**
 * Quantiles of durations from counts in buckets that can be added up: of days into weeks, of people into a team, of
 * shards into a whole. A bucket's bounds grow by a constant factor, so what is read from it is wrong by at most 2 %.
 *
 * Source: C. Masson, J. E. Rim & H. K. Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error
 * guarantees", Proc. VLDB Endowment 12 (2019) 2195-2205.
 */

/** Largest error of a quantile, relative to a value of 1 or more. */
export const RELATIVE_ERROR = 0.02;

/** Upper bound over lower bound of a bucket: 51/49. */
export const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR);
const LOG_GAMMA = Math.log(GAMMA);

/** The bucket of what is less than 1 unit, 0 included. */
const BELOW_ONE = -1;

/** Whole numbers, ascending by bucket, each bucket once and none empty: equal contents are equal JSON. */
export type Histogram = (readonly [bucket: number, count: number])[];

/**
 * The bucket of a value: b with GAMMA^(b-1) < value <= GAMMA^b, and -1 for what is below 1. A database counts into the
 * same buckets with
 *
 *     case when value < 1 then -1 else ceil(ln(value) / ln(51.0 / 49)) end   -- of double precision
 *
 * Both meet on whole numbers of 1 to 10^11 (three years of milliseconds): but for 1 itself, whose logarithm is exact, no
 * power of 51/49 is a whole number, and none lies as near to one as logarithms are rounded.
 *
 * @param value 0 or more, in the unit in which less than 1 need not be told from 0: durations in milliseconds
 * @returns a whole number, -1 or more
 * @throws RangeError for a value below 0 or that is no number
 */
export function bucketOf(value: number): number {
  if (!(value >= 0 && value < Infinity)) throw new RangeError(`bucketOf: a value must be 0 or more, got ${value}`);
  return value < 1 ? BELOW_ONE : Math.ceil(Math.log(value) / LOG_GAMMA);
}

/**
 * @param values as in `bucketOf`, in any order
 * @returns how many lie in each bucket
 * @throws RangeError as `bucketOf`
 */
export function histogramOf(values: Iterable<number>): Histogram {
  const counts = new Map<number, number>();
  for (const value of values) {
    const bucket = bucketOf(value);
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  }
  return ascending(counts);
}

/**
 * The histogram of all values together, exactly: the order and the grouping of the parts make no difference. One more
 * value is a part of its own, `histogramOf([value])`.
 *
 * @param parts any number of histograms, none of which is changed
 * @returns the sum of their counts
 * @throws RangeError for a bucket or a count that is no whole number in its range
 */
export function mergeHistograms(parts: Iterable<Histogram>): Histogram {
  const counts = new Map<number, number>();
  for (const part of parts) {
    for (const [bucket, count] of part) {
      if (!(Number.isInteger(bucket) && bucket >= BELOW_ONE)) throw new RangeError(`mergeHistograms: a bucket must be a whole number from -1, got ${bucket}`);
      if (!(Number.isSafeInteger(count) && count > 0)) throw new RangeError(`mergeHistograms: a count must be a whole number above 0, got ${count}`);
      counts.set(bucket, (counts.get(bucket) ?? 0) + count);
    }
  }
  return ascending(counts);
}

/**
 * A quantile: the smallest value at or under which at least p of all values lie (percentile_disc of SQL), as far as its
 * bucket tells. Never between two values, so of few values p95 is the largest.
 *
 * @param histogram what was counted
 * @param p 0..1; 0 gives the smallest and 1 the largest value
 * @returns in the values' unit, within RELATIVE_ERROR of the true one where that is 1 or more (1 itself is exact for whole
 * values), and 0 where it is below 1; null where nothing was counted
 * @throws RangeError unless p is in 0..1
 */
export function histogramQuantile(histogram: Histogram, p: number): number | null {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`histogramQuantile: p must be in 0..1, got ${p}`);
  const rank = Math.max(1, Math.ceil(p * histogram.reduce((sum, [, count]) => sum + count, 0)));
  let seen = 0;
  for (const [bucket, count] of histogram) {
    seen += count;
    if (seen >= rank) return valueOf(bucket);
  }
  return null;
}

/** The value from which both bounds of its bucket are equally far, relative to themselves. */
function valueOf(bucket: number): number {
  if (bucket <= 0) return bucket === BELOW_ONE ? 0 : 1;
  return (2 * GAMMA ** bucket) / (GAMMA + 1);
}

function ascending(counts: ReadonlyMap<number, number>): Histogram {
  return [...counts].sort(([a], [b]) => a - b);
}
