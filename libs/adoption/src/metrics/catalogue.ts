/** Every metric there is. What lists or explains them reads the declarations; answers come from the figures. */
import { abandonment } from './abandonment.js';
import { activePeople } from './active-people.js';
import { calibration } from './calibration.js';
import { concentration } from './concentration.js';
import { coverage } from './coverage.js';
import { acceptance, override } from './decisions.js';
import { decisionTime } from './decision-time.js';
import { decomposition } from './decomposition.js';
import { edits, kept, verbatim } from './edits.js';
import { activated, enabled, rate } from './enabled.js';
import { feedback } from './feedback.js';
import { growth } from './growth.js';
import { habit, reach } from './habit.js';
import { health } from './health.js';
import { initiative } from './initiative.js';
import { type Metric, type MetricDeclaration } from './metric.js';
import { retention } from './retention.js';
import { rubberStamp } from './rubber-stamp.js';
import { stickiness } from './stickiness.js';
import { survival } from './survival.js';
import { discrimination, overrideCorrectness, overReliance, reliance, underReliance } from './truth.js';

export const METRICS: readonly Metric[] = [
  enabled, activated, activePeople, rate, stickiness, habit, growth, retention, survival, coverage, decomposition, concentration, reach, initiative,
  acceptance, verbatim, edits, override, abandonment, decisionTime, rubberStamp, kept, overReliance, underReliance, overrideCorrectness, discrimination, reliance, calibration, feedback,
  health,
];

export const CATALOGUE: readonly MetricDeclaration[] = METRICS.map(({ declaration }) => declaration);
