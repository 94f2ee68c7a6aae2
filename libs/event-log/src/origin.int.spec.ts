import { beforeEach, describe, expect, it } from '@jest/globals';
import { arrival, freshLog, person, type Source } from '../../../test/support/event-log.js';
import { completeThrough, finishOrigin, markEndSeen, openOrigin, prepare, project, readings, USAGE_SHARDS, type Projection } from './index.js';

const under = freshLog();
const projection: Projection = { name: 'nothing', version: 1, tables: [], page: 4, fold: async () => undefined };
beforeEach(() => prepare(under.database, projection));

const at = (second: number) => `2026-11-25T10:00:${String(second).padStart(2, '0')}.000001Z`;
const micros = (text: string) => Date.parse(text) * 1000 + 1;
const through = (tenant = 'acme') => completeThrough(under.database, tenant, 'nothing');
/** A partition that several tenants write to. */
const partition = (name = 'cluster/topic', tenant: string | null = null) => under.origin(name, tenant);
const file = (name = 'acme/file#1', tenant = 'acme') => under.origin(name, tenant, 'file');
const seen = async (source: Source, second: number) => markEndSeen(under.database, source.number, source.next(0).from, at(second));
const add = (source: Source, from: number, count = 20) => source.append(Array.from({ length: count }, (_, i) => arrival(from + i, { person: person(from + i) })));
const openedAt = async (source: Source) => (await under.rows<{ at: number }>(`select extract(epoch from opened_at)::numeric * 1000000 as at from origin where origin = $1`, [source.number])).map((row) => Number(row.at))[0]!;
const endOf = async (source: Source) => (await under.rows<{ at: number }>(`select extract(epoch from end_seen_at)::numeric * 1000000 as at from origin where origin = $1`, [source.number])).map((row) => Number(row.at))[0]!;

async function foldShard(shard: number): Promise<void> {
  for (;;) {
    const progress = await project(under.log, projection, shard);
    if (typeof progress === 'string') throw new Error('nobody else is here');
    if (!progress.behind) return;
  }
}
async function foldAll(): Promise<void> {
  for (let shard = 0; shard < USAGE_SHARDS; shard++) await foldShard(shard);
}

describe('complete_through', () => {
  it('is not known while nothing has been read from anywhere', async () => {
    expect(await through()).toBeNull();
    await foldAll();
    expect(await through()).toBeNull();
  });

  it('is not known while the end of a partition was never seen', async () => {
    await add(await partition(), 1);
    await foldAll();
    expect(await through()).toBeNull();
  });

  it('is what was seen of a partition once every shard has folded to its head after that', async () => {
    const source = await partition();
    await add(source, 1);
    await seen(source, 1);
    expect(await through()).toBeNull();
    for (let shard = 0; shard < USAGE_SHARDS - 1; shard++) await foldShard(shard);
    expect(await through()).toBeNull();
    await foldShard(USAGE_SHARDS - 1);
    expect(await through()).toBe(micros(at(1)));
  });

  it('stays where it was while one shard is behind, and moves though nothing arrives', async () => {
    const source = await partition();
    await seen(source, 1);
    await foldAll();
    await seen(source, 2);
    for (let shard = 1; shard < USAGE_SHARDS; shard++) await foldShard(shard);
    expect(await through()).toBe(micros(at(1)));
    await foldShard(0);
    expect(await through()).toBe(micros(at(2)));
  });

  it('does not move by a page that did not reach the head', async () => {
    const source = await partition();
    await foldAll();
    await seen(source, 1);
    await foldAll();
    await source.append(Array.from({ length: 9 }, (_, i) => arrival(i, { person: null })));
    await seen(source, 2);
    const { shard } = (await under.rows<{ shard: number }>('select shard from event where shard < 16 limit 1'))[0]!;
    for (let other = 0; other < USAGE_SHARDS; other++) if (other !== shard) await foldShard(other);
    expect(await project(under.log, projection, shard)).toEqual({ folded: 4, behind: true, traceparents: [] });
    expect(await through()).toBe(micros(at(1)));
    expect(await project(under.log, projection, shard)).toEqual({ folded: 4, behind: true, traceparents: [] });
    expect(await project(under.log, projection, shard)).toEqual({ folded: 1, behind: false, traceparents: [] });
    expect(await through()).toBe(micros(at(2)));
  });

  it('is the least over partitions, and not known until each has been seen to its end', async () => {
    const [one, two] = [await partition('cluster/one'), await partition('cluster/two')];
    await seen(one, 5);
    await foldAll();
    expect(await through()).toBeNull();
    await seen(two, 3);
    await foldAll();
    expect(await through()).toBe(micros(at(3)));
  });

  it('never goes back, and says nothing of an end that the fence has not reached', async () => {
    const source = await partition();
    await seen(source, 5);
    await seen(source, 4);
    await markEndSeen(under.database, source.number, 1, at(9));
    await foldAll();
    expect(await through()).toBe(micros(at(5)));
  });

  it('stands at the moment an unfinished reading of a file began', async () => {
    const source = await file();
    await add(source, 1);
    await foldAll();
    expect(await through()).toBe(await openedAt(source));
  });

  it('is the end of a finished reading once that is folded', async () => {
    const source = await file();
    await add(source, 1);
    await finishOrigin(under.database, source.number);
    expect(await through()).toBeNull();
    await foldAll();
    expect(await through()).toBe(await endOf(source));
    await finishOrigin(under.database, source.number); // again: changes nothing
    await foldAll();
    expect(await through()).toBe(await endOf(source));
  });

  it('is the latest of several finished readings', async () => {
    const one = await file('acme/one#1');
    await finishOrigin(under.database, one.number);
    const two = await file('acme/two#1');
    await finishOrigin(under.database, two.number);
    await foldAll();
    expect(await through()).toBe(await endOf(two));
    expect(await endOf(two)).toBeGreaterThan(await endOf(one));
  });

  it('goes by the running partition beside a finished reading, which holds nothing back', async () => {
    const reading = await file();
    await finishOrigin(under.database, reading.number);
    const running = await partition();
    await foldAll();
    expect(await through()).toBeNull();
    await seen(running, 5);
    await foldAll();
    expect(await through()).toBe(micros(at(5)));
  });

  it('is held by an unfinished reading beside a partition that is further', async () => {
    const running = await partition();
    const reading = await file();
    await markEndSeen(under.database, running.number, 0, '2200-01-01T00:00:00Z'); // a moment that has not come is taken for now
    await foldAll();
    expect(await through()).toBe(await openedAt(reading));
  });

  it('of a direct way in that was never marked is where the projector stood, or the moment it began if that is earlier', async () => {
    const begun = await under.origin('direct/one', null, 'direct');
    expect(await through()).toBeNull(); // nothing was folded yet
    const finished = await file();
    await finishOrigin(under.database, finished.number);
    await foldAll();
    expect(await through()).toBe(await openedAt(begun));
    const early = await partition('cluster/early');
    await seen(early, 5);
    await under.rows(`update checkpoint set seen = jsonb_build_object($1::text, 1000)`, [early.number]);
    expect(await through()).toBe(1000);
  });

  it('goes by a running direct way in as by a partition, and is held back by none that is finished', async () => {
    const one = await under.origin('direct/one', null, 'direct');
    const two = await under.origin('direct/two', null, 'direct');
    await seen(one, 5);
    await seen(two, 3);
    await foldAll();
    expect(await through()).toBe(micros(at(3)));
    await finishOrigin(under.database, two.number);
    await foldAll();
    expect(await through()).toBe(micros(at(5)));
  });

  it('remembers of finished direct ways in the latest only: there is one for each start of a process', async () => {
    for (const name of ['one', 'two', 'three']) await finishOrigin(under.database, (await under.origin(`direct/${name}`, null, 'direct')).number);
    await foldAll();
    expect(await under.rows(`select distinct (select count(*)::int from jsonb_object_keys(seen)) as known from checkpoint`)).toEqual([{ known: 1 }]);
    const [last] = await under.rows<{ at: string }>(`select (extract(epoch from max(end_seen_at)) * 1000000)::float8 as at from origin`);
    expect(await through()).toBe(Number(last!.at));
  });

  it('of a tenant does not wait for what another tenant alone writes', async () => {
    const both = await partition('cluster/both');
    const mine = await partition('cluster/mine', 'acme');
    await partition('cluster/theirs', 'globex');
    await file('globex/file#1', 'globex');
    await seen(both, 5);
    await seen(mine, 4);
    await foldAll();
    expect(await through('acme')).toBe(micros(at(4)));
    expect(await through('globex')).toBeNull(); // their own partition has not been seen to its end
    expect(await through('initech')).toBe(micros(at(5)));
  });
});

describe('origins', () => {
  it('are opened once: who comes later finds the fence where it stands', async () => {
    const key = { kind: 'file' as const, name: 'acme/file#1', part: 0, tenant: 'acme', firstOffset: 10 };
    const [one, two] = await Promise.all([openOrigin(under.database, key), openOrigin(under.database, { ...key, firstOffset: 11 })]);
    expect(one).toEqual(two);
    expect([10, 11]).toContain(one.nextOffset);
    const part = await openOrigin(under.database, { ...key, part: 1 });
    expect(part.origin).not.toBe(one.origin);
  });

  it('tell readings of one file apart: how many are finished, and which is open', async () => {
    const content = 'acme/0123#';
    expect(await readings(under.database, content)).toEqual({ finished: 0, open: null });
    const first = await file(`${content}1`);
    await file('acme/01234#1');
    await file('globex/0123#1', 'globex');
    expect(await readings(under.database, content)).toEqual({ finished: 0, open: `${content}1` });
    await finishOrigin(under.database, first.number);
    expect(await readings(under.database, content)).toEqual({ finished: 1, open: null });
    await file(`${content}2`);
    expect(await readings(under.database, content)).toEqual({ finished: 1, open: `${content}2` });
  });
});
