/**
 * What comes in for one deployment, as it comes in: for people who watch, never for folds.
 *
 * What arrives: a tenant and the id of a deployment, registered or not. What leaves: its events and dead letters, in the
 * order in which they were received. Next is `foothold tail`.
 *
 * Events have no index on when they were received and need none: in a shard the order of positions is the order of receipt.
 * A reader starts at the heads, or where halving finds the moment, and goes on by position. While nothing arrives
 * a look reads the heads and the end of one index.
 */
import { type Database } from '@foothold/platform';
import { USAGE_SHARDS } from './schema.js';

/** Times are integer microseconds since 1970. */
export type Arrived = ArrivedEvent | ArrivedLetter;

export interface ArrivedEvent {
  outcome: 'stored';
  received: number;
  time: number;
  type: string;
  id: string;
  source: string;
  /** The beginning of a pseudonym, enough to tell people apart on a screen; null where there is nobody, or nobody any more. */
  person: string | null;
  actor: string | null;
  /** How far its host's clock was behind (negative: ahead), where that was more than two minutes. */
  skewMs: number | null;
  data: Record<string, unknown>;
}

export interface ArrivedLetter {
  outcome: 'rejected' | 'quarantined';
  received: number;
  /** These are null where the event gives none that is valid. */
  tenant: string | null;
  deployment: string | null;
  type: string | null;
  id: string | null;
  source: string | null;
  field: string;
  reason: string;
  fix: string;
}

/** Most positions of a shard, and dead letters of a gap, in one look. */
const PAGE = 1_000;
/** Hex digits of a pseudonym that are shown. */
const SHOWN = 6;
/** A transaction that has numbered dead letters and not committed them for longer has been rolled back. */
const ROLLED_BACK_MS = 60_000;

/** Numbers of dead letters, both ends included, that may still appear; asked for until `until`, in milliseconds since 1970. */
interface Gap {
  low: number;
  high: number;
  until: number;
}

export class Tail {
  /** Whether the last look left something that was there already: look again without waiting. */
  behind = false;
  private gaps: Gap[];

  private constructor(
    private readonly database: Database,
    private readonly tenant: string,
    private readonly deployment: string,
    /** The last position seen, by shard. */
    private readonly seen: Map<number, number>,
    lastLetter: number,
  ) {
    this.gaps = [{ low: lastLetter + 1, high: Number.MAX_SAFE_INTEGER, until: Infinity }];
  }

  /** Begins with what is received from now on, or from `since` (microseconds since 1970). The deployment need not be registered. */
  static async open(database: Database, tenant: string, deployment: string, since?: number): Promise<Tail> {
    const moment = since === undefined ? [] : [since];
    const shards = await database.query<{ shard: number; position: number }>(since === undefined ? HEADS : SHARDS_BEFORE, moment);
    const [letters] = await database.query<{ last: number }>(since === undefined ? LAST_LETTER : LETTERS_BEFORE, moment);
    return new Tail(database, tenant, deployment, new Map(shards.map(({ shard, position }) => [shard, position])), letters!.last);
  }

  /** What has come in since the last look, in the order of receipt. */
  async look(): Promise<Arrived[]> {
    this.behind = false;
    const arrived: Arrived[] = [...(await this.events()), ...(await this.letters())];
    return arrived.sort((one, other) => one.received - other.received);
  }

  private async events(): Promise<ArrivedEvent[]> {
    const moved: { shard: number; low: number; high: number }[] = [];
    for (const { shard, position } of await this.database.query<{ shard: number; position: number }>(HEADS)) {
      const low = this.seen.get(shard) ?? 0;
      const high = Math.min(position, low + PAGE);
      if (high > low) moved.push({ shard, low, high });
      if (high < position) this.behind = true;
    }
    if (moved.length === 0) return [];
    const ranges = [moved.map(({ shard }) => shard), moved.map(({ low }) => low), moved.map(({ high }) => high)];
    const events = await this.database.query<ArrivedEvent>(EVENTS, [...ranges, this.tenant, this.deployment]);
    for (const { shard, high } of moved) this.seen.set(shard, high);
    return events;
  }

  private async letters(): Promise<ArrivedLetter[]> {
    this.gaps = this.gaps.filter(({ until }) => until > Date.now());
    const found = await this.database.query<ArrivedLetter & { number: number }>(LETTERS, [this.gaps.map(({ low }) => low), this.gaps.map(({ high }) => high)]);
    if (found.length >= PAGE) this.behind = true;
    this.gaps = this.gaps.flatMap((gap) => without(gap, found.filter(({ number }) => number >= gap.low && number <= gap.high).map(({ number }) => number)));
    return found.filter((letter) => this.concerns(letter)).map(({ number: _, ...letter }) => letter);
  }

  /** Where no deployment, or not even the tenant, could be read, it may be anybody's. */
  private concerns({ tenant, deployment }: ArrivedLetter): boolean {
    return tenant === null || (tenant === this.tenant && (deployment === null || deployment === this.deployment));
  }
}

/** Letters are numbered before they are committed, so one may appear after others with higher numbers: what lies between those found stays a gap. */
function without({ low, high, until }: Gap, found: number[]): Gap[] {
  const rest: Gap[] = [];
  let next = low;
  for (const number of found) {
    if (number > next) rest.push({ low: next, high: number - 1, until: Math.min(until, Date.now() + ROLLED_BACK_MS) });
    next = number + 1;
  }
  if (next <= high) rest.push({ low: next, high, until });
  return rest;
}

const MOMENT = `('epoch'::timestamptz + $1::float8 * interval '1 microsecond')`;
const MICROS = (column: string): string => `(extract(epoch from ${column}) * 1000000)::float8`;
const SHORT = (column: string): string => `left(encode(${column}, 'hex'), ${SHOWN})`;

const HEADS = `select shard, position::float8 from head where shard < ${USAGE_SHARDS}`;
const LAST_LETTER = `select coalesce(max(dead_letter), 0)::float8 as last from dead_letter`;

/** By shard the last position received before a moment, found by halving: low was received before it, high was not. */
export const SHARDS_BEFORE = `
with recursive halving as (
  select shard, 0::int8 as low, position + 1 as high from head where shard < ${USAGE_SHARDS}
  union all
  select shard, case when received < ${MOMENT} then middle else low end, case when received < ${MOMENT} then high else middle end
    from (select shard, low, high, (low + high) / 2 as middle from halving where high - low > 1) h
    cross join lateral (select received from event e where e.shard = h.shard and e.position = h.middle) e
)
select shard, low::float8 as position from halving where high - low = 1`;

/** The same of dead letters, whose numbers have holes: the next there is speaks for each. */
const LETTERS_BEFORE = `
with recursive halving as (
  select coalesce(min(dead_letter), 1) - 1 as low, coalesce(max(dead_letter), 0) + 1 as high from dead_letter
  union all
  select case when received < ${MOMENT} then middle else low end, case when received < ${MOMENT} then high else middle end
    from (select low, high, (low + high) / 2 as middle from halving where high - low > 1) h
    cross join lateral (select received from dead_letter where dead_letter >= h.middle order by dead_letter limit 1) l
)
select low::float8 as last from halving where high - low = 1`;

const EVENTS = `
select 'stored' as outcome, ${MICROS('e.received')} as received, ${MICROS('e.time')} as time, e.type, e.id, s.name as source,
       ${SHORT('p.pseudonym')} as person, ${SHORT('a.pseudonym')} as actor, e.skew_ms::float8 as "skewMs", e.data
  from unnest($1::int2[], $2::int8[], $3::int8[]) as moved(shard, low, high)
  cross join lateral (select * from event where shard = moved.shard and position > moved.low and position <= moved.high order by position limit ${PAGE}) e
  join source s using (source) left join person p on p.person = e.person left join person a on a.person = e.actor
 where e.deployment = (select d.deployment from deployment d join tenant t using (tenant) where t.name = $4 and d.id = $5)
 order by e.shard, e.position`;

const LETTERS = `
select l.dead_letter::float8 as number, l.kind as outcome, ${MICROS('l.received')} as received, l.tenant, l.deployment, l.type, l.id, l.source, l.field, l.reason, l.fix
  from unnest($1::int8[], $2::int8[]) as gap(low, high)
  cross join lateral (select * from dead_letter where dead_letter between gap.low and gap.high order by dead_letter limit ${PAGE}) l
 order by l.dead_letter`;
