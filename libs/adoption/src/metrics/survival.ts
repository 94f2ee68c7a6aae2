/** How long people go on using it. */
import { kaplanMeier, medianSurvival, type Lives, type SurvivalStep } from '@foothold/statistics';
import { LEAST_PEOPLE, type Figure, type Metric } from './metric.js';
import { personWeeks, type PersonWeeks } from './weeks.js';

/** Weeks in a row without activity, of those in which a person could have, after which use has ended. */
const SILENT = 4;
/** Weeks after which the share that goes on is told. */
const TOLD = 26;

export const survival: Metric = {
  declaration: {
    id: 'adoption.survival',
    question: 'How long do people go on using it?',
    formula: 'Kaplan-Meier over the weeks from a person’s first active week; use ends with the last active week before four exposed weeks in a row without activity',
    unit: 'ratio',
    variants: {
      survival: `the share who go on for more than ${TOLD} weeks`, standard_error: 'its standard error, by Greenwood',
      median: 'in weeks: half of the people go on for longer; none where more than half still do',
    },
    grains: ['all'],
    dimensions: [],
    minimum: LEAST_PEOPLE,
    watchOut: 'Of people who first used it in the range, and only of those who ever did. Who was last seen fewer than four of their weeks ago counts for as long as they could be seen: nobody’s end is guessed. Weeks are each person’s own, so holidays end nothing.',
    version: 1,
  },
  async figures(asking) {
    const weeks = await personWeeks(asking);
    const first = await asking.query<{ person: string; day: number }>(
      `select person::text, (min(day) - '1970-01-01'::date)::int as day from person_day_sum where deployment = $1 and active_accepted + active_overridden > 0 group by person`, [asking.subject.deployment]);
    return asking.periods.flatMap(({ from, to }, period): Figure[] => {
      const cohort = first.filter(({ day }) => from <= day && day <= to).map(({ person }) => weeks.get(person));
      const lives = cohort.flatMap((of) => (of && of.active.length > 0 ? [lifeOf(of)] : []));
      const steps = kaplanMeier(lives);
      const people = lives.length;
      const reached = stepAt(steps, TOLD);
      const unknown = people === 0 || (Math.max(...lives.map(({ time }) => time)) < TOLD && (reached?.survival ?? 1) > 0);
      const ended = lives.filter(({ time, ended: so }) => so > 0 && time <= TOLD).length;
      const of = { period, by: [], denominator: people, people };
      const { median, low, high } = medianSurvival(steps);
      return [
        { ...of, variant: 'survival', numerator: ended, ...(unknown ? { value: null, low: null, high: null } : { value: reached?.survival ?? 1, low: reached?.low ?? null, high: reached?.high ?? null }) },
        { ...of, variant: 'standard_error', numerator: ended, value: unknown ? null : reached ? reached.standardError : 0, low: null, high: null },
        { ...of, variant: 'median', numerator: lives.filter(({ ended: so }) => so > 0).length, value: median, low, high },
      ];
    });
  },
};

const stepAt = (steps: readonly SurvivalStep[], time: number): SurvivalStep | undefined => steps.filter((step) => step.time <= time).at(-1);

/** How many of their weeks, active or exposed, a person's use lasted, or has lasted so far. */
function lifeOf({ active, exposed }: PersonWeeks): Lives {
  let end = active.at(-1)!;
  let over = false;
  for (const [i, week] of active.entries()) {
    const next = active[i + 1] ?? Infinity;
    if (exposed.filter((one) => one > week && one < next).length < SILENT) continue;
    [end, over] = [week, true];
    break;
  }
  const lasted = new Set([...active, ...exposed].filter((week) => active[0]! <= week && week <= end)).size;
  return { time: lasted, ended: over ? 1 : 0, censored: over ? 0 : 1 };
}
