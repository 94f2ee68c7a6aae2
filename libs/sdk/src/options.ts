/** What a Foothold is made with. */
import { type Warning } from './warnings.js';

/** Signed by the host's backend for the person who is logged in; a function is called again before the token expires. */
export type PersonTokenSource = string | (() => string | Promise<string>);

/** An event the collector refused: which, and how to mend the call that made it. */
export interface RefusedEvent {
  id: string;
  /** `foothold.result.shown.v1` */
  type: string;
  field: string;
  reason: string;
  fix: string;
}

export interface FootholdOptions {
  /** Where the collector is: `https://foothold.acme.example`; events go to `/v1/events` below it. */
  url: string;
  /** `fhw_…` in backends, `fhp_…` in browsers. Without one (a variable that is not set) nothing is sent, and a warning says so. */
  key: string | undefined;
  /** The AI system in use, under the id it is registered with. */
  deployment: string;
  /** Whose events these are, as the host knows them. Left out in a backend that serves many: `foothold.as(person)`. */
  person?: string;
  /**
   * With a publishable key, in a browser: proves who the person is. Events then carry no person of their own; what is
   * reported in somebody else's name (`as`, a resumed handle) is dropped, counted and confessed.
   */
  personToken?: PersonTokenSource;
  /** The host application, a URI reference; otherwise the page's origin, or `urn:foothold:` and the deployment. */
  source?: string;
  /** The W3C traceparent of the work under way, asked at every call; otherwise each invocation is a trace of its own. It keeps its flag. */
  traceparent?: () => string | undefined;
  /**
   * Which share of the traces begun here is sampled: 0 to 1; 0.01. A batch is traced through the collector and the log where
   * one of its invocations is, so that a busy host wants less, and who looks for one event wants 1.
   */
  traces?: number;
  /** Hears of every problem; otherwise the console does, once of each kind and place. */
  onWarning?: (warning: Warning) => void;
  /** Hears of every event the collector refused. */
  onRefused?: (refused: RefusedEvent) => void;

  /** Most events in one request, and so many waiting are sent at once: 1 to 1000; 500. */
  batchEvents?: number;
  /** Most bytes of one request before compression: up to 4,000,000; 1,000,000. */
  batchBytes?: number;
  /** How long an event may wait for others, in milliseconds; 1000. */
  flushAfterMs?: number;
  /** Most events that wait; 20,000 in Node, 2,000 in browsers. What comes on top is dropped, counted and confessed. */
  queueEvents?: number;
  /** Most bytes that wait; 16 MB in Node, 2 MB in browsers. */
  queueBytes?: number;
  /** How long a request may take; 10,000. */
  requestTimeoutMs?: number;
  /** The first wait after a failure is up to this long, each further one up to twice the last; 500. */
  retryBaseMs?: number;
  /** The longest wait between attempts; 30,000. */
  retryMaxMs?: number;
  /** How often a heartbeat tells what waits and what was dropped, while anything happens; 60,000. */
  heartbeatMs?: number;
}
