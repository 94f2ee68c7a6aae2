/** Written by `npm run glossary`: what every metric comes to in the story of test/fixtures/eight-people.ts. A test computes it anew. */

import { type Figure } from './metrics/metric.js';

export type ExampleFigure = Omit<Figure, 'period' | 'by'>;

export interface Example {
  from: string;
  to: string;
  figures: readonly ExampleFigure[];
}

export const EXAMPLES: Record<string, Example> = {
  'adoption.enabled': {
    from: '2026-07-06', to: '2026-07-12',
    figures: [
      { variant: 'enabled', value: 7, numerator: 7, denominator: null, low: null, high: null, people: 7 },
      { variant: 'on_leave', value: 0, numerator: 0, denominator: null, low: null, high: null, people: 0 },
      { variant: 'matched', value: 7, numerator: 7, denominator: null, low: null, high: null, people: 7 },
    ],
  },
  'adoption.activated': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'any', value: 1, numerator: 7, denominator: 7, low: 0.6457, high: 1, people: 7 },
      { variant: 'accepted', value: 0.8571, numerator: 6, denominator: 7, low: 0.4869, high: 0.9743, people: 7 },
      { variant: 'voluntary', value: 0.7143, numerator: 5, denominator: 7, low: 0.3589, high: 0.9178, people: 7 },
      { variant: 'days_to_first_use', value: 0, numerator: 7, denominator: 7, low: 0, high: 14, people: 7 },
    ],
  },
  'adoption.active_people': {
    from: '2026-07-06', to: '2026-07-12',
    figures: [
      { variant: 'any', value: 0, numerator: 0, denominator: null, low: null, high: null, people: 0 },
      { variant: 'any_7', value: 4, numerator: 4, denominator: null, low: null, high: null, people: 4 },
      { variant: 'any_28', value: 5, numerator: 5, denominator: null, low: null, high: null, people: 5 },
      { variant: 'accepted', value: 0, numerator: 0, denominator: null, low: null, high: null, people: 0 },
      { variant: 'accepted_7', value: 4, numerator: 4, denominator: null, low: null, high: null, people: 4 },
      { variant: 'accepted_28', value: 5, numerator: 5, denominator: null, low: null, high: null, people: 5 },
      { variant: 'voluntary', value: 0, numerator: 0, denominator: null, low: null, high: null, people: 0 },
      { variant: 'voluntary_7', value: 3, numerator: 3, denominator: null, low: null, high: null, people: 3 },
      { variant: 'voluntary_28', value: 4, numerator: 4, denominator: null, low: null, high: null, people: 4 },
    ],
  },
  'adoption.rate': {
    from: '2026-07-06', to: '2026-07-12',
    figures: [
      { variant: 'any', value: 0, numerator: 0, denominator: 7, low: 0, high: 0.3543, people: 7 },
      { variant: 'any_7', value: 0.5714, numerator: 4, denominator: 7, low: 0.2505, high: 0.8418, people: 7 },
      { variant: 'any_28', value: 0.7143, numerator: 5, denominator: 7, low: 0.3589, high: 0.9178, people: 7 },
      { variant: 'accepted', value: 0, numerator: 0, denominator: 7, low: 0, high: 0.3543, people: 7 },
      { variant: 'accepted_7', value: 0.5714, numerator: 4, denominator: 7, low: 0.2505, high: 0.8418, people: 7 },
      { variant: 'accepted_28', value: 0.7143, numerator: 5, denominator: 7, low: 0.3589, high: 0.9178, people: 7 },
      { variant: 'voluntary', value: 0, numerator: 0, denominator: 7, low: 0, high: 0.3543, people: 7 },
      { variant: 'voluntary_7', value: 0.4286, numerator: 3, denominator: 7, low: 0.1582, high: 0.7495, people: 7 },
      { variant: 'voluntary_28', value: 0.5714, numerator: 4, denominator: 7, low: 0.2505, high: 0.8418, people: 7 },
    ],
  },
  'adoption.stickiness': {
    from: '2026-07-06', to: '2026-07-12',
    figures: [
      { variant: 'all_days', value: 0.1643, numerator: 0.8214, denominator: 5, low: 0.0719, high: 0.3327, people: 5 },
      { variant: 'working_days', value: 0.23, numerator: 1.15, denominator: 5, low: 0.0981, high: 0.4506, people: 5 },
    ],
  },
  'adoption.habit': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'new', value: 0, numerator: 0, denominator: 7, low: 0, high: 0.3543, people: 7 },
      { variant: 'habitual', value: 0.5714, numerator: 4, denominator: 7, low: 0.2505, high: 0.8418, people: 7 },
      { variant: 'occasional', value: 0, numerator: 0, denominator: 7, low: 0, high: 0.3543, people: 7 },
      { variant: 'tried', value: 0.1429, numerator: 1, denominator: 7, low: 0.0257, high: 0.5131, people: 7 },
      { variant: 'lapsed', value: 0.2857, numerator: 2, denominator: 7, low: 0.0822, high: 0.6411, people: 7 },
      { variant: 'never', value: 0, numerator: 0, denominator: 7, low: 0, high: 0.3543, people: 7 },
    ],
  },
  'adoption.growth': {
    from: '2026-07-06', to: '2026-07-12',
    figures: [
      { variant: 'active', value: 4, numerator: 4, denominator: null, low: null, high: null, people: 4 },
      { variant: 'retained', value: 4, numerator: 4, denominator: null, low: null, high: null, people: 4 },
      { variant: 'new', value: 0, numerator: 0, denominator: null, low: null, high: null, people: 4 },
      { variant: 'resurrected', value: 0, numerator: 0, denominator: null, low: null, high: null, people: 4 },
      { variant: 'churned', value: 1, numerator: 1, denominator: null, low: null, high: null, people: 5 },
      { variant: 'quick_ratio', value: 0, numerator: 0, denominator: 1, low: null, high: null, people: 5 },
      { variant: 'active_28', value: 5, numerator: 5, denominator: null, low: null, high: null, people: 5 },
      { variant: 'retained_28', value: 4, numerator: 4, denominator: null, low: null, high: null, people: 5 },
      { variant: 'new_28', value: 0, numerator: 0, denominator: null, low: null, high: null, people: 5 },
      { variant: 'resurrected_28', value: 1, numerator: 1, denominator: null, low: null, high: null, people: 5 },
      { variant: 'churned_28', value: 1, numerator: 1, denominator: null, low: null, high: null, people: 5 },
      { variant: 'quick_ratio_28', value: 1, numerator: 1, denominator: 1, low: null, high: null, people: 6 },
    ],
  },
  'adoption.retention': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'enabled_bracket', value: 0.8, numerator: 4, denominator: 5, low: 0.3755, high: 0.9638, people: 5 },
      { variant: 'enabled_week', value: 0.6, numerator: 3, denominator: 5, low: 0.2307, high: 0.8824, people: 5 },
      { variant: 'enabled_unbounded', value: 0.6, numerator: 3, denominator: 5, low: 0.2307, high: 0.8824, people: 5 },
      { variant: 'used_bracket', value: 0.75, numerator: 3, denominator: 4, low: 0.3006, high: 0.9544, people: 4 },
      { variant: 'used_week', value: 0.75, numerator: 3, denominator: 4, low: 0.3006, high: 0.9544, people: 4 },
      { variant: 'used_unbounded', value: 0.75, numerator: 3, denominator: 4, low: 0.3006, high: 0.9544, people: 4 },
    ],
  },
  'adoption.survival': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'survival', value: 0.6, numerator: 3, denominator: 8, low: 0.1955, high: 0.8523, people: 8 },
      { variant: 'standard_error', value: 0.1817, numerator: 3, denominator: 8, low: null, high: null, people: 8 },
      { variant: 'median', value: null, numerator: 3, denominator: 8, low: 4, high: null, people: 8 },
    ],
  },
  'adoption.coverage': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'pooled', value: 0.6502, numerator: 158, denominator: 243, low: 0.3351, high: 0.8727, people: 8 },
      { variant: 'people', value: 0.6328, numerator: 5.0625, denominator: 8, low: 0.3221, high: 0.8621, people: 8 },
      { variant: 'consulted', value: 0.037, numerator: 9, denominator: 243, low: 0.0078, high: 0.1592, people: 8 },
      { variant: 'conflicts', value: 0, numerator: 0, denominator: 243, low: 0, high: 0.3519, people: 8 },
    ],
  },
  'adoption.decomposition': {
    from: '2026-04-13', to: '2026-07-12',
    figures: [
      { variant: 'people', value: 0, numerator: 8, denominator: 8, low: null, high: null, people: 8 },
      { variant: 'tasks_per_person', value: -3.2403, numerator: 14.25, denominator: 14.875, low: null, high: null, people: 8 },
      { variant: 'coverage', value: -5.767, numerator: 0.6228, denominator: 0.6723, low: null, high: null, people: 8 },
      { variant: 'results_per_aided_task', value: -5.2748, numerator: 1.0141, denominator: 1.0875, low: null, high: null, people: 8 },
      { variant: 'decided_per_shown', value: 5.2822, numerator: 0.9861, denominator: 0.9195, low: null, high: null, people: 8 },
      { variant: 'decisions', value: -9, numerator: 71, denominator: 80, low: null, high: null, people: 8 },
    ],
  },
  'adoption.concentration': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'gini', value: 0.4557, numerator: null, denominator: 158, low: null, high: null, people: 8 },
      { variant: 'top_20', value: 0.4937, numerator: 78, denominator: 158, low: null, high: null, people: 8 },
    ],
  },
  'adoption.reach': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'all', value: 1, numerator: 2, denominator: 2, low: null, high: null, people: 7 },
    ],
  },
  'adoption.initiative': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'person', value: 0.7066, numerator: 118, denominator: 167, low: 0.1909, high: 0.9609, people: 8 },
      { variant: 'automatic', value: 0.1976, numerator: 33, denominator: 167, low: 0.0146, high: 0.8034, people: 8 },
      { variant: 'mandated', value: 0.0958, numerator: 16, denominator: 167, low: 0.0064, high: 0.6339, people: 8 },
      { variant: 'unknown', value: 0, numerator: 0, denominator: 167, low: 0, high: 0.422, people: 8 },
    ],
  },
  'trust.acceptance': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'shown', value: 0.8563, numerator: 143, denominator: 167, low: 0.7355, high: 0.9274, people: 8 },
      { variant: 'decided', value: 0.9051, numerator: 143, denominator: 158, low: 0.7825, high: 0.9619, people: 8 },
      { variant: 'people', value: 0.7957, numerator: 6.3655, denominator: 8, low: 0.4055, high: 0.957, people: 8 },
      { variant: 'people_shown', value: 0.7707, numerator: 6.1659, denominator: 8, low: 0.4159, high: 0.9407, people: 8 },
    ],
  },
  'trust.verbatim': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'all', value: 0.8112, numerator: 116, denominator: 143, low: 0.675, high: 0.8989, people: 7 },
    ],
  },
  'trust.edits': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'none', value: 0.8112, numerator: 116, denominator: 143, low: 0.675, high: 0.8989, people: 7 },
      { variant: 'light', value: 0, numerator: 0, denominator: 143, low: 0, high: 0.4381, people: 7 },
      { variant: 'moderate', value: 0.1888, numerator: 27, denominator: 143, low: 0.1011, high: 0.325, people: 7 },
      { variant: 'heavy', value: 0, numerator: 0, denominator: 143, low: 0, high: 0.4381, people: 7 },
      { variant: 'unknown', value: 0, numerator: 0, denominator: 143, low: 0, high: 0.4381, people: 7 },
    ],
  },
  'trust.override': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'all', value: 0.0949, numerator: 15, denominator: 158, low: 0.0381, high: 0.2175, people: 8 },
      { variant: 'wrong-tone', value: 0.0823, numerator: 13, denominator: 158, low: 0.0318, high: 0.1965, people: 8 },
      { variant: 'none', value: 0.0127, numerator: 2, denominator: 158, low: 0.0008, high: 0.1694, people: 8 },
    ],
  },
  'trust.abandonment': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'all', value: 0.0539, numerator: 9, denominator: 167, low: 0.0115, high: 0.2179, people: 8 },
      { variant: 'dismissed', value: 0.018, numerator: 3, denominator: 167, low: 0.0063, high: 0.0499, people: 8 },
      { variant: 'navigated', value: 0, numerator: 0, denominator: 167, low: 0, high: 0.422, people: 8 },
      { variant: 'stopped', value: 0, numerator: 0, denominator: 167, low: 0, high: 0.422, people: 8 },
      { variant: 'timed-out', value: 0, numerator: 0, denominator: 167, low: 0, high: 0.422, people: 8 },
      { variant: 'worked-around', value: 0, numerator: 0, denominator: 167, low: 0, high: 0.422, people: 8 },
      { variant: 'pending', value: 0, numerator: 0, denominator: 167, low: 0, high: 0.422, people: 8 },
      { variant: 'soft', value: 0, numerator: 0, denominator: 167, low: 0, high: 0.422, people: 8 },
      { variant: 'confirmed', value: 0.0359, numerator: 6, denominator: 167, low: 0.0051, high: 0.2139, people: 8 },
      { variant: 'undecided', value: 0.0359, numerator: 6, denominator: 167, low: 0.0051, high: 0.2139, people: 8 },
    ],
  },
  'trust.decision_time': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'p5', value: 19952.7105, numerator: null, denominator: 158, low: null, high: null, people: 8 },
      { variant: 'p50', value: 19952.7105, numerator: null, denominator: 158, low: null, high: null, people: 8 },
      { variant: 'p95', value: 120735.8445, numerator: null, denominator: 158, low: null, high: null, people: 8 },
    ],
  },
  'trust.rubber_stamp': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'all', value: 0, numerator: 0, denominator: 143, low: null, high: null, people: 7 },
    ],
  },
  'trust.kept': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'day_1', value: 0.9, numerator: 24.3, denominator: 27, low: 0.4115, high: 0.9914, people: 5 },
      { variant: 'day_7', value: 0.8037, numerator: 21.7, denominator: 27, low: 0.7953, high: 0.8118, people: 5 },
      { variant: 'day_30', value: 0.8037, numerator: 21.7, denominator: 27, low: 0.7953, high: 0.8118, people: 5 },
      { variant: 'unknown_1', value: 0.8112, numerator: 116, denominator: 143, low: 0.675, high: 0.8989, people: 7 },
      { variant: 'unknown_7', value: 0.8112, numerator: 116, denominator: 143, low: 0.675, high: 0.8989, people: 7 },
      { variant: 'unknown_30', value: 0.8112, numerator: 116, denominator: 143, low: 0.675, high: 0.8989, people: 7 },
    ],
  },
  'trust.over_reliance': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'all', value: 0.4444, numerator: 8, denominator: 18, low: 0.0388, high: 0.9406, people: 4 },
    ],
  },
  'trust.under_reliance': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'all', value: 0.027, numerator: 3, denominator: 111, low: 0.0043, high: 0.1521, people: 7 },
    ],
  },
  'trust.override_correctness': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'all', value: 0.7692, numerator: 10, denominator: 13, low: 0.377, high: 0.9483, people: 4 },
    ],
  },
  'trust.discrimination': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'all', value: 0.5285, numerator: null, denominator: 129, low: -0.082, high: 0.9546, people: 7 },
    ],
  },
  'trust.reliance': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'rair', value: 0.973, numerator: 108, denominator: 111, low: 0.8479, high: 0.9957, people: 7 },
      { variant: 'rsr', value: 0.5556, numerator: 10, denominator: 18, low: 0.0594, high: 0.9612, people: 4 },
    ],
  },
  'trust.calibration': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'acceptance_brier', value: 0.0388, numerator: null, denominator: 158, low: 0.0155, high: 0.0936, people: 8 },
      { variant: 'acceptance_ece', value: 0.1335, numerator: null, denominator: 158, low: null, high: null, people: 8 },
      { variant: 'acceptance_slope', value: 3.4075, numerator: null, denominator: 158, low: null, high: null, people: 8 },
      { variant: 'truth_brier', value: 0.0398, numerator: null, denominator: 129, low: 0.0081, high: 0.1736, people: 7 },
      { variant: 'truth_ece', value: 0.1372, numerator: null, denominator: 129, low: null, high: null, people: 7 },
      { variant: 'truth_slope', value: null, numerator: null, denominator: 129, low: null, high: null, people: 7 },
    ],
  },
  'trust.feedback': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'score', value: 0.25, numerator: 1.5, denominator: 6, low: -0.6714, high: 0.8678, people: 5 },
      { variant: 'response_rate', value: 0.625, numerator: 5, denominator: 8, low: 0.3057, high: 0.8632, people: 8 },
    ],
  },
  'telemetry.health': {
    from: '2026-01-05', to: '2026-07-12',
    figures: [
      { variant: 'heartbeats', value: 27, numerator: 27, denominator: null, low: null, high: null, people: 8 },
      { variant: 'sources', value: 1, numerator: 1, denominator: null, low: null, high: null, people: 8 },
      { variant: 'gaps', value: 0.002, numerator: 2, denominator: 983, low: null, high: null, people: 8 },
      { variant: 'dropped', value: 2, numerator: 2, denominator: null, low: null, high: null, people: 8 },
      { variant: 'tasks_complete', value: 0.9895, numerator: 189, denominator: 191, low: null, high: null, people: 8 },
      { variant: 'invocations_complete', value: null, numerator: 0, denominator: 0, low: null, high: null, people: 8 },
      { variant: 'unmatched', value: 0, numerator: 0, denominator: 167, low: null, high: null, people: 8 },
      { variant: 'conflicts', value: 0, numerator: 0, denominator: 243, low: null, high: null, people: 8 },
      { variant: 'late', value: 1, numerator: 981, denominator: 981, low: null, high: null, people: 8 },
    ],
  },
};
