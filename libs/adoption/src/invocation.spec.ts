import { type LoggedEvent } from '@foothold/event-log';
import { describe, expect, it } from '@jest/globals';
import { byOf, isAboutInvocation, mergeInvocation, newInvocation, type Invocation } from './invocation.js';

const HOUR = 3_600_000_000;
const DAY = 24 * HOUR;
const dayOf = (micros: number) => Math.floor(micros / DAY);
let arrivals = 0;

/** An event `hours` after 1970; `id` orders those of one time. */
function at(hours: number, type: LoggedEvent['type'], data: Record<string, unknown> = {}, changes: Partial<LoggedEvent> = {}): LoggedEvent {
  arrivals++;
  return {
    shard: 0, position: arrivals, id: `id-${String(arrivals).padStart(6, '0')}`, source: 'erp', type, deployment: 1, person: 7, actor: null, sequence: null,
    time: hours * HOUR, received: 1_000 * DAY, data: { invocation: 'i', ...data }, ...changes,
  };
}

function merged(events: LoggedEvent[]): Invocation {
  const row = newInvocation(1, 7, 'i');
  for (const event of events) mergeInvocation(row, event, dayOf);
  return row;
}

/** Every order of some events. */
function* orders<T>(items: T[]): Generator<T[]> {
  if (items.length <= 1) return yield items;
  for (const [i, item] of items.entries()) for (const rest of orders(items.filter((_, j) => j !== i))) yield [item, ...rest];
}

/** What a story comes to, in every order, and with every event told twice. */
function always(events: LoggedEvent[]): Invocation {
  const row = merged(events);
  for (const order of orders(events)) {
    expect(merged(order)).toEqual(row);
    expect(merged([...order, ...order])).toEqual(row);
  }
  return row;
}

const started = (hours: number, task = 't') => at(hours, 'invocation.started', { task, taskKind: 'triage', surface: 'in-workflow', initiative: 'person', model: 'm1', release: 'r1' });

describe('an invocation', () => {
  it('that was accepted', () => {
    const row = always([started(1), at(2, 'result.shown', { options: 3, firstMs: 5, latencyMs: 9, confidence: 0.5, model: 'm2', release: 'r2' }), at(3, 'result.accepted', { option: 1, changed: 0.25, dwellMs: 70 }, { actor: 8 })]);
    expect(row).toMatchObject({
      status: 'accepted', decision: 'accepted', day: 0, first_at: HOUR, started_at: HOUR, task: 't', task_kind: 'triage', surface: 'in-workflow', initiative: 'person',
      started_model: 'm1', started_release: 'r1', shown_at: 2 * HOUR, options: 3, first_ms: 5, latency_ms: 9, confidence: 0.5, shown_model: 'm2', shown_release: 'r2',
      decided_at: 3 * HOUR, option: 1, changed: 0.25, dwell_ms: 70, actor: 8, reason: null, withdrawn_at: null, abandoned_at: null,
    });
  });

  it.each<[string, LoggedEvent[], Partial<Invocation>]>([
    ['started and nothing more', [started(1)], { status: 'unseen', shown_at: null }],
    ['shown and not decided', [started(1), at(2, 'result.shown')], { status: 'undecided', shown_at: 2 * HOUR }],
    ['failed', [started(1), at(2, 'invocation.failed', { error: 'timeout' }), at(3, 'invocation.failed', { error: 'late' })], { status: 'unseen', error: 'timeout', failed_at: 2 * HOUR }],
    ['accepted, then overridden: the latest decision, with all its fields', [at(3, 'result.accepted', { option: 1, dwellMs: 5 }, { actor: 8 }), at(4, 'result.overridden', { reason: 'wrong', changed: 1 })],
      { status: 'overridden', decided_at: 4 * HOUR, reason: 'wrong', changed: 1, option: null, dwell_ms: null, actor: null }],
    ['accepted and withdrawn: seen, undecided', [at(3, 'result.accepted'), at(4, 'decision.withdrawn')], { status: 'undecided', shown_at: 3 * HOUR }],
    ['withdrawn, which undoes every decision before it', [at(2, 'result.accepted'), at(3, 'result.overridden'), at(4, 'decision.withdrawn'), at(1, 'result.shown')], { status: 'undecided' }],
    ['decided anew after a withdrawal', [at(2, 'result.accepted'), at(3, 'decision.withdrawn'), at(4, 'result.overridden', { reason: 'tone' })], { status: 'overridden', reason: 'tone' }],
    ['withdrawn before it was decided, and after', [at(1, 'decision.withdrawn'), at(2, 'result.accepted'), at(3, 'decision.withdrawn')], { status: 'undecided' }],
    ['withdrawn only: not known to have been seen', [at(1, 'decision.withdrawn')], { status: 'unseen', shown_at: null, first_at: HOUR }],
    ['abandoned, with the latest cause', [at(2, 'result.shown'), at(3, 'result.abandoned', { cause: 'navigated' }), at(4, 'result.abandoned', { cause: 'dismissed' })], { status: 'abandoned', cause: 'dismissed' }],
    ['abandoned after a decision, which stands', [at(2, 'result.accepted'), at(3, 'result.abandoned', { cause: 'dismissed' })], { status: 'accepted', cause: 'dismissed' }],
    ['abandoned, then decided', [at(2, 'result.abandoned', { cause: 'dismissed' }), at(3, 'result.overridden')], { status: 'overridden' }],
    ['abandoned, decided, and the decision withdrawn', [at(2, 'result.abandoned', { cause: 'stopped' }), at(3, 'result.accepted'), at(4, 'decision.withdrawn')], { status: 'abandoned', cause: 'stopped' }],
    ['decided without being shown: shown at its earliest decision', [at(4, 'result.accepted'), at(3, 'result.overridden'), at(5, 'result.abandoned', { cause: 'navigated' })], { status: 'accepted', shown_at: 3 * HOUR, shown_by: null }],
    ['abandoned without being shown: shown then', [started(1), at(2, 'result.abandoned', { cause: 'navigated' })], { status: 'abandoned', shown_at: 2 * HOUR }],
    ['shown later than decided: shown when the host says', [at(2, 'result.accepted'), at(3, 'result.shown', { options: 2 })], { status: 'accepted', shown_at: 3 * HOUR, options: 2 }],
    ['shown twice: the earliest wins, whole', [at(2, 'result.shown', { options: 2 }), at(3, 'result.shown', { options: 3, confidence: 0.5, model: 'm3' })], { shown_at: 2 * HOUR, options: 2, confidence: null, shown_model: null }],
    ['started twice: the earliest wins, whole', [at(1, 'invocation.started', { surface: 'side-tool' }), started(2)], { started_at: HOUR, surface: 'side-tool', task: null, started_model: null }],
  ])('%s', (_, events, expected) => {
    expect(always(events)).toMatchObject(expected);
  });

  it('is counted on the day it started, though something came before', () => {
    expect(always([started(25), at(2, 'result.shown'), at(50, 'result.accepted')])).toMatchObject({ day: 1, first_at: 2 * HOUR });
  });

  it.each(['invocation.failed', 'result.shown', 'result.accepted', 'result.abandoned', 'decision.withdrawn', 'result.rechecked', 'truth.established'] as const)(
    'without a start is dated by its earliest event, be it %s', (type) => {
      expect(always([at(30, type, { cause: 'dismissed' }), at(80, 'result.accepted'), at(60, 'result.shown')])).toMatchObject({ day: 1, first_at: 30 * HOUR, started_at: null });
    },
  );

  it.each<[string, LoggedEvent[], Partial<Invocation>]>([
    ['started tomorrow, by its clock: counted today', [at(30, 'invocation.started', {}, { received: 20 * HOUR })], { day: 0, first_at: 30 * HOUR, started_at: 30 * HOUR }],
    ['shown tomorrow, and never started', [at(30, 'result.shown', {}, { received: 20 * HOUR }), at(31, 'result.accepted', {}, { received: 40 * HOUR })], { day: 0, shown_at: 30 * HOUR, decided_day: 1 }],
    ['decided tomorrow: its person was active today', [started(2), at(30, 'result.accepted', {}, { received: 20 * HOUR })], { day: 0, decided_at: 30 * HOUR, decided_day: 0 }],
    ['of two decisions that which claims the later time wins, though the other was received on a later day',
      [at(40, 'result.accepted', {}, { received: 20 * HOUR }), at(30, 'result.overridden', {}, { received: 30 * HOUR })], { status: 'accepted', decided_day: 0 }],
    ['that which claims the earlier start dates it, though the other was received earlier',
      [at(40, 'invocation.started', {}, { received: 20 * HOUR }), at(30, 'invocation.started', {}, { received: 29 * HOUR })], { started_at: 30 * HOUR, day: 1 }],
    ['of two events of one claimed time the earlier receipt dates it', [at(60, 'result.shown', {}, { received: 20 * HOUR }), at(60, 'truth.established', {}, { received: 50 * HOUR })], { day: 0 }],
    ['whose start claims to be after what came first', [at(2, 'result.shown'), at(30, 'invocation.started', {}, { received: 25 * HOUR })], { day: 1, first_at: 2 * HOUR }],
    ['on a clock that is right counts when it says', [started(30), at(55, 'result.accepted', {}, { received: 55 * HOUR })], { day: 1, decided_day: 2 }],
  ])('%s', (_, events, expected) => {
    expect(always(events)).toMatchObject(expected);
  });

  it('keeps the latest stamp, whichever event came last', () => {
    expect(always([at(1, 'result.shown', {}, { received: 5_000 }), at(2, 'result.accepted', {}, { received: 3_000 })]).revised_at).toBe(5_000);
  });
});

describe('events of one time', () => {
  it('are ordered by id, then by source', () => {
    expect(byOf(at(1, 'result.shown', {}, { id: 'a', source: 'z' })) < byOf(at(1, 'result.shown', {}, { id: 'b', source: 'a' }))).toBe(true);
    expect(byOf(at(1, 'result.shown', {}, { id: 'a', source: 'a' })) < byOf(at(1, 'result.shown', {}, { id: 'a', source: 'b' }))).toBe(true);
  });

  const tie = (id: string, source: string, type: LoggedEvent['type'], data = {}) => at(5, type, data, { id, source });
  it.each<[string, LoggedEvent[], Partial<Invocation>]>([
    ['the later id decides', [tie('b', 'x', 'result.overridden', { reason: 'b' }), tie('a', 'x', 'result.accepted')], { status: 'overridden', reason: 'b' }],
    ['of one id the later source decides', [tie('a', 'x', 'result.accepted'), tie('a', 'y', 'result.overridden')], { status: 'overridden' }],
    ['a withdrawal of a later id undoes', [tie('b', 'x', 'decision.withdrawn'), tie('a', 'x', 'result.accepted')], { status: 'undecided' }],
    ['a withdrawal of an earlier id does not', [tie('a', 'x', 'decision.withdrawn'), tie('b', 'x', 'result.accepted')], { status: 'accepted' }],
    ['the earlier id was shown', [tie('b', 'x', 'result.shown', { options: 2 }), tie('a', 'x', 'result.shown', { options: 1 })], { options: 1 }],
    ['the earlier id started', [tie('b', 'x', 'invocation.started', { task: 'b' }), tie('a', 'x', 'invocation.started', { task: 'a' })], { task: 'a' }],
    ['the later id abandoned', [tie('b', 'x', 'result.abandoned', { cause: 'stopped' }), tie('a', 'x', 'result.abandoned', { cause: 'dismissed' })], { cause: 'stopped' }],
    ['the earlier id failed', [tie('b', 'x', 'invocation.failed', { error: 'b' }), tie('a', 'x', 'invocation.failed', { error: 'a' })], { error: 'a' }],
  ])('%s', (_, events, expected) => {
    expect(always(events)).toMatchObject(expected);
  });
});

it('an invocation is made of the nine kinds of events about one, and no other', () => {
  expect(['task.completed', 'queue.filled', 'feed.counted', 'feedback.given', 'outcome.measured', 'model.scored', 'sdk.reported'].filter((type) => isAboutInvocation(at(1, type as LoggedEvent['type'])))).toEqual([]);
  expect(['invocation.started', 'invocation.failed', 'result.shown', 'result.accepted', 'result.overridden', 'result.abandoned', 'decision.withdrawn', 'result.rechecked', 'truth.established'].every((type) => isAboutInvocation(at(1, type as LoggedEvent['type'])))).toBe(true);
});
