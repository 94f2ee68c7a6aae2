/**
 * A second opinion on the metrics of adoption and trust, worked out from a plain list of events and a roster, slowly and
 * obviously: here active people, coverage, acceptance, override and abandonment; the others in people.ts, weeks.ts and
 * quality.ts. What happened is worked out in facts.ts, rows are made in rows.ts.
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
 *   coverage by the dimensions of an invocation but task kind, and a deployment that is not registered.
 * - Means of people carry the sum of the people's shares as numerator and the number of people as denominator.
 * - Without completeThrough nothing that rests on elapsed time (pending, soft, confirmed, all) has a value or a
 *   numerator, in empty buckets neither.
 */
import { changeOf, concentration, shareActivated, activeOfEnabled, enabledPeople, growth, initiative, stickiness } from './people.js';
import { calibration, decisionTime, edits, feedback, judged, kept, reliance, verbatim } from './quality.js';
import { compare, text, worldOf, type Activity, type HistoryEvent, type Invocation, type Registration, type Task, type World } from './facts.js';
import { bucketsOf, ends, groupsOf, meanOfPeople, ratio, rowsOf, type Figure, type OracleRow, type Question } from './rows.js';
import { habit, reach, retention, survival } from './weeks.js';

export { type HistoryEvent, type Period, type Registration } from './facts.js';
export { type OracleRow, type Question } from './rows.js';

/** Those that ask nothing but events. */
export const METRICS = ['adoption.active_people', 'adoption.coverage', 'trust.acceptance', 'trust.override', 'trust.abandonment'] as const;

const CAUSES = ['dismissed', 'navigated', 'stopped', 'timed-out', 'worked-around'];
const UNDECIDED = ['pending', 'soft', 'confirmed'];
const WINDOW = 24 * 60 * 60 * 1_000_000;

const ANSWERS: Record<string, (world: World, question: Question) => OracleRow[]> = {
  'adoption.active_people': ({ activities }, question) => activePeople(activities, question),
  'adoption.coverage': ({ tasks }, question) => coverage(tasks, question),
  'trust.acceptance': ({ invocations }, question) => trust(invocations, question),
  'trust.override': ({ invocations }, question) => trust(invocations, question),
  'trust.abandonment': ({ invocations }, question) => trust(invocations, question),
  'adoption.enabled': enabledPeople,
  'adoption.activated': shareActivated,
  'adoption.rate': activeOfEnabled,
  'adoption.stickiness': stickiness,
  'adoption.growth': growth,
  'adoption.concentration': concentration,
  'adoption.decomposition': changeOf,
  'adoption.initiative': initiative,
  'adoption.habit': habit,
  'adoption.reach': reach,
  'adoption.retention': retention,
  'adoption.survival': survival,
  'trust.verbatim': verbatim,
  'trust.edits': edits,
  'trust.kept': kept,
  'trust.decision_time': decisionTime,
  'trust.over_reliance': judged,
  'trust.under_reliance': judged,
  'trust.override_correctness': judged,
  'trust.discrimination': judged,
  'trust.reliance': reliance,
  'trust.calibration': calibration,
  'trust.feedback': feedback,
};
export const ANSWERED = Object.keys(ANSWERS);

export function answer(history: HistoryEvent[], registrations: Registration[], question: Question): OracleRow[] {
  const registration = registrations.find((one) => one.id === question.deployment);
  if (registration === undefined) throw new Error(`deployment ${question.deployment} is not registered`);
  return answerOf(worldOf(history, registration, question.completeThrough), question);
}

/** For many questions about one world. */
export function answerOf(world: World, question: Question): OracleRow[] {
  const metric = ANSWERS[question.metric];
  if (metric === undefined) throw new Error(`${question.metric} is not known here`);
  return metric(world, question);
}

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

function coverage(tasks: Task[], question: Question): OracleRow[] {
  if (question.by.some((dimension) => ['surface', 'initiative', 'model', 'release'].includes(dimension))) {
    throw new Error('adoption.coverage is broken down by task_kind only, and by team, role, stage and handoff_week');
  }
  const eligible = tasks.filter((task) => task.eligible);
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
