import { type Refusal } from '@foothold/contract';
import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { arrival, arrivals, DEPLOYMENT, freshLog, id, MOMENT, person, personIn, TENANTS } from '../../../test/support/event-log.js';
import { change, Tail, USAGE_SHARDS, type Arrived, type Arrival } from './index.js';

const [TENANT, OTHER] = TENANTS as [string, string];
const under = freshLog();

const refusal = (changes: Partial<Refusal> = {}): Arrival => ({
  refusal: { kind: 'rejected', field: 'data.surface', reason: 'missing', fix: 'send it', tenant: TENANT, deployment: DEPLOYMENT, source: 'erp', type: 'foothold.invocation.started.v1', id: id(99), payload: null, ...changes },
});
const ids = (arrived: Arrived[]) => arrived.map((one) => one.id);
const open = (deployment = DEPLOYMENT, since?: number) => Tail.open(under.database, TENANT, deployment, since);
const now = async () => (await under.rows<{ now: number }>('select (extract(epoch from clock_timestamp()) * 1000000)::float8 as now'))[0]!.now;

describe('a tail', () => {
  it('shows what comes after it was opened, whole but for the rest of the pseudonyms', async () => {
    const source = await under.origin();
    await source.append([arrival(1), refusal()]);
    const tail = await open();
    expect(await tail.look()).toEqual([]);
    const before = await now();
    await source.append([arrival(2, { type: 'result.accepted', actor: person('two'), data: '{"invocation":"i-2","changed":0.25}' })]);
    const arrived = await tail.look();
    expect(arrived).toEqual([
      {
        outcome: 'stored', received: expect.any(Number), time: MOMENT + 2, type: 'result.accepted', id: id(2), source: 'erp',
        person: person('one').slice(0, 6), actor: person('two').slice(0, 6), skewMs: null, data: { invocation: 'i-2', changed: 0.25 },
      },
    ]);
    expect(arrived[0]!.received).toBeGreaterThanOrEqual(before);
    expect(await tail.look()).toEqual([]);
  });

  it('shows events of nobody, and of people who were forgotten', async () => {
    const tail = await open();
    await (await under.origin()).append([arrival(1, { type: 'feed.counted', person: null, data: '{}' }), arrival(2)]);
    await under.rows('delete from person');
    expect((await tail.look()).map((one) => [one.id, one.outcome === 'stored' && one.person])).toEqual([[id(1), null], [id(2), null]]);
  });

  it('shows neither other deployments nor other tenants', async () => {
    await change(under.log, TENANT, 'letters', 0, [{ type: 'deployment.registered', time: MOMENT, data: {} }], { timeZone: 'UTC' });
    const tail = await open();
    await (await under.origin()).append([
      arrival(1, { deployment: 'letters' }), arrival(2, {}, OTHER), arrival(3), refusal({ id: id(4), deployment: 'letters' }), refusal({ id: id(5), tenant: OTHER }), refusal({ id: id(6), tenant: OTHER, deployment: null }),
    ]);
    expect(ids(await tail.look())).toEqual([id(3)]);
  });

  it('shows refusals with field, reason and fix, also where no deployment or tenant could be read', async () => {
    const tail = await open();
    await (await under.origin()).append([refusal(), refusal({ id: null, deployment: null, field: 'body' }), refusal({ id: null, tenant: null, deployment: null, field: 'headers.tenant' }), arrival(7, { deployment: 'claim' })]);
    const told = { outcome: 'rejected', received: expect.any(Number), tenant: TENANT, deployment: DEPLOYMENT, type: 'foothold.invocation.started.v1', id: id(99), source: 'erp', field: 'data.surface', reason: 'missing', fix: 'send it' };
    expect(await tail.look()).toEqual([told, { ...told, id: null, deployment: null, field: 'body' }, { ...told, id: null, tenant: null, deployment: null, field: 'headers.tenant' }]);
  });

  it('of a deployment that is not registered shows what is quarantined, and once it is, what is stored', async () => {
    const tail = await open('new');
    const source = await under.origin();
    await source.append([arrival(1, { deployment: 'new' })]);
    expect(await tail.look()).toMatchObject([{ outcome: 'quarantined', deployment: 'new', field: 'deployment', id: id(1), fix: expect.stringContaining('register') }]);
    await change(under.log, TENANT, 'new', 0, [{ type: 'deployment.registered', time: MOMENT, data: {} }], { timeZone: 'UTC' });
    await source.append([arrival(1, { deployment: 'new' })]);
    expect(await tail.look()).toMatchObject([{ outcome: 'stored', id: id(1) }]);
  });

  it('of a tenant that is not there shows nothing, and nothing breaks', async () => {
    const tail = await Tail.open(under.database, 'nobody', DEPLOYMENT);
    await (await under.origin()).append([arrival(1), refusal()]);
    expect(await tail.look()).toEqual([]);
  });

  it('gives events and refusals of several appends in the order of receipt', async () => {
    const tail = await open();
    const source = await under.origin();
    for (let n = 0; n < 12; n += 2) await source.append([arrival(n, { person: personIn((n * 5) % USAGE_SHARDS) }), refusal({ id: id(n + 1) })]);
    const arrived = await tail.look();
    expect(ids(arrived)).toEqual(Array.from({ length: 12 }, (_, n) => id(n)));
  });

  it('goes on page by page where much has come, and says so', async () => {
    const tail = await open();
    const one = personIn(7);
    await (await under.origin()).append(Array.from({ length: 2_500 }, (_, n) => arrival(n, { person: one })));
    const seen: string[] = [];
    const behind: boolean[] = [];
    for (let looks = 0; looks < 4; looks++) {
      seen.push(...ids(await tail.look()).map(String));
      behind.push(tail.behind);
    }
    expect(behind).toEqual([true, true, false, false]);
    expect(seen).toEqual(Array.from({ length: 2_500 }, (_, n) => id(n)));
  });

  it('reads two small statements a look while nothing arrives', async () => {
    await (await under.origin()).append([...arrivals(0, 500), refusal()]);
    const said: string[] = [];
    const counting = { query: (sql: string, values?: unknown[]) => (said.push(sql.trim().split(/\s+/)[0]!), under.database.query(sql, values)) } as unknown as typeof under.database;
    const tail = await Tail.open(counting, TENANT, DEPLOYMENT);
    said.length = 0;
    await tail.look();
    expect(said).toEqual(['select', 'select']);
  });
});

describe('a tail with a span', () => {
  it.each([0, 1, 2, 40, 333])('begins where the moment lies: %i events in the log before it', async (before) => {
    const source = await under.origin();
    for (let n = 0; n < before; n += 37) await source.append([...arrivals(n, Math.min(37, before - n)), refusal({ id: id(90_000 + n) })]);
    const moment = await now();
    await source.append([...arrivals(1_000, 60), refusal({ id: id(99_999) })]);
    const arrived = await (await open(DEPLOYMENT, moment)).look();
    expect(ids(arrived).sort()).toEqual([...Array.from({ length: 60 }, (_, n) => id(1_000 + n)), id(99_999)].sort());
  });

  it('that reaches back before everything shows all there is', async () => {
    await (await under.origin()).append([...arrivals(0, 200), refusal()]);
    expect(await (await open(DEPLOYMENT, MOMENT - 10 ** 15)).look()).toHaveLength(201);
  });

  it('finds dead letters between those that are gone', async () => {
    const source = await under.origin();
    await source.append(Array.from({ length: 40 }, (_, n) => refusal({ id: id(n) })));
    await under.rows('delete from dead_letter where dead_letter % 7 > 0');
    const moment = await now();
    await source.append([refusal({ id: id(100) })]);
    expect(ids(await (await open(DEPLOYMENT, moment)).look())).toEqual([id(100)]);
  });
});

it('shows a refusal whose transaction committed after that of a later one', async () => {
  const source = await under.origin();
  const tail = await open();
  const bury = `insert into dead_letter (origin, received, kind, tenant, deployment, id, field, reason, fix) values (${source.number}, clock_timestamp(), 'rejected', '${TENANT}', '${DEPLOYMENT}', $1, 'f', 'r', 'x')`;
  const slow = new pg.Client(under.url);
  await slow.connect();
  try {
    await slow.query('begin');
    for (const n of [1, 2]) await slow.query(bury, [`slow-${n}`]);
    await under.rows(bury, ['quick']);
    expect(ids(await tail.look())).toEqual(['quick']);
    expect(await tail.look()).toEqual([]);
    await slow.query('commit');
    expect(ids(await tail.look())).toEqual(['slow-1', 'slow-2']);
    expect(await tail.look()).toEqual([]);
  } finally {
    await slow.end();
  }
});

