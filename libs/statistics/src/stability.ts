/** How far a distribution has moved: input profiles of production against those of the pilot. */

/** Added to every category's count, so that one not yet seen is rare and not impossible. */
const PSEUDOCOUNT = 0.5;

/**
 * Population stability index: sum over categories of (actual - expected) ln(actual / expected), both as shares. By
 * custom under .1 is read as stable and over .25 as another population; with few inputs chance alone reaches either: of
 * the same distribution it is about (k - 1)(1/n + 1/m) on average for k categories, n expected and m actual inputs.
 *
 * A share is (count + .5) / (total + .5 k), since a category with no count on one side would make it infinite
 * (R. E. Krichevsky & V. K. Trofimov, IEEE Trans. Inf. Theory 27 (1981) 199-207). Sources: S. Kullback & R. A. Leibler,
 * "On information and sufficiency", Ann. Math. Statist. 22 (1951) 79-86, whose J it is; N. Siddiqi, "Credit Risk
 * Scorecards" (2006) for its use; B. Yurdakul & J. Naranjo, J. Risk Model Validation 14 (4) (2020) for its mean.
 *
 * @param expected counts, one a category, in the order of `actual`; 0 or more
 * @param actual counts of the same categories
 * @returns 0 or more, in nats; null where one side has no counts or there is no second category
 * @throws RangeError for counts below 0 or two vectors that do not match
 */
export function stabilityIndex(expected: readonly number[], actual: readonly number[]): number | null {
  const categories = expected.length;
  if (actual.length !== categories) throw new RangeError(`stabilityIndex: ${categories} categories expected, got ${actual.length}`);
  const [before, now] = [total(expected), total(actual)];
  if (categories < 2 || before === 0 || now === 0) return null;
  const share = (count: number, of: number) => (count + PSEUDOCOUNT) / (of + PSEUDOCOUNT * categories);
  return expected.reduce((sum, count, i) => {
    const [was, is] = [share(count, before), share(actual[i]!, now)];
    return sum + (is - was) * Math.log(is / was);
  }, 0);
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => {
    if (!(count >= 0 && count < Infinity)) throw new RangeError(`stabilityIndex: a count must be 0 or more, got ${count}`);
    return sum + count;
  }, 0);
}
