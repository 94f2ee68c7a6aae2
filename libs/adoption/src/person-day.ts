/**
 * What a person's work with the AI came to on a local day: the grain from which metrics are answered, so that people
 * are counted, never summed, and a query costs people and days, not events. One row per combination of dimensions
 * that occurred. Three kinds of facts meet here: of results (on the day the invocation started, of its person),
 * of activity (on the day of the decision, of the actor where one is named) and of tasks (on the day of completion);
 * feedback lies on its own day.
 *
 * The same once more without dimensions, as `person_day_sum`: most questions name none, and these then cost people and days
 * however many kinds of tasks and releases there are. And activity and tasks by week, as `person_week`, for what looks back
 * over months.
 */
import { type ColumnType, type Table } from '@foothold/event-log';
import { decisionMs, keptAfter, type Invocation } from './invocation.js';
import { flagConflicts, type Task } from './task.js';

/** Facts that are counted one by one. */
export const NUMBERS = [
  'invocations', 'unmatched', 'shown', 'accepted', 'overridden', 'undecided',
  'dismissed', 'navigated', 'stopped', 'timed_out', 'worked_around',
  'active_accepted', 'active_overridden', 'tasks', 'tasks_used', 'tasks_consulted', 'tasks_conflicting',
  'verbatim', 'edited_light', 'edited_moderate', 'edited_heavy', 'kept_1_known', 'kept_7_known', 'kept_30_known',
  'timed', 'timed_accepted', 'stated', 'stated_truth', 'judged', 'feedback',
] as const;
/** Sums of fractions, in whole parts of them, so that no order of adding gives another sum: of a million, `brier` of a billion. */
export const SUMS = [
  'kept_1', 'kept_7', 'kept_30', 'wrong_accepted', 'wrong_overridden', 'right_accepted', 'right_overridden',
  'override_judged', 'override_right', 'rair_judged', 'rair_right', 'rsr_judged', 'rsr_right', 'brier', 'brier_truth', 'feedback_score',
] as const;
export const COUNTERS = [...NUMBERS, ...SUMS] as const;
export type Counter = (typeof COUNTERS)[number];
/** Parts of one in which sums of shares and weights are kept. */
export const MILLION = 1_000_000;
/** The same of squared errors. */
export const BILLION = 1_000_000_000;
/** A case that was picked for an audit with a lesser probability than one in a million weighs no more than that. */
const HEAVIEST = 1_000_000;

const typesOf = <Name extends string>(names: readonly Name[], type: ColumnType) => Object.fromEntries(names.map((name) => [name, type])) as Record<Name, ColumnType>;

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
    reason: 'text', revised_at: 'timestamptz', ...typesOf(NUMBERS, 'int4'), ...typesOf(SUMS, 'int8'),
  },
  key: ['deployment', 'person', 'day', 'task_kind', 'surface', 'initiative', 'model', 'release', 'reason'],
};

/** Takes the facts of a row: adds to `counter` of the cell with these keys, one where no amount is said. */
export type Tally = (cell: Cell, counter: Counter, amount?: number) => void;
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
  if (row.started_at === null) tally(cell, 'unmatched');
  if (row.shown_at === null) return;
  tally(cell, 'shown');
  if (row.status === 'undecided') tally(cell, 'undecided');
  else if (row.status === 'abandoned') tally(cell, CAUSES[row.cause!]!);
  else if (row.status !== 'unseen') {
    tally(cell, row.status);
    tallyDecision(row, cell, tally);
    const active: Cell = { ...cell, person: row.actor ?? row.person, day: row.decided_day!, reason: '' };
    tally(active, row.status === 'accepted' ? 'active_accepted' : 'active_overridden');
  }
}

/** What is known of a decision that stands: how much of the result it left, how long it took, and whether it was right. */
function tallyDecision(row: Invocation, cell: Cell, tally: Tally): void {
  const accepted = row.status === 'accepted';
  if (accepted && row.changed !== null) tally(cell, row.changed === 0 ? 'verbatim' : row.changed <= 0.2 ? 'edited_light' : row.changed <= 0.5 ? 'edited_moderate' : 'edited_heavy');
  if (accepted) for (const { horizon, kept } of keptAfter(row)) {
    tally(cell, `kept_${horizon}_known`);
    tally(cell, `kept_${horizon}`, Math.round(kept * MILLION));
  }
  if (decisionMs(row) !== null) {
    tally(cell, 'timed');
    if (accepted) tally(cell, 'timed_accepted');
  }
  if (row.confidence !== null) {
    tally(cell, 'stated');
    tally(cell, 'brier', squaredError(row.confidence, accepted));
  }
  if (row.truth_at === null) return;
  const right = row.ai_right!;
  tally(cell, 'judged');
  if (row.confidence !== null) {
    tally(cell, 'stated_truth');
    tally(cell, 'brier_truth', squaredError(row.confidence, right));
  }
  const weight = Math.round(Math.min(1 / (row.sampled_with ?? 1), HEAVIEST) * MILLION);
  tally(cell, right ? (accepted ? 'right_accepted' : 'right_overridden') : accepted ? 'wrong_accepted' : 'wrong_overridden', weight);
  if (row.final_right === null) return;
  if (!accepted) tally(cell, 'override_judged', weight);
  if (!accepted && row.final_right) tally(cell, 'override_right', weight);
  if (row.first_right === null || row.first_right === right) return;
  const by = right ? 'rair' : 'rsr';
  tally(cell, `${by}_judged`, weight);
  if (row.final_right) tally(cell, `${by}_right`, weight);
}

const squaredError = (stated: number, so: boolean): number => Math.round((stated - Number(so)) ** 2 * BILLION);

/** The cell of what has no dimension but perhaps a kind of task. */
const plainCell = (deployment: number, person: number, day: number, task_kind: string): Cell => ({
  deployment, person, day, task_kind, surface: '', initiative: '', model: '', release: '', reason: '',
});

/** The facts of a completed task. */
export function tallyTask(row: Task, tally: Tally): void {
  if (row.day === null) return;
  const cell = plainCell(row.deployment, row.person, row.day, row.task_kind ?? '');
  tally(cell, 'tasks');
  if (row.aided === 'used') tally(cell, 'tasks_used');
  if (row.aided === 'consulted') tally(cell, 'tasks_consulted');
  if (flagConflicts(row)) tally(cell, 'tasks_conflicting');
}

/** What a person said of it, -1 to 1. */
export function tallyFeedback(deployment: number, person: number, day: number, score: number, tally: Tally): void {
  const cell = plainCell(deployment, person, day, '');
  tally(cell, 'feedback');
  tally(cell, 'feedback_score', Math.round(score * MILLION));
}

/** One literal: a row put together from parts is a slow object, and a page of the log makes thousands. */
export function newPersonDay({ deployment, person, day, task_kind, surface, initiative, model, release, reason }: Cell): PersonDay {
  return {
    deployment, person, day, task_kind, surface, initiative, model, release, reason, revised_at: 0,
    invocations: 0, unmatched: 0, shown: 0, accepted: 0, overridden: 0, undecided: 0, dismissed: 0, navigated: 0, stopped: 0, timed_out: 0, worked_around: 0,
    active_accepted: 0, active_overridden: 0, tasks: 0, tasks_used: 0, tasks_consulted: 0, tasks_conflicting: 0,
    verbatim: 0, edited_light: 0, edited_moderate: 0, edited_heavy: 0, kept_1_known: 0, kept_7_known: 0, kept_30_known: 0,
    timed: 0, timed_accepted: 0, stated: 0, stated_truth: 0, judged: 0, feedback: 0,
    kept_1: 0, kept_7: 0, kept_30: 0, wrong_accepted: 0, wrong_overridden: 0, right_accepted: 0, right_overridden: 0,
    override_judged: 0, override_right: 0, rair_judged: 0, rair_right: 0, rsr_judged: 0, rsr_right: 0, brier: 0, brier_truth: 0, feedback_score: 0,
  };
}

/** What only the sums need: the activity, and the invocations, of one initiative. */
export const OF_INITIATIVE = ['active_voluntary', 'invocations_person', 'invocations_automatic', 'invocations_mandated'] as const;
export const SUM_COUNTERS = [...COUNTERS, ...OF_INITIATIVE] as const;

/** A person's day without dimensions. */
export type PersonDaySum = Pick<PersonDay, 'deployment' | 'person' | 'day' | 'revised_at'> & Record<(typeof SUM_COUNTERS)[number], number>;

export const personDaySumTable: Table<PersonDaySum> = {
  name: 'person_day_sum',
  columns: { deployment: 'int4', person: 'int8', day: 'date', revised_at: 'timestamptz', ...typesOf(NUMBERS, 'int4'), ...typesOf(SUMS, 'int8'), ...typesOf(OF_INITIATIVE, 'int4') },
  key: ['deployment', 'person', 'day'],
};

export function newPersonDaySum({ deployment, person, day }: Pick<Cell, 'deployment' | 'person' | 'day'>): PersonDaySum {
  const row: Partial<PersonDaySum> = { deployment, person, day, revised_at: 0 };
  for (const counter of SUM_COUNTERS) row[counter] = 0;
  return row as PersonDaySum;
}

/** Adds what a cell says to the day that it is of. */
export function addToSum(sum: PersonDaySum, cell: PersonDay): void {
  for (const counter of COUNTERS) sum[counter] += cell[counter];
  if (cell.initiative === 'person') {
    sum.active_voluntary += cell.active_accepted + cell.active_overridden;
    sum.invocations_person += cell.invocations;
  } else if (cell.initiative === 'automatic') sum.invocations_automatic += cell.invocations;
  else if (cell.initiative === 'mandated') sum.invocations_mandated += cell.invocations;
  sum.revised_at = Math.max(sum.revised_at, cell.revised_at);
}

export const WEEK_COUNTERS = ['active', 'active_accepted', 'active_voluntary', 'tasks'] as const;

/** A person's ISO week, by kind of task: decisions that are activity, and completed tasks. */
export type PersonWeek = { deployment: number; person: number; /** Its Monday. */ week: number; task_kind: string } & Record<(typeof WEEK_COUNTERS)[number], number>;

export const personWeekTable: Table<PersonWeek> = {
  name: 'person_week',
  columns: { deployment: 'int4', person: 'int8', week: 'date', task_kind: 'text', ...typesOf(WEEK_COUNTERS, 'int4') },
  key: ['deployment', 'person', 'week', 'task_kind'],
};

export const newPersonWeek = ({ deployment, person, week, task_kind }: Pick<PersonWeek, 'deployment' | 'person' | 'week' | 'task_kind'>): PersonWeek => ({
  deployment, person, week, task_kind, active: 0, active_accepted: 0, active_voluntary: 0, tasks: 0,
});

/** Adds what a cell says to the week that it is of. */
export function addToWeek(week: PersonWeek, cell: PersonDay): void {
  const active = cell.active_accepted + cell.active_overridden;
  week.active += active;
  week.active_accepted += cell.active_accepted;
  if (cell.initiative === 'person') week.active_voluntary += active;
  week.tasks += cell.tasks;
}
