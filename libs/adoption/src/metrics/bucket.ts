/** The stretches of time a range is cut into. Weeks are ISO weeks; the first and last are clipped to the range. */
import { type Grain } from '@foothold/contract';
import { mondayOf } from '../local-day.js';
import { type Period } from './metric.js';

/** All buckets of a range, in order. Days are local days since 1970, both ends included. */
export function buckets({ grain, from, to }: Period & { grain: Grain }): Period[] {
  const all: Period[] = [];
  for (let day = from; day <= to; ) {
    const end = grain === 'all' ? to : Math.min(to, bucketOf(grain, day).to);
    all.push({ from: day, to: end });
    day = end + 1;
  }
  return all;
}

/** The day, week or month that a day lies in, whole. */
export function bucketOf(grain: Exclude<Grain, 'all'>, day: number): Period {
  if (grain === 'day') return { from: day, to: day };
  if (grain === 'week') return { from: mondayOf(day), to: mondayOf(day) + 6 };
  const date = new Date(day * 86_400_000);
  const first = (month: number): number => Date.UTC(date.getUTCFullYear(), month, 1) / 86_400_000;
  return { from: first(date.getUTCMonth()), to: first(date.getUTCMonth() + 1) - 1 };
}

/** Tells which of these periods a day lies in, if any: its index. */
export function periodOf(periods: readonly Period[]): (day: number) => number | undefined {
  const of = new Map<number, number>();
  for (const [i, { from, to }] of periods.entries()) for (let day = from; day <= to; day++) of.set(day, i);
  return (day) => of.get(day);
}
