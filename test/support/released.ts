/** Versions that were released, as test/fixtures/released/make.mjs kept them: their programs and a database they have filled. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { startFoothold, type Ended } from './foothold.js';

const FOLDER = resolve(import.meta.dirname, '../fixtures/released');

export interface Released {
  version: string;
  tenant: string;
  deployment: string;
  pseudonymKey: string;
  writeKey: string;
  readKey: string;
  /** What its `verify` said of the database that was kept. */
  ledger: Record<'received' | 'stored' | 'duplicate' | 'rejected' | 'quarantined', number> & { balanced: boolean };
  /** What runs its processes. */
  processes: string;
  /** Runs its command line. */
  foothold(args: string[], settings: Record<string, string>): Promise<Ended>;
  /** Puts the kept rows into a database with the schema of that version. */
  load(url: string): Promise<void>;
}

/** The version released last, or this one where it was kept already. @throws Error where none was kept */
export function latestReleased(): Released {
  const versions = readdirSync(FOLDER).filter((name) => existsSync(join(FOLDER, name, 'released.json')));
  const latest = versions.sort((one, other) => one.localeCompare(other, undefined, { numeric: true })).at(-1);
  if (latest === undefined) throw new Error('no released version is kept: node test/fixtures/released/make.mjs');
  const folder = join(FOLDER, latest);
  const kept = JSON.parse(readFileSync(join(folder, 'released.json'), 'utf8')) as Omit<Released, 'processes' | 'foothold' | 'load'>;
  return {
    ...kept,
    processes: join(folder, 'processes.mjs'),
    foothold: (args, settings) => startFoothold(args, settings, join(folder, 'foothold.mjs')).ended,
    load: (url) => load(url, readFileSync(join(folder, 'rows.sql'), 'utf8')),
  };
}

/** Statements of a line each, and COPY with its rows up to a line of `\.`. */
async function load(url: string, sql: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query('begin');
    const lines = sql.trimEnd().split('\n');
    for (let at = 0; at < lines.length; at++) {
      const statement = lines[at]!;
      if (!statement.startsWith('copy ')) {
        await client.query(statement);
        continue;
      }
      const end = lines.indexOf('\\.', at);
      await pipeline(Readable.from(lines.slice(at + 1, end).map((line) => `${line}\n`)), client.query(copyFrom(statement)));
      at = end;
    }
    await client.query('commit');
  } finally {
    await client.end();
  }
}
