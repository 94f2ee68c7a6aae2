/** Whether many use it a little or few a lot. */
import { gini, topFifth } from '@foothold/statistics';
import { hasRoster, spansOf } from './as-of.js';
import { counted } from './behind.js';
import { inPeriods, spanOf } from './held.js';
import { LEAST_PEOPLE, type Asking, type Figure, type Metric } from './metric.js';

export const concentration: Metric = {
  declaration: {
    id: 'adoption.concentration',
    question: 'Does it rest on a few people?',
    formula: 'decided results per person, over everybody enabled on any day of the period, those with none included: Gini with n/(n-1), and what the fifth who decide most decide of all',
    unit: 'ratio',
    variants: { gini: '0: all decide equally many, 1: one decides all', top_20: 'decided by the fifth of the people who decide most, of all decided' },
    grains: ['week', 'month', 'all'],
    dimensions: [],
    minimum: LEAST_PEOPLE,
    watchOut: 'Never a list of who they are. Where many never use it, it is high whatever the others do. Without a roster, of people with anything counted: those who never asked are not in it.',
    version: 1,
  },
  behind: { '': counted('accepted', 'overridden') },
  async figures(asking) {
    const amounts = await decisions(asking);
    return amounts.flatMap((of, period): Figure[] => {
      const total = of.reduce((sum, amount) => sum + amount, 0);
      const top = topFifth(of);
      const known = { period, by: [], low: null, high: null, people: of.length };
      return [
        { ...known, variant: 'gini', value: gini(of), numerator: null, denominator: total },
        { ...known, variant: 'top_20', value: top ? top.numerator / top.denominator : null, numerator: top?.numerator ?? 0, denominator: total },
      ];
    });
  },
};

/** By period, results decided by each person: of everybody enabled in it, or, without a roster, of everybody of whom anything is counted. */
async function decisions(asking: Asking): Promise<number[][]> {
  const { held, periods } = asking;
  const decided = periods.map(() => new Map<string, number>());
  for (const { period, columns: [people, accepted, overridden] } of inPeriods(await held.sums(['accepted', 'overridden'], spanOf(periods)), periods)) for (const [i, place] of people!.entries()) {
    const person = held.people[place]!;
    decided[period]!.set(person, (decided[period]!.get(person) ?? 0) + accepted![i]! + overridden![i]!);
  }
  for (const { period, columns: [people] } of inPeriods(await held.days(spanOf(periods)), periods)) for (const place of people!) {
    const person = held.people[place]!;
    if (!decided[period]!.has(person)) decided[period]!.set(person, 0);
  }
  if (!(await hasRoster(asking))) return decided.map((people) => [...people.values()]);
  const enabled = asking.periods.map(() => new Set<string>());
  for (const { person, since, until } of await spansOf(asking)) for (const [period, { from: first, to }] of asking.periods.entries()) if (since <= to && until > first) enabled[period]!.add(person);
  return enabled.map((people, period) => [...people].map((person) => decided[period]!.get(person) ?? 0));
}
