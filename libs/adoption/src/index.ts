/**
 * The domain: what a deployment is, how usage folds into rows, what the metrics say. Pure: no clock, no broker, no pool;
 * what it reads and writes it does through a log it is handed.
 */
export { closedWeek, learnWindows, type ClosedWeek } from './decision-window.js';
export { ask, decideOn, deploymentOf, deploymentsOf, registerDeployment, type Deployment, type Registered, type Viewer } from './deployments.js';
export { explained, explanation, type Explained } from './glossary.js';
export { agree, close, decideHandoff, startPilot, withdrawClosure, type Agreement, type Change, type Closure } from './lifecycle.js';
export { localDay } from './local-day.js';
export { prepareAnswer, type Prepared } from './metrics/answer.js';
export { CATALOGUE } from './metrics/catalogue.js';
export { type MetricDeclaration, type Query, type Subject } from './metrics/metric.js';
export { understand, type Asked, type Question } from './metrics/question.js';
export { checkDeploymentId, DEFAULT_REGISTRATION, parseRegistration, understandRegistration, type Registration, type WantedRegistration, type WrittenRegistration } from './registration.js';
export { enabledOn, onLeave, type Period } from './roster.js';
export { faultText, readRoster, ROSTER_BYTES, understandRoster, WrongRoster } from './roster-file.js';
export { importRoster, rebuildRoster, rosterOf, type ImportedRoster } from './roster-import.js';
export { questionsOf, REVISED_MS, tellCells, type ToldCells } from './reporting/tell-cells.js';
export { adoptionMigrations } from './schema.js';
export { usageProjection } from './usage.js';
