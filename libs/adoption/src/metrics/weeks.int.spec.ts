/** What looks back over weeks, on a real Postgres: examples worked out by hand, and random weeks beside a slow reference of the same author. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Answer, type AnswerRow } from '@foothold/contract';
import { eventLogMigrations } from '@foothold/event-log';
import { openDatabase, type Database } from '@foothold/platform';
import { kaplanMeier } from '@foothold/statistics';
import { randomBytes } from 'node:crypto';
import { freshDatabase, type FreshDatabase } from '../../../../test/support/database.js';
import { seeded } from '../../../../test/support/seeded.js';
import { dayNumber, dayText } from '../local-day.js';
import { personDayTable, personDaySumTable } from '../person-day.js';
import { DEFAULT_REGISTRATION, type Registration } from '../registration.js';
import { adoptionMigrations } from '../schema.js';
import { prepareAnswer } from './answer.js';
import { understand, type Asked } from './question.js';

const SEED = Number(process.env['WEEKS_SEED'] ?? randomBytes(4).readUInt32LE());
let fresh: FreshDatabase;
let database: Database;
beforeAll(async () => {
  fresh = await freshDatabase();
  database = await openDatabase({ url: fresh.url, application: 'weeks', migrations: [...eventLogMigrations, ...adoptionMigrations] });
  await database.migrate();
});
afterAll(async () => {
  await database?.close();
  await fresh?.drop();
});
beforeEach(() => database.query('truncate person_day, person_day_sum, person_week, day_revision, roster'));

const MONDAY = dayNumber('2026-01-05')!;
/** The Monday of week n. */
const monday = (n: number) => dayText(MONDAY + 7 * n);
const columnsOf = (columns: Record<string, string>) => Object.keys(columns);

/** Decisions of a person on a day, and tasks that were completed on it. */
async function did(person: number, day: string, decided: number, tasks = 0, kind = 'letter'): Promise<void> {
  const facts: Record<string, unknown> = { shard: 0, deployment: 1, person, day, revised_at: '2026-06-01', task_kind: kind, initiative: 'person', active_accepted: decided, accepted: decided, shown: decided, tasks };
  for (const [table, columns] of [['person_day', columnsOf(personDayTable.columns)], ['person_day_sum', columnsOf(personDaySumTable.columns)]] as const) {
    const names = ['shard', ...columns];
    const text = new Set(['task_kind', 'surface', 'initiative', 'model', 'release', 'reason']);
    await database.query(`insert into ${table} (${names.join(', ')}) values (${names.map((_, i) => `$${i + 1}`).join(', ')})`, names.map((name) => facts[name] ?? (text.has(name) ? '' : 0)));
  }
  await database.query(`insert into day_revision values (0, 1, $1, '2026-06-01', 1) on conflict (shard, deployment, day) do update set revisions = day_revision.revisions + 1`, [day]);
  await database.query(
    `insert into person_week values (0, 1, $1, date_trunc('week', $2::date), $3, $4, $4, $4, $5) on conflict (shard, deployment, person, week, task_kind)
     do update set active = person_week.active + $4, tasks = person_week.tasks + $5`, [person, day, kind, decided, tasks]);
}
const enable = (person: number, from: string, team = '', to: string | null = null) => database.query(`insert into roster values (1, $1, $2, $3, $4, '', false, '2026-06-01')`, [person, from, to, team]);

async function ask(asked: Asked, { completeThrough = '2026-12-31', closed = [[7, 7]], ...registration }: Partial<Registration> & { completeThrough?: string; closed?: [from: number, to: number][] } = {}): Promise<Answer> {
  const subject = { deployment: 1, version: 1, registration: { ...DEFAULT_REGISTRATION, sandbox: true, ...registration }, closures: closed.map(([from, to]) => ({ from: monday(from), to: dayText(MONDAY + 7 * to + 4), reason: null })), completeThrough: Date.parse(completeThrough) * 1000 };
  const { notes: [first, ...notes], ...answer } = await (await prepareAnswer((sql, values) => database.query(sql, values), subject, understand(asked))).answer();
  expect(first).toContain('sandbox');
  return { ...answer, notes };
}
const brief = ({ variant, numerator, denominator, people }: AnswerRow) => `${variant} ${numerator}/${denominator} of ${people}`;
const range = (from: number, to: number) => ({ from: monday(from), to: dayText(MONDAY + 7 * to + 6) });

describe('habit', () => {
  it('is judged by the last twelve weeks with eligible tasks, and is new under four', async () => {
    for (let week = 0; week < 14; week++) {
      await did(1, monday(week), week >= 5 ? 1 : 0, 1); // 9 of the last 12
      await did(2, monday(week), week === 1 ? 2 : 0, 1); // once, before these
      await did(3, monday(week), week >= 11 ? 1 : 0, 1); // 3 of 12
      await did(4, monday(week), week === 13 ? 1 : 0, 1); // 1 of 12
      if (week >= 11) await did(5, monday(week), 1, 1); // three weeks
      await did(6, monday(week), 0, 1);
      await did(7, monday(week), 1, 1, 'other'); // tasks of another kind only
    }
    expect((await ask({ metric: 'adoption.habit', ...range(0, 13) }, { taskKinds: ['letter'] })).rows.map(brief)).toEqual([
      'new 1/6 of 6', 'habitual 1/6 of 6', 'occasional 1/6 of 6', 'tried 1/6 of 6', 'lapsed 1/6 of 6', 'never 1/6 of 6',
    ]);
    // The week in which everything is complete is not over, and who was active in it alone was active before.
    expect((await ask({ metric: 'adoption.habit', ...range(0, 13) }, { taskKinds: ['letter'], completeThrough: `${monday(13)}T12:00:00Z` })).rows.map(brief)).toEqual([
      'new 1/6 of 6', 'habitual 0/6 of 6', 'occasional 1/6 of 6', 'tried 2/6 of 6', 'lapsed 1/6 of 6', 'never 1/6 of 6',
    ]);
    expect((await ask({ metric: 'adoption.habit', grain: 'week', ...range(2, 3) })).rows.filter(({ variant }) => variant === 'new').map(brief)).toEqual(['new 6/6 of 6', 'new 0/6 of 6']);
  });

  it('without tasks, by the weeks in which somebody is enabled on a working day; reach counts their teams', async () => {
    await enable(1, monday(0), 'north');
    await enable(2, monday(0), 'south');
    await enable(3, dayText(MONDAY + 5), 'south', dayText(MONDAY + 6)); // a weekend
    await enable(3, monday(4), 'south');
    await enable(4, monday(0));
    for (const week of [0, 1, 2, 3, 5, 6, 8]) await did(1, monday(week), 1);
    await did(2, monday(2), 1);
    const asked = { metric: 'adoption.habit', ...range(0, 8) };
    // Week 7 is closed: eight weeks for 1, 2 and 4, and for 3 weeks 4, 5, 6 and 8.
    expect((await ask(asked)).rows.map(brief)).toEqual(['new 0/4 of 4', 'habitual 1/4 of 4', 'occasional 0/4 of 4', 'tried 1/4 of 4', 'lapsed 0/4 of 4', 'never 2/4 of 4']);
    expect((await ask({ ...asked, by: 'team' })).rows.filter(({ variant }) => variant === 'habitual').map(({ by, ...row }) => `${by['team']} ${brief(row as AnswerRow)}`)).toEqual(['null habitual 0/1 of 1', 'north habitual 1/1 of 1', 'south habitual 0/2 of 2']);
    expect((await ask({ ...asked, metric: 'adoption.reach' })).rows.map(brief)).toEqual(['all 1/2 of 3']);
    expect((await ask({ ...asked, ...range(0, 2) })).rows.map(brief)).toContain('new 3/3 of 3');
  });

  it('a deployment that counted tasks in its first ten weeks counts them for good', async () => {
    for (let week = 0; week < 12; week++) await did(1, monday(week), 1, week < 3 ? 1 : 0);
    await enable(1, monday(0));
    expect((await ask({ metric: 'adoption.habit', ...range(0, 11) })).rows.map(brief)).toContain('new 1/1 of 1');
    expect((await ask({ metric: 'adoption.habit', ...range(0, 11) }, { handoff: monday(-20) })).rows.map(brief)).toContain('habitual 1/1 of 1');
  });
});

describe('survival', () => {
  it('ends with the last active week before four exposed ones without activity, and guesses no end', async () => {
    for (const person of [1, 2, 3]) for (let week = 0; week < 12; week++) await did(person, monday(week), (person === 1 ? week < 3 : person === 2 ? week % 4 === 0 : week === 9) ? 1 : 0, person === 2 && week > 8 ? 0 : 1);
    // 1 ends with its third week; 2 is seen to its ninth; 3, first seen in week 9, for one week.
    const { rows } = await ask({ metric: 'adoption.survival', ...range(0, 11) });
    expect(rows.map(({ variant, value, numerator, denominator }) => [variant, value, numerator, denominator])).toEqual([['survival', null, 1, 3], ['standard_error', null, 1, 3], ['median', 3, 1, 3]]);
    expect((await ask({ metric: 'adoption.survival', ...range(9, 11) })).rows[0]).toMatchObject({ value: null, denominator: 1 });
  });

  it('is told of the team and role of the first active day, wherever people went after it', async () => {
    await enable(1, monday(-4), 'north');
    await enable(2, monday(0), 'north', monday(0)); // for that day
    await enable(2, dayText(MONDAY + 1), 'south');
    await enable(3, monday(1), 'south'); // a week after
    for (let week = 0; week < 30; week++) {
      await did(1, monday(week), week < 3 ? 1 : 0, 1);
      await did(2, monday(week), 1, 1);
      await did(3, monday(week), week < 2 ? 1 : 0, 1);
      if (week > 4) await did(4, monday(week), 1, 1);
    }
    const of = async (by: string) => (await ask({ metric: 'adoption.survival', ...range(0, 29), by })).rows.map(({ by: { team, role, week }, variant, value, numerator, denominator }) => [team, role, week, variant, value, numerator, denominator].filter((part) => part !== undefined).map(String).join(' '));
    // In the north 1 ends with the third week and 2 goes on; of those without a team 3 ends with the second, and 4 is seen for 25 weeks.
    expect(await of('team')).toEqual([
      'null survival null 1 2', 'null standard_error null 1 2', 'null median 2 1 2', 'north survival 0.5 1 2', `north standard_error ${0.5 * Math.sqrt(1 / 2)} 1 2`, 'north median 3 1 2']);
    expect(await of('role')).toEqual((await of('')).map((row) => `null ${row}`));
    const curve = await of('team,week');
    expect([curve.length, curve.filter((row) => row.startsWith('north 3 ')), curve.filter((row) => row.startsWith('null 1 '))]).toEqual([104, ['north 3 survival 0.5 1 2', expect.stringContaining('north 3 standard_error')], ['null 1 survival 1 0 2', 'null 1 standard_error 0 0 2']]);
    expect(await of('week,team')).toEqual(curve);
  });

  it('gives the published figures of the leukaemia trial, of patients whose weeks in remission are weeks of use', async () => {
    // Freireich et al. (1963), the 6-MP arm; + where the patient was last seen in remission.
    const weeks = '6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+'.split(' ');
    for (const [person, time] of weeks.entries()) {
      const [active, seen] = [parseInt(time, 10), parseInt(time, 10) + (time.endsWith('+') ? 0 : 4)];
      for (let week = 0; week < seen; week++) await did(person + 1, monday(week), week < active ? 1 : 0, 1);
    }
    const { rows } = await ask({ metric: 'adoption.survival', ...range(0, 51) });
    expect(rows.map(({ variant, value, numerator, denominator }) => [variant, value!.toFixed(4), numerator, denominator])).toEqual([['survival', '0.4482', 9, 21], ['standard_error', '0.1346', 9, 21], ['median', '23.0000', 9, 21]]);
    const curve = (await ask({ metric: 'adoption.survival', by: 'week', ...range(0, 51) })).rows;
    const at = (week: number, variant: string) => curve.find(({ by, variant: name }) => by['week'] === String(week) && name === variant)!.value!.toFixed(4);
    expect([6, 7, 10, 13, 16, 22, 23].map((week) => at(week, 'survival'))).toEqual(['0.8571', '0.8067', '0.7529', '0.6902', '0.6275', '0.5378', '0.4482']);
    expect([at(5, 'survival'), at(6, 'standard_error'), curve.length]).toEqual(['1.0000', '0.0764', 52]);
  });

  it(`is Kaplan-Meier's of 60 random people, each looked at by itself (seed ${SEED})`, async () => {
    const random = seeded(SEED);
    const lives: { time: number; ended: number; censored: number; team: string }[] = [];
    for (let person = 1; person <= 60; person++) {
      const teams = [['a', 'b', ''][random.below(3)]!, ['a', 'b', ''][random.below(3)]!] as const;
      const moves = random.below(8);
      if (moves > 0) await enable(person, monday(0), teams[0], dayText(MONDAY + 7 * moves - 1));
      await enable(person, monday(moves), teams[1]);
      const stay = 0.5 + random.next() / 2;
      const weeks = Array.from({ length: 40 }, (_, week) => ({ week, tasks: random.next() < 0.8 ? 1 : 0, active: random.next() < stay ** (week / 4) ? 1 : 0 }));
      for (const { week, tasks, active } of weeks) if (tasks + active > 0) await did(person, monday(week), active, tasks);
      const used = weeks.filter(({ active }) => active === 1);
      if (used.length === 0) continue;
      let [end, ended] = [used.at(-1)!.week, 0];
      for (const { week } of used) {
        let silent = 0;
        for (let w = week + 1; w < 40 && weeks[w]!.active === 0; w++) silent += weeks[w]!.tasks;
        if (silent >= 4) {
          [end, ended] = [week, 1];
          break;
        }
      }
      lives.push({ time: weeks.filter(({ week, tasks, active }) => week >= used[0]!.week && week <= end && tasks + active > 0).length, ended, censored: 1 - ended, team: teams[used[0]!.week < moves ? 0 : 1] });
    }
    for (const team of ['', 'a', 'b']) {
      const own = lives.filter((life) => life.team === team);
      const figures = (await ask({ metric: 'adoption.survival', ...range(0, 39), by: 'team,week' })).rows.filter(({ by, variant }) => by['team'] === (team || null) && variant === 'survival');
      const steps = kaplanMeier(own);
      const longest = Math.max(0, ...own.map(({ time }) => time));
      expect(figures.map(({ by, denominator, value }) => [by['week'], denominator, value])).toEqual(own.length === 0 ? [] : Array.from({ length: 26 }, (_, i) => {
        const at = steps.filter(({ time }) => time <= i + 1).at(-1)?.survival ?? 1;
        return [String(i + 1), own.length, longest < i + 1 && at > 0 ? null : at];
      }));
    }
    const { rows } = await ask({ metric: 'adoption.survival', ...range(0, 39) });
    const step = kaplanMeier(lives).filter(({ time }) => time <= 26).at(-1)!;
    expect(rows[0]).toMatchObject({ variant: 'survival', value: step.survival, low: step.low, high: step.high, denominator: lives.length, numerator: lives.filter(({ time, ended }) => ended && time <= 26).length });
    expect(rows[1]!.value).toBe(step.standardError);
  });
});

describe('retention', () => {
  const figures = async (asked: Partial<Asked> = {}, more: Parameters<typeof ask>[1] = {}) => (await ask({ metric: 'adoption.retention', ...range(0, 40), ...asked }, more)).rows;
  const of = (rows: AnswerRow[], variant: string, week?: string) => rows.filter((row) => row.variant === variant && (week === undefined || row.by['week'] === week)).map(({ numerator, denominator }) => [numerator, denominator]);

  it('tells the bracket, the week itself and what comes after apart', async () => {
    const active: Record<number, number[]> = { 1: [0, 26], 2: [0, 23], 3: [0, 22], 4: [0, 30], 5: [0] };
    for (const [person, weeks] of Object.entries(active)) for (const week of weeks) await did(Number(person), monday(week), 1);
    const rows = await figures();
    expect(['bracket', 'week', 'unbounded'].map((kind) => of(rows, `used_${kind}`))).toEqual([[[2, 5]], [[1, 5]], [[2, 5]]]);
    expect(of(rows, 'enabled_bracket')).toEqual([[null, null]]); // there is no roster
    const curve = await figures({ by: 'week' });
    expect(['0', '3', '4', '22', '25', '26'].map((week) => of(curve, 'used_bracket', week))).toEqual([[[5, 5]], [[5, 5]], [[0, 5]], [[1, 5]], [[2, 5]], [[2, 5]]]);
    // Week 7 is closed: the bracket of week 10 reaches back to week 6, which was worked.
    await did(6, monday(3), 1);
    await did(6, monday(6), 1);
    expect(of(await figures({ by: 'week', ...range(3, 3) }), 'used_bracket', '7')).toEqual([[1, 1]]);
    expect(of(await figures({ by: 'week', ...range(3, 3) }), 'used_bracket', '8')).toEqual([[0, 1]]);
  });

  it('leaves out whose week is not over, and says how many', async () => {
    for (const week of [0, 3]) await did(1, monday(week), 1);
    await did(2, monday(2), 1);
    const answer = await ask({ metric: 'adoption.retention', ...range(0, 5) }, { completeThrough: `${monday(27)}T01:00:00Z` });
    expect(of(answer.rows, 'used_week')).toEqual([[0, 1]]);
    expect(answer.notes).toEqual(['used: week 26 is not over for 1 of the 2 people who began in the range', 'Weeks 23 to 26 of those in it lie between 2026-06-15 and 2026-07-12; closed weeks are left out.']);
  });

  it('names the days between which the brackets lie, those of closed weeks left out', async () => {
    const dates = async (closed: [number, number][], asked: Partial<Asked> = {}) => (await ask({ metric: 'adoption.retention', ...range(0, 40), ...asked }, { closed })).notes;
    expect(await dates([])).toEqual([]);
    await did(1, monday(0), 1);
    await did(2, monday(3), 1);
    await did(3, monday(30), 1); // week 56 is not over
    const recent = 'used: week 26 is not over for 1 of the 3 people who began in the range';
    const said = (from: string, to: string) => `Weeks 23 to 26 of those in it lie between ${from} and ${to}; closed weeks are left out.`;
    // Weeks 23 to 26 of the first, whose Monday is 2026-06-15; week 29, the last of the second, begins on 2026-07-27.
    expect(await dates([])).toEqual([recent, said('2026-06-15', '2026-08-02')]);
    expect(await dates([[24, 25], [29, 29]])).toEqual([recent, said('2026-06-01', '2026-07-26')]);
    expect(await dates([], range(1, 4))).toEqual([said('2026-07-06', '2026-08-02')]);
    expect(await dates([], range(30, 31))).toEqual(['used: week 26 is not over for 1 of the 1 people who began in the range']);
    await enable(4, monday(2)); // of those enabled too
    expect((await dates([], range(2, 2))).at(-1)).toBe(said('2026-06-29', '2026-07-26'));
  });

  it('since somebody was enabled, or since the handoff; who has left the roster is not counted', async () => {
    await enable(1, monday(0), 'north');
    await enable(2, monday(0), 'south', monday(20));
    await enable(3, monday(0), 'south');
    for (const person of [1, 2, 3]) await did(person, monday(1), 1);
    await did(1, monday(28), 1);
    expect(of(await figures(), 'enabled_bracket')).toEqual([[0, 2]]);
    expect(of(await figures({}, { handoff: monday(2) }), 'enabled_bracket')).toEqual([[1, 2]]);
    expect((await figures({ by: 'team' }, { handoff: monday(2) })).filter(({ variant }) => variant === 'enabled_week').map(({ by, ...row }) => `${by['team']} ${brief(row as AnswerRow)}`)).toEqual(['north enabled_week 1/1 of 1', 'south enabled_week 0/1 of 1']);
    // Of those who began in weeks before the range, nobody.
    expect(of(await figures({ ...range(3, 9) }), 'enabled_week')).toEqual([[0, 0]]);
  });
});

describe('concentration', () => {
  it('counts everybody enabled, those with none included', async () => {
    for (const [person, decided] of [[1, 6], [2, 2], [3, 0], [4, 0]] as const) {
      await enable(person, monday(0));
      if (decided > 0) await did(person, monday(1), decided);
    }
    // Sorted 0 0 2 6 around n + 1 = 5: (2 x 1 + 6 x 3) / (3 x 8).
    const { rows } = await ask({ metric: 'adoption.concentration', ...range(0, 1) });
    expect(rows.map(({ variant, value, numerator, denominator, people }) => [variant, value, numerator, denominator, people])).toEqual([['gini', 20 / 24, null, 8, 4], ['top_20', 0.75, 6, 8, 4]]);
  });

  it('without a roster, those of whom anything is counted; nothing where nothing was decided', async () => {
    await did(1, monday(0), 3);
    await did(2, monday(0), 1);
    await did(3, monday(1), 0, 1);
    const rows = (await ask({ metric: 'adoption.concentration', grain: 'week', ...range(0, 1) })).rows;
    expect(rows.map(({ value, denominator, people }) => [value, denominator, people])).toEqual([[0.5, 4, 2], [0.75, 4, 2], [null, 0, 1], [null, 0, 1]]);
  });
});

describe('decomposition', () => {
  it('splits the change over the factors, exactly', async () => {
    await did(1, monday(0), 2, 4);
    await did(2, monday(0), 2, 4);
    for (const [person, tasks] of [[1, 4], [2, 4], [3, 4]] as const) await did(person, monday(1), 1, tasks);
    for (const table of ['person_day', 'person_day_sum']) await database.query(`update ${table} set tasks_used = least(tasks, 2)`);
    const { rows, notes } = await ask({ metric: 'adoption.decomposition', ...range(1, 1) });
    expect(rows.map(({ variant, numerator, denominator }) => [variant, numerator, denominator])).toEqual([
      ['people', 3, 2], ['tasks_per_person', 4, 4], ['coverage', 0.5, 0.5], ['results_per_aided_task', 0.5, 1], ['decided_per_shown', 1, 1], ['decisions', 3, 4],
    ]);
    // Two factors moved: 2 to 3 and 1 to 1/2 of 4 x 1/2, half of the way with the other as it was, half as it is.
    expect(rows.map(({ value }) => value)).toEqual([1.5, 0, 0, -2.5, 0, -1].map((value) => expect.closeTo(value, 12)));
    expect([notes, rows[0]!.people]).toEqual([[], 3]);
  });

  it('names a factor that fell to zero, and does not split what is no product', async () => {
    await did(1, monday(0), 2, 4);
    for (const table of ['person_day', 'person_day_sum']) await database.query(`update ${table} set tasks_used = 2`);
    await did(1, monday(1), 0, 4);
    const fell = await ask({ metric: 'adoption.decomposition', ...range(1, 1) });
    expect(fell.notes).toEqual([expect.stringContaining('coverage fell to zero')]);
    expect(fell.rows.at(-1)).toMatchObject({ value: -2, numerator: 0, denominator: 2 });
    await did(1, monday(2), 3);
    const beside = await ask({ metric: 'adoption.decomposition', ...range(2, 2) });
    expect(beside.rows.map(({ value }) => value)).toEqual([null, null, null, null, null, 3]);
    expect(beside.notes).toEqual([expect.stringContaining('cannot be split')]);
  });

  it('counts who is enabled where there is a roster, and subtracts leave', async () => {
    for (const person of [1, 2, 3, 4]) await enable(person, monday(0));
    await did(1, monday(1), 1, 1);
    await database.query(`insert into roster values (1, 4, $1, null, '', '', true, '2026-06-01')`, [monday(1)]);
    const { rows } = await ask({ metric: 'adoption.decomposition', ...range(1, 1) });
    expect(rows[0]).toMatchObject({ variant: 'people', numerator: 3, denominator: 4, people: 3 });
  });
});

describe('stickiness', () => {
  it('is the mean share of the 28 days; 28 times it is the mean of days active', async () => {
    for (const day of [0, 1, 5, 27]) await did(1, dayText(MONDAY + day), 1);
    await did(2, dayText(MONDAY + 27), 1);
    await did(3, dayText(MONDAY - 1), 1); // before
    const { rows } = await ask({ metric: 'adoption.stickiness', from: dayText(MONDAY + 27), to: dayText(MONDAY + 27) });
    expect(rows.map(({ variant, value, denominator }) => [variant, value, denominator])).toEqual([['all_days', 5 / 2 / 28, 2], ['working_days', 2 / 2 / 20, 2]]);
    expect(rows[0]!.low).toBeLessThan(rows[0]!.value!);
    const [after] = (await ask({ metric: 'adoption.stickiness', from: dayText(MONDAY + 28), to: dayText(MONDAY + 28) })).rows;
    expect(after!.value! * 28).toBeCloseTo((3 + 1) / 2, 12);
  });
});
