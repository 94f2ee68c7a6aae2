/** The adoption metrics of the oracle against figures worked by hand, derived in the comment above each. */
import { describe, expect, it } from '@jest/globals';
import {
  abandoned, accepted, ACTIVE, ask, BERLIN, briefs, completed, COVERAGE, dated, failed, grouped, one, overridden,
  shown, started, UTC, withdrawn, type More,
} from './oracle-fixture.js';
import { type HistoryEvent, type OracleRow } from './oracle.js';

describe('adoption.active_people', () => {
  const decide = (id: string, person: string, when: string, initiative = 'person', type = accepted): HistoryEvent[] => [
    started(id, when, { person, data: { initiative } }), type(id, when, { person }),
  ];
  const counts = (rows: OracleRow[]): Record<string, number> => Object.fromEntries(rows.map((row) => [row.variant, row.people]));

  it('counts distinct people, with value, numerator and people the same and no denominator', () => {
    const history = [
      ...decide('1', 'ann', '03-04 09:00'), ...decide('2', 'ann', '03-04 10:00'),
      ...decide('3', 'bob', '03-04 09:00', 'mandated'), ...decide('4', 'cid', '03-04 09:00', 'person', overridden),
      shown('5', '03-04 09:00', { person: 'dan' }), // being shown a result is not use
      abandoned('6', '03-04 09:00', { person: 'eve' }),
      accepted('7', '03-04 09:00', { person: 'fay' }), // no started event: the initiative is unknown
    ];
    const rows = ask(ACTIVE, history, { grain: 'day' });
    // any: ann bob cid fay. accepted: ann bob fay. voluntary: ann cid.
    expect(counts(rows)).toEqual({
      any: 4, any_7: 4, any_28: 4, accepted: 3, accepted_7: 3, accepted_28: 3, voluntary: 2, voluntary_7: 2, voluntary_28: 2,
    });
    expect(one(rows, 'any')).toEqual({
      from: '2024-03-04', to: '2024-03-04', by: {}, variant: 'any', value: 4, numerator: 4, denominator: null, people: 4,
    });
  });

  it('counts the day of the decision that stands, and the one who made it', () => {
    const history = [
      started('i', '03-04 09:00'), accepted('i', '03-04 09:10'), overridden('i', '03-06 09:00', { actor: 'bob' }),
      started('j', '03-04 09:00', { person: 'cid' }), accepted('j', '03-04 09:10', { person: 'cid' }),
      withdrawn('j', '03-05 09:00', { person: 'cid' }),
    ];
    const rows = ask(ACTIVE, history, { grain: 'day', from: '2024-03-04', to: '2024-03-06' });
    // Only bob on the 6th: ann's acceptance was replaced, cid's withdrawn.
    expect(dated(rows, 'any')).toEqual([
      '2024-03-04 2024-03-04 any 0/null 0', '2024-03-05 2024-03-05 any 0/null 0', '2024-03-06 2024-03-06 any 1/null 1',
    ]);
    expect(counts(ask(ACTIVE, history, { grain: 'day' }))).toMatchObject({ any: 1, accepted: 0 });
    // bob deciding for ann and bob deciding for himself is one person.
    expect(counts(ask(ACTIVE, [...history, ...decide('k', 'bob', '03-06 10:00')], { grain: 'day' }))).toMatchObject({ any: 1, accepted: 1 });
  });

  it('goes back to the acceptance before a withdrawn override? No: a withdrawal undoes both', () => {
    const history = [started('i', '03-04 09:00'), accepted('i', '03-04 09:10'), overridden('i', '03-05 09:00'), withdrawn('i', '03-06 09:00')];
    expect(ask(ACTIVE, history, { grain: 'day' })).toEqual([]);
  });

  it('looks back 7 and 28 days, the day itself included, also before the range', () => {
    const history = [...decide('1', 'ann', '03-01 09:00'), ...decide('2', 'bob', '03-04 09:00'), ...decide('3', 'ann', '03-04 09:00')];
    const day = (name: string): Record<string, number> => counts(ask(ACTIVE, history, { grain: 'day', from: name, to: name }));
    expect(day('2024-03-04')).toMatchObject({ any: 2, any_7: 2, any_28: 2 }); // ann twice is once
    expect(day('2024-03-10')).toMatchObject({ any: 0, any_7: 2, any_28: 2 }); // 7 days: the 4th to the 10th
    expect(day('2024-03-11')).toMatchObject({ any: 0, any_7: 0, any_28: 2 });
    expect(day('2024-03-31')).toMatchObject({ any: 0, any_7: 0, any_28: 2 }); // 28 days: the 4th to the 31st
    expect(day('2024-04-01')).toMatchObject({ any: 0, any_7: 0, any_28: 0 });
    expect(day('2024-03-03')).toMatchObject({ any: 0, any_7: 1, any_28: 1 }); // what comes later is not looked at
  });

  it('takes a week at its last day in the range', () => {
    // Mon 4th ann, Sun 10th bob, Tue 12th ann. The range ends on Wed 13th.
    const history = [...decide('1', 'ann', '03-04 09:00'), ...decide('2', 'bob', '03-10 09:00'), ...decide('3', 'ann', '03-12 09:00')];
    const rows = ask(ACTIVE, history, { grain: 'week', from: '2024-03-05', to: '2024-03-13' });
    // On the 10th: bob that day, both in 7 days (ann before the range). On the 13th: nobody that day, both in 7 days (7th to 13th).
    expect(dated(rows, 'any')).toEqual(['2024-03-05 2024-03-10 any 1/null 1', '2024-03-11 2024-03-13 any 0/null 0']);
    expect(dated(rows, 'any_7')).toEqual(['2024-03-05 2024-03-10 any_7 2/null 2', '2024-03-11 2024-03-13 any_7 2/null 2']);
  });

  it('rolls over local days across the change of the clock', () => {
    // 2024-03-24T23:30Z is already Mon 25th in Berlin: within the 7 days that end on the 31st, which has 23 hours.
    const history = [...decide('1', 'ann', '03-24 23:30'), ...decide('2', 'bob', '03-24 22:30')];
    const rows = ask(ACTIVE, history, { registration: BERLIN, grain: 'day', from: '2024-03-31', to: '2024-03-31' });
    expect(counts(rows)).toMatchObject({ any: 0, any_7: 1, any_28: 2 });
  });

  it('breaks down by the invocation, rolling variants too, and shows only what is not zero', () => {
    const history = [...decide('1', 'ann', '03-04 09:00', 'mandated'), ...decide('2', 'ann', '03-06 09:00', 'person', overridden)];
    expect(grouped(ask(ACTIVE, history, { grain: 'day', from: '2024-03-06', to: '2024-03-06', by: ['initiative'] }))).toEqual([
      'mandated: accepted_28 1/null 1', 'mandated: accepted_7 1/null 1', 'mandated: any_28 1/null 1', 'mandated: any_7 1/null 1',
      'person: any 1/null 1', 'person: any_28 1/null 1', 'person: any_7 1/null 1',
      'person: voluntary 1/null 1', 'person: voluntary_28 1/null 1', 'person: voluntary_7 1/null 1',
    ]);
  });

  it('shows zeros on empty days, and refuses months and the whole range', () => {
    const rows = ask(ACTIVE, [], { grain: 'day', from: '2024-03-04', to: '2024-03-05' });
    expect(rows).toHaveLength(18); // 2 days x 9 variants
    for (const row of rows) expect(row).toMatchObject({ value: 0, numerator: 0, denominator: null, people: 0 });
    for (const grain of ['month', 'all'] as const) expect(() => ask(ACTIVE, [], { grain })).toThrow('is not answered');
  });
});

describe('adoption.coverage', () => {
  const names = (task: string, more: More = {}): More => ({ ...more, data: { task } });
  const covered = (history: HistoryEvent[], registration = UTC): string[] => briefs(ask(COVERAGE, history, { registration }));

  it('tells used, consulted and none apart, pooled and by person', () => {
    const bob = { person: 'bob' };
    const history = [
      completed('t1', '03-04 12:00'), started('1', '03-04 09:00', names('t1')), accepted('1', '03-04 09:01'),
      completed('t2', '03-04 12:00'), started('2', '03-04 09:00', names('t2')), overridden('2', '03-04 09:01'), // overriding is using
      completed('t3', '03-04 12:00'), started('3', '03-04 09:00', names('t3')), shown('3', '03-04 09:01'),
      completed('t4', '03-04 12:00'), started('4', '03-04 09:00', names('t4')), failed('4', '03-04 09:01'),
      completed('u1', '03-04 12:00', bob), completed('u2', '03-04 12:00', bob),
      started('5', '03-04 09:00', names('u1', bob)), accepted('5', '03-04 09:01', bob),
    ];
    const rows = ask(COVERAGE, history);
    // used: t1 t2 u1 of 6. ann 2/4, bob 1/2: sum 1 of 2 people. consulted: t3.
    expect(briefs(rows)).toEqual(['pooled 3/6 2', 'people 1/2 2', 'consulted 1/6 2', 'conflicts 0/6 2']);
    expect(rows.map((row) => row.value)).toEqual([0.5, 0.5, 1 / 6, 0]);
  });

  it('separates the mean of people from the pool', () => {
    const flagged = (task: string, person: string, aided: boolean): HistoryEvent => completed(task, '03-04 12:00', { person, data: { aided } });
    const history = [flagged('1', 'ann', true), flagged('2', 'bob', false), flagged('3', 'bob', false), flagged('4', 'bob', true)];
    // Pooled 2/4. ann 1/1, bob 1/3: the mean is 2/3.
    const rows = ask(COVERAGE, history);
    expect(one(rows, 'pooled').value).toBe(0.5);
    expect(one(rows, 'people').value).toBeCloseTo(2 / 3, 12);
  });

  it('prefers used over consulted among several invocations, and forgets a withdrawn decision', () => {
    const two = [
      completed('t', '03-04 12:00'), started('1', '03-04 09:00', names('t')), shown('1', '03-04 09:01'),
      started('2', '03-04 10:00', names('t')), accepted('2', '03-04 10:01'),
    ];
    expect(covered(two)).toEqual(['pooled 1/1 1', 'people 1/1 1', 'consulted 0/1 1', 'conflicts 0/1 1']);
    expect(covered([...two, withdrawn('2', '03-04 10:02')])).toEqual(['pooled 0/1 1', 'people 0/1 1', 'consulted 1/1 1', 'conflicts 0/1 1']);
  });

  it('counts a decision on the day of the task, whenever it was made and whoever made it', () => {
    const history = [completed('t', '03-04 12:00'), started('1', '03-01 09:00', names('t')), accepted('1', '03-09 09:01', { actor: 'bob' })];
    expect(dated(ask(COVERAGE, history), 'pooled')).toEqual(['2024-03-04 2024-03-04 pooled 1/1 1']);
  });

  it("takes only the person's own invocations", () => {
    const bobs = [started('1', '03-04 09:00', names('t', { person: 'bob' })), accepted('1', '03-04 09:01', { person: 'bob' })];
    expect(covered([completed('t', '03-04 12:00'), ...bobs])[0]).toBe('pooled 0/1 1');
    // Nor do they silence the flag or contradict it.
    const flagged = completed('t', '03-04 12:00', { data: { aided: true } });
    expect(covered([flagged, ...bobs])).toEqual(['pooled 1/1 1', 'people 1/1 1', 'consulted 0/1 1', 'conflicts 0/1 1']);
  });

  it('tells the tasks of two people apart though they share an id', () => {
    const history = [completed('t', '03-04 12:00', { data: { aided: true } }), completed('t', '03-04 13:00', { person: 'bob' })];
    expect(covered(history).slice(0, 2)).toEqual(['pooled 1/2 2', 'people 1/2 2']);
  });

  it("uses the host's flag only where no invocation names the task, and only a boolean", () => {
    const flagged = (aided: unknown): HistoryEvent => completed('t', '03-04 12:00', { data: { aided } });
    expect(covered([flagged(true)])[0]).toBe('pooled 1/1 1');
    expect(covered([flagged(false)])[0]).toBe('pooled 0/1 1');
    for (const odd of ['true', 1, null, undefined]) expect(covered([flagged(odd)])[0]).toBe('pooled 0/1 1');
    // An invocation that names the task silences the flag even if it failed.
    expect(covered([flagged(true), started('1', '03-04 09:00', names('t')), failed('1', '03-04 09:01')])[0]).toBe('pooled 0/1 1');
    // One that names another task, or is not known to have started, does not.
    expect(covered([flagged(true), started('1', '03-04 09:00', names('other')), shown('2', '03-04 09:00')])[0]).toBe('pooled 1/1 1');
  });

  it('counts conflicts where flag and invocations disagree about use', () => {
    const used = [started('1', '03-04 09:00', names('t')), accepted('1', '03-04 09:01')];
    const consulted = used.slice(0, 1).concat(shown('1', '03-04 09:01'));
    const conflicts = (aided: unknown, invocation: HistoryEvent[]): string | undefined =>
      covered([completed('t', '03-04 12:00', { data: { aided } }), ...invocation])[3];
    const [yes, no] = ['conflicts 1/1 1', 'conflicts 0/1 1'];
    expect([true, false, undefined].map((flag) => conflicts(flag, used))).toEqual([no, yes, no]);
    expect([true, false, undefined].map((flag) => conflicts(flag, consulted))).toEqual([yes, no, no]);
    expect([true, false, undefined].map((flag) => conflicts(flag, used.slice(0, 1)))).toEqual([yes, no, no]);
    expect([true, false].map((flag) => conflicts(flag, []))).toEqual([no, no]);
  });

  it('lets the latest completion win with day, kind and flag, the greater id and source where they tie', () => {
    const completions = [completed('t', '03-06 12:00', { data: { aided: true, taskKind: 'late' } }), completed('t', '03-04 12:00')];
    expect(ask(COVERAGE, completions, { by: ['task_kind'] })[0]).toMatchObject({
      from: '2024-03-06', by: { task_kind: 'late' }, numerator: 1, denominator: 1,
    });
    const tie = (id: string, source: string, aided: boolean): HistoryEvent => completed('t', '03-04 12:00', { id, source, data: { aided } });
    expect(covered([tie('b', 's', true), tie('a', 's', false)])[0]).toBe('pooled 1/1 1');
    expect(covered([tie('a', 'x', true), tie('a', 'y', false)])[0]).toBe('pooled 0/1 1');
    // The id comes before the source.
    expect(covered([tie('a', 'y', true), tie('b', 'x', false)])[0]).toBe('pooled 0/1 1');
  });

  it('counts eligible kinds only, by the kind of the latest completion', () => {
    const kind = (task: string, when: string, taskKind: string): HistoryEvent => completed(task, when, { data: { taskKind, aided: true } });
    const history = [
      kind('1', '03-04 09:00', 'claim'), kind('2', '03-04 09:00', 'letter'),
      kind('3', '03-04 09:00', 'claim'), kind('3', '03-04 10:00', 'letter'),
    ];
    expect(covered(history, { ...UTC, taskKinds: ['claim'] })[0]).toBe('pooled 1/1 1');
    expect(covered(history)[0]).toBe('pooled 3/3 1');
    expect(covered(history, { ...UTC, taskKinds: [] })[0]).toBe('pooled 0/0 0');
    const pooled = ask(COVERAGE, history, { by: ['task_kind'] }).filter((row) => row.variant === 'pooled');
    expect(grouped(pooled)).toEqual(['claim: pooled 1/1 1', 'letter: pooled 2/2 1']);
  });

  it('shows empty days as null, and refuses other dimensions', () => {
    const rows = ask(COVERAGE, [], { from: '2024-03-04', to: '2024-03-04' });
    expect(briefs(rows)).toEqual(['pooled 0/0 0', 'people 0/0 0', 'consulted 0/0 0', 'conflicts 0/0 0']);
    for (const row of rows) expect(row.value).toBeNull();
    expect(() => ask(COVERAGE, [], { by: ['surface'] })).toThrow('task_kind only');
  });

  it('lies on the local day', () => {
    const rows = ask(COVERAGE, [completed('t', '10-27 22:59'), completed('u', '10-27 23:00')], { registration: BERLIN, grain: 'day' });
    expect(dated(rows, 'pooled')).toEqual(['2024-10-27 2024-10-27 pooled 0/1 1', '2024-10-28 2024-10-28 pooled 0/1 1']);
  });
});
