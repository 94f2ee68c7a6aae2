/** The SDK in browsers and workers. What waits when the page is left goes in one last request that may outlive it. */
import { type Machine } from './machine.js';
import { type FootholdOptions } from './options.js';
import { Reporter } from './reporter.js';
import { Session } from './session.js';

/** As much of a page, or a worker, as is used. */
interface Page {
  location?: { origin: string };
  document?: { visibilityState: string; addEventListener(event: string, listener: () => void): void };
  addEventListener?(event: string, listener: () => void): void;
}

const page = globalThis as Page;

const browser: Machine = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  randomBytes: (bytes) => void crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
  random: Math.random,
  after: (milliseconds, run, holds = false) => {
    const timer: { unref?(): void } | number = setTimeout(run, milliseconds);
    // Where a host's tests run this entry in Node.
    if (!holds && typeof timer === 'object') timer.unref?.();
    return () => clearTimeout(timer as number);
  },
  // Of a POST nothing is cached; saying so makes Chromium ask with a preflight before every request, not before the first.
  fetch: (url, request) => fetch(url, { ...request, redirect: 'error', credentials: 'omit', referrerPolicy: 'no-referrer' } as RequestInit),
  gzip: typeof CompressionStream === 'undefined' ? undefined : gzip,
  source: (deployment) => originOf(page) ?? `urn:foothold:${deployment}`,
  inBrowser: true,
  defaults: { queueEvents: 2_000, queueBytes: 2_000_000 },
};

async function gzip(text: string): Promise<Uint8Array> {
  return new Uint8Array(await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer());
}

/** Pages without an address of their own have the origin `null`. */
function originOf({ location }: Page): string | undefined {
  return location && location.origin !== 'null' ? location.origin : undefined;
}

/**
 * Reports what becomes of an AI system's results. One a page and person: when somebody else logs in, `shutdown()` this one
 * and make another.
 */
export class Foothold extends Reporter {
  /** Wrong options throw nothing: they are said by `onWarning`, and every call counts as dropped. */
  constructor(options: FootholdOptions) {
    const session = new Session(options, browser);
    super(session, session.settings.person);
    const leave = () => this.session.lastChance();
    page.addEventListener?.('pagehide', leave);
    // On phones, a page that is put away is often the last that is heard of it.
    page.document?.addEventListener('visibilitychange', () => page.document?.visibilityState === 'hidden' && leave());
  }
}

export * from './entry.js';
