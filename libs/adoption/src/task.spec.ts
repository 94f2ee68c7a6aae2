import { type LoggedEvent } from '@foothold/event-log';
import { describe, expect, it } from '@jest/globals';
import { newInvocation, type Invocation } from './invocation.js';
import { tallyTask } from './person-day.js';
import { aidTask, flagConflicts, mergeTask, newTask, type Task } from './task.js';

const DAY = 86_400_000_000;
const RECEIVED = 1_000 * DAY;
const dayOf = (micros: number) => Math.floor(micros / DAY);
const completed = (time: number, data: object = {}, changes: Partial<LoggedEvent> = {}): LoggedEvent => ({
  shard: 0, position: 1, id: 'a', source: 'erp', type: 'task.completed', deployment: 1, person: 7, actor: null, sequence: null, time, received: RECEIVED, data: { task: 't', taskKind: 'triage', ...data }, ...changes,
});
const invocation = (status: Invocation['status'], shown = status !== 'unseen'): Invocation => ({ ...newInvocation(1, 7, 'i'), task: 't', status, shown_at: shown ? 1 : null });

function task(flag: boolean | undefined, ...invocations: Invocation[]): Task {
  const row = newTask(1, 7, 't');
  mergeTask(row, completed(1, flag === undefined ? {} : { aided: flag }), dayOf);
  for (const named of invocations) aidTask(row, named, 1, 100);
  return row;
}

describe('a task', () => {
  it.each<[string, Task, Task['aided'], boolean]>([
    ['with no invocation and no flag', task(undefined), 'none', false],
    ['with no invocation, that the host says was aided', task(true), 'used', false],
    ['with no invocation, that the host says was not', task(false), 'none', false],
    ['with a result accepted', task(undefined, invocation('accepted')), 'used', false],
    ['with a result overridden', task(undefined, invocation('overridden')), 'used', false],
    ['with a result shown and not decided', task(undefined, invocation('undecided')), 'consulted', false],
    ['with a result abandoned', task(undefined, invocation('abandoned')), 'consulted', false],
    ['with an invocation that showed nothing', task(undefined, invocation('unseen')), 'none', false],
    ['with one result decided among others', task(undefined, invocation('unseen'), invocation('abandoned'), invocation('accepted')), 'used', false],
    ['whose flag agrees', task(true, invocation('accepted')), 'used', false],
    ['whose flag claims aid nobody took', task(true, invocation('undecided')), 'consulted', true],
    ['whose flag claims aid that was never shown', task(true, invocation('unseen')), 'none', true],
    ['whose flag denies aid that was taken', task(false, invocation('overridden')), 'used', true],
    ['whose flag denies aid, and the result was only seen', task(false, invocation('undecided')), 'consulted', false],
  ])('%s', (_, row, aided, conflicts) => {
    expect(row.aided).toBe(aided);
    expect(flagConflicts(row)).toBe(conflicts);
    const tallied: string[] = [];
    tallyTask(row, (cell, counter) => {
      expect(cell).toEqual({ deployment: 1, person: 7, day: 0, task_kind: 'triage', surface: '', initiative: '', model: '', release: '', reason: '' });
      tallied.push(counter);
    });
    expect(tallied).toEqual(['tasks', ...(aided === 'none' ? [] : [`tasks_${aided}`]), ...(conflicts ? ['tasks_conflicting'] : [])]);
  });

  it('takes back what an invocation no longer says', () => {
    const row = task(true, invocation('accepted'), invocation('undecided'));
    aidTask(row, invocation('accepted'), -1, RECEIVED + 1);
    expect(row).toMatchObject({ named: 1, used: 0, consulted: 1, aided: 'consulted' });
    aidTask(row, invocation('undecided'), -1, RECEIVED + 2);
    expect(row).toMatchObject({ named: 0, used: 0, consulted: 0, aided: 'used', revised_at: RECEIVED + 2 });
  });

  it('is as its latest completion says, by time, id and source, in any order', () => {
    const latest = completed(2 * DAY, { aided: false, taskKind: 'letter', durationMs: 5 }, { id: 'b', source: 'x', received: RECEIVED - 50 });
    const others = [completed(DAY, { aided: true, durationMs: 9 }, { id: 'z' }), completed(2 * DAY, { aided: true }, { id: 'a', source: 'z' }), completed(2 * DAY, { aided: true }, { id: 'b', source: 'w' })];
    for (let turn = 0; turn < 4; turn++) {
      const row = newTask(1, 7, 't');
      const events = [...others.slice(0, turn), latest, ...others.slice(turn), latest];
      for (const event of events) mergeTask(row, event, dayOf);
      expect(row).toMatchObject({ completed_at: 2 * DAY, day: 2, flag: false, task_kind: 'letter', duration_ms: 5, aided: 'none', revised_at: RECEIVED });
    }
  });

  it('that claims to be completed tomorrow counts today, and stays the latest', () => {
    for (const turn of [0, 1]) {
      const row = newTask(1, 7, 't');
      const events = [completed(3.2 * DAY, { taskKind: 'letter' }, { received: 2.5 * DAY }), completed(3 * DAY, {}, { received: 3 * DAY })];
      for (const event of turn === 0 ? events : events.reverse()) mergeTask(row, event, dayOf);
      expect(row).toMatchObject({ completed_at: 3.2 * DAY, day: 2, task_kind: 'letter' });
    }
  });

  it('counts as no task before it is completed, though invocations name it', () => {
    const row = newTask(1, 7, 't');
    aidTask(row, invocation('accepted'), 1, 100);
    expect(row).toMatchObject({ aided: 'used', day: null });
    tallyTask(row, () => expect('counted').toBe('not counted'));
  });
});
