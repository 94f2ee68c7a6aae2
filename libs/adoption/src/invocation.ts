/**
 * One row an invocation: what became of one request to the AI.
 *
 * Events about an invocation may come in any order and often; the row is the same. Events are ordered by
 * (time, id, source). The earliest started and the earliest shown win, whole. The decision is the latest accepted
 * or overridden that no later withdrawal follows: since a withdrawal undoes every decision before it, the latest
 * decision and the latest withdrawal are all that must be kept. The latest truth wins, whole. An abandonment never undoes a
 * decision. A decision or an abandonment implies that the result was shown, then, unless a shown event says when.
 *
 * Clocks run ahead: an event may claim a time up to a day after it was received. It is ordered by what it claims, but counts
 * on the day of its receipt where it claims a later one, so that nothing counts on a day that has not come. When such an
 * event was received is therefore one of its facts; of all others only the order of (time, id, source) matters.
 */
import { type LoggedEvent, type Table } from '@foothold/event-log';

export type Status = 'accepted' | 'overridden' | 'abandoned' | 'undecided' | 'unseen';

/** Times are integer microseconds, days are local days since 1970; `_by` is (id, source), which orders equal times. */
export interface Invocation {
  deployment: number;
  person: number;
  invocation: string;
  day: number;
  first_at: number;
  started_at: number | null;
  started_by: string | null;
  task: string | null;
  task_kind: string | null;
  surface: string | null;
  initiative: string | null;
  started_model: string | null;
  started_release: string | null;
  shown_at: number | null;
  shown_by: string | null;
  options: number | null;
  first_ms: number | null;
  latency_ms: number | null;
  confidence: number | null;
  shown_model: string | null;
  shown_release: string | null;
  decided_at: number | null;
  decided_by: string | null;
  /** On which the decision counts. */
  decided_day: number | null;
  decision: 'accepted' | 'overridden' | null;
  option: number | null;
  changed: number | null;
  reason: string | null;
  dwell_ms: number | null;
  actor: number | null;
  withdrawn_at: number | null;
  withdrawn_by: string | null;
  abandoned_at: number | null;
  abandoned_by: string | null;
  cause: string | null;
  failed_at: number | null;
  failed_by: string | null;
  error: string | null;
  /** What rechecks say, by horizon in days: canonical JSON of `{"7": [afterDays, time, by, kept], ...}`. */
  rechecks: string | null;
  truth_at: number | null;
  truth_by: string | null;
  ai_right: boolean | null;
  first_right: boolean | null;
  final_right: boolean | null;
  sampled_with: number | null;
  status: Status;
  revised_at: number;
}

export const invocationTable: Table<Invocation> = {
  name: 'invocation',
  columns: {
    deployment: 'int4', person: 'int8', invocation: 'text', day: 'date', first_at: 'timestamptz',
    started_at: 'timestamptz', started_by: 'text', task: 'text', task_kind: 'text', surface: 'text', initiative: 'text',
    started_model: 'text', started_release: 'text',
    shown_at: 'timestamptz', shown_by: 'text', options: 'int4', first_ms: 'float8', latency_ms: 'float8', confidence: 'float8',
    shown_model: 'text', shown_release: 'text',
    decided_at: 'timestamptz', decided_by: 'text', decided_day: 'date', decision: 'text', option: 'int4', changed: 'float8', reason: 'text',
    dwell_ms: 'float8', actor: 'int8', withdrawn_at: 'timestamptz', withdrawn_by: 'text',
    abandoned_at: 'timestamptz', abandoned_by: 'text', cause: 'text', failed_at: 'timestamptz', failed_by: 'text', error: 'text',
    rechecks: 'text', truth_at: 'timestamptz', truth_by: 'text', ai_right: 'bool', first_right: 'bool', final_right: 'bool', sampled_with: 'float8',
    status: 'text', revised_at: 'timestamptz',
  },
  key: ['deployment', 'person', 'invocation'],
};

/** Events that are about an invocation and make its row. */
const ABOUT = new Set<string>([
  'invocation.started', 'invocation.failed', 'result.shown', 'result.accepted', 'result.overridden',
  'result.abandoned', 'decision.withdrawn', 'result.rechecked', 'truth.established',
]);

export const isAboutInvocation = (event: LoggedEvent): boolean => ABOUT.has(event.type);

/** The row of an invocation of which nothing has been merged yet. */
export function newInvocation(deployment: number, person: number, invocation: string): Invocation {
  return {
    deployment, person, invocation, day: 0, first_at: Infinity,
    started_at: null, started_by: null, task: null, task_kind: null, surface: null, initiative: null, started_model: null, started_release: null,
    shown_at: null, shown_by: null, options: null, first_ms: null, latency_ms: null, confidence: null, shown_model: null, shown_release: null,
    decided_at: null, decided_by: null, decided_day: null, decision: null, option: null, changed: null, reason: null, dwell_ms: null, actor: null,
    withdrawn_at: null, withdrawn_by: null, abandoned_at: null, abandoned_by: null, cause: null,
    failed_at: null, failed_by: null, error: null,
    rechecks: null, truth_at: null, truth_by: null, ai_right: null, first_right: null, final_right: null, sampled_with: null, status: 'unseen', revised_at: 0,
  };
}

/** Whether (time, by) comes before (otherTime, otherBy). */
function before(time: number, by: string, otherTime: number, otherBy: string): boolean {
  return time < otherTime || (time === otherTime && by < otherBy);
}

/** What orders events of one time. */
export const byOf = (event: LoggedEvent): string => `${event.id} ${event.source}`;

/** The time that dates an event: what it claims, or its receipt where that was earlier. */
export const dated = ({ time, received }: LoggedEvent): number => Math.min(time, received);

/** Merges one event into its row; `dayOf` gives the local day of a time. */
export function mergeInvocation(row: Invocation, event: LoggedEvent, dayOf: (micros: number) => number): void {
  const { time, data } = event;
  const by = byOf(event);
  const countsOn = () => dayOf(dated(event));
  if (time < row.first_at) {
    row.first_at = time;
    if (row.started_at === null) row.day = countsOn();
  } else if (time === row.first_at && row.started_at === null) row.day = Math.min(row.day, countsOn());
  switch (event.type) {
    case 'invocation.started':
      if (row.started_at === null || before(time, by, row.started_at, row.started_by!)) {
        row.started_at = time;
        row.started_by = by;
        row.day = countsOn();
        row.task = text(data['task']);
        row.task_kind = text(data['taskKind']);
        row.surface = text(data['surface']);
        row.initiative = text(data['initiative']);
        row.started_model = text(data['model']);
        row.started_release = text(data['release']);
      }
      break;
    case 'result.shown':
      if (row.shown_by === null || before(time, by, row.shown_at!, row.shown_by)) {
        row.shown_at = time;
        row.shown_by = by;
        row.options = number(data['options']);
        row.first_ms = number(data['firstMs']);
        row.latency_ms = number(data['latencyMs']);
        row.confidence = number(data['confidence']);
        row.shown_model = text(data['model']);
        row.shown_release = text(data['release']);
      }
      break;
    case 'result.accepted':
    case 'result.overridden':
      impliedShown(row, time);
      if (row.decided_at === null || before(row.decided_at, row.decided_by!, time, by)) {
        row.decided_at = time;
        row.decided_by = by;
        row.decided_day = countsOn();
        row.decision = event.type === 'result.accepted' ? 'accepted' : 'overridden';
        row.option = number(data['option']);
        row.changed = number(data['changed']);
        row.reason = text(data['reason']);
        row.dwell_ms = number(data['dwellMs']);
        row.actor = event.actor;
      }
      break;
    case 'decision.withdrawn':
      if (row.withdrawn_at === null || before(row.withdrawn_at, row.withdrawn_by!, time, by)) {
        row.withdrawn_at = time;
        row.withdrawn_by = by;
      }
      break;
    case 'result.abandoned':
      impliedShown(row, time);
      if (row.abandoned_at === null || before(row.abandoned_at, row.abandoned_by!, time, by)) {
        row.abandoned_at = time;
        row.abandoned_by = by;
        row.cause = text(data['cause']);
      }
      break;
    case 'invocation.failed':
      if (row.failed_at === null || before(time, by, row.failed_at, row.failed_by!)) {
        row.failed_at = time;
        row.failed_by = by;
        row.error = text(data['error']);
      }
      break;
    case 'result.rechecked':
      mergeRecheck(row, data['afterDays'] as number, time, by, data['kept'] as number);
      break;
    case 'truth.established':
      if (row.truth_at === null || before(row.truth_at, row.truth_by!, time, by)) {
        row.truth_at = time;
        row.truth_by = by;
        row.ai_right = data['aiRight'] as boolean;
        row.first_right = flag(data['firstRight']);
        row.final_right = flag(data['finalRight']);
        row.sampled_with = number(data['sampledWith']);
      }
      break;
  }
  row.status = statusOf(row);
  row.revised_at = Math.max(row.revised_at, event.received);
}

/** After how many days it is asked what is left of an accepted result. */
export const HORIZONS = [1, 7, 30] as const;
type Recheck = [afterDays: number, time: number, by: string, kept: number];

/** For each horizon, of the rechecks after so many days or fewer that after the most days stands, of several the latest. */
function mergeRecheck(row: Invocation, afterDays: number, time: number, by: string, kept: number): void {
  const standing = row.rechecks === null ? {} : (JSON.parse(row.rechecks) as Record<string, Recheck>);
  for (const horizon of HORIZONS) {
    if (afterDays > horizon) continue;
    const other = standing[horizon];
    if (!other || other[0] < afterDays || (other[0] === afterDays && before(other[1], other[2], time, by))) standing[horizon] = [afterDays, time, by, kept];
  }
  if (Object.keys(standing).length > 0) row.rechecks = JSON.stringify(standing); // whole numbers as keys: always in the same order
}

/** By horizon, what is known to be left of the result. */
export function keptAfter({ rechecks }: Pick<Invocation, 'rechecks'>): { horizon: (typeof HORIZONS)[number]; kept: number }[] {
  if (rechecks === null) return [];
  const standing = JSON.parse(rechecks) as Record<string, Recheck>;
  return HORIZONS.flatMap((horizon) => (standing[horizon] ? [{ horizon, kept: standing[horizon][3] }] : []));
}

/** How long the decision that stands took, in milliseconds, where the host told when the result was shown and its clocks agree. */
export function decisionMs(row: Invocation): number | null {
  if (row.decided_at === null || row.shown_by === null || row.decided_at < row.shown_at!) return null;
  return (row.decided_at - row.shown_at!) / 1000;
}

function impliedShown(row: Invocation, time: number): void {
  if (row.shown_by === null && (row.shown_at === null || time < row.shown_at)) row.shown_at = time;
}

function statusOf(row: Invocation): Status {
  const decided =
    row.decided_at !== null &&
    (row.withdrawn_at === null || before(row.withdrawn_at, row.withdrawn_by!, row.decided_at, row.decided_by!));
  if (decided) return row.decision!;
  if (row.abandoned_at !== null) return 'abandoned';
  return row.shown_at === null ? 'unseen' : 'undecided';
}

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const flag = (value: unknown): boolean | null => (typeof value === 'boolean' ? value : null);
const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
