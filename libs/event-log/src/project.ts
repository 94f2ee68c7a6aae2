/**
 * Folds a shard of the log into a projection's tables.
 *
 * What arrives: the shard's events after the checkpoint. What leaves: rows of the projection's tables and the
 * moved checkpoint, in one transaction. Next is whoever queries the tables.
 *
 * A shard is leased by the lock on its checkpoint row: it lasts as long as the transaction, so it cannot be
 * forgotten, and a stalled holder loses it with its transaction (see openDatabase). A projector that finds a
 * shard leased goes on to the next.
 *
 * The checkpoint says which version of the fold wrote the tables, and no other folds into them: rows of two versions side
 * by side would be the facts of neither. A projector of an older version leaves them alone; one of a newer version has
 * them rebuilt first (see rebuild), while older ones go on.
 */
import { measuring, type Database, type PoolClient } from '@foothold/platform';
import { copyInto, typedRows, type ColumnType, type Value } from './copy.js';
import { type Log } from './identities.js';
import { SEEN } from './origin.js';
import { read, type LoggedEvent } from './read.js';
import { USAGE_SHARDS } from './schema.js';

/** A projection's table: its first column is always `shard`, its key columns come next. */
export interface Table<Row> {
  name: string;
  columns: Record<keyof Row & string, ColumnType>;
  key: readonly (keyof Row & string)[];
}

/** A table whatever its rows. */
export type AnyTable = Table<Record<string, Value>>;

/** What a fold works with: it takes rows of its shard out and puts them back as they shall be. */
export interface Store {
  readonly shard: number;
  /** Takes the rows with these keys out of the table, by `keyOf`; what is not put back is gone. Rows that do not exist are absent. */
  take<Row>(table: Table<Row>, keys: Iterable<Row>): Promise<Map<string, Row>>;
  /** Writes rows that are not in the table. */
  put<Row>(table: Table<Row>, rows: Iterable<Row>): Promise<void>;
  /** A deployment's registration, by its number. */
  registration(deployment: number): unknown;
}

export interface Projection {
  name: string;
  /**
   * Raised with every change after which the same events give other rows. Columns that a version adds are there before it
   * (a migration adds them, nullable), and whoever reads them finds null until the tables have been rebuilt.
   */
  version: number;
  /** What it is folded into. */
  tables: readonly AnyTable[];
  /** Events folded in one transaction. */
  page: number;
  fold(events: LoggedEvent[], store: Store): Promise<void>;
}

/** A row's key as one string. */
export function keyOf<Row>(table: Table<Row>, row: Row): string {
  let key = '';
  for (const column of table.key) key += `${row[column] as Value}\u0001`;
  return key;
}

/** What one call of `project` found: how many events it folded, that another projector is at it, or that the tables are another version's. */
export type Progress = { folded: number; behind: boolean; /** Of the traces that the folded events belong to. */ traceparents: string[] } | 'leased' | 'other version';

const measured = measuring((meter) => ({
  size: meter.createHistogram('project.size', { description: 'events in a page', advice: { explicitBucketBoundaries: [1, 10, 50, 100, 500, 1_000, 2_500, 5_000, 10_000] } }),
  duration: meter.createHistogram('project.duration', { unit: 's', description: 'how long a page took to be folded, to its commit', advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] } }),
  delay: meter.createHistogram('project.delay', { unit: 's', description: 'how long the oldest event of a page was in the log until it was folded', advice: { explicitBucketBoundaries: [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3_600, 86_400] } }),
}));

function measure(events: LoggedEvent[], began: number): void {
  const { size, duration, delay } = measured();
  size.record(events.length);
  duration.record((performance.now() - began) / 1000);
  delay.record(Math.max(0, Date.now() - events[0]!.received / 1000) / 1000); // stamps never run backwards in a shard
}

/**
 * Folds the next page of one shard.
 * `behind` is false once the shard's head was reached; only then does the checkpoint note what the origins had seen.
 */
export async function project(log: Log, projection: Projection, shard: number): Promise<Progress> {
  const began = performance.now();
  let page: LoggedEvent[] = [];
  const progress = await log.database.transaction(async (client): Promise<Progress> => {
    const leased = await client.query<{ position: string; version: number; seen: string; now_seen: string | null }>({ name: 'project-lease', text: LEASE, values: [projection.name, shard] });
    const checkpoint = leased.rows[0];
    if (!checkpoint) return 'leased';
    if (checkpoint.version !== projection.version) return 'other version';
    const events = (page = await foldPage(log, client, projection, shard, Number(checkpoint.position)));
    const behind = events.length === projection.page;
    const position = events.at(-1)?.position ?? Number(checkpoint.position);
    const seen = behind ? checkpoint.seen : (checkpoint.now_seen ?? '{}');
    if (events.length > 0 || seen !== checkpoint.seen) {
      await client.query({ name: 'project-move', text: MOVE, values: [projection.name, shard, position, seen] });
    }
    const marks = events.length === 0 ? [] : (await client.query<{ traceparent: string }>({ name: 'project-marks', text: TAKE_MARKS, values: [shard, position] })).rows;
    return { folded: events.length, behind, traceparents: marks.map(({ traceparent }) => traceparent) };
  });
  if (page.length > 0) measure(page, began);
  return progress;
}

/**
 * Folds the events after a position, a page at most, in a transaction of the caller's, who moves the checkpoint.
 * @param schema whose tables are folded into; where it is left out, those that are read
 */
export async function foldPage(log: Log, client: PoolClient, { page, fold }: Projection, shard: number, position: number, schema?: string, most = page): Promise<LoggedEvent[]> {
  const events = await read(log, client, shard, position, Math.min(page, most));
  if (events.length > 0) await fold(events, new PageStore(log, client, shard, schema === undefined ? '' : `${schema}.`));
  return events;
}

/** Makes the checkpoints of a projection where there are none. */
export async function prepare(database: Database, projection: Projection): Promise<void> {
  await database.query(
    `insert into checkpoint (projection, shard, position, version) select $1, shard, 0, $2 from generate_series(0, ${USAGE_SHARDS - 1}) shard on conflict do nothing`,
    [projection.name, projection.version],
  );
}

/** The version of the fold that wrote a projection's tables. The projection must be prepared. */
export async function liveVersion(database: Database, projection: Projection): Promise<number> {
  const rows = await database.query<{ version: number }>('select min(version) as version from checkpoint where projection = $1', [projection.name]);
  return rows[0]!.version;
}

/** Events that are in the log and not yet in the projection, those that are, and for how many seconds the oldest of the first has waited. */
export async function lag(database: Database, projection: string): Promise<{ folded: number; behind: number; waited: number }> {
  const rows = await database.query<{ folded: number; behind: number; waited: number }>(
    `select sum(coalesce(c.position, 0))::float8 as folded, sum(h.position - coalesce(c.position, 0))::float8 as behind,
            coalesce(extract(epoch from clock_timestamp() - min(next.received)), 0)::float8 as waited
       from head h left join checkpoint c on c.shard = h.shard and c.projection = $1
       left join event next on next.shard = h.shard and next.position = coalesce(c.position, 0) + 1
      where h.shard < $2`,
    [projection, USAGE_SHARDS],
  );
  const { folded, behind, waited } = rows[0]!;
  return { folded, behind, waited: Math.max(0, waited) };
}

/**
 * What the origins have seen is read before the events, so a page that ends at the head holds all of it. Of direct ways in
 * that are finished the latest says it for all: there is one for each start of a process.
 */
const LEASE = `select position, version, seen::text, (select jsonb_object_agg(o.origin, extract(epoch from ${SEEN}) * 1000000)
    from origin o where ${SEEN} is not null and (o.kind <> 'direct' or not o.finished
      or o.origin = (select l.origin from origin l where l.kind = 'direct' and l.finished order by ${SEEN} desc nulls last limit 1)))::text as now_seen
  from checkpoint where projection = $1 and shard = $2 for update skip locked`;
const TAKE_MARKS = `delete from trace_mark where shard = $1 and position <= $2 returning traceparent`;
const MOVE = `update checkpoint set position = $3, seen = $4::jsonb where projection = $1 and shard = $2`;

class PageStore implements Store {
  constructor(
    private readonly log: Log,
    private readonly client: PoolClient,
    readonly shard: number,
    private readonly prefix: string,
  ) {}

  registration(deployment: number): unknown {
    return this.log.identities.deploymentOf(deployment).registration;
  }

  async take<Row>(table: Table<Row>, keys: Iterable<Row>): Promise<Map<string, Row>> {
    const taken = new Map<string, Row>();
    const wanted = [...keys];
    if (wanted.length === 0) return taken;
    const columns = Object.keys(table.columns) as (keyof Row & string)[];
    const rows = await typedRows(
      this.client,
      `delete from ${this.prefix}${table.name} r using ${this.keyList(table)} where r.shard = $1 and ${table.key.map((column) => `r.${column} = k.${column}`).join(' and ')}
       returning ${columns.map((column) => `r.${column}`).join(', ')}`,
      [this.shard, ...table.key.map((column) => wanted.map((row) => row[column]))],
      `take-${this.prefix}${table.name}`,
    );
    for (const values of rows) {
      const row = {} as Record<string, Value>;
      for (let i = 0; i < columns.length; i++) row[columns[i]!] = values[i]!;
      taken.set(keyOf(table, row as Row), row as Row);
    }
    return taken;
  }

  async put<Row>(table: Table<Row>, rows: Iterable<Row>): Promise<void> {
    const columns = Object.keys(table.columns) as (keyof Row & string)[];
    const values: Value[] = [this.shard];
    function* all(): Generator<Value[]> {
      for (const row of rows) {
        for (let i = 0; i < columns.length; i++) values[i + 1] = row[columns[i]!] as Value;
        yield values;
      }
    }
    await copyInto(this.client, `${this.prefix}${table.name}`, { shard: 'int2', ...table.columns }, all());
  }

  private keyList<Row>(table: Table<Row>): string {
    const keys = table.key.map((column) => ({ column, ...(NUMBERED[table.columns[column]] ?? { type: table.columns[column], from: (key: string) => key }) }));
    const arrays = keys.map(({ type }, i) => `$${i + 2}::${type}[]`);
    const names = keys.map(({ column, from }) => `${from(`k.${column}`)} as ${column}`);
    return `(select ${names.join(', ')} from unnest(${arrays.join(', ')}) as k(${table.key.join(', ')})) k`;
  }
}

/** Keys that are numbers here and not in the table: what they come as, and how they are made from it. */
const NUMBERED: Partial<Record<ColumnType, { type: ColumnType; from: (key: string) => string }>> = {
  date: { type: 'int4', from: (key) => `'1970-01-01'::date + ${key}` },
  timestamptz: { type: 'int8', from: (key) => `'epoch'::timestamptz + ${key} * interval '1 microsecond'` },
};
