/**
 * Every field of every usage event, given what it must not be, and what somebody hostile would send.
 * Cases are derived from the schemas, what is said of them is not: a field that is added is tested the day it is.
 */
import { describe, expect, it } from '@jest/globals';
import { type TSchema } from 'typebox';
import { checkEvent, checkMessage, EVENT_NAMES, EVENTS, typeOf, type BoundaryOptions, type EventName, type Refusal } from './index.js';

const RECEIVED = Date.UTC(2026, 0, 6) * 1000;
const raw: BoundaryOptions = { pseudonymise: () => 'f'.repeat(64), subjects: 'raw' };

interface Shape {
  type?: string;
  enum?: string[];
  pattern?: string;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  required?: string[];
  properties?: Record<string, TSchema>;
}

/** The least that fits a schema. */
function fitting(schema: TSchema): unknown {
  const { type, enum: choices, pattern, minimum, maximum, properties, required = [] } = schema as Shape;
  if (choices) return choices[0];
  if (type === 'object') return properties ? Object.fromEntries(required.map((key) => [key, fitting(properties[key]!)])) : {};
  if (type === 'string') return pattern?.includes('\\d{4}') ? '2026-01-05' : 'a-1';
  return type === 'boolean' ? true : (minimum ?? maximum);
}

function eventOf(name: EventName, data: Record<string, unknown> = {}, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    specversion: '1.0', id: 'erp:1', source: 'urn:acme:erp', type: typeOf(name), time: '2026-01-05T09:30:00Z', deployment: 'claims',
    ...(EVENTS[name].subjectRule === 'required' ? { subject: 'Jane Doe' } : {}),
    data: { ...(fitting(EVENTS[name].data) as object), ...data },
    ...more,
  };
}

function refusalOf(value: unknown): Refusal {
  const verdict = typeof value === 'string' ? checkMessage(value, 'acme', RECEIVED, raw) : checkEvent(value, 'acme', RECEIVED, raw);
  if (verdict.outcome === 'accepted') throw new Error('was accepted');
  return verdict.refusal;
}

/** A wrong value for a field, and what the fix must say. */
type Wrong = [what: string, value: unknown, fix: string];

function wrongFor(schema: TSchema, required: boolean): Wrong[] {
  const { type, enum: choices, pattern, minimum, exclusiveMinimum, maximum } = schema as Shape;
  const wrong: Wrong[] = [['null', null, 'send'], ['a list', [1], 'send']];
  if (required) wrong.push(['missing', undefined, 'send']);
  if (type === 'boolean') wrong.push(['text', 'true', 'true or false'], ['a number', 1, 'true or false']);
  else if (choices) wrong.push(['another word', 'in_workflow', choices.join(', ')], ['a number', 0, choices.join(', ')]);
  else if (type === 'string') {
    wrong.push(['a number', 7, 'send'], ['empty', '', 'send']);
    if (pattern && !pattern.includes('\\x00-')) wrong.push(['an e-mail address', 'jane@acme.com', 'send'], ['an escape', 'a\u001b[31m', 'send'], ['a sentence', 'Jane said so', 'send']);
    else if (pattern) wrong.push(['a thousand characters', 'x'.repeat(1000), '1 to 256'], ['a NUL', 'a\0', 'without control characters']);
  } else if (type === 'number' || type === 'integer') {
    const range = `${exclusiveMinimum === undefined ? `from ${minimum}` : `above ${exclusiveMinimum}`} to ${maximum}`;
    wrong.push(['text', '1', range], ['too much', maximum! * 2, range], ['endless', Infinity, range], ['too little', (exclusiveMinimum ?? minimum)! - 1, range]);
    if (type === 'integer') wrong.push(['a part of one', 0.5, `an integer ${range}`]);
  } else wrong.push(['text', 'three words of Jane', 'an object']);
  return wrong;
}

/** [event, field, what, event with that field wrong, part of the fix] */
const FIELDS = EVENT_NAMES.flatMap((name) => {
  const { properties, required = [] } = EVENTS[name].data as Shape;
  return Object.entries(properties!).flatMap(([key, schema]) => {
    if (key === 'comment') return []; // refused whatever it is, below
    const rows: [EventName, string, string, unknown, string][] = wrongFor(schema, required.includes(key)).map(([what, value, fix]) => [name, `data.${key}`, what, eventOf(name, { [key]: value }), fix]);
    const inner = schema as Shape;
    for (const [part, partSchema] of Object.entries(inner.properties ?? {})) {
      for (const [what, value, fix] of wrongFor(partSchema, inner.required!.includes(part))) {
        rows.push([name, `data.${key}.${part}`, what, eventOf(name, { [key]: { ...(fitting(schema) as object), [part]: value } }), fix]);
      }
    }
    return rows;
  });
});

describe('every field of every event', () => {
  it('there are many, in every event', () => {
    expect(FIELDS.length).toBeGreaterThan(400);
    expect(new Set(FIELDS.map(([name]) => name))).toEqual(new Set(EVENT_NAMES));
    for (const name of EVENT_NAMES) expect(checkEvent(eventOf(name), 'acme', RECEIVED, raw)).toMatchObject({ outcome: 'accepted' });
  });

  it.each(FIELDS)('%s: %s, %s', (name, field, _what, event, fix) => {
    const found = refusalOf(event);
    expect(found).toMatchObject({ kind: 'rejected', field, fix: expect.stringContaining(fix), deployment: 'claims', source: 'urn:acme:erp', type: typeOf(name), id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(found.fix.length).toBeGreaterThan(5);
    expect(JSON.stringify(found)).not.toMatch(/jane|\\u0000|\\u001b/i);
  });

  it.each(EVENT_NAMES)('%s: a field it does not have, and a comment', (name) => {
    expect(refusalOf(eventOf(name, { prompt: 'Dear Jane' }))).toMatchObject({ field: 'data.prompt', fix: expect.stringMatching(/^leave it out; the fields of data are /), payload: null });
    expect(refusalOf(eventOf(name, { comment: 'Jane is slow' }))).toMatchObject({ field: 'data.comment', fix: expect.stringContaining('leave it out'), payload: null });
  });

  it.each(EVENT_NAMES)('%s: no data, and a person where there must be another', (name) => {
    for (const data of [undefined, null, [], 'Jane', 7]) expect(refusalOf(eventOf(name, {}, { data }))).toMatchObject({ field: 'data', fix: 'send an object' });
    const { subjectRule } = EVENTS[name];
    if (subjectRule === 'required') expect(refusalOf(eventOf(name, {}, { subject: undefined }))).toMatchObject({ field: 'subject', fix: 'send the person, as the host knows them' });
    if (subjectRule === 'forbidden') expect(refusalOf(eventOf(name, {}, { subject: 'jane' }))).toMatchObject({ field: 'subject', fix: 'leave it out' });
    expect(refusalOf(eventOf(name, {}, { subject: ['jane'] }))).toMatchObject({ field: 'subject', payload: null });
  });
});

const shown = (data: Record<string, unknown> = {}, more: Record<string, unknown> = {}) => eventOf('result.shown', data, more);
const written = (...replacements: [string, string][]) => replacements.reduce((text, [from, to]) => text.replace(from, to), JSON.stringify(shown()));
const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 1]));

describe('what somebody hostile sends', () => {
  it.each<[string, unknown, string, string]>([
    ['a prototype beside the attributes', written(['{', '{"__proto__":{"polluted":1},']), 'body', 'leave it out'],
    ['a prototype for data', written(['"data":{', '"data":{"__proto__":{"invocation":"a-1"},']), 'data', 'leave it out'],
    ['a constructor', written(['{', '{"constructor":{"prototype":{"polluted":1}},']), 'constructor', 'leave it out'],
    ['a method’s name as a field', shown({ hasOwnProperty: 1 }), 'data.hasOwnProperty', 'leave it out'],
    ['a method’s name as a type', shown({}, { type: 'foothold.constructor.v1' }), 'type', 'did you mean'],
    ['a type without end', shown({}, { type: 'foothold.result.shown.v1'.repeat(1_000) }), 'type', 'did you mean'],
    ['a version no number holds', shown({}, { type: 'foothold.result.shown.v99999999' }), 'type', 'did you mean'],
    ['version nought', shown({}, { type: 'foothold.result.shown.v0' }), 'type', 'did you mean'],
    ['a number no number holds', written(['"data":{', '"data":{"confidence":1e400,']), 'data.confidence', 'from 0 to 1'],
    ['the same key twice, the last one wrong', written(['"data":{', '"data":{"confidence":1,"confidence":2,']), 'data.confidence', 'from 0 to 1'],
    ['half a character as a key', written(['"data":{', '"data":{"\\ud800":1,']), 'data', 'leave it out'],
    ['half a character as a value', written(['"a-1"', '"\\udc00"']), 'data.invocation', 'visible ASCII'],
    ['a NUL in an id', written(['"erp:1"', '"erp\\u0000"']), 'id', 'without control characters'],
    ['an escape sequence for a source', shown({}, { source: 'urn:\u001b]0;x\u0007' }), 'source', 'visible ASCII'],
    ['an escape sequence as a key', shown({ '\u001b[2J': 1 }), 'data', 'leave it out'],
    ['SQL as a deployment', shown({}, { deployment: "x'; drop table event; --" }), 'deployment', '1 to 64 letters'],
    ['a path as a deployment', shown({}, { deployment: '../../etc' }), 'deployment', '1 to 64 letters'],
    ['a line feed at the end of a deployment', shown({}, { deployment: 'claims\n' }), 'deployment', '1 to 64 letters'],
    ['a thousand characters of a person', shown({}, { subject: 'x'.repeat(1000) }), 'subject', '1 to 256'],
    ['10,000 attributes', shown({}, many(10_000)), 'k0', 'leave it out'],
    ['10,000 fields', shown(many(10_000)), 'data.k0', 'leave it out'],
    ['10,000 reasons of loss', eventOf('sdk.reported', { dropped: many(10_000) }), 'data.dropped', 'at most 32'],
    ['10,000 levels', `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`, 'body', 'the fields of the event only'],
    ['a list in lists', '['.repeat(9) + ']'.repeat(9), 'body', 'the fields of the event only'],
    ['a byte order mark', `\ufeff${written()}`, 'body', 'without byte order mark'],
    ['two events', written() + written(), 'body', 'one CloudEvent'],
    ['JavaScript', '{specversion:"1.0"}', 'body', 'as a JSON object'],
    ['a number without end for an event', '1e400', 'body', 'an object'],
    ['data as base64', shown({}, { data: undefined, data_base64: 'e30=' }), 'data_base64', 'leave it out'],
  ])('%s', (_what, value, field, fix) => {
    const found = refusalOf(value);
    expect(found).toMatchObject({ kind: 'rejected', field, fix: expect.stringContaining(fix), tenant: 'acme' });
    expect(JSON.stringify(found)).not.toMatch(/jane|polluted|drop table|\\u001b|\\u0000|\\ud800/i);
    expect(`${found.reason} ${found.fix}`.length).toBeLessThan(500);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('says what was there, not what a type of JavaScript is called', () => {
    expect(refusalOf([]).reason).toBe('a list of 0 items: not an object');
    expect(refusalOf('null').reason).toBe('null: not an object');
    expect(refusalOf(`\ufeff{}`).reason).toBe('5 bytes that begin with a byte order mark');
  });

  it('takes the last of two equal keys, as every JSON reader does, and stores nothing of the other', () => {
    const verdict = checkMessage(written(['"Jane Doe"', '"Jane Doe","subject":"Joe"'], ['"data":{', '"data":{"invocation":"Jane",']), 'acme', RECEIVED, raw);
    expect(verdict).toMatchObject({ outcome: 'accepted', event: { data: '{"invocation":"a-1"}' } });
    expect(JSON.stringify(verdict)).not.toMatch(/jane|joe/i);
  });
});
