/** How unevenly use is spread over people: figures of the whole group, never of one of them. */

/**
 * Gini coefficient: half the mean difference between two people, relative to the mean. 0 where all do the same, 1 where
 * one does everything.
 *
 * With the factor n/(n-1), without which n people cannot reach 1 and small groups look more even than large ones.
 * Sources: C. Gini, "Variabilità e mutabilità" (1912); G. Deltas, "The small-sample bias of the Gini coefficient",
 * Review of Economics and Statistics 85 (2003) 226-234.
 *
 * @param amounts one a person, each 0 or more, of one unit; people who did nothing belong in it with their 0
 * @returns 0..1, no unit; null for fewer than two people, and where nobody did anything: there is nothing to share out
 * @throws RangeError for an amount below 0 or that is no number
 */
export function gini(amounts: readonly number[]): number | null {
  const total = sum(amounts);
  const n = amounts.length;
  if (n < 2 || total === 0) return null;
  const ascending = [...amounts].sort((a, b) => a - b);
  const weighted = ascending.reduce((so, amount, i) => so + (2 * (i + 1) - n - 1) * amount, 0);
  return Math.min(1, Math.max(0, weighted / ((n - 1) * total)));
}

/** What the fifth of the people who do most did, of what all did; their share is `numerator / denominator`. */
export interface TopFifth {
  /** How many people the fifth is. */
  people: number;
  numerator: number;
  denominator: number;
}

/**
 * What the fifth of the people who do most did. The fifth is rounded up, n/5 to the next whole person: of 1 to 5 people
 * one, of 6 to 10 two. So it is never nobody; and where all do the same, the share of 6 people's fifth is 2/6, not .2:
 * read it beside `people`.
 *
 * @param amounts one a person, each 0 or more, of one unit; people who did nothing belong in it with their 0
 * @returns the sums in the amounts' unit; null where there is nobody or nobody did anything
 * @throws RangeError for an amount below 0 or that is no number
 */
export function topFifth(amounts: readonly number[]): TopFifth | null {
  const denominator = sum(amounts);
  if (denominator === 0) return null;
  const people = Math.ceil(amounts.length / 5);
  const most = [...amounts].sort((a, b) => b - a).slice(0, people);
  return { people, numerator: sum(most), denominator };
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((so, amount) => {
    if (!(amount >= 0 && amount < Infinity)) throw new RangeError(`concentration: an amount must be 0 or more, got ${amount}`);
    return so + amount;
  }, 0);
}
