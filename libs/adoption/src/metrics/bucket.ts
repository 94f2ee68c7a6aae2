/** The stretches of time a range is cut into. Weeks are ISO weeks; the first and last are clipped to the range. */
import { type Grain } from '@foothold/contract';
import { mondayOf } from '../local-day.js';
import { type Period } from './metric.js';

/** All buckets of a range, in order. Days are local days since 1970, both ends included. */
export function buckets({ grain, from, to }: Period & { grain: Grain }): Period[] {
  const all: Period[] = [];
  for (let day = from; day <= to; ) {
    const end = Math.min(to, lastDay(grain, day, to));
    all.push({ from: day, to: end });
    day = end + 1;
  }
  return all;
}

/** The last day of the bucket that a day lies in; of a range that ends with `to`. */
function lastDay(grain: Grain, day: number, to: number): number {
  if (grain === 'all') return to;
  if (grain === 'day') return day;
  if (grain === 'week') return mondayOf(day) + 6;
  const date = new Date(day * 86_400_000);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) / 86_400_000 - 1;
}
