/**
 * From a plain list of events, a roster and a calendar to what happened: invocations, tasks, activity, feedback, and who
 * was enabled when. The first part of the oracle (see oracle.ts, which says what it takes the definitions to mean).
 */
import { dayNumber, localDay, mondayOf } from './days.js';

export interface HistoryEvent {
  id: string;
  source: string;
  /** The event's name without prefix and version: `invocation.started`. */
  type: string;
  /** Microseconds since the epoch, an integer. */
  time: number;
  deployment: string;
  person: string;
  /** Somebody other than the subject who acted. */
  actor: string | null;
  data: Record<string, unknown>;
}

/** Local days, YYYY-MM-DD, both included; `to` null: until further notice. Leave lies over enabled periods. */
export interface Period { team: string; role: string; from: string; to: string | null; leave: boolean }

export interface Registration {
  id: string;
  timeZone: string;
  /** null: every kind is eligible. */
  taskKinds: string[] | null;
  handoff?: string | null;
  /** By person; left out or empty: the deployment has no roster. */
  roster?: Record<string, readonly Period[]>;
  closures?: readonly { from: string; to: string }[];
}

export type Dimensions = Record<string, string | null>;
/** Days are local and counted from 1970-01-01. */
export type Fact = { day: number; person: string; dimensions: Dimensions };
/** `decision` is the one that stands. */
export type Invocation = Fact & {
  task: string | null; shownAt: number | null; decision: HistoryEvent | null;
  /** Of the latest explicit abandonment. */
  cause: string | null;
  started: boolean;
  /** The earliest that was told, not one that a decision implies. */
  shown: HistoryEvent | null;
  /** In order. */
  rechecks: HistoryEvent[];
  /** The latest that was established. */
  truth: HistoryEvent | null;
};
export type Task = Fact & { state: 'used' | 'consulted' | 'none'; conflict: boolean; eligible: boolean };
export type Activity = Fact & { accepted: boolean; voluntary: boolean };
export type Feedback = Fact & { score: number };

/** Where a person stands on a day: `rostered` in an enabled period, whose team and role they have; `enabled` if not on leave then. */
export interface Standing { rostered: boolean; enabled: boolean; team: string | null; role: string | null }

export interface World {
  invocations: Invocation[];
  activities: Activity[];
  tasks: Task[];
  feedback: Feedback[];
  /** Everything that is counted, on its day, of its person. */
  counted: Fact[];
  /** null: there is none. */
  roster: Map<string, readonly Period[]> | null;
  standing: (person: string, day: number) => Standing;
  handoff: number | null;
  /** The last whole complete day; null: none. */
  lastWhole: number | null;
  isWorkingDay: (day: number) => boolean;
}

const ABOUT_AN_INVOCATION = [
  'invocation.started', 'invocation.failed', 'result.shown', 'result.accepted', 'result.overridden',
  'result.abandoned', 'decision.withdrawn', 'result.rechecked', 'truth.established',
];

export function worldOf(history: HistoryEvent[], registration: Registration, completeThrough: number | null): World {
  const { id, timeZone, taskKinds } = registration;
  const handoff = registration.handoff == null ? null : dayNumber(registration.handoff);
  const roster = Object.values(registration.roster ?? {}).some((periods) => periods.length > 0) ? new Map(Object.entries(registration.roster ?? {})) : null;
  const closures = (registration.closures ?? []).map(({ from, to }) => ({ from: dayNumber(from), to: dayNumber(to) }));
  const standing = (person: string, day: number): Standing => standingOf(roster?.get(person) ?? [], day);

  /** With what the roster and the handoff say of its person and its day. */
  const dated = <F extends Fact>(fact: F): F => {
    const { team, role } = standing(fact.person, fact.day);
    const stage = handoff === null || fact.day < handoff ? 'pilot' : 'production';
    const week = handoff === null ? null : String((mondayOf(fact.day) - mondayOf(handoff)) / 7);
    return { ...fact, dimensions: { ...fact.dimensions, team, role, stage, handoff_week: week } };
  };

  const events = inOrder(withoutCopies(history)).filter((event) => event.deployment === id);
  const invocations = invocationsOf(events, timeZone).map(dated);
  const activities = activitiesOf(invocations, timeZone).map(dated);
  const tasks = tasksOf(events, invocations, taskKinds, timeZone).map(dated);
  const feedback = events.filter(({ type }) => type === 'feedback.given').map((event): Feedback =>
    dated({ day: localDay(event.time, timeZone), person: event.person, dimensions: {}, score: Number(event.data['score']) }));
  return {
    invocations, activities, tasks, feedback, roster, standing, handoff,
    counted: [...invocations, ...activities, ...tasks, ...feedback],
    lastWhole: completeThrough === null ? null : localDay(completeThrough, timeZone) - 1,
    isWorkingDay: (day) => day - mondayOf(day) < 5 && !closures.some(({ from, to }) => from <= day && day <= to),
  };
}

export const covers = ({ from, to }: Period, day: number): boolean => dayNumber(from) <= day && (to === null || day <= dayNumber(to));

function standingOf(periods: readonly Period[], day: number): Standing {
  const period = periods.find((one) => !one.leave && covers(one, day));
  if (period === undefined) return { rostered: false, enabled: false, team: null, role: null };
  const onLeave = periods.some((one) => one.leave && covers(one, day));
  return { rostered: true, enabled: !onLeave, team: period.team || null, role: period.role || null };
}

function withoutCopies(history: HistoryEvent[]): HistoryEvent[] {
  return groupedBy(history, ({ source, id }) => [source, id]).flatMap(({ all }) => all.slice(0, 1));
}

function inOrder(events: HistoryEvent[]): HistoryEvent[] {
  return [...events].sort((a, b) => a.time - b.time || compare(a.id, b.id) || compare(a.source, b.source));
}

/** `events` are in order, and so is every list made of them here. */
function invocationsOf(events: HistoryEvent[], timeZone: string): Invocation[] {
  const told = events.filter(({ type, data }) => ABOUT_AN_INVOCATION.includes(type) && text(data['invocation']) !== null);
  const stories = groupedBy(told, ({ person, data }) => [person, data['invocation']]);
  return stories.map(({ all }) => invocationOf(all, timeZone));
}

function invocationOf(about: HistoryEvent[], timeZone: string): Invocation {
  const started = about.find((event) => event.type === 'invocation.started');
  const shown = about.find((event) => event.type === 'result.shown');
  const implied = about.find((event) => isDecision(event) || event.type === 'result.abandoned');
  const dated = started ?? about[0];
  if (dated === undefined) throw new Error('an invocation without events');

  let decision: HistoryEvent | null = null;
  let cause: string | null = null;
  for (const event of about) {
    if (isDecision(event)) decision = event;
    if (event.type === 'decision.withdrawn') decision = null;
    if (event.type === 'result.abandoned') cause = text(event.data['cause']);
  }
  return {
    day: localDay(dated.time, timeZone),
    person: dated.person,
    dimensions: {
      task_kind: text(started?.data['taskKind']),
      surface: text(started?.data['surface']),
      initiative: text(started?.data['initiative']),
      model: text(shown?.data['model']) ?? text(started?.data['model']),
      release: text(shown?.data['release']) ?? text(started?.data['release']),
    },
    task: text(started?.data['task']),
    shownAt: (shown ?? implied)?.time ?? null,
    decision,
    cause,
    started: started !== undefined,
    shown: shown ?? null,
    rechecks: about.filter((event) => event.type === 'result.rechecked'),
    truth: about.findLast((event) => event.type === 'truth.established') ?? null,
  };
}

function activitiesOf(invocations: Invocation[], timeZone: string): Activity[] {
  return invocations.flatMap(({ decision, dimensions }) => decision === null ? [] : [{
    day: localDay(decision.time, timeZone),
    person: decision.actor ?? decision.person,
    dimensions,
    accepted: decision.type === 'result.accepted',
    voluntary: dimensions['initiative'] === 'person',
  }]);
}

function tasksOf(events: HistoryEvent[], invocations: Invocation[], taskKinds: string[] | null, timeZone: string): Task[] {
  const completions = events.filter(({ type, data }) => type === 'task.completed' && text(data['task']) !== null);
  const latest = new Map(completions.map((event) => [JSON.stringify([event.person, event.data['task']]), event]));
  const naming = new Map(groupedBy(invocations, ({ person, task }) => [person, task]).map(({ key, all }) => [key, all]));

  return [...latest].map(([key, completed]): Task => {
    const own = naming.get(key) ?? [];
    const flag = completed.data['aided'];
    let state: Task['state'] = 'none';
    if (own.length === 0 && flag === true) state = 'used';
    if (own.some((invocation) => invocation.shownAt !== null)) state = 'consulted';
    if (own.some((invocation) => invocation.decision !== null)) state = 'used';
    const kind = text(completed.data['taskKind']);
    return {
      day: localDay(completed.time, timeZone),
      person: completed.person,
      dimensions: { task_kind: kind },
      state,
      conflict: own.length > 0 && typeof flag === 'boolean' && flag !== (state === 'used'),
      eligible: taskKinds === null || (kind !== null && taskKinds.includes(kind)),
    };
  });
}

/** In the order met; the key is written as JSON. */
export function groupedBy<T>(items: T[], keyOf: (item: T) => unknown): { key: string; all: T[] }[] {
  const groups = new Map<string, { key: string; all: T[] }>();
  for (const item of items) {
    const key = JSON.stringify(keyOf(item));
    const group = groups.get(key) ?? { key, all: [] };
    group.all.push(item);
    groups.set(key, group);
  }
  return [...groups.values()];
}

const isDecision = ({ type }: HistoryEvent): boolean => type === 'result.accepted' || type === 'result.overridden';
export const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
export const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
