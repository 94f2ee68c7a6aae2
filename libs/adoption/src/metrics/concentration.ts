/** Whether many use it a little or few a lot. */
import { gini, topFifth } from '@foothold/statistics';
import { enabledSpans } from './as-of.js';
import { counted } from './behind.js';
import { cut } from './cut.js';
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
  behind: { '': counted('d.accepted + d.overridden > 0') },
  async figures(asking) {
    const amounts = asking.periods.map((): number[] => []);
    for (const { period, decided } of await decisions(asking)) amounts[period]!.push(decided);
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

/** By period and person, results decided: of everybody enabled in it, or, without a roster, of everybody of whom anything is counted. */
async function decisions(asking: Asking): Promise<{ period: number; decided: number }[]> {
  const values: unknown[] = [];
  const { columns, from } = cut(asking, 'person_day_sum d', values);
  const days = asking.periods.map(({ from: first, to }) => `daterange('1970-01-01'::date + ${first}, '1970-01-01'::date + ${to}, '[]')`);
  return asking.query(
    `with did as (select period, person, sum(decided)::float8 as decided from (select ${columns}, d.person, d.accepted + d.overridden as decided ${from}) d group by period, person),
          rostered as (select exists (select from roster where deployment = $${values.push(asking.subject.deployment)}) as so),
          enabled as (select distinct p.period - 1 as period, e.person from (${enabledSpans(asking, values)}) e join unnest(array[${days.join(', ')}]) with ordinality p(days, period) on e.span && p.days)
     select period::int, coalesce(decided, 0) as decided from enabled left join did using (period, person)
     union all select period, decided from did where not (select so from rostered)`, values);
}
