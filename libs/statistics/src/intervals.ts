/**
 * Intervals of shares. `wilson` holds only where each person counts once. People behave alike from one result to the
 * next, so a ratio of results is clustered by person: `clusteredRatio` for the share of the sums, `meanOfShares` for the
 * mean of people's own shares. Both take sums over people, which a database can add up.
 */
import { normalQuantile, studentT } from './quantiles.js';

/** Ends of an interval, low <= high; of a share within 0..1. */
export interface Interval {
  low: number;
  high: number;
}

/** Sums over `n` people, each contributing `x` (0 <= x <= y) of `y` (above 0), both counts. */
export interface ClusteredSums {
  n: number;
  sumX: number;
  sumY: number;
  sumXX: number;
  sumXY: number;
  sumYY: number;
}

/** Sums over `n` people's own shares, each 0..1. */
export interface ShareSums {
  n: number;
  sum: number;
  sumSquares: number;
}

/** A share and its interval. */
export interface EstimatedShare extends Interval {
  value: number;
}

/** What sums of doubles leave of a difference that is zero, relative to its terms. */
const ROUNDING = 1e-12;

/**
 * Wilson's score interval of a share of independent yes-or-no answers, one a person.
 *
 * Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927) 209-212.
 *
 * @param successes how many said yes, 0..n; need not be whole
 * @param n how many were asked; need not be whole (an effective number)
 * @param level share of such intervals that hold the truth, between 0 and 1
 * @returns the interval, or null where nobody was asked
 * @throws RangeError for arguments outside their ranges
 */
export function wilson(successes: number, n: number, level = 0.95): Interval | null {
  mustBe('level', level > 0 && level < 1, level);
  mustBe('n', n >= 0 && n < Infinity, n);
  mustBe('successes', successes >= 0 && successes <= n, successes);
  if (n === 0) return null;
  const z = -normalQuantile((1 - level) / 2);
  const share = successes / n;
  const centre = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n))) / (1 + (z * z) / n);
  return { low: successes === 0 ? 0 : Math.max(0, centre - half), high: successes === n ? 1 : Math.min(1, centre + half) };
}

/**
 * Interval of R = sum x / sum y, where person i contributes x_i of y_i and people, not results, are independent.
 *
 * Variance by linearisation, n/(n-1) sum (x_i - R y_i)² / (sum y)², on the logit scale, with Student's t of n - 1
 * degrees. Source: W. G. Cochran, "Sampling Techniques" (3rd ed. 1977) ch. 6; the logit scale as in E. L. Korn &
 * B. I. Graubard, "Confidence intervals for proportions with small expected number of positive counts", Survey
 * Methodology 24 (1998) 193-201.
 *
 * Where linearisation would claim to know everything:
 * - R of 0 or 1, or everybody at exactly R: no residual, which is no proof of no doubt. Wilson's interval, as if each
 *   person had answered once and for all: n people, fewer where some weigh more, (sum y)² / (sum y²) (L. Kish, "Survey
 *   Sampling", 1965): the case of people who are wholly of one mind, and so the widest.
 * - one person: nothing is known of how people differ, and the interval is 0..1.
 *
 * Simulated at 10 to 100 people who differ, 95 % intervals hold the truth in .93-.98 where people weigh about alike and
 * in .88-.95 where a few do most of the work (log-normal weights of sd 1; least at 10 people): there read it as 90 %.
 *
 * @param sums over people with y above 0; x and y are counts of the same unit, x a part of y
 * @param level share of such intervals that hold the truth, between 0 and 1
 * @returns the interval, or null where there is nobody or no denominator
 * @throws RangeError for a level, n or R outside their ranges
 */
export function clusteredRatio(sums: ClusteredSums, level = 0.95): Interval | null {
  const { n, sumX, sumY, sumXX, sumXY, sumYY } = sums;
  mustBe('level', level > 0 && level < 1, level);
  mustBe('n', n >= 0 && n < Infinity, n);
  mustBe('sumY', sumY >= 0 && sumY < Infinity, sumY);
  mustBe('sumX', sumX >= 0 && sumX <= sumY, sumX);
  if (n === 0 || sumY === 0) return null;
  if (n < 2) return { low: 0, high: 1 };
  const ratio = sumX / sumY;
  const residuals = sumXX - 2 * ratio * sumXY + ratio * ratio * sumYY;
  if (sumX === 0 || sumX === sumY || residuals <= ROUNDING * sumXX) {
    const people = Math.min(n, (sumY * sumY) / sumYY);
    return wilson(ratio * people, people, level);
  }
  return onLogit(ratio, Math.sqrt((n / (n - 1)) * residuals) / sumY, n - 1, level);
}

/**
 * Interval of the mean of people's own shares, each person counting once however much they did.
 *
 * Student's t of n - 1 degrees on the logit scale, where it stays within 0..1 and leans the right way near the ends
 * (the delta method: A. Agresti, "Categorical Data Analysis", 3rd ed. 2013). Where all shares are the same, be it
 * 0, 1 or between, they show no spread and t would have no width: Wilson's interval with n people, since of all shares
 * with that mean yes-or-no answers spread most. With one person the interval is 0..1.
 *
 * @param sums over people with a share
 * @param level share of such intervals that hold the truth, between 0 and 1
 * @returns the interval, or null where nobody has a share
 * @throws RangeError for a level, n or mean outside their ranges
 */
export function meanOfShares(sums: ShareSums, level = 0.95): Interval | null {
  const { n, sum, sumSquares } = sums;
  mustBe('level', level > 0 && level < 1, level);
  mustBe('n', n >= 0 && n < Infinity, n);
  mustBe('sum', sum >= 0 && sum <= n * (1 + ROUNDING), sum);
  if (n === 0) return null;
  if (n < 2) return { low: 0, high: 1 };
  const mean = Math.min(1, sum / n);
  const squares = sumSquares - sum * mean;
  if (mean === 0 || mean === 1 || squares <= ROUNDING * sumSquares) return wilson(mean * n, n, level);
  return onLogit(mean, Math.sqrt(squares / (n - 1) / n), n - 1, level);
}

/** share -+ t se, taken to the logit scale and back: d logit(p) = dp / (p (1 - p)). */
function onLogit(share: number, standardError: number, df: number, level: number): Interval {
  const middle = Math.log(share / (1 - share));
  const half = (-studentT((1 - level) / 2, df) * standardError) / (share * (1 - share));
  return { low: 1 / (1 + Math.exp(half - middle)), high: 1 / (1 + Math.exp(-half - middle)) };
}

function mustBe(name: string, holds: boolean, value: number): void {
  if (!holds) throw new RangeError(`interval: ${name} is out of its range: ${value}`);
}

/**
 * Interval of the difference of two shares, from the interval of each: their distances from the estimates, recombined. Bounds
 * stay within -1..1, also where a share is 0 or 1, of which the plain difference with its standard error knows nothing.
 *
 * Sources: R. G. Newcombe, "Interval estimation for the difference between independent proportions: comparison of eleven
 * methods", Statistics in Medicine 17 (1998) 873-890, method 10, and "Improved confidence intervals for the difference between
 * binomial proportions based on paired data", the same 17 (1998) 2635-2650, for shares that are correlated.
 *
 * @param one the share that is taken from, with its interval, all 0..1
 * @param other the share that is taken away, likewise
 * @param correlation of the two estimates, -1..1; 0 where nobody is behind both
 * @throws RangeError for a correlation outside its range
 */
export function differenceOfShares(one: EstimatedShare, other: EstimatedShare, correlation: number): Interval {
  mustBe('correlation', correlation >= -1 && correlation <= 1, correlation);
  const difference = one.value - other.value;
  const reach = (up: number, down: number): number => Math.sqrt(Math.max(0, up * up - 2 * correlation * up * down + down * down));
  return {
    low: Math.max(-1, difference - reach(one.value - one.low, other.high - other.value)),
    high: Math.min(1, difference + reach(one.high - one.value, other.value - other.low)),
  };
}
