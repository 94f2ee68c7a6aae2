/** The language everybody shares: the usage events, the boundary every way in calls, and what it says of wrong input. */
export { readFields, readParameters } from './asked.js';
export { checkEvent, checkMessage, tooDeep, tooLong, type BoundaryOptions, type Refusal, type UsageEvent, type Verdict } from './boundary.js';
export { canonical } from './canonical.js';
export { csvForm, csvOf, type CsvForm, type Table } from './csv.js';
export { BATCH_BYTES, BATCH_EVENTS, EVENT_BYTES } from './envelope.js';
export { EVENT_NAMES, EVENTS, type EventData, type EventDefinition, type EventName, type SubjectRule } from './events.js';
export { CODE, DEPLOYMENT, EVENT_ID, PERSON } from './forms.js';
export { identityOf } from './identity.js';
export { jsonSchema } from './json-schema.js';
export { cloudEventOf, passedOn } from './passing-on.js';
export { Conflicting, Forbidden, Unauthenticated, Unknown, WrongInput } from './problem.js';
export {
  Answer, AnswerRow, DecidedDay, DecidedDeployment, deploymentId, DeploymentView, DIMENSIONS, ExplainedMetric, FACT_DIMENSIONS, FORMAT, GRAINS, HealthReport, ImportedRoster, LETTER_GROUPS, LetterGroup, LETTERS, Metric, NewAgreement, NewClosure, NewDeployment, NewRoster, ProblemShape, QUESTION,
  RegisteredDeployment, RESULT_DIMENSIONS, type Dimension, type Grain, type Unit,
} from './queries.js';
export { readRefusal, refusalOf, sealedIn, sealedRefusal, writtenRefusal, type SealedRefusal } from './refusals.js';
export { answerTable, catalogueTable, deploymentTable, letterTable } from './tables.js';
export { parseDay, parseTime, timeText } from './time.js';
export { UNSTORABLE } from './rules.js';
export { readType, typeOf } from './versions.js';
