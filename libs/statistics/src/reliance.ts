/**
 * Whether people rely on the AI when it is right and on themselves when it is wrong, where the truth was found out later.
 * Truth is mostly looked up for overrides: results sampled with a known probability weigh 1 / that probability, so that
 * the sums stand for all results and not for those somebody wondered about.
 */

/** Decided results of known truth that are alike in everything below, `weight` of them: the sum of 1 / sampling probability. */
export interface Judged {
  /** Accepted, verbatim or edited; otherwise overridden. */
  accepted: boolean;
  aiRight: boolean;
  /** Whether the person was right before seeing the AI, and in the end; null where not known. */
  firstRight: boolean | null;
  finalRight: boolean | null;
  /** 0 or more; a plain count where nothing was sampled. */
  weight: number;
}

/** A share of weighted results. */
export interface WeightedShare {
  /** numerator / denominator; null where the denominator is 0. */
  value: number | null;
  numerator: number;
  denominator: number;
  /** Weight of the results that would or may belong in the share, but for something not known. */
  unknown: number;
}

export interface Reliance {
  /** P(accepted | AI wrong). */
  overReliance: WeightedShare;
  /** P(overridden | AI right). */
  underReliance: WeightedShare;
  /** P(person right in the end | overridden). */
  overrideCorrectness: WeightedShare;
  /** Relative AI reliance (RAIR): of those first wrong where the AI was right, the share right in the end. */
  rair: WeightedShare;
  /** Relative self-reliance (RSR): of those first right where the AI was wrong, the share right in the end. */
  rsr: WeightedShare;
  /** P(accepted | AI right) - P(accepted | AI wrong), -1..1: 0 where acceptance does not depend on being right; null where either is. */
  discrimination: number | null;
}

/**
 * Reliance from weighted counts. Numerators are parts of their denominators and add up over people, so the sums of each
 * person's own counts serve `clusteredRatio` for every share; discrimination is a difference and has `resamplePeople`.
 *
 * Source: M. Schemmer, N. Kuehl, C. Benz, A. Bartos & G. Satzger, "Appropriate reliance on AI advice: conceptualization
 * and the effect of explanations", IUI 2023, 410-422 (RAIR and RSR).
 *
 * @param judged counts of decided results by what is known of them, in any order; what is alike may come more than once
 * @returns the shares, each with its value null, never 0, where nothing is in its denominator
 * @throws RangeError for a weight below 0 or that is no number
 */
export function reliance(judged: readonly Judged[]): Reliance {
  for (const { weight } of judged) {
    if (!(weight >= 0 && weight < Infinity)) throw new RangeError(`reliance: weight must be 0 or more, got ${weight}`);
  }
  const acceptedOfRight = share(judged, ({ aiRight }) => aiRight, ({ accepted }) => accepted);
  const overReliance = share(judged, ({ aiRight }) => !aiRight, ({ accepted }) => accepted);
  return {
    overReliance,
    underReliance: share(judged, ({ aiRight }) => aiRight, ({ accepted }) => !accepted),
    overrideCorrectness: share(judged, ({ accepted }) => !accepted, ({ finalRight }) => finalRight),
    rair: share(judged, ({ aiRight, firstRight }) => aiRight && not(firstRight), ({ finalRight }) => finalRight),
    rsr: share(judged, ({ aiRight, firstRight }) => !aiRight && firstRight, ({ finalRight }) => finalRight),
    discrimination: acceptedOfRight.value === null || overReliance.value === null ? null : acceptedOfRight.value - overReliance.value,
  };
}

const not = (known: boolean | null) => (known === null ? null : !known);

/** Of those for whom `among` holds the share for whom `does` holds; null, of either, is not known. */
function share(judged: readonly Judged[], among: (one: Judged) => boolean | null, does: (one: Judged) => boolean | null): WeightedShare {
  let [numerator, denominator, unknown] = [0, 0, 0];
  for (const one of judged) {
    const [belongs, so] = [among(one), does(one)];
    if (belongs === false) continue;
    if (belongs === null || so === null) unknown += one.weight;
    else {
      denominator += one.weight;
      if (so) numerator += one.weight;
    }
  }
  return { value: denominator === 0 ? null : numerator / denominator, numerator, denominator, unknown };
}
