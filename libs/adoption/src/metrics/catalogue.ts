/**
 * One declaration a metric: what it asks, how it is computed, where it may be cut, how it is misread.
 * Everything that lists or explains metrics reads it here.
 */
import { DIMENSIONS, GRAINS, type Dimension, type Grain } from '@foothold/contract';

export interface MetricDeclaration {
  id: string;
  /** In a manager's words. */
  question: string;
  formula: string;
  unit: 'ratio' | 'people';
  /** What each variant counts; `override` adds one variant per reason that occurs. */
  variants: Record<string, string>;
  grains: readonly Grain[];
  dimensions: readonly Dimension[];
  /** How it is misread. */
  watchOut: string;
  version: number;
}

export const CATALOGUE: readonly MetricDeclaration[] = [
  {
    id: 'adoption.active_people',
    question: 'How many people really use it?',
    formula: 'distinct people who accepted or overrode at least one result, on the day of that decision',
    unit: 'people',
    variants: {
      any: 'accepted or overrode a result on that day', any_7: 'the same in the 7 days that end with it', any_28: 'the same in 28 days',
      accepted: 'accepted a result on that day', accepted_7: 'the same in 7 days', accepted_28: 'the same in 28 days',
      voluntary: 'decided on a result of their own initiative on that day', voluntary_7: 'the same in 7 days', voluntary_28: 'the same in 28 days',
    },
    grains: ['day', 'week'],
    dimensions: DIMENSIONS,
    watchOut: 'Being shown a result is not use. People of several days or groups overlap: never add them up. A week shows its last day. Where use is mandated or automatic, judge by accepted.',
    version: 1,
  },
  {
    id: 'adoption.coverage',
    question: 'Of the work it could help with, how much was done with it?',
    formula: 'completed tasks of eligible kinds with a decision on a result of an invocation that names the task / completed tasks of eligible kinds',
    unit: 'ratio',
    variants: {
      pooled: 'of all tasks', people: 'the mean of each person’s own share', consulted: 'tasks with a result shown and none decided',
      conflicts: 'tasks where the host’s own flag says otherwise than the invocations do',
    },
    grains: GRAINS,
    dimensions: ['task_kind'],
    watchOut: 'A feed that loses tasks looks like adoption. Tasks are counted on the day they were completed.',
    version: 1,
  },
  {
    id: 'trust.acceptance',
    question: 'Do people take what it offers?',
    formula: 'accepted (as it was or edited) / shown',
    unit: 'ratio',
    variants: {
      shown: 'accepted of shown', decided: 'accepted of decided',
      people: 'the mean over people of accepted of their decided', people_shown: 'the mean over people of accepted of their shown',
    },
    grains: GRAINS,
    dimensions: DIMENSIONS,
    watchOut: 'Four numbers, four names: they differ by several points on one and the same log. A host without a gesture for overriding has decided = 1: read shown there. Suggestions that come unasked count too.',
    version: 1,
  },
  {
    id: 'trust.override',
    question: 'How often do people decide against it, and why?',
    formula: 'overridden / decided',
    unit: 'ratio',
    variants: { all: 'overridden of decided', none: 'overridden without a reason given, of decided; any other variant is a reason’s code' },
    grains: GRAINS,
    dimensions: DIMENSIONS,
    watchOut: 'An agreement that the host logs as an override is not one. Reasons are only as good as the list people may choose from.',
    version: 1,
  },
  {
    id: 'trust.abandonment',
    question: 'How often is a result left lying?',
    formula: '(abandoned explicitly + undecided for longer than the decision window) / shown',
    unit: 'ratio',
    variants: {
      all: 'explicit, soft and confirmed together', dismissed: 'closed by the person', navigated: 'left by going elsewhere', stopped: 'stopped while it was produced',
      'timed-out': 'ended by the host', 'worked-around': 'done in another way',
      pending: 'undecided within the decision window', soft: 'undecided for one to three windows', confirmed: 'undecided for more than three windows',
      undecided: 'pending, soft and confirmed together',
    },
    grains: GRAINS,
    dimensions: DIMENSIONS,
    watchOut: 'The window is the task kind’s own: the time within which 99 in 100 of its decisions came, learned each week from the 13 weeks before and held for results shown from then on; at least 15 minutes, and 24 hours until 100 decisions have taught one. A late decision always wins, so recent days fall. Explicit abandonment is not in undecided.',
    version: 2,
  },
];
