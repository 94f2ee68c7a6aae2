/** Calls on the SDK, as a host's code makes them, each with the time at which it happened and an id of its own. */
import {
  type AcceptedFacts, type Cause, type FeedbackFacts, type FeedFacts, type InvocationFacts, type ModelScoreFacts, type OutcomeFacts,
  type OverriddenFacts, type QueueFacts, type RecheckedFacts, type ShownFacts, type TaskFacts, type TruthFacts, type WithdrawnFacts,
} from '@foothold/sdk';

type Facts<Whole> = Omit<Whole, 'id' | 'eventId' | 'time'>;

/** What is said of one invocation. */
interface OfInvocation {
  invocation: Facts<InvocationFacts>;
  shown: Facts<ShownFacts>;
  accepted: Facts<AcceptedFacts>;
  overridden: Facts<OverriddenFacts>;
  abandoned: { cause: Cause };
  withdrawn: Facts<WithdrawnFacts>;
  failed: { error: string };
  rechecked: Facts<RecheckedFacts>;
}

interface OfPerson {
  task: Facts<TaskFacts>;
  feedback: Facts<FeedbackFacts>;
  truth: Facts<TruthFacts>;
}

interface OfDeployment {
  queue: Facts<QueueFacts>;
  feed: Facts<FeedFacts>;
  outcome: Facts<OutcomeFacts>;
  modelScore: Facts<ModelScoreFacts>;
}

interface Happened {
  /** Milliseconds since 1970. */
  at: number;
  /** Of the event it becomes. */
  id: string;
}

type Each<Calls, About> = { [Name in keyof Calls]: Happened & About & { call: Name; facts: Calls[Name] } }[keyof Calls];

export type InvocationCall = Each<OfInvocation, { person: string; invocation: string }>;
export type PersonCall = Each<OfPerson, { person: string }>;
export type DeploymentCall = Each<OfDeployment, object>;
export type Call = InvocationCall | PersonCall | DeploymentCall;
