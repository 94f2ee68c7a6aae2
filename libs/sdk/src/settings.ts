/** Options as the host gave them become settings to rely on. Wrong ones throw nothing: they are said, and then nothing is reported. */
import { deployment, person, source, type Rule } from './check.js';
import { type Machine } from './machine.js';
import { type FootholdOptions } from './options.js';
import { type Warnings } from './warnings.js';

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
  traces: [0, 1],
} as const;

type Tuning = Record<keyof typeof RANGES, number>;

export interface Settings extends Tuning, Omit<FootholdOptions, keyof Tuning | 'source'> {
  source: string;
  /** What is wrong with the options; with it set, nothing can be sent. */
  fault?: string;
}

const HOST_OPTIONS = ['url', 'key', 'deployment', 'person', 'personToken', 'source', 'traceparent', 'onWarning', 'onRefused'];

/** The options, each read once, if it can be. */
export interface Given extends Partial<FootholdOptions> {
  /** The first that threw. */
  unreadable?: string;
}

/** What a host passed as options, whatever it is. Never throws. */
export function givenBy(options: unknown): Given {
  const given: Record<string, unknown> = {};
  for (const name of [...HOST_OPTIONS, ...Object.keys(RANGES)]) {
    try {
      given[name] = (options as Record<string, unknown> | null | undefined)?.[name];
    } catch {
      given['unreadable'] ??= name;
    }
  }
  return given;
}

/** Checks options, saying what is wrong with them. Tuning out of range falls back to what is usual. */
export function settingsOf(given: Given, machine: Machine, warnings: Warnings): Settings {
  const fault = faultIn(given);
  if (fault) warnings.say('invalid-options', `${fault}; nothing will be reported`, fault.split(' ')[0]);
  if (machine.inBrowser && !fault && given.key!.startsWith('fhw_')) {
    warnings.say('invalid-options', 'key: a secret key (fhw_) in a browser can be read by everybody; revoke it, and use a publishable one (fhp_) with personToken', 'key');
  }
  const usual: Tuning = { batchEvents: 500, batchBytes: 1_000_000, flushAfterMs: 1_000, requestTimeoutMs: 10_000, retryBaseMs: 500, retryMaxMs: 30_000, heartbeatMs: 60_000, traces: 0.01, ...machine.defaults };
  const tuning = { ...usual };
  for (const name of Object.keys(RANGES) as (keyof Tuning)[]) {
    const value = given[name];
    const [least, most] = RANGES[name];
    if (typeof value === 'number' && value >= least && value <= most) tuning[name] = name === 'traces' ? value : Math.floor(value);
    else if (value !== undefined) warnings.say('invalid-options', `${name}: must be a number from ${least} to ${most}; ${usual[name]} is used`, name);
  }
  return {
    ...tuning,
    url: fault ? '' : `${given.url!.replace(/\/+$/, '')}/v1/events`,
    key: given.key ?? '',
    deployment: given.deployment ?? '',
    person: given.person,
    personToken: given.personToken,
    source: fault ? '' : (given.source ?? machine.source(given.deployment!)),
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

function faultIn({ url, key, personToken, unreadable, ...given }: Given): string | undefined {
  if (unreadable !== undefined) return `${unreadable} must be an option that can be read`;
  if (typeof url !== 'string' || !/^https?:\/\/[^\s?#]+$/.test(url)) return 'url must be the http or https address of a collector, without query';
  if (typeof key !== 'string' || !/^[!-~]+$/.test(key)) return 'key must be a write key (fhw_…) or a publishable key (fhp_…)';
  const fits = (rule: Rule, value: unknown) => rule.read(value) !== undefined;
  if (!fits(deployment, given.deployment)) return `deployment must be ${deployment.words}`;
  if (given.person !== undefined && !fits(person, given.person)) return `person must be ${person.words}`;
  if (given.source !== undefined && !fits(source, given.source)) return `source must be ${source.words}`;
  if (personToken !== undefined && typeof personToken !== 'string' && typeof personToken !== 'function') return 'personToken must be a string or a function that gives one';
  return undefined;
}
