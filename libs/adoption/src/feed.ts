/**
 * What the feed tells of itself, and what it is held against: of nobody in particular, and counted of every stored event.
 *
 * What arrives: each event of a page, and from when on the log knows of an invocation or of a completed task. What leaves: rows
 * of `feed_day`, `feed_session`, `feed_total` and `feed_arrival`. Next is telemetry.health. An event counts on the local day of
 * its `time`, whatever it is about.
 */
import { parseDay, parseTime } from '@foothold/contract';
import { keyOf, type LoggedEvent, type Store, type Table } from '@foothold/event-log';
import { Counts } from './counts.js';
import { byOf } from './invocation.js';
import { type TimeZone } from './local-day.js';

/** What one source sent of a day. */
export interface FeedDay {
  deployment: number;
  day: number;
  source: string;
  revised_at: number;
  events: number;
  /** Of these, received more than 24 hours after their time. */
  late: number;
  /** Reports of the SDK, and how many events they say were dropped. */
  heartbeats: number;
  dropped: number;
}

export const feedDayTable: Table<FeedDay> = {
  name: 'feed_day',
  columns: { deployment: 'int4', day: 'date', source: 'text', revised_at: 'timestamptz', events: 'int8', late: 'int8', heartbeats: 'int8', dropped: 'int8' },
  key: ['deployment', 'day', 'source'],
};
const DAY_COUNTERS = ['events', 'late', 'heartbeats', 'dropped'] as const;

/** What came of a session of the SDK on a day: as many events as its counter has risen, unless some were lost. */
export interface FeedSession {
  deployment: number;
  source: string;
  /** The digits of a sequence before its counter; none where it is no longer than a counter. */
  session: string;
  day: number;
  n: number;
  greatest: number;
}

export const feedSessionTable: Table<FeedSession> = {
  name: 'feed_session',
  columns: { deployment: 'int4', source: 'text', session: 'text', day: 'date', n: 'int8', greatest: 'int8' },
  key: ['deployment', 'source', 'session', 'day'],
};
/** Last digits of a sequence, which count (see the SDK's maker). */
const COUNTER_DIGITS = 12;

/** How many the system of record counted from one moment up to another: the latest word on it. */
export interface FeedTotal {
  deployment: number;
  kind: FeedKind;
  from_at: number;
  to_at: number;
  /** Local days of the first and of the last moment. */
  from_day: number;
  to_day: number;
  count: number;
  told_at: number;
  told_by: string;
  revised_at: number;
}
export type FeedKind = 'tasks' | 'invocations';

export const feedTotalTable: Table<FeedTotal> = {
  name: 'feed_total',
  columns: {
    deployment: 'int4', kind: 'text', from_at: 'timestamptz', to_at: 'timestamptz', from_day: 'date', to_day: 'date', count: 'int8',
    told_at: 'timestamptz', told_by: 'text', revised_at: 'timestamptz',
  },
  key: ['deployment', 'kind', 'from_at', 'to_at'],
};

/** How many tasks were completed, or invocations began, in a quarter of an hour: nearly every control total is of whole ones. */
export interface FeedArrival {
  deployment: number;
  kind: FeedKind;
  quarter: number;
  n: number;
}

export const feedArrivalTable: Table<FeedArrival> = {
  name: 'feed_arrival',
  columns: { deployment: 'int4', kind: 'text', quarter: 'timestamptz', n: 'int4' },
  key: ['deployment', 'kind', 'quarter'],
};
/** In microseconds. */
export const QUARTER_HOUR = 900_000_000;

const LATE = 86_400_000_000;

/** A page of the log as its feed. */
export class FeedPage {
  private readonly days = new Counts(feedDayTable, DAY_COUNTERS, ({ deployment, day, source }: Pick<FeedDay, 'deployment' | 'day' | 'source'>): FeedDay => ({
    deployment, day, source, revised_at: 0, events: 0, late: 0, heartbeats: 0, dropped: 0,
  }));
  private readonly sessions = new Counts(feedSessionTable, ['n'], ({ deployment, source, session, day }: Omit<FeedSession, 'n' | 'greatest'>): FeedSession => ({
    deployment, source, session, day, n: 0, greatest: 0,
  }), ['greatest']);
  private readonly arrivals = new Counts(feedArrivalTable, ['n'], ({ deployment, kind, quarter }: Omit<FeedArrival, 'n'>): FeedArrival => ({ deployment, kind, quarter, n: 0 }));
  private readonly totals = new Map<string, FeedTotal>();
  /** By source and by kind, the rows that were last counted in: most events go where the one before them went, and a key costs more than counting. */
  private readonly latest = new Map<string, { row: FeedDay; sessions: Map<string, FeedSession> }>();
  private readonly arriving = new Map<FeedKind, FeedArrival>();

  /** Counts an event. */
  take(event: LoggedEvent, zone: TimeZone): void {
    const { deployment, source, type, time, received, sequence, data } = event;
    const day = zone.dayOf(time);
    let latest = this.latest.get(source);
    if (latest?.row.day !== day || latest.row.deployment !== deployment) this.latest.set(source, (latest = { row: this.days.at({ deployment, day, source }), sessions: new Map() }));
    const { row, sessions } = latest;
    row.revised_at = received;
    row.events++;
    if (received - time > LATE) row.late++;
    if (type === 'sdk.reported') {
      row.heartbeats++;
      for (const count of Object.values(data['dropped'] as Record<string, number>)) row.dropped += count;
    } else if (type === 'feed.counted') later(this.totals, totalOf(event, zone));
    if (sequence === null) return;
    const digits = Math.max(0, sequence.length - COUNTER_DIGITS);
    const name = sequence.slice(0, digits);
    let session = sessions.get(name);
    if (!session) sessions.set(name, (session = this.sessions.at({ deployment, source, session: name, day })));
    session.n++;
    session.greatest = Math.max(session.greatest, Number(sequence.slice(digits)));
  }

  /** Moves an invocation, or a completed task, from the moment it was counted at to another; null: it was not counted. */
  move(kind: FeedKind, deployment: number, from: number | null, to: number): void {
    if (from === to) return;
    if (from !== null) this.arrivalsAt(kind, deployment, from).n--;
    this.arrivalsAt(kind, deployment, to).n++;
  }

  private arrivalsAt(kind: FeedKind, deployment: number, at: number): FeedArrival {
    const quarter = Math.floor(at / QUARTER_HOUR) * QUARTER_HOUR;
    let row = this.arriving.get(kind);
    if (row?.quarter !== quarter || row.deployment !== deployment) this.arriving.set(kind, (row = this.arrivals.at({ deployment, kind, quarter })));
    return row;
  }

  async settle(store: Store): Promise<void> {
    for (const counts of [this.days, this.sessions, this.arrivals]) await counts.settle(store);
    for (const told of (await store.take(feedTotalTable, this.totals.values())).values()) later(this.totals, told);
    await store.put(feedTotalTable, this.totals.values());
  }
}

function totalOf(event: LoggedEvent, zone: TimeZone): FeedTotal {
  const { kind, from, to, count } = event.data as { kind: FeedKind; from: string; to: string; count: number };
  const told = { deployment: event.deployment, kind, count, told_at: event.time, told_by: byOf(event), revised_at: event.received };
  if (from.length === 10) { // days, the last of them included
    const [from_day, to_day] = [parseDay(from)!, parseDay(to)!];
    return { ...told, from_at: zone.startOf(from_day), to_at: zone.startOf(to_day + 1), from_day, to_day };
  }
  const [from_at, to_at] = [parseTime(from)!, parseTime(to)!];
  return { ...told, from_at, to_at, from_day: zone.dayOf(from_at), to_day: zone.dayOf(to_at - 1) };
}

/** Keeps the latest of what is told of the same span, and when it was last told of. */
function later(totals: Map<string, FeedTotal>, told: FeedTotal): void {
  const key = keyOf(feedTotalTable, told);
  const other = totals.get(key);
  const revised_at = Math.max(told.revised_at, other?.revised_at ?? 0);
  const isLater = !other || told.told_at > other.told_at || (told.told_at === other.told_at && told.told_by > other.told_by);
  totals.set(key, { ...(isLater ? told : other), revised_at });
}
