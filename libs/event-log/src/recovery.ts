/**
 * What a log that was restored knows of the moment it was set back to: how far it reaches, who was writing into it then,
 * and whether its parts belong together. It is asked before anything runs: a projector finishes the ways in that fall silent.
 */
import { type Database } from '@foothold/platform';
import { SEEN } from './origin.js';
import { isoText, LIFECYCLE_SHARD } from './schema.js';

/** How much the log holds and when the last of it came in: nothing was committed later. Null: nothing ever was. */
export async function reach(database: Database): Promise<{ events: number; last: string | null; facts: number; lastFact: string | null }> {
  const rows = await database.query<{ events: number; last: string | null; facts: number; lastFact: string | null }>(
    `select coalesce(sum(position) filter (where shard < $1), 0)::float8 as events, ${isoText('max(received) filter (where shard < $1 and position > 0)')} as last,
            coalesce(sum(position) filter (where shard = $1), 0)::float8 as facts, ${isoText('max(received) filter (where shard = $1 and position > 0)')} as "lastFact" from head`,
    [LIFECYCLE_SHARD],
  );
  return rows[0]!;
}

/** Direct ways in that were open: what was handed over before `seen` is in the log, with `received` records in all. `ever`: how many there have been. */
export async function openDirectOrigins(database: Database): Promise<{ ever: number; open: { name: string; openedAt: string; seen: string; received: number }[] }> {
  const open = await database.query<{ name: string; openedAt: string; seen: string; received: number }>(
    `select name, ${isoText('opened_at')} as "openedAt", ${isoText(`coalesce(${SEEN}, opened_at)`)} as seen, (next_offset - first_offset)::float8 as received
       from origin where kind = 'direct' and not finished order by origin`,
  );
  const [row] = await database.query<{ ever: number }>(`select count(*)::int as ever from origin where kind = 'direct'`);
  return { ever: row!.ever, open };
}

/** The reading of a file that was finished last: files read later are to be imported again. */
export async function lastReading(database: Database): Promise<{ name: string; finishedAt: string } | undefined> {
  const rows = await database.query<{ name: string; finishedAt: string }>(
    `select name, ${isoText('end_seen_at')} as "finishedAt" from origin where kind = 'file' and finished and end_seen_at is not null order by end_seen_at desc limit 1`,
  );
  return rows[0];
}

/** Checkpoints that stand beyond the log they were folded from: log and read tables come from different moments. */
export async function strayCheckpoints(database: Database): Promise<{ projection: string; shard: number; position: number; head: number }[]> {
  return database.query(
    `select projection, shard, c.position::float8 as position, coalesce(h.position, 0)::float8 as head
       from checkpoint c left join head h using (shard) where c.position > coalesce(h.position, 0) order by projection, shard`,
  );
}

/** Numbers that would be given a second time: after a restore from a dump that was put together by hand. */
export async function staleNumbering(database: Database): Promise<{ table: string; column: string; next: number; greatest: number }[]> {
  const columns = await database.query<{ table: string; column: string; sequence: string }>(
    `select c.relname as table, a.attname as column, pg_get_serial_sequence(quote_ident(c.relname), a.attname) as sequence
       from pg_attribute a join pg_class c on c.oid = a.attrelid
      where a.attidentity <> '' and c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace order by c.relname`,
  );
  const stale: { table: string; column: string; next: number; greatest: number }[] = [];
  for (const { table, column, sequence } of columns) {
    const [row] = await database.query<{ next: number; greatest: number }>(
      `select (select case when is_called then last_value + 1 else last_value end from ${sequence})::float8 as next, coalesce(max("${column}"), 0)::float8 as greatest from "${table}"`,
    );
    if (row!.next <= row!.greatest) stale.push({ table, column, ...row! });
  }
  return stale;
}
