/** What the demo's calls come to at a collector: every one, once, under its own id and time. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CollectorStub } from '../../../../test/support/collector-stub.js';
import { type Call } from './calls.js';
import { NINE_MONTHS, simulate } from './organisation.js';
import { send } from './sending.js';

const NAMES: Record<Call['call'], string> = {
  invocation: 'invocation.started', shown: 'result.shown', accepted: 'result.accepted', overridden: 'result.overridden', abandoned: 'result.abandoned',
  withdrawn: 'decision.withdrawn', failed: 'invocation.failed', rechecked: 'result.rechecked', task: 'task.completed', feedback: 'feedback.given',
  truth: 'truth.established', queue: 'queue.filled', feed: 'feed.counted', outcome: 'outcome.measured', modelScore: 'model.scored',
};
const { calls } = simulate({ ...NINE_MONTHS, people: 30, weeks: 9 });
let collector: CollectorStub;
let troubles: string[];

beforeEach(async () => {
  collector = await CollectorStub.start();
  troubles = [];
});
afterEach(() => collector.close());

async function sendAll() {
  let settled = 0;
  const sent = await send(calls, { url: collector.url, key: 'fhw_spec', deployment: 'demo' }, (more) => (settled += more), (what) => troubles.push(what));
  return { ...sent, settled };
}

describe('what is sent', () => {
  it('is every call, under its id, at its time, in its person’s name', async () => {
    expect(await sendAll()).toEqual({ delivered: calls.length, dropped: {}, settled: calls.length });
    expect([troubles, collector.refusals]).toEqual([[], []]);
    const arrived = new Map(collector.events.map((event) => [event.id, event]));
    expect(collector.stored.length - collector.heartbeats.length).toBe(calls.length);
    const different = calls.filter((call) => {
      const event = arrived.get(call.id);
      const subject = 'person' in call ? call.person : undefined;
      return !(event && event.type === `foothold.${NAMES[call.call]}.v1` && Date.parse(event.time) === call.at && event.subject === subject && event.deployment === 'demo');
    });
    expect(different).toEqual([]);
    expect(new Set(calls.map(({ call }) => call)).size).toBeGreaterThan(10);
  });

  it('is the same a second time, to the byte of what is counted', async () => {
    await sendAll();
    const body = ({ type, subject, time, deployment, data }: (typeof collector.events)[number]) => JSON.stringify([type, subject, time, deployment, data]);
    const first = new Map(collector.events.map((event) => [event.id, body(event)]));
    collector.stored.length = 0;
    await sendAll();
    expect(new Map(collector.events.map((event) => [event.id, body(event)]))).toEqual(first);
  });

  it('arrives though the collector is away for a while, and that is said', async () => {
    collector.failNext({ status: 503, headers: { 'retry-after': '0' } }, 'answer lost', 'reset');
    expect(await sendAll()).toEqual({ delivered: calls.length, dropped: {}, settled: calls.length });
    expect(troubles.length).toBeGreaterThan(0);
    expect(new Set(collector.events.map(({ id }) => id))).toEqual(new Set(calls.map(({ id }) => id)));
  });
});
