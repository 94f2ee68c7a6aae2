import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { freshDatabase, type FreshDatabase } from './database.js';
import { startPostgresProxy, type Decision, type PostgresProxy, type ProxyEvent } from './postgres-proxy.js';

describe('the Postgres proxy', () => {
  let database: FreshDatabase;
  let direct: pg.Client;
  let proxy: PostgresProxy;
  let client: pg.Client;
  let events: ProxyEvent[];
  let decide: (event: ProxyEvent) => Decision;

  beforeEach(async () => {
    database = await freshDatabase();
    direct = new pg.Client(database.url);
    await direct.connect();
    await direct.query('create table item (id int primary key, name text)');
    events = [];
    decide = () => 'forward';
    proxy = await startPostgresProxy(database.url, {
      decide(event) {
        events.push(event);
        return decide(event);
      },
    });
    client = await connected();
  });

  afterEach(async () => {
    await client.end().catch(() => undefined);
    await proxy.close();
    await direct.end();
    await database.drop();
  });

  it('passes everything on and says what it passes', async () => {
    await client.query('begin');
    await client.query('insert into item values ($1, $2)', [1, 'ä']);
    await client.query({ name: 'nothing', text: 'select $1::text, $2::int[]', values: [null, [4, 5]] });
    await copy(['2\ttwo\n', '3\tthree\n']);
    await client.query('commit');
    const big = await client.query<{ text: string }>(`select repeat('x', 3000000) as text`);
    expect(big.rows[0]?.text.length).toBe(3_000_000);
    await expect(client.query('select 1/0')).rejects.toThrow('division by zero');

    expect(await names()).toEqual(['ä', 'two', 'three']);
    const other = await connected();
    await other.query('select 2');
    await other.end();
    expect(events).toEqual([
      { connection: 1, kind: 'query', text: 'begin' },
      { connection: 1, kind: 'parse', text: 'insert into item values ($1, $2)' },
      { connection: 1, kind: 'bind', text: '', values: ['1', 'ä'] },
      { connection: 1, kind: 'parse', text: 'select $1::text, $2::int[]' },
      { connection: 1, kind: 'bind', text: 'nothing', values: [null, '{"4","5"}'] },
      { connection: 1, kind: 'query', text: 'copy item from stdin' },
      { connection: 1, kind: 'copyData' },
      { connection: 1, kind: 'copyData' },
      { connection: 1, kind: 'copyDone' },
      { connection: 1, kind: 'query', text: 'commit' },
      { connection: 1, kind: 'query', text: `select repeat('x', 3000000) as text` },
      { connection: 1, kind: 'query', text: 'select 1/0' },
      { connection: 2, kind: 'query', text: 'select 2' },
    ]);
  });

  it('passes on a large COPY whole', async () => {
    const lines = Array.from({ length: 200_000 }, (_, id) => `${id}\t${'n'.repeat(40)}\n`);
    await copy([lines.join('')]);
    expect((await direct.query('select count(*)::int as count, sum(length(name))::int as length from item')).rows).toEqual([{ count: 200_000, length: 8_000_000 }]);
  });

  it('cut at COMMIT leaves nothing', async () => {
    decide = at('commit', 'cut');
    await client.query('begin');
    await client.query(`insert into item values (1, 'one')`);
    await expect(client.query('commit')).rejects.toThrow(/Connection terminated/);
    await gone();
    expect(await names()).toEqual([]);
  });

  it('forward-then-cut at COMMIT leaves the row, though the client got an error', async () => {
    decide = at('commit', 'forward-then-cut');
    await client.query('begin');
    await copy(['1\tone\n']);
    await expect(client.query('commit')).rejects.toThrow(/Connection terminated/);
    expect(await names()).toEqual(['one']);
  });

  it('cuts between COPY and its end', async () => {
    decide = (event) => (event.kind === 'copyDone' ? 'cut' : 'forward');
    await expect(copy(['1\tone\n'])).rejects.toThrow();
    await gone();
    expect(await names()).toEqual([]);
  });

  it('forward-then-cut at the end of a COPY outside a transaction leaves its rows', async () => {
    decide = (event) => (event.kind === 'copyDone' ? 'forward-then-cut' : 'forward');
    await expect(copy(['1\tone\n'])).rejects.toThrow();
    expect(await names()).toEqual(['one']);
  });

  it('forward-then-cut at a statement with parameters waits for its execution', async () => {
    decide = (event) => (event.kind === 'parse' ? 'forward-then-cut' : 'forward');
    await expect(client.query('insert into item values ($1, $2)', [1, 'one'])).rejects.toThrow(/Connection terminated/);
    expect(await names()).toEqual(['one']);
  });

  it('has no connection left after it is closed', async () => {
    await proxy.close();
    await expect(client.query('select 1')).rejects.toThrow();
    await expect(connected()).rejects.toThrow();
  });

  function at(text: string, decision: Decision): (event: ProxyEvent) => Decision {
    return (event) => (event.kind === 'query' && event.text === text ? decision : 'forward');
  }

  async function connected(): Promise<pg.Client> {
    const opened = new pg.Client(proxy.url);
    opened.on('error', () => undefined); // being cut is what they are for
    await opened.connect();
    return opened;
  }

  async function copy(chunks: string[]): Promise<void> {
    await pipeline(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), client.query(copyFrom('copy item from stdin')));
  }

  /** Waits until the server has noticed that its client was cut off, and so has rolled back. */
  async function gone(): Promise<void> {
    for (;;) {
      const others = await direct.query(`select from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`);
      if (others.rowCount === 0) return;
    }
  }

  async function names(): Promise<string[]> {
    return (await direct.query<{ name: string }>('select name from item order by id')).rows.map((row) => row.name);
  }
});
