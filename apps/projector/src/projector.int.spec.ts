/** Projectors on a real Postgres: several share the shards, a stalled one is left behind, outages pass. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { usageProjection } from '@foothold/adoption';
import { checkMessage } from '@foothold/contract';
import { append, lag, openOrigin, type Arrival, type Log, type Projection } from '@foothold/event-log';
import { Health } from '@foothold/platform';
import pino from 'pino';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { startPostgresProxy, type Decision, type PostgresProxy } from '../../../test/support/postgres-proxy.js';
import { foldAll, openTestLog, pseudonymiser, registerDeployment, shownEvents, until } from '../../../test/support/recording.js';
import { PATIENCE_MS, Projector } from './projector.js';

const TENANT = 'acme';
let database: FreshDatabase;
let proxy: PostgresProxy;
let decision: Decision;
/** Straight to the database. */
let log: Log;
let opened: Log[];
let running: Projector[];
let fatal: unknown[];
let lines: string[];

beforeEach(async () => {
  database = await freshDatabase();
  decision = 'forward';
  proxy = await startPostgresProxy(database.url, { decide: () => decision });
  log = await openTestLog(database.url);
  opened = [log];
  await registerDeployment(log, TENANT, 'desk');
  [running, fatal, lines] = [[], [], []];
});

afterEach(async () => {
  await Promise.all(running.map((projector) => projector.stop()));
  await Promise.all(opened.map(({ database: pool }) => pool.close()));
  await proxy.close();
  await database.drop();
});

/** A projector with a pool of its own, as another process has. */
async function start(projection: Projection = usageProjection, url = database.url, health = new Health()): Promise<Projector> {
  const own = await openTestLog(url);
  opened.push(own);
  const projector = new Projector(own, projection, pino({}, { write: (line: string) => void lines.push(line) }), (error) => fatal.push(error), health.part('projector', PATIENCE_MS));
  health.need('database', () => own.database.query('select 1'));
  await projector.start();
  running.push(projector);
  return projector;
}

it('finishes the origin of a collector that ended without a word, so that answers go on being complete', async () => {
  const { origin } = await openOrigin(log.database, { kind: 'direct', name: 'direct/killed', part: 0, tenant: null, firstOffset: 0 });
  await log.database.query(`update origin set opened_at = now() - interval '61 seconds' where origin = $1`, [origin]);
  await start();
  await until('it is finished', async () => (await log.database.query<{ finished: boolean }>('select finished from origin'))[0]!.finished);
});

/** Results shown, each of a person's own choice among 40. */
async function store(first: number, count: number): Promise<void> {
  const { origin, nextOffset } = await openOrigin(log.database, { kind: 'file', name: 'spec', part: 0, tenant: TENANT, firstOffset: 0 });
  const options = { pseudonymise: (of: string, person: string) => pseudonymiser.pseudonym(of, person), subjects: 'raw' as const };
  const arrivals = shownEvents(first, count, (n) => `person-${n % 40}`).map((text): Arrival => {
    const verdict = checkMessage(text, TENANT, Date.now() * 1000, options);
    return verdict.outcome === 'accepted' ? { tenant: TENANT, event: verdict.event } : { refusal: verdict.refusal };
  });
  await append(log, arrivals, { origin, from: nextOffset, next: nextOffset + count, voids: 0, mark: null, markOffset: null });
}

const folded = (count: number) => until(`${count} folded`, async () => (await lag(log.database, usageProjection.name)).folded === count);
const shown = async () => (await log.database.query<{ shown: number }>('select coalesce(sum(shown), 0)::int as shown from person_day'))[0]!.shown;
const facts = () => log.database.query('select shard, deployment, person, day, shown, undecided from person_day order by 1, 2, 3, 4');

it('two share the shards, and count what one would have counted', async () => {
  const both = [0, 0];
  const counting = (i: number): Projection => ({
    ...usageProjection, page: 20,
    fold: async (events, rows) => {
      await usageProjection.fold(events, rows);
      both[i]! += events.length;
    },
  });
  await start(counting(0));
  await start(counting(1));
  for (let first = 0; first < 3_000; first += 250) await store(first, 250);
  await folded(3_000);
  expect(both[0]! + both[1]!).toBe(3_000);
  expect(Math.min(...both)).toBeGreaterThan(0);
  expect(await shown()).toBe(3_000);

  const shared = await facts();
  await Promise.all(running.splice(0).map((projector) => projector.stop()));
  await log.database.query(`truncate ${usageProjection.tables.map(({ name }) => name).join(', ')}`);
  await log.database.query('delete from checkpoint');
  await foldAll(log);
  expect(await facts()).toEqual(shared);
  expect(fatal).toEqual([]);
});

it('of a newer version has the tables rebuilt, while one of the older goes on until then and is idle after', async () => {
  await store(0, 1_000);
  await start();
  await folded(1_000);
  await log.database.query(`update person_day set shown = shown + 1 where ctid = (select min(ctid) from person_day)`); // what the newer fold sees otherwise
  await start({ ...usageProjection, version: usageProjection.version + 1 });
  await until('the older is told', () => lines.some((line) => line.includes('a newer Foothold folds')));
  await store(1_000, 500);
  await folded(1_500);
  expect(await shown()).toBe(1_500);
  expect(lines.filter((line) => line.includes('a newer Foothold folds'))).toHaveLength(1);
  expect(fatal).toEqual([]);
});

it('one that stalls within a fold loses its shard to another, and what it then writes counts for nothing', async () => {
  const impatient = new URL(database.url);
  impatient.searchParams.set('options', '-c idle_in_transaction_session_timeout=700 -c timezone=UTC');
  let stalled = 0;
  let wake = () => {};
  const asleep = new Promise<void>((resolve) => (wake = resolve));
  const stalling: Projection = {
    ...usageProjection,
    fold: async (events, rows) => {
      if (stalled++ < 2) await asleep;
      await usageProjection.fold(events, rows);
    },
  };
  await store(0, 400);
  await start(stalling, impatient.href);
  await until('both of its workers hold a shard', () => stalled === 2);
  await start();
  await folded(400);
  expect(await shown()).toBe(400);
  wake();
  await until('it notices', () => lines.some((line) => line.includes('trying again')));
  await store(400, 100);
  await folded(500);
  expect(await shown()).toBe(500);
  expect(fatal).toEqual([]);
});

it('waits while the database is away, and goes on when it is back', async () => {
  await start(usageProjection, proxy.url);
  await store(0, 100);
  await folded(100);
  decision = 'cut';
  await store(100, 200);
  await until('it has tried several times', () => lines.filter((line) => line.includes('trying again')).length >= 4);
  decision = 'forward';
  await folded(300);
  expect(await shown()).toBe(300);
  expect(fatal).toEqual([]);
});

it('is neither live nor ready once its database hangs, though it was with nothing to do', async () => {
  let now = 0;
  const health = new Health(undefined, () => now);
  await start(usageProjection, proxy.url, health);
  for (const silence of [PATIENCE_MS, PATIENCE_MS]) {
    now += silence + 1;
    expect(health.live().ok).toBe(false);
    await until('a round has come to its end', () => health.live().ok);
  }
  expect(await health.ready()).toMatchObject({ ok: true });

  decision = 'hang';
  expect(await health.ready()).toMatchObject({ ok: false, checks: [{ name: 'database', ok: false }] });
  now += PATIENCE_MS + 1; // the rounds that could end have ended while readiness was asked for
  expect(await health.ready()).toMatchObject({ ok: false });
  expect(health.live()).toMatchObject({ ok: false, checks: [{ name: 'projector', ok: false }] });
  expect(fatal).toEqual([]);
  await proxy.close(); // what hangs would hold up its end
});

it('lives through one round that takes a dozen times as long as it may be silent, page by page', async () => {
  let now = 0;
  const health = new Health(undefined, () => now);
  const live: boolean[] = [];
  await store(0, 400);
  await start({
    ...usageProjection, page: 10,
    fold: async (events, rows) => {
      live.push(health.live().ok);
      await usageProjection.fold(events, rows);
      now += PATIENCE_MS * 0.3; // two pages are under way at once
    },
  }, database.url, health);
  await folded(400);
  expect(now).toBeGreaterThan(12 * PATIENCE_MS - 1);
  expect(live).not.toContain(false);
});

it('a bug in a fold ends the process and leaves the checkpoint where it was', async () => {
  await store(0, 50);
  await start({ ...usageProjection, fold: () => Promise.reject(new TypeError('undefined is not a function')) });
  await until('it ends', () => fatal.length > 0);
  expect(fatal[0]).toBeInstanceOf(TypeError);
  expect(await lag(log.database, usageProjection.name)).toEqual({ folded: 0, behind: 50, waited: expect.any(Number) });
});

it.each([['idle', 'forward'], ['the database is away', 'cut']] as const)('stops within moments: %s', async (_, state) => {
  const projector = await start(usageProjection, proxy.url);
  decision = state;
  if (state === 'cut') await until('it is trying', () => lines.some((line) => line.includes('trying again')));
  const asked = Date.now();
  await projector.stop();
  expect(Date.now() - asked).toBeLessThan(8_000); // the process would be killed after 10 s
});

it('stops between two pages of a long way to go, and another goes on from there', async () => {
  await store(0, 1_000);
  const first = await start({ ...usageProjection, page: 10 });
  await until('it has begun', async () => (await lag(log.database, usageProjection.name)).folded > 0);
  await first.stop();
  const { folded: done, behind } = await lag(log.database, usageProjection.name);
  expect(done + behind).toBe(1_000);
  await start();
  await folded(1_000);
  expect(await shown()).toBe(1_000);
});
