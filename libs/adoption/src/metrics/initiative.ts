/** Who asks: the person, a rule of the organisation, or the host by itself. */
import { FACT_DIMENSIONS, GRAINS } from '@foothold/contract';
import { counted } from './behind.js';
import { LEAST_PEOPLE, type Metric } from './metric.js';
import { ratioFigures } from './ratio.js';

/** By variant, as rows of person_day have it. */
const KINDS = { person: 'person', automatic: 'automatic', mandated: 'mandated', unknown: '' };

export const initiative: Metric = {
  declaration: {
    id: 'adoption.initiative',
    question: 'Do people ask it of their own accord?',
    formula: 'invocations of one initiative / invocations',
    unit: 'ratio',
    variants: { person: 'the person asked', automatic: 'the host asked by itself', mandated: 'the person had to ask', unknown: 'no event told of the invocation’s start' },
    grains: GRAINS,
    dimensions: FACT_DIMENSIONS.filter((dimension) => dimension !== 'initiative'),
    minimum: LEAST_PEOPLE,
    watchOut: 'Where use is automatic or mandated, being active says little of whether people want it: judge by what they accept.',
    version: 1,
  },
  behind: { '': counted('d.invocations > 0') },
  figures: (asking) => ratioFigures(asking, {
    sums: ['invocations'],
    derived: Object.fromEntries(Object.entries(KINDS).map(([variant, kind]) => [`of_${variant}`, `case when d.initiative = '${kind}' then d.invocations else 0 end`])),
    variants: Object.fromEntries(Object.keys(KINDS).map((variant) => [variant, { x: `of_${variant}`, y: 'invocations' }])),
  }),
};
