/** Several writers at once: what they may do to each other, and what they never do. */
import { type Database, type PoolClient } from '@foothold/platform';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { arrival, freshLog, id, keyOf, person, personIn, sealer } from '../../../test/support/event-log.js';
import { openLog, USAGE_SHARDS, verify, type Arrival, type Log, type Outcome } from './index.js';

const under = freshLog();

const outcome = (changes: object): Outcome => ({ stored: 0, duplicate: 0, rejected: 0, quarantined: 0, ...changes });
const add = (one: Outcome, two: Outcome): Outcome => ({
  stored: one.stored + two.stored, duplicate: one.duplicate + two.duplicate, rejected: one.rejected + two.rejected, quarantined: one.quarantined + two.quarantined,
});

/** Transactions begun by way of `committing`. */
let begun = 0;

/** `log`, whose transactions do `before` between their last statement and COMMIT. */
function committing(log: Log, before: (client: PoolClient) => Promise<void>): Log {
  const database = Object.create(log.database) as Database;
  database.transaction = (work) =>
    log.database.transaction(async (client) => {
      begun++;
      const result = await work(client);
      await before(client);
      return result;
    });
  return { ...log, database };
}

/** A log whose first append stands between its last statement and COMMIT, from `reached` until `go` or `die`. */
function standing(log: Log) {
  let arrive!: () => void;
  const reached = new Promise<void>((resolve) => (arrive = resolve));
  let go!: () => void;
  let die!: (error: Error) => void;
  const gate = new Promise<void>((resolve, reject) => ([go, die] = [resolve, reject]));
  return { log: committing(log, () => (arrive(), gate)), reached, go, die };
}

/** Waits until this many statements of ours wait for somebody's lock. */
async function waiting(count: number, like = '%'): Promise<void> {
  for (;;) {
    const [found] = await under.rows<{ count: number }>(
      `select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query ilike $1`, [like],
    );
    if (found!.count >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** An advisory lock held until `release`. */
async function holdLock(): Promise<{ release: () => Promise<void> }> {
  const pool = await under.open();
  let release!: () => void;
  const released = new Promise<void>((resolve) => (release = resolve));
  let taken!: () => void;
  const isTaken = new Promise<void>((resolve) => (taken = resolve));
  const held = pool.transaction(async (client) => {
    await client.query('select pg_advisory_xact_lock(1)');
    taken();
    await released;
  });
  await isTaken;
  return { release: () => (release(), held) };
}

describe('two writers with one id and two bodies in different shards', () => {
  it('store the one that commits first; the other meets the index, starts over and is quarantined', async () => {
    const [one, two] = [await under.origin('cluster/one'), await under.origin('cluster/two')];
    const other = openLog(await under.open(), keyOf('right'), sealer);
    const gate = standing(under.log);
    const first = one.append([arrival(1, { person: personIn(4) }), arrival(2, { person: personIn(4) })], gate.log);
    await gate.reached;
    const second = two.append([arrival(1, { person: personIn(12) }), arrival(3, { person: personIn(12) })], other);
    await waiting(1, 'copy event%'); // past its probe, which found nothing
    gate.go();
    expect(await Promise.all([first, second])).toEqual([outcome({ stored: 2 }), outcome({ stored: 1, quarantined: 1 })]);
    expect(await under.rows(`select shard, position::int, id from event where shard < ${USAGE_SHARDS} order by id`)).toEqual([
      { shard: 4, position: 1, id: id(1) }, { shard: 4, position: 2, id: id(2) }, { shard: 12, position: 1, id: id(3) },
    ]);
    expect(await under.rows('select origin, kind, field, id from dead_letter')).toEqual([{ origin: two.number, kind: 'quarantined', field: 'id', id: id(1) }]);
    expect(await verify(under.database)).toMatchObject({ balanced: true, received: 4, stored: 3, quarantined: 1 });
  });

  it('store the second when the first rolls back', async () => {
    const [one, two] = [await under.origin('cluster/one'), await under.origin('cluster/two')];
    const other = openLog(await under.open(), keyOf('right'), sealer);
    const gate = standing(under.log);
    const first = one.append([arrival(1, { person: personIn(4) })], gate.log).catch((error: Error) => error.message);
    await gate.reached;
    const second = two.append([arrival(1, { person: personIn(12) })], other);
    await waiting(1, 'copy event%');
    gate.die(new Error('the process died'));
    expect(await Promise.all([first, second])).toEqual(['the process died', outcome({ stored: 1 })]);
    expect(await verify(under.database)).toMatchObject({ balanced: true, received: 1, stored: 1, quarantined: 0 });
  });

  it('crosswise, each waiting for an id the other has written, are untangled: both appends end, each id is stored once', async () => {
    // A trigger stops each COPY between its two rows, so that each writer holds one id when it comes to the other's.
    await under.rows(`create function meet() returns trigger language plpgsql as $$
      begin if new.source = (select source from source where name = 'meet') then perform pg_advisory_xact_lock_shared(1); end if; return new; end $$`);
    await under.rows('create trigger meet before insert on event for each row execute function meet()');
    const [one, two] = [await under.origin('cluster/one'), await under.origin('cluster/two')];
    const other = openLog(await under.open(), keyOf('right'), sealer);
    const lock = await holdLock();
    const batch = (shard: number, ids: [number, number]): Arrival[] => [
      arrival(ids[0], { person: personIn(shard) }), arrival(100 + shard, { person: personIn(shard), source: 'meet' }), arrival(ids[1], { person: personIn(shard) }),
    ];
    const both = Promise.all([one.append(batch(4, [1, 2])), two.append(batch(12, [2, 1]), other)]);
    await waiting(2, 'copy event%');
    await lock.release();
    const [first, second] = await both;
    expect(add(first, second)).toEqual(outcome({ stored: 4, quarantined: 2 }));
    expect(await under.rows(`select count(distinct shard)::int as shards, count(*)::int as count from event where id in ($1, $2)`, [id(1), id(2)])).toEqual([{ shards: 1, count: 2 }]);
    expect(await verify(under.database)).toMatchObject({ balanced: true, received: 6, stored: 4, quarantined: 2 });
  });
});

describe('many writers over the same shards', () => {
  it('never deadlock, number without holes in the order of their commits, and store each event once', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    process.stderr.write(`append-writers: seed ${seed}\n`);
    const batches = fc.sample(fc.array(fc.integer({ min: 0, max: 999 }), { minLength: 1, maxLength: 120, size: 'max' }), { seed, numRuns: 80 });
    const logs = [under.log, openLog(await under.open(), keyOf('right'), sealer)];
    // Positions every commit could see, noted under the locks on the heads: its own are all behind them.
    const commits: { shard: number; first: number; last: number }[] = [];
    const noting = logs.map((log) =>
      committing(log, async (client) => {
        const { rows } = await client.query<{ shard: number; first: number; last: number }>(
          `select shard, min(position)::int as first, max(position)::int as last from event where xmin = pg_current_xact_id()::xid group by shard`,
        );
        commits.push(...rows);
      }),
    );
    const sources = await Promise.all(Array.from({ length: 8 }, (_, i) => under.origin(`cluster/topic-${i}`)));
    // A poll beside the writers: what a reader of the log sees is at every moment a stretch without holes from 1.
    let writing = true;
    const reader = await under.open();
    const polls: { holes: number; rows: number }[] = [];
    const polling = (async () => {
      while (writing) polls.push(...(await reader.query<{ holes: number; rows: number }>(
        `select coalesce(sum(last - rows), 0)::int as holes, coalesce(sum(rows), 0)::int as rows
           from (select max(position) as last, count(*) as rows from event where shard < ${USAGE_SHARDS} group by shard) s`,
      )));
    })();
    let total = outcome({});
    begun = 0;
    await Promise.all(
      sources.map(async (source, i) => {
        for (let at = i; at < batches.length; at += sources.length) {
          const events = batches[at]!.map((n) => arrival(n, { person: person(n % 60) }));
          const added = await source.append(events, noting[at % 2]!);
          total = add(total, added);
        }
      }),
    ).finally(() => (writing = false));
    await polling;

    const sent = batches.flat();
    const distinct = new Set(sent).size;
    expect(total).toEqual(outcome({ stored: distinct, duplicate: sent.length - distinct }));
    // The statistics of a session come in when it is idle for a second, or at once when it ends; ours are asked to.
    expect(await under.rows('select deadlocks::int from pg_stat_database where datname = current_database()')).toEqual([{ deadlocks: 0 }]);
    expect(begun).toBeLessThan(batches.length * 1.25); // begun again only where a known id was met without a probe
    expect(await verify(under.database)).toMatchObject({ balanced: true, received: sent.length, stored: distinct });
    expect(await under.rows(
      `select h.shard from head h left join event e using (shard) group by h.shard, h.position having h.position <> count(e.position) or h.position <> coalesce(max(e.position), 0)`,
    )).toEqual([]);
    expect(polls.filter(({ holes }) => holes > 0)).toEqual([]);
    expect(polls.length).toBeGreaterThan(1);
    // In each shard the stretch of a later commit begins right after the one before it.
    for (let shard = 0; shard < USAGE_SHARDS; shard++) {
      const stretches = commits.filter((commit) => commit.shard === shard);
      expect(stretches.map(({ first }) => first)).toEqual([1, ...stretches.map(({ last }) => last + 1)].slice(0, -1));
    }
    const [backwards] = await under.rows<{ count: number }>(
      `select count(*)::int as count from (select received < lag(received) over (partition by shard order by position) as back from event) e where back`,
    );
    expect(backwards).toEqual({ count: 0 });
  });
});
