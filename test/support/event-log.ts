/**
 * A log of its own for each spec: a database with the log's schema, two tenants with one deployment each, an origin, and
 * what is needed to write events by hand.
 */
import { createHash } from 'node:crypto';
import { type UsageEvent } from '@foothold/contract';
import { append, change, eventLogMigrations, openLog, openOrigin, openTenant, shardOf, type Arrival, type KeyCheck, type Log, type Outcome, type Stretch } from '@foothold/event-log';
import { Sealer, type Database } from '@foothold/platform';
import { afterEach, beforeEach } from '@jest/globals';
import { databases, freshDatabase, type FreshDatabase } from './database.js';

export const TENANTS = ['acme', 'globex'];
export const DEPLOYMENT = 'claims';
/** 2026-11-25T09:30:00.123456Z */
export const MOMENT = 1_795_599_000_123_456;

/** The check of one key for every tenant. */
export const keyOf =
  (secret: string): KeyCheck =>
  (tenant) =>
    sha256(`${secret}/${tenant}`);

/** Closes what letters keep, under any secret. */
export const sealer = new Sealer(Buffer.alloc(32, 1));

export interface LogUnderTest {
  url: string;
  database: Database;
  log: Log;
  /** Another pool, on the same database or by way of a proxy. */
  open(url?: string, poolSize?: number): Promise<Database>;
  /** Rows of any statement, numbers and texts as the driver gives them. */
  rows<Row = Record<string, unknown>>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** An origin with its fence at offset 0. */
  origin(name?: string, tenant?: string | null, kind?: 'kafka' | 'file' | 'direct'): Promise<Source>;
}

/** One origin as its only reader sees it. */
export interface Source {
  number: number;
  /** The stretch of the next `count` offsets; asking does not move it. */
  next(count: number): Stretch;
  /** Appends as the next stretch and moves on. */
  append(arrivals: Arrival[], log?: Log): Promise<Outcome>;
}

/** Gives each spec of the file its log in `under`, and takes it away again. */
export function freshLog(): LogUnderTest {
  const under = {} as LogUnderTest;
  let fresh: FreshDatabase;
  // Hooks after a spec run in this order: the pools are closed before their database is dropped.
  const open = databases();
  afterEach(() => fresh.drop());
  beforeEach(async () => {
    fresh = await freshDatabase();
    const database = await open(fresh.url, eventLogMigrations);
    await database.migrate();
    const log = openLog(database, keyOf('right'), sealer);
    for (const tenant of TENANTS) {
      await openTenant(log, tenant, keyOf('right'));
      await change(log, tenant, DEPLOYMENT, 0, [{ type: 'deployment.registered', time: MOMENT, data: {} }], { timeZone: 'UTC' });
    }
    Object.assign(under, {
      url: fresh.url,
      database,
      log,
      open: (url = fresh.url, poolSize?: number) => open(url, eventLogMigrations, poolSize),
      rows: (sql: string, values?: unknown[]) => database.query(sql, values),
      origin: (name = 'cluster/topic', tenant: string | null = null, kind: 'kafka' | 'file' | 'direct' = 'kafka') => sourceOf(log, name, tenant, kind),
    } satisfies LogUnderTest);
  });
  return under;
}

async function sourceOf(log: Log, name: string, tenant: string | null, kind: 'kafka' | 'file' | 'direct'): Promise<Source> {
  const { origin, nextOffset } = await openOrigin(log.database, { kind, name, part: 0, tenant, firstOffset: 0 });
  let from = nextOffset;
  const next = (count: number): Stretch => ({ origin, from, next: from + count, voids: 0, mark: null, markOffset: null });
  return {
    number: origin,
    next,
    append: async (arrivals, by = log) => {
      const outcome = await append(by, arrivals, next(arrivals.length));
      from += arrivals.length;
      return outcome;
    },
  };
}

/** A pseudonym, by any name. */
export const person = (name: string | number): string => sha256(`person ${name}`).toString('hex');

/** An id, by any number: in order of the numbers, as UUIDv7 would be. */
export const id = (number: number): string => `01930000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;

/** Somebody whose events lie in this shard. */
export function personIn(shard: number, tenant = TENANTS[0]!): string {
  for (let n = 0; ; n++) if (shardOf(tenant, DEPLOYMENT, person(n)) === shard) return person(n);
}

/** An event that the boundary let pass. */
export function event(number: number, changes: Partial<UsageEvent> = {}): UsageEvent {
  return {
    id: id(number), source: 'erp', type: 'result.shown', time: MOMENT + number, deployment: DEPLOYMENT,
    person: person('one'), actor: null, data: JSON.stringify({ invocation: `i-${number}` }), ...changes,
  };
}

export const arrival = (number: number, changes: Partial<UsageEvent> = {}, tenant = TENANTS[0]!): Arrival => ({ tenant, event: event(number, changes) });

/** Events numbered from `from`, of many people. */
export function arrivals(from: number, count: number, people = 50): Arrival[] {
  return Array.from({ length: count }, (_, i) => arrival(from + i, { person: person((from + i) % people) }));
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
