/**
 * Decision windows: for how long a result may wait for a decision before it counts as left lying.
 *
 * What arrives: the read tables, and the moment up to which they are complete. What leaves: one fact a closed ISO week in
 * the deployment's stream, with a window for each task kind. Next is trust.abandonment, which takes for each result
 * the window that was in force when it was shown (see metrics/waiting.ts).
 *
 * A window is the p99 by nearest rank (the least time that 99 in 100 do not exceed) of how long the kind's decisions took,
 * over results shown in the 13 weeks that end with the closed one. Decisions whose time nobody measured are left out, and
 * counted: where no event told when the result was shown, and where clocks put the decision before it.
 */
import { change, factsOf, USAGE_SHARDS, VersionConflict, type Log } from '@foothold/event-log';
import { mondayOf, timeZone, weekText } from './local-day.js';
import { type Query } from './metrics/metric.js';
import { type Registration } from './registration.js';

/** In force until a kind's first window is learned, in microseconds. */
export const UNTIL_LEARNED = 24 * 3_600_000_000;
const FLOOR = 15 * 60_000_000;
/** Fewer measured decisions teach nothing: the window stays what it was. */
const LEAST_DECIDED = 100;
const WEEKS = 13;
const FACT = 'decision-window.learned';

/** What a week taught of one task kind. */
export interface LearnedWindow {
  /** Null: results whose invocation names no kind. */
  taskKind: string | null;
  /** Null: too few decisions. */
  windowMs: number | null;
  /** Decisions whose time is known. */
  decided: number;
  /** Left out: decisions before the result was shown, by the clocks of those who said so. */
  backwards: number;
  /** Left out: decisions on results of which no event told when they were shown. */
  untold: number;
}

/** The fact; its time is the end of the week. */
interface WindowsLearned {
  /** ISO week, such as 2026-W13. */
  week: string;
  windows: LearnedWindow[];
}

/** The windows learned for a deployment (by its number), by the moment from which each is in force. */
export const learnedWindows = (query: Query, deployment: number): Promise<{ time: number; data: WindowsLearned }[]> => factsOf(query, deployment, FACT);

/** Microseconds; null where too little was decided. */
export const windowOf = (decided: number, p99: number | null): number | null => (p99 === null || decided < LEAST_DECIDED ? null : Math.max(FLOOR, p99));

/** A local ISO week that is over; moments in microseconds since 1970. */
export interface ClosedWeek {
  week: string;
  /** The beginning of the weeks that teach; */
  from: number;
  /** their end, which is that of the week. */
  end: number;
}

/** The last ISO week of a time zone that was over at a moment. */
export function closedWeek(zoneName: string, moment: number): ClosedWeek {
  const zone = timeZone(zoneName);
  const monday = mondayOf(zone.dayOf(moment));
  return { week: weekText(monday - 7), from: zone.startOf(monday - 7 * WEEKS), end: zone.startOf(monday) };
}

/**
 * Writes what a closed week taught, once, however often it is called and by however many.
 * @param query for what must be read, which may take long: on a connection of the caller's
 * @returns false where somebody else changed the stream meanwhile: to be tried again
 */
export async function learnWindows(log: Log, query: Query, tenant: string, id: string, { week, from, end }: ClosedWeek): Promise<boolean> {
  // The version is read first: whatever is written after it makes the change fail.
  const [stream] = await query<{ deployment: number; version: number; registration: Registration }>(STREAM, [tenant, id]);
  if (!stream) return true;
  const { deployment, version, registration } = stream;
  const last = (await learnedWindows(query, deployment)).at(-1);
  if (last && last.time >= end) return true;
  const found = await query<Taught>(TAUGHT, [deployment, from / 1_000_000, end / 1_000_000]);
  if (found.length === 0) return true;
  const windows = found.map(({ taskKind, decided, backwards, untold, p99 }): LearnedWindow => {
    const window = windowOf(decided, p99);
    return { taskKind: taskKind || null, windowMs: window === null ? null : window / 1000, decided, backwards, untold };
  });
  const fact: WindowsLearned = { week, windows };
  try {
    await change(log, tenant, id, version, [{ type: FACT, time: end, data: fact }], registration);
    return true;
  } catch (error) {
    if (error instanceof VersionConflict) return false;
    throw error;
  }
}

const STREAM = `select d.deployment, d.version, d.registration from deployment d join tenant t using (tenant) where t.name = $1 and d.id = $2`;

interface Taught extends Pick<LearnedWindow, 'decided' | 'backwards' | 'untold'> {
  taskKind: string;
  /** Microseconds. */
  p99: number | null;
}
/** Named shards let the key find the deployment's rows; there is no index on when they were shown, for a question asked once a week. */
const TAUGHT = `
  select "taskKind", count(*) filter (where told and took >= 0)::int as decided, count(*) filter (where told and took < 0)::int as backwards, count(*) filter (where not told)::int as untold,
         (percentile_disc(0.99) within group (order by took) filter (where told and took >= 0))::float8 as p99
    from (select coalesce(task_kind, '') as "taskKind", shown_by is not null as told, (extract(epoch from decided_at - shown_at) * 1000000)::int8 as took
            from invocation
           where shard = any(array(select generate_series(0, ${USAGE_SHARDS - 1}))::int2[]) and deployment = $1 and status in ('accepted', 'overridden')
             and shown_at >= to_timestamp($2::float8) and shown_at < to_timestamp($3::float8)) results
   group by "taskKind" order by "taskKind" collate "C"`;
