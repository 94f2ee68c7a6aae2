/** What is held from question to question is what the tables hold, and is read again only where they were changed. */
import { beforeAll, afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Database } from '@foothold/platform';
import { eventLogMigrations } from '@foothold/event-log';
import { databases, freshDatabase, type FreshDatabase } from '../../../../test/support/database.js';
import { adoptionMigrations } from '../schema.js';
import { dayText } from '../local-day.js';
import { DEFAULT_REGISTRATION } from '../registration.js';
import { bitsOf, Held } from './held.js';
import { type Query, type Subject } from './metric.js';

const open = databases();
const DAY = 20_500;
let fresh: FreshDatabase;
let database: Database;
let read: string[];
let query: Query;

beforeAll(async () => { fresh = await freshDatabase(); });
afterAll(() => fresh.drop());
beforeEach(async () => {
  database = await open(fresh.url, [...eventLogMigrations, ...adoptionMigrations]);
  await database.migrate();
  await database.query('truncate person_day_sum, roster');
  read = [];
  query = (sql, values) => {
    if (sql.includes('person_day_sum')) read.push(...(values[1] as string[]));
    if (sql.includes('roster')) read.push('roster');
    return database.query(sql, values);
  };
});

/** Counters of person_day_sum that are not named are 0. */
async function has(person: number, day: number, counters: Record<string, number>, shard = 0, deployment = 1): Promise<void> {
  const columns = (await database.query<{ name: string }>(`select column_name as name from information_schema.columns where table_name = 'person_day_sum' and column_name not in ('shard', 'deployment', 'person', 'day', 'revised_at')`)).map(({ name }) => name);
  await database.query(
    `insert into person_day_sum (shard, deployment, person, day, revised_at, ${columns.join(', ')}) values ($1, $2, $3, $4, '2026-06-01', ${columns.map((name) => counters[name] ?? 0).join(', ')})`, [shard, deployment, person, dayText(day)]);
}
const subject = (version = 1, deployment = 1): Subject => ({ deployment, version, registration: DEFAULT_REGISTRATION, closures: [], completeThrough: null });
const held = (revisions: Record<number, string>, of = subject(), most?: number) => new Held(query, of, new Map(Object.entries(revisions).map(([day, revision]) => [Number(day), revision])), most);
const range = { from: DAY, to: DAY + 9 };
/** By day, each person and the bits of what they did. */
async function told(one: Held) {
  return Object.fromEntries((await one.days(range)).map(({ day, columns: [people, did] }) => [day - DAY, Object.fromEntries(Array.from(people!, (place, i) => [one.people[place], did![i]]))]));
}

describe('days', () => {
  it('tell of each person what they did, of all shards together, and are read once', async () => {
    await has(7, DAY, { shown: 2, accepted: 1 });
    await has(7, DAY, { active_accepted: 1 }, 3);
    await has(8, DAY + 2, { undecided: 1 });
    const asked = { [DAY]: 'a', [DAY + 2]: 'a' };
    expect(await told(held(asked))).toEqual({ 0: { 7: bitsOf('shown', 'accepted', 'active', 'active_accepted') }, 2: { 8: 0 } });
    expect(await told(held(asked))).toEqual({ 0: { 7: bitsOf('shown', 'accepted', 'active', 'active_accepted') }, 2: { 8: 0 } });
    expect(read).toEqual([dayText(DAY), dayText(DAY + 2)]);
  });

  it('are read again where they were changed, and only those', async () => {
    await has(7, DAY, { shown: 1 });
    await has(8, DAY + 2, { shown: 1 });
    await told(held({ [DAY]: 'a', [DAY + 2]: 'a' }));
    read = [];
    await has(9, DAY, { tasks: 1 });
    await has(7, DAY + 5, { feedback: 1 });
    await database.query('delete from person_day_sum where person = 8');
    expect(await told(held({ [DAY]: 'b', [DAY + 2]: 'c', [DAY + 5]: 'a' }))).toEqual({ 0: { 7: bitsOf('shown'), 9: bitsOf('tasks') }, 2: {}, 5: { 7: bitsOf('feedback') } });
    expect(read).toEqual([DAY, DAY + 2, DAY + 5].map(dayText));
  });

  it('are those of one deployment, and of one database', async () => {
    await has(7, DAY, { shown: 1 });
    await has(8, DAY, { shown: 1 }, 0, 2);
    expect(await told(held({ [DAY]: 'a' }))).toEqual({ 0: { 7: bitsOf('shown') } });
    expect(await told(held({ [DAY]: 'a' }, subject(1, 2)))).toEqual({ 0: { 8: bitsOf('shown') } });
    await has(9, DAY, { tasks: 1 });
    const other: Query = (sql, values) => query(sql, values);
    expect(await told(new Held(other, subject(), new Map([[DAY, 'a']])))).toEqual({ 0: { 7: bitsOf('shown'), 9: bitsOf('tasks') } });
  });

  it('that nobody asked for longest are dropped where too many are held', async () => {
    for (const deployment of [1, 2]) for (const person of [1, 2, 3]) await has(person, DAY, { shown: 1 }, 0, deployment);
    await told(held({ [DAY]: 'a' }));
    await told(held({ [DAY]: 'a' }, subject(1, 2)));
    read = [];
    await told(held({ [DAY]: 'a' }, subject(1, 2), 20)); // 30 bytes are held: the first deployment's go
    expect(read).toEqual([]);
    await told(held({ [DAY]: 'a' }));
    expect(read).toEqual([dayText(DAY)]);
  });
});

describe('the roster', () => {
  const enable = (person: number, team: string, from: number, to: number | null = null, leave = false) =>
    database.query(`insert into roster values (1, $1, $2, $3, $4, '', $5, '2026-06-01')`, [person, dayText(from), to === null ? null : dayText(to), team, leave]);

  it('is read again once anything was decided about the deployment', async () => {
    await enable(2, 'north', DAY + 3);
    await enable(2, 'south', DAY, DAY + 2);
    await enable(2, '', DAY + 1, DAY + 1, true);
    const expected = { enabled: new Map([['2', [{ from: DAY, to: DAY + 2, team: 'south', role: '' }, { from: DAY + 3, to: Infinity, team: 'north', role: '' }]]]), away: new Map([['2', [{ from: DAY + 1, to: DAY + 1, team: '', role: '' }]]]) };
    expect(await held({}).roster()).toEqual(expected);
    await enable(3, 'north', DAY);
    expect(await held({}).roster()).toEqual(expected);
    expect(read).toEqual(['roster']);
    expect([...(await held({}, subject(2)).roster()).enabled.keys()]).toEqual(['2', '3']);
  });

  it('is tried again after it could not be read', async () => {
    let isAway = true;
    const flaky: Query = (sql, values) => (isAway ? Promise.reject(new Error('away')) : query(sql, values));
    await expect(new Held(flaky, subject(), new Map()).roster()).rejects.toThrow('away');
    isAway = false;
    expect((await new Held(flaky, subject(), new Map()).roster()).enabled.size).toBe(0);
  });
});
