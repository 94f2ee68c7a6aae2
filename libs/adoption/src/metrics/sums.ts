/**
 * Figures of days that add up after all: somebody begins in one week, so who is new in 28 days is who is new in each of their
 * weeks. What is told of the 28 days and of three of the weeks would tell the fourth, be there ever so few people in it.
 *
 * What arrives: weeks, and which of their figures are hidden. What leaves: the sums that are hidden for it. Next is told.ts.
 *
 * A sum is told only where each of its weeks is, or nobody was there: then it says nothing new, and nor does what is
 * subtracted from it, the sums of other weeks included.
 */
import { type Figure, type Metric, type Period } from './metric.js';

const WEEK = 7;

/** Weeks, and those before the first of them that sums of theirs reach back to. */
export function reachedBy({ sums }: Pick<Metric, 'sums'>, weeks: readonly Period[]): Period[] {
  const back = (sums?.weeks ?? 1) - 1;
  return [...Array.from({ length: back }, (_, i) => weeks[0]!.from - (back - i) * WEEK).map((from) => ({ from, to: from + WEEK - 1 })), ...weeks];
}

/**
 * @param weeks in order, without gaps: the periods of the figures
 * @returns whether a figure is hidden, by itself or as the sum of a hidden one
 */
export function withSums({ sums }: Pick<Metric, 'sums'>, weeks: readonly Period[], figures: readonly Figure[], isHidden: (figure: Figure) => boolean): (figure: Figure) => boolean {
  if (!sums) return isHidden;
  const of: Readonly<Record<string, string>> = sums.of;
  const added = new Set(Object.values(of));
  const label = (variant: string, from: number, by: Figure['by']) => JSON.stringify([variant, from, by]);
  const hidden = new Set(figures.filter((figure) => added.has(figure.variant) && figure.people > 0 && isHidden(figure)).map(({ variant, period, by }) => label(variant, weeks[period]!.from, by)));
  return (figure) => {
    const part = of[figure.variant];
    return isHidden(figure) || (part !== undefined && Array.from({ length: sums.weeks }, (_, back) => label(part, weeks[figure.period]!.from - back * WEEK, figure.by)).some((one) => hidden.has(one)));
  };
}
