/** Distinct people who use it, on a day and in the 7 and 28 days that end with it. */
import { FACT_DIMENSIONS } from '@foothold/contract';
import { activeDays, covers, lookedAt, Stretches, WINDOWED } from './as-of.js';
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
    const variants = Object.keys(WINDOWED);
    const stretches = new Stretches(asking, variants);
    for (const one of await activeDays(asking, lookedAt(asking))) {
      const edges = stretches.ofAll(variants, one.by);
      covers(one, (variant, since, until) => edges[variant]!.add(since, until));
    }
    return stretches.asOf().flatMap(({ variant, by: values, people }) =>
      people.map((count, period): Figure => ({ period, by: values, variant, value: count, numerator: count, denominator: null, low: null, high: null, people: count })).filter(({ value }) => by.length === 0 || value! > 0),
    );
  },
};
