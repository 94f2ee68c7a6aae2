import { beforeEach, describe, expect, it } from '@jest/globals';
import { arrival, freshLog, personIn, type Source } from '../../../test/support/event-log.js';
import { deadLetters, verify } from './index.js';

const under = freshLog();
let source: Source;
const SHARD = 3;
const one = personIn(SHARD);
const refusal = { kind: 'rejected' as const, field: 'time', reason: 'missing', fix: 'send it', tenant: 'acme', deployment: null, source: null, type: null, id: null, payload: null };

beforeEach(async () => {
  source = await under.origin('cluster/topic');
  await source.append([arrival(1, { person: one }), arrival(2, { person: one }), arrival(3, { person: one }), arrival(1, { person: one }), arrival(2, { data: '{}', person: one }), { refusal }, { refusal }]);
  const other = await under.origin('acme/file#1', 'acme', 'file');
  await other.append([arrival(4, { person: personIn(5) }), arrival(3, { person: one })]);
});

/** What an intruder does to a table that refuses it. */
const byForce = async (sql: string) => {
  await under.rows('alter table event disable trigger event_is_append_only');
  await under.rows(sql);
};

describe('verify', () => {
  it('adds up what is whole, origin by origin', async () => {
    expect(await verify(under.database)).toEqual({
      balanced: true, problems: [], received: 9, stored: 4, duplicate: 2, rejected: 2, quarantined: 1,
      sources: [
        { kind: 'file', name: 'acme/file#1', part: 0, received: 2, stored: 1, duplicate: 1, rejected: 0, quarantined: 0 },
        { kind: expect.any(String), name: 'cluster/topic', part: 0, received: 7, stored: 3, duplicate: 1, rejected: 2, quarantined: 1 },
      ],
    });
  });

  it('is balanced where nothing was ever received', async () => {
    await byForce(`truncate event, dead_letter, origin`);
    await under.rows(`update head set position = 0`);
    expect(await verify(under.database)).toEqual({ balanced: true, problems: [], received: 0, stored: 0, duplicate: 0, rejected: 0, quarantined: 0, sources: [] });
  });

  const T = 'cluster/topic[0]';
  it.each([
    ['a record received and not accounted for', `update origin set next_offset = next_offset + 1 where name = 'cluster/topic'`, [`${T}: 8 received, 7 accounted for`]],
    ['an offset said to carry no record', `update origin set void_offsets = 1 where name = 'cluster/topic'`, [`${T}: 6 received, 7 accounted for`]],
    ['a duplicate counted twice', `update origin set duplicate = duplicate + 1 where name = 'cluster/topic'`, [`${T}: 7 received, 8 accounted for`]],
    ['a stored event counted as duplicate', `update origin set stored = 2, duplicate = 2 where name = 'cluster/topic'`, [`${T}: 2 counted as stored, 3 rows in the log`]],
    ['a rejection counted as quarantine', `update origin set rejected = 1, quarantined = 2 where name = 'cluster/topic'`, [`${T}: 1 counted as rejected, 2 dead letters`, `${T}: 2 counted as quarantined, 1 dead letters`]],
    ['counters moved from one origin to another', `update origin set duplicate = duplicate + case name when 'cluster/topic' then -1 else 1 end`, ['acme/file#1[0]: 2 received, 3 accounted for', `${T}: 7 received, 6 accounted for`]],
    ['a dead letter gone', `delete from dead_letter where kind = 'quarantined'`, [`${T}: 1 counted as quarantined, 0 dead letters`]],
    ['one of several dead letters gone', `delete from dead_letter where dead_letter = (select min(dead_letter) from dead_letter where kind = 'rejected')`, [`${T}: 2 counted as rejected, 1 dead letters`]],
    ['a dead letter put in', `insert into dead_letter (origin, kind, field, reason, fix, received) select origin, 'rejected', 'f', 'r', 'x', now() from origin where name = 'acme/file#1'`, ['acme/file#1[0]: 0 counted as rejected, 1 dead letters']],
    ['a head ahead of its rows', `update head set position = 4 where shard = ${SHARD}`, [`shard ${SHARD}: head at 4, 3 rows up to 3`]],
    ['a head behind its rows', `update head set position = 2 where shard = ${SHARD}`, [`shard ${SHARD}: head at 2, 3 rows up to 3`]],
    ['a head of lifecycle facts moved', `update head set position = 9 where shard = 16`, ['shard 16: head at 9, 2 rows up to 2']],
  ])('notices and names %s', async (_, sql, problems) => {
    await under.rows(sql);
    const found = await verify(under.database);
    expect(found.problems).toEqual(problems);
    expect(found.balanced).toBe(false);
  });

  it.each([
    ['an event gone', `delete from event where shard = ${SHARD} and position = 2`, [`${T}: 3 counted as stored, 2 rows in the log`, `shard ${SHARD}: head at 3, 2 rows up to 3`]],
    ['the latest event gone and the head set back', `delete from event where shard = ${SHARD} and position = 3; update head set position = 2 where shard = ${SHARD}`, [`${T}: 3 counted as stored, 2 rows in the log`]],
    ['an event moved up, leaving a hole', `update event set position = 9 where shard = ${SHARD} and position = 3`, [`shard ${SHARD}: head at 3, 3 rows up to 9`]],
    ['an event ascribed to another origin', `update event set origin = (select origin from origin where name = 'acme/file#1') where shard = ${SHARD} and position = 1`, ['acme/file#1[0]: 1 counted as stored, 2 rows in the log', `${T}: 3 counted as stored, 2 rows in the log`]],
    ['an event of an origin there is not', `insert into event select shard, 4, gen_random_uuid(), source, type, deployment, person, actor, time, received, 999, version, data from event where shard = ${SHARD} and position = 3; update head set position = 4 where shard = ${SHARD}`, ['1 rows in the log of origin 999, which there is not']],
    ['an event of no origin', `insert into event select shard, 4, gen_random_uuid(), source, type, deployment, person, actor, time, received, null, version, data from event where shard = ${SHARD} and position = 3; update head set position = 4 where shard = ${SHARD}`, ['1 rows in the log of no origin']],
    ['a shard without its head', `delete from head where shard = ${SHARD}`, [`shard ${SHARD}: no head, 3 rows up to 3`]],
  ])('notices and names %s, done by force', async (_, sql, problems) => {
    await byForce(sql);
    const found = await verify(under.database);
    expect(found.problems).toEqual(problems);
    expect(found.balanced).toBe(false);
  });

  it('compares one moment, while others append', async () => {
    let writing = true;
    const appending = (async () => {
      for (let n = 100; writing; n++) await source.append([arrival(n, { person: personIn(n % 16) }), { refusal }, arrival(n)]);
    })();
    const received: number[] = [];
    try {
      for (let i = 0; i < 15; i++) {
        const found = await verify(under.database);
        expect(found.problems).toEqual([]);
        received.push(found.received);
      }
    } finally {
      writing = false;
      await appending;
    }
    expect(received.at(-1)!).toBeGreaterThan(received[0]!);
  });
});

describe('dead letters', () => {
  it('are grouped by what is wrong with them, the latest first; a tenant sees its own and those that name none', async () => {
    await source.append([{ refusal: { ...refusal, tenant: null } }, { refusal: { ...refusal, tenant: 'globex', field: 'subject' } }]);
    const stamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const group = { firstSeen: stamp, lastSeen: stamp, id: expect.stringMatching(/^\d+$/) };
    const conflict = { ...group, kind: 'quarantined', field: 'id', reason: 'this source has sent another event with the same id', count: 1, fix: expect.stringContaining('an id of its own') };
    const missing = { ...group, kind: 'rejected', field: 'time', reason: 'missing', fix: 'send it' };
    expect(await deadLetters(under.database, 'acme')).toEqual([{ ...missing, count: 3 }, conflict]);
    expect(await deadLetters(under.database, 'globex')).toEqual([{ ...missing, field: 'subject', count: 1 }, { ...missing, count: 1 }]);
    expect(await deadLetters(under.database, 'initech')).toEqual([{ ...missing, count: 1 }]);
  });
});
