/** Quantiles of the normal and of Student's t distribution. */
import { incompleteBeta, logGamma } from './special-functions.js';

/** Numerator and denominator of AS 241 (PPND16), highest power first: the middle, the tail, the far tail. */
const MIDDLE = [
  [
    2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
    13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608,
  ],
  [
    5226.495278852854561, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
    5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1,
  ],
] as const;
const TAIL = [
  [
    7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
    3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734,
  ],
  [
    1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
    0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1,
  ],
] as const;
const FAR = [
  [
    2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386, 0.026532189526576123093,
    0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772,
  ],
  [
    2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
    0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1,
  ],
] as const;

/** From here on Student's t is the normal with two correcting terms, to better than 1e-10. */
const NEARLY_NORMAL = 1e5;

/**
 * Quantile of the standard normal distribution.
 *
 * Source: M. J. Wichura, "Algorithm AS 241: The percentage points of the normal distribution", Applied Statistics 37
 * (1988) 477-484, PPND16.
 *
 * @param p a probability strictly between 0 and 1
 * @returns z with P(Z <= z) = p, in standard deviations, to about 1e-15 of its size
 * @throws RangeError unless 0 < p < 1
 */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`normalQuantile: p must be between 0 and 1, got ${p}`);
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * rational(MIDDLE, 0.180625 - q * q);
  const r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p));
  const z = r <= 5 ? rational(TAIL, r - 1.6) : rational(FAR, r - 5);
  return q < 0 ? -z : z;
}

/**
 * Quantile of Student's t distribution.
 *
 * Newton's method on the logarithm of the upper tail P(T > t) = I_{df / (df + t²)}(df / 2, 1 / 2) / 2 (Abramowitz &
 * Stegun 26.7.1), as a function of log t. The density of log |T| is log-concave, therefore so is this tail, and Newton's
 * method on a falling concave function converges from every start. From 100,000 degrees on: Cornish and Fisher's
 * expansion about the normal quantile (A & S 26.7.5).
 *
 * @param p a probability strictly between 0 and 1
 * @param df degrees of freedom, above 0, not necessarily whole; Infinity gives the normal quantile
 * @returns t with P(T <= t) = p, no unit, to about 1e-10 of its size
 * @throws RangeError for arguments outside their ranges
 */
export function studentT(p: number, df: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`studentT: p must be between 0 and 1, got ${p}`);
  if (!(df > 0)) throw new RangeError(`studentT: degrees of freedom must be above 0, got ${df}`);
  if (p === 0.5) return 0;
  const tail = Math.min(p, 1 - p);
  const z = -normalQuantile(tail);
  const t = df >= NEARLY_NORMAL ? cornishFisher(z, df) : invertTail(tail, df, z);
  return p < 0.5 ? -t : t;
}

function cornishFisher(z: number, df: number): number {
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  return z + first / df + second / df / df;
}

/** t above 0 with P(T > t) = tail, from the normal quantile, which lies below it. */
function invertTail(tail: number, df: number, start: number): number {
  const logScale = logGamma((df + 1) / 2) - logGamma(df / 2) - 0.5 * Math.log(df * Math.PI);
  let t = start;
  for (let i = 0; i < 100; i += 1) {
    const squares = df + t * t;
    const above = incompleteBeta(df / squares, df / 2, 0.5, (t * t) / squares) / 2;
    const density = Math.exp(logScale - ((df + 1) / 2) * Math.log1p((t * t) / df));
    const step = (Math.log(above / tail) * above) / (t * density);
    t *= Math.exp(step);
    if (Math.abs(step) < 1e-13) break;
  }
  return t;
}

function rational([numerator, denominator]: readonly [readonly number[], readonly number[]], r: number): number {
  const horner = (coefficients: readonly number[]) => coefficients.reduce((sum, coefficient) => sum * r + coefficient, 0);
  return horner(numerator) / horner(denominator);
}
