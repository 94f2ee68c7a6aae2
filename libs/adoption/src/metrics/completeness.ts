/**
 * Control totals against what arrived of them.
 *
 * What arrives: periods. What leaves: how many tasks or invocations the system of record counted in spans that lie wholly in
 * each, and how many of these arrived. Next are telemetry.health, and coverage, which is not to be read without it.
 */
import { timeText } from '@foothold/contract';
import { QUARTER_HOUR, type FeedKind } from '../feed.js';
import { dayText } from '../local-day.js';
import { periodOf } from './bucket.js';
import { type Asking, type Period } from './metric.js';

/** What was counted, and what arrived of it: of no span more than was counted. */
export interface Completeness {
  counted: number;
  arrived: number;
}

type Reading = Pick<Asking, 'query' | 'subject'>;
interface Total {
  from_at: number;
  to_at: number;
  from_day: number;
  to_day: number;
  count: number;
}

/** By period, in the order of the periods, which share no day. */
export async function completeness({ query, subject }: Reading, kind: FeedKind, periods: readonly Period[]): Promise<Completeness[]> {
  const found = periods.map((): Completeness => ({ counted: 0, arrived: 0 }));
  const totals = await query<Total>(TOTALS, [subject.deployment, kind, dayText(periods[0]!.from), dayText(periods.at(-1)!.to)]);
  const at = periodOf(periods);
  const within = totals.flatMap((total) => {
    const period = at(total.from_day);
    return period !== undefined && period === at(total.to_day) ? [{ ...total, period }] : [];
  });
  if (within.length === 0) return found;
  const bounds = [...new Set(within.flatMap(({ from_at, to_at }) => [from_at, to_at]))].sort((one, other) => one - other);
  const before = await arrivedBefore({ query, subject }, kind, bounds);
  for (const { period, from_at, to_at, count } of within) {
    found[period]!.counted += count;
    found[period]!.arrived += Math.min(count, before.get(to_at)! - before.get(from_at)!);
  }
  return found;
}

/** By each of these moments, how many arrived of before it and not before the first of them. */
async function arrivedBefore({ query, subject }: Reading, kind: FeedKind, bounds: readonly number[]): Promise<Map<number, number>> {
  const isWhole = bounds.every((bound) => bound % QUARTER_HOUR === 0);
  const parts = await query<{ part: number; n: number }>(
    `select width_bucket(at, $2::timestamptz[]) as part, sum(n)::float8 as n from (${(isWhole ? QUARTERS : ROWS)[kind]}) a
      where at >= $3::timestamptz and at < $4::timestamptz group by part`,
    [subject.deployment, bounds.map(timeText), timeText(bounds[0]!), timeText(bounds.at(-1)!)],
  );
  const of = new Map(parts.map(({ part, n }) => [part, n]));
  let sum = 0;
  return new Map(bounds.map((bound, i) => [bound, (sum += of.get(i) ?? 0)]));
}

const TOTALS = `
select (extract(epoch from from_at) * 1000000)::float8 as from_at, (extract(epoch from to_at) * 1000000)::float8 as to_at,
       (from_day - '1970-01-01'::date)::int as from_day, (to_day - '1970-01-01'::date)::int as to_day, count::float8 as count
  from feed_total where deployment = $1 and kind = $2 and from_day >= $3::date and to_day <= $4::date`;
const quarters = (kind: FeedKind) => `select quarter as at, n from feed_arrival where deployment = $1 and kind = '${kind}'`;
const QUARTERS: Record<FeedKind, string> = { tasks: quarters('tasks'), invocations: quarters('invocations') };
/** Where a span begins or ends within a quarter of an hour: one reading of the rows themselves. */
const ROWS: Record<FeedKind, string> = {
  tasks: 'select completed_at as at, 1 as n from task where deployment = $1',
  invocations: 'select first_at as at, 1 as n from invocation where deployment = $1',
};
