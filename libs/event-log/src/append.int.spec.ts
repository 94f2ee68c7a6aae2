import { checkEvent, timeText } from '@foothold/contract';
import { DatabaseReplaced } from '@foothold/platform';
import { describe, expect, it } from '@jest/globals';
import { arrival, arrivals, event, freshLog, id, keyOf, MOMENT, person, personIn, sealer, TENANTS } from '../../../test/support/event-log.js';
import { opened } from '../../../test/support/letters.js';
import { append, openLog, shardOf, USAGE_SHARDS, verify, type Arrival } from './index.js';

const under = freshLog();

const heads = () => under.rows<{ shard: number; position: number; rows: number; first: number; last: number }>(
  `select h.shard, h.position::int, count(e.position)::int as rows, coalesce(min(e.position), 1)::int as first, coalesce(max(e.position), 0)::int as last
     from head h left join event e using (shard) where h.shard < ${USAGE_SHARDS} group by h.shard order by h.shard`,
);
const letters = async () => {
  const rows = opened(await under.rows(`select kind, tenant, deployment, source, type, id, field, sealed, payload from dead_letter order by dead_letter`), sealer);
  return rows.map((row) => ({ ...row, payload: row.payload && (JSON.parse(row.payload) as unknown) }));
};
const outcome = (changes: object) => ({ stored: 0, duplicate: 0, rejected: 0, quarantined: 0, ...changes });

describe('append stores', () => {
  it('with positions that have no holes, in each shard by its own count', async () => {
    const source = await under.origin();
    for (let batch = 0; batch < 4; batch++) {
      expect(await source.append(arrivals(batch * 100, 100, 80))).toEqual(outcome({ stored: 100 }));
    }
    const found = await heads();
    expect(found.reduce((sum, { rows }) => sum + rows, 0)).toBe(400);
    expect(found).toEqual(found.map(({ shard, rows }) => ({ shard, position: rows, rows, first: 1, last: rows })));
    expect(found.every(({ rows }) => rows > 0)).toBe(true);
    expect(await verify(under.database)).toMatchObject({ balanced: true, received: 400, stored: 400 });
  });

  it('every field, in the shard of the person, at the position of its arrival', async () => {
    const source = await under.origin();
    const [one, two] = [personIn(3), personIn(9)];
    await source.append([
      arrival(1, { person: one, actor: two, type: 'result.accepted', data: '{"invocation":"å\\u0000"}' }),
      arrival(2, { person: two, source: 'crm', time: -1 }),
      arrival(3, { person: one }),
      arrival(4, { person: null, type: 'sdk.reported', data: '{}' }),
    ]);
    const stored = await under.rows(
      `select shard, position::int, e.id, s.name as source, type, d.id as deployment, encode(p.pseudonym, 'hex') as person, encode(a.pseudonym, 'hex') as actor,
              (extract(epoch from time) * 1000000)::bigint as time, e.origin, e.version, data::text as data
         from event e join source s using (source) join deployment d on d.deployment = e.deployment
         left join person p using (person) left join person a on a.person = e.actor where shard < ${USAGE_SHARDS} order by e.id`,
    );
    const common = { source: 'erp', type: 'result.shown', deployment: 'claims', actor: null, origin: source.number, version: null };
    expect(stored).toEqual([
      { ...common, shard: 3, position: 1, id: id(1), person: one, actor: two, type: 'result.accepted', time: String(MOMENT + 1), data: '{"invocation":"å\\u0000"}' },
      { ...common, shard: 9, position: 1, id: id(2), source: 'crm', person: two, time: '-1', data: '{"invocation":"i-2"}' },
      { ...common, shard: 3, position: 2, id: id(3), person: one, time: String(MOMENT + 3), data: '{"invocation":"i-3"}' },
      { ...common, shard: shardOf('acme', 'claims', null), position: 1, id: id(4), person: null, type: 'sdk.reported', time: String(MOMENT + 4), data: '{}' },
    ]);
  });

  it('in shards that never change: the hash is part of what is stored', () => {
    // FNV-1a (32 bit) modulo 16, worked out in another language.
    expect([shardOf('acme', 'claims', null), shardOf('acme', 'claims', 'a'.repeat(64)), shardOf('globex', 'triage', '0123456789abcdef'.repeat(4))])
      .toEqual([6, 6, 8]);
  });

  it('stamps that never run backwards, though the clock does', async () => {
    const source = await under.origin();
    const one = personIn(5);
    await under.rows(`update head set received = '2200-01-01T00:00:00.000007Z' where shard = 5`);
    await source.append([arrival(1, { person: one }), arrival(2, { person: personIn(6) })]);
    await source.append([arrival(3, { person: one })]);
    const stamps = await under.rows(`select shard, to_char(received, 'YYYY-MM-DD"T"HH24:MI:SS.US') as received from event where shard < ${USAGE_SHARDS} order by id`);
    expect(stamps).toEqual([5, 6, 5].map((shard) => ({ shard, received: '2200-01-01T00:00:00.000007' })));
  });
});

describe('append counts as duplicate', () => {
  it('an event repeated in its batch, in another batch and from another origin', async () => {
    const [first, second] = [await under.origin('cluster/one'), await under.origin('cluster/two')];
    expect(await first.append([arrival(1), arrival(2), arrival(1)])).toEqual(outcome({ stored: 2, duplicate: 1 }));
    expect(await first.append([arrival(2), arrival(3)])).toEqual(outcome({ stored: 1, duplicate: 1 }));
    expect(await second.append([arrival(3), arrival(1), arrival(4)])).toEqual(outcome({ stored: 1, duplicate: 2 }));
    expect(await letters()).toEqual([]);
    expect(await verify(under.database)).toMatchObject({ balanced: true, received: 8, stored: 4, duplicate: 4 });
  });

  it('an event sent again with another sequence, senttime and traceparent', async () => {
    const source = await under.origin();
    const wire = (extensions: object): Arrival => {
      const verdict = checkEvent(
        { specversion: '1.0', id: 'erp:4711:2', source: 'erp', type: 'foothold.result.shown.v1', subject: 'jane', time: '2026-11-25T09:30:00Z', deployment: 'claims', data: { invocation: 'i-1', options: 2 }, ...extensions },
        'acme', MOMENT, { pseudonymise: (_, name) => person(name), subjects: 'raw' },
      );
      if (verdict.outcome === 'refused') throw new Error(verdict.refusal.reason);
      return { tenant: 'acme', event: verdict.event };
    };
    await source.append([wire({ sequence: '7', senttime: '2026-11-25T09:30:01Z', traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` })]);
    expect(await source.append([
      wire({ sequence: '8', senttime: '2026-11-25T10:30:01Z', traceparent: `00-${'3'.repeat(32)}-${'4'.repeat(16)}-00` }),
      wire({ data: { options: 2, invocation: 'i-1' } }),
    ])).toEqual(outcome({ duplicate: 2 }));
    expect(await under.log.database.query(`select sequence from event where shard < 16`)).toEqual([{ sequence: '7' }]);
  });

  it('nothing that only shares the id: another source, another tenant', async () => {
    const source = await under.origin();
    expect(await source.append([arrival(1), arrival(1, { source: 'crm' }), arrival(1, {}, TENANTS[1])])).toEqual(outcome({ stored: 3 }));
    expect(await source.append([arrival(1), arrival(1, { source: 'crm' }), arrival(1, {}, TENANTS[1])])).toEqual(outcome({ duplicate: 3 }));
  });
});

describe('append quarantines', () => {
  const CHANGES = [
    ['type', { type: 'result.accepted' as const }], ['time', { time: MOMENT + 2 }], ['data', { data: '{"invocation":"other"}' }],
    ['actor', { actor: person('two') }], ['person, who lies in another shard', { person: personIn(2) }], ['nobody in place of a person', { person: null }],
  ] as const;

  it.each(CHANGES)('an id that comes with another %s, within a batch and after it', async (_, changes) => {
    const source = await under.origin();
    const first = { person: personIn(11) };
    expect(await source.append([arrival(1, first), arrival(1, { ...first, ...changes })])).toEqual(outcome({ stored: 1, quarantined: 1 }));
    expect(await source.append([arrival(1, { ...first, ...changes }), arrival(1, first)])).toEqual(outcome({ duplicate: 1, quarantined: 1 }));
    const other = event(1, { ...first, ...changes });
    const letter = {
      kind: 'quarantined', tenant: 'acme', deployment: 'claims', source: 'erp', type: other.type, id: id(1), field: 'id',
      payload: {
        specversion: '1.0', id: id(1), source: 'erp', type: `foothold.${other.type}.v1`, time: timeText(other.time), deployment: 'claims', ...(other.person === null ? {} : { subject: other.person }),
        data: { ...(JSON.parse(other.data) as object), ...(other.actor === null ? {} : { actor: other.actor }) },
      },
    };
    expect(await letters()).toEqual([letter, letter]);
    expect(await verify(under.database)).toMatchObject({ balanced: true, received: 4, stored: 1, duplicate: 1, quarantined: 2 });
  });

  it('events of a deployment nobody registered, until somebody does', async () => {
    const source = await under.origin();
    const stranger = arrival(1, { deployment: 'triage' });
    expect(await source.append([stranger, arrival(2), arrival(3, {}, 'initech')])).toEqual(outcome({ stored: 1, quarantined: 2 }));
    expect(await letters()).toMatchObject([{ field: 'deployment', tenant: 'acme', deployment: 'triage' }, { field: 'deployment', tenant: 'initech', deployment: 'claims' }]);
    await under.rows(`insert into deployment (tenant, id, version, registration) select tenant, 'triage', 1, '{}' from tenant where name = 'acme'`);
    expect(await source.append([stranger])).toEqual(outcome({ stored: 1 }));
    expect(await verify(under.database)).toMatchObject({ balanced: true, received: 4, stored: 2, quarantined: 2 });
  });

  it('and counts apart from them what the boundary refused', async () => {
    const source = await under.origin();
    const refusal = { kind: 'rejected' as const, field: 'time', reason: 'missing', fix: 'send it', tenant: 'acme', deployment: null, source: null, type: null, id: null, payload: null };
    expect(await source.append([{ refusal }, arrival(1), { refusal: { ...refusal, kind: 'quarantined' } }, { refusal }])).toEqual(outcome({ stored: 1, rejected: 2, quarantined: 1 }));
    expect(await under.rows(`select kind, count(*)::int as count, min(origin) as origin from dead_letter group by kind order by kind`)).toEqual([
      { kind: 'quarantined', count: 1, origin: source.number }, { kind: 'rejected', count: 2, origin: source.number },
    ]);
    expect(await verify(under.database)).toMatchObject({ balanced: true, received: 4, rejected: 2, quarantined: 1 });
  });
});

describe('append refuses', () => {
  it.each([['of a deployment that is registered', 'claims'], ['of one that is not, whose dead letter would name strangers', 'triage']])(
    'to write under another pseudonym key events %s', async (_, deployment) => {
      const source = await under.origin();
      const other = openLog(under.database, keyOf('wrong'), sealer);
      await expect(source.append([arrival(1, { deployment })], other)).rejects.toMatchObject({ name: 'WrongInput', field: 'FOOTHOLD_PSEUDONYM_KEY', message: expect.stringContaining('acme') });
      expect(await verify(under.database)).toMatchObject({ balanced: true, received: 0 });
      expect(await letters()).toEqual([]);
    },
  );

  it.each(['update event set type = type', 'delete from event', 'truncate event'])('nothing by itself, but the table refuses: %s', async (sql) => {
    const source = await under.origin();
    await append(under.log, [arrival(1)], source.next(1));
    await expect(under.rows(sql)).rejects.toThrow('the event log is append-only');
    expect(await verify(under.database)).toMatchObject({ balanced: true, stored: 1 });
  });
});

it('writes nothing into a log that was set back: the numbers it remembers may be somebody else’s there', async () => {
  const source = await under.origin();
  await source.append([arrival(1)]);
  const [{ shard }] = (await under.rows<{ shard: number }>('select shard from event where shard < 16')) as [{ shard: number }];
  await under.rows('update head set position = 0 where shard = $1', [shard]);
  await expect(source.append([arrival(2)])).rejects.toThrow(DatabaseReplaced);
  expect(await under.rows('select next_offset::int as next from origin')).toEqual([{ next: 1 }]);
  await source.append([arrival(3, { person: personIn((shard + 1) % USAGE_SHARDS) })]); // of another shard nothing is missing
});
