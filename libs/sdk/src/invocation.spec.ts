/** How a handle tells its story: durations, order, and what is left unsaid. */
import { describe, expect, it } from '@jest/globals';
import { startSdk } from '../../../test/support/sdk.js';
import { VirtualMachine } from '../../../test/support/virtual-machine.js';
import { classOf } from './failure.js';

const STARTED = { surface: 'in-workflow', initiative: 'person' } as const;
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

async function told({ machine, foothold }: ReturnType<typeof startSdk>) {
  await machine.passUntil(foothold.flush());
  return machine.sent.flatMap(({ events }) => events).map(({ type, data }) => {
    return [(type as string).slice('foothold.'.length, -'.v1'.length), { ...(data as object), invocation: undefined }];
  });
}

describe('durations', () => {
  it('are measured from begin to first part, to the whole, to the decision', async () => {
    const sdk = startSdk();
    const handle = sdk.foothold.invocation(STARTED);
    await sdk.machine.pass(120);
    handle.streaming();
    await sdk.machine.pass(80.4);
    handle.streaming();
    handle.shown({ options: 2 });
    await sdk.machine.pass(5_000);
    handle.accepted({ option: 1 });
    expect(await told(sdk)).toEqual([
      ['invocation.started', STARTED],
      ['result.shown', { options: 2, firstMs: 120, latencyMs: 200 }],
      ['result.accepted', { option: 1, dwellMs: 5_000 }],
    ]);
  });

  it('do not follow a clock that is set, nor does the order of a story', async () => {
    const machine = new VirtualMachine();
    let ahead = 0;
    const { now } = machine;
    machine.now = () => now() + ahead;
    const sdk = startSdk({}, undefined, machine);
    const handle = sdk.foothold.invocation(STARTED);
    await machine.pass(100);
    ahead = -3_600_000;
    handle.shown();
    handle.overridden();
    expect((await told(sdk)).slice(1)).toEqual([['result.shown', { latencyMs: 100 }], ['result.overridden', { dwellMs: 0 }]]);
    const times = machine.sent[0]!.events.map(({ time }) => time as string);
    expect(times.slice().sort()).toEqual(times);
  });

  it('are those between the times the host gives, where it gives them', async () => {
    const sdk = startSdk();
    const at = (second: number) => new Date(Date.UTC(2026, 0, 4, 12, 0, second));
    const handle = sdk.foothold.invocation({ ...STARTED, time: at(0) });
    handle.streaming({ time: at(1) });
    handle.shown({ time: at(3) });
    handle.accepted({ time: at(33).toISOString() });
    handle.withdrawn({ time: at(40).getTime() });
    handle.overridden({ time: at(2) });
    expect((await told(sdk)).slice(1)).toEqual([
      ['result.shown', { firstMs: 1_000, latencyMs: 3_000 }],
      ['result.accepted', { dwellMs: 30_000 }],
      ['decision.withdrawn', {}],
      ['result.overridden', {}], // before it was shown: no duration at all
    ]);
    expect(sdk.machine.sent[0]!.events.map(({ time }) => time)).toEqual([0, 3, 33, 40, 2].map((second) => at(second).toISOString()));
  });

  it('are the host’s own where it has better ones', async () => {
    const sdk = startSdk();
    const handle = sdk.foothold.invocation(STARTED);
    handle.shown({ firstMs: 7.6, latencyMs: 9 });
    handle.accepted({ dwellMs: 1_234.5 });
    expect((await told(sdk)).slice(1)).toEqual([['result.shown', { firstMs: 8, latencyMs: 9 }], ['result.accepted', { dwellMs: 1_235 }]]);
  });
});

describe('what is left unsaid', () => {
  it('abandonment after a decision, but not after it was taken back', async () => {
    const sdk = startSdk();
    const handle = sdk.foothold.invocation(STARTED);
    handle.accepted();
    handle.abandoned('navigated');
    handle.withdrawn();
    handle.abandoned('dismissed');
    expect((await told(sdk)).slice(1)).toEqual([['result.accepted', {}], ['decision.withdrawn', {}], ['result.abandoned', { cause: 'dismissed' }]]);
  });

  it('what an invalid call would have kept from being said is said', async () => {
    const sdk = startSdk();
    const handle = sdk.foothold.invocation(STARTED);
    handle.streaming({ time: 'soon' });
    await sdk.machine.pass(10);
    handle.streaming();
    handle.shown({ confidence: 95 });
    await sdk.machine.pass(20);
    handle.shown({ confidence: 0.95 });
    handle.accepted({ changed: 2 });
    handle.abandoned('navigated');
    handle.failed('timeout', { time: 'soon' });
    handle.abandoned('dismissed');
    handle.accepted();
    handle.withdrawn({ time: 'soon' });
    handle.abandoned('stopped');
    expect((await told(sdk)).slice(1)).toEqual([
      ['result.shown', { confidence: 0.95, firstMs: 10, latencyMs: 30 }],
      ['result.abandoned', { cause: 'navigated' }],
      ['result.abandoned', { cause: 'dismissed' }],
      ['result.accepted', { dwellMs: 0 }],
    ]);
    expect(sdk.foothold.stats().dropped).toEqual({ 'invalid-argument': 4 });
    expect(sdk.warnings.map(({ at }) => at)).toEqual(['streaming.time', 'shown.confidence', 'accepted.changed', 'failed.time', 'withdrawn.time']);
  });

  it('a decision that found no room is still one: nothing says that the result was left', () => {
    const sdk = startSdk({ queueEvents: 1 });
    const handle = sdk.foothold.invocation(STARTED);
    handle.accepted();
    handle.abandoned('navigated');
    expect(sdk.foothold.stats().dropped).toEqual({ 'queue-full': 1 });
  });

  it('abandonment after a failure, and showing twice', async () => {
    const sdk = startSdk();
    const handle = sdk.foothold.invocation(STARTED);
    handle.shown();
    handle.shown({ options: 2 });
    handle.failed('timeout');
    handle.abandoned('navigated');
    expect((await told(sdk)).slice(1)).toEqual([['result.shown', { latencyMs: 0 }], ['invocation.failed', { error: 'timeout' }]]);
    expect(sdk.foothold.stats().dropped).toEqual({});
  });
});

describe('ids and traces', () => {
  it('are the host’s where it gives them', async () => {
    const sdk = startSdk({ traceparent: () => TRACE });
    const handle = sdk.foothold.invocation({ ...STARTED, id: 'i-1', eventId: 'erp:1' });
    handle.shown({ id: 'erp:2' });
    handle.abandoned('dismissed', { id: 'erp:3' });
    await told(sdk);
    expect(sdk.machine.sent[0]!.events.map(({ id, traceparent, data }) => [id, traceparent, (data as { invocation: string }).invocation])).toEqual([1, 2, 3].map((n) => [`erp:${n}`, TRACE, 'i-1']));
  });

  it('are one trace an invocation otherwise', async () => {
    const sdk = startSdk({ traceparent: () => { throw new Error('no tracer'); } });
    for (const handle of [sdk.foothold.invocation(STARTED), sdk.foothold.invocation(STARTED)]) handle.shown();
    sdk.foothold.task({ task: 't', taskKind: 'k' });
    await told(sdk);
    const traces = sdk.machine.sent[0]!.events.map(({ traceparent }) => traceparent);
    expect(new Set(traces.slice(0, 4)).size).toBe(2);
    expect(traces[4]).toBeUndefined();
  });

  it.each([[undefined, 0, 30], [0, 0, 0], [0.5, 400, 600], [1, 1_000, 1_000], [7, 0, 30], ['all', 0, 30]])('of which a share is sampled: with traces %p, %i to %i of a thousand', (traces, least, most) => {
    const { foothold, warnings } = startSdk({ traces: traces as never });
    const flags = Array.from({ length: 1_000 }, () => foothold.invocation(STARTED).headers()['traceparent']!.slice(-3));
    const sampled = flags.filter((flag) => flag === '-01').length;
    expect([sampled >= least, sampled <= most, new Set([...flags, '-00', '-01']).size]).toEqual([true, true, 2]);
    expect(warnings.map(({ message }) => message)).toEqual(traces === 7 || traces === 'all' ? ['traces: must be a number from 0 to 1; 0.01 is used'] : []);
  });

  it.each(['00', '01'])('the host’s own trace keeps its flag (%s), here and where it is resumed', async (flag) => {
    const trace = TRACE.slice(0, -2) + flag;
    const sdk = startSdk({ traceparent: () => trace, traces: 0.5 });
    const headers = sdk.foothold.invocation(STARTED).headers();
    const other = startSdk({ traces: 0.5 });
    other.foothold.resume(headers).shown();
    await Promise.all([told(sdk), told(other)]);
    expect([headers['traceparent'], ...[sdk, other].map(({ machine }) => machine.sent[0]!.events[0]!['traceparent'])]).toEqual([trace, trace, trace]);
  });
});

describe('the class of an error', () => {
  class QuotaExceeded extends Error {
    override name = 'QuotaExceeded';
  }
  it.each<[string, unknown, string]>([
    ['its code', Object.assign(new Error('connect ECONNREFUSED 10.0.0.1'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    ['the code of its cause', new TypeError('fetch failed', { cause: { code: 'UND_ERR_SOCKET' } }), 'UND_ERR_SOCKET'],
    ['its name', new QuotaExceeded('jane is over her quota'), 'QuotaExceeded'],
    ['its name, where its code is a number', new DOMException('jane stopped it', 'AbortError'), 'AbortError'],
    ['its name, where its code is a sentence', Object.assign(new Error(), { code: 'jane may not' }), 'Error'],
    ['a class as a word', 'timeout', 'timeout'],
    ['no sentence', 'no answer for jane', 'unclassified'],
    ['no name with an @', Object.assign(new Error(), { name: 'jane@acme.example' }), 'unclassified'],
    ['nothing', undefined, 'unclassified'],
    ['a number', 429, 'unclassified'],
    ['what throws when it is read', new Proxy({}, { get: () => { throw new Error('trap'); } }), 'unclassified'],
  ])('is %s', (_, error, expected) => {
    expect(classOf(error)).toBe(expected);
  });
});
