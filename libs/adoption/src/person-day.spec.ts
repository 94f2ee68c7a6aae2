import { describe, expect, it } from '@jest/globals';
import { newInvocation, type Invocation } from './invocation.js';
import { COUNTERS, newPersonDay, newPersonDaySum, SUM_COUNTERS, tallyFeedback, tallyInvocation, type Cell } from './person-day.js';

const DAY = 86_400_000_000;
const row = (changes: Partial<Invocation>): Invocation => ({ ...newInvocation(1, 7, 'i'), day: 3, started_at: 0, started_by: 's', ...changes });
const CELL: Cell = { deployment: 1, person: 7, day: 3, task_kind: '', surface: '', initiative: '', model: '', release: '', reason: '' };

function tally(of: Invocation): [string, Cell][] {
  const found: [string, Cell][] = [];
  tallyInvocation(of, (cell, counter) => found.push([counter, { ...cell }]));
  return found;
}
const counters = (of: Invocation) => tally(of).map(([counter]) => counter);

describe('the facts of an invocation', () => {
  it.each<[string, Partial<Invocation>, string[]]>([
    ['without a start', { status: 'undecided', started_at: null, shown_at: 1 }, ['invocations', 'unmatched', 'shown', 'undecided']],
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

describe('what is known of a decision', () => {
  const known = (changes: Partial<Invocation>) => {
    const amounts: Record<string, number> = {};
    tallyInvocation(row({ shown_at: 0, shown_by: 's', started_at: 0, decided_at: 1, decided_by: 'd', decided_day: 3, ...changes }), (_, counter, amount = 1) => { amounts[counter] = (amounts[counter] ?? 0) + amount; });
    for (const counter of ['invocations', 'shown', 'accepted', 'overridden', 'undecided', 'active_accepted', 'active_overridden', 'timed', 'timed_accepted']) delete amounts[counter];
    return amounts;
  };

  it.each([[0, 'verbatim'], [0.001, 'edited_light'], [0.2, 'edited_light'], [0.201, 'edited_moderate'], [0.5, 'edited_moderate'], [0.501, 'edited_heavy'], [1, 'edited_heavy']])('changed %d is %s', (changed, band) => {
    expect(known({ status: 'accepted', changed })).toEqual({ [band]: 1 });
    expect(known({ status: 'overridden', changed })).toEqual({});
  });

  it('of what is kept, for each horizon the recheck after the most days that are not more', () => {
    const rechecks = JSON.stringify({ 1: [1, 0, 'a', 0.5], 7: [6, 0, 'b', 0.25], 30: [6, 0, 'b', 0.25] });
    expect(known({ status: 'accepted', rechecks })).toEqual({ kept_1_known: 1, kept_1: 500_000, kept_7_known: 1, kept_7: 250_000, kept_30_known: 1, kept_30: 250_000 });
    expect(known({ status: 'overridden', rechecks })).toEqual({});
  });

  it.each<[string, Partial<Invocation>, Record<string, number>]>([
    ['a wrong result accepted', { status: 'accepted', ai_right: false }, { wrong_accepted: 1_000_000 }],
    ['a right one overridden, of an audit of one in three', { status: 'overridden', ai_right: true, sampled_with: 1 / 3 }, { right_overridden: 3_000_000 }],
    ['a probability that is next to nothing', { status: 'accepted', ai_right: true, sampled_with: 1e-300 }, { right_accepted: 1e12 }],
    ['an override that was right', { status: 'overridden', ai_right: false, final_right: true }, { wrong_overridden: 1_000_000, override_judged: 1_000_000, override_right: 1_000_000 }],
    ['good advice that was taken by who was wrong', { status: 'accepted', ai_right: true, first_right: false, final_right: true }, { right_accepted: 1_000_000, rair_judged: 1_000_000, rair_right: 1_000_000 }],
    ['bad advice that was taken by who was right', { status: 'accepted', ai_right: false, first_right: true, final_right: false }, { wrong_accepted: 1_000_000, rsr_judged: 1_000_000 }],
    ['person and result of one mind', { status: 'accepted', ai_right: true, first_right: true, final_right: true }, { right_accepted: 1_000_000 }],
  ])('%s', (_, changes, expected) => {
    expect(known({ truth_at: 9, truth_by: 't', ...changes })).toEqual({ judged: 1, ...expected });
  });

  it('of stated confidence, the squared error against acceptance and against the truth', () => {
    expect(known({ status: 'overridden', confidence: 0.8 })).toEqual({ stated: 1, brier: 640_000_000 });
    expect(known({ status: 'overridden', confidence: 0.8, truth_at: 9, ai_right: true })).toEqual({ judged: 1, right_overridden: 1_000_000, stated: 1, brier: 640_000_000, stated_truth: 1, brier_truth: 40_000_000 });
  });

  it.each<[string, Partial<Invocation>, number]>([['told', {}, 1], ['no shown event told when', { shown_by: null }, 0], ['decided before it was shown, by its clock', { shown_at: 2 }, 0]])('its time: %s', (_, changes, times) => {
    expect(counters(row({ status: 'accepted', shown_at: 0, shown_by: 's', decided_at: 1, ...changes })).filter((counter) => counter === 'timed')).toHaveLength(times);
  });

  it('feedback is counted on its own, in millionths of its score', () => {
    const found: unknown[] = [];
    tallyFeedback(1, 7, 3, -0.5, (...fact) => found.push(fact));
    expect(found).toEqual([[CELL, 'feedback'], [CELL, 'feedback_score', -500_000]]);
  });
});

it('rows begin with every counter at zero', () => {
  for (const counter of COUNTERS) expect(newPersonDay(CELL)[counter]).toBe(0);
  for (const counter of SUM_COUNTERS) expect(newPersonDaySum(CELL)[counter]).toBe(0);
});
