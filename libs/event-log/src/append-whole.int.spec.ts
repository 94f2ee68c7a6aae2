/** An append is carried out whole or not at all, and once: whatever breaks, and whoever tries again. */
import { isTransient } from '@foothold/platform';
import { afterEach, describe, expect, it } from '@jest/globals';
import { arrival, arrivals, event, freshLog, id, keyOf, person, sealer } from '../../../test/support/event-log.js';
import { startPostgresProxy, type Decision, type PostgresProxy, type ProxyEvent } from '../../../test/support/postgres-proxy.js';
import { append, copyInto, Fenced, finishOrigin, openLog, openOrigin, verify, type Arrival, type Log } from './index.js';

const under = freshLog();
const rejected = { kind: 'rejected' as const, field: 'time', reason: 'missing', fix: 'send it', tenant: 'acme', deployment: null, source: null, type: null, id: null, payload: null };
/** Something for every table an append writes: new, repeated, conflicting, refused. */
const mixed: Arrival[] = [...arrivals(1, 40), arrival(1, { person: person(1) }), arrival(2, { data: '{}' }), { refusal: rejected }];
const WHOLE = { received: 43, stored: 40, duplicate: 1, rejected: 1, quarantined: 1 };
const NOTHING = { received: 0, stored: 0, duplicate: 0, rejected: 0, quarantined: 0 };

/** Everything an append may have written, to compare before and after. */
const everything = () => under.rows(
  `select (select json_agg(e order by shard, position) from event e) as events, (select json_agg(h order by shard) from head h) as heads,
          (select json_agg(o order by origin) from origin o) as origins, (select json_agg(d order by dead_letter) from dead_letter d) as letters`,
);

describe('the fence', () => {
  it('lets a stretch in once: the second append of it writes nothing at all', async () => {
    const source = await under.origin();
    const stretch = source.next(mixed.length);
    await append(under.log, mixed, stretch);
    const before = await everything();
    for (const again of [mixed, [...arrivals(100, 42), { refusal: rejected }]]) {
      await expect(append(under.log, again, stretch)).rejects.toThrow(Fenced);
    }
    expect(await everything()).toEqual(before);
    expect(await verify(under.database)).toMatchObject({ balanced: true, ...WHOLE });
  });

  it('lets in one of many who come with the same stretch at the same time', async () => {
    const source = await under.origin();
    const logs = [under.log, openLog(await under.open(), keyOf('right'), sealer)];
    const done = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => append(logs[i % 2]!, mixed, source.next(mixed.length))));
    expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(done.filter((result) => result.status === 'rejected' && result.reason instanceof Fenced)).toHaveLength(7);
    expect(await verify(under.database)).toMatchObject({ balanced: true, ...WHOLE });
  });

  it('lets no stretch in that leaves a gap, goes back or comes after the end of a reading', async () => {
    const source = await under.origin('acme/file#1', 'acme', 'file');
    await source.append(arrivals(1, 10));
    const next = source.next(5);
    for (const from of [next.from - 1, next.from + 1, 0]) {
      await expect(append(under.log, arrivals(11, 5), { ...next, from, next: from + 5 })).rejects.toThrow(Fenced);
    }
    await finishOrigin(under.database, source.number);
    await expect(append(under.log, arrivals(11, 5), next)).rejects.toThrow(Fenced);
    expect(await verify(under.database)).toMatchObject({ balanced: true, received: 10, stored: 10 });
  });

  it('counts offsets without a record as not received, and keeps the latest mark', async () => {
    const { origin } = await openOrigin(under.database, { kind: 'file', name: 'marked', part: 0, tenant: 'acme', firstOffset: 100 });
    await append(under.log, arrivals(1, 3), { origin, from: 100, next: 105, voids: 2, mark: 'a', markOffset: 103 });
    await append(under.log, [], { origin, from: 105, next: 107, voids: 2, mark: null, markOffset: null });
    expect(await openOrigin(under.database, { kind: 'file', name: 'marked', part: 0, tenant: 'acme', firstOffset: 0 })).toEqual({ origin, nextOffset: 107, mark: 'a', markOffset: 103 });
    expect(await verify(under.database)).toMatchObject({ balanced: true, received: 3, stored: 3 });
  });
});

describe('an append that fails', () => {
  it.each([
    ['a text Postgres cannot hold', { type: 'a\0b' }],
    ['JSON that is none', { data: '{"invocation":' }],
    ['a number no column holds', { time: 1e20 }],
  ])('at %s leaves nothing, and its stretch can be appended without it', async (_, changes) => {
    const source = await under.origin();
    await source.append(arrivals(1000, 10));
    const before = await everything();
    const broken = [...mixed.slice(0, -1), arrival(500, changes as never)];
    await expect(append(under.log, broken, source.next(broken.length))).rejects.toThrow();
    expect(await everything()).toEqual(before);
    expect(await append(under.log, mixed, source.next(mixed.length))).toEqual({ stored: 40, duplicate: 1, rejected: 1, quarantined: 1 });
    expect(await verify(under.database)).toMatchObject({ balanced: true, received: 53 });
  });

  it('early in a COPY longer than the socket takes at once leaves the process, the connection and the log whole', async () => {
    await under.rows('create table item (id int primary key, name text)');
    const large = Array.from({ length: 1_000 }, (_, i) => [i === 1 ? 0 : i, 'x'.repeat(30_000)]);
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(under.database.transaction((client) => copyInto(client, 'item', { id: 'int4', name: 'text' }, large))).rejects.toMatchObject({ code: '23505' });
    }
    expect(await under.rows('select count(*)::int as count from item')).toEqual([{ count: 0 }]);
  });
});

describe('an append whose connection is cut', () => {
  let proxy: PostgresProxy;
  afterEach(() => proxy.close());

  /** A log by way of a proxy that decides `decision` at the first message that is `at`. */
  async function cutting(decision: Decision, at: (event: ProxyEvent) => boolean): Promise<Log> {
    let cut = false;
    proxy = await startPostgresProxy(under.url, {
      decide(message) {
        if (cut || !at(message)) return 'forward';
        cut = true;
        return decision;
      },
    });
    return openLog(await under.open(proxy.url), keyOf('right'), sealer);
  }

  const POINTS: [string, (event: ProxyEvent) => boolean][] = [
    ['at BEGIN', ({ text }) => text === 'START TRANSACTION'],
    ['at the fence', ({ text }) => text?.startsWith('update origin set next_offset') ?? false],
    ['within the COPY', ({ kind }) => kind === 'copyData'],
    ['at the end of the COPY', ({ kind }) => kind === 'copyDone'],
    ['when it counts', ({ text }) => text?.startsWith('update origin set stored') ?? false],
    ['at COMMIT', ({ text }) => text === 'COMMIT'],
  ];

  it.each(POINTS)('%s leaves nothing, and the same stretch can be appended then', async (_, at) => {
    const source = await under.origin();
    const log = await cutting('cut', at);
    const failure: unknown = await append(log, mixed, source.next(mixed.length)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect({ failure, transient: isTransient(failure) }).toMatchObject({ transient: true });
    expect(await verify(under.database)).toMatchObject({ balanced: true, ...NOTHING });
    expect(await append(log, mixed, source.next(mixed.length))).toMatchObject({ stored: 40 });
    expect(await verify(under.database)).toMatchObject({ balanced: true, ...WHOLE });
  });

  it('after COMMIT, before the answer, leaves all: trying again is fenced and counts nothing twice', async () => {
    const source = await under.origin();
    const log = await cutting('forward-then-cut', ({ text }) => text === 'COMMIT');
    const failure: unknown = await append(log, mixed, source.next(mixed.length)).catch((error: unknown) => error);
    expect({ failure, transient: isTransient(failure) }).toMatchObject({ transient: true });
    await expect(append(log, mixed, source.next(mixed.length))).rejects.toThrow(Fenced);
    expect(await verify(under.database)).toMatchObject({ balanced: true, ...WHOLE });
    // Who asks the fence where to go on is not fenced.
    const { nextOffset } = await openOrigin(log.database, { kind: 'file', name: 'cluster/topic', part: 0, tenant: null, firstOffset: 0 });
    expect(nextOffset).toBe(mixed.length);
    expect(await append(log, arrivals(100, 5), { ...source.next(5), from: nextOffset, next: nextOffset + 5 })).toMatchObject({ stored: 5 });
  });

  it('in the middle of numbering people leaves numbers that the next attempt takes', async () => {
    const source = await under.origin();
    const log = await cutting('forward-then-cut', ({ text }) => text?.startsWith('insert into person') ?? false);
    await expect(append(log, [{ tenant: 'acme', event: event(1) }], source.next(1))).rejects.toThrow();
    expect(await append(log, [{ tenant: 'acme', event: event(1) }], source.next(1))).toMatchObject({ stored: 1 });
    expect(await under.rows(`select count(*)::int as people, (select id from event where shard < 16) as id from person`)).toEqual([{ people: 1, id: id(1) }]);
  });
});
