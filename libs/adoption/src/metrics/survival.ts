/** How long people go on using it. */
import { kaplanMeier, medianSurvival, type Lives } from '@foothold/statistics';
import { beginning } from './behind.js';
import { LEAST_PEOPLE, type Figure, type Metric } from './metric.js';
import { UNKNOWN } from './ratio.js';
import { grouped, periodOn } from './teams.js';
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
    dimensions: ['team', 'role', 'week'],
    minimum: LEAST_PEOPLE,
    watchOut: 'Of people who first used it in the range, and only of those who ever did. Who was last seen fewer than four of their weeks ago counts for as long as they could be seen: nobody’s end is guessed. Weeks are each person’s own, so holidays end nothing. Team and role are those of the day of first use: who moves takes what follows along.',
    version: 1,
  },
  // Each person is in one team, for good, and began on one day: numerators and denominators of teams add up to those of all, and
  // those of days to those of a range, so they are told as sums are: on the grid, and teams beside roles. The curve does not add
  // up, but follows from numbers of the same people that do.
  behind: { '': { ...beginning('use', firstUse), placed: true } },
  async figures(asking) {
    const { by } = asking;
    const weeks = await personWeeks(asking);
    const first = [...(await firstUse(asking))];
    const roster = by.some((dimension) => dimension !== 'week') ? (await asking.held.roster()).enabled : null;
    return asking.periods.flatMap(({ from, to }, period): Figure[] => {
      const cohort = first.filter(([person, day]) => from <= day && day <= to && (weeks.get(person)?.active.length ?? 0) > 0);
      return grouped(cohort, roster ? by : [], ([person, day]) => periodOn(roster?.get(person), day)).flatMap(([place, members]): Figure[] => {
        const lives = members.map(([person]) => lifeOf(weeks.get(person)!));
        if (by.length > 0 && lives.length === 0) return [];
        const steps = kaplanMeier(lives);
        const longest = Math.max(0, ...lives.map(({ time }) => time));
        const of = { period, by: place, denominator: lives.length, people: lives.length };
        const told = (week: number, values = place): Figure[] => {
          const step = steps.filter(({ time }) => time <= week).at(-1);
          const numerator = lives.filter(({ time, ended }) => ended > 0 && time <= week).length;
          const at = { ...of, by: values, numerator };
          if (lives.length === 0 || (longest < week && (step?.survival ?? 1) > 0)) return ['survival', 'standard_error'].map((variant) => ({ ...at, ...UNKNOWN, variant, numerator }));
          return [
            { ...at, variant: 'survival', value: step?.survival ?? 1, low: step?.low ?? null, high: step?.high ?? null },
            { ...at, variant: 'standard_error', value: step ? step.standardError : 0, low: null, high: null },
          ];
        };
        if (by.includes('week')) return Array.from({ length: TOLD }, (_, i) => told(i + 1, place.toSpliced(by.indexOf('week'), 0, String(i + 1)))).flat();
        const { median, low, high } = medianSurvival(steps);
        return [...told(TOLD), { ...of, variant: 'median', numerator: lives.filter(({ ended }) => ended > 0).length, value: median, low, high }];
      });
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
