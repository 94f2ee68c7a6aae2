/**
 * Folds a projection anew from the beginning of the log, beside its live tables.
 *
 * What arrives: the whole log. What leaves: the same tables, folded again, in the place of the old ones. Next is whoever
 * queries them; nobody notices, but that figures are right where they were not.
 *
 *   prepare   a schema beside, with tables and indexes as the live ones have them, and checkpoints of its own
 *   fold      page after page, as live does; a rebuild that was killed goes on from its checkpoints
 *   compare   shard by shard: live is held at its position, the rest is folded up to there, and every column compared
 *   swap      all of live is held, the rest is folded, the tables change places: one transaction
 *
 * The log is never written to, and live goes on but for the moments in which it is held. Where live is of an older version
 * of the fold, rows are expected to differ: they are counted and the tables swapped, and from then on only the new version
 * folds into them. Where the version is the same and anything differs, live was wrong, and nothing is swapped unless that
 * was asked for.
 */
import { WrongInput } from '@foothold/contract';
import { isLockedOut, LOCK_MS, untilLocked, type PoolClient } from '@foothold/platform';
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Log } from './identities.js';
import { foldPage, liveVersion, prepare as prepareLive, type Projection } from './project.js';
import { USAGE_SHARDS } from './schema.js';

/** Shards folded at the same time. */
const AT_ONCE = 2;
/** For two minutes. */
const SWAP_ATTEMPTS = 30;
/** Before it is looked again whose tables they are. */
const OVERTAKEN_MS = 1_000;

export interface RebuildOptions {
  /** Throws away what a rebuild that was interrupted has folded. */
  fresh?: boolean;
  /** Swaps though rows of the same version differ. */
  acceptDifferences?: boolean;
  /** Ends the rebuild between two pages; the next one goes on from there. */
  signal?: AbortSignal;
  /** Told how many of how many events are folded, the second of which grows while live goes on; and while rows are compared, that it goes on. */
  progress?: (folded: number, of: number) => void;
}

export interface Rebuilt {
  projection: string;
  /** Of the fold that live had until now, and of this one. */
  replaced: number;
  version: number;
  /** Folded by this call; what an interrupted one had folded is not counted again. */
  events: number;
  /** Rows that live has and the rebuilt table has not in every column the same, or the other way round, by table. */
  differences: Record<string, number>;
  swapped: boolean;
}

const SHARDS = Array.from({ length: USAGE_SHARDS }, (_, shard) => shard);

/** Somebody else's rebuild of the same projection has come to its end first. */
export class Overtaken extends Error {
  constructor(projection: string) {
    super(`another rebuild of ${projection} has come to its end meanwhile; what it found stands`);
    this.name = 'Overtaken';
  }
}

/**
 * Has a projection's tables be of this version of its fold: rebuilds them where they are of an older one.
 * @returns the version that they are of now: where it is a newer one, nobody of this version may fold into them
 */
export async function adoptVersion(log: Log, projection: Projection, options: Pick<RebuildOptions, 'signal' | 'progress'> = {}): Promise<number> {
  for (;;) {
    const live = await liveVersion(log.database, projection);
    if (live >= projection.version) return live;
    try {
      await rebuild(log, projection, options);
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error;
      await pause(OVERTAKEN_MS, undefined, options.signal ? { signal: options.signal } : {});
    }
  }
}

/**
 * Rebuilds a projection. Safe to kill at any moment, and to run twice.
 * @throws WrongInput where views read the tables, where a newer version has written or rebuilds them, or where the role may make no schema; Overtaken
 */
export async function rebuild(log: Log, projection: Projection, options: RebuildOptions = {}): Promise<Rebuilt> {
  const beside = new Beside(log, projection, options);
  await prepareLive(log.database, projection);
  const replaced = await liveVersion(log.database, projection);
  if (replaced > projection.version) throw new WrongInput('projection', `its tables are of version ${replaced} of the fold, and this program knows ${projection.version}`, 'rebuild with the newer Foothold');
  await log.database.transaction((client) => beside.refuseReaders(client));
  if (options.fresh) await log.database.transaction((client) => beside.remove(client));
  await log.database.transaction((client) => beside.prepare(client));
  const shards = [...SHARDS];
  let failed = false;
  const work = async () => {
    try {
      for (let shard = shards.shift(); shard !== undefined; shard = shards.shift()) while (!failed && (await beside.page(shard))) options.signal?.throwIfAborted();
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  // Whoever hears of a failure finds nothing of this rebuild at work any more.
  const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
  await beside.analyse();
  const differences: Record<string, number> = Object.fromEntries(projection.tables.map(({ name }) => [name, 0]));
  for (const shard of SHARDS) {
    options.signal?.throwIfAborted();
    for (const [table, count] of Object.entries(await beside.compare(shard))) differences[table]! += count;
  }
  const equal = Object.values(differences).every((count) => count === 0);
  const swapped = equal || replaced < projection.version || options.acceptDifferences === true;
  if (swapped) await beside.swap();
  return { projection: projection.name, replaced, version: projection.version, events: beside.folded, differences, swapped };
}

/** The tables beside the live ones. */
class Beside {
  folded = 0;
  private readonly schema: string;
  private readonly checkpoint: string;
  /** Where the shards stand, for the progress that is told. */
  private readonly positions = new Map<number, { at: number; of: number }>();

  constructor(
    private readonly log: Log,
    private readonly projection: Projection,
    private readonly options: RebuildOptions,
  ) {
    this.schema = `rebuild_${projection.name}`;
    this.checkpoint = `${projection.name} rebuilt`;
  }

  async remove(client: PoolClient): Promise<void> {
    await client.query('delete from checkpoint where projection = $1', [this.checkpoint]); // first, as those do who fold
    await client.query(`drop schema if exists ${this.schema} cascade`);
  }

  /** Tables as the live ones are; indexes and constraints under the same names, by which migrations find them. */
  async prepare(client: PoolClient): Promise<void> {
    await client.query(`select pg_advisory_xact_lock(hashtext($1))`, [this.schema]);
    const mark = await this.mark(client);
    const { rows } = await client.query<{ mark: string | null; may: boolean }>(BESIDE, [this.schema]);
    const { mark: there, may } = rows[0]!;
    if (there === mark) return;
    const other = Number(/^version (\d+)/.exec(there ?? '')?.[1] ?? 0);
    if (other > this.projection.version) throw new WrongInput('projection', `version ${other} of its fold is being rebuilt, and this program knows ${this.projection.version}`, 'let the newer Foothold come to its end; if it is not to come back: foothold rebuild --fresh');
    // Of an older version, or of tables that have changed since: half of one fold and half of another would be no fold at all.
    if (there !== null) await this.remove(client);
    if (!may) throw new WrongInput('DATABASE_URL', 'its role may not create a schema, in which a rebuild folds', 'let it: grant create on database (its name) to (the role)');
    await client.query(`create schema ${this.schema}`);
    await client.query(`comment on schema ${this.schema} is '${mark}'`);
    for (const { name } of this.projection.tables) {
      await client.query(`create table ${this.schema}.${name} (like ${name} including all excluding indexes)`);
      for (const what of [INDEXES, WORDS]) await this.asLive(client, what, name);
    }
    await client.query(`insert into checkpoint (projection, shard, position, version) select $1, shard, 0, $2 from generate_series(0, ${USAGE_SHARDS - 1}) shard`, [this.checkpoint, this.projection.version]);
  }

  /** What an interrupted rebuild must have been of to be gone on with: this version of the fold, and tables as they are now. */
  private async mark(client: PoolClient): Promise<string> {
    const hash = createHash('sha256');
    for (const { name } of this.projection.tables) for (const what of [COLUMNS, INDEXES]) {
      const { rows } = await client.query<{ statement: string }>(what, [name, this.schema]);
      hash.update(JSON.stringify([name, rows]));
    }
    return `version ${this.projection.version}: ${hash.digest('hex')}`;
  }

  /** Does to the table beside what was done to live's. */
  private async asLive(client: PoolClient, what: string, table: string): Promise<void> {
    const { rows } = await client.query<{ statement: string | null }>(what, [table, this.schema]);
    for (const { statement } of rows) if (statement !== null) await client.query(statement);
  }

  /** @throws WrongInput where views read the tables: they would go on reading the old ones, which therefore cannot go. */
  async refuseReaders(client: PoolClient): Promise<void> {
    const { rows: views } = await client.query<{ view: string }>(VIEWS, [this.projection.tables.map(({ name }) => name)]);
    if (views.length === 0) return;
    throw new WrongInput('projection', `its tables cannot change places while views read them: ${views.map(({ view }) => view).join(', ')}`, 'drop the views, rebuild, and make them again');
  }

  /** Folds a page. @returns whether the shard is still behind live */
  async page(shard: number): Promise<boolean> {
    return this.log.database.transaction(async (client) => {
      const at = await this.position(client, shard);
      const { rows } = await client.query<{ position: string }>('select position from checkpoint where projection = $1 and shard = $2', [this.projection.name, shard]);
      const live = Number(rows[0]?.position ?? 0);
      return (await this.foldUpTo(client, shard, at, live)) < live;
    });
  }

  /** Without statistics the first question after the swap would be planned as if the tables were empty. */
  async analyse(): Promise<void> {
    await this.log.database.transaction(async (client) => {
      await this.position(client, 0); // held, so that the tables stay
      for (const { name } of this.projection.tables) {
        await client.query(`analyze ${this.schema}.${name}`);
        this.tell();
      }
    });
  }

  /** Holds live's shard, folds up to where it stands, and counts the rows that are not the same in every column. */
  async compare(shard: number): Promise<Record<string, number>> {
    return this.log.database.transaction(async (client) => {
      await this.catchUp(client, shard);
      const found: Record<string, number> = {};
      for (const { name } of this.projection.tables) {
        const [live, anew] = [name, `${this.schema}.${name}`].map((table) => `select * from ${table} where shard = $1`);
        const { rows } = await client.query<{ count: number }>(`select count(*)::int as count from ((${live} except all ${anew}) union all (${anew} except all ${live})) differing`, [shard]);
        found[name] = rows[0]!.count;
        this.tell();
      }
      return found;
    });
  }

  /** Puts the tables in the place of the live ones. Live's checkpoints stay, since both stand where they say, but for the version. */
  async swap(): Promise<void> {
    const { folded } = this;
    await untilLocked(SWAP_ATTEMPTS, () => {
      this.folded = folded; // what an attempt before has folded was rolled back
      return this.log.database.transaction(async (client) => {
        for (const shard of SHARDS) await this.catchUp(client, shard);
        await client.query(`set local lock_timeout = ${LOCK_MS}`);
        await client.query(`lock table ${this.projection.tables.map(({ name }) => name).join(', ')} in access exclusive mode`);
        await this.refuseReaders(client);
        // A migration that came while we waited would be undone, and nobody would run it again.
        const { rows: beside } = await client.query<{ mark: string | null }>(BESIDE, [this.schema]);
        if (beside[0]!.mark !== (await this.mark(client))) throw new WrongInput('projection', 'its tables were changed while it was rebuilt', 'rebuild it again: it is begun anew');
        for (const { name } of this.projection.tables) {
          const { rows } = await client.query<{ schema: string }>('select quote_ident(nspname) as schema from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = $1::text::regclass', [name]);
          for (const what of [OPTIONS, OWNER, GRANTS]) await this.asLive(client, what, name); // as they are at this moment
          await client.query(`drop table ${name}`);
          await client.query(`alter table ${this.schema}.${name} set schema ${rows[0]!.schema}`);
        }
        await client.query('update checkpoint set version = $2 where projection = $1', [this.projection.name, this.projection.version]);
        await this.remove(client);
      });
    }).catch((error: unknown) => {
      throw isLockedOut(error) ? new WrongInput('projection', `somebody has held its tables for ${(SWAP_ATTEMPTS * 2 * LOCK_MS) / 1000} s`, 'rebuild it again, which takes up what is folded, once they are let go: select pid, query from pg_stat_activity where xact_start < now() - interval \'1 minute\'') : error;
    });
  }

  /** Folds what is left before live's position, which is held until the end of the transaction. */
  private async catchUp(client: PoolClient, shard: number): Promise<void> {
    const { rows } = await client.query<{ position: string }>('select position from checkpoint where projection = $1 and shard = $2 for update', [this.projection.name, shard]);
    const live = Number(rows[0]?.position ?? 0);
    for (let at = await this.position(client, shard); at < live; ) at = await this.foldUpTo(client, shard, at, live);
  }

  private async position(client: PoolClient, shard: number): Promise<number> {
    const { rows } = await client.query<{ position: string }>('select position from checkpoint where projection = $1 and shard = $2 and version = $3 for update', [this.checkpoint, shard, this.projection.version]);
    if (!rows[0]) throw new Overtaken(this.projection.name); // swapped, or begun anew by another version
    return Number(rows[0].position);
  }

  /** Folds a page that ends at live's position at the latest. @returns how far the shard is folded then */
  private async foldUpTo(client: PoolClient, shard: number, at: number, live: number): Promise<number> {
    const events = live > at ? await foldPage(this.log, client, this.projection, shard, at, this.schema, live - at) : [];
    const position = events.at(-1)?.position ?? at;
    if (position > at) await client.query('update checkpoint set position = $3 where projection = $1 and shard = $2', [this.checkpoint, shard, position]);
    this.folded += events.length;
    this.positions.set(shard, { at: position, of: live });
    this.tell();
    return position;
  }

  private tell(): void {
    const all = [...this.positions.values()];
    this.options.progress?.(all.reduce((sum, one) => sum + one.at, 0), all.reduce((sum, one) => sum + one.of, 0));
  }
}

/** What the schema beside says that it is of, null where there is none; and whether one may be made. */
const BESIDE = `select (select coalesce(obj_description(oid, 'pg_namespace'), '') from pg_namespace where nspname = $1) as mark, has_database_privilege(current_database(), 'create') as may`;

/** What makes the indexes of table $1 for its namesake in schema $2: those of constraints by the constraint. */
const INDEXES = `
  select case when c.oid is null
              then regexp_replace(pg_get_indexdef(i.indexrelid), ' ON [^ ]+ ', format(' ON %I.%I ', $2::text, $1::text))
              else format('alter table %I.%I add constraint %I %s', $2::text, $1::text, c.conname, pg_get_constraintdef(c.oid)) end as statement
    from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.contype in ('p', 'u')
   where i.indrelid = $1::text::regclass order by c.oid is null, i.indexrelid`;
const COLUMNS = `
  select format('%s %s %s', attname, format_type(atttypid, atttypmod), attnotnull) as statement
    from pg_attribute where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and $2::text is not null order by attnum`;
const VIEWS = `
  select distinct v.oid::regclass::text as view from unnest($1::text[]) t(name) join pg_depend d on d.refobjid = t.name::regclass and d.classid = 'pg_rewrite'::regclass
    join pg_rewrite r on r.oid = d.objid join pg_class v on v.oid = r.ev_class where v.oid <> d.refobjid`;
const WORDS = `select format('comment on table %I.%I is %L', $2::text, $1::text, obj_description($1::text::regclass)) as statement`;
const OPTIONS = `select format('alter table %I.%I set (%s)', $2::text, $1::text, array_to_string(reloptions, ', ')) as statement from pg_class where oid = $1::text::regclass and reloptions is not null`;
const OWNER = `select format('alter table %I.%I owner to %I', $2::text, $1::text, pg_get_userbyid(relowner)) as statement from pg_class where oid = $1::text::regclass and relowner <> current_user::regrole`;
const GRANTS = `
  select format('grant %s on %I.%I to %s%s', a.privilege_type, $2::text, $1::text, coalesce(quote_ident(r.rolname), 'public'), case when a.is_grantable then ' with grant option' else '' end) as statement
    from pg_class c cross join aclexplode(c.relacl) a left join pg_roles r on r.oid = a.grantee
   where c.oid = $1::text::regclass and a.grantee <> c.relowner
  union all
  select format('grant %s (%I) on %I.%I to %s%s', a.privilege_type, t.attname, $2::text, $1::text, coalesce(quote_ident(r.rolname), 'public'), case when a.is_grantable then ' with grant option' else '' end)
    from pg_attribute t cross join aclexplode(t.attacl) a left join pg_roles r on r.oid = a.grantee
   where t.attrelid = $1::text::regclass and t.attnum > 0`;
