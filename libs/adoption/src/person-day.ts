/**
 * What a person's work with the AI came to on a local day: the grain from which metrics are answered, so that people
 * are counted, never summed, and a query costs people and days, not events. One row per combination of dimensions
 * that occurred. Three kinds of facts meet here: of results (on the day the invocation started, of its person),
 * of activity (on the day of the decision, of the actor where one is named) and of tasks (on the day of completion).
 */
import { type Table } from '@foothold/event-log';
import { type Invocation } from './invocation.js';
import { flagConflicts, type Task } from './task.js';

export const COUNTERS = [
  'invocations', 'shown', 'accepted', 'overridden', 'undecided',
  'dismissed', 'navigated', 'stopped', 'timed_out', 'worked_around',
  'active_accepted', 'active_overridden', 'tasks', 'tasks_used', 'tasks_consulted', 'tasks_conflicting',
] as const;
export type Counter = (typeof COUNTERS)[number];

/** Dimensions not given are the empty string. */
export type PersonDay = {
  deployment: number;
  person: number;
  day: number;
  task_kind: string;
  surface: string;
  initiative: string;
  model: string;
  release: string;
  reason: string;
  revised_at: number;
} & Record<Counter, number>;

export const personDayTable: Table<PersonDay> = {
  name: 'person_day',
  columns: {
    deployment: 'int4', person: 'int8', day: 'date', task_kind: 'text', surface: 'text', initiative: 'text', model: 'text', release: 'text',
    reason: 'text', revised_at: 'timestamptz', ...(Object.fromEntries(COUNTERS.map((counter) => [counter, 'int4'])) as Record<Counter, 'int4'>),
  },
  key: ['deployment', 'person', 'day', 'task_kind', 'surface', 'initiative', 'model', 'release', 'reason'],
};

/** Takes the facts of a row: adds to `counter` of the cell with these keys. */
export type Tally = (cell: Cell, counter: Counter) => void;
export type Cell = Pick<PersonDay, 'deployment' | 'person' | 'day' | 'task_kind' | 'surface' | 'initiative' | 'model' | 'release' | 'reason'>;

const CAUSES: Record<string, Counter> = {
  dismissed: 'dismissed', navigated: 'navigated', stopped: 'stopped', 'timed-out': 'timed_out', 'worked-around': 'worked_around',
};

/** The facts of an invocation. */
export function tallyInvocation(row: Invocation, tally: Tally): void {
  const cell: Cell = {
    deployment: row.deployment,
    person: row.person,
    day: row.day,
    task_kind: row.task_kind ?? '',
    surface: row.surface ?? '',
    initiative: row.initiative ?? '',
    model: row.shown_model ?? row.started_model ?? '',
    release: row.shown_release ?? row.started_release ?? '',
    reason: row.status === 'overridden' ? (row.reason ?? '') : '',
  };
  tally(cell, 'invocations');
  if (row.shown_at === null) return;
  tally(cell, 'shown');
  if (row.status === 'undecided') tally(cell, 'undecided');
  else if (row.status === 'abandoned') tally(cell, CAUSES[row.cause!]!);
  else if (row.status !== 'unseen') {
    tally(cell, row.status);
    const active: Cell = { ...cell, person: row.actor ?? row.person, day: row.decided_day!, reason: '' };
    tally(active, row.status === 'accepted' ? 'active_accepted' : 'active_overridden');
  }
}

/** The facts of a completed task. */
export function tallyTask(row: Task, tally: Tally): void {
  if (row.day === null) return;
  const cell: Cell = {
    deployment: row.deployment, person: row.person, day: row.day, task_kind: row.task_kind ?? '',
    surface: '', initiative: '', model: '', release: '', reason: '',
  };
  tally(cell, 'tasks');
  if (row.aided === 'used') tally(cell, 'tasks_used');
  if (row.aided === 'consulted') tally(cell, 'tasks_consulted');
  if (flagConflicts(row)) tally(cell, 'tasks_conflicting');
}

export function isEmpty(row: PersonDay): boolean {
  return COUNTERS.every((counter) => row[counter] === 0);
}

/** One literal: a row put together from parts is a slow object, and a page of the log makes thousands. */
export function newPersonDay({ deployment, person, day, task_kind, surface, initiative, model, release, reason }: Cell): PersonDay {
  return {
    deployment, person, day, task_kind, surface, initiative, model, release, reason, revised_at: 0,
    invocations: 0, shown: 0, accepted: 0, overridden: 0, undecided: 0, dismissed: 0, navigated: 0, stopped: 0, timed_out: 0, worked_around: 0,
    active_accepted: 0, active_overridden: 0, tasks: 0, tasks_used: 0, tasks_consulted: 0, tasks_conflicting: 0,
  };
}
