/** Cells on a real Postgres: told once, told anew when something makes a difference, whole whoever is killed, by one at a time. */
import { DEFAULT_REGISTRATION, REVISED_MS, tellCells } from '@foothold/adoption';
import { change, openTenant, type Log } from '@foothold/event-log';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import pino from 'pino';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { at, completeAt, MINUTE, resultOf, store, TENANT } from '../../../test/support/decisions.js';
import { openTestLog, pseudonymiser } from '../../../test/support/recording.js';
import { type Turn } from './sentinel.js';
import { tellingOf } from './tell-cells.js';

/** Noon in week 14 of 2026, in Helsinki. */
const NOON = at('2026-03-31T09:00:00Z');
const DAY = 24 * 60 * MINUTE;
/** In a week that is over. */
const USED = NOON - 8 * DAY;

let fresh: FreshDatabase;
let log: Log;
let stops: AbortController;
let beats: number;

beforeEach(async () => {
  fresh = await freshDatabase();
  log = await openTestLog(fresh.url);
  [stops, beats] = [new AbortController(), 0];
  await openTenant(log, TENANT, (of) => pseudonymiser.check(of));
  const registration = { ...DEFAULT_REGISTRATION, timeZone: 'Europe/Helsinki' };
  await change(log, TENANT, 'desk', 0, [{ type: 'deployment.registered', time: NOON - 30 * DAY, data: registration }], registration);
  await use(1, USED);
});
afterEach(async () => {
  await log.database.close();
  await fresh.drop();
});

/** Six people accept one result each. */
const use = async (round: number, time: number, complete = NOON) => {
  await store(log, [0, 1, 2, 3, 4, 5].flatMap((n) => resultOf({ invocation: `i-${round}-${n}`, shownAt: time + n * MINUTE, took: MINUTE, person: `p-${n}` })));
  await completeAt(log, complete);
};
const look = () => tellingOf(log, pino({ level: 'silent' })).run({ beat: () => beats++, signal: stops.signal } as unknown as Turn);
const state = async () => (await log.database.query<{ told: string | null; claimed: boolean; accepted: number | null; cells: number; ages: number }>(
  `select told_at::text as told, claimed_until is not null as claimed, (select sum(numerator)::int from reporting_cell where metric = 'trust.acceptance' and grain = 'all' and variant = 'decided' and by_dimension is null) as accepted,
     (select count(*)::int from reporting_cell) as cells, (select count(distinct told_at)::int from reporting_cell) as ages from reporting_deployment`))[0];
const age = (ms: number) => log.database.query(`update reporting_deployment set told_at = told_at - $1 * interval '1 millisecond'`, [ms]);

it('is told once, and stands while time only goes on within a day', async () => {
  await look();
  const first = await state();
  expect(first).toMatchObject({ claimed: false, accepted: 6, ages: 1 });
  expect(beats).toBeGreaterThan(100);
  await look();
  await completeAt(log, NOON + 11 * 60 * MINUTE);
  await look();
  await log.database.query(`update checkpoint set seen = '{}', version = version - 1`); // for a moment it is not known up to when all is there
  await look();
  await completeAt(log, NOON);
  await log.database.query(`update checkpoint set version = version + 1`);
  expect(await state()).toEqual(first);
  expect(await tellCells(log, TENANT, 'desk')).toBe('stands');
  expect(await tellCells(log, TENANT, 'desk', { anyway: true })).toMatchObject({ deployment: 'desk', cells: first!.cells });
});

it('is told anew once a day is over, something was decided or was folded otherwise, and at once', async () => {
  await look();
  for (const happens of [
    () => completeAt(log, NOON + DAY),
    () => change(log, TENANT, 'desk', 1, [{ type: 'pilot.started', time: NOON, data: { day: '2026-03-01' } }], { ...DEFAULT_REGISTRATION, timeZone: 'Europe/Helsinki', pilotStart: '2026-03-01' }),
    () => log.database.query('update checkpoint set version = version - 1'),
    () => log.database.query('update reporting_deployment set definitions = definitions - 1'),
  ]) {
    const before = await state();
    await happens();
    await look();
    expect((await state())!.told).not.toBe(before!.told);
  }
  const [stands] = await log.database.query('select pilot_start::text as day, version from reporting_deployment');
  expect(stands).toEqual({ day: '2026-03-01', version: 2 });
});

it('of revised days an hour after it was told last, and not of a day that is not over', async () => {
  await look();
  await use(2, USED + 30 * MINUTE);
  await look();
  expect((await state())!.accepted).toBe(6);
  await age(REVISED_MS);
  await look();
  expect((await state())!.accepted).toBe(12);
  await use(3, NOON - 30 * MINUTE); // today
  await age(REVISED_MS);
  const before = await state();
  await look();
  expect(await state()).toEqual(before);
});

it('leaves the cells as they were, whole, where it is stopped half-way or fails at the end, and is told then', async () => {
  await look();
  const before = await state();
  await use(2, USED + 30 * MINUTE, NOON + DAY);
  const own = tellCells(log, TENANT, 'desk', { pace: (done) => { if (done === 40) throw new Error('killed'); } });
  await expect(own).rejects.toThrow('killed');
  expect(await state()).toEqual(before);
  // In the transaction that takes the old ones out.
  await log.database.query(`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'the disk is full' using errcode = '53100'; end $$`);
  await log.database.query('create trigger refuse before insert on reporting_note execute function refuse()');
  await expect(look()).rejects.toMatchObject({ code: '53100' });
  expect(await state()).toEqual(before);
  await log.database.query('drop trigger refuse on reporting_note');
  await look();
  expect(await state()).toMatchObject({ claimed: false, accepted: 12, ages: 1 });
});

it('is claimed by one, whose claim ends when it was killed; a person need not wait, and the later telling stands', async () => {
  const other = tellCells(log, TENANT, 'desk', { pace: async (done) => {
    if (done !== 5) return;
    expect(await tellCells(log, TENANT, 'desk')).toBe('elsewhere');
    await use(2, USED + 30 * MINUTE);
    expect(await tellCells(log, TENANT, 'desk', { anyway: true })).toMatchObject({ deployment: 'desk' });
  } });
  expect(await other).toBe('elsewhere');
  expect((await state())!.accepted).toBe(12);
  await completeAt(log, NOON + DAY);
  await log.database.query(`update reporting_deployment set claimed_until = now() + interval '5 minutes'`);
  expect(await tellCells(log, TENANT, 'desk')).toBe('elsewhere');
  await log.database.query(`update reporting_deployment set claimed_until = now() - interval '1 second'`);
  expect(await tellCells(log, TENANT, 'desk')).toMatchObject({ deployment: 'desk' });
});

it('of which a figure cannot be worked out, it is said, and the others are told', async () => {
  const registration = { ...DEFAULT_REGISTRATION, timeZone: 'Nowhere/Nothing' };
  await change(log, TENANT, 'broken', 0, [{ type: 'deployment.registered', time: NOON - 30 * DAY, data: registration }], registration);
  await look();
  expect((await log.database.query(`select deployment from reporting_deployment where told_at is not null`))).toEqual([{ deployment: 'desk' }]);
});

it('leaves alone what a newer program tells', async () => {
  await look();
  await log.database.query('update reporting_deployment set definitions = definitions + 1');
  await completeAt(log, NOON + DAY);
  const before = await state();
  await look();
  expect(await tellCells(log, TENANT, 'desk', { anyway: true })).toBe('elsewhere');
  expect(await state()).toMatchObject({ ...before, claimed: false });
});

it('of one that stops in the middle, the rest is left to the next', async () => {
  setTimeout(() => stops.abort(), 300);
  await look();
  expect((await state())?.told ?? null).toBeNull();
  stops = new AbortController();
  await look();
  expect((await state())!.accepted).toBe(6);
});
