/**
 * What counts people, on a real Postgres: examples worked out by hand, and random rosters and days beside a slow reference that
 * looks at each person and day by itself.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type AnswerRow } from '@foothold/contract';
import { eventLogMigrations } from '@foothold/event-log';
import { openDatabase, type Database } from '@foothold/platform';
import { wilson } from '@foothold/statistics';
import fc from 'fast-check';
import { freshDatabase, type FreshDatabase } from '../../../../test/support/database.js';
import { dayNumber, dayText, mondayOf } from '../local-day.js';
import { COUNTERS, type Counter } from '../person-day.js';
import { DEFAULT_REGISTRATION, type Registration } from '../registration.js';
import { enabledOn, onLeave, type Period } from '../roster.js';
import { adoptionMigrations } from '../schema.js';
import { prepareAnswer } from './answer.js';
import { understand, type Asked } from './question.js';

let fresh: FreshDatabase;
let database: Database;
beforeAll(async () => {
  fresh = await freshDatabase();
  database = await openDatabase({ url: fresh.url, application: 'people', migrations: [...eventLogMigrations, ...adoptionMigrations] });
  await database.migrate();
});
afterAll(async () => {
  await database?.close();
  await fresh?.drop();
});
const EMPTY = 'truncate person_day, person_day_sum, person_week, day_revision, roster';
beforeEach(() => database.query(EMPTY));

/** What a person did on a day, under the dimensions that are given. */
type Did = { person: number; day: string; initiative?: string; task_kind?: string } & Partial<Record<Counter, number>>;

async function has(days: readonly Did[], roster: Record<number, Period[]> = {}): Promise<void> {
  const columns = ['shard', 'deployment', 'person', 'day', 'task_kind', 'surface', 'initiative', 'model', 'release', 'reason', 'revised_at', ...COUNTERS];
  for (const [shard, { person, day, initiative = 'person', task_kind = '', ...counted }] of days.entries()) {
    const values = [shard % 16, 1, person, day, task_kind, `s${shard}`, initiative, '', '', '', '2026-06-01', ...COUNTERS.map((counter) => counted[counter] ?? 0)];
    await database.query(`insert into person_day (${columns.join(', ')}) values (${values.map((_, i) => `$${i + 1}`).join(', ')})`, values);
  }
  await summedUp();
  for (const [person, periods] of Object.entries(roster)) for (const { from, to, team, role, leave } of periods) {
    await database.query(`insert into roster values (1, $1, $2, $3, $4, $5, $6, '2026-06-01')`, [person, from, to, team, role, leave]);
  }
}

/** Fills what is summed up of person_day, as the migration does that finds it empty. */
async function summedUp(): Promise<void> {
  const [, fill] = adoptionMigrations.find(({ name }) => name.startsWith('PersonDays'))!.sql.split(/(?=insert into person_day_sum)/);
  await database.query(`truncate person_day_sum, person_week, day_revision; ${fill!}`);
}

async function ask(asked: Asked, registration: Partial<Registration> = {}) {
  const subject = { deployment: 1, version: 1, registration: { ...DEFAULT_REGISTRATION, sandbox: true, ...registration }, closures: [], completeThrough: Date.UTC(2026, 5, 1) * 1000 };
  const { notes, ...answer } = await (await prepareAnswer((sql, values) => database.query(sql, values), subject, understand(asked))).answer();
  expect(notes.some((note) => note.includes('sandbox'))).toBe(true);
  return { ...answer, notes: notes.filter((note) => !note.includes('sandbox')) };
}
const brief = ({ from, by, variant, numerator, denominator, people }: AnswerRow) => `${from}${Object.values(by).map((value) => ` ${value}`).join('')} ${variant} ${numerator}/${denominator} of ${people}`;
const briefs = async (asked: Asked, variants: string[], registration?: Partial<Registration>) => (await ask(asked, registration)).rows.filter(({ variant }) => variants.includes(variant)).map(brief).sort();

const enabledAt = (team: string, from: string, to: string | null = null): Period => ({ team, role: 'clerk', from, to, leave: false });
const leave = (from: string, to: string | null): Period => ({ team: '', role: '', from, to, leave: true });

describe('by hand', () => {
  // 2026-03-02 is a Monday. Person 1 moves from team a to b on the 9th, 2 is on leave from the 9th to the 11th, 3 never uses it, 4 is on no roster.
  const ROSTER = { 1: [enabledAt('a', '2026-03-02', '2026-03-08'), enabledAt('b', '2026-03-09')], 2: [enabledAt('a', '2026-03-02'), leave('2026-03-09', '2026-03-11')], 3: [enabledAt('b', '2026-03-04')] };
  const DAYS: Did[] = [
    { person: 1, day: '2026-03-03', shown: 2, accepted: 1, active_accepted: 1 }, { person: 1, day: '2026-03-09', shown: 3, overridden: 3, active_overridden: 3 },
    { person: 2, day: '2026-03-05', shown: 1, accepted: 1, active_accepted: 1, initiative: 'mandated' }, { person: 4, day: '2026-03-05', shown: 4, accepted: 2, active_accepted: 2 },
    { person: 3, day: '2026-03-10', shown: 1 },
  ];
  const week = { from: '2026-03-02', to: '2026-03-15' };

  it('people are enabled on the days of their periods but those of leave, in the team they are in on that day', async () => {
    await has(DAYS, ROSTER);
    expect(await briefs({ metric: 'adoption.enabled', grain: 'day', from: '2026-03-03', to: '2026-03-12' }, ['enabled'])).toEqual(
      [2, 3, 3, 3, 3, 3, 2, 2, 2, 3].map((people, i) => `2026-03-${String(3 + i).padStart(2, '0')} enabled ${people}/null of ${people}`));
    expect(await briefs({ metric: 'adoption.enabled', grain: 'week', ...week, to: '2026-03-10', by: 'team' }, ['enabled', 'on_leave', 'matched'])).toEqual([
      '2026-03-02 a enabled 2/null of 2', '2026-03-02 b enabled 1/null of 1', '2026-03-09 b enabled 2/null of 2', '2026-03-02 a matched 2/null of 2', '2026-03-02 b matched 1/null of 1', '2026-03-09 b matched 2/null of 2', '2026-03-09 a on_leave 1/null of 1',
    ].sort());
  });

  it('the rate is of those enabled on the day, with Wilson’s interval', async () => {
    await has(DAYS, ROSTER);
    const asked = { metric: 'adoption.rate', grain: 'day', from: '2026-03-09', to: '2026-03-12' };
    expect(await briefs(asked, ['any_7'])).toEqual(['2026-03-09 any_7 1/2 of 2', '2026-03-10 any_7 1/2 of 2', '2026-03-11 any_7 1/2 of 2', '2026-03-12 any_7 1/3 of 3']);
    expect(await briefs({ ...asked, from: '2026-03-11' }, ['any_28', 'voluntary_28', 'accepted_7'])).toEqual([
      '2026-03-11 any_28 1/2 of 2', '2026-03-11 accepted_7 0/2 of 2', '2026-03-11 voluntary_28 1/2 of 2', '2026-03-12 any_28 2/3 of 3', '2026-03-12 accepted_7 0/3 of 3', '2026-03-12 voluntary_28 1/3 of 3',
    ].sort());
    const [row] = (await ask({ ...asked, to: '2026-03-09' })).rows.filter(({ variant }) => variant === 'any_7');
    expect([row!.value, row!.low, row!.high]).toEqual([0.5, wilson(1, 2)!.low, wilson(1, 2)!.high]);
  });

  it('who never used it stays in the denominator of the activated, and counts towards the time to first use', async () => {
    await has(DAYS, ROSTER);
    const answer = await ask({ metric: 'adoption.activated', ...week });
    expect(answer.rows.map(brief)).toEqual(['2026-03-02 any 2/3 of 3', '2026-03-02 accepted 2/3 of 3', '2026-03-02 voluntary 1/3 of 3', '2026-03-02 days_to_first_use 2/3 of 3']);
    // First days 1 after 1, 2 after 3, 3 not within 11: the curve is 2/3, then 1/3 from day 3.
    expect(answer.rows.at(-1)!.value).toBe(3);
    expect(answer.notes).toEqual(['3 of the 3 people enabled on 2026-03-15 are named by events']);
  });

  it('growth splits those active now by what they did before', async () => {
    await has([...DAYS, { person: 1, day: '2026-02-02', active_accepted: 1 }, { person: 5, day: '2026-02-24', active_accepted: 1 }], ROSTER);
    const all = ['active', 'retained', 'new', 'resurrected', 'churned', 'quick_ratio'];
    // Week of 02-23: 5. Week of 03-02: 1 (again), 2 and 4 (new). Week of 03-09: 1.
    expect(await briefs({ metric: 'adoption.growth', grain: 'week', ...week }, all)).toEqual([
      '2026-03-02 active 3/null of 3', '2026-03-02 retained 0/null of 3', '2026-03-02 new 2/null of 3', '2026-03-02 resurrected 1/null of 3', '2026-03-02 churned 1/null of 1', '2026-03-02 quick_ratio 3/1 of 4',
      '2026-03-09 active 1/null of 1', '2026-03-09 retained 1/null of 1', '2026-03-09 new 0/null of 1', '2026-03-09 resurrected 0/null of 1', '2026-03-09 churned 2/null of 3', '2026-03-09 quick_ratio 0/2 of 3',
    ].sort());
    const months = await ask({ metric: 'adoption.growth', grain: 'month', from: '2026-01-15', to: '2026-03-31' });
    expect(months.notes).toEqual(['one month that is not whole in the range is left out']);
    expect(months.rows.map(brief)).toEqual([
      '2026-02-01 active 2/null of 2', '2026-02-01 retained 0/null of 2', '2026-02-01 new 2/null of 2', '2026-02-01 resurrected 0/null of 2', '2026-02-01 churned 0/null of 0', '2026-02-01 quick_ratio 2/0 of 2',
      '2026-03-01 active 3/null of 3', '2026-03-01 retained 1/null of 3', '2026-03-01 new 2/null of 3', '2026-03-01 resurrected 0/null of 3', '2026-03-01 churned 1/null of 2', '2026-03-01 quick_ratio 2/1 of 4',
    ]);
    expect(months.rows.find(({ variant }) => variant === 'quick_ratio')!.value).toBeNull();
  });

  it('growth over 28 days has whoever was active in them, in each team in which they were', async () => {
    // 28 days that end on 03-29, and those that end on 03-01. Person 1 is active in team a before, in both teams after; 2 leaves,
    // 3 comes back after 28 days without; 4 begins, on no roster.
    const roster = { 1: [enabledAt('a', '2026-01-01', '2026-03-08'), enabledAt('b', '2026-03-09')], 2: [enabledAt('a', '2026-01-01')], 3: [enabledAt('b', '2026-01-01')] };
    const did: [number, string][] = [[1, '2026-03-01'], [1, '2026-03-02'], [1, '2026-03-10'], [2, '2026-02-02'], [3, '2026-02-01'], [3, '2026-03-29'], [4, '2026-03-20']];
    await has(did.map(([person, day]) => ({ person, day, active_accepted: 1 })), roster);
    const all = ['active_28', 'retained_28', 'new_28', 'resurrected_28', 'churned_28', 'quick_ratio_28'];
    const asked = { metric: 'adoption.growth', grain: 'week', from: '2026-03-23', to: '2026-03-29' };
    const { rows } = await ask(asked);
    expect(rows.filter(({ variant }) => all.includes(variant)).map(brief)).toEqual([
      'active_28 3/null of 3', 'retained_28 1/null of 3', 'new_28 1/null of 3', 'resurrected_28 1/null of 3', 'churned_28 1/null of 2', 'quick_ratio_28 2/1 of 4'].map((row) => `2026-03-23 ${row}`));
    expect(rows.find(({ variant }) => variant === 'quick_ratio_28')).toMatchObject({ value: 2, low: null, high: null });
    expect(await briefs({ ...asked, by: 'team' }, all)).toEqual([
      'a active_28 1/null of 1', 'a retained_28 1/null of 1', 'a new_28 0/null of 1', 'a resurrected_28 0/null of 1', 'a churned_28 1/null of 2', 'a quick_ratio_28 0/1 of 2',
      'b active_28 2/null of 2', 'b retained_28 0/null of 2', 'b new_28 0/null of 2', 'b resurrected_28 2/null of 2', 'b quick_ratio_28 2/0 of 2',
      'null active_28 1/null of 1', 'null retained_28 0/null of 1', 'null new_28 1/null of 1', 'null resurrected_28 0/null of 1', 'null quick_ratio_28 1/0 of 1',
    ].map((row) => `2026-03-23 ${row}`).sort());
    // A week that the range cuts is left out, and months have no such variant.
    expect(await briefs({ ...asked, from: '2026-02-23', to: '2026-03-04' }, ['churned_28', 'quick_ratio_28', 'new_28'])).toEqual(['2026-02-23 churned_28 1/null of 1', '2026-02-23 new_28 2/null of 2', '2026-02-23 quick_ratio_28 2/1 of 3']);
    expect(await briefs({ ...asked, grain: 'month', from: '2026-03-01', to: '2026-03-31' }, all)).toEqual([]);
  });

  it('results count in the team of their day, by stage and by weeks since the handoff', async () => {
    await has(DAYS, ROSTER);
    const shown = (by: string, handoff: string | null = null) => briefs({ metric: 'trust.acceptance', ...week, by }, ['shown'], { handoff });
    expect(await shown('team')).toEqual(['2026-03-02 a shown 2/3 of 2', '2026-03-02 b shown 0/4 of 2', '2026-03-02 null shown 2/4 of 1']);
    expect(await shown('stage', '2026-03-05')).toEqual(['2026-03-02 pilot shown 1/2 of 1', '2026-03-02 production shown 3/9 of 4']);
    expect(await shown('stage')).toEqual(['2026-03-02 pilot shown 4/11 of 4']);
    expect(await shown('handoff_week', '2026-03-10')).toEqual(['2026-03-02 -1 shown 4/7 of 3', '2026-03-02 0 shown 0/4 of 2']);
    expect(await shown('role,stage', '2026-03-09')).toEqual(['2026-03-02 clerk pilot shown 2/3 of 2', '2026-03-02 clerk production shown 0/4 of 2', '2026-03-02 null pilot shown 2/4 of 1']);
    expect(await briefs({ metric: 'adoption.active_people', grain: 'week', ...week, by: 'team' }, ['any_7'])).toEqual(['2026-03-02 null any_7 1/null of 1', '2026-03-02 a any_7 2/null of 2', '2026-03-09 b any_7 1/null of 1'].sort());
  });

  it('initiative splits all invocations', async () => {
    await has([{ person: 1, day: '2026-03-03', invocations: 3 }, { person: 2, day: '2026-03-03', invocations: 1, initiative: 'automatic' }, { person: 2, day: '2026-03-04', invocations: 2, initiative: 'mandated' }, { person: 3, day: '2026-03-04', invocations: 2, initiative: '' }]);
    expect((await ask({ metric: 'adoption.initiative' })).rows.map(brief)).toEqual(['2026-03-03 person 3/8 of 3', '2026-03-03 automatic 1/8 of 3', '2026-03-03 mandated 2/8 of 3', '2026-03-03 unknown 2/8 of 3']);
  });

  it('tables that an older version folded answer what that version counted, and say that the rest is to come', async () => {
    await has([{ person: 1, day: '2026-03-03', shown: 2, accepted: 1 }]);
    await database.query('update person_day set verbatim = null, edited_light = null, edited_moderate = null, edited_heavy = null'); // as a row that it wrote
    await summedUp();
    await database.query(`insert into checkpoint (projection, shard, position, version) values ('usage', 0, 0, 2)`);
    const [shown, verbatim] = [await ask({ metric: 'trust.acceptance' }), await ask({ metric: 'trust.verbatim' })];
    await database.query('truncate checkpoint');
    expect([shown.rows[0]!.value, verbatim.rows[0]!.value]).toEqual([0.5, null]);
    for (const { notes } of [shown, verbatim]) expect(notes).toEqual([expect.stringContaining('folded anew')]);
    expect((await ask({ metric: 'trust.acceptance' })).notes).toEqual([]);
  });

  it('without a roster nobody can be said to be enabled, and the answer says so', async () => {
    await has(DAYS);
    for (const metric of ['adoption.rate', 'adoption.activated']) {
      const { rows, notes } = await ask({ metric, from: '2026-03-03', to: '2026-03-03' });
      expect(new Set(rows.map(({ value, numerator, denominator, people }) => JSON.stringify([value, numerator, denominator, people])))).toEqual(new Set(['[null,null,null,0]']));
      expect(notes.join()).toContain('no roster');
    }
    expect(await briefs({ metric: 'adoption.enabled', grain: 'day', from: '2026-03-03', to: '2026-03-03' }, ['enabled'])).toEqual(['2026-03-03 enabled 0/null of 0']);
  });
});

describe('at random', () => {
  const FIRST = dayNumber('2026-01-26')!;
  const [FROM, TO] = [dayNumber('2026-03-01')!, dayNumber('2026-04-05')!];
  const day = fc.integer({ min: FIRST, max: TO + 3 });
  const span = fc.tuple(day, fc.integer({ min: 0, max: 40 }));
  const roster = fc.array(fc.record({ first: span, gap: fc.integer({ min: 1, max: 9 }), second: fc.option(fc.integer({ min: 0, max: 30 }), { nil: undefined }), away: fc.option(span, { nil: undefined }) }), { minLength: 0, maxLength: 6 });
  const did = fc.array(fc.record({ person: fc.integer({ min: 0, max: 7 }), day, accepted: fc.boolean(), own: fc.boolean() }), { maxLength: 60 });

  it('every figure is that of a look at each person and day', async () => {
    const seed = Number(process.env['PEOPLE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    process.stderr.write(`people: seed ${seed}\n`);
    let compared = 0;
    await fc.assert(fc.asyncProperty(roster, did, async (drawn, acts) => {
      await database.query(EMPTY);
      const periods: Record<number, Period[]> = {};
      for (const [person, { first: [since, length], gap, second, away }] of drawn.entries()) {
        periods[person] = [enabledAt('a', dayText(since), dayText(since + length))];
        if (second !== undefined) periods[person].push(enabledAt('b', dayText(since + length + gap), second === 0 ? null : dayText(since + length + gap + second)));
        if (away) periods[person].push(leave(dayText(away[0]), dayText(away[0] + away[1])));
      }
      await has(acts.map(({ person, day: on, accepted, own }) => ({ person, day: dayText(on), initiative: own ? 'person' : 'mandated', [accepted ? 'active_accepted' : 'active_overridden']: 1 })), periods);

      const people = Object.keys(periods).map(Number);
      const here = (person: number, on: number, team: string | null) => {
        const period = enabledOn(periods[person]!, dayText(on));
        return period !== null && !onLeave(periods[person]!, dayText(on)) && (team === null || period.team === team);
      };
      const active = (person: number, kind: string, from: number, to: number) => acts.some((act) => act.person === person && act.day >= from && act.day <= to && (kind === 'any' || (kind === 'accepted' ? act.accepted : act.own)));
      const expected: Record<string, string[]> = { 'adoption.enabled': [], 'adoption.rate': [], 'adoption.activated': [] };
      for (const team of [null, 'a', 'b']) for (let on = FROM; on <= TO; on++) {
        const there = people.filter((person) => here(person, on, team));
        const row = (variant: string, part: number, whole: number | null, of: number) => `${dayText(on)}${team === null ? '' : ` ${team}`} ${variant} ${part}/${whole} of ${of}`;
        if (team === null || there.length > 0) {
          expected['adoption.enabled']!.push(row('enabled', there.length, null, there.length));
          for (const kind of ['any', 'accepted', 'voluntary']) {
            for (const days of [1, 7, 28]) expected['adoption.rate']!.push(row(days === 1 ? kind : `${kind}_${days}`, there.filter((person) => active(person, kind, on - days + 1, on)).length, there.length, there.length));
            expected['adoption.activated']!.push(row(kind, there.filter((person) => active(person, kind, 0, on)).length, there.length, there.length));
          }
        }
      }
      for (const metric of Object.keys(expected)) {
        if (people.length === 0 && metric !== 'adoption.enabled') continue;
        const found: string[] = [];
        for (const by of ['', 'team']) found.push(...(await ask({ metric, grain: 'day', from: dayText(FROM), to: dayText(TO), by })).rows.filter(({ variant }) => !['on_leave', 'matched', 'days_to_first_use'].includes(variant)).map(brief));
        expect({ metric, rows: found.sort() }).toEqual({ metric, rows: expected[metric]!.sort() });
        compared += found.length;
      }

      const who = [...new Set(acts.map(({ person }) => person))];
      const grown: string[] = [];
      for (let monday = mondayOf(FROM + 6); monday + 6 <= TO; monday += 7) {
        const inWeek = (person: number, start: number) => active(person, 'any', start, start + 6);
        const now = who.filter((person) => inWeek(person, monday));
        const before = who.filter((person) => inWeek(person, monday - 7));
        const retained = now.filter((person) => inWeek(person, monday - 7)).length;
        const fresh = now.filter((person) => !active(person, 'any', 0, monday - 1)).length;
        grown.push(`${dayText(monday)} ${now.length} ${retained} ${fresh} ${now.length - retained - fresh} ${before.length - retained}`);
      }
      const rows = (await ask({ metric: 'adoption.growth', grain: 'week', from: dayText(FROM), to: dayText(TO) })).rows;
      const of = (from: string, variant: string) => rows.find((row) => row.from === from && row.variant === variant)!.value;
      const teamOn = ({ person, day: on }: { person: number; day: number }) => enabledOn(periods[person] ?? [], dayText(on))?.team ?? null;
      for (const by of ['', 'team']) {
        const expected28: string[] = [];
        for (let monday = mondayOf(FROM + 6); monday + 6 <= TO; monday += 7) for (const team of by === '' ? [''] : ['a', 'b', null]) {
          const during = (from: number, to: number) => new Set(acts.filter((act) => act.day >= from && act.day <= to && (team === '' || teamOn(act) === team)).map(({ person }) => person));
          const [now, before] = [during(monday - 21, monday + 6), during(monday - 49, monday - 22)];
          const retained = [...now].filter((person) => before.has(person)).length;
          const fresh = [...now].filter((person) => !acts.some((act) => act.person === person && act.day < monday - 21)).length;
          const [came, went] = [now.size - retained, before.size - retained];
          const row = (variant: string, count: string, people: number) => { if (by === '' || people > 0) expected28.push(`${dayText(monday)}${by === '' ? '' : ` ${team}`} ${variant}_28 ${count} of ${people}`); };
          for (const [variant, count] of Object.entries({ active: now.size, retained, new: fresh, resurrected: came - fresh })) row(variant, `${count}/null`, now.size);
          row('churned', `${went}/null`, before.size);
          if (by === '' || came + went > 0) row('quick_ratio', `${came}/${went}`, now.size + went);
        }
        expect((await ask({ metric: 'adoption.growth', grain: 'week', from: dayText(FROM), to: dayText(TO), by })).rows.filter(({ variant }) => variant.endsWith('_28')).map(brief).sort()).toEqual(expected28.sort());
        compared += expected28.length;
      }
      expect([...new Set(rows.map(({ from }) => from))].map((from) => `${from} ${['active', 'retained', 'new', 'resurrected', 'churned'].map((variant) => of(from, variant)).join(' ')}`)).toEqual(grown);
    }), { seed, numRuns: 25 });
    expect(compared).toBeGreaterThan(1_000);
  }, 120_000);
});
