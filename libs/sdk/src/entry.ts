/** What both entries give away beside `Foothold`. */
export { changed } from './changed.js';
export { type DropCounts, type DropReason, type Stats } from './drops.js';
export { type Cause, type EventData, type EventName, type Initiative, type InputQuality, type Surface } from './events.js';
export { type AcceptedFacts, type DecisionFacts, type Invocation, type OverriddenFacts, type RecheckedFacts, type ShownFacts, type Stamp, type WithdrawnFacts } from './invocation.js';
export { type FootholdOptions, type PersonTokenSource, type RefusedEvent } from './options.js';
export { type FeedbackFacts, type FeedFacts, type InvocationFacts, type ModelScoreFacts, type OutcomeFacts, type QueueFacts, type Reporter, type TaskFacts, type TruthFacts } from './reporter.js';
export { type Moment, type Time } from './time.js';
export { type HeaderSource } from './token.js';
export { type Warning, type WarningKind } from './warnings.js';
