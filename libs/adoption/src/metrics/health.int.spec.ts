/**
 * What the feed says of itself, in stories small enough to be counted by hand, on a real Postgres. Days are Oslo's, where it is
 * an hour later than in UTC in January, two from 29 March on.
 */
import { type Answer, type EventName, type UsageEvent } from '@foothold/contract';
import { change, openTenant, rebuild, type Log } from '@foothold/event-log';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { freshDatabase, type FreshDatabase } from '../../../../test/support/database.js';
import { at, completeAt, event, resultOf, store, TENANT } from '../../../../test/support/decisions.js';
import { NO_DIFFERENCES, openTestLog, pseudonymiser } from '../../../../test/support/recording.js';
import { ask } from '../deployments.js';
import { DEFAULT_REGISTRATION } from '../registration.js';
import { usageProjection } from '../usage.js';
import { type Asked, understand } from './question.js';

let fresh: FreshDatabase;
let log: Log;
let deployment: string;
let made = 0;

beforeAll(async () => {
  fresh = await freshDatabase();
  log = await openTestLog(fresh.url);
  await openTenant(log, TENANT, (of) => pseudonymiser.check(of));
});
afterAll(async () => {
  await log?.database.close();
  await fresh?.drop();
});
beforeEach(() => open(true));

async function open(sandbox: boolean): Promise<void> {
  deployment = `desk-${++made}`;
  const registration = { ...DEFAULT_REGISTRATION, timeZone: 'Europe/Oslo', sandbox };
  await change(log, TENANT, deployment, 0, [{ type: 'deployment.registered', time: at('2026-01-01T00:00:00Z'), data: registration }], registration);
}

/** A completed task of a person, which makes a day one on which anything is counted. */
const task = (moment: string, name = moment, person = 'ada'): UsageEvent => event(deployment, 'task.completed', at(moment), { task: name, taskKind: 'letter' }, person);
const ofNobody = (type: EventName, moment: string, data: Record<string, unknown>): UsageEvent => ({ ...event(deployment, type, at(moment), data), person: null });
const heartbeat = (moment: string, dropped: Record<string, number> = {}): UsageEvent => ofNobody('sdk.reported', moment, { queued: 0, dropped, sdk: 'foothold-js', version: '1.0.0' });
const total = (moment: string, from: string, to: string, count: number, kind = 'tasks'): UsageEvent => ofNobody('feed.counted', moment, { kind, from, to, count });
const counted = (session: string, counter: number, one: UsageEvent, source = 'urn:spec'): UsageEvent => ({ ...one, source, sequence: `${session}${String(counter).padStart(12, '0')}` });

async function answer(asked: Partial<Asked> = {}): Promise<Answer> {
  const question = understand({ metric: 'telemetry.health', ...asked });
  return (await ask(log, { tenant: TENANT, deployments: null }, deployment, question)).answer();
}

/** By first day, numerator and denominator of a variant. */
async function figures(variant: string, asked: Partial<Asked> = { grain: 'day' }): Promise<Record<string, (number | null)[]>> {
  const { rows } = await answer(asked);
  return Object.fromEntries(rows.filter((row) => row.variant === variant).map(({ from, numerator, denominator }) => [from, [numerator, denominator]]));
}

describe('gaps', () => {
  it('in the middle of a session are what its sequences lack', async () => {
    await store(log, [1, 2, 5, 6].map((n) => counted('00000042', n, task(`2026-01-05T09:0${n}:00Z`))));
    expect(await figures('gaps')).toEqual({ '2026-01-05': [2, 6] });
  });

  it('at the beginning count, and those across midnight count on the day that lacks them', async () => {
    await store(log, [counted('00000042', 3, task('2026-01-05T22:59:59.999999Z')), counted('00000042', 6, task('2026-01-05T23:00:00Z')), counted('00000042', 7, task('2026-01-07T09:00:00Z'))]);
    expect(await figures('gaps')).toEqual({ '2026-01-05': [2, 3], '2026-01-06': [2, 3], '2026-01-07': [0, 1] });
    // However the range begins, a session goes on from its earlier days.
    expect(await figures('gaps', { grain: 'all', from: '2026-01-06' })).toEqual({ '2026-01-06': [2, 4] });
  });

  it('of two sources are told apart though their sessions have the same digits, and so are sessions of one source', async () => {
    await store(log, [
      counted('00000042', 1, task('2026-01-05T09:00:00Z')), counted('00000042', 2, task('2026-01-05T09:01:00Z')),
      counted('00000042', 4, task('2026-01-05T09:02:00Z'), 'urn:other'), counted('00000043', 1, task('2026-01-05T09:03:00Z')),
    ]);
    expect(await figures('gaps')).toEqual({ '2026-01-05': [3, 7] });
    expect(await figures('sources')).toEqual({ '2026-01-05': [2, null] });
  });

  it('are none where a process begins again: it is another session', async () => {
    await store(log, [1, 2, 3].map((n) => counted('00000042', n, task(`2026-01-05T09:0${n}:00Z`))));
    await store(log, [1, 2].map((n) => counted('00000077', n, task(`2026-01-05T10:0${n}:00Z`))));
    expect(await figures('gaps')).toEqual({ '2026-01-05': [0, 5] });
  });

  it('say nothing of events without a sequence, and take a short one for a session without digits', async () => {
    await store(log, [task('2026-01-05T09:00:00Z'), task('2026-01-06T09:00:00Z'), { ...task('2026-01-06T09:01:00Z'), sequence: '2' }, { ...task('2026-01-06T09:02:00Z'), sequence: '000000000003' }]);
    expect(await figures('gaps')).toEqual({ '2026-01-05': [0, 0], '2026-01-06': [1, 3] });
    expect((await answer()).rows.find(({ variant }) => variant === 'gaps')).toMatchObject({ value: 1 / 3, low: null, high: null, people: 1 });
  });

  it('are filled by what comes late, and are not made by what comes twice or by events of several people', async () => {
    const people = ['ada', 'bea', 'cid', 'dot', 'eve'];
    const all = Array.from({ length: 20 }, (_, i) => counted('00000042', i + 1, task('2026-01-05T09:00:00Z', `t-${i}`, people[i % people.length])));
    for (let time = 0; time < 3; time++) await store(log, all.filter((_, i) => i !== 7).reverse());
    expect(await figures('gaps')).toEqual({ '2026-01-05': [1, 20] });
    await store(log, [all[7]!]);
    expect(await figures('gaps')).toEqual({ '2026-01-05': [0, 20] });
    expect(await figures('late')).toEqual({ '2026-01-05': [20, 20] });
  });

  it('are of local days where clocks change, too', async () => {
    // 29 March 2026 is 23 hours long in Oslo: from 23:00 UTC to 22:00 UTC.
    await store(log, ['2026-03-28T22:59:59Z', '2026-03-28T23:00:00Z', '2026-03-29T21:59:59Z', '2026-03-29T22:00:00Z'].map((moment, i) => counted('00000042', 2 * i + 1, task(moment))));
    expect(await figures('gaps')).toEqual({ '2026-03-28': [0, 1], '2026-03-29': [2, 4], '2026-03-30': [1, 2] });
  });
});

it('heartbeats and what they confess count on their day, whoever they are of, and what was stored within a day is not late', async () => {
  await store(log, [
    task('2026-01-05T09:00:00Z'), heartbeat('2026-01-05T09:00:00Z', { 'queue-full': 3, refused: 1 }), heartbeat('2026-01-05T22:00:00Z', { 'queue-full': 2 }), heartbeat('2026-01-06T09:00:00Z'),
    { ...heartbeat('2026-01-06T09:01:00Z', { expired: 5 }), person: pseudonymiser.pseudonym(TENANT, 'ada') }, task('2026-01-06T10:00:00Z'),
  ]);
  expect(await figures('heartbeats')).toEqual({ '2026-01-05': [2, null], '2026-01-06': [2, null] });
  expect(await figures('dropped')).toEqual({ '2026-01-05': [6, null], '2026-01-06': [5, null] });
  const today = new Date(Date.now() - 3_600_000).toISOString();
  await store(log, [task(today)]);
  const late = (await answer({ from: '2026-01-05' })).rows.find(({ variant }) => variant === 'late');
  expect([late!.numerator, late!.denominator]).toEqual([6, 7]);
});

describe('control totals', () => {
  const DAY = ['2026-01-04T23:00:00Z', '2026-01-05T23:00:00Z'] as const;

  it('are held against what arrived in their span, by the latest word on it', async () => {
    await store(log, [task('2026-01-04T23:00:00Z'), task('2026-01-05T09:00:00Z'), task('2026-01-05T22:59:59.999999Z'), task('2026-01-05T23:00:00Z'), total('2026-01-06T06:00:00Z', ...DAY, 7)]);
    expect(await figures('tasks_complete')).toEqual({ '2026-01-05': [3, 7], '2026-01-06': [0, 0] });
    await store(log, [total('2026-01-06T08:00:00Z', ...DAY, 4), total('2026-01-06T07:00:00Z', ...DAY, 9)]);
    expect(await figures('tasks_complete')).toEqual({ '2026-01-05': [3, 4], '2026-01-06': [0, 0] });
    // The latest of a task wins, and takes it out of the day before.
    await store(log, [task('2026-01-06T09:00:00Z', '2026-01-05T09:00:00Z')]);
    expect(await figures('tasks_complete')).toEqual({ '2026-01-05': [2, 4], '2026-01-06': [0, 0] });
  });

  it('are the same whether they are told as days or as moments', async () => {
    await store(log, [task('2026-01-05T09:00:00Z'), total('2026-01-06T06:00:00Z', ...DAY, 4), total('2026-01-06T07:00:00Z', '2026-01-05', '2026-01-05', 2)]);
    expect(await figures('tasks_complete')).toEqual({ '2026-01-05': [1, 2] });
  });

  it('each count where they overlap, none for more than it counted, and only in what they lie in wholly', async () => {
    await store(log, [
      ...Array.from({ length: 4 }, (_, i) => task(`2026-01-05T0${6 + i}:00:00Z`)), task('2026-01-06T09:00:00Z'),
      total('2026-01-07T06:00:00Z', '2026-01-05T05:00:00Z', '2026-01-05T09:00:00Z', 2), total('2026-01-07T06:00:00Z', '2026-01-05T08:00:00Z', '2026-01-05T12:00:00Z', 5),
      total('2026-01-07T06:00:00Z', '2026-01-05', '2026-01-06', 10),
    ]);
    expect(await figures('tasks_complete')).toEqual({ '2026-01-05': [2 + 2, 7], '2026-01-06': [0, 0] });
    expect(await figures('tasks_complete', { grain: 'week' })).toEqual({ '2026-01-05': [2 + 2 + 5, 17] });
  });

  it('may begin and end at any moment, and be of a day on which clocks change', async () => {
    await store(log, [
      ...['2026-03-29T00:00:00Z', '2026-03-29T08:07:30.001Z', '2026-03-29T08:07:30.002Z', '2026-03-29T21:59:59Z', '2026-03-29T22:00:00Z'].map((moment) => task(moment)),
      total('2026-03-30T06:00:00Z', '2026-03-29T08:07:30.002Z', '2026-03-29T21:59:59Z', 3), total('2026-03-30T06:00:00Z', '2026-03-29', '2026-03-29', 6),
    ]);
    expect(await figures('tasks_complete')).toEqual({ '2026-03-29': [1 + 4, 9], '2026-03-30': [0, 0] });
  });

  it('of invocations are held against the earliest event of each', async () => {
    const late = resultOf({ deployment, invocation: 'i-1', shownAt: at('2026-01-05T09:00:00Z'), took: 60_000_000 });
    await store(log, [...late.slice(1), ...resultOf({ deployment, invocation: 'i-2', shownAt: at('2026-01-05T09:20:00Z') }), total('2026-01-06T06:00:00Z', ...DAY, 4, 'invocations')]);
    expect(await figures('invocations_complete')).toEqual({ '2026-01-05': [2, 4] });
    expect(await figures('unmatched')).toEqual({ '2026-01-05': [1, 2] });
    // It began the evening before, as is heard now.
    await store(log, [{ ...late[0]!, time: at('2026-01-04T22:00:00Z') }]);
    expect(await figures('invocations_complete')).toEqual({ '2026-01-04': [0, 0], '2026-01-05': [1, 4] });
    expect(await figures('unmatched')).toEqual({ '2026-01-04': [0, 1], '2026-01-05': [0, 1] });
  });

  it('stand beside coverage, and say when it is not to be read', async () => {
    const notes = async () => (await answer({ metric: 'adoption.coverage', from: '2026-01-05', to: '2026-01-06' })).notes.filter((note) => note.includes('system of record'));
    await store(log, [...Array.from({ length: 19 }, (_, i) => task(`2026-01-05T09:${10 + i}:00Z`)), total('2026-01-06T08:00:00Z', '2026-01-04', '2026-01-05', 500)]);
    expect(await notes()).toEqual([]);
    await store(log, [total('2026-01-06T06:00:00Z', '2026-01-05', '2026-01-05', 20)]);
    expect(await notes()).toEqual(['The system of record counted 20 tasks, and 19 of them arrived (95 %).']);
    await store(log, [total('2026-01-06T07:00:00Z', '2026-01-05', '2026-01-05', 21)]);
    expect(await notes()).toEqual(['The system of record counted 21 tasks, and 19 of them arrived (90.4 %). Coverage is not to be read.']);
  });
});

it('tasks where flag and invocations differ are told of all completed', async () => {
  await store(log, [
    ...resultOf({ deployment, invocation: 'i', shownAt: at('2026-01-05T09:00:00Z') }).map((one, i) => (i === 0 ? { ...one, data: JSON.stringify({ ...(JSON.parse(one.data) as object), task: 't' }) } : one)),
    event(deployment, 'task.completed', at('2026-01-05T09:30:00Z'), { task: 't', taskKind: 'letter', aided: true }), task('2026-01-05T10:00:00Z'),
  ]);
  expect(await figures('conflicts')).toEqual({ '2026-01-05': [1, 2] });
});

it('whatever changes an answer gives it another stamp, and tells when it was revised', async () => {
  const stamp = async (metric: string) => (await ask(log, { tenant: TENANT, deployments: null }, deployment, understand({ metric, to: '2026-01-05' }))).stamp;
  await store(log, [task('2026-01-05T09:00:00Z')]);
  const [health, coverage] = [await stamp('telemetry.health'), await stamp('adoption.coverage')];
  const { revisedAt } = await answer({ to: '2026-01-05' });
  await store(log, [total('2026-01-07T06:00:00Z', '2026-01-05', '2026-01-05', 3)]);
  expect([await stamp('telemetry.health') === health, await stamp('adoption.coverage') === coverage]).toEqual([false, false]);
  expect((await answer({ to: '2026-01-05' })).revisedAt! > revisedAt!).toBe(true);
});

it('is told of days that people are behind, laid together, where it is no sandbox', async () => {
  await open(false);
  const people = ['ada', 'bea', 'cid', 'dot', 'eve'];
  await store(log, [
    ...people.slice(0, 3).map((person) => task('2026-01-05T09:00:00Z', 'a', person)), ...people.map((person) => task('2026-01-06T09:00:00Z', 'b', person)),
    ...people.map((person) => task('2026-01-12T09:00:00Z', 'c', person)), heartbeat('2026-01-05T07:00:00Z'), heartbeat('2026-01-06T07:00:00Z'), heartbeat('2026-01-10T07:00:00Z'),
  ]);
  await completeAt(log, at('2026-01-20T00:00:00Z'));
  const { rows, notes } = await answer({ grain: 'day', from: '2026-01-05', to: '2026-01-11' });
  const beats = rows.filter(({ variant }) => variant === 'heartbeats').map(({ from, to, value, people: who }) => [from, to, value, who]);
  expect(beats[0]).toEqual(['2026-01-05', '2026-01-06', 2, 5]);
  expect(beats.slice(1).every(([, , , who]) => who === 0 || Number(who) >= 5)).toBe(true);
  expect(notes.filter((note) => note.includes('hidden'))).toEqual([]);
  expect((await answer({ grain: 'day', from: '2026-01-05', to: '2026-01-05' })).rows).toEqual([]);
});

it('all of it folded anew is the same in every column, from an older version’s tables too', async () => {
  expect(await rebuild(log, usageProjection)).toMatchObject({ differences: NO_DIFFERENCES, swapped: true });
  await log.database.query('truncate feed_day, feed_session, feed_total, feed_arrival');
  await log.database.query(`update checkpoint set version = 3 where projection = 'usage'`);
  deployment = 'desk-1';
  const before = await answer();
  expect(before.notes.some((note) => note.includes('folded anew'))).toBe(true);
  expect(before.rows.find(({ variant }) => variant === 'gaps')).toMatchObject({ value: null, denominator: 0 });
  const { differences, replaced, version, swapped } = await rebuild(log, usageProjection);
  expect({ replaced, version, swapped }).toEqual({ replaced: 3, version: usageProjection.version, swapped: true });
  expect(Object.entries(differences).filter(([, count]) => count > 0).map(([name]) => name)).toEqual(['feed_day', 'feed_session', 'feed_total', 'feed_arrival']);
  expect(await figures('gaps')).toEqual({ '2026-01-05': [2, 6] });
  expect((await answer()).notes.some((note) => note.includes('folded anew'))).toBe(false);
});
