/** Which factor of a product moved it from one period to the next, and by how much. */

/** A factor in both periods, 0 or more; null where it has no value because another factor of that period is 0. */
export interface Factor<Name extends string> {
  name: Name;
  before: number | null;
  after: number | null;
}

export interface Decomposition<Name extends string> {
  /** The product of each period and after - before, in the product of the factors' units. */
  before: number;
  after: number;
  change: number;
  /** What each factor adds to the change, in the factors' order; together they are the change. */
  contributions: { name: Name; contribution: number }[];
  /** Factors above 0 before and 0 after: with them the product ended, whatever the other contributions say. */
  fellToZero: Name[];
}

/** A ninth factor would double the work, and nobody reads so many. */
const MOST = 8;

/**
 * The change of a product, split over its factors by Shapley's value: a factor's contribution is the change it makes when
 * the factors move from before to after one at a time, mean of all orders in which they can. Exact: nothing is left over
 * but rounding, no factor comes first, and one that did not move contributes nothing.
 *
 * A factor without a value (tasks per person where there is nobody) is taken as it is in the other period: it did not
 * move, and the product is 0 without it.
 *
 * Sources: L. S. Shapley, "A value for n-person games" (1953); A. F. Shorrocks, "Decomposition procedures for
 * distributional analysis: a unified framework based on the Shapley value", J. Economic Inequality 11 (2013) 99-126.
 *
 * @param factors one to eight, of different names
 * @returns products, contributions and the factors that fell to 0
 * @throws RangeError for a number of factors outside its range, a factor below 0 or that is no number, or one without a
 * value in a period in which no other factor is 0
 */
export function decomposeProduct<Name extends string>(factors: readonly Factor<Name>[]): Decomposition<Name> {
  const n = factors.length;
  if (n < 1 || n > MOST) throw new RangeError(`decomposeProduct: factors must be 1 to ${MOST}, got ${n}`);
  for (const period of ['before', 'after'] as const) {
    const zero = factors.some((factor) => factor[period] === 0);
    for (const { name, [period]: value } of factors) {
      if (value === null ? !zero : !(value >= 0 && value < Infinity)) {
        throw new RangeError(`decomposeProduct: ${name} must be 0 or more ${period}, or null where another factor is 0, got ${value}`);
      }
    }
  }
  // Without a value in both periods, both products are 0 and nothing moved them: any number will do.
  const before = factors.map((factor) => factor.before ?? factor.after ?? 0);
  const after = factors.map((factor) => factor.after ?? factor.before ?? 0);
  const contributions = factors.map(({ name }, i) => {
    let contribution = 0;
    for (let moved = 0; moved < 2 ** n; moved += 1) {
      if ((moved >> i) & 1) continue;
      let others = orders(bits(moved), n);
      for (let j = 0; j < n; j += 1) if (j !== i) others *= (moved >> j) & 1 ? after[j]! : before[j]!;
      contribution += others * (after[i]! - before[i]!);
    }
    return { name, contribution };
  });
  const product = (of: number[]) => of.reduce((so, factor) => so * factor, 1);
  const [from, to] = [product(before), product(after)];
  const fellToZero = factors.filter((factor) => factor.after === 0 && factor.before !== null && factor.before > 0).map(({ name }) => name);
  return { before: from, after: to, change: to - from, contributions, fellToZero };
}

/** Share of the orders of n factors in which exactly these, `moved` of them, come before a given other one. */
function orders(moved: number, n: number): number {
  let share = 1 / n;
  for (let k = 1; k <= moved; k += 1) share *= k / (n - k);
  return share;
}

function bits(set: number): number {
  return set === 0 ? 0 : (set & 1) + bits(set >> 1);
}
