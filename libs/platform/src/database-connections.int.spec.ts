import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { databases, freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { until } from '../../../test/support/recording.js';
import { DatabaseReplaced, isTransient, openDatabase, type Database, type PoolClient } from './database.js';

describe('a pool', () => {
  const open = databases();
  let fresh: FreshDatabase;
  let database: Database;
  let other: Database;
  beforeEach(async () => {
    fresh = await freshDatabase();
    database = await open(fresh.url, [], 2);
    other = await open(fresh.url);
  });
  afterEach(() => fresh.drop());

  /** Ends the server's side of a connection and waits until its own side has heard of it. */
  async function lose(client: PoolClient): Promise<void> {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const heard = new Promise((resolve) => client.once('error', resolve));
    await other.query('select pg_terminate_backend($1)', [rows[0]!.pid]);
    await heard;
  }

  it('reads times as UTC and keeps its other settings, whatever the database and the address say', async () => {
    const name = new URL(fresh.url).pathname.slice(1);
    await other.query(`alter database ${name} set timezone = 'America/New_York'`);
    const address = new URL(fresh.url);
    address.searchParams.set('options', '-c timezone=Asia/Kolkata -c search_path=public');
    const strange = await open(address.href);
    expect(await strange.query(`select current_setting('timezone') as zone, current_setting('search_path') as path, current_setting('plan_cache_mode') as plans,
      current_setting('idle_in_transaction_session_timeout') as idle`)).toEqual([{ zone: 'UTC', path: 'public', plans: 'force_custom_plan', idle: '30s' }]);
  });

  it('counts a connection as in use as long as its transaction lasts', async () => {
    const seen = [database.inUse()];
    await database.transaction(async () => {
      seen.push(database.inUse());
      await database.transaction(async () => void seen.push(database.inUse()));
      seen.push(database.inUse());
    });
    expect([...seen, database.inUse()]).toEqual([0, 1, 2, 1, 0]);
  });

  it.each([
    ['throws', () => Promise.reject(new Error('a bug'))],
    ['sends wrong SQL', (client: PoolClient) => client.query('select wrong')],
    ['loses its connection and goes on', (client: PoolClient) => lose(client).then(() => client.query('select 1'))],
    ['loses its connection and throws something else', (client: PoolClient) => lose(client).then(() => Promise.reject(new Error('a bug')))],
    ['loses its connection last', lose],
  ])('gets its connection back from work that %s', async (_, work) => {
    for (let i = 0; i < 3; i++) await expect(database.transaction<unknown>(work)).rejects.toThrow();
    expect(database.inUse()).toBe(0);
    expect(await database.query('select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('rolls back what failed and says what was wrong', async () => {
    await database.query('create table item (id int)');
    await expect(
      database.transaction(async (client) => {
        await client.query('insert into item values (1)');
        throw new Error('a bug');
      }),
    ).rejects.toThrow('a bug');
    expect(await database.query('select * from item')).toEqual([]);
  });

  it.each([
    ['between the last statement and COMMIT', lose],
    ['between two statements', (client: PoolClient) => lose(client).then(() => client.query('select 1'))],
  ])('tells a connection lost %s as the passing trouble it is', async (_, work) => {
    const failure: unknown = await database.transaction<unknown>(work).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect({ failure, transient: isTransient(failure) }).toMatchObject({ transient: true });
  });
});

it('opens a server that does not tell its system and timeline, and goes by what it tells', async () => {
  const fresh = await freshDatabase();
  const server = await openDatabase({ url: fresh.url, migrations: [], application: 'spec' });
  try {
    await server.query(`do $$ begin if not exists (select from pg_roles where rolname = 'guest') then create role guest; end if; end $$`);
    await server.query('revoke execute on function pg_control_system() from public');
    const address = new URL(fresh.url);
    address.searchParams.set('options', '-c role=guest');
    const guest = await openDatabase({ url: address.href, migrations: [], application: 'spec', poolSize: 2 });
    const both = await Promise.all([1, 2].map((n) => guest.transaction(async (client) => (await client.query<{ n: number }>(`select ${n} as n, pg_sleep(.1)`)).rows[0]!.n)));
    expect(both).toEqual([1, 2]);
    await guest.close();
  } finally {
    await server.close();
    await fresh.drop();
  }
});

it('a migration that waits for a table lets others use it meanwhile, and is done once it is free', async () => {
  const fresh = await freshDatabase();
  const migrations = [{ name: 'Wide1790000000001', sql: 'create table wide (id int)' }];
  const first = await openDatabase({ url: fresh.url, migrations, application: 'spec' });
  const next = await openDatabase({ url: fresh.url, migrations: [...migrations, { name: 'Wider1790000000002', sql: 'alter table wide add column more int' }], application: 'spec' });
  try {
    await first.migrate();
    let release: () => void = () => undefined;
    const reading = first.transaction(async (client) => {
      await client.query('select * from wide');
      await new Promise<void>((resolve) => (release = resolve));
    });
    const migrating = next.migrate();
    const waiting = async () => (await first.query(`select from pg_locks where relation = 'wide'::regclass and mode = 'AccessExclusiveLock' and not granted`)).length > 0;
    for (const state of [true, false, true]) await until(`the migration ${state ? 'waits' : 'lets others by'}`, async () => (await waiting()) === state);
    expect(await first.query('select * from wide')).toEqual([]);
    release();
    await Promise.all([reading, migrating]);
    expect(await next.query(`select attname from pg_attribute where attrelid = 'wide'::regclass and attname = 'more'`)).toHaveLength(1);
  } finally {
    await first.close();
    await next.close();
    await fresh.drop();
  }
});

it('lets a process work only in the database that it opened: one made anew under the same address is another', async () => {
  const fresh = await freshDatabase();
  const told: Error[] = [];
  const database = await openDatabase({ url: fresh.url, migrations: [], application: 'spec', replaced: (error) => told.push(error) });
  try {
    const again = await freshDatabase();
    await fresh.drop();
    const server = await openDatabase({ url: again.url, migrations: [], application: 'spec' });
    await server.query(`create database ${new URL(fresh.url).pathname.slice(1)}`);
    const failure = await database.query('select 1').then(() => undefined, (error: unknown) => error);
    // The connection that was lost is noticed at its next use; the one after it is new.
    const next = failure instanceof DatabaseReplaced ? failure : await database.query('select 1').then(() => undefined, (error: unknown) => error);
    expect(next).toBeInstanceOf(DatabaseReplaced);
    expect({ told: told.length > 0, transient: isTransient(next) }).toEqual({ told: true, transient: false });
    await server.close();
    await again.drop();
  } finally {
    await database.close();
    await fresh.drop();
  }
});
