/** The SDK's own types and checks say what the contract says: everything it lets pass, the boundary takes. */
import { describe, expect, it } from '@jest/globals';
import { checkEvent, EVENT_BYTES, EVENT_NAMES, EVENTS, type EventData as ContractData } from '@foothold/contract';
import fc from 'fast-check';
import { startSdk } from '../../../test/support/sdk.js';
import { ABOUT_DEPLOYMENT, type EventData, type EventName } from './events.js';
import { Maker } from './maker.js';

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000_007);

/** Both ways assignable, for every event: a field that is added to one side only does not compile. */
type Same<A, B> = [A, B] extends [B, A] ? true : false;
type Agreement = { [Name in EventName]: Same<EventData[Name], ContractData<Name>> & Same<keyof EventData[Name], keyof ContractData<Name>> };
const agreement: { [Name in EventName]: true } = {} as Agreement;

const boundary = { pseudonymise: () => 'a'.repeat(64), subjects: 'raw', allowsComments: () => true } as const;
const { machine, session } = startSdk();
const maker = new Maker(machine, session.settings);

function made(name: EventName, facts: object, more: object = {}): Record<string, unknown> | undefined {
  const entry = maker.event({ call: 'spec', name, deployment: 'claims', person: 'jane', facts, id: undefined, time: undefined, ...more }, undefined, () => undefined);
  return 'field' in entry ? undefined : (JSON.parse(entry.text) as Record<string, unknown>);
}

const verdict = (event: unknown) => checkEvent(event, 'acme', machine.now() * 1000, boundary);

const EXAMPLES: EventData = {
  'invocation.started': { invocation: 'i-1', task: '4711', taskKind: 'claim-triage', surface: 'in-workflow', initiative: 'person', model: 'triage-2.1', release: '2026.1', input: { profile: 'scanned', fields: 12, missing: 1, unknown: 0, malformed: 2 } },
  'invocation.failed': { invocation: 'i-1', error: 'timeout' },
  'result.shown': { invocation: 'i-1', options: 3, firstMs: 120, latencyMs: 900, confidence: 0.8, model: 'triage-2.1', release: '2026.1' },
  'result.accepted': { invocation: 'i-1', option: 0, changed: 0.25, dwellMs: 4_000, actor: 'joe' },
  'result.overridden': { invocation: 'i-1', reason: 'wrong-tone', changed: 1, dwellMs: 4_000, actor: 'joe' },
  'result.abandoned': { invocation: 'i-1', cause: 'timed-out' },
  'decision.withdrawn': { invocation: 'i-1', actor: 'joe' },
  'result.rechecked': { invocation: 'i-1', kept: 0.9, afterDays: 30 },
  'truth.established': { invocation: 'i-1', aiRight: true, firstRight: false, finalRight: true, sampledWith: 0.05 },
  'task.completed': { task: '4711', taskKind: 'claim-triage', aided: false, durationMs: 60_000 },
  'queue.filled': { taskKind: 'claim-triage', items: 42 },
  'feed.counted': { kind: 'tasks', from: '2026-01-05', to: '2026-01-05', count: 310 },
  'feedback.given': { invocation: 'i-1', score: -1, comment: 'quite useful' },
  'outcome.measured': { outcome: 'days-to-decision', from: '2026-01-04T00:00:00Z', to: '2026-01-05T00:00:00Z', value: 3.5, count: 80, sd: 1.2, team: 'north', aided: true, revision: 1 },
  'model.scored': { measure: 'auc', from: '2026-01-04', to: '2026-01-05', value: 0.83, count: 500 },
  'sdk.reported': { queued: 0, dropped: {}, sdk: 'foothold-js', version: '1.0.0' },
};
const REPORTED = EVENT_NAMES.filter((name) => name !== 'sdk.reported');

describe('the contract', () => {
  it('has the same events about the same', () => {
    expect(agreement).toBeDefined();
    expect(Object.keys(EXAMPLES).sort()).toEqual([...EVENT_NAMES].sort());
    expect(EVENT_NAMES.filter((name) => EVENTS[name].subjectRule !== 'required').sort()).toEqual([...ABOUT_DEPLOYMENT].sort());
  });

  it.each(REPORTED)('%s, with every field there is, passes as it is', (name) => {
    expect(Object.keys(EXAMPLES[name]).sort()).toEqual(Object.keys(EVENTS[name].data.properties).sort());
    const event = made(name, EXAMPLES[name])!;
    expect(event['data']).toEqual(EXAMPLES[name]);
    expect(verdict(event).outcome).toBe('accepted');
  });

  it('the events of a session are still taken, and in order, after thousands of millions', () => {
    const long = new Maker(machine, session.settings);
    const numbers = [999_999_998, 999_999_999, 99_999_999_999, 999_999_999_998].map((told) => {
      Object.assign(long, { counted: told });
      const event = JSON.parse(long.heartbeat(0, {}).text) as { sequence: string };
      expect(verdict(event).outcome).toBe('accepted');
      return event.sequence;
    });
    expect(numbers.map((number) => [number.length, Number(number.slice(8))])).toEqual([999_999_999, 1_000_000_000, 100_000_000_000, 999_999_999_999].map((n) => [20, n]));
    expect(numbers.slice().sort()).toEqual(numbers);
  });

  it('a heartbeat passes', () => {
    expect(verdict(JSON.parse(maker.heartbeat(2e6, { 'queue-full': 1e13, refused: 2 }).text)).outcome).toBe('accepted');
  });

  it('the longest event is far from what an event may have', () => {
    const comment = '\u0001'.repeat(2_000);
    const { text, bytes } = maker.event({ call: 'feedback', name: 'feedback.given', deployment: 'd'.repeat(64), person: '🧡'.repeat(128), facts: { invocation: '"'.repeat(128), score: 1, comment }, id: '🧡'.repeat(64), time: undefined }, undefined, () => undefined) as { text: string; bytes: number };
    expect(verdict(JSON.parse(text)).outcome).toBe('accepted');
    expect(bytes).toBeLessThan(EVENT_BYTES / 2);
    expect(bytes).toBe(Buffer.byteLength(text) + ',"senttime":"2026-01-05T09:30:00.000Z",'.length);
  });
});

/** Values near what is allowed, on either side. */
const value = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, -0, 1, -1, 0.5, 1e6, 1e6 + 1, 3_660, 3_661, 1e12, 1e12 + 1, 1e15, 1e16, -1e15, 31_622_400_000, 31_622_400_001, NaN, Infinity, Number.MIN_VALUE),
  fc.constantFrom<unknown>('', 'a', 'a b', 'a@b', 'in-workflow', 'person', 'tasks', 'dismissed', '\0', '\ud800', '🧡', 'x'.repeat(128), 'x'.repeat(129), 'é', '\n', [], {}, { fields: 1, missing: 0, unknown: 0, malformed: 0 }, { fields: 1 }),
  fc.constantFrom<unknown>('2026-01-05', '2026-02-29', '2024-02-29', '1684-12-31', '2255-01-01', '2026-01-05T24:00:00Z', '2026-01-05T09:30:60Z', '2026-01-05t09:30:00.000000001z', '2026-01-05T09:30:00+23:59', '2026-01-05T09:30:00', '2026-01-05T09:30:00-24:00'),
  fc.string({ unit: 'binary', maxLength: 140 }),
  fc.double(),
);

const seldom = (usual: unknown) => fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: value });

describe('whatever a host passes', () => {
  const wild = fc.constantFrom(...REPORTED).chain((name) =>
    fc.tuple(fc.constant(name), fc.dictionary(fc.constantFrom(...Object.keys(EVENTS[name].data.properties)), value, { maxKeys: 2 }), seldom(undefined), seldom(undefined), seldom('jane')),
  );

  it(`the boundary takes what the SDK lets pass (SEED=${SEED})`, () => {
    let passed = 0;
    const property = fc.property(wild, ([name, facts, id, time, person]) => {
      const event = made(name, { ...EXAMPLES[name], ...facts }, { id, time, person });
      if (event === undefined) return;
      const { outcome } = verdict(event);
      if (outcome === 'refused' && JSON.stringify(verdict(event)).includes('after the event arrived')) return; // only the collector knows what is late
      passed++;
      expect([event, outcome]).toEqual([event, 'accepted']);
    });
    fc.assert(property, { seed: SEED, numRuns: 5_000 });
    expect(passed).toBeGreaterThan(500);
  });

  it(`the SDK lets pass what the boundary takes (SEED=${SEED})`, () => {
    const property = fc.property(wild, ([name, facts]) => {
      const data = Object.fromEntries(Object.entries({ ...EXAMPLES[name], ...facts }).filter(([, field]) => field !== null));
      const subject = ABOUT_DEPLOYMENT.has(name) ? undefined : 'jane';
      const taken = verdict(JSON.parse(JSON.stringify({ specversion: '1.0', id: 'x', source: 'urn:x', type: `foothold.${name}.v1`, subject, time: '2026-01-05T09:30:00Z', deployment: 'claims', data }))).outcome === 'accepted';
      if (taken) expect([data, made(name, data) !== undefined]).toEqual([data, true]);
    });
    fc.assert(property, { seed: SEED, numRuns: 5_000 });
  });
});
