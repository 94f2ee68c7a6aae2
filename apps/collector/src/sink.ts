/** Where checked events and refusals go: Kafka, or the log itself. Both are durable when `take` resolves. */
import { type Refusal, type UsageEvent } from '@foothold/contract';

/** One item of a request that is to be kept. */
export type Kept =
  | {
      event: UsageEvent;
      /** The event as the next boundary reads it: JSON with pseudonyms for people. Made when it is needed. */
      passedOn: () => string;
      /** Of the trace the event belongs to. */
      traceparent: string | undefined;
      /** By how many milliseconds the host's clock was behind (negative: ahead), where it is worth keeping. */
      skewMs: number | undefined;
    }
  | { refusal: Refusal };

export interface Sink {
  /** @throws NotDurable when it is not known to be kept in time: the sender sends the same again. */
  take(tenant: string, items: Kept[]): Promise<void>;
  close(): Promise<void>;
}

/** What was sent is not known to be kept; it may be. */
export class NotDurable extends Error {
  constructor(why: string) {
    super(`not known to be kept: ${why}`);
    this.name = 'NotDurable';
  }
}
