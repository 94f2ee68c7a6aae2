/** The language everybody shares: the usage events, the boundary every way in calls, and what it says of wrong input. */
export { checkEvent, checkMessage, tooLong, type BoundaryOptions, type Refusal, type UsageEvent, type Verdict } from './boundary.js';
export { canonical } from './canonical.js';
export { BATCH_BYTES, BATCH_EVENTS, EVENT_BYTES } from './envelope.js';
export { EVENT_NAMES, EVENTS, type EventData, type EventDefinition, type EventName, type SubjectRule } from './events.js';
export { DEPLOYMENT } from './forms.js';
export { passedOn } from './passing-on.js';
export { Conflicting, Forbidden, Unauthenticated, Unknown, WrongInput } from './problem.js';
export { parseDay, parseTime } from './time.js';
export { typeOf } from './versions.js';
