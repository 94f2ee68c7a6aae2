/** The oracle's people against figures worked by hand, derived in the comment above each. 2024-03-04 is a Monday. */
import { describe, expect, it } from '@jest/globals';
import { ask, brief, briefs, completed, dated, grouped, leave, member, one, overridden, shown, started, UTC, use, values } from './oracle-fixture.js';
import { type HistoryEvent, type Period, type Registration } from './oracle.js';

const on = (roster: Record<string, Period[]>): Registration => ({ ...UTC, roster });
const of = (person: string) => ({ person });

describe('adoption.enabled', () => {
  // On the 6th: ann moved south, bob on leave, cid's period ended on the 5th, dan begins on the 6th. Ann and bob are named by events.
  const registration = on({
    ann: [member('2024-01-01', '2024-03-05'), member('2024-03-06', null, 'south')],
    bob: [member('2024-01-01'), leave('2024-03-06', '2024-03-08')],
    cid: [member('2024-01-01', '2024-03-05')],
    dan: [member('2024-03-06')],
  });
  const history = [...use('1', '02-01 09:00'), shown('2', '04-01 09:00', of('bob'))];

  it('counts who is on the roster on the day, and who of them is on leave', () => {
    const rows = ask('adoption.enabled', history, { registration, grain: 'day', from: '2024-03-05', to: '2024-03-06' });
    expect(dated(rows, 'enabled')).toEqual(['2024-03-05 2024-03-05 enabled 3/null 3', '2024-03-06 2024-03-06 enabled 2/null 2']);
    expect(dated(rows, 'on_leave')).toEqual(['2024-03-05 2024-03-05 on_leave 0/null 0', '2024-03-06 2024-03-06 on_leave 1/null 1']);
    // Bob is named by an event of April: at any time.
    expect(dated(rows, 'matched')).toEqual(['2024-03-05 2024-03-05 matched 2/null 2', '2024-03-06 2024-03-06 matched 1/null 1']);
  });

  it('takes a week at its last day in the range, and a team of that day', () => {
    const rows = ask('adoption.enabled', history, { registration, grain: 'week', from: '2024-03-04', to: '2024-03-06', by: ['team'] });
    expect(grouped(rows)).toEqual(['north: enabled 1/null 1', 'north: on_leave 1/null 1', 'south: enabled 1/null 1', 'south: matched 1/null 1']);
  });

  it('is 0 without a roster', () => {
    expect(values(ask('adoption.enabled', history, { grain: 'day', from: '2024-03-04', to: '2024-03-04' }))).toEqual(['enabled 0', 'on_leave 0', 'matched 0']);
  });
});

describe('adoption.activated', () => {
  // As of the 10th: ann, enabled on the 1st, used it on the 3rd (2 days). Bob, on the 1st, on the 6th (5). Cid, on the 6th, not
  // yet (4 days seen). Dan, on the 4th, used it before, on the 2nd (0). Eve is on leave: not in it.
  const registration = on({ ann: [member('2024-03-01')], bob: [member('2024-03-01')], cid: [member('2024-03-06')], dan: [member('2024-03-04')], eve: [member('2024-03-01'), leave('2024-03-10', '2024-03-10')] });
  const history = [
    ...use('1', '03-03 09:00'), started('2', '03-06 09:00', { ...of('bob'), data: { initiative: 'mandated' } }), overridden('2', '03-06 10:00', of('bob')),
    ...use('3', '03-12 09:00', of('cid')), ...use('4', '03-02 09:00', of('dan')),
  ];
  const rows = ask('adoption.activated', history, { registration, grain: 'all', from: '2024-03-10', to: '2024-03-10' });

  it('asks who ever was active, up to the day', () => {
    // any: ann bob dan. accepted and voluntary: ann dan.
    expect(briefs(rows)).toEqual(['any 3/4 4', 'accepted 2/4 4', 'voluntary 2/4 4', 'days_to_first_use 3/4 4']);
  });

  it('says after how many days half of them had, by Kaplan-Meier', () => {
    // Dan at 0: 3/4. Ann at 2: 3/4 x 2/3 = 1/2, which is half.
    expect(one(rows, 'days_to_first_use').value).toBe(2);
  });
});

describe('adoption.rate and Wilson', () => {
  // 10 enabled, 8 of them active on the 4th; STATISTICS: 8 of 10 is .4902 to .9433. Zed, not on the roster, does not count.
  const people = Array.from({ length: 10 }, (_, i) => `p${String(i)}`);
  const registration = on(Object.fromEntries(people.map((person) => [person, [member('2024-01-01')]])));
  const history = [...people.slice(0, 8).flatMap((person) => use(person, '03-04 09:00', of(person))), ...use('z', '03-04 09:00', of('zed'))];

  it('is of those enabled, in 1, 7 and 28 days', () => {
    const on4th = ask('adoption.rate', history, { registration, grain: 'day', from: '2024-03-04', to: '2024-03-04' });
    expect(brief(one(on4th, 'any'))).toBe('any 8/10 10');
    expect(one(on4th, 'any').low).toBeCloseTo(0.4902, 4);
    expect(one(on4th, 'any').high).toBeCloseTo(0.9433, 4);
    const on11th = ask('adoption.rate', history, { registration, grain: 'day', from: '2024-03-11', to: '2024-03-11' });
    expect(values(on11th).slice(0, 3)).toEqual(['any 0', 'any_7 0', 'any_28 0.8']);
  });
});

describe('adoption.stickiness', () => {
  // In the 28 days that end on Sunday the 31st (4th to 31st, 20 working days): ann on Mon 4th, Tue 5th and Sun 10th, bob on Wed 6th.
  const history = [...use('1', '03-04 09:00'), ...use('2', '03-05 09:00'), ...use('3', '03-05 10:00'), ...use('4', '03-10 09:00'), ...use('5', '03-06 09:00', of('bob'))];

  it('is the mean share of days, and of working days', () => {
    const rows = ask('adoption.stickiness', history, { grain: 'day', from: '2024-03-31', to: '2024-03-31' });
    expect(one(rows, 'all_days').value).toBeCloseTo((3 / 28 + 1 / 28) / 2, 12);
    expect(one(rows, 'working_days').value).toBeCloseTo((2 / 20 + 1 / 20) / 2, 12);
    // METRICS' identity: mean days active of 28 among the active = 28 x stickiness.
    expect(28 * one(rows, 'all_days').value!).toBeCloseTo(2, 12);
  });
});

describe('adoption.growth', () => {
  // Week of the 4th: ann bob. Of the 11th: bob cid. Of the 18th: ann bob.
  const history = [
    ...use('1', '03-04 09:00'), ...use('2', '03-10 09:00', of('bob')), ...use('3', '03-11 09:00', of('bob')), ...use('4', '03-12 09:00', of('cid')),
    ...use('5', '03-18 09:00'), ...use('6', '03-24 09:00', of('bob')),
  ];

  it('tells who stayed, came, came back and went, of whole weeks', () => {
    const rows = ask('adoption.growth', history, { grain: 'week', from: '2024-03-04', to: '2024-03-26' });
    expect(rows.map(({ from }) => from).filter((day, i, all) => all.indexOf(day) === i)).toEqual(['2024-03-04', '2024-03-11', '2024-03-18']);
    expect(values(rows.slice(0, 6))).toEqual(['active 2', 'retained 0', 'new 2', 'resurrected 0', 'churned 0', 'quick_ratio null']);
    expect(briefs(rows.slice(6, 12))).toEqual(['active 2/null 2', 'retained 1/null 2', 'new 1/null 2', 'resurrected 0/null 2', 'churned 1/null 2', 'quick_ratio 1/1 3']);
    expect(values(rows.slice(12))).toEqual(['active 2', 'retained 1', 'new 0', 'resurrected 1', 'churned 1', 'quick_ratio 1']);
  });
});

describe('adoption.concentration', () => {
  // Ann to eve decide 1 to 5 results: Gini 1/3 (STATISTICS). The fifth of 5 people is one: 5 of 15.
  const names = ['ann', 'bob', 'cid', 'dan', 'eve'];
  const history = names.flatMap((person, i) => Array.from({ length: i + 1 }, (_, n) => use(`${person}${String(n)}`, '03-04 09:00', of(person))).flat());

  it('has Gini with n/(n-1), and the top fifth', () => {
    expect(values(ask('adoption.concentration', history, { from: '2024-03-04', to: '2024-03-04' }))).toEqual(['gini 0.3333', 'top_20 0.3333']);
  });

  it('is of those enabled, with zeros: one of two decides all', () => {
    // On the 4th and 5th ann and fay are enabled, fay on one of the two days; bob is on leave. Ann decided 1, fay 0: all of it, n/(n-1) x 1/2 = 1.
    const registration = on({ ann: [member('2024-01-01')], fay: [member('2024-03-04', '2024-03-04')], bob: [member('2024-01-01'), leave('2024-03-01', '2024-03-31')] });
    const rows = ask('adoption.concentration', history, { registration, from: '2024-03-04', to: '2024-03-05' });
    expect(briefs(rows)).toEqual(['gini null/1 2', 'top_20 1/1 2']);
    expect(values(rows)).toEqual(['gini 1', 'top_20 1']);
  });
});

describe('adoption.decomposition', () => {
  // 4th: ann and bob, 4 tasks, 2 used, 2 results shown, 2 decided. 5th: ann and bob, 4 tasks, 1 used, 1 shown, 1 decided.
  // Only coverage moved, from 1/2 to 1/4: all of the change, -1, is its.
  const tasks = (day: string, used: number): HistoryEvent[] => [0, 1, 2, 3].flatMap((i) => {
    const [id, who] = [`${day}-${String(i)}`, of(i % 2 === 0 ? 'ann' : 'bob')];
    return [completed(id, `03-0${day} 12:00`, who), ...(i < used ? use(id, `03-0${day} 09:00`, { ...who, data: { task: id } }) : [])];
  });

  it('gives the whole change to the factor that moved', () => {
    const rows = ask('adoption.decomposition', [...tasks('4', 2), ...tasks('5', 1)], { from: '2024-03-05', to: '2024-03-05' });
    expect(values(rows)).toEqual(['people 0', 'tasks_per_person 0', 'coverage -1', 'results_per_aided_task 0', 'decided_per_shown 0', 'decisions -1']);
    expect(briefs(rows)).toEqual(['people 2/2 2', 'tasks_per_person 2/2 2', 'coverage 0.25/0.5 2', 'results_per_aided_task 1/1 2', 'decided_per_shown 1/1 2', 'decisions 1/2 2']);
  });

  it('splits what two factors did evenly by the orders they can move in', () => {
    // Before: ann, 1 task, 1 used, shown, decided: 1. After: ann and bob with 4 tasks, all used: 4 = 2 people x 2 tasks.
    // People first 1, then tasks 2; tasks first 1, then people 2: 1.5 each.
    const before = [completed('t', '03-04 12:00'), ...use('t', '03-04 09:00', { data: { task: 't' } })];
    const rows = ask('adoption.decomposition', [...before, ...tasks('5', 4)], { from: '2024-03-05', to: '2024-03-05' });
    expect(values(rows).slice(0, 3)).toEqual(['people 1.5', 'tasks_per_person 1.5', 'coverage 0']);
  });
});

describe('adoption.initiative', () => {
  it('is of all invocations, also those of which no start was told', () => {
    const asked = (id: string, initiative: string): HistoryEvent => started(id, '03-04 09:00', { data: { initiative } });
    const rows = ask('adoption.initiative', [asked('1', 'person'), asked('2', 'automatic'), asked('3', 'person'), shown('4', '03-04 09:00', of('bob'))]);
    expect(briefs(rows)).toEqual(['person 2/4 2', 'automatic 1/4 2', 'mandated 0/4 2', 'unknown 1/4 2']);
  });
});
