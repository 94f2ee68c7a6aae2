/**
 * Origins: where records come from (a Kafka partition, one reading of a file, one process that hands them over directly),
 * each with its fence and its ledger. received is next offset - first offset - offsets that carry no record: counted from the reading alone,
 * never from what became of the records, so that `verify` compares two independent counts.
 */
import { type Database } from '@foothold/platform';
import { isoText } from './schema.js';

/** A stretch of an origin's records, from the offset expected next (`from`) up to, not including, `next`. */
export interface Stretch {
  origin: number;
  from: number;
  next: number;
  /** Offsets in the stretch that carry no record: blank lines, transaction markers, holes of compaction. */
  voids: number;
  /** Fingerprint of the last record in the stretch and its offset; null where it holds none. */
  mark: string | null;
  markOffset: number | null;
}

export interface Origin {
  origin: number;
  nextOffset: number;
  mark: string | null;
  markOffset: number | null;
}

export interface OriginKey {
  kind: 'kafka' | 'file' | 'direct';
  /** Tells one cluster and topic, one file's content and reading, or one process from every other. */
  name: string;
  part: number;
  /** The only tenant that writes there; null where several may. */
  tenant: string | null;
  /** The earliest offset there is when the origin is first met. */
  firstOffset: number;
}

const FIELDS = `origin, next_offset::float8 as "nextOffset", mark, mark_offset::float8 as "markOffset"`;

/** The fence of an origin, made where it is new. */
export async function openOrigin(database: Database, key: OriginKey): Promise<Origin> {
  await database.query(
    `insert into origin (kind, name, part, tenant, first_offset, next_offset) values ($1, $2, $3, $4, $5, $5) on conflict do nothing`,
    [key.kind, key.name, key.part, key.tenant, key.firstOffset],
  );
  const rows = await database.query<Origin>(`select ${FIELDS} from origin where name = $1 and part = $2`, [key.name, key.part]);
  return rows[0]!;
}

/** The moment that was seen last; one that has not come yet was set by an earlier version, under a process's own clock, and says nothing. */
export const SEEN = 'case when end_seen_at <= clock_timestamp() then end_seen_at end';

/** The database's clock (milliseconds since 1970), which alone dates what is remembered of ends: processes' own may be hours away. */
export async function databaseTime(database: Database): Promise<number> {
  const rows = await database.query<{ now: number }>('select (extract(epoch from clock_timestamp()) * 1000)::float8 as now');
  return rows[0]!.now;
}

/**
 * Remembers that everything which had arrived by `moment` (an ISO time of the database's clock, taken before the end was asked for) is recorded.
 * Says nothing where the fence has not reached `end`, or the origin is finished: then the answer is false.
 */
export async function markEndSeen(database: Database, origin: number, end: number, moment: string): Promise<boolean> {
  const rows = await database.query(
    `with marked as (update origin set end_seen_at = greatest(${SEEN}, least($3::timestamptz, clock_timestamp())) where origin = $1 and next_offset >= $2 and not finished returning origin) select from marked`,
    [origin, end, moment],
  );
  return rows.length > 0;
}

/** Finishes the direct origins that have not been marked for `silenceMs`: their processes ended without a word, and would hold every answer's completeThrough. */
export async function finishSilent(database: Database, silenceMs: number): Promise<void> {
  await database.query(
    `update origin set finished = true, end_seen_at = clock_timestamp()
      where kind = 'direct' and not finished and coalesce(${SEEN}, opened_at) < clock_timestamp() - $1::float8 * interval '1 millisecond'`,
    [silenceMs],
  );
}

/** Closes a reading or a direct way in: no record can be added to it any more, and nothing waits for it. */
export async function finishOrigin(database: Database, origin: number): Promise<void> {
  await database.query(`update origin set finished = true, end_seen_at = clock_timestamp() where origin = $1 and not finished`, [origin]);
}

/** Readings of files that began before `moment` (an ISO time) and have not come to their end: each holds its tenant's completeThrough. */
export async function openReadings(database: Database, moment: string): Promise<{ origin: number; tenant: string; name: string; openedAt: string; lines: number }[]> {
  return database.query(
    `select origin, tenant, name, to_char(opened_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "openedAt", (next_offset - first_offset)::float8 as lines
       from origin where kind = 'file' and not finished and opened_at < $1::timestamptz order by origin`,
    [moment],
  );
}

/** A Kafka origin that is read, or should be. */
export interface KafkaOrigin {
  origin: number;
  name: string;
  part: number;
  nextOffset: number;
  /** The last moment (ISO) at which everything that had arrived was recorded, and how many seconds ago that was; null: never seen. */
  endSeenAt: string | null;
  unseen: number | null;
}

/** The Kafka origins that are not given up. */
export async function kafkaOrigins(database: Database): Promise<KafkaOrigin[]> {
  return database.query(
    `select origin, name, part, next_offset::float8 as "nextOffset", ${isoText(SEEN)} as "endSeenAt",
            extract(epoch from clock_timestamp() - ${SEEN})::float8 as unseen
       from origin where kind = 'kafka' and not finished order by name, part`,
  );
}

/** Readings of one file's content so far, and the one that is open. */
export async function readings(database: Database, namePrefix: string): Promise<{ finished: number; open: string | null }> {
  const rows = await database.query<{ name: string; finished: boolean }>(
    `select name, finished from origin where kind = 'file' and starts_with(name, $1)`, [namePrefix],
  );
  return { finished: rows.filter((row) => row.finished).length, open: rows.find((row) => !row.finished)?.name ?? null };
}

/**
 * The moment up to which every answer for `tenant` is complete, in microseconds since 1970: the least over usage shards and
 * running origins of the last moment at which the recorder (or the direct way in) had seen the end and the projector that
 * head. A finished origin holds nothing back; where there is nothing else it gives the moment its last append was folded. An
 * unfinished reading holds it at the moment it began; a direct way in that was never marked likewise, or where the
 * projector stands if that is earlier: before it began nothing came that way. Null: nothing can be said yet.
 */
export async function completeThrough(database: Database, tenant: string, projection: string): Promise<number | null> {
  const rows = await database.query<{ at: number | null }>(
    `with mine as (
       select origin, finished, kind, opened_at, end_seen_at from origin where tenant is null or tenant = $1
     ), folded as (
       select case when count(latest) = count(*) then min(latest) end as at
         from (select (select max(value::numeric) from jsonb_each_text(c.seen)) as latest from checkpoint c where c.projection = $2) c
     ), seen as (
       select m.finished, case when m.kind = 'file' and not m.finished then extract(epoch from m.opened_at) * 1000000
              else coalesce((select case when count(c.seen -> m.origin::text) = count(*) then min((c.seen ->> m.origin::text)::numeric) end
                               from checkpoint c where c.projection = $2),
                            case when m.kind = 'direct' and not m.finished then (select least(extract(epoch from m.opened_at) * 1000000, f.at) from folded f where f.at is not null) end) end as at
         from mine m
     )
     select least(at, extract(epoch from clock_timestamp()) * 1000000)::float8 as at
       from (select case when bool_or(not finished) then case when count(*) filter (where not finished and at is null) = 0 then min(at) filter (where not finished) end
                         else max(at) end as at from seen) known where at is not null`,
    [tenant, projection],
  );
  return rows[0]?.at ?? null;
}
