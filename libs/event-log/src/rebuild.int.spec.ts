/** Rebuilds on a real Postgres: beside a live projector, killed and gone on with, of a fold that has changed. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { arrival, freshLog, person } from '../../../test/support/event-log.js';
import { until } from '../../../test/support/recording.js';
import { adoptVersion, keyOf, openLog, prepare, project, rebuild, USAGE_SHARDS, type LoggedEvent, type Projection, type Store, type Table } from './index.js';

/** How often somebody did a thing, and when the last of it was received. */
interface Count {
  deployment: number;
  person: number;
  type: string;
  times: number;
  revised_at: number;
}

const table: Table<Count> = {
  name: 'tally',
  columns: { deployment: 'int4', person: 'int8', type: 'text', times: 'int4', revised_at: 'timestamptz' },
  key: ['deployment', 'person', 'type'],
};
const CREATE = `
  create table tally (shard smallint not null, deployment int not null, person bigint not null, type text not null, times int not null check (times > 0), revised_at timestamptz not null,
    primary key (shard, deployment, person, type));
  create index tally_often on tally (deployment, times) where times > 2;
  comment on table tally is 'how often';
  do $$ begin if not exists (select from pg_roles where rolname = 'tally_reader') then create role tally_reader; end if; end $$;
  grant select on tally to tally_reader`;

const counting = (by = 1): Projection['fold'] => async (events: LoggedEvent[], store: Store) => {
  const rowOf = ({ deployment, person, type }: LoggedEvent): Count => ({ deployment, person: person ?? 0, type, times: 0, revised_at: 0 });
  const rows = await store.take(table, new Map(events.map((one) => [keyOf(table, rowOf(one)), rowOf(one)])).values());
  for (const one of events) {
    const key = keyOf(table, rowOf(one));
    const row = rows.get(key) ?? rowOf(one);
    rows.set(key, { ...row, times: row.times + by, revised_at: one.received });
  }
  await store.put(table, rows.values());
};
const tallies = (fold = counting(), page = 100, version = 1): Projection => ({ name: 'tallies', version, tables: [table as never], page, fold });

const under = freshLog();
beforeEach(async () => {
  await under.rows(CREATE);
  await prepare(under.database, tallies());
});

const dump = () => under.rows('select shard, deployment, person, type, times, revised_at::text from tally order by 1, 2, 3, 4');
const things = () => under.rows<{ what: string }>(`
  select pg_get_indexdef(indexrelid) as what from pg_index where indrelid = 'tally'::regclass
  union all select conname || ' ' || pg_get_constraintdef(oid) from pg_constraint where conrelid = 'tally'::regclass
  union all select obj_description('tally'::regclass)
  union all select relacl::text from pg_class where oid = 'tally'::regclass order by 1`);
const schemas = () => under.rows(`select nspname from pg_namespace where nspname like 'rebuild%'`);

async function store(from: number, count: number): Promise<void> {
  const source = await under.origin(`cluster/${from}`);
  await source.append(Array.from({ length: count }, (_, i) => arrival(from + i, { person: person((from + i) % 37) })));
}

async function foldAll(projection: Projection, log = under.log): Promise<void> {
  for (let shard = 0; shard < USAGE_SHARDS; shard++) for (let behind = true; behind; ) {
    const progress = await project(log, projection, shard);
    behind = typeof progress === 'string' || progress.behind;
  }
}

describe('a rebuild', () => {
  it('gives the same tables in every column, with the same indexes, constraints, words and grants', async () => {
    await store(0, 900);
    await foldAll(tallies());
    const [rows, around] = [await dump(), await things()];
    const told: [number, number][] = [];
    expect(await rebuild(under.log, tallies(), { progress: (folded, of) => told.push([folded, of]) })).toEqual({ projection: 'tallies', replaced: 1, version: 1, events: 900, differences: { tally: 0 }, swapped: true });
    expect(told.at(-1)).toEqual([900, 900]);
    expect([await dump(), await things(), await schemas()]).toEqual([rows, around, []]);
    await store(1_000, 50);
    await foldAll(tallies());
    expect((await under.rows<{ times: number }>('select sum(times)::int as times from tally'))[0]).toEqual({ times: 950 });
  });

  it('goes beside a live projector that goes on folding', async () => {
    await store(0, 600);
    let rebuilding = true;
    const live = (async () => {
      for (let from = 10_000; rebuilding; from += 100) {
        await store(from, 20);
        await foldAll(tallies(counting(), 7));
      }
    })();
    const done = await rebuild(under.log, tallies(counting(), 13)).finally(() => (rebuilding = false));
    await live;
    expect(done).toMatchObject({ differences: { tally: 0 }, swapped: true });
    await foldAll(tallies());
    const counted = await under.rows(`select count(*)::int as times from event where shard < 16`);
    expect(await under.rows('select sum(times)::int as times from tally')).toEqual(counted);
  });

  it('that was killed goes on where it was, or anew', async () => {
    await store(0, 900);
    await foldAll(tallies());
    let pages = 0;
    const dying: Projection['fold'] = async (events, into) => {
      if (++pages > 5) throw new Error('killed');
      await counting()(events, into);
    };
    for (const options of [{}, { fresh: true }]) {
      pages = 0;
      await expect(rebuild(under.log, tallies(dying, 20))).rejects.toThrow('killed');
      const [left] = await under.rows<{ folded: number }>(`select sum(position)::int as folded from checkpoint where projection = 'tallies rebuilt'`);
      expect(left!.folded).toBeGreaterThan(0);
      expect(await rebuild(under.log, tallies(), options)).toMatchObject({ events: options.fresh ? 900 : 900 - left!.folded, differences: { tally: 0 }, swapped: true });
    }
  });

  it('of a fold that has changed says how many rows differ and leaves live as it is, until that is accepted', async () => {
    await store(0, 300);
    await foldAll(tallies());
    const rows = await dump();
    const found = await rebuild(under.log, tallies(counting(2)));
    expect(found).toMatchObject({ events: 300, differences: { tally: 2 * rows.length }, swapped: false });
    expect(await dump()).toEqual(rows);
    expect(await rebuild(under.log, tallies(counting(2)), { acceptDifferences: true })).toMatchObject({ events: 0, differences: { tally: 2 * rows.length }, swapped: true });
    expect(await under.rows('select sum(times)::int as times from tally')).toEqual([{ times: 600 }]);
    expect(await schemas()).toEqual([]);
  });

  it('of another version, or of tables that have changed since, is begun anew', async () => {
    await store(0, 300);
    await foldAll(tallies());
    expect(await rebuild(under.log, tallies(counting(2)))).toMatchObject({ events: 300, swapped: false });
    expect(await rebuild(under.log, tallies(counting(), 100, 2))).toMatchObject({ replaced: 1, version: 2, events: 300, differences: { tally: 0 }, swapped: true });
    expect(await rebuild(under.log, tallies(counting(2), 100, 2))).toMatchObject({ events: 300, swapped: false });
    await under.rows('create index tally_late on tally (revised_at)');
    const around = await things();
    expect(await rebuild(under.log, tallies(counting(), 100, 2))).toMatchObject({ events: 300, swapped: true });
    expect(await things()).toEqual(around);
  });

  it('rolls out a version with another column: the older goes on folding until it is swapped in, and folds nothing after', async () => {
    interface Dated extends Count { first_at: number | null }
    const dated: Table<Dated> = { ...table, columns: { ...table.columns, first_at: 'timestamptz' } };
    const second: Projection = {
      ...tallies(), version: 2, tables: [dated as never],
      fold: async (events, into) => {
        const rowOf = ({ deployment, person: who, type, time, received }: LoggedEvent): Dated => ({ deployment, person: who ?? 0, type, times: 0, first_at: time, revised_at: received });
        const rows = await into.take(dated, new Map(events.map((one) => [keyOf(dated, rowOf(one)), rowOf(one)])).values());
        for (const one of events) {
          const row = rows.get(keyOf(dated, rowOf(one))) ?? rowOf(one);
          rows.set(keyOf(dated, row), { ...row, times: row.times + 1, first_at: Math.min(row.first_at ?? Infinity, one.time), revised_at: one.received });
        }
        await into.put(dated, rows.values());
      },
    };
    await store(0, 900);
    await foldAll(tallies());
    await under.rows('alter table tally add column first_at timestamptz');
    const newer = openLog(await under.open());
    expect(await project(newer, second, 0)).toBe('other version');

    let [rolling, from, least] = [true, 10_000, 900];
    const older = (async () => {
      for (; rolling; from += 20) {
        await store(from, 20);
        for (let shard = 0; shard < USAGE_SHARDS; shard++) await project(under.log, tallies(counting(), 7), shard);
      }
    })();
    const reader = (async () => {
      while (rolling) least = Math.min(least, (await under.rows<{ times: number }>('select coalesce(sum(times), 0)::int as times from tally'))[0]!.times);
    })();
    expect(await adoptVersion(newer, second).finally(() => (rolling = false))).toBe(2);
    await Promise.all([older, reader]);
    expect(least).toBe(900);
    expect(from).toBeGreaterThan(10_020);

    const before = await dump();
    await store(from, 20);
    for (let shard = 0; shard < USAGE_SHARDS; shard++) expect(await project(under.log, tallies(), shard)).toBe('other version');
    expect(await dump()).toEqual(before);
    await foldAll(second, newer);
    const [counted] = await under.rows(`select count(*)::int as times from event where shard < 16`);
    expect(await under.rows('select sum(times)::int as times from tally where first_at is not null')).toEqual([counted]);
    expect(await adoptVersion(under.log, tallies())).toBe(2);
    await expect(rebuild(under.log, tallies(), { acceptDifferences: true })).rejects.toMatchObject({ field: 'projection', fix: expect.stringContaining('newer') });
  });

  it('of an older version leaves alone what a newer one folds beside, and ends where that begins', async () => {
    await store(0, 900);
    await foldAll(tallies());
    const version = (number: number, fold = counting(number)) => tallies(fold, 20, number);
    let pages = 0;
    const dying: Projection['fold'] = async (events, into) => {
      if (++pages > 5) throw new Error('killed');
      await counting(3)(events, into);
    };
    // The newer one begins while the older folds, and is killed.
    const newer = openLog(await under.open());
    let begun: Promise<unknown> | undefined;
    const older = rebuild(under.log, version(2), { progress: () => void (begun ??= rebuild(newer, version(3, dying)).catch((error: unknown) => error)) });
    await expect(older).rejects.toMatchObject({ name: 'Overtaken' });
    expect(String(await begun)).toContain('killed');
    await expect(rebuild(under.log, version(2))).rejects.toMatchObject({ field: 'projection', reason: expect.stringContaining('version 3'), fix: expect.stringContaining('--fresh') });
    expect(await rebuild(newer, version(3))).toMatchObject({ replaced: 1, version: 3, swapped: true });
    expect(await under.rows('select sum(times)::int as times from tally')).toEqual([{ times: 2_700 }]);
  });

  it('of which the newer version never came to its end is begun anew when that is asked for', async () => {
    await store(0, 200);
    await foldAll(tallies());
    await expect(rebuild(under.log, tallies(async () => Promise.reject(new Error('killed')), 100, 3))).rejects.toThrow('killed');
    await expect(adoptVersion(under.log, tallies(counting(), 100, 2))).rejects.toMatchObject({ field: 'projection' });
    expect(await rebuild(under.log, tallies(counting(), 100, 2), { fresh: true })).toMatchObject({ version: 2, swapped: true });
  });

  it('tells that it goes on while it compares', async () => {
    await store(0, 200);
    await foldAll(tallies());
    let told = 0;
    await rebuild(under.log, tallies(counting(), 10_000), { progress: () => told++ });
    expect(told).toBeGreaterThan(2 * USAGE_SHARDS); // folded, analysed and compared
  });

  it('says what is missing where its role may make no schema', async () => {
    await under.rows(`do $$ begin if not exists (select from pg_roles where rolname = 'tally_folder') then create role tally_folder; end if; end $$`);
    await under.rows('grant select, insert, update, delete on all tables in schema public to tally_folder');
    const address = new URL(under.url);
    address.searchParams.set('options', '-c role=tally_folder');
    await expect(rebuild(openLog(await under.open(address.href)), tallies())).rejects.toMatchObject({ field: 'DATABASE_URL', fix: expect.stringContaining('grant create on database') });
  });

  it('does not take a table that is missing for somebody else’s work', async () => {
    await under.rows('drop table tally');
    await expect(adoptVersion(under.log, tallies(counting(), 100, 2))).rejects.toMatchObject({ code: '42P01' });
  });

  it('that is asked to end does so between two pages, and the next goes on from there', async () => {
    await store(0, 900);
    await foldAll(tallies());
    const asked = new AbortController();
    await expect(rebuild(under.log, tallies(counting(), 10), { signal: asked.signal, progress: (folded) => folded > 200 && asked.abort() })).rejects.toThrow('abort');
    const done = await rebuild(under.log, tallies());
    expect(done).toMatchObject({ differences: { tally: 0 }, swapped: true });
    expect(done.events).toBeLessThan(700);
  });

  it('is refused while views read the tables, before anything is folded', async () => {
    await under.rows('create view often as select * from tally where times > 2');
    await expect(rebuild(under.log, tallies())).rejects.toMatchObject({ field: 'projection', reason: expect.stringContaining('often'), fix: expect.stringContaining('drop the views') });
    expect(await schemas()).toEqual([]);
  });

  it('swaps nothing in where a migration has changed the tables while the swap waited: it would be undone', async () => {
    await store(0, 100);
    await foldAll(tallies());
    let release: () => void = () => undefined;
    const reading = under.database.transaction(async (client) => {
      await client.query('select * from tally');
      await new Promise<void>((resolve) => (release = resolve));
    });
    const rebuilding = rebuild(under.log, tallies());
    const refused = expect(rebuilding).rejects.toMatchObject({ field: 'projection', reason: expect.stringContaining('changed') });
    const waiting = () => under.rows(`select from pg_locks where relation = 'tally'::regclass and mode = 'AccessExclusiveLock' and not granted`);
    for (const state of [true, false]) await until(`the swap ${state ? 'waits' : 'has let others by'}`, async () => (await waiting()).length > 0 === state);
    release();
    await reading;
    await under.rows('alter table tally add column more int');
    await refused;
    expect(await under.rows(`select from pg_attribute where attrelid = 'tally'::regclass and attname = 'more'`)).toHaveLength(1);
    expect(await rebuild(under.log, tallies())).toMatchObject({ events: 100, swapped: true });
    expect(await under.rows(`select from pg_attribute where attrelid = 'tally'::regclass and attname = 'more'`)).toHaveLength(1);
  });

  it('leaves the tables to whoever owned them, with what was granted on columns and how they are stored', async () => {
    await store(0, 100);
    await foldAll(tallies());
    await under.rows(`do $$ begin if not exists (select from pg_roles where rolname = 'tally_owner') then create role tally_owner; end if; end $$`);
    await under.rows('grant create on schema public to tally_owner');
    await under.rows('alter table tally owner to tally_owner');
    await under.rows('alter table tally set (fillfactor = 70)');
    await under.rows('grant update (times) on tally to tally_reader');
    const state = () => under.rows(`select relowner::regrole::text as owner, relacl::text as grants, reloptions, (select attacl::text from pg_attribute where attrelid = c.oid and attname = 'times') as columns from pg_class c where oid = 'tally'::regclass`);
    const before = await state();
    expect(await rebuild(under.log, tallies())).toMatchObject({ swapped: true });
    expect(await state()).toEqual(before);
    await under.rows('drop table tally'); // or the role would stay in use
  });

  it('finds a row that somebody changed behind the log’s back', async () => {
    await store(0, 300);
    await foldAll(tallies());
    await under.rows(`update tally set revised_at = revised_at + interval '1 microsecond' where ctid = (select min(ctid) from tally)`);
    expect(await rebuild(under.log, tallies())).toMatchObject({ differences: { tally: 2 }, swapped: false });
  });

  it('twice at once folds everything once, and one of them swaps', async () => {
    await store(0, 600);
    await foldAll(tallies());
    const rows = await dump();
    const ended = await Promise.allSettled([rebuild(under.log, tallies(counting(), 20)), rebuild(under.log, tallies(counting(), 20))]);
    expect(ended.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
    for (const end of ended) if (end.status === 'rejected') expect(String(end.reason)).toContain('another rebuild of tallies has come to its end meanwhile');
    expect([await dump(), await schemas()]).toEqual([rows, []]);
  });

  it('waits for who reads, without keeping others from reading for long', async () => {
    await store(0, 100);
    await foldAll(tallies());
    let release: () => void = () => undefined;
    const reading = under.database.transaction(async (client) => {
      await client.query('select * from tally');
      await new Promise<void>((resolve) => (release = resolve));
    });
    const rebuilding = rebuild(under.log, tallies());
    const waiting = () => under.rows(`select from pg_locks where relation = 'tally'::regclass and mode = 'AccessExclusiveLock' and not granted`);
    for (const state of [true, false, true]) await until(`the swap ${state ? 'waits' : 'has let others by'}`, async () => (await waiting()).length > 0 === state);
    release();
    expect(await rebuilding).toMatchObject({ swapped: true });
    await reading;
  });
});
