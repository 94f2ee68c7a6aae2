/** How the oracle cuts its answers: ranges, buckets and dimensions. */
import { describe, expect, it } from '@jest/globals';
import {
  ACCEPTANCE, accepted, ACTIVE, ask, completed, COVERAGE, dated, grouped, overridden, OVERRIDE, shown, started, UTC,
} from './oracle-fixture.js';
import { type Question } from './oracle.js';

describe('ranges and buckets', () => {
  // One shown result on Wed 2024-02-28, one on Fri 2024-03-01, one on Tue 2024-03-05. 2024 is a leap year.
  const spread = [shown('x', '02-28 12:00'), shown('y', '03-01 12:00'), shown('z', '03-05 12:00')];

  it('spans the facts where no range is given', () => {
    expect(dated(ask(ACCEPTANCE, spread), 'shown')).toEqual(['2024-02-28 2024-03-05 shown 0/3 1']);
  });

  it('clips ISO weeks to the range', () => {
    const weeks = ask(ACCEPTANCE, spread, { grain: 'week' });
    expect(dated(weeks, 'shown')).toEqual(['2024-02-28 2024-03-03 shown 0/2 1', '2024-03-04 2024-03-05 shown 0/1 1']);
    const given = ask(ACCEPTANCE, spread, { grain: 'week', from: '2024-02-29', to: '2024-03-12' });
    expect(dated(given, 'shown')).toEqual([
      '2024-02-29 2024-03-03 shown 0/1 1', '2024-03-04 2024-03-10 shown 0/1 1', '2024-03-11 2024-03-12 shown 0/0 0',
    ]);
  });

  it('runs an ISO week across the new year', () => {
    // 2024-12-30 is a Monday.
    const rows = ask(ACCEPTANCE, [], { grain: 'week', from: '2024-12-28', to: '2025-01-06' });
    expect(dated(rows, 'shown').map((row) => row.slice(0, 21))).toEqual(['2024-12-28 2024-12-29', '2024-12-30 2025-01-05', '2025-01-06 2025-01-06']);
  });

  it('clips months to the range', () => {
    const months = ask(ACCEPTANCE, spread, { grain: 'month' });
    expect(dated(months, 'shown')).toEqual(['2024-02-28 2024-02-29 shown 0/1 1', '2024-03-01 2024-03-05 shown 0/2 1']);
  });

  it('shows empty days, except in a breakdown', () => {
    expect(dated(ask(ACCEPTANCE, spread, { grain: 'day' }), 'shown').map((row) => row.slice(22))).toEqual([
      'shown 0/1 1', 'shown 0/0 0', 'shown 0/1 1', 'shown 0/0 0', 'shown 0/0 0', 'shown 0/0 0', 'shown 0/1 1',
    ]);
    expect(dated(ask(ACCEPTANCE, spread, { grain: 'day', by: ['surface'] }), 'shown')).toHaveLength(3);
  });

  it('fills in one missing end, and answers no rows without facts or backwards', () => {
    expect(dated(ask(ACCEPTANCE, spread, { from: '2024-03-01' }), 'shown')).toEqual(['2024-03-01 2024-03-05 shown 0/2 1']);
    expect(dated(ask(ACCEPTANCE, spread, { to: '2024-03-01' }), 'shown')).toEqual(['2024-02-28 2024-03-01 shown 0/2 1']);
    expect(ask(ACCEPTANCE, [])).toEqual([]);
    expect(ask(ACCEPTANCE, spread, { from: '2024-03-06' })).toEqual([]);
  });

  it('spans the facts of the metric that is asked', () => {
    // Invocation (never shown) on the 1st, decision on the 6th about an invocation of the 4th, ineligible task on the 8th.
    const history = [started('f', '03-01 09:00'), started('i', '03-04 09:00'), accepted('i', '03-06 09:00'), completed('t', '03-08 09:00')];
    const span = (metric: Question['metric'], grain: Question['grain']): string[] => {
      const rows = ask(metric, history, { grain, registration: { ...UTC, taskKinds: ['other'] } });
      return [String(rows[0]?.from), String(rows.at(-1)?.to)];
    };
    expect(span(OVERRIDE, 'all')).toEqual(['2024-03-01', '2024-03-04']);
    expect(span(ACTIVE, 'day')).toEqual(['2024-03-06', '2024-03-06']);
    expect(span(COVERAGE, 'all')).toEqual(['2024-03-08', '2024-03-08']);
  });

  it('refuses a deployment that is not registered', () => {
    expect(() => ask(ACCEPTANCE, spread, { deployment: 'unknown' })).toThrow('not registered');
  });
});

describe('dimensions', () => {
  const history = [
    started('i', '03-04 09:00', { data: { taskKind: 'claim', surface: 'in-workflow', initiative: 'person', model: 'm1', release: 'r1' } }),
    shown('i', '03-04 09:02', { data: { model: 'm3', release: 'r3' } }),
    shown('i', '03-04 09:01', { data: { model: 'm2' } }),
    accepted('i', '03-04 09:03'),
    started('j', '03-04 09:00', { person: 'bob', data: { taskKind: 'claim', model: 'm1' } }),
    overridden('j', '03-04 09:03', { person: 'bob' }),
    shown('k', '03-04 09:00', { person: 'cid', data: { model: 'm2', taskKind: 'ignored' } }),
  ];
  const shownBy = (by: Question['by']): string[] => grouped(ask(ACCEPTANCE, history, { by }).filter((row) => row.variant === 'shown'));

  it('takes kind, surface and initiative from the started event, null where missing', () => {
    expect(shownBy(['task_kind'])).toEqual(['claim: shown 1/2 2', 'null: shown 0/1 1']);
    expect(shownBy(['surface'])).toEqual(['in-workflow: shown 1/1 1', 'null: shown 0/2 2']);
    expect(shownBy(['initiative'])).toEqual(['null: shown 0/2 2', 'person: shown 1/1 1']);
  });

  it('takes model and release from the earliest shown event, else from the started one', () => {
    // i is m2 (shown first, no release: r1 of the start), j m1, k m2.
    expect(shownBy(['model'])).toEqual(['m1: shown 0/1 1', 'm2: shown 1/2 2']);
    expect(shownBy(['release'])).toEqual(['null: shown 0/2 2', 'r1: shown 1/1 1']);
    expect(shownBy(['model', 'task_kind'])).toEqual(['m1+claim: shown 0/1 1', 'm2+claim: shown 1/1 1', 'm2+null: shown 0/1 1']);
  });

  it('leaves out variants without a denominator', () => {
    expect(grouped(ask(ACCEPTANCE, history, { by: ['model', 'surface'] }))).toEqual([
      'm1+null: decided 0/1 1', 'm1+null: people 0/1 1', 'm1+null: people_shown 0/1 1', 'm1+null: shown 0/1 1',
      'm2+in-workflow: decided 1/1 1', 'm2+in-workflow: people 1/1 1', 'm2+in-workflow: people_shown 1/1 1', 'm2+in-workflow: shown 1/1 1',
      'm2+null: people_shown 0/1 1', 'm2+null: shown 0/1 1',
    ]);
  });
});
