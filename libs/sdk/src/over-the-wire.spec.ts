/** Over real connections: what arrives is what was reported, whatever the network does in between. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CollectorStub, type Failure } from '../../../test/support/collector-stub.js';
import { Foothold, type FootholdOptions } from './index.js';

let collector: CollectorStub;
let foothold: Foothold;

const open = (options: Partial<FootholdOptions> = {}) =>
  (foothold = new Foothold({ url: collector.url, key: 'fhw_k', deployment: 'claims', person: 'jane', flushAfterMs: 5, retryBaseMs: 10, requestTimeoutMs: 150, onWarning: () => undefined, ...options }));
const tasks = (count: number, from = 0) => {
  for (let i = from; i < from + count; i++) foothold.task({ task: `t-${i}`, taskKind: 'k' });
};
const taskIds = () => collector.events.map(({ data }) => data['task']);
const expected = (count: number) => Array.from({ length: count }, (_, i) => `t-${i}`);

beforeEach(async () => {
  collector = await CollectorStub.start();
});
afterEach(async () => {
  await foothold.shutdown(100);
  await collector.close();
});

describe('over real connections', () => {
  it('a batch arrives, compressed where that pays', async () => {
    open();
    tasks(1);
    expect(await foothold.flush()).toBe(true);
    tasks(200, 1);
    expect(await foothold.flush()).toBe(true);
    expect(taskIds()).toEqual(expected(201));
    expect(collector.refusals).toEqual([]);
    expect(collector.arrivals.map(({ headers }) => [headers['content-type'], headers['content-encoding'], headers.authorization])).toEqual([
      ['application/cloudevents-batch+json', undefined, 'Bearer fhw_k'],
      ['application/cloudevents-batch+json', 'gzip', 'Bearer fhw_k'],
    ]);
    expect(collector.arrivals[1]!.bytes).toBeLessThan(JSON.stringify(collector.arrivals[1]!.events).length / 6);
  });

  it.each<[string, Failure]>([
    ['the connection breaks', 'reset'],
    ['the answer is lost', 'answer lost'],
    ['nobody answers', 'no answer'],
    ['the collector is busy', { status: 503 }],
    ['the collector asks to wait', { status: 429, headers: { 'retry-after': '0' } }],
    ['the body is too long', { status: 413 }],
    ['it is sent elsewhere', { status: 307, headers: { location: '/elsewhere' } }],
  ])('it arrives once though %s', async (_, failure) => {
    open({ retryMaxMs: 50 });
    collector.failNext(failure, failure);
    tasks(30);
    expect(await foothold.flush()).toBe(true);
    expect(taskIds()).toEqual(expected(30));
    expect(collector.arrivals.length).toBeGreaterThanOrEqual(3);
    expect(foothold.stats()).toEqual({ queued: 0, delivered: 30, dropped: {} });
  });

  it('what is refused is told by its id', async () => {
    const refused: string[] = [];
    open({ onRefused: ({ id, field }) => refused.push(`${id} ${field}`) });
    foothold.task({ id: 'erp:1', task: 't-0', taskKind: 'k' });
    foothold.task({ id: 'erp:2', task: 't-1', taskKind: 'k', time: Date.now() + 2 * 86_400_000 });
    await foothold.flush();
    expect([taskIds(), refused, foothold.stats().dropped]).toEqual([['t-0'], ['erp:2 time'], { refused: 1 }]);
  });

  it('an outage is outlived, and what did not fit is confessed', async () => {
    open({ queueEvents: 50, heartbeatMs: 40, retryMaxMs: 50 });
    collector.fail = () => ({ status: 503 });
    tasks(80);
    await collector.until(() => collector.arrivals.length >= 3);
    collector.fail = () => undefined;
    await collector.until(() => (collector.confessed['queue-full'] ?? 0) > 0);
    await foothold.flush();
    tasks(10, 80);
    expect(await foothold.shutdown()).toBe(true);
    expect(taskIds()).toEqual([...expected(50), ...expected(90).slice(80)]);
    expect(collector.confessed).toEqual({ 'queue-full': 30 });
  });

  it('a collector that is not there delays nobody longer than is allowed', async () => {
    open();
    await collector.close();
    tasks(10);
    const begin = performance.now();
    expect(await foothold.shutdown(300)).toBe(false);
    expect(performance.now() - begin).toBeLessThan(600);
    expect(foothold.stats()).toEqual({ queued: 0, delivered: 0, dropped: { shutdown: 10 } });
    collector = await CollectorStub.start();
  });
});
