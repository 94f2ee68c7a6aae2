/** Every metric there is. What lists or explains them reads the declarations; answers come from the figures. */
import { abandonment } from './abandonment.js';
import { activePeople } from './active-people.js';
import { coverage } from './coverage.js';
import { acceptance, override } from './decisions.js';
import { activated, enabled, rate } from './enabled.js';
import { growth } from './growth.js';
import { initiative } from './initiative.js';
import { type Metric, type MetricDeclaration } from './metric.js';

export const METRICS: readonly Metric[] = [enabled, activated, activePeople, rate, growth, coverage, initiative, acceptance, override, abandonment];

export const CATALOGUE: readonly MetricDeclaration[] = METRICS.map(({ declaration }) => declaration);
