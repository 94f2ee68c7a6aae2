/** When what is sent, and what becomes of it, on a clock that moves when told to. */
import { describe, expect, it } from '@jest/globals';
import { idsOf, inTurn, isHeartbeat, startSdk as start } from '../../../test/support/sdk.js';
import { accepted, type Reaction, type Sent } from '../../../test/support/virtual-machine.js';
import { type RefusedEvent } from './options.js';

const withoutSent = ({ events }: Sent) => events.map((event) => ({ ...event, senttime: undefined }));

describe('batches', () => {
  it('wait a second for more, then go as one', async () => {
    const { machine, report, foothold } = start();
    report();
    await machine.pass(400);
    report(2);
    await machine.pass(599);
    expect(machine.sent).toEqual([]);
    await machine.pass(1);
    expect(machine.sent.map(({ at, url, events }) => [at, url, events.length])).toEqual([[1_000, 'https://collector.example/v1/events', 3]]);
    expect(machine.sent[0]!.headers).toEqual({ authorization: 'Bearer fhw_k', 'content-type': 'application/cloudevents-batch+json' });
    await machine.pass(5);
    expect(foothold.stats()).toEqual({ queued: 0, delivered: 3, dropped: {} });
  });

  it('go at once where they are full, but never within the call', async () => {
    const { machine, report } = start({ batchEvents: 10 });
    report(25);
    expect(machine.sent).toEqual([]);
    await machine.pass(10);
    expect(machine.sent.map(({ events }) => events.length)).toEqual([10, 10]);
    await machine.pass(1_100);
    expect(machine.sent.map(({ events }) => events.length)).toEqual([10, 10, 5]);
  });

  it('keep to their bytes, with what sending puts to each event', async () => {
    const { machine, report, foothold } = start({ batchBytes: 2_000 });
    report(20);
    await machine.passUntil(foothold.flush());
    expect(machine.sent.flatMap(idsOf)).toHaveLength(20);
    for (const { events } of machine.sent) expect(JSON.stringify(events).length).toBeLessThanOrEqual(2_000);
    expect(JSON.stringify(machine.sent[0]!.events).length).toBeGreaterThan(1_500);
  });

  it('number the events of a session without a hole', async () => {
    const { machine, report, foothold } = start();
    report(3);
    foothold.as('joe').task({ task: 't', taskKind: 'triage' });
    await machine.passUntil(foothold.flush());
    const numbers = machine.sent[0]!.events.map(({ sequence }) => sequence as string);
    const session = numbers[0]!.slice(0, 8);
    expect(numbers).toEqual([1, 2, 3, 4].map((n) => `${session}00000000000${n}`));
  });

  it('say when they were sent, on every attempt, and change nothing else', async () => {
    const { machine, report, foothold } = start({}, inTurn('no connection'));
    report(2);
    await machine.passUntil(foothold.flush());
    expect(machine.sent).toHaveLength(2);
    expect(withoutSent(machine.sent[1]!)).toEqual(withoutSent(machine.sent[0]!));
    for (const { at, events } of machine.sent) expect(events.map(({ senttime }) => senttime)).toEqual(events.map(() => new Date(Date.UTC(2026, 0, 5, 9, 30) + at).toISOString()));
  });
});

describe('after a failure', () => {
  it.each<[string, Reaction]>([
    ['no connection', 'no connection'],
    ['no answer in time', 'no answer'],
    ...[408, 425, 429, 500, 502, 503, 504].map((status): [string, Reaction] => [String(status), { status }]),
    ['a 202 that is cut off', { status: 202, body: '{"accep' }],
  ])('%s: the same is sent again', async (_, reaction) => {
    const { machine, report, foothold } = start({}, inTurn(reaction));
    report(3);
    expect(await machine.passUntil(foothold.flush(60_000))).toBe(true);
    expect(idsOf(machine.sent[1]!)).toEqual(idsOf(machine.sent[0]!));
    expect(foothold.stats()).toEqual({ queued: 0, delivered: 3, dropped: {} });
  });

  it('waits are anything up to a bound that doubles, to half a minute', async () => {
    const { machine, report, session } = start({}, () => ({ status: 503 }));
    session.machine.random = () => 0.999_999;
    report();
    await machine.pass(200_000);
    const waits = machine.sent.slice(1).map(({ at }, i) => Math.round((at - machine.sent[i]!.at - 5) / 100) * 100);
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000, 30_000]);
  });

  it('waits differ from one SDK to the next', async () => {
    const { machine, report } = start({}, () => ({ status: 503 }));
    report();
    await machine.pass(100_000);
    const waits = machine.sent.slice(1).map(({ at }, i) => at - machine.sent[i]!.at - 5);
    expect(new Set(waits).size).toBe(waits.length);
    expect(Math.min(...waits)).toBeLessThan(2_000);
  });

  it.each([['seconds', '17', 17_000], ['a date', 'Mon, 05 Jan 2026 09:30:20 GMT', 18_995], ['nonsense', 'soon', 0], ['more than an hour', '999999', 3_600_000]])('Retry-After in %s is kept to', async (_, header, least) => {
    const { machine, report } = start({}, inTurn({ status: 503, headers: { 'retry-after': header } }));
    report();
    await machine.pass(1_005 + 3_700_000);
    const wait = machine.sent[1]!.at - 1_005;
    expect(wait).toBeGreaterThanOrEqual(least);
    expect(wait).toBeLessThanOrEqual(least + 500);
  });

  it('even a bug of ours reaches nobody as a rejection, and is retried', async () => {
    const { machine, report, foothold, kinds } = start();
    const { now } = machine;
    report();
    machine.now = () => {
      throw new Error('a bug');
    };
    await machine.pass(1_100);
    expect([kinds(), foothold.stats().queued]).toEqual([['sdk-error'], 1]);
    machine.now = now;
    await machine.pass(60_000);
    expect(foothold.stats()).toEqual({ queued: 0, delivered: 1, dropped: {} });
  });

  it('flush does not cut a wait short', async () => {
    const { machine, report, foothold } = start({}, inTurn({ status: 503, headers: { 'retry-after': '20' } }));
    report();
    await machine.pass(1_100);
    expect(await machine.passUntil(foothold.flush(5_000))).toBe(false);
    expect(machine.sent).toHaveLength(1);
  });

  it('413: smaller pieces, from then on', async () => {
    const { machine, report, foothold } = start({}, ({ events }) => (events.length > 60 ? { status: 413 } : accepted(events.length)));
    report(400);
    await machine.passUntil(foothold.flush());
    expect(machine.sent.map(({ events }) => events.length).slice(0, 4)).toEqual([400, 200, 100, 50]);
    expect(foothold.stats()).toEqual({ queued: 0, delivered: 400, dropped: {} });
    report(100);
    await machine.passUntil(foothold.flush());
    expect(Math.max(...machine.sent.slice(4).map(({ events }) => events.length))).toBeLessThanOrEqual(60);
  });

  it('413 for a single event: it is dropped', async () => {
    const { machine, report, foothold, kinds } = start({}, ({ events }) => (events.some(isHeartbeat) ? accepted(events.length) : { status: 413 }));
    report(2);
    await machine.passUntil(foothold.flush());
    expect(foothold.stats()).toEqual({ queued: 0, delivered: 0, dropped: { 'too-large': 2 } });
    expect(kinds()).toEqual(['too-large', 'too-large']);
  });

  it.each([400, 415, 422])('%i: the batch is dropped', async (status) => {
    const { machine, report, foothold, warnings } = start({}, inTurn({ status, body: '{"detail":"that is no JSON"}' }));
    report(3);
    await machine.passUntil(foothold.flush());
    expect(foothold.stats()).toEqual({ queued: 0, delivered: 0, dropped: { rejected: 3 } });
    expect(warnings).toEqual([{ kind: 'rejected', message: `the collector answered ${status}: that is no JSON; 3 events dropped` }]);
  });

  it.each([
    [401, '', 'unauthorised'],
    [403, '', 'unauthorised'],
    [404, '', 'misaddressed'],
    [302, '', 'misaddressed'],
    [200, '<html>please log in</html>', 'misaddressed'],
    [202, '{"ok":true}', 'misaddressed'],
  ])('%i %s: everything waits, and is tried again slowly', async (status, body, kind) => {
    const { machine, report, foothold, kinds } = start({}, inTurn({ status, body }, { status, body }));
    report(3);
    await machine.pass(1_005 + 14_999);
    expect(machine.sent).toHaveLength(1);
    expect(foothold.stats()).toEqual({ queued: 3, delivered: 0, dropped: {} });
    await machine.pass(80_000);
    expect(foothold.stats()).toEqual({ queued: 0, delivered: 3, dropped: {} });
    expect(kinds()).toEqual([kind, kind]);
  });

  it('is told in the collector’s words, without the key', async () => {
    const { machine, report, warnings } = start({}, inTurn({ status: 401, body: '{"detail":"the key was revoked"}' }));
    report();
    await machine.pass(1_100);
    expect(warnings).toEqual([{ kind: 'unauthorised', message: 'the collector answered 401: the key was revoked; events wait' }]);
  });
});

describe('refused events', () => {
  it('are counted and handed to whoever wants to know', async () => {
    const refusals: RefusedEvent[] = [];
    const { machine, report, foothold, warnings } = start({ onRefused: (refused) => refusals.push(refused) }, inTurn(accepted(3, [{ index: 1, kind: 'rejected', field: 'time', reason: '2 days after the event arrived', fix: 'set the clock' }, { index: 7 }, 'nonsense' as never])));
    report(3);
    await machine.passUntil(foothold.flush());
    expect(foothold.stats()).toEqual({ queued: 0, delivered: 2, dropped: { refused: 1 } });
    expect(refusals).toEqual([{ id: idsOf(machine.sent[0]!)[1], type: 'foothold.task.completed.v1', field: 'time', reason: '2 days after the event arrived', fix: 'set the clock' }]);
    expect(warnings).toEqual([{ kind: 'refused', at: 'foothold.task.completed.v1.time', message: 'the collector refused foothold.task.completed.v1: time: 2 days after the event arrived; set the clock' }]);
  });
});
