import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { arrival, event, freshLog, id, keyOf, MOMENT, person, personIn, sealer } from '../../../test/support/event-log.js';
import { startPostgresProxy, type PostgresProxy } from '../../../test/support/postgres-proxy.js';
import { lag, openLog, prepare, project, USAGE_SHARDS, type Log, type LoggedEvent, type Projection, type Store, type Table } from './index.js';
import { keyOf as rowKey } from './project.js';

/** What came of a person on a day; `trail` depends on the order of the events, and a withdrawal makes the row disappear. */
interface Tally {
  deployment: number;
  person: number;
  day: number;
  kind: string;
  trail: string;
  latest: number;
  revised_at: number;
}

const table: Table<Tally> = {
  name: 'tally',
  columns: { deployment: 'int4', person: 'int8', day: 'date', kind: 'text', trail: 'text', latest: 'int8', revised_at: 'timestamptz' },
  key: ['deployment', 'person', 'day', 'kind'],
};
const CREATE = `create table tally (shard smallint, deployment int, person bigint, day date, kind text, trail text not null, latest bigint not null, revised_at timestamptz not null,
  primary key (shard, deployment, person, day, kind))`;

const rowOf = (event: LoggedEvent): Tally => ({
  deployment: event.deployment, person: event.person ?? 0, day: Math.floor(event.time / 86_400_000_000), kind: `${event.data['kind'] as string}`, trail: '', latest: 0, revised_at: 0,
});

async function fold(events: LoggedEvent[], store: Store): Promise<void> {
  const keys = new Map(events.map((event) => [rowKey(table, rowOf(event)), rowOf(event)]));
  const rows = await store.take(table, keys.values());
  for (const event of events) {
    const key = rowKey(table, rowOf(event));
    if (event.type === 'decision.withdrawn') {
      rows.delete(key);
      continue;
    }
    const row = rows.get(key) ?? rowOf(event);
    rows.set(key, { ...row, trail: `${row.trail}${event.source}:${event.data['invocation'] as string} `, latest: event.position, revised_at: event.received });
  }
  await store.put(table, rows.values());
}

const tallies = (page = 10_000, change: Projection['fold'] = fold): Projection => ({ name: 'tallies', version: 1, tables: [table], page, fold: change });

const under = freshLog();
beforeEach(async () => {
  await under.rows(CREATE);
  await prepare(under.database, tallies());
});

const dump = () => under.rows<{ shard: number; trail: string }>('select * from tally order by shard, deployment, person, day, kind');
const checkpoints = () => under.rows<{ shard: number; position: string }>('select shard, position, seen::text as seen from checkpoint order by shard');
const SHARD = 7;
const one = personIn(SHARD);
const add = async (from: number, count: number, changes: Parameters<typeof arrival>[1] = {}) => {
  const source = await under.origin();
  return source.append(Array.from({ length: count }, (_, i) => arrival(from + i, { person: one, ...changes })));
};

async function foldAll(log: Log, projection: Projection): Promise<number[]> {
  const pages: number[] = [];
  for (let shard = 0; shard < USAGE_SHARDS; shard++) {
    for (let behind = true; behind; ) {
      const progress = await project(log, projection, shard);
      if (typeof progress === 'string') throw new Error('nobody else is here');
      pages.push(progress.folded);
      behind = progress.behind;
    }
  }
  return pages;
}

describe('project', () => {
  it('folds each event once, in order, page after page, and says whether more is there', async () => {
    await add(1, 7);
    const seen: string[][] = [];
    const recording = tallies(3, async (events) => void seen.push(events.map((event) => event.id)));
    const progress = [];
    for (let i = 0; i < 4; i++) progress.push(await project(under.log, recording, SHARD));
    expect(progress).toEqual([{ folded: 3, behind: true, traceparents: [] }, { folded: 3, behind: true, traceparents: [] }, { folded: 1, behind: false, traceparents: [] }, { folded: 0, behind: false, traceparents: [] }]);
    expect(seen).toEqual([[id(1), id(2), id(3)], [id(4), id(5), id(6)], [id(7)]]);
    expect(await lag(under.database, 'tallies')).toEqual({ folded: 7, behind: 0, waited: expect.any(Number) });
    await add(8, 2);
    expect(await lag(under.database, 'tallies')).toEqual({ folded: 7, behind: 2, waited: expect.any(Number) });
    await prepare(under.database, tallies()); // again: leaves what is there
    expect(await project(under.log, recording, SHARD)).toEqual({ folded: 2, behind: false, traceparents: [] });
    expect(seen.at(-1)).toEqual([id(8), id(9)]);
  });

  it('gives folds the event as it was stored, with names and registration', async () => {
    await add(1, 1, { actor: person('two'), source: 'crm', time: -1 });
    let given: LoggedEvent | undefined;
    let registration: unknown;
    await project(under.log, tallies(10, async ([first], store) => {
      given = first;
      registration = store.registration(first!.deployment);
    }), SHARD);
    expect(given).toEqual({
      shard: SHARD, position: 1, id: id(1), source: 'crm', type: 'result.shown', deployment: expect.any(Number), person: expect.any(Number), actor: expect.any(Number),
      time: -1, received: expect.any(Number), data: { invocation: 'i-1' }, sequence: null,
    });
    expect(given!.person).not.toBe(given!.actor);
    expect(Math.abs(given!.received / 1000 - Date.now())).toBeLessThan(10 * 60_000);
    expect(registration).toEqual({ timeZone: 'UTC' });
  });

  it('gives the same tables whatever the pages and however often it is started anew', async () => {
    const source = await under.origin();
    const kinds = ['a', 'b', '', 'å\u0001'];
    const events = Array.from({ length: 300 }, (_, n) => ({
      tenant: n % 3 === 0 ? 'globex' : 'acme',
      event: event(n, {
        person: n % 17 === 0 ? null : person(n % 5), time: MOMENT - (n % 4) * 86_400_000_000 * 300, source: n % 2 ? 'erp' : 'crm',
        type: n % 11 === 0 ? 'decision.withdrawn' : 'result.shown', data: JSON.stringify({ invocation: `i-${n}`, kind: kinds[n % 4] }),
      }),
    }));
    for (let at = 0; at < events.length; at += 60) await source.append(events.slice(at, at + 60));
    const tables = [];
    for (const page of [1, 2, 7, 50, 10_000]) {
      await under.rows('truncate tally');
      await under.rows('update checkpoint set position = 0');
      await foldAll(openLog(under.database), tallies(page));
      tables.push(await dump());
    }
    expect(tables[0]!.length).toBeGreaterThan(20);
    expect(tables[0]!.reduce((sum, { trail }) => sum + trail.split(' ').length - 1, 0)).toBeGreaterThan(150);
    for (const table of tables) expect(table).toEqual(tables[0]);
  });

  it('needs no second connection while it holds one: many shards at once do not starve each other', async () => {
    const source = await under.origin();
    await source.append(Array.from({ length: USAGE_SHARDS }, (_, shard) => arrival(shard, { person: personIn(shard) })));
    const log = openLog(await under.open(under.url, 1));
    const progress = await Promise.all(Array.from({ length: USAGE_SHARDS }, (_, shard) => project(log, tallies(), shard)));
    expect(progress).toEqual(progress.map(() => ({ folded: 1, behind: false, traceparents: [] })));
  });
});

it('gives the traces that folded events belong to, once, and forgets them', async () => {
  const trace = (n: number) => `00-${String(n).padStart(32, 'a')}-${'b'.repeat(16)}-01`;
  const source = await under.origin();
  await source.append(Array.from({ length: 60 }, (_, n) => ({ ...arrival(n, { person: one }), ...(n % 20 === 0 ? { traceparent: trace(n) } : {}) })));
  expect(await project(under.log, tallies(), SHARD)).toEqual({ folded: 60, behind: false, traceparents: [trace(0), trace(20), trace(40)] });
  expect(await under.rows('select from trace_mark')).toEqual([]);
});

describe('the lease of a shard', () => {
  it('is held as long as the transaction: others are told, go on with other shards, and take over when it ends', async () => {
    await add(1, 5);
    const other = openLog(await under.open());
    let open!: () => void;
    const gate = new Promise<void>((resolve) => (open = resolve));
    let arrive!: () => void;
    const reached = new Promise<void>((resolve) => (arrive = resolve));
    const first = project(under.log, tallies(3, async (events, store) => {
      arrive();
      await gate;
      await fold(events, store);
    }), SHARD);
    await reached;
    try {
      expect(await project(other, tallies(), SHARD)).toBe('leased');
      expect(await project(other, tallies(), SHARD + 1)).toEqual({ folded: 0, behind: false, traceparents: [] });
      expect(await dump()).toEqual([]);
    } finally {
      open();
      await first;
    }
    expect(await project(other, tallies(), SHARD)).toEqual({ folded: 2, behind: false, traceparents: [] });
    expect(await dump()).toMatchObject([{ trail: 'erp:i-1 erp:i-2 erp:i-3 erp:i-4 erp:i-5 ' }]);
  });

  it('lets a crowd of projectors fold every event once', async () => {
    for (let batch = 0; batch < 5; batch++) await add(batch * 20 + 1, 20);
    const logs = [under.log, openLog(await under.open())];
    const folded: number[] = [];
    await Promise.all(
      [0, 1, 2, 3].map(async (projector) => {
        for (let behind = true; behind; ) {
          const progress = await project(logs[projector % 2]!, tallies(7), SHARD);
          if (typeof progress === 'string') await new Promise((resolve) => setTimeout(resolve, 2));
          else {
            folded.push(progress.folded);
            behind = progress.behind;
          }
        }
      }),
    );
    expect(folded.reduce((sum, count) => sum + count, 0)).toBe(100);
    expect(await dump()).toMatchObject([{ trail: Array.from({ length: 100 }, (_, i) => `erp:i-${i + 1} `).join('') }]);
  });

  it('is not there for a projection nobody prepared', async () => {
    expect(await project(under.log, { ...tallies(), name: 'unheard-of' }, SHARD)).toBe('leased');
  });
});

describe('rows and checkpoint move together', () => {
  let before: unknown;
  beforeEach(async () => {
    await add(1, 3);
    await project(under.log, tallies(), SHARD);
    await add(4, 3);
    before = [await dump(), await checkpoints()];
  });
  const after = async () => [await dump(), await checkpoints()];
  const whole = Array.from({ length: 6 }, (_, i) => `erp:i-${i + 1} `).join('');

  it.each([
    ['before it writes', async () => Promise.reject(new Error('a bug'))],
    ['after it wrote', async (events: LoggedEvent[], store: Store) => {
      await fold(events, store);
      throw new Error('a bug');
    }],
    ['by writing what the table refuses', async (events: LoggedEvent[], store: Store) => {
      const row = { ...rowOf(events[0]!), trail: null as unknown as string };
      await store.put(table, [row]);
    }],
    ['by writing a row twice', async (events: LoggedEvent[], store: Store) => {
      const [row] = (await store.take(table, events.map(rowOf))).values();
      await store.put(table, [row!, row!]);
    }],
  ])('or not at all, where the fold fails %s', async (_, failing) => {
    await expect(project(under.log, tallies(10_000, failing), SHARD)).rejects.toThrow();
    expect(await after()).toEqual(before);
    expect(await project(under.log, tallies(), SHARD)).toEqual({ folded: 3, behind: false, traceparents: [] });
    expect(await dump()).toMatchObject([{ trail: whole }]);
  });

  describe('or not at all, where the connection is cut', () => {
    let proxy: PostgresProxy | undefined;
    afterEach(() => proxy?.close());

    it.each([['cut', 3], ['forward-then-cut', 0]] as const)('at COMMIT: %s', async (decision, left) => {
      let cut = false;
      proxy = await startPostgresProxy(under.url, {
        decide: ({ text }) => (text === 'COMMIT' && !cut ? ((cut = true), decision) : 'forward'),
      });
      const log = openLog(await under.open(proxy.url), keyOf('right'), sealer);
      await expect(project(log, tallies(), SHARD)).rejects.toThrow();
      if (decision === 'cut') expect(await after()).toEqual(before);
      expect(await project(log, tallies(), SHARD)).toEqual({ folded: left, behind: false, traceparents: [] });
      expect(await dump()).toMatchObject([{ trail: whole }]);
    });
  });
});
