/** Whatever a host passes by mistake: nothing is thrown, nothing is sent that should not be, and the drop is counted and told. */
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { startSdk } from '../../../test/support/sdk.js';
import { Foothold } from './index.js';
import { type FootholdOptions } from './options.js';

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000_007);
const STARTED = { surface: 'in-workflow', initiative: 'person' } as const;
type Sdk = ReturnType<typeof startSdk>;

const trap = new Proxy({}, {
  get: () => {
    throw new Error('trap');
  },
  ownKeys: () => {
    throw new Error('trap');
  },
});

afterEach(() => {
  jest.restoreAllMocks();
});

describe('a wrong argument', () => {
  it.each<[string, string, (sdk: Sdk) => void]>([
    ['invocation.surface', 'one of in-workflow, side-tool, export', ({ foothold }) => foothold.invocation({ ...STARTED, surface: 'popup' as never })],
    ['invocation.initiative', 'one of person, automatic, mandated', ({ foothold }) => foothold.invocation({ surface: 'export' } as never)],
    ['invocation.invocation', 'an id of 1 to 128 visible ASCII characters without @', ({ foothold }) => foothold.invocation({ ...STARTED, id: 'jane@acme' })],
    ['invocation.id', 'a string of 1 to 128 characters without control characters', ({ foothold }) => foothold.invocation({ ...STARTED, eventId: 4711 as never })],
    ['invocation.input', 'how many fields the input has, and how many are missing, unknown and malformed', ({ foothold }) => foothold.invocation({ ...STARTED, input: { fields: 3 } as never })],
    ['invocation.person', 'the person as the host knows them: a string of 1 to 256 characters without control characters; give one to Foothold, or use foothold.as(person)', ({ foothold }) => foothold.as(4711 as never).invocation(STARTED)],
    ['task.task', 'an id of 1 to 128 visible ASCII characters without @', ({ foothold }) => foothold.task(undefined as never)],
    ['task.taskKind', 'a code of 1 to 128 letters, digits and . _ : / + - that begins with a letter or digit', ({ foothold }) => foothold.task({ task: 't', taskKind: 'claim triage' })],
    ['task.durationMs', 'milliseconds, at most a year', ({ foothold }) => foothold.task({ task: 't', taskKind: 'k', durationMs: -1 })],
    ['task.time', 'a Date, milliseconds since 1970, or a date-time with offset', ({ foothold }) => foothold.task({ task: 't', taskKind: 'k', time: '2026-01-05' })],
    ['task.time', 'a Date, milliseconds since 1970, or a date-time with offset', ({ foothold }) => foothold.task({ task: 't', taskKind: 'k', time: new Date(NaN) })],
    ['queue.items', 'an integer from 0 to 1000000000000', ({ foothold }) => foothold.queue({ taskKind: 'k', items: 1.5 })],
    ['feed.to', 'the end of a span that begins with from, in the form of from', ({ foothold }) => foothold.feed({ kind: 'tasks', from: '2026-01-05', to: '2026-01-04', count: 1 })],
    ['feed.from', 'a day such as 2026-01-05, or a Date or date-time with offset', ({ foothold }) => foothold.feed({ kind: 'tasks', from: '2026-02-30', to: '2026-03-01', count: 1 })],
    ['feedback.score', 'a number from -1 to 1', ({ foothold }) => foothold.feedback({ score: 5 })],
    ['truth.invocation', 'an id of 1 to 128 visible ASCII characters without @', ({ foothold }) => foothold.truth({ aiRight: true } as never)],
    ['outcome.value', 'a finite number', ({ foothold }) => foothold.outcome({ outcome: 'days', from: new Date(0), to: new Date(1), value: Infinity, count: 1 })],
    ['modelScore.measure', 'a code of 1 to 128 letters, digits and . _ : / + - that begins with a letter or digit', ({ foothold }) => foothold.modelScore({ measure: 'F1 score', from: '2026-01-05', to: '2026-01-05', value: 1, count: 1 })],
    ['accepted.changed', 'a number from 0 to 1', ({ foothold }) => foothold.resume(foothold.invocation({ ...STARTED, id: 'i' }).token).accepted({ changed: NaN })],
    ['overridden.reason', 'a code of 1 to 128 letters, digits and . _ : / + - that begins with a letter or digit', ({ foothold }) => foothold.resume(foothold.invocation({ ...STARTED, id: 'i' }).token).overridden({ reason: 'It was too rude.' })],
    ['abandoned.cause', 'one of dismissed, navigated, stopped, timed-out, worked-around', ({ foothold }) => foothold.resume(foothold.invocation({ ...STARTED, id: 'i' }).token).abandoned('closed' as never)],
    ['rechecked.kept', 'a number from 0 to 1', ({ foothold }) => foothold.resume(foothold.invocation({ ...STARTED, id: 'i' }).token).rechecked(undefined as never)],
  ])('%s is dropped, and what to pass instead is said', (at, words, call) => {
    const sdk = startSdk();
    call(sdk);
    expect(sdk.foothold.stats().dropped).toEqual({ 'invalid-argument': 1 });
    const [name, field] = at.split('.');
    expect(sdk.warnings).toEqual([{ kind: 'invalid-argument', at, message: `${name}: ${field} must be ${words}; it was dropped` }]);
  });

  it('that throws when it is read is dropped', () => {
    const sdk = startSdk();
    sdk.foothold.task(trap as never);
    sdk.foothold.invocation(trap as never).accepted();
    const handle = sdk.foothold.invocation(STARTED);
    handle.shown(trap);
    handle.accepted(trap);
    handle.abandoned('dismissed', trap);
    sdk.foothold.feedback({ invocation: handle, ...{ score: trap as never } });
    expect(sdk.foothold.stats().dropped).toEqual({ 'sdk-error': 4, 'malformed-token': 1, 'invalid-argument': 1 });
  });

  it('null is as good as nothing', async () => {
    const sdk = startSdk();
    sdk.foothold.task({ task: 't', taskKind: 'k', aided: null, durationMs: null, id: null, time: null } as never);
    await sdk.machine.passUntil(sdk.foothold.flush());
    expect(sdk.machine.sent[0]!.events[0]!['data']).toEqual({ task: 't', taskKind: 'k' });
  });

  it('no field that is not part of an event ever leaves', async () => {
    const sdk = startSdk();
    sdk.foothold.task({ task: 't', taskKind: 'k', prompt: 'Dear Jane' } as never);
    const handle = sdk.foothold.invocation({ ...STARTED, input: { fields: 1, missing: 0, unknown: 0, malformed: 0, text: 'Dear Jane' } as never });
    handle.shown({ answer: 'Dear Jane', 'a b': 1 } as never);
    handle.failed(new Error('Dear Jane'));
    await sdk.machine.passUntil(sdk.foothold.flush());
    expect(sdk.machine.sent[0]!.events).toHaveLength(4);
    expect(JSON.stringify(sdk.machine.sent)).not.toContain('Dear');
    expect(JSON.stringify(sdk.warnings)).not.toContain('Dear');
    expect(sdk.warnings).toEqual([
      { kind: 'unknown-field', at: 'task', message: 'task: a field that is not part of it was left out (prompt)' },
      { kind: 'unknown-field', at: 'shown', message: 'shown: a field that is not part of it was left out (answer)' },
    ]);
  });
});

describe('whatever is passed', () => {
  it(`nothing throws, and every call is queued or counted (SEED=${SEED})`, () => {
    const anything = fc.oneof(fc.anything(), fc.constant(trap), fc.dictionary(fc.constantFrom('task', 'taskKind', 'time', 'id', 'invocation', 'score', 'from', 'to'), fc.anything()));
    const property = fc.property(anything, anything, anything, (one, other, third) => {
      const { foothold } = startSdk();
      const view = foothold.as(third as never);
      const [a, b] = [one as never, other as never];
      const handle = view.invocation(a);
      for (const call of ['task', 'queue', 'feed', 'feedback', 'outcome', 'modelScore', 'truth'] as const) view[call](a);
      for (const each of [handle, view.resume(b)]) {
        expect(typeof each.token).toBe('string');
        each.headers();
        each.streaming(a);
        each.shown(a);
        each.accepted(b);
        each.withdrawn(a);
        each.overridden(b);
        each.withdrawn(a);
        each.abandoned(a, b);
        each.failed(a, b);
        each.rechecked(a);
      }
      const { queued, dropped } = foothold.stats();
      expect(queued + Object.values(dropped).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(8);
    });
    fc.assert(property, { seed: SEED, numRuns: 500 });
  });
});

describe('wrong options', () => {
  const good = { url: 'https://collector.example', key: 'fhw_k', deployment: 'claims' };

  it.each<[string, unknown, string]>([
    ['nothing at all', undefined, 'url must be the http or https address of a collector, without query'],
    ['an address that is not set', { ...good, url: undefined }, 'url must be the http or https address of a collector, without query'],
    ['an address of something else', { ...good, url: 'ftp://x' }, 'url must be the http or https address of a collector, without query'],
    ['a key with a line feed', { ...good, key: 'fhw_secret\n' }, 'key must be a write key (fhw_…) or a publishable key (fhp_…)'],
    ['no deployment', { ...good, deployment: '' }, 'deployment must be the id of a deployment: 1 to 64 letters, digits, ., _ and -'],
    ['a person that is a number', { ...good, person: 7 }, 'person must be the person as the host knows them: a string of 1 to 256 characters without control characters'],
    ['a source with white space', { ...good, source: 'my app' }, 'source must be a URI reference of 1 to 256 visible ASCII characters such as urn:acme:erp'],
    ['a token that is a promise', { ...good, personToken: Promise.resolve('x') }, 'personToken must be a string or a function that gives one'],
  ])('%s: nothing is thrown or sent, everything is counted, and it is said once', async (_, options, words) => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    const foothold = new Foothold(options as FootholdOptions);
    foothold.as('jane').task({ task: 't', taskKind: 'k' });
    const handle = foothold.as('jane').invocation(STARTED);
    handle.shown();
    expect(foothold.stats()).toEqual({ queued: 0, delivered: 0, dropped: { 'not-configured': 3 } });
    expect(await foothold.flush()).toBe(true);
    expect(await foothold.shutdown()).toBe(true);
    expect(warn.mock.calls).toEqual([[`foothold: ${words}; nothing will be reported`]]);
    expect(JSON.stringify(warn.mock.calls)).not.toContain('secret');
  });

  it('tuning out of range falls back to what is usual', () => {
    const { session, warnings } = startSdk({ batchEvents: 0, queueEvents: NaN, flushAfterMs: '5' as never, traceparent: 'x' as never });
    expect([session.settings.batchEvents, session.settings.queueEvents, session.settings.flushAfterMs, session.settings.traceparent]).toEqual([500, 20_000, 1_000, undefined]);
    expect(warnings.map(({ at }) => at)).toEqual(['batchEvents', 'flushAfterMs', 'queueEvents', 'traceparent']);
  });

  it('the console hears once of each kind and place, a hook every time, and neither may throw', () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => {
      throw new Error('the console is broken');
    });
    const quiet = new Foothold(good);
    const loud = startSdk();
    const broken = startSdk({ onWarning: () => { throw new Error('the hook is broken'); } });
    for (const foothold of [quiet, quiet, loud.foothold, loud.foothold, broken.foothold]) {
      foothold.as('jane').task({ task: 'a b', taskKind: 'k' });
      foothold.as('jane').task({ task: 't', taskKind: 'a b' });
    }
    expect([warn.mock.calls.length, loud.warnings.length]).toEqual([2, 4]);
    expect(broken.foothold.stats().dropped).toEqual({ 'invalid-argument': 2 });
  });
});
