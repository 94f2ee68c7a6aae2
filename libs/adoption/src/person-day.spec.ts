import { describe, expect, it } from '@jest/globals';
import { newInvocation, type Invocation } from './invocation.js';
import { COUNTERS, isEmpty, newPersonDay, tallyInvocation, type Cell } from './person-day.js';

const DAY = 86_400_000_000;
const row = (changes: Partial<Invocation>): Invocation => ({ ...newInvocation(1, 7, 'i'), day: 3, ...changes });
const CELL: Cell = { deployment: 1, person: 7, day: 3, task_kind: '', surface: '', initiative: '', model: '', release: '', reason: '' };

function tally(of: Invocation): [string, Cell][] {
  const found: [string, Cell][] = [];
  tallyInvocation(of, (cell, counter) => found.push([counter, { ...cell }]));
  return found;
}
const counters = (of: Invocation) => tally(of).map(([counter]) => counter);

describe('the facts of an invocation', () => {
  it.each<[string, Partial<Invocation>, string[]]>([
    ['never shown', { status: 'unseen' }, ['invocations']],
    ['shown', { status: 'undecided', shown_at: 1 }, ['invocations', 'shown', 'undecided']],
    ['accepted', { status: 'accepted', shown_at: 1, decided_at: 1 }, ['invocations', 'shown', 'accepted', 'active_accepted']],
    ['overridden', { status: 'overridden', shown_at: 1, decided_at: 1 }, ['invocations', 'shown', 'overridden', 'active_overridden']],
    ...(['dismissed', 'navigated', 'stopped', 'timed-out', 'worked-around'] as const).map((cause): [string, Partial<Invocation>, string[]] => [
      cause, { status: 'abandoned', shown_at: 1, abandoned_at: 1, cause }, ['invocations', 'shown', cause.replace('-', '_')],
    ]),
  ])('%s', (_, changes, expected) => {
    expect(counters(row(changes))).toEqual(expected);
    expect(COUNTERS).toEqual(expect.arrayContaining(expected));
  });

  it('of results lie on the day it started, of its person; activity on the day of the decision, of who decided', () => {
    const found = tally(row({ status: 'accepted', shown_at: 1, decided_at: 5 * DAY, decided_day: 5, actor: 8 }));
    expect(found).toEqual([
      ['invocations', CELL], ['shown', CELL], ['accepted', CELL], ['active_accepted', { ...CELL, person: 8, day: 5 }],
    ]);
  });

  it('carry the model and release that were shown, or else those it started with, and every dimension', () => {
    const dimensions = { task_kind: 'triage', surface: 'side-tool', initiative: 'automatic', started_model: 'm1', started_release: 'r1' };
    const cell = { ...CELL, task_kind: 'triage', surface: 'side-tool', initiative: 'automatic' };
    expect(tally(row({ ...dimensions, status: 'unseen' }))[0]![1]).toEqual({ ...cell, model: 'm1', release: 'r1' });
    expect(tally(row({ ...dimensions, status: 'undecided', shown_at: 1, shown_model: 'm2' }))[0]![1]).toEqual({ ...cell, model: 'm2', release: 'r1' });
  });

  it('carry the reason of an override that stands, and of nothing else; activity carries none', () => {
    const of = (status: Invocation['status']) => tally(row({ status, reason: 'tone', shown_at: 1, decided_at: 1 })).map(([counter, { reason }]) => `${counter}:${reason}`);
    expect(of('overridden')).toEqual(['invocations:tone', 'shown:tone', 'overridden:tone', 'active_overridden:']);
    expect(of('undecided')).toEqual(['invocations:', 'shown:', 'undecided:']);
    expect(of('accepted')).toEqual(['invocations:', 'shown:', 'accepted:', 'active_accepted:']);
  });
});

it('a person-day without any fact left is empty, one with a single fact is not', () => {
  expect(isEmpty(newPersonDay(CELL))).toBe(true);
  for (const counter of COUNTERS) expect(isEmpty({ ...newPersonDay(CELL), [counter]: 1 })).toBe(false);
});
