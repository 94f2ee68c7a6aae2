/** The direct way in on a real Postgres: groups, lost connections, stalled and killed processes, and what the ledger says of all that. */
import { type Refusal } from '@foothold/contract';
import { DatabaseReplaced } from '@foothold/platform';
import { afterEach, describe, expect, it } from '@jest/globals';
import { arrival, arrivals, freshLog, keyOf, person, sealer } from '../../../test/support/event-log.js';
import { realNow, underClock } from '../../../test/support/wrong-clock.js';
import { startPostgresProxy, type Decision, type PostgresProxy, type ProxyEvent } from '../../../test/support/postgres-proxy.js';
import { until } from '../../../test/support/recording.js';
import { seeded } from '../../../test/support/seeded.js';
import { completeThrough, finishSilent, openDirect, openLog, prepare, project, USAGE_SHARDS, verify, type Arrival, type Direct, type DirectOptions, type Log, type Outcome, type Projection } from './index.js';

const projection: Projection = { name: 'nothing', version: 1, tables: [], page: 5_000, fold: async () => undefined };
const open: Direct[] = [];
let proxy: PostgresProxy | undefined;
let warnings: unknown[] = [];
const fatal: unknown[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((direct) => direct.close()));
  await proxy?.close();
  proxy = undefined;
  warnings = [];
  expect(fatal.splice(0)).toEqual([]);
});
const under = freshLog(); // its pools are closed after the ways into them


async function direct(options: Partial<DirectOptions> = {}, log: Log = under.log): Promise<Direct> {
  const made = await openDirect(log, { beat: () => undefined, warn: (error) => warnings.push(error), fatal: (error) => fatal.push(error), marksMs: 60_000, ...options });
  open.push(made);
  return made;
}

/** A log by way of a proxy that asks `decide`. */
async function proxied(decide: (event: ProxyEvent) => Decision): Promise<Log> {
  proxy = await startPostgresProxy(under.url, { decide });
  return openLog(await under.open(proxy.url), keyOf('right'), sealer);
}

const origins = () => under.rows<{ name: string; received: number; finished: boolean }>(`select name, next_offset::float8 as received, finished from origin where kind = 'direct' order by origin`);
const sum = (outcomes: Outcome[]): Outcome => outcomes.reduce((all, one) => ({ stored: all.stored + one.stored, duplicate: all.duplicate + one.duplicate, rejected: all.rejected + one.rejected, quarantined: all.quarantined + one.quarantined }));
const refused = (field = 'time'): Arrival => {
  const refusal: Refusal = { kind: 'rejected', field, reason: 'r', fix: 'f', tenant: 'acme', deployment: null, source: null, type: null, id: null, payload: null };
  return { refusal };
};

describe('what is handed over', () => {
  it('is stored, refused or kept for later, and counted as it is', async () => {
    const way = await direct();
    expect(await way.hand([arrival(1), arrival(2), arrival(1), arrival(2, { data: '{}' }), arrival(3, { deployment: 'nowhere' }), refused()])).toEqual({ stored: 2, duplicate: 1, rejected: 1, quarantined: 2 });
    expect(await way.hand([])).toEqual({ stored: 0, duplicate: 0, rejected: 0, quarantined: 0 });
    expect(await verify(under.database)).toMatchObject({ balanced: true, received: 6, stored: 2, duplicate: 1, rejected: 1, quarantined: 2, sources: [{ kind: 'direct', part: 0, received: 6 }] });
  });

  it('goes in together with all that comes while an append is on its way', async () => {
    let commits = 0;
    const way = await direct({}, await proxied(({ kind, text }) => {
      if (kind === 'query' && /^commit/i.test(text!)) commits++;
      return 'forward';
    }));
    const outcomes = await Promise.all(Array.from({ length: 200 }, (_, i) => way.hand(arrivals(i * 5, 5))));
    expect(commits).toBeLessThanOrEqual(3);
    expect(outcomes.at(-1)!.stored).toBeGreaterThan(5);
    expect(await verify(under.database)).toMatchObject({ balanced: true, received: 1_000, stored: 1_000 });
  });

  it('is never torn: hands go in whole, up to 5,000 arrivals in one append, more only where one hand has more', async () => {
    const way = await direct();
    const outcomes = await Promise.all([3_000, 2_000, 1, 6_000].map((count, i) => way.hand(arrivals(10_000 * i, count))));
    expect(outcomes.map(({ stored }) => stored)).toEqual([5_000, 5_000, 1, 6_000]);
    expect(await verify(under.database)).toMatchObject({ balanced: true, received: 11_001, stored: 11_001 });
  });

  it('by several processes at once, the same events among them, is stored once each', async () => {
    const ways = await Promise.all([direct(), direct({}, openLog(under.database, keyOf('right'), sealer)), direct({}, openLog(under.database, keyOf('right'), sealer))]);
    const outcomes = await Promise.all(ways.flatMap((way) => Array.from({ length: 10 }, (_, i) => way.hand(arrivals(i * 20, 20)))));
    expect(outcomes).toHaveLength(30);
    expect(await verify(under.database)).toMatchObject({ balanced: true, received: 600, stored: 200, duplicate: 400 });
    expect(await origins()).toHaveLength(3);
  });

  it('and cannot be stored fails alone, whatever it was handed over with', async () => {
    const way = await direct();
    const results = await Promise.allSettled([
      way.hand(arrivals(0, 5)),
      way.hand([arrival(10)]),
      way.hand([arrival(11, { source: 'no\0text' }), arrival(12)]),
      way.hand([arrival(13)]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(await verify(under.database)).toMatchObject({ balanced: true, received: 7, stored: 7 });
  });

  it('for a tenant whose key this process does not hold is not stored, and nobody else’s is kept from it', async () => {
    const way = await direct({}, openLog(under.database, (tenant) => keyOf(tenant === 'acme' ? 'right' : 'wrong')(tenant), sealer));
    const results = await Promise.allSettled([way.hand([arrival(0)]), way.hand([arrival(1, {}, 'globex')]), way.hand([arrival(2)])]);
    expect(results.map((result) => (result.status === 'fulfilled' ? 'stored' : (result.reason as { field: string }).field))).toEqual(['stored', 'FOOTHOLD_PSEUDONYM_KEY', 'stored']);
    expect(await verify(under.database)).toMatchObject({ balanced: true, received: 2, stored: 2 });
  });
});

describe('a connection lost', () => {
  it.each<[string, Decision]>([['before it took effect', 'cut'], ['when it had taken effect', 'forward-then-cut']])('at COMMIT, %s, loses and doubles nothing, refusals neither', async (_, decision) => {
    let cuts = 0;
    const copying = new Set<number>();
    const way = await direct({}, await proxied(({ connection, kind, text }) => {
      if (kind === 'copyDone') copying.add(connection);
      if (kind !== 'query' || !/^commit/i.test(text!) || !copying.delete(connection) || cuts >= 5) return 'forward';
      cuts++;
      return decision;
    }));
    const outcomes: Outcome[] = [];
    for (let at = 0; at < 200; at += 20) outcomes.push(await way.hand([...arrivals(at, 20), refused()]));
    expect(cuts).toBe(5);
    const all = { stored: 200, duplicate: 0, rejected: 10, quarantined: 0 };
    expect(sum(outcomes)).toEqual(all);
    expect(await verify(under.database)).toMatchObject({ balanced: true, received: 210, ...all });
    expect(await origins()).toHaveLength(1);
    expect(warnings).toHaveLength(5);
  });

  it('anywhere, in any history, leaves the ledger balanced and every acknowledged event stored', async () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1e9);
    const random = seeded(seed);
    let cutting = false;
    const way = await direct({ marksMs: 20 }, await proxied(({ kind }) => (!cutting || kind === 'copyData' || random.next() > 0.03 ? 'forward' : random.next() < 0.5 ? 'cut' : 'forward-then-cut')));
    cutting = true; // once the pool is open
    const acknowledged: number[] = [];
    let refusals = 0;
    const hosts = Array.from({ length: 8 }, async (_, host) => {
      for (let n = 0; n < 12; n++) {
        const from = host * 1_000 + n * 10;
        await way.hand([...arrivals(from, 10), refused()]);
        acknowledged.push(from);
        refusals++;
      }
    });
    await Promise.all(hosts);
    cutting = false;
    const ledger = await verify(under.database);
    expect({ seed, ...ledger }).toMatchObject({ balanced: true, received: 96 * 11, stored: 960, duplicate: 0, rejected: refusals });
    expect(acknowledged).toHaveLength(96);
  });

  it('for long fills no memory: what nobody waits for any more is dropped, and more than so much does not wait', async () => {
    let away = false;
    const way = await direct({ patienceMs: 1_000 }, await proxied(() => (away ? 'cut' : 'forward')));
    away = true;
    const megabytes = (n: number) => way.hand(Array.from({ length: n }, (_, i) => arrival(i, { data: 'x'.repeat(1024 * 1024) }))).then(() => 'stored', String);
    for (let round = 0; round < 2; round++) {
      const answers = await Promise.all([megabytes(30), megabytes(30), megabytes(30)]);
      expect(answers.map((words) => /within 1 s|too much waits/.exec(words)?.[0])).toEqual(['within 1 s', 'within 1 s', 'too much waits']);
    }
    away = false;
    await until('it is back', () => way.hand(arrivals(100, 10)).then(() => true, () => false));
    const { stored } = await verify(under.database);
    expect([10, 40, 70]).toContain(stored); // the two that were on their way when the connection was cut may have arrived
  });

  it('for longer than a hand’s patience is answered as such; sent again, everything is stored once', async () => {
    let away = false;
    const way = await direct({ patienceMs: 300 }, await proxied(() => (away ? 'cut' : 'forward')));
    await way.hand(arrivals(0, 5));
    away = true;
    const late = await Promise.allSettled([way.hand(arrivals(5, 5)), way.hand(arrivals(10, 5))]);
    for (const result of late) expect(String((result as PromiseRejectedResult).reason)).toBe('NotInTime: not known to be stored: the database did not take it within 0.3 s');
    away = false;
    await until('it is back', () => way.hand(arrivals(5, 10)).then(() => true, () => false));
    expect(await verify(under.database)).toMatchObject({ balanced: true, stored: 15 });
  });
});

describe('an origin', () => {
  const through = () => completeThrough(under.database, 'acme', 'nothing');
  async function foldAll(): Promise<void> {
    await prepare(under.database, projection);
    for (let shard = 0; shard < USAGE_SHARDS; shard++) await project(under.log, projection, shard);
  }

  it('is finished by a graceful stop, which takes what waits with it and nothing after', async () => {
    const way = await direct();
    const waiting = Promise.all([way.hand(arrivals(0, 5)), way.hand(arrivals(5, 5)), way.hand(arrivals(10, 5))]);
    const closed = way.close();
    await expect(way.hand([arrival(99)])).rejects.toThrow('this process is stopping');
    await Promise.all([waiting, closed]);
    expect(await origins()).toEqual([{ name: expect.stringMatching(/^direct\/[0-9a-f-]{36}$/), received: 15, finished: true }]);
  });

  it('lets completeThrough move while nothing arrives', async () => {
    await direct({ marksMs: 20 });
    const begun = Date.now() * 1000;
    await until('it moves', async () => {
      await foldAll();
      return ((await through()) ?? 0) > begun;
    });
    const then = await through();
    await until('it moves on', async () => {
      await foldAll();
      return (await through())! > then!;
    });
  });

  it.each([['ahead', 5], ['behind', -5]])('goes by the database’s clock where the process’s own is hours %s', async (_, hours) => {
    const begun = Date.now() * 1000;
    await underClock(hours, async () => {
      const way = await direct({ marksMs: 20 });
      await way.hand(arrivals(0, 5));
      await until('it is complete up to now', async () => {
        await foldAll();
        return ((await through()) ?? 0) > begun;
      });
      expect(await through()).toBeLessThanOrEqual(realNow() * 1000 + 1_000_000);
    });
  });

  it('lets completeThrough move under load, never past a hand that waits', async () => {
    const way = await direct({ marksMs: 5 });
    let claimed = 0;
    const handed: number[] = [];
    for (let round = 0; round < 10; round++) {
      const moment = Date.now() * 1000;
      handed.push(moment);
      const hands = Array.from({ length: 5 }, (_, i) => way.hand(arrivals(round * 100 + i * 10, 10)));
      await foldAll();
      const at = await through();
      // Whatever is claimed, what was handed over before is in the log and folded.
      if (at !== null) {
        const complete = handed.filter((then) => then < at - 1000).length;
        const [{ folded }] = (await under.rows<{ folded: number }>(`select sum(position)::int as folded from checkpoint`)) as [{ folded: number }];
        expect(folded).toBeGreaterThanOrEqual(Math.max(0, complete - 1) * 50);
        claimed = at;
      }
      await Promise.all(hands);
    }
    expect(claimed).toBeGreaterThan(handed[0]!);
  });

  it('of a process that was killed is finished once it has been silent for so long', async () => {
    await under.origin('direct/killed', null, 'direct');
    await under.origin('direct/alive', null, 'direct');
    await under.rows(`update origin set opened_at = now() - interval '61 seconds' where name = 'direct/killed'`);
    await finishSilent(under.database, 60_000);
    expect((await origins()).map(({ name, finished }) => [name, finished])).toEqual([['direct/killed', true], ['direct/alive', false]]);
  });

  it('that another process has finished is given up for a new one, without loss', async () => {
    const way = await direct();
    await way.hand(arrivals(0, 5));
    await under.rows(`update origin set finished = true where kind = 'direct'`);
    const outcomes = await Promise.all([way.hand([...arrivals(5, 5), refused()]), way.hand(arrivals(20, 5))]);
    expect(outcomes[0]).toEqual({ stored: 10, duplicate: 0, rejected: 1, quarantined: 0 });
    expect(await origins()).toEqual([{ name: expect.any(String), received: 5, finished: true }, { name: expect.any(String), received: 11, finished: false }]);
    expect(await verify(under.database)).toMatchObject({ balanced: true, received: 16, stored: 15, rejected: 1 });
  });

  it('that another process has finished is given up though nothing arrives', async () => {
    await direct({ marksMs: 20 });
    await under.rows(`update origin set finished = true where kind = 'direct'`);
    await until('a new one is open', async () => (await origins()).some(({ finished }) => !finished));
    expect(await origins()).toHaveLength(2);
  });

  it('beats, and tells what time does not mend', async () => {
    let beats = 0;
    const way = await direct({ marksMs: 10, beat: () => void beats++ });
    await until('it beats', () => beats > 3);
    await under.rows('alter table origin rename column end_seen_at to something');
    await until('it gives up', () => fatal.length > 0);
    await expect(way.hand([arrival(1)])).rejects.toThrow('this process is stopping');
    expect(String(fatal.splice(0)[0])).toContain('end_seen_at');
  });
});

it('people and their pseudonyms stay those of the other ways in', async () => {
  const way = await direct();
  const other = await under.origin();
  await other.append([arrival(1, { person: person('jane') })]);
  await way.hand([arrival(2, { person: person('jane') })]);
  expect(await under.rows('select count(distinct person)::int as people, count(distinct shard)::int as shards from event where origin is not null')).toEqual([{ people: 1, shards: 1 }]);
});

it.each([
  ['knows of fewer records than were taken', 'update origin set next_offset = 1, stored = 1'],
  ['does not know of it', 'delete from origin'],
  ['holds fewer events', 'update head set position = 0'],
])('ends where the database %s: it was set back', async (_, set) => {
  const way = await direct();
  await way.hand([arrival(1), arrival(2)]);
  await under.rows(set);
  await expect(way.hand([arrival(3)])).rejects.toThrow('this process is stopping');
  expect(fatal.splice(0)).toEqual([expect.any(DatabaseReplaced)]);
});
