/**
 * Postgres for every process: TypeORM keeps the pool, the migrations and the transactions;
 * the hot path takes the pg client of a transaction and writes its own SQL on it.
 */
import { WrongInput } from '@foothold/contract';
import { setTimeout as pause } from 'node:timers/promises';
import { type ClientBase, type Pool, type PoolClient } from 'pg';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { errorText } from './errors.js';

export type { PoolClient } from 'pg';

/**
 * One step of the schema, applied once, in the order of its name's trailing number (milliseconds, as TypeORM wants it).
 *
 * A migration only expands: tables, indexes, columns that may be null or have a default. While it runs, and until the last
 * of them is replaced, processes of the version before work on the new schema. What nobody of that version uses any more may
 * be taken away; such a migration says so in `contracts`, and test/migrations.int.spec.ts lets no other do it.
 */
export interface Migration {
  name: string;
  sql: string;
  /** Why what it takes away or forbids is missed by no process of the version before. */
  contracts?: string;
}

export interface DatabaseOptions {
  url: string;
  migrations: Migration[];
  /** Shown in pg_stat_activity, so that an operator sees which process holds what. */
  application: string;
  poolSize?: number;
  /** Told, beside whoever asked, when another database stands in the place of the one that was opened: the process must end. */
  replaced?: (error: DatabaseReplaced) => void;
}

/**
 * The database was set back to an earlier state, or another has taken its place, while this process ran: the numbers it has
 * learnt for people, sources and deployments may be nobody's there, or somebody else's.
 */
export class DatabaseReplaced extends Error {
  constructor(what: string) {
    super(`the database was restored or replaced while this process ran (${what}): what this process has learnt from it no longer holds, so it writes nothing more. Start it again`);
    this.name = 'DatabaseReplaced';
  }
}

/** A pool of connections whose transactions are ours to write SQL in. */
export class Database {
  constructor(private readonly source: DataSource) {}

  /** Runs one statement outside a transaction of the caller's and gives its rows. */
  async query<Row>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return this.source.query(sql, values);
  }

  /** Runs `work` between BEGIN and COMMIT; any error rolls back and is thrown on. The client is the pool's own, never kept. */
  async transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const runner = this.source.createQueryRunner();
    try {
      const client = (await runner.connect()) as PoolClient;
      await runner.startTransaction();
      let lost: Error | undefined;
      const onLost = (error: Error) => (lost ??= error);
      client.on('error', onLost);
      try {
        const result = await work(client);
        await runner.commitTransaction().catch((error: unknown) => {
          // Of a connection lost since the last statement the runner only says that it was released already.
          throw lost ?? error;
        });
        return result;
      } catch (error) {
        await runner.rollbackTransaction().catch(() => undefined); // the connection is gone: Postgres has rolled back already
        throw error;
      } finally {
        client.removeListener('error', onLost);
      }
    } finally {
      await runner.release().catch(() => undefined);
    }
  }

  /** Connections that somebody holds at this moment: 0 when no statement or transaction is running, or one has leaked. */
  inUse(): number {
    const { master: pool } = this.source.driver as unknown as { master?: Pool };
    return pool ? pool.totalCount - pool.idleCount : 0;
  }

  /** Names of the migrations this program knows and the database has not run. */
  async pendingMigrations(): Promise<string[]> {
    const known = this.source.migrations.map((migration) => migration.name ?? '');
    const exists = await this.query<{ there: boolean }>(`select to_regclass('migrations') is not null as there`);
    const done = exists[0]?.there ? await this.query<{ name: string }>('select name from migrations') : [];
    return known.filter((name) => !done.some((row) => row.name === name));
  }

  /** Brings the schema up to date; several processes may call it at once (an advisory lock lets one through at a time). */
  async migrate(): Promise<void> {
    const runner = this.source.createQueryRunner();
    try {
      await runner.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
      await untilLocked(MIGRATION_ATTEMPTS, () => this.source.runMigrations({ transaction: 'each' }));
    } finally {
      await runner.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
      await runner.release();
    }
  }

  async close(): Promise<void> {
    await this.source.destroy();
  }
}

const MIGRATION_LOCK = 7_066_081;
/** For five minutes: a long question, a backup. */
const MIGRATION_ATTEMPTS = 75;

const LOCK_NOT_AVAILABLE = '55P03';
/** How long whoever wants a table for themselves waits for those who use it: appends and questions would have to wait behind them. */
export const LOCK_MS = 2_000;

/**
 * Does what needs a table for itself, which waits for it for no longer than LOCK_MS and leaves nothing behind where it does not get
 * it; then whoever waited behind it goes first, and it is done again.
 * @throws what it threw last, where it never got it or failed otherwise
 */
export async function untilLocked<T>(attempts: number, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isLockedOut(error) || attempt === attempts) throw error;
      await pause(LOCK_MS);
    }
  }
}

/** Whether somebody else has held a table for LOCK_MS. */
export const isLockedOut = (error: unknown): boolean => (error as { code?: string }).code === LOCK_NOT_AVAILABLE;

/**
 * Opens a pool on `url`. A stalled process loses its open transaction after 30 s (and with it every
 * row lock, which is what leases are), so one stopped projector cannot hold a shard for ever.
 * @throws WrongInput when the address cannot be reached, naming DATABASE_URL.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const source = new DataSource({
    type: 'postgres',
    url: withSettings(options.url),
    applicationName: options.application,
    poolSize: options.poolSize ?? 6,
    migrations: options.migrations.map(asTypeOrmMigration),
    migrationsTableName: 'migrations',
    poolErrorHandler: () => undefined, // an idle connection that dies is replaced at its next use, which reports what is wrong
    extra: { options: `${IDLE} ${SETTINGS}`, connectionTimeoutMillis: 10_000, onConnect: sameDatabase(options.replaced) },
  });
  try {
    await source.initialize();
  } catch (error) {
    throw new WrongInput('DATABASE_URL', `the database cannot be reached: ${errorText(error)}`, 'check host, port, user, password and database name, and that Postgres runs');
  }
  const database = new Database(source);
  const lost = await lostSettings(database);
  if (lost.length > 0) {
    await database.close();
    throw new WrongInput('DATABASE_URL', `what is between here and Postgres drops the settings of a connection (${lost.join(', ')})`, 'let it pass startup options on (PgBouncer: no "options" in ignore_startup_parameters), or connect to Postgres itself');
  }
  return database;
}

/**
 * What every connection must be set to. Times are read as UTC, and statements are planned for their own arrays: without
 * these the log would be wrong or slow. None is compiled before it is run: of statements that take so long as ours, that takes longer.
 */
const SETTINGS = '-c timezone=UTC -c plan_cache_mode=force_custom_plan -c jit=off';
/** Leases end with their transaction, so a stalled one must end; how soon may be set in the address. */
const IDLE = '-c idle_in_transaction_session_timeout=30000';

/** The driver lets options in the address replace ours: there the last of a name wins. */
function withSettings(address: string): string {
  const url = new URL(address);
  const options = url.searchParams.get('options');
  if (options === null) return address;
  url.searchParams.set('options', `${IDLE} ${options} ${SETTINGS}`);
  return url.href;
}

/**
 * Looks at each new connection whether it leads to the database that the first one led to. A restored server has another
 * timeline, a new one another system identifier, a database made anew another oid; none comes without new connections.
 * One that is still recovering is not let in: its timeline would change under the connection. Where a server does not say
 * all of this (some that are run for their customers), what it does say must do.
 */
function sameDatabase(replaced: DatabaseOptions['replaced']): (client: ClientBase) => Promise<void> {
  let first: string | undefined;
  let question = PLACE;
  return async (client) => {
    const asked = () => client.query<{ place: string | null }>(question);
    const { rows } = await asked().catch((error: unknown) => {
      if (first !== undefined || !NOT_TOLD.includes((error as { code?: string }).code ?? '')) throw error;
      question = LESS;
      return asked();
    });
    const { place } = rows[0]!;
    if (place === null) throw Object.assign(new Error('the database is still recovering'), { code: CANNOT_CONNECT_NOW });
    if (place === (first ??= place)) return;
    const error = new DatabaseReplaced(`it was ${first}, it is ${place}`);
    replaced?.(error);
    throw error;
  };
}

const CANNOT_CONNECT_NOW = '57P03';
/** Not in this state, no right, not supported, no such function. */
const NOT_TOLD = ['55000', '42501', '0A000', '42883'];
const OID = '(select oid from pg_database where datname = current_database())';
const PLACE = `select case when not pg_is_in_recovery() then format('system %s, timeline %s, database %s', (select system_identifier from pg_control_system()),
    substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8), ${OID}) end as place`;
const LESS = `select case when not pg_is_in_recovery() then format('database %s', ${OID}) end as place`;

async function lostSettings(database: Database): Promise<string[]> {
  const [row] = await database.query<Record<string, boolean>>(
    `select current_setting('timezone') = 'UTC' as "timezone", current_setting('plan_cache_mode') = 'force_custom_plan' as "plan_cache_mode",
            current_setting('idle_in_transaction_session_timeout') <> '0' as "idle_in_transaction_session_timeout"`,
  );
  return Object.keys(row!).filter((name) => !row![name]);
}

function asTypeOrmMigration(migration: Migration): new () => MigrationInterface {
  return class implements MigrationInterface {
    name = migration.name;
    async up(runner: QueryRunner): Promise<void> {
      await runner.query(`set local lock_timeout = ${LOCK_MS}`);
      await runner.query(migration.sql);
    }
    async down(): Promise<void> {
      throw new Error(`${migration.name} only goes forward: restore a backup to go back`);
    }
  };
}

/**
 * Whether an error is the database's passing trouble (connection lost, starting up, shutting down, deadlock,
 * serialisation, too many connections, disk full, a lock or statement given up, a standby after a failover) so that waiting and trying again is right.
 */
export function isTransient(error: unknown): boolean {
  const seen = error as { code?: string; message?: string; cause?: unknown; driverError?: unknown };
  const code = seen?.code ?? '';
  if (/^(08|40|53|57P|25P03|25006|55P03|57014)/.test(code)) return true;
  if (/^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ECONNABORTED)$/.test(code)) return true;
  if (/Connection terminated|connection timeout|Client has encountered a connection error|not queryable|timeout exceeded when trying to connect|Driver not Connected/i.test(seen?.message ?? '')) return true;
  const inner = seen?.driverError ?? seen?.cause;
  return inner !== undefined && inner !== error && isTransient(inner);
}
