/** Kaplan-Meier by its textbook recipe, for the oracle. */

/** Seen for `time`, at which it ended or after which nobody knows. */
export interface Life { time: number; ended: boolean }

export interface Curve {
  /** The share that lasts longer than `time`. */
  survival: number;
  /** Greenwood's; null once the survival is 0. */
  standardError: number | null;
}

/** Whoever is censored at a time was at risk at it. */
export function curveAt(lives: readonly Life[], time: number): Curve {
  let survival = 1;
  let hazards = 0;
  for (const moment of endings(lives).filter((one) => one <= time)) {
    const atRisk = lives.filter((life) => life.time >= moment).length;
    const ended = lives.filter((life) => life.ended && life.time === moment).length;
    survival = survival * ((atRisk - ended) / atRisk);
    hazards += ended / (atRisk * (atRisk - ended));
  }
  return { survival, standardError: survival === 0 ? null : survival * Math.sqrt(hazards) };
}

/** The first time at which no more than half last longer; a half is told from what products of fractions leave of it. */
export function median(lives: readonly Life[]): number | null {
  return endings(lives).find((time) => curveAt(lives, time).survival <= 0.5 + 1e-12) ?? null;
}

function endings(lives: readonly Life[]): number[] {
  return [...new Set(lives.filter((life) => life.ended).map((life) => life.time))].sort((a, b) => a - b);
}
