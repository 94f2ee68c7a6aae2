/** The sentinel on a real Postgres, with a clock of the spec's: jobs when they are due, one at a time per installation, none held up by another. */
import { Health, openDatabase, type Database } from '@foothold/platform';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import pino from 'pino';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { startPostgresProxy, type Decision, type PostgresProxy } from '../../../test/support/postgres-proxy.js';
import { until } from '../../../test/support/recording.js';
import { PATIENCE_MS, Sentinel, type Job } from './sentinel.js';

let fresh: FreshDatabase;
let proxy: PostgresProxy;
let decision: Decision;
let opened: Database[];
let running: Sentinel[];
let fatal: unknown[];
let lines: string[];
let now: number;

beforeEach(async () => {
  fresh = await freshDatabase();
  decision = 'forward';
  proxy = await startPostgresProxy(fresh.url, { decide: () => decision });
  [opened, running, fatal, lines, now] = [[], [], [], [], 1_000_000];
});

afterEach(async () => {
  await Promise.all(running.map((sentinel) => sentinel.stop()));
  await Promise.all(opened.map((database) => database.close()));
  await proxy.close();
  await fresh.drop();
});

/** A sentinel with a pool of its own, as another process has, that looks at its clock more often than in production. */
async function start(jobs: Job[], { url = fresh.url, beat = () => {} }: { url?: string; beat?: () => void } = {}): Promise<Sentinel> {
  const database = await openDatabase({ url, migrations: [], application: 'sentinel' });
  opened.push(database);
  const sentinel = new Sentinel(database, jobs, pino({}, { write: (line: string) => void lines.push(line) }), (error) => fatal.push(error), beat, () => now, 5);
  sentinel.start();
  running.push(sentinel);
  return sentinel;
}

/** A job that counts its runs, each of one step. */
function counting(everyMs: number, work: () => Promise<unknown> = async () => undefined): Job & { runs: number; steps: number } {
  const job = {
    name: `every ${everyMs}`, everyMs, runs: 0, steps: 0,
    run: async (turn: Parameters<Job['run']>[0]) => {
      job.runs++;
      await turn.step(async (query) => {
        await query('select 1', []);
        await work();
        job.steps++;
      });
    },
  };
  return job;
}
/** Until the sentinel has looked at its clock some more times. */
const lookedAgain = async (probe: { runs: number }) => {
  const before = probe.runs;
  await until('it has looked again', () => probe.runs >= before + 3);
};

it('runs each job at its start, and again when it is due', async () => {
  const [always, minutely, hourly] = [counting(0), counting(60_000), counting(3_600_000)];
  await start([always, minutely, hourly]);
  await lookedAgain(always);
  expect([minutely.runs, hourly.runs]).toEqual([1, 1]);
  now += 59_999;
  await lookedAgain(always);
  expect([minutely.runs, hourly.runs]).toEqual([1, 1]);
  now += 1;
  await until('a minute was noticed', () => minutely.runs === 2);
  now += 3_600_000;
  await until('an hour was noticed', () => minutely.runs === 3 && hourly.runs === 2);
  expect(fatal).toEqual([]);
});

it('works alone: of two, one does its steps while the other finds them taken', async () => {
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setTimeout(resolve, 20));
    inside--;
  };
  const [one, other] = [counting(0, work), counting(0, work)];
  await start([one]);
  await start([other]);
  await until('both have tried often', () => one.runs > 10 && other.runs > 10);
  expect(most).toBe(1);
  expect(one.steps + other.steps).toBeLessThan(one.runs + other.runs);
});

it('takes the turn of one that was killed in the middle of a step', async () => {
  let hang = true;
  const killed = counting(0, () => (hang ? new Promise(() => {}) : Promise.resolve()));
  await start([killed], { url: proxy.url });
  await until('it holds the turn', async () => killed.runs === 1 && (await turnIsHeld()));
  const other = counting(0);
  await start([other]);
  await lookedAgain(other);
  expect(other.steps).toBe(0);
  decision = 'cut';
  await opened[1]!.query(`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`);
  await until('the other goes on', () => other.steps > 0);
  hang = false;
  running.shift(); // hangs for good: its step never comes back
  opened.shift();
});

it('a job that fails is tried again, later each time, and holds up no other', async () => {
  let away = true;
  const failing = counting(60_000, () => (away ? Promise.reject(Object.assign(new Error('the disk is full'), { code: '53100' })) : Promise.resolve()));
  const always = counting(0);
  await start([failing, always]);
  const said = () => lines.filter((line) => line.includes('the disk is full')).length;
  await until('a first try', () => said() === 1);
  for (const [tries, after] of [[2, 1_000], [3, 2_000], [4, 4_000], [5, 8_000]] as const) {
    now += after - 1;
    await lookedAgain(always);
    expect(failing.runs).toBe(tries - 1);
    now += 1;
    await until(`try ${tries}`, () => said() === tries);
  }
  away = false;
  now += 16_000;
  await until('it is done', () => failing.steps === 1);
  now += 59_999;
  await lookedAgain(always);
  expect(failing.runs).toBe(6);
  expect(fatal).toEqual([]);
});

it('a job that could not be done for too long ends the process, so does a bug at once', async () => {
  const failing = counting(60_000, () => Promise.reject(Object.assign(new Error('no connection'), { code: '08006' })));
  await start([failing]);
  await until('a first try', () => lines.length === 1);
  now += PATIENCE_MS + 1;
  await until('it ends', () => fatal.length === 1);
  expect(fatal[0]).toMatchObject({ code: '08006' });

  const [broken, after] = [counting(0, () => Promise.reject(new TypeError('undefined is not a function'))), counting(0)];
  await start([broken, after]);
  await until('it ends', () => fatal.length === 2);
  expect(fatal[1]).toBeInstanceOf(TypeError);
  expect([broken.runs, after.runs]).toEqual([1, 0]);
});

it('is live while it makes progress, step by step, and not while its database hangs', async () => {
  const health = new Health(undefined, () => now);
  const always = counting(0);
  await start([always], { url: proxy.url, beat: health.part('sentinel', PATIENCE_MS) });
  now += PATIENCE_MS + 1;
  await until('it has beaten', () => health.live().ok);
  decision = 'hang';
  await until('it hangs', async () => {
    const before = always.runs;
    await new Promise((resolve) => setTimeout(resolve, 200));
    return always.runs === before;
  });
  now += PATIENCE_MS + 1;
  expect(health.live()).toMatchObject({ ok: false, checks: [{ name: 'sentinel', ok: false }] });
  await proxy.close(); // what hangs would hold up its end
});

it('stops between two steps', async () => {
  const results: unknown[] = [];
  const job: Job = {
    name: 'long', everyMs: 0,
    run: async (turn) => {
      results.push(await turn.step(async () => 'done'));
      void running[0]!.stop();
      results.push(await turn.step(async () => 'done'));
    },
  };
  await start([job]);
  await until('it has stopped', () => results.length === 2);
  expect(results).toEqual(['done', 'elsewhere']);
});

const turnIsHeld = async () => (await opened[0]!.query<{ held: number }>(`select count(*)::int as held from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())`))[0]!.held > 0;
