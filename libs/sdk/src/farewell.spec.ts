/** What an SDK tells of itself: heartbeats, and how it ends. */
import { describe, expect, it } from '@jest/globals';
import { heartbeatsOf, inTurn, isHeartbeat, startSdk as start } from '../../../test/support/sdk.js';
import { accepted } from '../../../test/support/virtual-machine.js';

describe('heartbeats', () => {
  it('come every minute while something happens, and then no more', async () => {
    const { machine, report } = start();
    report();
    await machine.pass(61_500);
    report();
    await machine.pass(300_000);
    expect(heartbeatsOf(machine)).toEqual([0, 0].map((queued) => ({ queued, dropped: {}, sdk: 'foothold-js', version: expect.any(String) })));
    expect(machine.idle).toBe(true);
  });

  it('confess once what was dropped, though the queue is full', async () => {
    const { machine, report, foothold } = start({ queueEvents: 5 }, () => 'no connection');
    report(9);
    await machine.pass(60_500);
    expect(foothold.stats()).toEqual({ queued: 5, delivered: 0, dropped: { 'queue-full': 4 } });
    machine.collector = ({ events }) => accepted(events.length);
    await machine.pass(200_000);
    expect(heartbeatsOf(machine).filter(({ queued }) => queued > 0).at(-1)).toMatchObject({ queued: 5, dropped: { 'queue-full': 4 } });
    expect(new Map(machine.sent.flatMap(({ events }) => events).filter(isHeartbeat).map((event) => [event['id'], event['data']])).size).toBe(1);
  });

  it('that are refused give back what they confess', async () => {
    const { machine, foothold } = start({}, ({ events }, nth) => accepted(events.length, nth === 1 ? [{ index: 0, field: 'data.version', reason: 'no code', fix: 'send one' }] : []));
    foothold.task({ task: 'not an id', taskKind: 'triage' });
    await machine.pass(200_000);
    expect(heartbeatsOf(machine).map(({ dropped }) => dropped)).toEqual([{ 'invalid-argument': 1 }, { 'invalid-argument': 1 }]);
    expect(foothold.stats()).toEqual({ queued: 0, delivered: 0, dropped: { 'invalid-argument': 1 } });
  });

  it('keep their body while they are tried again; what is dropped meanwhile waits for the next', async () => {
    const { machine, foothold } = start({}, () => 'no connection');
    const wrong = () => foothold.task({ task: 'not an id', taskKind: 'triage' });
    wrong();
    await machine.pass(61_000);
    wrong();
    await machine.pass(60_000);
    expect(heartbeatsOf(machine).length).toBeGreaterThan(2);
    expect(new Set(heartbeatsOf(machine).map((data) => JSON.stringify(data))).size).toBe(1);
    machine.collector = ({ events }) => accepted(events.length);
    await machine.pass(120_000);
    expect(heartbeatsOf(machine).at(-1)!.dropped).toEqual({ 'invalid-argument': 1 });
    expect(machine.idle).toBe(true);
  });
});

describe('shutdown', () => {
  it('sends what waits with a last heartbeat, and then takes nothing more', async () => {
    const { machine, report, foothold, kinds } = start();
    report(3);
    expect(await machine.passUntil(foothold.shutdown())).toBe(true);
    expect(machine.sent.map(({ events }) => events.length)).toEqual([4]);
    expect(heartbeatsOf(machine)).toMatchObject([{ queued: 3, dropped: {} }]);
    expect(machine.idle).toBe(true);
    report();
    await machine.pass(100_000);
    expect(machine.sent).toHaveLength(1);
    expect([foothold.stats().dropped, kinds()]).toEqual([{ shutdown: 1 }, ['shutdown']]);
  });

  it('says nothing where nothing happened', async () => {
    const { machine, foothold } = start();
    expect(await machine.passUntil(foothold.shutdown())).toBe(true);
    expect(machine.sent).toEqual([]);
  });

  it('does not wait out a failure', async () => {
    const { machine, report, foothold } = start({ retryBaseMs: 30_000 }, inTurn('no connection', 'no connection'));
    report();
    await machine.pass(1_100);
    expect(await machine.passUntil(foothold.shutdown())).toBe(true);
    expect(foothold.stats().delivered).toBe(1);
    expect(machine.sent.at(-1)!.at).toBeLessThan(1_100 + 3_000);
  });

  it('confesses what a slow collector leaves no time for', async () => {
    const { machine, report, foothold } = start({ batchEvents: 10 }, ({ events }) => ({ ...(accepted(events.length) as object), status: 202, afterMs: 900 }));
    report(100);
    expect(await machine.passUntil(foothold.shutdown(4_000))).toBe(false);
    const { delivered, dropped } = foothold.stats();
    expect(delivered).toBe(30);
    expect(dropped).toEqual({ shutdown: 70 });
    expect(heartbeatsOf(machine).at(-1)!.dropped).toEqual({ shutdown: 70 });
    expect(machine.sent.at(-1)!.at).toBeLessThan(4_000);
  });

  it('ends in time where nobody answers', async () => {
    const { machine, report, foothold } = start({}, () => 'no answer');
    report(3);
    expect(await machine.passUntil(foothold.shutdown(2_000))).toBe(false);
    expect(machine.monotonic()).toBeLessThanOrEqual(2_001);
    expect(foothold.stats()).toEqual({ queued: 0, delivered: 0, dropped: { shutdown: 3 } });
    expect(machine.idle).toBe(true);
  });

  it('for ever, or for longer than a timer can, waits as long as a timer can', async () => {
    for (const patience of [Infinity, 2 ** 31, 1e300]) {
      const { machine, report, foothold } = start({}, ({ events }) => ({ ...(accepted(events.length) as object), status: 202, afterMs: 5_000 }));
      report(3);
      expect(await machine.passUntil(foothold.flush(patience))).toBe(true);
      report();
      expect(await machine.passUntil(foothold.shutdown(patience))).toBe(true);
      expect(foothold.stats()).toEqual({ queued: 0, delivered: 4, dropped: {} });
    }
  });

  it.each([NaN, null, '5000', 5_000n, {}, Symbol('long')])('in a time that is none (%p) takes the usual one', async (patience) => {
    const { machine, report, foothold } = start({}, () => 'no answer');
    report();
    expect(await machine.passUntil(foothold.flush(patience as never))).toBe(false);
    expect(machine.monotonic()).toBe(10_000);
    expect(await machine.passUntil(foothold.shutdown(patience as never))).toBe(false);
    expect(machine.monotonic()).toBe(15_000);
  });

  it('in less than no time drops and tells what waits', async () => {
    const { machine, report, foothold } = start();
    report();
    expect(await machine.passUntil(foothold.flush(-Infinity))).toBe(false);
    expect(await machine.passUntil(foothold.shutdown(-1))).toBe(false);
    expect([machine.monotonic(), foothold.stats().dropped]).toEqual([0, { shutdown: 1 }]);
  });

  it('tells what was refused in the last batch', async () => {
    const { machine, report, foothold } = start({}, inTurn(accepted(3, [{ index: 0, field: 'time', reason: 'x', fix: 'y' }])));
    report(2);
    expect(await machine.passUntil(foothold.shutdown())).toBe(true);
    expect(heartbeatsOf(machine).map(({ dropped }) => dropped)).toEqual([{}, { refused: 1 }]);
  });
});
