/**
 * What the SDK stands on in Node: waiting for the collector never keeps a process alive that has nothing else to do, but for
 * a last moment as it ends.
 */
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { type Machine } from './machine.js';

const compress = promisify(gzip);

/** One listener for all sessions: each its own, Node would warn of a leak. */
const beforeEnd = new Set<() => void>();
let listening = false;

function listen(): void {
  if (!listening) process.on('beforeExit', () => beforeEnd.forEach((run) => run()));
  listening = true;
}

export const node: Machine = {
  now: Date.now,
  monotonic: () => performance.now(),
  randomBytes: (bytes) => void crypto.getRandomValues(bytes),
  random: Math.random,
  after: (milliseconds, run, holds = false) => {
    const timer = setTimeout(run, milliseconds);
    if (!holds) timer.unref();
    return () => clearTimeout(timer);
  },
  beforeEnd: (run) => {
    listen();
    beforeEnd.add(run);
    return () => void beforeEnd.delete(run);
  },
  fetch: (url, request) => fetch(url, { ...request, redirect: 'error' }),
  // The fastest level: events repeat themselves so much that others save little more.
  gzip: (text) => compress(text, { level: constants.Z_BEST_SPEED }),
  source: (deployment) => `urn:foothold:${deployment}`,
  inBrowser: false,
  defaults: { queueEvents: 20_000, queueBytes: 16_000_000 },
};
