/** Why there were more decisions than before, or fewer. */
import { decomposeProduct, type Factor } from '@foothold/statistics';
import { dayText } from '../local-day.js';
import { hasRoster, spansOf } from './as-of.js';
import { counted } from './behind.js';
import { personDays } from './cut.js';
import { LEAST_PEOPLE, type Asking, type Figure, type Metric, type Period } from './metric.js';

const FACTORS = {
  people: 'people enabled on any day of the range; without a roster, people with anything counted',
  tasks_per_person: 'completed eligible tasks for each of them',
  coverage: 'of these tasks, the share that was done with it',
  results_per_aided_task: 'results shown for each of those',
  decided_per_shown: 'of the results shown, the share that was decided',
};
type Name = keyof typeof FACTORS;

export const decomposition: Metric = {
  declaration: {
    id: 'adoption.decomposition',
    question: 'Why are there more decisions than before, or fewer?',
    formula: 'decisions = people x tasks per person x coverage x results per aided task x decided per shown; the change from the range of the same length just before, split over the five by Shapley’s value: together they are the change, exactly',
    unit: 'decisions',
    variants: {
      ...Object.fromEntries(Object.entries(FACTORS).map(([name, says]) => [name, `what the change of this adds: ${says}; numerator and denominator are the factor in the range and before`])),
      decisions: 'the change itself; numerator and denominator are the decisions in the range and before',
    },
    grains: ['all'],
    dimensions: [],
    minimum: LEAST_PEOPLE,
    watchOut: 'Fewer tasks is not decay. Decisions on results beside any task count in results per aided task. Where a factor fell to nothing the others say little: the notes name it. Compare ranges of like weeks: a range with July in it against one without is a comparison of holidays.',
    version: 1,
  },
  behind: { '': counted('accepted', 'overridden') },
  before: true,
  async figures(asking) {
    const [{ from, to }] = asking.periods as [Period];
    const length = to - from + 1;
    const now = await countsOf(asking, { from, to });
    const before = await countsOf(asking, { from: from - length, to: from - 1 });
    const [factorsNow, factorsBefore] = [factorsOf(now), factorsOf(before)];
    const factors = (Object.keys(FACTORS) as Name[]).map((name): Factor<Name> => ({ name, before: factorsBefore[name], after: factorsNow[name] }));
    // Decisions without a single aided task are no product of these factors.
    const whole = isProduct(factorsNow, now.decided) && isProduct(factorsBefore, before.decided);
    const split = whole ? decomposeProduct(factors) : null;
    if (!whole) asking.notes.push('decisions cannot be split: there were some, and no task that was done with it');
    if (split) for (const name of split.fellToZero) asking.notes.push(`${name} fell to zero: there are no decisions without it, whatever the others did`);
    const of = { period: 0, by: [], low: null, high: null, people: now.behind };
    return [
      ...factors.map(({ name, before: was, after }): Figure => ({ ...of, variant: name, value: split?.contributions.find((one) => one.name === name)!.contribution ?? null, numerator: after, denominator: was })),
      { ...of, variant: 'decisions', value: now.decided - before.decided, numerator: now.decided, denominator: before.decided },
    ];
  },
};

interface Counts {
  /** Enabled; without a roster, of whom anything is counted. */
  people: number;
  /** Of whom anything is counted, too. */
  behind: number;
  tasks: number;
  used: number;
  shown: number;
  decided: number;
}
type Factors = Record<Name, number | null>;

function factorsOf({ people, tasks, used, shown, decided }: Counts): Factors {
  const per = (part: number, whole: number) => (whole === 0 ? null : part / whole);
  return { people, tasks_per_person: per(tasks, people), coverage: per(used, tasks), results_per_aided_task: per(shown, used), decided_per_shown: per(decided, shown) };
}

const isProduct = (factors: Factors, decided: number): boolean => Object.values(factors).every((factor) => factor !== null && factor > 0) === decided > 0;

async function countsOf(asking: Asking, period: Period): Promise<Counts> {
  const { query, subject } = asking;
  const kinds = subject.registration.taskKinds;
  const eligible = kinds === null ? '' : 'filter (where d.task_kind = any($4))';
  const [row] = await query<Omit<Counts, 'people' | 'behind'> & { named: number }>(
    `select coalesce(sum(tasks), 0)::float8 as tasks, coalesce(sum(used), 0)::float8 as used, coalesce(sum(shown), 0)::float8 as shown, coalesce(sum(decided), 0)::float8 as decided, count(*)::int as named
       from (select sum(d.tasks) ${eligible} as tasks, sum(d.tasks_used) ${eligible} as used, sum(d.shown) as shown, sum(d.accepted + d.overridden) as decided
               from ${personDays(asking, kinds !== null)} where d.deployment = $1 and d.day between $2::date and $3::date group by d.person) of_person`,
    [subject.deployment, dayText(period.from), dayText(period.to), ...(kinds === null ? [] : [kinds])]);
  const { named, ...counts } = row!;
  if (!(await hasRoster(asking))) return { ...counts, people: named, behind: named };
  const enabled = new Set((await spansOf({ ...asking, periods: [period] })).map(({ person }) => person));
  const behind = new Set(enabled);
  for (const { columns: [people] } of await asking.held.days(period)) for (const place of people!) behind.add(asking.held.people[place]!);
  return { ...counts, people: enabled.size, behind: behind.size };
}
