/**
 * Promise: whatever the order, batching, duplication, redelivery or restart, the same history gives the same rows.
 * Every history goes into the log twice, under two tenants: once in order through one writer, and once shuffled and
 * doubled through two writers at once, with a projector that folds small pages meanwhile and loses some transactions.
 */
import { adoptionMigrations, DEFAULT_REGISTRATION, usageProjection } from '@foothold/adoption';
import { checkMessage } from '@foothold/contract';
import { append, change, eventLogMigrations, Fenced, finishOrigin, openLog, openOrigin, openTenant, prepare, project, USAGE_SHARDS, verify, type Arrival, type Log, type Projection } from '@foothold/event-log';
import { openDatabase, type Database } from '@foothold/platform';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { freshDatabase, type FreshDatabase } from './support/database.js';
import { sealer } from './support/event-log.js';
import { histories, type History, type HostEvent } from './support/history.js';
import { seeded, type Seeded } from './support/seeded.js';

const HISTORIES = 60;
const CONFLICTING = 20;
const SEED = Number(process.env['ANY_ORDER_SEED'] ?? randomBytes(4).readUInt32LE());
const RECEIVED_AT = Date.UTC(2027, 1, 1) * 1000;
const keyCheck = () => Buffer.from('one key for all');

let fresh: FreshDatabase;
/** Two writers and a projector, each with a pool and a memory of its own. */
let first: Database;
let second: Database;
let folding: Database;

beforeAll(async () => {
  fresh = await freshDatabase();
  const open = () => openDatabase({ url: fresh.url, application: 'any order', migrations: [...eventLogMigrations, ...adoptionMigrations], poolSize: 3 });
  [first, second, folding] = [await open(), await open(), await open()];
  await first.migrate();
  await prepare(first, usageProjection);
  console.info(`seed ${SEED}: repeat with ANY_ORDER_SEED=${SEED}`);
});

afterAll(async () => {
  for (const database of [first, second, folding]) await database?.close();
  await fresh?.drop();
});

test(`${HISTORIES} histories give the same rows in any order, with two writers at once`, async () => {
  let run = 0;
  const sizes = { events: 0, deliveries: 0, invocations: 0, tasks: 0, personDays: 0 };
  await fc.assert(
    fc.asyncProperty(histories(150), fc.integer(), async (history, seed) => {
      run++;
      const [calm, wild] = [`calm-${run}`, `wild-${run}`];
      await registerAll(calm, history);
      await registerAll(wild, history);
      await inOrder(calm, history.events);
      sizes.deliveries += await anyhow(wild, history.events, seeded(seed));
      const [expected, got] = [await rowsOf(calm), await rowsOf(wild)];
      expect(got).toEqual(expected);
      sizes.events += history.events.length;
      sizes.invocations += expected.invocations.length;
      sizes.tasks += expected.tasks.length;
      sizes.personDays += expected.personDays.length;
    }),
    { numRuns: HISTORIES, seed: SEED, endOnFailure: true },
  );
  console.info(`${run} histories: ${JSON.stringify(sizes)}`);
  expect(Math.min(...Object.values(sizes))).toBeGreaterThan(HISTORIES);
  const ledger = await verify(first);
  expect(ledger).toMatchObject({ balanced: true, stored: 2 * sizes.events, rejected: 0, quarantined: 0, received: sizes.events + sizes.deliveries });
}, 600_000);

test('what is summed up is the sum of what it is summed up of', async () => {
  const { columns } = usageProjection.tables.find(({ name }) => name === 'person_day')!;
  const counters = Object.entries(columns).filter(([name, type]) => type.startsWith('int') && name !== 'deployment' && name !== 'person').map(([name]) => name);
  const differences = (one: string, other: string) => first.query(`(select * from (${one}) one except select * from (${other}) other) union all (select * from (${other}) other except select * from (${one}) one)`);
  const sums = `select shard, deployment, person, day, max(revised_at), ${counters.map((counter) => `sum(${counter})`).join(', ')},
    sum(case when initiative = 'person' then active_accepted + active_overridden else 0 end), sum(case when initiative = 'mandated' then invocations else 0 end) from person_day group by 1, 2, 3, 4`;
  expect(await differences(`select shard, deployment, person, day, ${counters.join(', ')} from person_day_sum`, sums.replace('max(revised_at), ', '').replace(/,\s+sum\(case.*\) from/s, ' from'))).toEqual([]);
  expect(await differences('select shard, deployment, person, day, active_voluntary, invocations_mandated from person_day_sum', sums.replace(/max.*(?=sum\(case when initiative = 'person')/s, ''))).toEqual([]);
  expect(await differences('select shard, deployment, person, week, task_kind, active, active_accepted, tasks from person_week',
    `select shard, deployment, person, date_trunc('week', day)::date, task_kind, sum(active_accepted + active_overridden), sum(active_accepted), sum(tasks) from person_day group by 1, 2, 3, 4, 5 having sum(active_accepted + active_overridden + tasks) > 0`)).toEqual([]);
  expect(await differences('select deployment, day, task_kind, sum(n), sum(n) filter (where decision = $$accepted$$) from decision_time group by 1, 2, 3', 'select deployment, day, task_kind, sum(timed), nullif(sum(timed_accepted), 0) from person_day group by 1, 2, 3 having sum(timed) > 0')).toEqual([]);
  expect(await differences('select deployment, day, task_kind, model, release, against, sum(n) from confidence group by 1, 2, 3, 4, 5, 6',
    ['acceptance', 'truth'].map((against, i) => `select deployment, day, task_kind, model, release, '${against}', sum(${['stated', 'stated_truth'][i]}) from person_day group by 1, 2, 3, 4, 5 having sum(${['stated', 'stated_truth'][i]}) > 0`).join(' union all '))).toEqual([]);
  const ofEvents = `from event e join source s using (source) join deployment d using (deployment) where e.version is null`;
  const localDay = `(e.time at time zone (d.registration->>'timeZone'))::date`;
  expect(await differences('select deployment, day, source, sum(events), sum(late), sum(heartbeats), sum(dropped) from feed_day group by 1, 2, 3',
    `select e.deployment, ${localDay}, s.name, count(*), count(*) filter (where e.received - e.time > interval '24 hours'), count(*) filter (where e.type = 'sdk.reported'),
       coalesce(sum((select sum(value::bigint) from json_each_text(e.data->'dropped'))), 0) ${ofEvents} group by 1, 2, 3`)).toEqual([]);
  expect(await differences('select deployment, source, session, day, sum(n), max(greatest) from feed_session group by 1, 2, 3, 4',
    `select e.deployment, s.name, left(sequence, greatest(0, length(sequence) - 12)), ${localDay}, count(*), max(right(sequence, 12)::bigint) ${ofEvents} and sequence is not null group by 1, 2, 3, 4`)).toEqual([]);
  expect(await differences('select deployment, kind, quarter, sum(n) from feed_arrival group by 1, 2, 3 having sum(n) <> 0',
    [['tasks', 'completed_at', 'task'], ['invocations', 'first_at', 'invocation']].map(([kind, at, table]) => `select deployment, '${kind}', date_bin('15 minutes', ${at}, 'epoch'), count(*) from ${table} where ${at} is not null group by 1, 2, 3`).join(' union all '))).toEqual([]);
  const moment = (name: string, after: string) => `case when length(e.data->>'${name}') = 10 then ((e.data->>'${name}')::date + ${after})::timestamp at time zone (d.registration->>'timeZone') else (e.data->>'${name}')::timestamptz end`;
  expect(await differences('select deployment, kind, from_at, to_at, count, told_at from feed_total',
    `select distinct on (1, 2, 3, 4) e.deployment, e.data->>'kind', ${moment('from', '0')}, ${moment('to', '1')}, (e.data->>'count')::bigint, e.time ${ofEvents} and e.type = 'feed.counted' order by 1, 2, 3, 4, e.time desc, (e.id || ' ' || s.name) collate "C" desc`)).toEqual([]);
  expect(await differences('select shard, deployment, day from day_revision', 'select shard, deployment, day from day_revision union select shard, deployment, day from person_day')).toEqual([]);
});

test('the log folded anew, in other pages, gives the same tables in every column, stamps included', async () => {
  const before = await everyColumn();
  await first.query(`truncate ${usageProjection.tables.map(({ name }) => name).join(', ')}, checkpoint`, []);
  await prepare(first, usageProjection);
  await foldAll({ ...usageProjection, page: 41 });
  expect(before['person_day']!.length).toBeGreaterThan(HISTORIES);
  expect(await everyColumn()).toEqual(before);
}, 600_000);

test(`${CONFLICTING} histories with conflicting bodies come out with the same ledger`, async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(histories(60), fc.integer(), async (history, seed) => {
      run++;
      const random = seeded(seed);
      const twins = history.events.filter(() => random.next() < 0.3).map((event) => ({ ...event, time: '2026-04-02T00:00:00Z' }));
      const all = [...history.events, ...twins];
      const [calm, wild] = [`calm-twins-${run}`, `wild-twins-${run}`];
      await registerAll(calm, history);
      await registerAll(wild, history);
      await inOrder(calm, all);
      const received = await anyhow(wild, all, random);
      const sums = (tenant: string) => first.query<{ received: number; stored: number; others: number }>(
        `select sum(next_offset - first_offset - void_offsets)::int as received, sum(stored)::int as stored, sum(duplicate + quarantined)::int as others from origin where tenant = $1`, [tenant]);
      expect(await sums(calm)).toEqual([{ received: all.length, stored: history.events.length, others: twins.length }]);
      expect(await sums(wild)).toEqual([{ received, stored: history.events.length, others: received - history.events.length }]);
      expect(await identities(wild)).toEqual(await identities(calm));
    }),
    { numRuns: CONFLICTING, seed: SEED, endOnFailure: true },
  );
  expect(await verify(first)).toMatchObject({ balanced: true, problems: [] });
}, 600_000);

async function registerAll(tenant: string, history: History): Promise<void> {
  const log = openLog(first, keyCheck, sealer);
  await openTenant(log, tenant, keyCheck);
  for (const { id, timeZone, taskKinds } of history.deployments) {
    const registration = { ...DEFAULT_REGISTRATION, timeZone, taskKinds };
    await change(log, tenant, id, 0, [{ type: 'deployment.registered', time: RECEIVED_AT, data: registration }], registration);
  }
}

function arrivalsOf(tenant: string, events: HostEvent[]): Arrival[] {
  return events.map((event) => {
    const verdict = checkMessage(JSON.stringify(event), tenant, RECEIVED_AT, { pseudonymise: (_, person) => person, subjects: 'pseudonyms' });
    if (verdict.outcome === 'refused') throw new Error(`the history holds an event the boundary refuses: ${verdict.refusal.field} ${verdict.refusal.reason}`);
    return { tenant, event: verdict.event };
  });
}

const stretchOf = (origin: number, from: number, count: number) => ({ origin, from, next: from + count, voids: 0, mark: null, markOffset: null });

/** By time, in one append, folded in one page. */
async function inOrder(tenant: string, events: HostEvent[]): Promise<void> {
  const sorted = [...events].sort((a, b) => (a['time'] as string).localeCompare(b['time'] as string));
  const { origin } = await openOrigin(first, { kind: 'file', name: `${tenant}/in order`, part: 0, tenant, firstOffset: 0 });
  await append(openLog(first, keyCheck, sealer), arrivalsOf(tenant, sorted), stretchOf(origin, 0, sorted.length));
  await finishOrigin(first, origin);
  await foldAll(usageProjection);
}

/** Shuffled, some of it up to four times, in small batches through two writers at once, folded meanwhile. Returns how many records were delivered. */
async function anyhow(tenant: string, events: HostEvent[], random: Seeded): Promise<number> {
  const deliveries = random.shuffled(events.flatMap((event) => Array.from({ length: random.next() < 0.3 ? 1 + random.below(4) : 1 }, () => event)));
  const half = random.below(deliveries.length + 1);
  let writing = true;
  const writers = Promise.all([
    deliver(first, `${tenant}/first`, tenant, deliveries.slice(0, half), random),
    deliver(second, `${tenant}/second`, tenant, deliveries.slice(half), random),
  ]).finally(() => (writing = false));
  const projecting = (async () => {
    while (writing) await foldSome(random);
  })();
  await Promise.all([writers, projecting]);
  await foldAll({ ...usageProjection, page: 1 + random.below(20) });
  return deliveries.length;
}

/** A writer that restarts, forgets, and hands in again what it is not sure of. */
async function deliver(database: Database, name: string, tenant: string, events: HostEvent[], random: Seeded): Promise<void> {
  const open = () => openOrigin(database, { kind: 'kafka', name, part: 0, tenant, firstOffset: 0 });
  let log = openLog(database, keyCheck, sealer);
  const { origin } = await open();
  for (let at = 0; at < events.length; ) {
    const batch = arrivalsOf(tenant, events.slice(at, at + 1 + random.below(25)));
    await append(log, batch, stretchOf(origin, at, batch.length));
    if (random.next() < 0.2) await expect(append(log, batch, stretchOf(origin, at, batch.length))).rejects.toThrow(Fenced);
    if (random.next() < 0.2) log = openLog(database, keyCheck, sealer);
    at = (await open()).nextOffset;
  }
  await finishOrigin(database, origin);
}

class Crash extends Error {}

/** A page or two of some shard, by a projector that has just started; a third of its transactions are lost at their end. */
async function foldSome(random: Seeded): Promise<void> {
  const lost = random.next() < 0.33;
  const projection: Projection = {
    ...usageProjection,
    page: 1 + random.below(12),
    fold: async (events, store) => {
      await usageProjection.fold(events, store);
      if (lost) throw new Crash();
    },
  };
  await project(openLog(folding), projection, random.below(USAGE_SHARDS)).catch((error: unknown) => {
    if (!(error instanceof Crash)) throw error;
  });
}

async function foldAll(projection: Projection): Promise<void> {
  const log: Log = openLog(folding);
  for (let shard = 0; shard < USAGE_SHARDS; shard++) {
    for (let progress = await project(log, projection, shard); typeof progress !== 'string' && progress.behind; ) progress = await project(log, projection, shard);
  }
}

const PEOPLE = `join deployment d using (deployment) join tenant t using (tenant) join person p on p.person = r.person left join person a on a.person = r.actor`;

/** A tenant's rows without stamps; people by pseudonym, deployments by id; person-days of one person met from every shard. */
async function rowsOf(tenant: string) {
  const facts = (row: string, without: string) => `to_jsonb(${row}) - array[${without}] as facts`;
  const numbers = `'shard', 'revised_at', 'deployment', 'person', 'actor'`;
  const invocations = await first.query(
    `select d.id as deployment, encode(p.pseudonym, 'hex') as person, encode(a.pseudonym, 'hex') as actor, ${facts('r', numbers)}
       from invocation r ${PEOPLE} where t.name = $1 order by 1, 2, r.invocation`, [tenant]);
  const tasks = await first.query(
    `select d.id as deployment, encode(p.pseudonym, 'hex') as person, ${facts('r', numbers)}
       from (select *, null::bigint as actor from task) r ${PEOPLE} where t.name = $1 order by 1, 2, r.task`, [tenant]);
  const personDays = await first.query(
    `select deployment, person, cell, jsonb_object_agg(counter, total) as counters
       from (select d.id as deployment, encode(p.pseudonym, 'hex') as person, cell, counter, sum(value::bigint)::float8 as total
               from (select *, null::bigint as actor from person_day) r ${PEOPLE},
                    lateral (select jsonb_build_array(day, task_kind, surface, initiative, model, release, reason) as cell) c,
                    lateral jsonb_each_text(to_jsonb(r) - array[${numbers}, 'day', 'task_kind', 'surface', 'initiative', 'model', 'release', 'reason']) as k(counter, value)
              where t.name = $1 group by 1, 2, 3, 4) sums
      group by 1, 2, 3 order by 1, 2, 3`, [tenant]);
  return { invocations, tasks, personDays, ...(await summedUp(tenant)) };
}

/** A tenant's rows of the tables that are summed up of the others, met from every shard, without stamps. */
async function summedUp(tenant: string): Promise<Record<string, unknown[]>> {
  const tables = usageProjection.tables.filter(({ name }) => !['invocation', 'task', 'person_day', 'day_revision'].includes(name));
  const found: Record<string, unknown[]> = {};
  for (const { name, key, columns } of tables) {
    const cell = key.map((column) => (column === 'deployment' ? 'd.id as deployment' : column === 'person' ? `encode(p.pseudonym, 'hex') as person` : `r.${column}`));
    const counters = Object.keys(columns).filter((column) => !key.includes(column) && column !== 'revised_at');
    const met = (column: string) => (columns[column as keyof typeof columns] === 'int4' || columns[column as keyof typeof columns] === 'int8' ? (column === 'greatest' ? `max(r.greatest)::float8` : `sum(r.${column})::float8`) : `max(r.${column})`);
    found[name] = await first.query(
      `select ${cell.join(', ')}, ${counters.map((counter) => `${met(counter)} as ${counter}`).join(', ')}
         from ${name} r join deployment d using (deployment) join tenant t using (tenant) ${key.includes('person') ? 'join person p on p.person = r.person' : ''}
        where t.name = $1 group by ${cell.map((_, i) => i + 1).join(', ')} order by ${cell.map((_, i) => i + 1).join(', ')}`, [tenant]);
  }
  return found;
}

async function everyColumn(): Promise<Record<string, unknown[]>> {
  const all = ({ name, key }: (typeof usageProjection.tables)[number]) => first.query(`select to_jsonb(r) as row from ${name} r order by shard, ${key.join(', ')}`);
  const tables: Record<string, unknown[]> = {};
  for (const table of usageProjection.tables) tables[table.name] = await all(table);
  return {
    ...tables,
    checkpoints: await first.query('select shard, position::int from checkpoint order by shard'),
  };
}

async function identities(tenant: string) {
  return first.query(`select e.id, s.name from event e join source s using (source) join tenant t using (tenant) where t.name = $1 and e.version is null order by 1, 2`, [tenant]);
}
