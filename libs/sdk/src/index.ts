/** The SDK in Node. In browsers, bundlers take `browser.ts` in its place. */
import { node } from './node.js';
import { type FootholdOptions } from './options.js';
import { Reporter } from './reporter.js';
import { Session } from './session.js';

/**
 * Reports what becomes of an AI system's results. One a process and deployment; `as(person)` serves the rest.
 *
 * End a process with `await foothold.shutdown()`: what waits is kept nowhere else. A process that ends by itself without it,
 * because nothing is left to do, is kept alive for two seconds at most to send what waits, and to confess what it must drop;
 * one that is ended by `process.exit()`, a signal or an error is not.
 */
export class Foothold extends Reporter {
  /** Wrong options throw nothing: they are said by `onWarning`, and every call counts as dropped. */
  constructor(options: FootholdOptions) {
    const session = new Session(options, node);
    super(session, session.settings.person);
  }
}

export { personToken, type PersonTokenFacts } from './person-token.js';
export * from './entry.js';
