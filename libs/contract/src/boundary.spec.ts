import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { checkEvent, checkMessage, EVENT_BYTES, EVENT_NAMES, EVENTS, type BoundaryOptions, type EventData, type EventName, type Refusal, type UsageEvent } from './index.js';

const RECEIVED = Date.UTC(2026, 0, 6) * 1000;
const PSEUDONYM = 'a'.repeat(64);
const pseudonymOf = (tenant: string, person: string) => createHash('sha256').update(`${tenant}/${person}`).digest('hex');
const raw: BoundaryOptions = { pseudonymise: pseudonymOf, subjects: 'raw' };
const topic: BoundaryOptions = { ...raw, subjects: 'pseudonyms' };
const talkative: BoundaryOptions = { ...raw, allowsComments: (tenant, deployment) => tenant === 'acme' && deployment === 'claims' };

const EXAMPLES: { [Name in EventName]: EventData<Name> } = {
  'invocation.started': { invocation: 'i-1', task: '4711', taskKind: 'claim-triage', surface: 'in-workflow', initiative: 'person', model: 'triage-2.1', release: '2026.1', input: { profile: 'scanned', fields: 12, missing: 1, unknown: 0, malformed: 2 } },
  'invocation.failed': { invocation: 'i-1', error: 'timeout' },
  'result.shown': { invocation: 'i-1', options: 3, firstMs: 120, latencyMs: 900, confidence: 0.8, model: 'triage-2.1' },
  'result.accepted': { invocation: 'i-1', option: 0, changed: 0.25, dwellMs: 4_000, actor: 'joe' },
  'result.overridden': { invocation: 'i-1', reason: 'wrong-tone', changed: 1 },
  'result.abandoned': { invocation: 'i-1', cause: 'timed-out' },
  'decision.withdrawn': { invocation: 'i-1' },
  'result.rechecked': { invocation: 'i-1', kept: 0.9, afterDays: 30 },
  'truth.established': { invocation: 'i-1', aiRight: true, firstRight: false, finalRight: true, sampledWith: 0.05 },
  'task.completed': { task: '4711', taskKind: 'claim-triage', aided: false, durationMs: 60_000 },
  'queue.filled': { taskKind: 'claim-triage', items: 42 },
  'feed.counted': { kind: 'tasks', from: '2026-01-05', to: '2026-01-05', count: 310 },
  'feedback.given': { invocation: 'i-1', score: -1 },
  'outcome.measured': { outcome: 'days-to-decision', from: '2026-01-04T00:00:00Z', to: '2026-01-05T00:00:00Z', value: 3.5, count: 80, sd: 1.2, team: 'north', aided: true, revision: 1 },
  'model.scored': { measure: 'auc', from: '2026-01-04', to: '2026-01-05', value: 0.83, count: 500 },
  'sdk.reported': { queued: 0, dropped: { 'queue-full': 3 }, sdk: 'foothold-js', version: '1.0.0' },
};

/** A fine event; `changes` replace attributes (undefined removes one), `data` replaces fields of data. */
function eventOf(name: EventName, changes: Record<string, unknown> = {}, data: Record<string, unknown> = {}): Record<string, unknown> {
  const whole = {
    specversion: '1.0',
    id: '01890a5d-ac96-774b-8c3a-0123456789ab',
    source: 'urn:acme:erp',
    type: `foothold.${name}.v1`,
    ...(EVENTS[name].subjectRule === 'required' ? { subject: 'jane' } : {}),
    time: '2026-01-05T09:30:00.123456Z',
    deployment: 'claims',
    data: { ...EXAMPLES[name], ...data },
    ...changes,
  };
  return JSON.parse(JSON.stringify(whole)) as Record<string, unknown>;
}

function accepted(value: unknown, options = raw): UsageEvent {
  const verdict = checkEvent(value, 'acme', RECEIVED, options);
  if (verdict.outcome === 'refused') throw new Error(JSON.stringify(verdict.refusal));
  return verdict.event;
}

function refusal(value: unknown, options = raw): Refusal {
  const verdict = checkEvent(value, 'acme', RECEIVED, options);
  if (verdict.outcome === 'accepted') throw new Error('was accepted');
  return verdict.refusal;
}

describe('what is accepted', () => {
  it.each(EVENT_NAMES)('%s', (name) => {
    const event = accepted(eventOf(name));
    expect(event.type).toBe(name);
    expect(event.person).toBe(EVENTS[name].subjectRule === 'required' ? pseudonymOf('acme', 'jane') : null);
    expect(JSON.parse(event.data)).toEqual({ ...EXAMPLES[name], actor: undefined });
  });

  it('an event, whole', () => {
    expect(accepted(eventOf('result.accepted', { id: 'erp:4711:2', time: '2026-01-05T10:30:00+01:00', sequence: '7', senttime: '2026-01-05T09:31:00Z', datacontenttype: 'application/json', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }))).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      source: 'urn:acme:erp',
      type: 'result.accepted',
      time: Date.UTC(2026, 0, 5, 9, 30) * 1000,
      deployment: 'claims',
      person: pseudonymOf('acme', 'jane'),
      actor: pseudonymOf('acme', 'joe'),
      data: '{"changed":0.25,"dwellMs":4000,"invocation":"i-1","option":0}',
      sequence: '7',
    });
  });

  it('the same body in whatever order its fields come', () => {
    const { data, ...rest } = eventOf('result.accepted');
    const turned = { data: Object.fromEntries(Object.entries(data as object).reverse()), ...Object.fromEntries(Object.entries(rest).reverse()) };
    expect(accepted(turned)).toEqual(accepted(eventOf('result.accepted')));
  });

  it('pseudonyms on the collector’s own topic, as they are', () => {
    const event = accepted(eventOf('result.accepted', { subject: PSEUDONYM }, { actor: 'b'.repeat(64) }), topic);
    expect([event.person, event.actor]).toEqual([PSEUDONYM, 'b'.repeat(64)]);
  });

  it('a comment where the deployment allows it', () => {
    expect(accepted(eventOf('feedback.given', {}, { comment: 'quite\nuseful' }), talkative).data).toBe('{"comment":"quite\\nuseful","invocation":"i-1","score":-1}');
  });

  it('a heartbeat with a person and without', () => {
    expect(accepted(eventOf('sdk.reported', { subject: 'jane' })).person).toBe(pseudonymOf('acme', 'jane'));
    expect(accepted(eventOf('sdk.reported')).person).toBeNull();
  });

  it('a time up to a day ahead', () => {
    expect(accepted(eventOf('result.shown', { time: '2026-01-07T00:00:00Z' })).time).toBe(RECEIVED + 86_400_000_000);
  });
});

/** [what, event, field, part of the fix, whether the payload is kept] */
const WRONG: [string, unknown, string, string, boolean][] = [
  ['no object', [1, 2], 'body', 'an object', false],
  ['null', null, 'body', 'an object', false],
  ['another CloudEvents version', eventOf('result.shown', { specversion: '0.3' }), 'specversion', '"1.0"', true],
  ['no id', eventOf('result.shown', { id: undefined }), 'id', 'UUIDv7', true],
  ['an id that is too long', eventOf('result.shown', { id: 'x'.repeat(129) }), 'id', '1 to 128', true],
  ['a lesser fault under an id with a name in it', eventOf('result.shown', { id: 'jane@acme.com:1' }, { confidence: 2 }), 'data.confidence', 'from 0 to 1', false],
  ['half a character in the id', { ...eventOf('result.shown'), id: 'x\ud800' }, 'id', 'well-formed', false],
  ['a source with white space', eventOf('result.shown', { source: 'my app' }), 'source', 'URI', false],
  ['no type', eventOf('result.shown', { type: undefined }), 'type', 'a string', false],
  ['an unknown type', eventOf('result.shown', { type: 'foothold.result.showed.v1' }), 'type', 'foothold.result.shown.v1', false],
  ['a type without prefix', eventOf('result.shown', { type: 'task.complete' }), 'type', 'foothold.task.completed.v1', false],
  ['no subject', eventOf('result.shown', { subject: undefined }), 'subject', 'send the person', true],
  ['a subject that is a number', eventOf('result.shown', { subject: 4711 }), 'subject', 'as a string', false],
  ['a NUL in the subject', eventOf('result.shown', { subject: 'ja\0ne' }), 'subject', 'control characters', false],
  ['half a character in the subject', { ...eventOf('result.shown'), subject: '\udc00' }, 'subject', 'well-formed', false],
  ['a subject of a deployment’s event', eventOf('queue.filled', { subject: 'jane' }), 'subject', 'leave it out', true],
  ['a day that does not exist', eventOf('result.shown', { time: '2026-02-30T09:30:00Z' }), 'time', 'exists', true],
  ['a leap second', eventOf('result.shown', { time: '2016-12-31T23:59:60Z' }), 'time', 'leap second', true],
  ['a time without offset', eventOf('result.shown', { time: '2026-01-05T09:30:00' }), 'time', 'offset', true],
  ['a time that is a number', eventOf('result.shown', { time: 1767605400 }), 'time', 'RFC 3339', true],
  ['a time two days ahead', eventOf('result.shown', { time: '2026-01-08T00:00:00Z' }), 'time', 'clock', true],
  ['a senttime that does not exist', eventOf('result.shown', { senttime: '2026-01-05T24:00:00Z' }), 'senttime', 'exists', true],
  ['no deployment', eventOf('result.shown', { deployment: undefined }), 'deployment', '1 to 64', true],
  ['a deployment with a slash', eventOf('result.shown', { deployment: 'a/b' }), 'deployment', '1 to 64', true],
  ['a sequence that is a number', eventOf('result.shown', { sequence: 7 }), 'sequence', 'string of 1 to 20 digits', true],
  ['another content type', eventOf('result.shown', { datacontenttype: 'text/plain' }), 'datacontenttype', 'application/json', true],
  ['an unknown attribute', eventOf('result.shown', { username: 'jane' }), 'username', 'leave it out', false],
  ['an attribute with a telling name', eventOf('result.shown', { 'jane@acme.com': 1 }), 'body', 'leave it out', false],
  ['no data', eventOf('result.shown', { data: undefined }), 'data', 'an object', true],
  ['data that is text', eventOf('result.shown', { data: 'Dear Jane, ...' }), 'data', 'an object', false],
  ['an unknown field', eventOf('result.shown', {}, { prompt: 'Dear Jane' }), 'data.prompt', 'leave it out', false],
  ['an unknown field further down', eventOf('invocation.started', {}, { input: { fields: 1, missing: 0, unknown: 0, malformed: 0, text: 'x' } }), 'data.input.text', 'leave it out', false],
  ['an unknown field beside a lesser fault', eventOf('result.shown', { deployment: undefined }, { prompt: 'Hi' }), 'data.prompt', 'leave it out', false],
  ['a missing field', eventOf('result.shown', {}, { invocation: undefined }), 'data.invocation', 'an id', true],
  ['a value that is none of those there are', eventOf('invocation.started', {}, { surface: 'in_workflow' }), 'data.surface', 'in-workflow, side-tool, export', true],
  ['a sentence for a code', eventOf('result.overridden', {}, { reason: 'told me so' }), 'data.reason', 'a code', false],
  ['an e-mail address for a code', eventOf('result.overridden', {}, { reason: 'jane@acme.com' }), 'data.reason', 'a code', false],
  ['an object for a code', eventOf('result.overridden', {}, { reason: { by: 'jane' } }), 'data.reason', 'a code', false],
  ['null for an optional field', eventOf('result.shown', {}, { model: null }), 'data.model', 'leave the field out', true],
  ['a share above one', eventOf('result.shown', {}, { confidence: 80 }), 'data.confidence', 'a number from 0 to 1', true],
  ['a probability of nothing', eventOf('truth.established', {}, { sampledWith: 0 }), 'data.sampledWith', 'above 0 to 1', true],
  ['milliseconds below zero', eventOf('result.accepted', {}, { dwellMs: -1 }), 'data.dwellMs', 'an integer from 0', true],
  ['more than a number can hold', { ...eventOf('queue.filled'), data: JSON.parse('{"taskKind":"a","items":1e400}') }, 'data.items', 'an integer from 0', false],
  ['half a millisecond', eventOf('result.accepted', {}, { dwellMs: 0.5 }), 'data.dwellMs', 'an integer from 0', true],
  ['a flag that is text', eventOf('task.completed', {}, { aided: 'yes' }), 'data.aided', 'true or false', true],
  ['an actor that is no string', eventOf('result.accepted', {}, { actor: { name: 'joe' } }), 'data.actor', 'a string of 1 to 256', false],
  ['a comment', eventOf('feedback.given', {}, { comment: 'Joe is slow' }), 'data.comment', 'allow comments', false],
  ['a comment beside a lesser fault', eventOf('feedback.given', {}, { comment: 'Joe is slow', score: 2 }), 'data.comment', 'allow comments', false],
  ['a day that does not exist in a span', eventOf('feed.counted', {}, { to: '2026-02-30' }), 'data.to', 'exists', true],
  ['a span from a day to an instant', eventOf('feed.counted', {}, { to: '2026-01-06T00:00:00Z' }), 'data.to', 'both', true],
  ['a span that ends before it begins', eventOf('feed.counted', {}, { to: '2026-01-04' }), 'data.to', 'ends after', true],
  ['a sentence for a reason of loss', eventOf('sdk.reported', {}, { dropped: { 'too long for Jane': 1 } }), 'data.dropped', 'a code', false],
  ['a loss below zero', eventOf('sdk.reported', {}, { dropped: { full: -1 } }), 'data.dropped', 'an integer', true],
  ['deep nesting', eventOf('result.shown', {}, { input: [[[[[[[1]]]]]]] }), 'body', 'fields of the event', false],
  ['a prototype', JSON.parse(JSON.stringify(eventOf('result.shown')).replace('"data":{', '"data":{"__proto__":{"polluted":1},')), 'data', 'leave it out', false],
];

describe('what is refused', () => {
  it.each(WRONG)('%s', (_what, value, field, fix, kept) => {
    const found = refusal(value);
    expect(found).toMatchObject({ kind: 'rejected', field, fix: expect.stringContaining(fix), tenant: 'acme' });
    expect([typeof found.payload === 'string', found.payload]).toEqual([kept, kept ? found.payload : null]);
    for (const told of [found.reason, found.fix, found.payload ?? '']) expect(told).not.toMatch(/jane|joe/i);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('with the shape of what it found and what is known of the event', () => {
    expect(refusal(eventOf('invocation.started', {}, { surface: 'in_workflow' }))).toEqual({
      kind: 'rejected',
      field: 'data.surface',
      reason: 'a string of 11 characters: none of the values there are',
      fix: 'send one of in-workflow, side-tool, export',
      tenant: 'acme',
      deployment: 'claims',
      source: 'urn:acme:erp',
      type: 'foothold.invocation.started.v1',
      id: '01890a5d-ac96-774b-8c3a-0123456789ab',
      payload: expect.stringContaining(`"subject":"${pseudonymOf('acme', 'jane')}"`),
    });
  });

  it('names instead of pseudonyms on the collector’s own topic', () => {
    for (const wrong of [eventOf('result.shown'), eventOf('result.shown', { subject: PSEUDONYM.toUpperCase() })]) {
      expect(refusal(wrong, topic)).toMatchObject({ field: 'subject', fix: expect.stringContaining('collector'), payload: null });
    }
    expect(refusal(eventOf('result.accepted', { subject: PSEUDONYM }), topic)).toMatchObject({ field: 'data.actor', payload: null });
  });

  it('an event with an allowed comment without keeping it', () => {
    expect(refusal(eventOf('feedback.given', {}, { comment: 'fine', score: 2 }), talkative)).toMatchObject({ field: 'data.score', payload: null });
    expect(refusal({ ...eventOf('feedback.given'), data: { score: 1, comment: 'nul\0' } }, talkative)).toMatchObject({ field: 'data.comment', payload: null });
  });

  it('a newer version for later, with pseudonyms', () => {
    const newer = eventOf('result.accepted', { type: 'foothold.result.accepted.v2' }, { mood: 'fine' });
    const found = refusal(newer);
    expect(found).toMatchObject({ kind: 'quarantined', field: 'type', reason: expect.stringContaining('version 2 of result.accepted'), type: 'foothold.result.accepted.v2' });
    expect(JSON.parse(found.payload!)).toEqual({ ...newer, subject: pseudonymOf('acme', 'jane'), data: { ...(newer['data'] as object), actor: pseudonymOf('acme', 'joe') } });
  });

  it('a newer version for good where it names people or cannot be stored', () => {
    const type = 'foothold.feedback.given.v2';
    expect(refusal(eventOf('feedback.given', { type }, { comment: 'Joe' }))).toMatchObject({ kind: 'rejected', field: 'data.comment', payload: null });
    expect(refusal(eventOf('feedback.given', { type }, { actor: 7 }))).toMatchObject({ kind: 'rejected', field: 'data.actor', payload: null });
    expect(refusal(eventOf('feedback.given', { type }, { more: ['\0'] }))).toMatchObject({ kind: 'rejected', field: 'data', payload: null });
    expect(refusal({ ...eventOf('feedback.given', { type }), data: JSON.parse('{"more":1e400}') })).toMatchObject({ kind: 'rejected', field: 'data', payload: null });
    expect(refusal(eventOf('feedback.given', { type, data: 'text' }))).toMatchObject({ kind: 'rejected', field: 'data', payload: null });
  });
});

describe('a message', () => {
  const check = (bytes: Uint8Array | string) => checkMessage(bytes, 'acme', RECEIVED, raw);
  const reasonOf = (bytes: Uint8Array | string) => {
    const verdict = check(bytes);
    return verdict.outcome === 'refused' ? [verdict.refusal.field, verdict.refusal.reason] : 'accepted';
  };

  it('is read from bytes, from a part of a buffer and from text', () => {
    const text = JSON.stringify(eventOf('result.shown', { subject: 'Zoë \ufffd' }));
    const part = Buffer.from(`..${text}..`).subarray(2, -2);
    for (const bytes of [text, Buffer.from(text), new TextEncoder().encode(text), part]) {
      expect(check(bytes)).toMatchObject({ outcome: 'accepted', event: { person: pseudonymOf('acme', 'Zoë \ufffd') } });
    }
  });

  it('is refused when it is too long, empty, no JSON, no UTF-8 or bottomless', () => {
    expect(reasonOf(`"${'ü'.repeat(EVENT_BYTES / 2)}"`)).toEqual(['body', `${EVENT_BYTES + 2} bytes, more than the ${EVENT_BYTES} an event may have`]);
    expect(reasonOf('')).toEqual(['body', 'nothing']);
    expect(reasonOf('{"subject":"jane"')).toEqual(['body', '17 bytes that are not JSON']);
    expect(reasonOf(Buffer.from([0x22, 0xff, 0x22]))).toEqual(['body', '3 bytes that are not UTF-8']);
    expect(reasonOf('['.repeat(16_000) + ']'.repeat(16_000))).toEqual(['body', 'nested deeper than 8 levels']);
  });
});

describe('whatever comes', () => {
  const part = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom('jane doe', 'a@b.c', '\0', '\ud800', -1, 0.5, 1e9, Infinity, [], {}, '2026-02-30', PSEUDONYM));
  const place = fc.constantFrom('id', 'source', 'type', 'subject', 'time', 'deployment', 'data', 'data.invocation', 'data.actor', 'data.changed', 'data.surface', 'data.dropped', 'data.from', 'data.comment', 'data.zzz', 'zzz');
  const version = fc.constantFrom('v1', 'v1', 'v2');

  it('there is a verdict, with words of its own, and names stay out of it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...EVENT_NAMES), version, fc.array(fc.tuple(place, fc.option(part, { nil: undefined })), { maxLength: 3 }), (name, tail, changes) => {
        const event = eventOf(name, { type: `foothold.${name}.${tail}` });
        for (const [path, value] of changes) {
          // A source names an application, and may well do so with an @.
          if (path === 'source' && value === 'a@b.c') continue;
          if (!path.startsWith('data.')) event[path] = value;
          else if (typeof event['data'] === 'object' && event['data'] !== null) (event['data'] as Record<string, unknown>)[path.slice(5)] = value;
        }
        const verdict = checkEvent(event, 'acme', RECEIVED, raw);
        if (verdict.outcome === 'accepted' || verdict.refusal.kind === 'quarantined') return;
        expect(verdict.refusal.reason).not.toBe('not of the form its type must have');
        expect(JSON.stringify(verdict)).not.toMatch(/jane|joe|@b\.c|\\\\u0000|\\\\ud800/);
      }),
      { numRuns: 5_000 },
    );
  });
});
