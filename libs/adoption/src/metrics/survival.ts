/** How long people go on using it. */
import { kaplanMeier, medianSurvival, type Lives } from '@foothold/statistics';
import { beginning } from './behind.js';
import { LEAST_PEOPLE, type Figure, type Metric } from './metric.js';
import { UNKNOWN } from './ratio.js';
import { firstUse, personWeeks, type PersonWeeks } from './weeks.js';

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
      survival: `the share who go on for more than ${TOLD} weeks, or, by week, for more than so many`, standard_error: 'its standard error, by Greenwood',
      median: 'in weeks: half of the people go on for longer; none where more than half still do; not told by week',
    },
    grains: ['all'],
    dimensions: ['week'],
    minimum: LEAST_PEOPLE,
    watchOut: 'Of people who first used it in the range, and only of those who ever did. Who was last seen fewer than four of their weeks ago counts for as long as they could be seen: nobody’s end is guessed. Weeks are each person’s own, so holidays end nothing.',
    version: 1,
  },
  behind: { '': beginning('use', firstUse) },
  async figures(asking) {
    const weeks = await personWeeks(asking);
    const first = [...(await firstUse(asking))];
    return asking.periods.flatMap(({ from, to }, period): Figure[] => {
      const cohort = first.filter(([, day]) => from <= day && day <= to).map(([person]) => weeks.get(person));
      const lives = cohort.flatMap((of) => (of && of.active.length > 0 ? [lifeOf(of)] : []));
      const steps = kaplanMeier(lives);
      const longest = Math.max(0, ...lives.map(({ time }) => time));
      const of = { period, denominator: lives.length, people: lives.length };
      const told = (week: number, by: string[]): Figure[] => {
        const step = steps.filter(({ time }) => time <= week).at(-1);
        const numerator = lives.filter(({ time, ended }) => ended > 0 && time <= week).length;
        if (lives.length === 0 || (longest < week && (step?.survival ?? 1) > 0)) return ['survival', 'standard_error'].map((variant) => ({ ...of, by, variant, ...UNKNOWN, numerator }));
        return [
          { ...of, by, variant: 'survival', numerator, value: step?.survival ?? 1, low: step?.low ?? null, high: step?.high ?? null },
          { ...of, by, variant: 'standard_error', numerator, value: step ? step.standardError : 0, low: null, high: null },
        ];
      };
      if (asking.by.length > 0) return lives.length === 0 ? [] : Array.from({ length: TOLD }, (_, i) => told(i + 1, [String(i + 1)])).flat();
      const { median, low, high } = medianSurvival(steps);
      return [...told(TOLD, []), { ...of, by: [], variant: 'median', numerator: lives.filter(({ ended }) => ended > 0).length, value: median, low, high }];
    });
  },
};

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
