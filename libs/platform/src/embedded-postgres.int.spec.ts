import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { until } from '../../../test/support/recording.js';
import { openEmbeddedPostgres } from './embedded-postgres.js';

describe('the embedded Postgres', () => {
  let home: string;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'foothold-pg-'));
    await chmod(home, 0o755); // as root the server runs as another user, who has to get in
  });

  afterEach(async () => {
    await (await openEmbeddedPostgres(home)).close(); // whatever a failed test left running
    await rm(home, { recursive: true, force: true });
  });

  it('makes a database as configured, with its password kept from others', async () => {
    const server = await openEmbeddedPostgres(home);
    const [row] = await ask(
      server.url,
      `select current_database() as database, current_setting('server_version_num')::int / 10000 as version, current_setting('timezone') as timezone,
              current_setting('server_encoding') as encoding, current_setting('fsync') as fsync, current_setting('shared_buffers') as buffers,
              current_setting('listen_addresses') as listens, current_setting('unix_socket_directories') as sockets,
              (select datlocale from pg_database where datname = current_database()) as locale, upper('ä') as upper`,
    );
    expect(row).toEqual({
      database: 'foothold', version: 18, timezone: 'UTC', encoding: 'UTF8', fsync: 'on', buffers: '256MB', listens: '127.0.0.1', sockets: '', locale: 'C.UTF-8', upper: 'Ä',
    });
    expect((await stat(join(home, 'postgres.password'))).mode & 0o777).toBe(0o600);
    expect(Number(new URL(server.url).port)).toBeLessThan(32_768);
    await expect(ask(server.url.replace(/:[0-9a-f]+@/, ':wrong@'), 'select 1')).rejects.toThrow(/password authentication failed/);
    await server.close();
  });

  it('is one server for all who open it, and the last one out stops it', async () => {
    const [one, two] = await Promise.all([openEmbeddedPostgres(home), openEmbeddedPostgres(home)]);
    expect(one.url).toBe(two.url);
    await one.close();
    expect(await ask(two.url, 'select 1 as answer')).toEqual([{ answer: 1 }]);
    await two.close();
    await two.close(); // closing twice is no harm
    await expect(postmasterPid()).rejects.toThrow(/ENOENT/);
    await expect(ask(one.url, 'select 1')).rejects.toThrow();
  });

  it('is shared by processes that open it at the same time', async () => {
    const program = join(home, 'open.mjs');
    const entry = await builtEntry();
    await writeFile(program, `import { openEmbeddedPostgres } from ${JSON.stringify(entry)};
      const server = await openEmbeddedPostgres(process.argv[2]);
      console.log(server.url);
      await new Promise((done) => setTimeout(done, 500));
      await server.close();`);
    const runs = await Promise.all([1, 2, 3].map(() => promisify(execFile)(process.execPath, [program, home])));
    expect(new Set(runs.map((run) => run.stdout)).size).toBe(1);
    await expect(postmasterPid()).rejects.toThrow(/ENOENT/);
  });

  it('stays for a connection that is none of its handles', async () => {
    const server = await openEmbeddedPostgres(home);
    const stranger = new pg.Client(server.url);
    await stranger.connect();
    await server.close();
    expect((await stranger.query('select 1 as answer')).rows).toEqual([{ answer: 1 }]);
    await stranger.end();
  });

  it('keeps its data from one opening to the next', async () => {
    const before = await openEmbeddedPostgres(home);
    await ask(before.url, 'create table kept as select 42 as value');
    await before.close();
    const after = await openEmbeddedPostgres(home);
    expect(await ask(after.url, 'select value from kept')).toEqual([{ value: 42 }]);
    await after.close();
  });

  it('comes back with its data after its postmaster was killed', async () => {
    const before = await openEmbeddedPostgres(home);
    await ask(before.url, 'create table kept as select 42 as value');
    process.kill(await postmasterPid(), 'SIGKILL');
    const after = await openEmbeddedPostgres(home);
    expect(await ask(after.url, 'select value from kept')).toEqual([{ value: 42 }]);
    await before.close(); // its own connection is long gone; the server is still in use
    expect(await ask(after.url, 'select value from kept')).toEqual([{ value: 42 }]);
    await after.close();
  });

  it('comes back by itself, where it was, while somebody has it open', async () => {
    const server = await openEmbeddedPostgres(home);
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const pid = await postmasterPid();
      process.kill(pid, signal);
      await until('another runs', async () => (await postmasterPid().catch(() => pid)) !== pid);
      await until('it answers', () => ask(server.url, 'select 1').then(() => true, () => false));
    }
    await server.close();
    await expect(postmasterPid()).rejects.toThrow(/ENOENT/);
  });

  it('starts although postmaster.pid and the lock name processes that are something else', async () => {
    const before = await openEmbeddedPostgres(home);
    const pidFile = join(home, 'postgres', 'postmaster.pid');
    const text = await readFile(pidFile, 'utf8');
    await before.close();
    await writeFile(pidFile, text.replace(/^\d+/, String(process.ppid)));
    await writeFile(join(home, 'postgres.lock'), '999999999 gone\n');
    const after = await openEmbeddedPostgres(home);
    expect(await ask(after.url, 'select 1 as answer')).toEqual([{ answer: 1 }]);
    await after.close();
  });

  it('names the directory that the server may not enter; run as ourselves, it may enter what we may', async () => {
    await openEmbeddedPostgres(home).then((server) => server.close());
    await chmod(home, 0o700);
    const opened = openEmbeddedPostgres(home);
    if (process.getuid?.() === 0) await expect(opened).rejects.toThrow(new RegExp(`may not enter ${home}: .*FOOTHOLD_HOME`));
    else await expect(opened.then((server) => server.close())).resolves.toBeUndefined();
    await chmod(home, 0o755);
  });

  async function postmasterPid(): Promise<number> {
    return Number((await readFile(join(home, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);
  }
});

async function builtEntry(): Promise<string> {
  const path = join(import.meta.dirname, '../../../dist/libs/platform/src/embedded-postgres.js');
  await stat(path).catch(() => {
    throw new Error(`${path} is missing: npm run build`);
  });
  return path;
}

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
