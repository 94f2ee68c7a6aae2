/**
 * What a host passed, field by field, before it becomes an event.
 *
 * The collector would refuse what is wrong here; said on the spot, it can be mended by whoever wrote the call. Only fields
 * that are named here are ever read, so nothing else a host passes can leave with an event.
 */
import { type EventName } from './events.js';
import { microsOf } from './time.js';

/** Reads one value; undefined where it will not do. `words` say what to pass instead. */
export interface Rule {
  words: string;
  needed: boolean;
  read(value: unknown): unknown;
}

const YEAR_MS = 31_622_400_000;
const TOTAL = 1e12;
/** No text column can hold these: NUL, and halves of characters. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

const text = (form: RegExp, words: string): Rule => rule(words, (value) => (typeof value === 'string' && form.test(value) && !UNSTORABLE.test(value) ? value : undefined));
const number = (least: number, most: number, words = `a number from ${least} to ${most}`): Rule =>
  rule(words, (value) => (typeof value === 'number' && value >= least && value <= most ? value : undefined));
const count = (most = 1_000_000): Rule => rule(`an integer from 0 to ${most}`, (value) => (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most ? value : undefined));
const oneOf = (...words: string[]): Rule => rule(`one of ${words.join(', ')}`, (value) => (words.includes(value as string) ? value : undefined));
const optional = (needed: Rule): Rule => ({ ...needed, needed: false });

function rule(words: string, read: (value: unknown) => unknown): Rule {
  return { words, needed: true, read };
}

export const code = text(/^[A-Za-z0-9][A-Za-z0-9._:/+-]{0,127}$/, 'a code of 1 to 128 letters, digits and . _ : / + - that begins with a letter or digit');
export const id = text(/^[!-?A-~]{1,128}$/, 'an id of 1 to 128 visible ASCII characters without @');
export const person = text(/^[^\x00-\x1F\x7F]{1,256}$/, 'the person as the host knows them: a string of 1 to 256 characters without control characters');
export const eventId = text(/^[^\x00-\x1F\x7F]{1,128}$/, 'a string of 1 to 128 characters without control characters');
export const deployment = text(/^[A-Za-z0-9._-]{1,64}$/, 'the id of a deployment: 1 to 64 letters, digits, ., _ and -');
export const source = text(/^[!-~]{1,256}$/, 'a URI reference of 1 to 256 visible ASCII characters such as urn:acme:erp');
export const traceparent = text(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/, 'a W3C traceparent');

const flag = rule('true or false', (value) => (typeof value === 'boolean' ? value : undefined));
const share = number(0, 1);
const measured = number(-1e15, 1e15, 'a finite number');
/** Clocks give fractions of a millisecond; the contract takes whole ones. */
const milliseconds = rule('milliseconds, at most a year', (value) => (typeof value === 'number' && value >= 0 && value <= YEAR_MS ? Math.round(value) : undefined));
const moment = rule('a day such as 2026-01-05, or a Date or date-time with offset', (value) => (typeof value === 'string' && microsOf(value) !== undefined ? value : undefined));
const comment = rule('a text of 1 to 2000 characters', (value) => (typeof value === 'string' && value.length >= 1 && value.length <= 2_000 && !UNSTORABLE.test(value) ? value : undefined));

const INPUT: Record<string, Rule> = { profile: optional(code), fields: count(), missing: count(), unknown: count(), malformed: count() };
const input = rule('how many fields the input has, and how many are missing, unknown and malformed', (value) => {
  if (typeof value !== 'object' || value === null) return undefined;
  const reading = read(INPUT, value as Record<string, unknown>);
  return 'data' in reading ? reading.data : undefined;
});

const FIELDS: Record<EventName, Record<string, Rule>> = {
  'invocation.started': { invocation: id, task: optional(id), taskKind: optional(code), surface: oneOf('in-workflow', 'side-tool', 'export'), initiative: oneOf('person', 'automatic', 'mandated'), model: optional(code), release: optional(code), input: optional(input) },
  'invocation.failed': { invocation: id, error: code },
  'result.shown': { invocation: id, options: optional(count()), firstMs: optional(milliseconds), latencyMs: optional(milliseconds), confidence: optional(share), model: optional(code), release: optional(code) },
  'result.accepted': { invocation: id, option: optional(count()), changed: optional(share), dwellMs: optional(milliseconds), actor: optional(person) },
  'result.overridden': { invocation: id, reason: optional(code), changed: optional(share), dwellMs: optional(milliseconds), actor: optional(person) },
  'result.abandoned': { invocation: id, cause: oneOf('dismissed', 'navigated', 'stopped', 'timed-out', 'worked-around') },
  'decision.withdrawn': { invocation: id, actor: optional(person) },
  'result.rechecked': { invocation: id, kept: share, afterDays: count(3_660) },
  'truth.established': { invocation: id, aiRight: flag, firstRight: optional(flag), finalRight: optional(flag), sampledWith: optional(number(Number.MIN_VALUE, 1, 'a number above 0 to 1')) },
  'task.completed': { task: id, taskKind: code, aided: optional(flag), durationMs: optional(milliseconds) },
  'queue.filled': { taskKind: code, items: count(TOTAL) },
  'feed.counted': { kind: oneOf('tasks', 'invocations'), from: moment, to: moment, count: count(TOTAL) },
  'feedback.given': { invocation: optional(id), score: number(-1, 1), comment: optional(comment) },
  'outcome.measured': { outcome: code, from: moment, to: moment, value: measured, count: count(TOTAL), sd: optional(number(0, 1e15, 'a number that is not negative')), team: optional(code), aided: optional(flag), revision: optional(count()) },
  'model.scored': { measure: code, from: moment, to: moment, value: measured, count: count(TOTAL) },
  'sdk.reported': {},
};

/** `data` as it may be sent, or the field at fault and what to pass there. `unknown` names a field that was left out. */
export type Reading = { data: Record<string, unknown>; unknown?: string } | { field: string; words: string };

/**
 * What a host passed as the facts of a call. What is no object holds none: it is told as a field that is not part of the
 * call, rather than taken apart (a long text has as many fields as letters).
 */
export function factsIn<Facts extends object>(facts: Facts): Partial<Facts> {
  return typeof facts === 'object' || facts === undefined ? (facts ?? {}) : ({ [typeof facts]: true } as Partial<Facts>);
}

/** Reads what a host passed for an event; null counts as left out. */
export function readFacts(name: EventName, facts: Record<string, unknown>): Reading {
  const reading = read(FIELDS[name], facts);
  if ('field' in reading) return reading;
  const { from, to } = reading.data as { from?: string; to?: string };
  return from !== undefined && to !== undefined && !isSpan(from, to) ? { field: 'to', words: 'the end of a span that begins with from, in the form of from' } : reading;
}

function read(rules: Record<string, Rule>, facts: Record<string, unknown>): Reading {
  const data: Record<string, unknown> = {};
  for (const field in rules) {
    const { needed, words, read } = rules[field]!;
    const value = facts[field];
    if (value === undefined || value === null) {
      if (needed) return { field, words };
      continue;
    }
    const good = read(value);
    if (good === undefined) return { field, words };
    data[field] = good;
  }
  for (const field in facts) if (facts[field] !== undefined && !Object.hasOwn(rules, field)) return { data, unknown: field };
  return { data };
}

/** Days are included whole, so one may be both ends; of two instants the second is the first that is not. */
function isSpan(from: string, to: string): boolean {
  if ((from.length === 10) !== (to.length === 10)) return false;
  return from.length === 10 ? microsOf(to)! >= microsOf(from)! : microsOf(to)! > microsOf(from)!;
}
