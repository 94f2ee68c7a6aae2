/** Who asks: the person, a rule of the organisation, or the host by itself. */
import { FACT_DIMENSIONS, GRAINS } from '@foothold/contract';
import { counted } from './behind.js';
import { LEAST_PEOPLE, type Metric } from './metric.js';
import { amountOf, less, ratioFigures } from './ratio.js';

/** By variant, its invocations. */
const KINDS = { person: 'invocations_person', automatic: 'invocations_automatic', mandated: 'invocations_mandated' };
const ALL = amountOf('invocations');

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
  behind: { '': counted('invocations') },
  figures: (asking) => ratioFigures(asking, {
    variants: {
      ...Object.fromEntries(Object.entries(KINDS).map(([variant, counter]) => [variant, { x: amountOf(counter), y: ALL }])),
      unknown: { x: less(ALL, ...Object.values(KINDS)), y: ALL },
    },
  }),
};
