/** What a Foothold is made with, and what becomes of options that are wrong: it reports nothing, says so, and throws nothing. */
import { deployment, person, source, type Rule } from './check.js';
import { type Machine } from './machine.js';
import { type Warning, type Warnings } from './warnings.js';

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
  /** `fhw_…` in backends, `fhp_…` in browsers. */
  key: string;
  /** The AI system in use, under the id it is registered with. */
  deployment: string;
  /** Whose events these are, as the host knows them. Left out in a backend that serves many: `foothold.as(person)`. */
  person?: string;
  /** With a publishable key, in a browser: proves who the person is. Events then carry no person of their own. */
  personToken?: PersonTokenSource;
  /** The host application, a URI reference; otherwise the page's origin, or `urn:foothold:` and the deployment. */
  source?: string;
  /** The W3C traceparent of the work under way, asked at every call; otherwise each invocation is a trace of its own. */
  traceparent?: () => string | undefined;
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

const RANGES = {
  batchEvents: [1, 1_000],
  batchBytes: [1, 4_000_000],
  flushAfterMs: [0, 3_600_000],
  queueEvents: [1, 10_000_000],
  queueBytes: [1, 10_000_000_000],
  requestTimeoutMs: [1, 600_000],
  retryBaseMs: [1, 600_000],
  retryMaxMs: [1, 3_600_000],
  heartbeatMs: [1, 86_400_000],
} as const;

type Tuning = Record<keyof typeof RANGES, number>;

export interface Settings extends Tuning, Omit<FootholdOptions, keyof Tuning | 'source'> {
  source: string;
  /** What is wrong with the options; with it set, nothing can be sent. */
  fault?: string;
}

/** Reads options, saying what is wrong with them. Tuning out of range falls back to what is usual. */
export function settingsOf(options: FootholdOptions, machine: Machine, warnings: Warnings): Settings {
  const given: Partial<FootholdOptions> = typeof options === 'object' && options !== null ? options : {};
  const fault = faultIn(given);
  if (fault) warnings.say('invalid-options', `${fault}; nothing will be reported`, fault.split(' ')[0]);
  if (machine.inBrowser && given.key?.startsWith?.('fhw_')) {
    warnings.say('invalid-options', 'key: a secret key (fhw_) in a browser can be read by everybody; revoke it, and use a publishable one (fhp_) with personToken', 'key');
  }
  const usual: Tuning = { batchEvents: 500, batchBytes: 1_000_000, flushAfterMs: 1_000, requestTimeoutMs: 10_000, retryBaseMs: 500, retryMaxMs: 30_000, heartbeatMs: 60_000, ...machine.defaults };
  const tuning = { ...usual };
  for (const name of Object.keys(RANGES) as (keyof Tuning)[]) {
    const value = given[name];
    const [least, most] = RANGES[name];
    if (typeof value === 'number' && value >= least && value <= most) tuning[name] = Math.floor(value);
    else if (value !== undefined) warnings.say('invalid-options', `${name}: must be a number from ${least} to ${most}; ${usual[name]} is used`, name);
  }
  return {
    ...tuning,
    url: fault ? '' : `${given.url!.replace(/\/+$/, '')}/v1/events`,
    key: given.key ?? '',
    deployment: given.deployment ?? '',
    person: given.person,
    personToken: given.personToken,
    source: given.source ?? machine.source(given.deployment ?? ''),
    traceparent: functionIn('traceparent', given.traceparent, warnings),
    onWarning: given.onWarning,
    onRefused: functionIn('onRefused', given.onRefused, warnings),
    fault,
  };
}

function functionIn<Hook>(name: string, value: Hook | undefined, warnings: Warnings): Hook | undefined {
  if (value === undefined || typeof value === 'function') return value;
  warnings.say('invalid-options', `${name}: must be a function; it is left out`, name);
  return undefined;
}

function faultIn({ url, key, personToken, ...given }: Partial<FootholdOptions>): string | undefined {
  if (typeof url !== 'string' || !/^https?:\/\/[^\s?#]+$/.test(url)) return 'url must be the http or https address of a collector, without query';
  if (typeof key !== 'string' || !/^[!-~]+$/.test(key)) return 'key must be a write key (fhw_…) or a publishable key (fhp_…)';
  const fits = (rule: Rule, value: unknown) => rule.read(value) !== undefined;
  if (!fits(deployment, given.deployment)) return `deployment must be ${deployment.words}`;
  if (given.person !== undefined && !fits(person, given.person)) return `person must be ${person.words}`;
  if (given.source !== undefined && !fits(source, given.source)) return `source must be ${source.words}`;
  if (personToken !== undefined && typeof personToken !== 'string' && typeof personToken !== 'function') return 'personToken must be a string or a function that gives one';
  return undefined;
}
