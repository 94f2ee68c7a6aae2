/** 100,000 calls at once, paced, and through an outage: each is delivered or confessed, and none counts twice. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CollectorStub } from '../../../test/support/collector-stub.js';
import { Foothold, type FootholdOptions } from './index.js';

const CALLS = 100_000;
let collector: CollectorStub;

beforeEach(async () => {
  collector = await CollectorStub.start();
});
afterEach(() => collector.close());

const open = (options: Partial<FootholdOptions> = {}) => new Foothold({ url: collector.url, key: 'fhw_k', deployment: 'claims', person: 'jane', retryBaseMs: 50, retryMaxMs: 200, onWarning: () => undefined, ...options });

/** Shuts down, and accounts for every call by what the collector has, not by what the SDK says. */
async function account(foothold: Foothold) {
  await foothold.shutdown(30_000);
  const { delivered, dropped } = foothold.stats();
  const confessed = Object.values(collector.confessed).reduce((sum, count) => sum + count, 0);
  const stored = new Set(collector.events.map(({ data }) => data['task'])).size;
  expect(collector.events.length).toBe(stored); // no call came under two ids
  expect(delivered).toBe(stored);
  expect(stored + confessed).toBe(CALLS);
  expect(collector.confessed).toEqual(dropped);
  expect(collector.refusals).toEqual([]);
  return { stored, confessed };
}

describe('100,000 calls', () => {
  it('in a tight loop, with room for them: all are delivered', async () => {
    const foothold = open({ queueEvents: CALLS, queueBytes: 100_000_000 });
    for (let i = 0; i < CALLS; i++) foothold.task({ task: `t-${i}`, taskKind: 'k' });
    expect(await account(foothold)).toEqual({ stored: CALLS, confessed: 0 });
  });

  it('in a tight loop, with the usual room: what fits is delivered, the rest is confessed', async () => {
    const foothold = open();
    for (let i = 0; i < CALLS; i++) foothold.task({ task: `t-${i}`, taskKind: 'k' });
    expect(await account(foothold)).toEqual({ stored: 20_000, confessed: 80_000 });
  });

  it('paced: all are delivered', async () => {
    const foothold = open();
    for (let i = 0; i < CALLS; i++) {
      foothold.task({ task: `t-${i}`, taskKind: 'k' });
      if (i % 500 === 499) while (foothold.stats().queued > 5_000) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(await account(foothold)).toEqual({ stored: CALLS, confessed: 0 });
  });

  it('through an outage in which answers are lost: each is delivered or confessed', async () => {
    const foothold = open({ heartbeatMs: 250 });
    const ways = ['reset', 'answer lost', { status: 503 }] as const;
    let requests = 0;
    for (let i = 0; i < CALLS; i++) {
      if (i === 20_000) collector.fail = () => ways[requests++ % 3];
      if (i === 80_000) collector.fail = () => undefined;
      foothold.task({ task: `t-${i}`, taskKind: 'k' });
      if (i % 250 === 249) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const { confessed } = await account(foothold);
    expect(confessed).toBeGreaterThan(0);
    expect(requests).toBeGreaterThan(3);
    expect(collector.stored.length).toBeGreaterThan(collector.events.length + collector.heartbeats.length); // some came twice, under the same id
  });
});
