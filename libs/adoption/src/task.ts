/**
 * One row a task: was it done with the AI's help?
 *
 * The latest task.completed of a task (by time, id, source) wins. Only the person's own invocations aid a task; the
 * host's own flag counts only when no invocation names the task.
 */
import { type LoggedEvent, type Table } from '@foothold/event-log';
import { byOf, dated, type Invocation } from './invocation.js';

export type Aided = 'used' | 'consulted' | 'none';

export interface Task {
  deployment: number;
  person: number;
  task: string;
  completed_at: number | null;
  completed_by: string | null;
  day: number | null;
  task_kind: string | null;
  flag: boolean | null;
  duration_ms: number | null;
  /** Invocations of the person that name the task: all, those with a decision, those shown and not decided. */
  named: number;
  used: number;
  consulted: number;
  aided: Aided;
  revised_at: number;
}

export const taskTable: Table<Task> = {
  name: 'task',
  columns: {
    deployment: 'int4', person: 'int8', task: 'text', completed_at: 'timestamptz', completed_by: 'text', day: 'date', task_kind: 'text',
    flag: 'bool', duration_ms: 'float8', named: 'int4', used: 'int4', consulted: 'int4', aided: 'text', revised_at: 'timestamptz',
  },
  key: ['deployment', 'person', 'task'],
};

export function newTask(deployment: number, person: number, task: string): Task {
  return {
    deployment, person, task, completed_at: null, completed_by: null, day: null, task_kind: null, flag: null, duration_ms: null,
    named: 0, used: 0, consulted: 0, aided: 'none', revised_at: 0,
  };
}

/** Merges a task.completed. */
export function mergeTask(row: Task, event: LoggedEvent, dayOf: (micros: number) => number): void {
  const by = byOf(event);
  const later = row.completed_at === null || event.time > row.completed_at || (event.time === row.completed_at && by > row.completed_by!);
  if (later) {
    const { taskKind, aided, durationMs } = event.data as { taskKind: string; aided?: boolean; durationMs?: number };
    row.completed_at = event.time;
    row.completed_by = by;
    row.day = dayOf(dated(event));
    row.task_kind = taskKind;
    row.flag = aided ?? null;
    row.duration_ms = durationMs ?? null;
  }
  row.aided = aidedOf(row);
  row.revised_at = Math.max(row.revised_at, event.received);
}

/** Adds (`sign` 1) or takes back (-1) what an invocation says of the task it names. */
export function aidTask(row: Task, invocation: Invocation, sign: 1 | -1, received: number): void {
  row.named += sign;
  if (invocation.status === 'accepted' || invocation.status === 'overridden') row.used += sign;
  else if (invocation.shown_at !== null) row.consulted += sign;
  row.aided = aidedOf(row);
  row.revised_at = Math.max(row.revised_at, received);
}

function aidedOf(row: Task): Aided {
  if (row.named === 0) return row.flag ? 'used' : 'none';
  if (row.used > 0) return 'used';
  return row.consulted > 0 ? 'consulted' : 'none';
}

/** Whether the host's flag says otherwise than the invocations do. */
export function flagConflicts(row: Task): boolean {
  return row.flag !== null && row.named > 0 && row.flag !== (row.aided === 'used');
}
