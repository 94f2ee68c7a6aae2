/**
 * A second opinion on five metrics: adoption.active_people, adoption.coverage, trust.acceptance, trust.override and
 * trust.abandonment, worked out from a plain list of events, slowly and obviously.
 *
 * It was written from the documents' definitions by someone who had not read the projections, and it must stay that
 * way: where it and the product differ, decide from the definitions which one is wrong, and never copy code or ideas
 * from the product into this file. It imports nothing of ours.
 *
 * What it takes the definitions to mean where they leave a choice:
 * - The same source and id is the same event; the first copy met stands. Order everywhere is (time, id, source).
 * - An invocation is (deployment, person, invocation id), the person being the subject of the events about it. Its day
 *   is its earliest started event's, else that of the earliest event about it.
 * - A task is (deployment, person, task id), likewise: a person's story is told from that person's events alone. For
 *   the same reason only the person's own invocations can silence the host's flag. The task lies on the local day, and
 *   has the kind and the flag, of its latest completion.
 * - The host's flag says `used` when true and `none` when false, so it conflicts with the invocations that name the
 *   task when exactly one of the two says `used`. `consulted` together with a true flag is a conflict.
 * - A withdrawn decision is no decision: its task is consulted, its invocation shown and undecided.
 * - What is shown and not decided is explicitly abandoned, by the latest cause, or else undecided: pending, soft or
 *   confirmed, with the window at its cap, as none is learned here. Abandoned in `all` is all of it that is not pending.
 * - Range not given: from the first to the last local day among the facts of the metric: for trust every invocation
 *   (shown or not), for active people every day with a standing decision, for coverage every completed task (eligible
 *   or not). One end given: only the other is filled in. No facts and no range: no rows.
 * - Active people has the grains day and week, in all nine variants; a week's figure is that of its last day in the
 *   range, also for the variants that look at one day only. Other grains are refused (an error is thrown), and so are
 *   coverage by anything but task kind and a deployment that is not registered.
 * - Means of people carry the sum of the people's shares as numerator and the number of people as denominator.
 * - Without completeThrough nothing that rests on elapsed time (pending, soft, confirmed, all) has a value or a
 *   numerator, in empty buckets neither.
 */

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

export interface Registration {
  id: string;
  timeZone: string;
  /** null: every kind is eligible. */
  taskKinds: string[] | null;
}

/** What it works out. */
export const METRICS = ['adoption.active_people', 'adoption.coverage', 'trust.acceptance', 'trust.override', 'trust.abandonment'] as const;

export interface Question {
  deployment: string;
  metric: (typeof METRICS)[number];
  grain: 'day' | 'week' | 'month' | 'all';
  /** Local days, YYYY-MM-DD, both included. */
  from?: string;
  to?: string;
  by: readonly ('task_kind' | 'surface' | 'initiative' | 'model' | 'release')[];
  /** Microseconds since the epoch. */
  completeThrough: number | null;
}

export interface OracleRow {
  from: string;
  to: string;
  by: Record<string, string | null>;
  variant: string;
  value: number | null;
  numerator: number | null;
  denominator: number | null;
  people: number;
}

type Figure = Omit<OracleRow, 'from' | 'to' | 'by'>;
type Dimensions = Record<string, string | null>;
/** Days are local and counted from 1970-01-01; both ends of a bucket belong to it. */
type Bucket = { from: number; to: number };
type Fact = { day: number; person: string; dimensions: Dimensions };
/** `decision` is the one that stands. */
type Invocation = Fact & {
  task: string | null; shownAt: number | null; decision: HistoryEvent | null;
  /** Of the latest explicit abandonment. */
  cause: string | null;
};
type Task = Fact & { state: 'used' | 'consulted' | 'none'; conflict: boolean };
type Activity = Fact & { accepted: boolean; voluntary: boolean };

const ABOUT_AN_INVOCATION = [
  'invocation.started', 'invocation.failed', 'result.shown', 'result.accepted', 'result.overridden',
  'result.abandoned', 'decision.withdrawn', 'result.rechecked', 'truth.established',
];
const CAUSES = ['dismissed', 'navigated', 'stopped', 'timed-out', 'worked-around'];
const UNDECIDED = ['pending', 'soft', 'confirmed'];
const WINDOW = 24 * 60 * 60 * 1_000_000;
const DAY_MS = 24 * 60 * 60 * 1_000;

export function answer(history: HistoryEvent[], registrations: Registration[], question: Question): OracleRow[] {
  const registration = registrations.find((one) => one.id === question.deployment);
  if (registration === undefined) throw new Error(`deployment ${question.deployment} is not registered`);

  const events = inOrder(withoutCopies(history)).filter((event) => event.deployment === question.deployment);
  const invocations = invocationsOf(events, registration.timeZone);
  if (question.metric === 'adoption.active_people') {
    return activePeople(activitiesOf(invocations, registration.timeZone), question);
  }
  if (question.metric === 'adoption.coverage') {
    return coverage(tasksOf(events, invocations, registration.timeZone), registration.taskKinds, question);
  }
  return trust(invocations, question);
}

// From events to facts

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

function tasksOf(events: HistoryEvent[], invocations: Invocation[], timeZone: string): Task[] {
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
    return {
      day: localDay(completed.time, timeZone),
      person: completed.person,
      dimensions: { task_kind: text(completed.data['taskKind']) },
      state,
      conflict: own.length > 0 && typeof flag === 'boolean' && flag !== (state === 'used'),
    };
  });
}

// From facts to rows

function activePeople(activities: Activity[], question: Question): OracleRow[] {
  if (question.grain !== 'day' && question.grain !== 'week') {
    throw new Error(`adoption.active_people is not answered by ${question.grain}`);
  }
  const rows: OracleRow[] = [];
  for (const bucket of bucketsOf(question, activities)) {
    const lookedAt = activities.filter((one) => one.day > bucket.to - 28 && one.day <= bucket.to);
    for (const { by, facts } of groupsOf(lookedAt, question.by)) {
      for (const name of ['any', 'accepted', 'voluntary'] as const) {
        for (const days of [1, 7, 28]) {
          const recent = facts.filter((one) => one.day > bucket.to - days);
          const active = recent.filter((one) => name === 'any' || one[name]);
          const people = new Set(active.map((one) => one.person)).size;
          if (people === 0 && question.by.length > 0) continue;
          const variant = days === 1 ? name : `${name}_${String(days)}`;
          rows.push({ ...ends(bucket), by, variant, value: people, numerator: people, denominator: null, people });
        }
      }
    }
  }
  return rows;
}

function coverage(tasks: Task[], taskKinds: string[] | null, question: Question): OracleRow[] {
  if (question.by.some((dimension) => dimension !== 'task_kind')) {
    throw new Error('adoption.coverage is broken down by task_kind only');
  }
  const eligible = tasks.filter((task) => {
    const kind = task.dimensions['task_kind'] ?? null;
    return taskKinds === null || (kind !== null && taskKinds.includes(kind));
  });
  return rowsOf(bucketsOf(question, tasks), eligible, question, (facts) => {
    const used = (task: Task): boolean => task.state === 'used';
    return [
      ratio('pooled', facts, used),
      meanOfPeople('people', facts, used),
      ratio('consulted', facts, (task) => task.state === 'consulted'),
      ratio('conflicts', facts, (task) => task.conflict),
    ];
  });
}

function trust(invocations: Invocation[], question: Question): OracleRow[] {
  const buckets = bucketsOf(question, invocations);
  const accepted = (one: Invocation): boolean => one.decision?.type === 'result.accepted';
  return rowsOf(buckets, invocations, question, (facts) => {
    const shown = facts.filter((one) => one.shownAt !== null);
    const decided = facts.filter((one) => one.decision !== null);
    if (question.metric === 'trust.acceptance') {
      return [
        ratio('shown', shown, accepted),
        ratio('decided', decided, accepted),
        meanOfPeople('people', decided, accepted),
        meanOfPeople('people_shown', shown, accepted),
      ];
    }
    return question.metric === 'trust.override' ? overrides(decided) : abandonment(shown, question.completeThrough);
  });
}

function overrides(decided: Invocation[]): Figure[] {
  const overridden = (one: Invocation): boolean => one.decision?.type === 'result.overridden';
  const reason = (one: Invocation): string => text(one.decision?.data['reason']) ?? 'none';
  const reasons = [...new Set(decided.filter(overridden).map(reason))].sort(compare);
  return [
    ratio('all', decided, overridden),
    ...reasons.map((code) => ratio(code, decided, (one) => overridden(one) && reason(one) === code)),
  ];
}

function abandonment(shown: Invocation[], completeThrough: number | null): Figure[] {
  const fate = (one: Invocation): string => {
    if (one.decision !== null) return 'decided';
    if (one.cause !== null) return one.cause;
    const waited = (completeThrough ?? 0) - (one.shownAt ?? 0);
    if (waited <= WINDOW) return 'pending';
    return waited <= 3 * WINDOW ? 'soft' : 'confirmed';
  };
  const among = (variant: string, fates: string[]): Figure => ratio(variant, shown, (one) => fates.includes(fate(one)));
  const untold = (figure: Figure): Figure =>
    completeThrough === null ? { ...figure, value: null, numerator: null } : figure;
  return [
    ...UNDECIDED.map((name) => untold(among(name, [name]))),
    ...CAUSES.map((name) => among(name, [name])),
    among('undecided', UNDECIDED),
    untold(among('all', [...CAUSES, 'soft', 'confirmed'])),
  ];
}

function rowsOf<F extends Fact>(
  buckets: Bucket[], facts: F[], question: Question, figuresOf: (facts: F[]) => Figure[],
): OracleRow[] {
  const rows: OracleRow[] = [];
  for (const bucket of buckets) {
    const inside = facts.filter((fact) => fact.day >= bucket.from && fact.day <= bucket.to);
    for (const group of groupsOf(inside, question.by)) {
      for (const figure of figuresOf(group.facts)) {
        if (figure.denominator === 0 && question.by.length > 0) continue;
        rows.push({ ...ends(bucket), by: group.by, ...figure });
      }
    }
  }
  return rows;
}

function ratio<F extends Fact>(variant: string, facts: F[], counts: (fact: F) => boolean): Figure {
  const numerator = facts.filter(counts).length;
  const denominator = facts.length;
  const people = new Set(facts.map((fact) => fact.person)).size;
  return { variant, value: denominator === 0 ? null : numerator / denominator, numerator, denominator, people };
}

function meanOfPeople<F extends Fact>(variant: string, facts: F[], counts: (fact: F) => boolean): Figure {
  const people = [...new Set(facts.map((fact) => fact.person))].sort(compare);
  let sum = 0;
  for (const person of people) {
    sum += ratio(variant, facts.filter((fact) => fact.person === person), counts).value ?? 0;
  }
  const count = people.length;
  return { variant, value: count === 0 ? null : sum / count, numerator: sum, denominator: count, people: count };
}

/** Without dimensions there is always one group, even of nothing. */
function groupsOf<F extends Fact>(facts: F[], dimensions: Question['by']): { by: Dimensions; facts: F[] }[] {
  if (dimensions.length === 0) return [{ by: {}, facts }];
  const valuesOf = (fact: F): Dimensions =>
    Object.fromEntries(dimensions.map((name) => [name, fact.dimensions[name] ?? null]));
  return groupedBy(facts, valuesOf).sort((a, b) => compare(a.key, b.key))
    .map(({ key, all }) => ({ by: JSON.parse(key) as Dimensions, facts: all }));
}

/** In the order met; the key is written as JSON. */
function groupedBy<T>(items: T[], keyOf: (item: T) => unknown): { key: string; all: T[] }[] {
  const groups = new Map<string, { key: string; all: T[] }>();
  for (const item of items) {
    const key = JSON.stringify(keyOf(item));
    const group = groups.get(key) ?? { key, all: [] };
    group.all.push(item);
    groups.set(key, group);
  }
  return [...groups.values()];
}

// Days

function bucketsOf(question: Question, facts: Fact[]): Bucket[] {
  const days = facts.map((fact) => fact.day).sort((a, b) => a - b);
  const first = question.from === undefined ? days[0] : dayNumber(question.from);
  const last = question.to === undefined ? days.at(-1) : dayNumber(question.to);
  if (first === undefined || last === undefined) return [];

  const buckets: Bucket[] = [];
  for (let day = first; day <= last; day += 1) {
    const open = buckets.at(-1);
    if (open !== undefined && !startsBucket(day, question.grain)) open.to = day;
    else buckets.push({ from: day, to: day });
  }
  return buckets;
}

function startsBucket(day: number, grain: Question['grain']): boolean {
  if (grain === 'day') return true;
  if (grain === 'week') return new Date(day * DAY_MS).getUTCDay() === 1;
  if (grain === 'month') return new Date(day * DAY_MS).getUTCDate() === 1;
  return false;
}

const dayNumber = (name: string): number => Date.parse(`${name}T00:00:00Z`) / DAY_MS;
const dayName = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);
const ends = (bucket: Bucket): { from: string; to: string } => ({ from: dayName(bucket.from), to: dayName(bucket.to) });

const zones = new Map<string, { format: Intl.DateTimeFormat; days: Map<number, number> }>();

const calendar = (timeZone: string): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat('en-u-ca-gregory', { timeZone, year: 'numeric', month: 'numeric', day: 'numeric' });

/** The local day of a moment; remembered by the second, within which no zone changes its day. */
function localDay(time: number, timeZone: string): number {
  const zone = zones.get(timeZone) ?? { format: calendar(timeZone), days: new Map<number, number>() };
  zones.set(timeZone, zone);
  const second = Math.floor(time / 1_000_000);
  let day = zone.days.get(second);
  if (day === undefined) {
    const parts = zone.format.formatToParts(new Date(second * 1_000));
    const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value);
    day = Date.UTC(part('year'), part('month') - 1, part('day')) / DAY_MS;
    zone.days.set(second, day);
  }
  return day;
}

const isDecision = ({ type }: HistoryEvent): boolean => type === 'result.accepted' || type === 'result.overridden';
const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
