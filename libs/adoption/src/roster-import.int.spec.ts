/** Rosters on a real Postgres: facts and rows in one transaction, the same rows folded anew, and people who are those of the events. */
import { type Log, VersionConflict } from '@foothold/event-log';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { resultOf, store, TENANT } from '../../../test/support/decisions.js';
import { openTestLog, pseudonymiser } from '../../../test/support/recording.js';
import { close, decideHandoff, decideOn, deploymentOf, importRoster, rebuildRoster, registerDeployment, rosterOf, startPilot, withdrawClosure, type Period } from './index.js';
import { DEFAULT_REGISTRATION } from './registration.js';

const NOW = Date.UTC(2026, 2, 30, 12) * 1000;
const DAY = 86_400_000_000;
const VIEWER = { tenant: TENANT, deployments: null };
let fresh: FreshDatabase;
let log: Log;

beforeEach(async () => {
  fresh = await freshDatabase();
  log = await openTestLog(fresh.url);
  await register('desk');
});
afterEach(async () => {
  await log.database.close();
  await fresh.drop();
});

const register = (id: string, sandbox = false) => registerDeployment(log, (of) => pseudonymiser.check(of), TENANT, id, { ...DEFAULT_REGISTRATION, sandbox }, NOW);
const enabled = (team: string, from = '2026-01-05', to: string | null = null): Period => ({ team, role: 'clerk', from, to, leave: false });
const leave = (from: string, to: string): Period => ({ team: '', role: '', from, to, leave: true });
const named = (people: Record<string, Period[]>) => new Map(Object.entries(people).map(([name, periods]) => [createHash('sha256').update(name).digest('hex'), periods]));
const load = (people: Record<string, Period[]>, complete = false, expected?: number, id = 'desk') => importRoster(log, VIEWER, id, named(people), complete, NOW, expected);
const query = <Row>(sql: string, values: unknown[] = []) => log.database.query<Row>(sql, values);
const numberOf = async (id = 'desk') => (await deploymentOf(log, VIEWER, id)).deployment;
const teams = async () => [...(await rosterOf(query, await numberOf())).values()].map((periods) => periods.map(({ team, from, to, leave: away }) => `${team} ${from} ${to} ${away}`)).sort();
const facts = () => query<{ version: number; type: string; people: number }>(`select version, type, (person is not null)::int as people from event where shard = 16 order by version`);

describe('an import', () => {
  it('writes a fact and rows for each person who changes, and nothing for the others', async () => {
    expect(await load({ ada: [enabled('a'), leave('2026-03-01', '2026-03-10')], bo: [enabled('a', '2026-01-05', '2026-02-01'), enabled('b', '2026-02-02')] })).toMatchObject({ version: 3, people: 2, added: 2, changed: 0, unchanged: 0, removed: 0 });
    expect(await teams()).toEqual([['a 2026-01-05 2026-02-01 false', 'b 2026-02-02 null false'], ['a 2026-01-05 null false', ' 2026-03-01 2026-03-10 true']]);
    expect(await load({ bo: [enabled('c')], cy: [enabled('c')] })).toMatchObject({ version: 5, people: 3, added: 1, changed: 1, unchanged: 0, removed: 0 });
    expect(await load({ bo: [enabled('c')], cy: [enabled('c')] })).toMatchObject({ version: 5, people: 3, added: 0, changed: 0, unchanged: 2, removed: 0 });
    expect(await load({ cy: [enabled('c')] }, true)).toMatchObject({ version: 7, people: 1, added: 0, changed: 0, unchanged: 1, removed: 2 });
    expect(await teams()).toEqual([['c 2026-01-05 null false']]);
    expect(await facts()).toEqual([{ version: 1, type: 'deployment.registered', people: 0 }, ...[2, 3, 4, 5, 6, 7].map((version) => ({ version, type: 'roster.changed', people: 1 }))]);
  });

  it('takes the version it expects, and no other', async () => {
    await load({ ada: [enabled('a')] }, false, 1);
    await expect(load({ ada: [enabled('b')] }, false, 1)).rejects.toThrow(VersionConflict);
    await expect(load({ ada: [enabled('a')] }, false, 1)).rejects.toThrow(VersionConflict);
    expect(await teams()).toEqual([['a 2026-01-05 null false']]);
  });

  it('decides anew on what others made of the roster meanwhile', async () => {
    const done = await Promise.all(['a', 'b', 'c', 'd'].map((team) => load({ ada: [enabled(team)], [team]: [enabled(team)] })));
    expect(done.map(({ added, changed }) => added + changed)).toEqual([2, 2, 2, 2]);
    const found = (await teams()).map(([only]) => only!.slice(0, 1)).sort();
    expect(found).toHaveLength(5);
    expect([...new Set(found)]).toEqual(['a', 'b', 'c', 'd']);
    expect(await rebuildRoster(log, VIEWER, 'desk')).toEqual({ people: 5, differences: 0 });
  });

  it('leaves no fact where its rows cannot be written', async () => {
    await expect(load({ ada: [enabled('a'), enabled('b')] })).rejects.toThrow('roster_pkey');
    expect(await facts()).toHaveLength(1);
    expect((await deploymentOf(log, VIEWER, 'desk')).version).toBe(1);
  });

  it('is of one deployment, and leaves the others’ people alone', async () => {
    await register('other');
    await load({ ada: [enabled('a')] }, false, undefined, 'other');
    await load({ bo: [enabled('b')] }, true);
    expect([...(await rosterOf(query, await numberOf('other'))).values()]).toEqual([[enabled('a')]]);
  });
});

describe('a rebuild', () => {
  it('gives the same rows, stamps included, and mends those that were tampered with', async () => {
    await load({ ada: [enabled('a'), leave('2026-03-01', '2026-03-10')], bo: [enabled('b')], cy: [enabled('c')] });
    await load({ ada: [enabled('z')], dee: [enabled('d')] });
    await load({ ada: [enabled('z')], dee: [enabled('d')], bo: [enabled('b')] }, true);
    const before = await query('select * from roster order by person, from_day');
    expect(await rebuildRoster(log, VIEWER, 'desk')).toEqual({ people: 3, differences: 0 });
    expect(await query('select * from roster order by person, from_day')).toEqual(before);
    await query(`update roster set team = 'x' where team = 'z'`);
    await query(`delete from roster where team = 'd'`);
    expect(await rebuildRoster(log, VIEWER, 'desk')).toEqual({ people: 3, differences: 3 });
    expect(await query('select * from roster order by person, from_day')).toEqual(before);
  });
});

describe('the share that matched', () => {
  const people = (count: number, prefix = 'p') => Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, [enabled('a')]]));

  it('is of the roster’s people in the events, and of the active people on the roster', async () => {
    const seen = [0, 1, 2, 3, 4, 5].flatMap((i) => resultOf({ invocation: `new ${i}`, shownAt: NOW - 2 * DAY, took: 1_000_000, person: `p${i}` }));
    const shown = resultOf({ invocation: 'only shown', shownAt: NOW - 2 * DAY, person: 'p6' });
    const old = resultOf({ invocation: 'old', shownAt: NOW - 28 * DAY, took: 1_000_000, person: 'p7' });
    const strangers = [0, 1].flatMap((i) => resultOf({ invocation: `strange ${i}`, shownAt: NOW - 27 * DAY, took: 1_000_000, person: `stranger ${i}` }));
    await store(log, [...seen, ...shown, ...old, ...strangers]);
    expect((await load(people(10))).matched).toEqual({ roster: 0.8, active: 0.75 });
  });

  it('is not told of fewer than five people, but in a sandbox', async () => {
    await store(log, [0, 1, 2, 3].flatMap((i) => resultOf({ invocation: `${i}`, shownAt: NOW - 2 * DAY, took: 1_000_000, person: `p${i}` })));
    expect((await load(people(4))).matched).toEqual({ roster: null, active: null });
    expect((await load(people(5))).matched).toEqual({ roster: 0.8, active: null });
    await register('trial', true);
    await store(log, resultOf({ deployment: 'trial', invocation: 'i', shownAt: NOW - 2 * DAY, took: 1_000_000, person: 'p0' }));
    expect((await load(people(2), false, undefined, 'trial')).matched).toEqual({ roster: 0.5, active: 1 });
  });
});

describe('a decision about a deployment', () => {
  it('is a fact, once, and what it leads to stands', async () => {
    const decide = (decision: Parameters<typeof decideOn>[5], expected?: number) => decideOn(log, VIEWER, 'desk', NOW, expected, decision);
    await decide((stands) => startPilot(stands, '2026-01-05'));
    expect(await decide((stands) => decideHandoff(stands, '2026-03-02'))).toMatchObject({ changed: true, deployment: { version: 3 } });
    expect(await decide((stands) => decideHandoff(stands, '2026-03-02'))).toMatchObject({ changed: false, deployment: { version: 3 } });
    await decide((stands) => close(stands, { from: '2026-12-24', to: '2026-12-26', reason: 'christmas' }));
    await decide((stands) => close(stands, { from: '2026-05-01', to: '2026-05-01', reason: null }));
    await load({ ada: [enabled('a')] }); // leaves it as it stands
    await expect(decide((stands) => startPilot(stands, '2026-01-06'), 2)).rejects.toThrow(VersionConflict);
    const stood = await deploymentOf(log, VIEWER, 'desk');
    expect(stood).toMatchObject({ version: 6, registration: { pilotStart: '2026-01-05', handoff: '2026-03-02' }, closures: [{ from: '2026-05-01', to: '2026-05-01', reason: null }, { from: '2026-12-24', to: '2026-12-26', reason: 'christmas' }] });
    expect(Object.keys(stood.registration).sort()).toEqual(Object.keys(DEFAULT_REGISTRATION).sort());
    await decide((stands) => withdrawClosure(stands, '2026-12-24', '2026-12-26'));
    expect(await deploymentOf(log, VIEWER, 'desk')).toMatchObject({ version: 7, closures: [{ from: '2026-05-01' }] });
    expect((await facts()).map(({ type }) => type)).toEqual(['deployment.registered', 'pilot.started', 'handoff.decided', 'closure.declared', 'closure.declared', 'roster.changed', 'closure.withdrawn']);
    // Whoever registers it again by the same script finds it as it was.
    expect(await register('desk')).toEqual({ isNew: false, version: 7, registration: { ...DEFAULT_REGISTRATION, pilotStart: '2026-01-05', handoff: '2026-03-02' } });
  });

  it('is made on what others decided meanwhile', async () => {
    await Promise.all([1, 2, 3, 4, 5].map((day) => decideOn(log, VIEWER, 'desk', NOW, undefined, (stands) => close(stands, { from: `2026-05-0${day}`, to: `2026-05-0${day}`, reason: null }))));
    expect((await deploymentOf(log, VIEWER, 'desk')).closures.map(({ from }) => from)).toEqual(['2026-05-01', '2026-05-02', '2026-05-03', '2026-05-04', '2026-05-05']);
  });
});
