/** Haste by hand: times of the first weeks, and acceptances under what was quick then. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventLogMigrations } from '@foothold/event-log';
import { type Database } from '@foothold/platform';
import { bucketOf } from '@foothold/statistics';
import { databases, freshDatabase, type FreshDatabase } from '../../../../test/support/database.js';
import { dayNumber, dayText } from '../local-day.js';
import { DEFAULT_REGISTRATION, type Registration } from '../registration.js';
import { adoptionMigrations } from '../schema.js';
import { prepareAnswer } from './answer.js';
import { understand, type Asked } from './question.js';

const open = databases();
const MONDAY = dayNumber('2026-01-05')!;
const monday = (n: number) => dayText(MONDAY + 7 * n);
let fresh: FreshDatabase;
let database: Database;
/** Counters, by table. */
let columns: Record<string, string[]>;

beforeAll(async () => { fresh = await freshDatabase(); });
afterAll(() => fresh.drop());
beforeEach(async () => {
  database = await open(fresh.url, [...eventLogMigrations, ...adoptionMigrations]);
  await database.migrate();
  await database.query('truncate person_day, person_day_sum, day_revision, decision_time');
  const counters = (table: string) => database.query<{ name: string }>(`select column_name as name from information_schema.columns where table_name = $1 and data_type in ('integer', 'bigint') and column_name not in ('deployment', 'person')`, [table]);
  columns = Object.fromEntries(await Promise.all(['person_day', 'person_day_sum'].map(async (table) => [table, (await counters(table)).map(({ name }) => name)])));
});

/** Decisions of people on a day: how long each took, in milliseconds. */
async function decided(day: string, people: number, kind: string, decision: 'accepted' | 'overridden', times: number[]): Promise<void> {
  await database.query(`insert into day_revision values (0, 1, $1, '2026-06-01', 1) on conflict (shard, deployment, day) do update set revisions = day_revision.revisions + 1`, [day]);
  for (const ms of times) await database.query(`insert into decision_time values (0, 1, $1, $2, $3, $4, 1) on conflict (shard, deployment, day, task_kind, decision, bucket) do update set n = decision_time.n + 1`, [day, kind, decision, bucketOf(ms)]);
  for (let person = 1; person <= people; person++) {
    const own = times.filter((_, i) => i % people === person - 1).length;
    const counters: Record<string, number> = { timed: own, [decision]: own, timed_accepted: decision === 'accepted' ? own : 0 };
    const names = Object.keys(counters);
    const add = (table: string, key: string, of: string[], values: string[]) => database.query(
      `insert into ${table} (${[...of, 'revised_at', ...names].join(', ')}) values (${[...values, `'2026-06-01'`, ...Object.values(counters)].join(', ')})
       on conflict (${key}) do update set ${names.map((name) => `${name} = ${table}.${name} + excluded.${name}`).join(', ')}`);
    const sum = { shard: '0', deployment: '1', person: String(person), day: `'${day}'` };
    const apart = { ...sum, task_kind: `'${kind}'`, surface: `''`, initiative: `''`, model: `''`, release: `''`, reason: `''` };
    for (const [table, key] of [['person_day', apart], ['person_day_sum', sum]] as const) {
      const others = columns[table]!.filter((name) => !names.includes(name));
      await add(table, Object.keys(key).join(', '), [...Object.keys(key), ...others], [...Object.values(key), ...others.map(() => '0')]);
    }
  }
}

async function ask(asked: Partial<Asked>, { agreement = null, ...registration }: Partial<Registration> & { agreement?: { people: number; dwellTimes: boolean } | null } = { sandbox: true }) {
  const subject = { deployment: 1, version: 1, registration: { ...DEFAULT_REGISTRATION, ...registration }, closures: [], agreement, completeThrough: Date.UTC(2026, 11, 31) * 1000 };
  const { rows, notes } = await (await prepareAnswer((sql, values) => database.query(sql, values), subject, understand({ metric: 'trust.rubber_stamp', from: monday(20), to: dayText(MONDAY + 7 * 20 + 6), ...asked }))).answer();
  return { notes, rows: rows.map(({ by, value, numerator, denominator, people, low, suppressed }) => [...Object.values(by), value, numerator, denominator, people, low, suppressed]) };
}

describe('trust.rubber_stamp', () => {
  beforeEach(async () => {
    await decided(monday(0), 2, 'letter', 'accepted', [10, 10, 10]); // weeks 1 and 2 are left out
    await decided(monday(2), 5, 'letter', 'accepted', [2_000, ...Array.from({ length: 9 }, () => 60_000)]);
    await decided(dayText(MONDAY + 7 * 9 + 6), 5, 'letter', 'overridden', Array.from({ length: 10 }, () => 60_000));
    await decided(monday(10), 5, 'letter', 'accepted', [10, 10, 10, 10, 10]); // and so is what comes after week 10
    await decided(monday(20), 5, 'letter', 'accepted', [900, 1_500, 1_900, 5_000, 60_000]);
    await decided(monday(20), 5, 'claim', 'accepted', [900, 1_500]); // of which nothing is known in the first weeks
  });

  it('is what was accepted under the fifth percentile of its kind in weeks 3 to 10, or under a second', async () => {
    expect((await ask({})).rows).toEqual([[4 / 7, 4, 7, 5, null, false]]);
    expect((await ask({ by: 'task_kind' })).rows).toEqual([['claim', 1 / 2, 1, 2, 2, null, false], ['letter', 3 / 5, 3, 5, 5, null, false]]);
    expect((await ask({ by: 'stage,task_kind' }, { sandbox: true, handoff: '2026-01-05' })).rows.map(([stage, kind, value]) => [stage, kind, value])).toEqual([['production', 'claim', 1 / 2], ['production', 'letter', 3 / 5]]);
  });

  it('counts the first weeks from the pilot’s start where there is one', async () => {
    // Weeks 3 to 10 since then are the sixth to the thirteenth: 2,000 ms are not in them, five of 10 ms are.
    expect((await ask({}, { sandbox: true, pilotStart: monday(3) })).rows).toEqual([[2 / 7, 2, 7, 5, null, false]]);
  });

  it('is pointed out where overrides fell too', async () => {
    const POINTED_OUT = expect.stringContaining('look whether results are still read');
    expect((await ask({})).notes).toContainEqual(POINTED_OUT);
    await decided(monday(20), 5, 'letter', 'overridden', Array.from({ length: 20 }, () => 60_000));
    expect((await ask({})).notes).not.toContainEqual(POINTED_OUT);
    expect((await ask({ from: monday(2), to: monday(9) })).notes).not.toContainEqual(POINTED_OUT);
  });

  it('is told only where that was agreed, and not of few people', async () => {
    const refused = { field: 'metric', fix: expect.stringContaining('--dwell-times') };
    await expect(ask({}, {})).rejects.toMatchObject(refused);
    await expect(ask({}, { agreement: { people: 5, dwellTimes: false } })).rejects.toMatchObject(refused);
    expect((await ask({}, { agreement: { people: 5, dwellTimes: true } })).rows).toEqual([[4 / 7, 4, 7, 5, null, false]]);
    expect((await ask({}, { agreement: { people: 6, dwellTimes: true } })).rows).toEqual([]);
  });

  it('says nothing of days without any', async () => {
    expect((await ask({ from: monday(30), to: monday(31) })).rows).toEqual([[null, 0, 0, 0, null, false]]);
  });
});
