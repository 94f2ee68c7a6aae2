/**
 * What is told of people who come, go and stay, in a deployment that is no sandbox: examples worked out by hand, and random people
 * of whom somebody asks everything, every Monday, while a solver looks for sums over few of them.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Answer, type AnswerRow } from '@foothold/contract';
import { eventLogMigrations } from '@foothold/event-log';
import { openDatabase, type Database } from '@foothold/platform';
import { randomBytes } from 'node:crypto';
import { recovered } from '../../../../test/attacks/solver.js';
import { freshDatabase, type FreshDatabase } from '../../../../test/support/database.js';
import { seeded } from '../../../../test/support/seeded.js';
import { dayNumber, dayText } from '../local-day.js';
import { personDaySumTable } from '../person-day.js';
import { DEFAULT_REGISTRATION } from '../registration.js';
import { adoptionMigrations } from '../schema.js';
import { prepareAnswer } from './answer.js';
import { understand, type Asked } from './question.js';

const SEED = Number(process.env['TOLD_SEED'] ?? randomBytes(4).readUInt32LE());
const ENOUGH = 5;
let fresh: FreshDatabase;
let database: Database;
beforeAll(async () => {
  fresh = await freshDatabase();
  database = await openDatabase({ url: fresh.url, application: 'told', migrations: [...eventLogMigrations, ...adoptionMigrations] });
  await database.migrate();
});
afterAll(async () => {
  await database?.close();
  await fresh?.drop();
});
beforeEach(() => database.query('truncate person_day_sum, day_revision, roster'));

/** The Monday of a quarter of the grid, which is counted from the Monday before 1970 where no registration is in the log. */
const MONDAY = dayNumber('1969-12-29')! + 13 * 7 * 225;
const day = (week: number, of = 0) => dayText(MONDAY + 7 * week + of);
/** Weeks of a range, both included. */
const range = (from: number, to: number) => ({ from: day(from), to: day(to, 6) });

/** Decisions of people on a day. */
async function did(people: readonly number[], on: string): Promise<void> {
  const names = ['shard', ...Object.keys(personDaySumTable.columns)];
  const facts: Record<string, string> = { shard: '0', deployment: '1', person: 'p', day: `'${on}'`, revised_at: `'2026-06-01'`, active_accepted: '1', tasks: '1' };
  await database.query(`insert into person_day_sum (${names.join(', ')}) select ${names.map((name) => facts[name] ?? '0').join(', ')} from unnest($1::int8[]) p`, [people]);
  await database.query(`insert into day_revision values (0, 1, $1, '2026-06-01', 1) on conflict do nothing`, [on]);
}
const enable = (person: number, team: string, role = '') => database.query(`insert into roster values (1, $1, '2020-01-01', null, $2, $3, false, '2026-06-01')`, [person, team, role]);
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

async function ask(asked: Asked, morning: string): Promise<Answer> {
  const subject = { deployment: 1, version: 1, registration: DEFAULT_REGISTRATION, closures: [], completeThrough: Date.parse(`${morning}T05:00:00Z`) * 1000 };
  return (await prepareAnswer((sql, values) => database.query(sql, values), subject, understand(asked))).answer();
}

describe('growth over 28 days', () => {
  /** Of each row of a variant, by its week: its value, or hidden. */
  const course = (rows: readonly AnswerRow[], variant: string, team?: string) => rows.filter((row) => row.variant === variant && (team === undefined || row.by['team'] === team)).map(({ suppressed, value }) => (suppressed ? 'hidden' : value));

  it('says nothing of who is new in a week of few people: the others would give it away', async () => {
    await did(numbers(1, 8), day(0));
    await did([1, 2, 20], day(1)); // three, one of them new
    for (const week of [2, 3, 4, 5]) await did([...numbers(1, 8), 21], day(week));
    const { rows } = await ask({ metric: 'adoption.growth', grain: 'week', ...range(0, 5) }, day(6));
    expect(course(rows, 'new')).toEqual([8, 'hidden', 1, 0, 0, 0]);
    expect(course(rows, 'active_28')).toEqual([8, 9, 10, 10, 10, 9]);
    // 9 - 8 and 10 - 8 - 1 would be the second week's; from the sixth on it lies in no 28 days.
    expect(course(rows, 'new_28')).toEqual([8, 'hidden', 'hidden', 'hidden', 'hidden', 1]);
    expect(course(rows, 'resurrected_28')).toEqual([0, 'hidden', 'hidden', 'hidden', 'hidden', 0]);
    expect(course(rows, 'retained_28')).toEqual([0, 0, 0, 0, 8, 8]);
    // Of a range that begins in the middle of a week, the same.
    const later = await ask({ metric: 'adoption.growth', grain: 'week', from: day(2, 3), to: day(5, 6) }, day(6));
    expect(course(later.rows, 'new_28')).toEqual(['hidden', 'hidden', 1]);
  });

  it('hides a team where it holds few people, and where a week of it is hidden for it', async () => {
    for (const person of numbers(1, 6)) await enable(person, 'a');
    for (const person of numbers(11, 18)) await enable(person, 'b');
    for (const person of numbers(21, 23)) await enable(person, 'c');
    for (const week of numbers(0, 6)) await did([...numbers(1, week === 1 ? 3 : 6), ...numbers(11, 18)], day(week));
    const { rows } = await ask({ metric: 'adoption.growth', grain: 'week', ...range(0, 5), by: 'team' }, day(7));
    expect(course(rows, 'active', 'a')).toEqual([6, 'hidden', 6, 6, 6, 6]);
    expect(course(rows, 'active', 'b')).toEqual([8, 'hidden', 8, 8, 8, 8]); // less than all, it would tell of the other three
    for (const team of ['a', 'b']) expect(course(rows, 'new_28', team)).toEqual([team === 'a' ? 6 : 8, 'hidden', 'hidden', 'hidden', 'hidden', 0]);
    expect(course(rows, 'active_28', 'a')).toEqual([6, 6, 6, 6, 6, 6]);
    await did(numbers(21, 23), day(2));
    const more = (await ask({ metric: 'adoption.growth', grain: 'week', ...range(2, 2), by: 'team' }, day(7))).rows;
    expect(['c', 'a', 'b'].map((team) => course(more, 'active_28', team))).toEqual([['hidden'], ['hidden'], [8]]);
  });
});

describe('survival', () => {
  const cells = (rows: readonly AnswerRow[], by: string) => Object.fromEntries(rows.filter(({ variant }) => variant === 'survival').map((row) => [String(row.by[by]), row.suppressed ? 'hidden' : row.denominator]));

  it('hides a small team, and the smallest beside it; a role that is a team and two more; a week that is not over', async () => {
    for (const person of numbers(1, 8)) await enable(person, 'a', 'clerk');
    for (const person of numbers(11, 12)) await enable(person, 'b', 'clerk');
    for (const person of numbers(13, 19)) await enable(person, 'b', 'lead');
    for (const person of numbers(21, 30)) await enable(person, 'd', 'lead');
    for (const person of numbers(31, 33)) await enable(person, 'e', 'lead');
    for (const week of [0, 1, 2, 3]) await did([...numbers(1, 8), ...numbers(11, 19), ...numbers(21, 33)], day(week));
    const asked = { metric: 'adoption.survival', ...range(0, 12) };
    const { rows } = await ask({ ...asked, by: 'team' }, day(14));
    expect(cells(rows, 'team')).toEqual({ a: 'hidden', b: 9, d: 10, e: 'hidden' });
    // Nobody can take the three of team e apart from the others, since team b has clerks and leads.
    const roles = await ask({ ...asked, by: 'role' }, day(14));
    expect(cells(roles.rows, 'role')).toEqual({ clerk: 10, lead: 20 });
    await database.query(`update roster set team = 'a' where team = 'e'`);
    await database.query(`update roster set role = 'clerk' where team = 'a'`);
    // Now team a is told, and all clerks but two are of it.
    expect(cells((await ask({ ...asked, by: 'team' }, day(14))).rows, 'team')).toEqual({ a: 11, b: 9, d: 10 });
    expect(cells((await ask({ ...asked, by: 'role' }, day(14))).rows, 'role')).toEqual({ clerk: 'hidden', lead: 'hidden' });
    await expect(ask({ ...asked, by: 'team,week' }, day(14))).rejects.toMatchObject({ field: 'by' });
    expect((await ask({ ...asked, by: 'team' }, day(0, 6))).rows).toEqual([]);
  });

  it(`gives nothing away of few of random people, whoever began when and where (seed ${SEED})`, async () => {
    const random = seeded(SEED);
    const people = numbers(1, 100).map((person) => {
      const team = ['a', 'a', 'a', 'b', ''][random.below(5)]!;
      return { person, day: day(random.below(13), random.below(7)), team, role: team === 'a' || random.below(12) === 0 ? 'lead' : '' }; // all of a are leads, and most leads are of a
    });
    for (const { person, team, role, day: on } of people) {
      await enable(person, team, role);
      await did([person], on);
    }
    const told = new Map<string, AnswerRow>();
    let hidden = 0;
    for (const week of numbers(1, 15)) for (const by of ['', 'team', 'role']) for (const asked of [{}, range(random.below(6), 6 + random.below(7))]) {
      for (const row of (await ask({ metric: 'adoption.survival', by, ...asked }, day(week))).rows.filter(({ variant }) => variant === 'survival')) {
        const label = JSON.stringify([row.from, row.to, row.by]);
        if (row.suppressed) hidden++;
        else expect(told.set(label, told.get(label) ?? row).get(label)!.denominator).toBe(row.denominator);
      }
    }
    const sumOf = ({ from, to, by }: AnswerRow) => people.flatMap((one, i) => (one.day >= from && one.day <= to && Object.entries(by).every(([dimension, value]) => (one[dimension as 'team'] || null) === value) ? [i] : []));
    const sums = [...told.values()].filter(({ people: behind }) => behind! > 0);
    expect(sums.map((row) => sumOf(row).length)).toEqual(sums.map(({ denominator }) => denominator));
    expect(recovered(people, sums.map(sumOf), ENOUGH)).toEqual([]);
    expect([sums.length > 0, hidden > 0]).toEqual([true, true]); // by team, what is told depends on the seed: the specs above say when it is
  }, 120_000);
});

describe('retention', () => {
  it('names the days of the brackets by the range, not by when the first of few began', async () => {
    for (const person of numbers(1, 12)) await enable(person, person < 12 ? 'a' : 'b');
    await did(numbers(1, 6), day(1));
    await did(numbers(7, 12), day(2));
    const { rows, notes } = await ask({ metric: 'adoption.retention', ...range(0, 12), by: 'team' }, day(60));
    expect(rows.filter(({ variant }) => variant === 'used_bracket').map(({ by, suppressed }) => [by['team'], suppressed])).toEqual([['a', true], ['b', true]]);
    // From week 0 to 12, and 26 weeks on.
    expect(notes.filter((note) => note.startsWith('Weeks'))).toEqual([`Weeks 23 to 26 of those in it lie between ${day(23)} and ${day(38, 6)}; closed weeks are left out.`]);
  });
});
