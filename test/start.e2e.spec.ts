/** `npm start`, as a newcomer meets it: on an empty folder, typing what it says. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { answered, startFoothold, type Running } from './support/foothold.js';
import { until } from './support/recording.js';

const START = resolve(import.meta.dirname, '../dist/apps/standalone/src/start.js');
const run = promisify(execFile);
let home: string;
let settings: Record<string, string>;
let started: Running | undefined;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'foothold-start-'));
  await chmod(home, 0o755); // as root Postgres runs as another user
  settings = { FOOTHOLD_HOME: home };
});

afterAll(async () => {
  started?.process.kill('SIGKILL');
  await rm(home, { recursive: true });
});

/** Starts it, and gives what it tells once it runs. */
async function start(): Promise<string> {
  const running = startFoothold([], { ...settings, FOOTHOLD_PORT: '0' }, START);
  started = running;
  let ended = false;
  void running.ended.then(() => (ended = true));
  await until('it runs', () => ended || running.said.stdout.includes('Ctrl-C ends it'), () => `: ${running.said.stderr}`);
  if (ended) throw new Error(`it ended: ${running.said.stderr}`);
  return running.said.stdout;
}

async function stop(): Promise<void> {
  started!.process.kill('SIGINT');
  const { code, stderr } = await started!.ended;
  expect([code, stderr]).toEqual([0, expect.stringContaining('stopping; Ctrl-C again does not wait')]);
}

it('an empty folder, three things typed, and a figure', async () => {
  const told = await start();
  const [curl, tail, metrics] = told.slice(told.indexOf('three things')).split('\n').filter((line) => line.startsWith('  ')).map((line) => line.trim());
  expect(told).toMatch(/^ {2}to send events {3}fhw_[\w-]{43}\n {2}to ask {11}fhr_[\w-]{43}$/m);

  const { stdout } = await run('/bin/sh', ['-c', curl!], { env: { PATH: process.env['PATH'] } });
  expect(JSON.parse(stdout)).toEqual({ accepted: 1, refused: [] });

  expect(tail).toBe(`FOOTHOLD_HOME=${home} npx foothold tail try-me --since 10m`);
  const tailing = startFoothold(['tail', 'try-me', '--since', '10m', '--json'], settings);
  await until('the event is shown', () => tailing.said.stdout.includes('\n'), () => `: ${tailing.said.stderr}`);
  tailing.process.kill('SIGINT');
  const shown = (await tailing.ended).stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  const sent = JSON.parse(/ -d '(.*)'$/.exec(curl!)![1]!) as { time: string; data: object };
  expect(shown).toEqual([expect.objectContaining({ outcome: 'stored', type: 'result.accepted', time: sent.time, data: sent.data })]);

  expect(metrics).toBe(`FOOTHOLD_HOME=${home} npx foothold metrics try-me adoption.active_people --grain day`);
  const ask = () => answered<{ rows: { variant: string; value: number; from: string }[] }>(settings, ['metrics', 'try-me', 'adoption.active_people', '--grain', 'day']);
  let rows = (await ask()).rows;
  await until('it is folded', async () => rows.length > 0 || (rows = (await ask()).rows).length > 0);
  expect(rows.find(({ variant }) => variant === 'any')).toMatchObject({ value: 1, from: sent.time.slice(0, 10) });

  const port = /http:\/\/127\.0\.0\.1:(\d+)/.exec(told)![1]!;
  const other = await startFoothold([], { ...settings, FOOTHOLD_PORT: port }, START).ended;
  expect([other.code, other.stdout]).toEqual([1, '']);
  expect(other.stderr).toContain(`npm start: FOOTHOLD_PORT: port ${port} is taken by another program. stop that one, or set another port; 0 takes any that is free. For instance: FOOTHOLD_PORT=7071 npm start`);
  await stop();
});

it('the next time the same is there, and no key is shown', async () => {
  const told = await start();
  expect(told).toContain('There are keys already (npx foothold key list); each was shown once, when it was made.\nAnother one: npx foothold key create --kind write');
  expect(told).not.toMatch(/fh[wr]_/);
  expect(told).toContain("-H 'Authorization: Bearer YOUR_WRITE_KEY'");
  const keys = await answered<{ kind: string; note: string }[]>(settings, ['key', 'list']);
  expect(keys.map(({ kind, note }) => [kind, note])).toEqual([['write', 'made at the first npm start'], ['read', 'made at the first npm start']]);
  await stop();
});

it('a database that is not there, and flags, get words', async () => {
  const [away, flagged] = await Promise.all([startFoothold([], { ...settings, DATABASE_URL: 'postgres://nobody:secret@127.0.0.1:1/none' }, START).ended, startFoothold(['--port', '1'], settings, START).ended]);
  expect([away.code, away.stderr]).toEqual([1, expect.stringMatching(/npm start: .*ECONNREFUSED/)]);
  expect(away.stderr).not.toContain('secret');
  expect([flagged.code, flagged.stderr]).toEqual([2, expect.stringContaining('npm start: takes no flags')]);
});
