/** A database of one's own for each spec, on the server that global-setup.mjs provides. */
import { randomBytes } from 'node:crypto';
import { openDatabase, type Database, type Migration } from '@foothold/platform';
import { afterEach, expect } from '@jest/globals';
import pg from 'pg';

export interface FreshDatabase {
  url: string;
  /** Drops it, whoever is still connected. */
  drop(): Promise<void>;
}

/**
 * Creates an empty database; the caller migrates it. `template` copies another database instead
 * (which nobody may be connected to meanwhile), so that a suite migrates only once.
 */
export async function freshDatabase(options: { template?: string } = {}): Promise<FreshDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  const template = options.template === undefined ? '' : ` template ${pg.escapeIdentifier(options.template)}`;
  await onServer(`create database ${name}${template}`);
  const url = new URL(serverUrl());
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(`drop database if exists ${name} with (force)`) };
}

/**
 * Opens pools for the specs of the `describe` (or file) it is called in. After each of them every pool is closed, and a
 * spec that left a connection checked out fails: in a process that lives for months the pool would run dry.
 */
export function databases(): (url: string, migrations?: Migration[], poolSize?: number) => Promise<Database> {
  const pools: Database[] = [];
  afterEach(async () => {
    const held = pools.map((pool) => pool.inUse());
    // A leaked connection would let its pool's end wait for ever.
    for (const pool of pools.splice(0)) if (pool.inUse() === 0) await pool.close();
    expect({ connectionsHeld: held }).toEqual({ connectionsHeld: held.map(() => 0) });
  });
  return async (url, migrations = [], poolSize = 6) => {
    const pool = await openDatabase({ url, migrations, application: 'foothold spec', poolSize });
    pools.push(pool);
    return pool;
  };
}

/** @throws Error saying how the tests get their server, when there is none */
export function serverUrl(): string {
  const url = process.env.TEST_DATABASE_URL;
  if (!url) throw new Error('TEST_DATABASE_URL is not set: a spec that needs Postgres is named .int.spec.ts or .e2e.spec.ts and run by jest, whose global setup starts one');
  return url;
}

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client(serverUrl());
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
