/**
 * Whatever appends, registrations, redrives, sweeps and expiries do to each other, and wherever their connections are cut:
 * the ledger is balanced at every moment, and in the end each record is counted exactly as its event's fate demands.
 */
import { isTransient } from '@foothold/platform';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { event, freshLog, id, keyOf, MOMENT, person, sealer, TENANTS } from '../../../test/support/event-log.js';
import { startPostgresProxy, type Decision, type PostgresProxy } from '../../../test/support/postgres-proxy.js';
import { append, change, expireLetters, openLog, openOrigin, redrive, sweepLetters, verify, VersionConflict, type Arrival, type Log } from './index.js';

const RUNS = 20;
const WORKERS = 3;
const SEED = Number(process.env['REDRIVE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const [TENANT] = TENANTS as [string];
/** Ids of one run; the last of them may expire. */
const IDS = 12;
const LASTING = 9;

const under = freshLog();
let workers: Worker[];

/** Somebody with a connection that may be cut, and an origin that nobody else reads. */
interface Worker {
  log: Log;
  proxy: PostgresProxy;
  cut: { after: number; how: Decision } | null;
}

beforeEach(async () => {
  workers = [];
  for (let i = 0; i < WORKERS; i++) {
    const worker = { cut: null } as unknown as Worker;
    worker.proxy = await startPostgresProxy(under.url, {
      decide({ text }) {
        const { cut } = worker;
        if (!cut || (cut.how === 'forward-then-cut' && text !== 'COMMIT') || --cut.after > 0) return 'forward';
        worker.cut = null;
        return cut.how;
      },
    });
    worker.log = openLog(await under.open(worker.proxy.url), keyOf('right'), sealer);
    workers.push(worker);
  }
});

afterEach(() => Promise.all(workers.map(({ proxy }) => proxy.close())));

/** An id, and which of the bodies it comes with: two that wait for a deployment, one of a deployment that is there. */
const record = fc.record({ n: fc.integer({ min: 0, max: IDS - 1 }), body: fc.constantFrom('one', 'other', 'elsewhere') });
type Sent = { n: number; body: 'one' | 'other' | 'elsewhere' };
type Act = { what: 'append'; records: Sent[] } | { what: 'register'; late: number } | { what: 'redrive' | 'sweep' | 'expire' };
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 5, arbitrary: fc.array(record, { minLength: 1, maxLength: 6 }).map((records) => ({ what: 'append' as const, records: records as Sent[] })) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 1 }).map((late) => ({ what: 'register' as const, late })) },
  { weight: 3, arbitrary: fc.constant({ what: 'redrive' as const }) },
  { weight: 2, arbitrary: fc.constant({ what: 'sweep' as const }) },
  { weight: 2, arbitrary: fc.constant({ what: 'expire' as const }) },
);
const cut = fc.option(fc.record({ after: fc.integer({ min: 1, max: 14 }), how: fc.constantFrom<Decision>('cut', 'cut', 'forward-then-cut') }), { freq: 2 });
const histories = fc.array(fc.record({ act, cut, worker: fc.integer({ min: 0, max: WORKERS - 1 }) }), { minLength: 8, maxLength: 40, size: 'max' });

it(`${RUNS} histories, each letter moved once`, async () => {
  console.info(`redrive: repeat with REDRIVE_SEED=${SEED}`);
  const seen = { acts: 0, cuts: 0, redriven: 0, expired: 0 };
  let run = 0;
  await fc.assert(fc.asyncProperty(histories, async (history) => void (await play(++run, history, seen))), { numRuns: RUNS, seed: SEED, endOnFailure: true });
  const [told] = await under.rows<{ redriven: number; expired: number }>('select sum(redriven)::int as redriven, sum(expired_quarantined)::int as expired from origin');
  expect(seen.acts).toBeGreaterThan(RUNS * 8);
  for (const happened of [seen.cuts, told!.redriven, told!.expired]) expect(happened).toBeGreaterThan(RUNS / 3);
}, 300_000);

async function play(run: number, history: { act: Act; cut: Worker['cut']; worker: number }[], seen: { acts: number; cuts: number }): Promise<void> {
  const late = [0, 1].map((n) => `late-${run}-${n}`);
  const idOf = (n: number) => id(run * 100 + n);
  const doomed = Array.from({ length: IDS - LASTING }, (_, i) => idOf(LASTING + i));
  const arrivalOf = ({ n, body }: Sent): Arrival => {
    const changes = body === 'elsewhere' ? {} : { deployment: late[n % 2]!, ...(body === 'other' ? { data: '{"invocation":"other"}' } : {}) };
    return { tenant: TENANT, event: event(run * 100 + n, { person: person(n % 5), time: Date.UTC(2026, 0, 5) * 1000 + n, ...changes }) };
  };
  const origins = await Promise.all(workers.map((_, i) => openOrigin(under.database, { kind: 'kafka', name: `run-${run}`, part: i, tenant: null, firstOffset: 0 })));
  const sent = workers.map((): Sent[] => []);
  const register = async (log: Log, n: number): Promise<void> => {
    await change(log, TENANT, late[n]!, 0, [{ type: 'deployment.registered', time: MOMENT, data: {} }], {}).catch((error: unknown) => {
      if (!(error instanceof VersionConflict)) throw error;
    });
  };
  const doing = async (log: Log, i: number, { what, ...more }: { what: string; records?: Sent[]; late?: number }): Promise<unknown> => {
    if (what === 'register') return register(log, more.late!);
    if (what === 'redrive') return redrive(log, { tenant: TENANT });
    if (what === 'sweep') return sweepLetters(log, keyOf('right'));
    if (what === 'expire') {
      await under.rows(`update dead_letter set received = '2026-02-01T00:00:00Z' where id = any($1) and dead_letter % 2 = 0`, [doomed]);
      return expireLetters(log, '2026-02-02T00:00:00Z', TENANT);
    }
    const records = more.records!;
    const from = sent[i]!.length;
    const next = from + records.length;
    await append(log, records.map(arrivalOf), { origin: origins[i]!.origin, from, next, voids: 0, mark: null, markOffset: null });
    return sent[i]!.push(...records);
  };

  await Promise.all(workers.map(async (worker, i) => {
    for (const step of history) {
      if (step.worker !== i) continue;
      seen.acts++;
      worker.cut = step.cut && { ...step.cut };
      await doing(worker.log, i, step.act).catch(async (error: unknown) => {
        if (!isTransient(error)) throw error;
        seen.cuts++;
        if (step.act.what !== 'append') return;
        // The fence tells whether it was committed before its connection was cut.
        const { nextOffset } = await openOrigin(under.database, { kind: 'kafka', name: `run-${run}`, part: i, tenant: null, firstOffset: 0 });
        if (nextOffset > sent[i]!.length) sent[i]!.push(...step.act.records);
      });
      worker.cut = null;
      expect((await verify(under.database)).problems).toEqual([]);
    }
  }));

  for (const n of [0, 1]) await register(under.log, n);
  await sweepLetters(under.log, keyOf('right'));
  const ledger = await verify(under.database);
  expect(ledger.problems).toEqual([]);
  const stored = await under.rows<{ id: string; body: Sent['body'] }>(
    `select e.id, case when d.id = 'claims' then 'elsewhere' when data ->> 'invocation' = 'other' then 'other' else 'one' end as body
       from event e join deployment d on d.deployment = e.deployment where e.id = any($1::uuid[])`, [Array.from({ length: IDS }, (_, n) => idOf(n))],
  );
  const winner = new Map(stored.map(({ id: identity, body }) => [identity, body]));
  expect(winner.size).toBe(stored.length);
  for (const [i, records] of sent.entries()) {
    const lasting = records.filter(({ n }) => n < LASTING);
    for (const { n } of lasting) expect({ id: idOf(n), stored: winner.has(idOf(n)) }).toEqual({ id: idOf(n), stored: true });
    const conflicts = lasting.filter(({ n, body }) => winner.get(idOf(n)) !== body).length;
    const [lying] = await under.rows<{ count: number }>(`select count(*)::int as count from dead_letter where origin = $1 and field = 'id' and kind = 'quarantined' and not id = any($2)`, [origins[i]!.origin, doomed]);
    expect(lying!.count).toBe(conflicts);
    expect(await under.rows(`select count(*)::int as count from dead_letter where origin = $1 and field <> 'id'`, [origins[i]!.origin])).toEqual([{ count: 0 }]);
    expect(ledger.sources.find(({ name, part }) => name === `run-${run}` && part === i)!.received).toBe(records.length);
  }
}
