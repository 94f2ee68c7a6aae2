/** How `foothold serve` ends: on SIGTERM, as Ctrl-C and a closed terminal end it, and at once where somebody insists. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { freshDatabase, type FreshDatabase } from './support/database.js';
import { KEY, until } from './support/recording.js';
import { startServing } from './support/serving.js';

const CLI = resolve(import.meta.dirname, '../apps/cli/bin/foothold.mjs');
let database: FreshDatabase;
let home: string;
let serving: ChildProcess;
let said: string;
/** Its exit code or signal, once it and the process it stands before are gone: they write to one stream, which closes then. */
let ended: Promise<unknown>;

beforeEach(async () => {
  database = await freshDatabase();
  home = mkdtempSync(join(tmpdir(), 'foothold-stop-'));
  // Its own process group, as a shell gives one to what it starts: a terminal signals all of it.
  serving = spawn(process.execPath, [CLI, 'serve', '--roles', 'projector'], {
    detached: true, stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'], DATABASE_URL: database.url, FOOTHOLD_HOME: home, FOOTHOLD_PSEUDONYM_KEY: KEY, FOOTHOLD_LOG_LEVEL: 'debug' },
  });
  said = '';
  serving.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text));
  ended = new Promise((done) => serving.once('close', (code, signal) => done(code ?? signal)));
  await until('it runs', () => said.includes('is running'), () => `: ${said}`);
});

afterEach(async () => {
  serving.kill('SIGKILL');
  await database.drop();
  rmSync(home, { recursive: true });
});

const toTheGroup = (signal: NodeJS.Signals) => process.kill(-serving.pid!, signal);

it.each(['SIGTERM', 'SIGINT'] as const)('%s to it alone', async (signal) => {
  serving.kill(signal);
  expect(await ended).toBe(0);
});

it.each(['SIGINT', 'SIGHUP'] as const)('%s to everybody at the terminal', async (signal) => {
  toTheGroup(signal);
  expect(await ended).toBe(0);
});

it('what it stands before ends with it, however it ends', async () => {
  serving.kill('SIGKILL');
  await ended;
  expect(said).not.toContain('not everything could be closed');
});

it('requests that never come whole keep nothing from being closed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'foothold-stop-'));
  const collector = await startServing('collector', { DATABASE_URL: database.url, FOOTHOLD_HOME: folder, FOOTHOLD_PSEUDONYM_KEY: KEY });
  const { hostname, port } = new URL(collector.url);
  const sockets = ['POST /v1/events HTTP/1.1\r\nHost: x\r\n', 'POST /health/live HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{'].map((text) => {
    const socket = connect(Number(port), hostname).on('error', () => undefined);
    socket.write(text);
    return socket;
  });
  await fetch(`${collector.url}/health/live`);
  await collector.stop();
  for (const socket of sockets) socket.destroy();
  rmSync(folder, { recursive: true });
  const client = new pg.Client(database.url);
  await client.connect();
  const { rows } = await client.query(`select finished from origin where kind = 'direct'`);
  await client.end();
  expect(rows).toEqual([{ finished: true }]);
});

it('Ctrl-C twice does not wait for what hangs', async () => {
  const holder = new pg.Client(database.url);
  await holder.connect();
  try {
    await holder.query('begin');
    await holder.query('lock table checkpoint in access exclusive mode');
    const waiting = `select from pg_locks where relation = 'checkpoint'::regclass and not granted`;
    await until('the projector waits for a table', async () => (await holder.query(waiting)).rowCount! > 0);
    toTheGroup('SIGINT');
    const stillThere = await Promise.race([ended.then(() => false), new Promise((done) => setTimeout(() => done(true), 1_000))]);
    toTheGroup('SIGINT');
    const before = Date.now();
    expect([stillThere, await ended]).toEqual([true, 130]);
    expect(Date.now() - before).toBeLessThan(3_000);
  } finally {
    await holder.end();
  }
});
