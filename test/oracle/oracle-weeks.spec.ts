/** The oracle's weeks against figures worked by hand, derived in the comment above each. Weeks by number: 0 is that of 2024-01-01, a Monday. */
import { describe, expect, it } from '@jest/globals';
import { ask, at, briefs, completed, grouped, HOUR, member, one, UTC, use, values } from './oracle-fixture.js';
import { type HistoryEvent, type Period, type Registration } from './oracle.js';

const DAY = 24 * HOUR;
const START = at('2024-01-01T09:00:00Z');
/** The Tuesday of a week. */
const tuesday = (week: number): number => START + (7 * week + 1) * DAY;
const uses = (person: string, ...weeks: number[]): HistoryEvent[] => weeks.flatMap((week) => use(`w${String(week)}`, tuesday(week), { person }));
const works = (person: string, ...weeks: number[]): HistoryEvent[] => weeks.map((week) => completed(`t${String(week)}`, tuesday(week), { person }));
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
/** Noon of the Monday after a week: the week is over. */
const after = (week: number): number => START + 7 * (week + 1) * DAY;
const on = (roster: Record<string, Period[]>, more: Partial<Registration> = {}): Registration => ({ ...UTC, roster, ...more });
const day = (days: number): string => new Date(START / 1_000 + days * 86_400_000).toISOString().slice(0, 10);

describe('adoption.habit', () => {
  it('judges the last twelve exposed weeks of each', () => {
    // 12 weeks 1..12 of tasks. ann active in 9 (.75), bob in 3 (.25), cid in 1, dan in week 0 only, which is the 13th back, eve never.
    const people = ['ann', 'bob', 'cid', 'dan', 'eve'];
    const history = [
      ...people.flatMap((person) => works(person, ...range(0, 12))), ...works('fay', 10, 11, 12), ...uses('fay', 10, 11, 12),
      ...uses('ann', ...range(1, 9)), ...uses('bob', 2, 5, 12), ...uses('cid', 4), ...uses('dan', 0),
    ];
    const rows = ask('adoption.habit', history, { from: day(0), to: day(90), completeThrough: after(12) });
    // Fay has three exposed weeks: new, however keen.
    expect(briefs(rows)).toEqual(['new 1/6 6', 'habitual 1/6 6', 'occasional 1/6 6', 'tried 1/6 6', 'lapsed 1/6 6', 'never 1/6 6']);
    // A week that is not over does not count: with week 12 open bob has 2 of weeks 0..11, and dan 1: tried, as cid.
    const open = ask('adoption.habit', history, { from: day(0), to: day(90), completeThrough: after(12) - DAY });
    expect(briefs(open)).toEqual(['new 1/6 6', 'habitual 1/6 6', 'occasional 0/6 6', 'tried 3/6 6', 'lapsed 0/6 6', 'never 1/6 6']);
  });

  it('counts by the roster where no tasks are told in the first ten weeks', () => {
    // Weeks 0..4, closed all through week 2: four exposed, ann active in three of them. Tasks from week 10 on do not change the mode.
    const registration = on({ ann: [member('2024-01-01')] }, { closures: [{ from: '2024-01-15', to: '2024-01-19' }] });
    const history = [...uses('ann', 0, 1, 3), ...works('ann', 10)];
    expect(values(ask('adoption.habit', history, { registration, from: day(0), to: day(34), completeThrough: after(4) }))).toContain('habitual 1');
    // One day earlier such a task would: it is then the only exposed week.
    const early = [...uses('ann', 0, 1, 3), completed('t', START + 69 * DAY)];
    expect(values(ask('adoption.habit', early, { registration, from: day(0), to: day(34), completeThrough: after(4) }))).toContain('new 1');
  });
});

describe('adoption.reach', () => {
  it('asks in how many teams anybody is habitual', () => {
    // North: ann habitual, bob not. South: cid not. Dan has no team. 1 of 2 teams, of three people.
    const registration = on({ ann: [member('2024-01-01')], bob: [member('2024-01-01')], cid: [member('2024-01-01', null, 'south')], dan: [member('2024-01-01', null, '')] });
    const rows = ask('adoption.reach', [...uses('ann', 0, 1, 2, 3), ...uses('dan', 0, 1, 2, 3)], { registration, from: day(0), to: day(27), completeThrough: after(3) });
    expect(briefs(rows)).toEqual(['all 1/2 3']);
  });
});

describe('adoption.retention', () => {
  it('asks for the week, the last four open ones, and any later', () => {
    // All began in week 0. ann active in 26. bob in 23: of the bracket 23..26. cid in 22: not. dan in 28: unbounded only.
    const history = [...uses('ann', 0, 26), ...uses('bob', 0, 23), ...uses('cid', 0, 22), ...uses('dan', 0, 28)];
    const asked = { from: day(0), to: day(6), completeThrough: after(28) };
    expect(briefs(ask('adoption.retention', history, asked)).slice(3)).toEqual(['used_bracket 2/4 4', 'used_week 1/4 4', 'used_unbounded 2/4 4']);
    // With week 24 closed the bracket is 22, 23, 25, 26: cid too.
    const registration: Registration = { ...UTC, closures: [{ from: '2024-06-17', to: '2024-06-21' }] };
    expect(briefs(ask('adoption.retention', history, { ...asked, registration }))).toContain('used_bracket 3/4 4');
  });

  it('leaves out who is off the roster, and whose week is not over', () => {
    // Enabled on 1 January, ann for good, bob until the Saturday of week 26: not rostered on its Sunday. Cid began in week 1.
    const registration = on({ ann: [member('2024-01-01')], bob: [member('2024-01-01', '2024-07-06')], cid: [member('2024-01-08')] });
    const asked = { registration, from: day(0), to: day(20), completeThrough: after(26) };
    expect(briefs(ask('adoption.retention', [...uses('ann', 2, 26), ...uses('bob', 26)], asked)).slice(0, 3)).toEqual(['enabled_bracket 1/1 1', 'enabled_week 1/1 1', 'enabled_unbounded 1/1 1']);
  });

  it('counts from the handoff where people were enabled before, and by week', () => {
    // Handoff in week 2: ann's week 0 is that. Active in week 3: index 1. Over are the weeks up to 4: index 2.
    const registration = on({ ann: [member('2024-01-01')] }, { handoff: '2024-01-17' });
    const rows = ask('adoption.retention', uses('ann', 3), { registration, from: '2024-01-17', to: '2024-01-17', by: ['week'], completeThrough: after(4) });
    expect(grouped(rows.filter((row) => row.variant === 'enabled_week'))).toEqual(['0: enabled_week 0/1 1', '1: enabled_week 1/1 1', '2: enabled_week 0/1 1']);
  });
});

describe('adoption.survival', () => {
  it('ends use before four exposed weeks without activity, and censors who may come back', () => {
    // Exposed by tasks in 0..9. ann active 0, 1, then 6: between lie 2..5, four weeks: ended at week 1, time 2.
    // bob active 0, 1, 5: three between; after 5 lie 6..9, four: ended at 5, time 6. cid active 0..7: two after: censored, time 8.
    const history = [...['ann', 'bob', 'cid'].flatMap((person) => works(person, ...range(0, 9))), ...uses('ann', 0, 1, 6), ...uses('bob', 0, 1, 5), ...uses('cid', ...range(0, 7))];
    const rows = ask('adoption.survival', history, { from: day(0), to: day(6), by: ['week'], completeThrough: after(9) });
    const at = (week: number) => rows.filter((row) => row.by['week'] === String(week));
    expect(values(at(1))).toEqual(['survival 1', 'standard_error 0']);
    // At 2 one of three ends: 2/3, Greenwood 2/3 sqrt(1/(3 x 2)) = .2722. At 6 one of two: 1/3, 1/3 sqrt(1/6 + 1/2) = .2722.
    expect(values(at(2))).toEqual(['survival 0.6667', 'standard_error 0.2722']);
    expect(values(at(6))).toEqual(['survival 0.3333', 'standard_error 0.2722']);
    expect(briefs(at(6))).toEqual(['survival 2/3 3', 'standard_error 2/3 3']);
    // Nobody was seen for more than 8 weeks, and not all ended: what comes then is not known.
    expect(values(at(8))).toEqual(['survival 0.3333', 'standard_error 0.2722']);
    expect(values(at(9))).toEqual(['survival null', 'standard_error null']);
    const whole = ask('adoption.survival', history, { from: day(0), to: day(6), completeThrough: after(9) });
    expect(one(whole, 'median')).toMatchObject({ value: 6, numerator: 2, denominator: 3, people: 3 });
  });

  it('does not count weeks in which nobody could have', () => {
    // Tasks in 0, 1 and 8..10 only: after week 1 lie three exposed weeks, so nobody's end is known.
    const rows = ask('adoption.survival', [...works('ann', 0, 1, 8, 9, 10), ...uses('ann', 0, 1)], { from: day(0), to: day(6), completeThrough: after(10) });
    expect(one(rows, 'median')).toMatchObject({ value: null, numerator: 0, denominator: 1 });
  });
});

describe('remission of 21 patients each (Freireich et al. 1963), the textbook case of Kaplan-Meier', () => {
  it('is half at 23 weeks under treatment, and at 8 without', async () => {
    const { curveAt, median } = await import('./kaplan-meier.js');
    // 6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+: S(6) .857, S(23) .448, standard error .1346.
    const treated = [6, 6, 6, 7, 10, 13, 16, 22, 23].map((time) => ({ time, ended: true })).concat([6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35].map((time) => ({ time, ended: false })));
    expect(median(treated)).toBe(23);
    expect(curveAt(treated, 6).survival).toBeCloseTo(0.857, 3);
    expect(curveAt(treated, 23).survival).toBeCloseTo(0.448, 3);
    expect(curveAt(treated, 23).standardError).toBeCloseTo(0.1346, 4);
    const untreated = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23].map((time) => ({ time, ended: true }));
    expect(median(untreated)).toBe(8);
  });
});
