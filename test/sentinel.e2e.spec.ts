/** Sentinels as processes: windows are learned from what was imported, once, though two of them run and one is killed; and an answer is judged by them. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freshDatabase, type FreshDatabase } from './support/database.js';
import { answered, STANDALONE, startFoothold, type Running } from './support/foothold.js';
import { KEY, until } from './support/recording.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
let database: FreshDatabase;
let home: string;
let settings: Record<string, string>;
let client: pg.Client;
let running: Running[];

beforeEach(async () => {
  database = await freshDatabase();
  home = mkdtempSync(join(tmpdir(), 'foothold-sentinel-'));
  settings = { DATABASE_URL: database.url, FOOTHOLD_HOME: home, FOOTHOLD_PSEUDONYM_KEY: KEY };
  client = new pg.Client(database.url);
  await client.connect();
  running = [];
});

afterEach(async () => {
  for (const { process } of running) process.kill('SIGKILL');
  await Promise.all(running.map(({ ended }) => ended));
  await client.end();
  await database.drop();
  rmSync(home, { recursive: true });
});

async function start(roles: string): Promise<Running> {
  const started = startFoothold(['--roles', roles], settings, STANDALONE);
  running.push(started);
  await until(`${roles} runs`, () => started.said.stdout.concat(started.said.stderr).includes('is running'), () => `: ${started.said.stderr}`);
  return started;
}

const facts = async () => (await client.query<{ version: number; data: { windows: unknown[] } }>(`select version, data from event where type = 'decision-window.learned' order by version`)).rows;

it('learn once what a closed week taught', async () => {
  const began = Date.now();
  const of = (invocation: string, type: string, at: number, data: object = {}) =>
    JSON.stringify({ specversion: '1.0', id: `${invocation}:${type}`, source: 'urn:spec', type: `foothold.${type}.v1`, subject: `p-${invocation.length}`, time: new Date(at).toISOString(), deployment: 'desk', data: { invocation, ...data } });
  // All more than a week ago, so in a week that is over whatever day this is.
  const lines = Array.from({ length: 120 }, (_, i) => {
    const at = began - 20 * DAY + i * 2 * HOUR;
    return [of(`i-${i}`, 'invocation.started', at, { surface: 'side-tool', initiative: 'person', taskKind: 'letter' }), of(`i-${i}`, 'result.shown', at), of(`i-${i}`, 'result.accepted', at + HOUR)];
  }).flat();
  // Left lying for five hours: no longer pending by what these weeks teach, and still by the 24 hours before.
  const open = began - 5 * HOUR;
  lines.push(of('open', 'invocation.started', open, { surface: 'side-tool', initiative: 'person', taskKind: 'letter' }), of('open', 'result.shown', open));
  writeFileSync(join(home, 'events.ndjson'), lines.join('\n'));
  expect(await answered(settings, ['import', join(home, 'events.ndjson'), '--register'])).toMatchObject({ stored: lines.length });
  const confirmed = async () => (await answered<{ version: number; rows: { variant: string; numerator: number }[] }>(settings, ['metrics', 'desk', 'trust.abandonment'])).rows.find(({ variant }) => variant === 'confirmed')!.numerator;
  expect(await confirmed()).toBe(0);

  const [first] = await Promise.all([start('sentinel'), start('sentinel,projector')]);
  await until('it is learned', async () => (await facts()).length > 0);
  expect((await facts())[0]).toEqual({ version: 2, data: { week: expect.stringMatching(/^\d{4}-W\d\d$/), windows: [{ taskKind: 'letter', windowMs: HOUR, decided: 120, backwards: 0, untold: 0 }] } });
  first!.process.kill('SIGKILL');
  await first!.ended;
  const third = await start('sentinel');
  third.process.kill('SIGTERM');
  expect((await third.ended).code).toBe(0);
  expect(await facts()).toHaveLength(1);
  // Of results shown before the week ended the 24 hours stand: on the first hours of a Monday the open one is of those.
  const [{ since }] = (await client.query<{ since: Date }>(`select time as since from event where type = 'decision-window.learned'`)).rows as [{ since: Date }];
  expect(await confirmed()).toBe(open >= since.getTime() ? 1 : 0);
}, 300_000);
