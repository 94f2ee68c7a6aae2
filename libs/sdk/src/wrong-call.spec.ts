/** Whatever a host passes by mistake: nothing is thrown, nothing is sent that should not be, and the drop is counted and told. */
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { startSdk } from '../../../test/support/sdk.js';
import { accepted } from '../../../test/support/virtual-machine.js';
import { Foothold as BrowserFoothold } from './browser.js';
import { changed, Foothold } from './index.js';
import { type FootholdOptions } from './options.js';
import { type Reporter } from './reporter.js';

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000_007);
const STARTED = { surface: 'in-workflow', initiative: 'person' } as const;
type Sdk = ReturnType<typeof startSdk>;

const thrower = () => {
  throw new Error('trap');
};
const trap = new Proxy({}, { get: thrower, ownKeys: thrower });

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
    expect(sdk.foothold.stats().dropped).toEqual({ 'sdk-error': 5, 'malformed-token': 1, 'invalid-argument': 1 });
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

const { proxy: revoked, revoke } = Proxy.revocable({}, {});
revoke();
/** What throws, one way or another, when it is looked at; what is too long; what is of no use. */
const HOSTILE: unknown[] = [
  trap, revoked, thrower, new Proxy(thrower, { apply: thrower, get: thrower }), new Proxy(startSdk().foothold.invocation(STARTED), { getPrototypeOf: thrower }), new Proxy([], { get: thrower }), new Proxy(new Date(), {}),
  Object.assign(Object.create(null) as object, { toString: thrower, valueOf: thrower, toJSON: thrower, then: thrower }), { [Symbol.toPrimitive]: thrower }, Object.create(null), Symbol('s'), 10n, 'x'.repeat(1 << 20), '\ud800', new Date(NaN),
];
const FIELDS = ['id', 'eventId', 'time', 'task', 'taskKind', 'surface', 'initiative', 'invocation', 'input', 'score', 'from', 'to', 'kind', 'changed', 'actor', 'foothold-invocation', 'traceparent', 'get'];

/** How to make an argument: the library that makes recipes up would itself stumble over what they make. */
type Recipe = { plain: unknown } | { hostile: number } | { fields: Record<string, Recipe>; trapped: string | undefined };
const anything = fc.oneof(
  fc.record({ hostile: fc.nat(HOSTILE.length - 1) }),
  fc.record({ plain: fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withSparseArray: true, withTypedArray: true }) }),
);
/** An object with some fields wrong, and perhaps one that throws when it is read. */
const object = (...names: string[]) => fc.record({ fields: fc.dictionary(fc.constantFrom(...names), anything, { maxKeys: 4 }), trapped: fc.option(fc.constantFrom(...names), { nil: undefined }) });
const argument = fc.oneof(anything, object(...FIELDS));

function made(recipe: Recipe, right: object = { ...STARTED, task: 't', taskKind: 'k', score: 1 }): unknown {
  if ('plain' in recipe) return recipe.plain;
  if ('hostile' in recipe) return HOSTILE[recipe.hostile];
  const whole = { ...right, ...Object.fromEntries(Object.entries(recipe.fields).map(([name, field]) => [name, made(field)])) };
  return recipe.trapped === undefined ? whole : Object.defineProperty(whole, recipe.trapped, { enumerable: true, get: thrower });
}

describe('whatever is passed', () => {
  it('a text in place of facts is not taken apart, and is told', async () => {
    const { foothold, machine, warnings } = startSdk();
    foothold.invocation(STARTED).accepted('Dear Jane. '.repeat(1_000) as never);
    await machine.passUntil(foothold.flush());
    expect([machine.sent[0]!.events.length, warnings]).toEqual([2, [{ kind: 'unknown-field', at: 'accepted', message: 'accepted: a field that is not part of it was left out (string)' }]]);
  });

  it(`nothing throws, and every call is queued or counted, also where it is called by itself (SEED=${SEED})`, async () => {
    const property = fc.asyncProperty(argument, argument, argument, fc.boolean(), async (one, other, another, publishable) => {
      const { foothold, machine } = startSdk(publishable ? { key: 'fhp_k', personToken: 'token' } : {});
      const [a, b, third] = [made(one) as never, made(other) as never, made(another) as never];
      const { as, stats, flush, shutdown } = foothold;
      const { invocation, resume, task, queue, feed, feedback, outcome, modelScore, truth } = as(third);
      const handle = invocation(a);
      for (const call of [task, queue, feed, feedback, outcome, modelScore, truth]) call(a);
      for (const each of [handle, resume(b)]) {
        const { headers, streaming, shown, accepted, withdrawn, overridden, abandoned, failed, rechecked } = each;
        expect(typeof each.token).toBe('string');
        headers();
        streaming(a);
        shown(a);
        accepted(b);
        withdrawn(a);
        overridden(b);
        withdrawn(a);
        abandoned(a, b);
        failed(a, b);
        rechecked(a);
      }
      const { queued, dropped } = stats();
      expect(queued + Object.values(dropped).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(8);
      expect(typeof changed(a, b)).toBe('number');
      expect(typeof (await machine.passUntil(flush(third)))).toBe('boolean');
      expect(typeof (await machine.passUntil(shutdown(a)))).toBe('boolean');
    });
    await fc.assert(property, { seed: SEED, numRuns: 300 });
  });

  it(`no options throw, in either entry (SEED=${SEED})`, async () => {
    const opened: Reporter[] = [];
    jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    jest.spyOn(globalThis, 'fetch').mockImplementation(async () => new Response('{"accepted":2,"refused":[]}', { status: 202 })); // nobody waits for a name to be looked up
    const good = { url: 'https://collector.example', key: 'fhp_k', deployment: 'claims', flushAfterMs: 3_600_000 };
    const names = ['url', 'key', 'deployment', 'person', 'personToken', 'source', 'traceparent', 'onWarning', 'onRefused', 'batchEvents', 'queueBytes', 'heartbeatMs'];
    const property = fc.property(fc.oneof(anything, object(...names)), argument, (options, fact) => {
      const [given, a] = [made(options, good) as FootholdOptions, made(fact) as never];
      for (const Entry of [Foothold, BrowserFoothold]) {
        const foothold = new Entry(given);
        opened.push(foothold);
        foothold.task(a);
        foothold.invocation(a).headers();
        const { queued, dropped } = foothold.stats();
        expect(queued + Object.values(dropped).reduce((sum, count) => sum + count, 0)).toBe(2);
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 500 });
    await Promise.all(opened.map((foothold) => foothold.shutdown(0)));
  });

  it('what a hook throws, or rejects with, comes back to nobody', async () => {
    const handled: string[] = [];
    const rejecting = (name: string) => () => ({ then: (_: unknown, reject?: (error: Error) => void) => (handled.push(name), reject!(new Error(name))) }) as never;
    const { foothold, machine } = startSdk({ onWarning: rejecting('onWarning'), onRefused: rejecting('onRefused'), traceparent: rejecting('traceparent') }, ({ events }) => accepted(events.length, [{ index: 0, field: 'time', reason: 'x', fix: 'y' }]));
    foothold.task({ task: 't', taskKind: 'k' });
    await machine.passUntil(foothold.flush());
    expect(handled.sort()).toEqual(['onRefused', 'onWarning', 'traceparent']);
  });

  it('of texts that cannot be read nobody knows how far they were changed, and a decision that says so is told of', () => {
    const { foothold, warnings } = startSdk();
    for (const text of [Object.create(null), trap]) expect([changed(text as never, 'b'), changed('a', text as never)]).toEqual([NaN, NaN]);
    foothold.invocation(STARTED).accepted({ changed: changed(Object.create(null) as never, 'b') });
    expect(warnings.map(({ at }) => at)).toEqual(['accepted.changed']);
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
    ['a deployment that is a symbol', { ...good, deployment: Symbol('claims') }, 'deployment must be the id of a deployment: 1 to 64 letters, digits, ., _ and -'],
    ['a key that throws when it is read', { ...good, get key() { throw new Error('secret'); } }, 'key must be an option that can be read'],
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
