/** The domain: what a deployment is, how usage folds into rows, what the metrics say. Pure: no clock, no broker, no pool. */
export { answer, type Answer, type Query, type Row, type Subject } from './metrics/answer.js';
export { CATALOGUE, type MetricDeclaration } from './metrics/catalogue.js';
export { understand, type Asked, type Question } from './metrics/question.js';
export { AlreadyRegistered, checkDeploymentId, DEFAULT_REGISTRATION, parseRegistration, register, type Registration, type WrittenRegistration } from './registration.js';
export { adoptionMigrations } from './schema.js';
export { usageProjection } from './usage.js';
