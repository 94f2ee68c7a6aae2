/** The stretches of time a range is cut into. Weeks are ISO weeks; the first and last are clipped to the range. */
import { type Grain } from '@foothold/contract';
import { dayText, mondayOf } from '../local-day.js';
import { type Range } from './answer.js';

/** SQL that gives the first day of the bucket of `day`; for `all`, the range's first day ($2). */
export function bucketSql(grain: Grain, day: string): string {
  if (grain === 'day') return day;
  return grain === 'all' ? '$2::date' : `date_trunc('${grain}', ${day}::timestamp)::date`;
}

export interface Bucket {
  /** What bucketSql gives. */
  start: string;
  /** First and last local day, clipped to the range. */
  from: string;
  to: string;
  lastDay: number;
}

/** All buckets of a range, in order. */
export function buckets(range: Range): Bucket[] {
  const all: Bucket[] = [];
  for (let day = range.from; day <= range.to; ) {
    const start = firstDay(range, day);
    const lastDay = Math.min(range.to, nextStart(range, start) - 1);
    all.push({ start: dayText(start), from: dayText(day), to: dayText(lastDay), lastDay });
    day = lastDay + 1;
  }
  return all;
}

function firstDay({ grain, from }: Range, day: number): number {
  if (grain === 'all') return from;
  if (grain === 'day') return day;
  if (grain === 'week') return mondayOf(day);
  const date = new Date(day * 86_400_000);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) / 86_400_000;
}

function nextStart({ grain, to }: Range, start: number): number {
  if (grain === 'all') return to + 1;
  if (grain === 'day') return start + 1;
  if (grain === 'week') return start + 7;
  const date = new Date(start * 86_400_000);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) / 86_400_000;
}
