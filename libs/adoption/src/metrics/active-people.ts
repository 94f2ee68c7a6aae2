/** Distinct people who use it, on a day and in the 7 and 28 days that end with it. */
import { FACT_DIMENSIONS } from '@foothold/contract';
import { countAsOf, covers, KIND_ROWS, lookedAt, WINDOWED } from './as-of.js';
import { cut } from './cut.js';
import { LEAST_PEOPLE, type Figure, type Metric } from './metric.js';

export const activePeople: Metric = {
  declaration: {
    id: 'adoption.active_people',
    question: 'How many people really use it?',
    formula: 'distinct people who accepted or overrode at least one result, on the day of that decision',
    unit: 'people',
    variants: WINDOWED,
    grains: ['day', 'week'],
    dimensions: FACT_DIMENSIONS.filter((dimension) => !['stage', 'handoff_week'].includes(dimension)),
    minimum: LEAST_PEOPLE,
    watchOut: 'Being shown a result is not use. People of several days or groups overlap: never add them up. A week shows its last day. Where use is mandated or automatic, judge by accepted.',
    version: 1,
  },
  behind: null,
  async figures(asking) {
    const { by } = asking;
    const values: unknown[] = [];
    const { columns, from } = cut({ ...asking, periods: [lookedAt(asking)] }, `person_day d ${KIND_ROWS}`, values);
    const group = by.map((dimension) => `${dimension}, `).join('');
    const stretches = `
      with active as (select distinct ${group}kind, person, day from (select ${columns}, k.kind, d.person, d.day ${from} and k.so) d),
           cover as (${covers(group)})
      select variant, ${group}since, until from cover`;
    return (await countAsOf(asking, stretches, values, Object.keys(WINDOWED))).flatMap(({ variant, by: values, people }) =>
      people.map((count, period): Figure => ({ period, by: values, variant, value: count, numerator: count, denominator: null, low: null, high: null, people: count })).filter(({ value }) => by.length === 0 || value! > 0),
    );
  },
};
