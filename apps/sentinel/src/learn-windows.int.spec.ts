/** Decision windows on a real Postgres: learned once a closed week, whoever learns and however often, and by whom abandonment is judged. */
import { ask, DEFAULT_REGISTRATION, understand, type Viewer } from '@foothold/adoption';
import { change, openTenant, stream, type Log } from '@foothold/event-log';
import { type Database } from '@foothold/platform';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { at, completeAt, event, MINUTE, resultOf, store, TENANT, type Shown } from '../../../test/support/decisions.js';
import { openTestLog, pseudonymiser } from '../../../test/support/recording.js';
import { learningOf } from './learn-windows.js';
import { type Turn } from './sentinel.js';

const HOUR = 60 * MINUTE;
const VIEWER: Viewer = { tenant: TENANT, deployments: null };
/** Week 13 of 2026 in Helsinki, whose clocks go forward on its Sunday. */
const W13 = { first: at('2026-03-22T22:00:00Z'), end: at('2026-03-29T21:00:00Z') };

let fresh: FreshDatabase;
let log: Log;
let opened: Database[];

beforeEach(async () => {
  fresh = await freshDatabase();
  log = await openTestLog(fresh.url);
  opened = [log.database];
  await openTenant(log, TENANT, (of) => pseudonymiser.check(of));
  const registration = { ...DEFAULT_REGISTRATION, timeZone: 'Europe/Helsinki', sandbox: true };
  await change(log, TENANT, 'desk', 0, [{ type: 'deployment.registered', time: W13.first, data: registration }], registration);
});

afterEach(async () => {
  await Promise.all(opened.map((database) => database.close()));
  await fresh.drop();
});

/** `count` decided results of a kind, one a minute from `first` on; the one with number i took `took(i)`. */
function decided(count: number, taskKind: string | undefined, took: (i: number) => number, first = W13.first): Shown[] {
  return Array.from({ length: count }, (_, i) => ({ invocation: `${taskKind ?? 'none'}-${first}-${i}`, ...(taskKind === undefined ? {} : { taskKind }), shownAt: first + i * MINUTE, took: took(i) }));
}

const keep = (results: Shown[]) => store(log, results.flatMap(resultOf));
/** One sentinel's run, alone. */
const learn = (own = log) => learningOf(own).run({ step: (work) => own.database.transaction((client) => work(async (sql, values) => (await client.query(sql, values)).rows)) } as Turn);
const facts = () => log.database.query<{ time: string; version: number; data: { week: string; windows: unknown[] } }>(
  `select to_char(time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time, version, data from event where type = 'decision-window.learned' order by version`,
);

async function abandonment(variants = ['pending', 'soft', 'confirmed']): Promise<(number | null)[]> {
  const { answer } = await ask(log, VIEWER, 'desk', understand({ metric: 'trust.abandonment' }));
  const { rows } = await answer();
  return variants.map((wanted) => rows.find(({ variant }) => variant === wanted)!.numerator);
}
const stamp = async () => (await ask(log, VIEWER, 'desk', understand({ metric: 'trust.abandonment' }))).stamp;

describe('a closed week', () => {
  it('teaches the p99 of each kind with a hundred measured decisions, in one fact at its end', async () => {
    await keep([
      // By nearest rank the 99th of 100 and the 149th of 150.
      ...decided(100, 'letter', (i) => (i + 1) * HOUR), ...decided(150, undefined, (i) => (i + 1) * MINUTE),
      ...decided(99, 'triage', () => HOUR), ...decided(100, 'coding', () => MINUTE),
    ]);
    await completeAt(log, W13.end);
    await learn();
    expect(await facts()).toEqual([{
      time: '2026-03-29T21:00:00.000000Z', version: 2,
      data: { week: '2026-W13', windows: [
        { taskKind: null, windowMs: 149 * 60_000, decided: 150, backwards: 0, untold: 0 },
        { taskKind: 'coding', windowMs: 15 * 60_000, decided: 100, backwards: 0, untold: 0 },
        { taskKind: 'letter', windowMs: 99 * 3_600_000, decided: 100, backwards: 0, untold: 0 },
        { taskKind: 'triage', windowMs: null, decided: 99, backwards: 0, untold: 0 },
      ] },
    }]);
    expect((await stream(log, TENANT, 'desk')).registration).toMatchObject({ timeZone: 'Europe/Helsinki' });
  });

  it('leaves out, and counts, decisions whose time nobody measured', async () => {
    await keep([...decided(100, 'letter', (i) => (i + 1) * HOUR), ...decided(120, 'letter', () => -5 * MINUTE, W13.first + 500 * MINUTE)]);
    await store(log, Array.from({ length: 9 }, (_, i) => resultOf({ invocation: `untold-${i}`, taskKind: 'letter', shownAt: W13.first, took: 90 * HOUR }).filter(({ type }) => type !== 'result.shown')).flat());
    await completeAt(log, W13.end);
    await learn();
    expect((await facts())[0]!.data.windows).toEqual([{ taskKind: 'letter', windowMs: 99 * 3_600_000, decided: 100, backwards: 120, untold: 9 }]);
  });

  it('ends by the local calendar, clock change and all: a microsecond before, the week before is the last', async () => {
    // The oldest of the 13 weeks begins on 2025-12-29 in Helsinki; the result shown before does not count, nor that of the week after.
    const [oldest, end] = [at('2025-12-28T22:00:00Z'), W13.end];
    await keep([...decided(99, 'letter', () => HOUR), { invocation: 'oldest', taskKind: 'letter', shownAt: oldest, took: HOUR }, { invocation: 'last', taskKind: 'letter', shownAt: end - 1, took: HOUR },
      { invocation: 'too old', taskKind: 'letter', shownAt: oldest - 1, took: HOUR }, { invocation: 'too new', taskKind: 'letter', shownAt: end, took: HOUR }]);
    await completeAt(log, end - 1);
    await learn();
    expect((await facts()).map(({ data: { week, windows } }) => [week, windows])).toEqual([['2026-W12', [{ taskKind: 'letter', windowMs: null, decided: 2, backwards: 0, untold: 0 }]]]);
    await completeAt(log, end);
    await learn();
    expect((await facts()).map(({ data: { week } }) => week)).toEqual(['2026-W12', '2026-W13']);
    expect((await facts())[1]!.data.windows).toEqual([{ taskKind: 'letter', windowMs: 3_600_000, decided: 101, backwards: 0, untold: 0 }]);
  });

  it('is learned from once: run again, by two at once, by one that starts anew; and only the last of those that were missed', async () => {
    await keep(decided(100, 'letter', () => HOUR));
    await completeAt(log, W13.end);
    const others = await Promise.all([1, 2, 3].map(() => openTestLog(fresh.url)));
    opened.push(...others.map(({ database }) => database));
    for (let round = 0; round < 5; round++) {
      await completeAt(log, W13.end + round * 21 * 24 * HOUR);
      await Promise.all([log, ...others].map((own) => learn(own)));
      await learn();
      expect(await facts()).toHaveLength(round + 1);
    }
    expect((await facts()).map(({ data: { week } }) => week)).toEqual(['2026-W13', '2026-W16', '2026-W19', '2026-W22', '2026-W25']);
    // Nothing was shown in the 13 weeks before this one: there is nothing to say.
    await completeAt(log, W13.end + 14 * 7 * 24 * HOUR);
    await learn();
    expect(await facts()).toHaveLength(5);
  });

  it('waits until everything of it has come in', async () => {
    await keep(decided(100, 'letter', () => HOUR));
    await log.database.query(`update checkpoint set seen = '{}'`);
    await learn();
    expect(await facts()).toEqual([]);
  });
});

describe('abandonment', () => {
  it('is judged by the window of the kind that was in force when the result was shown, and a late decision wins', async () => {
    await keep(decided(100, 'letter', () => HOUR));
    await completeAt(log, W13.end);
    const before = await stamp();
    await learn();
    expect(await stamp()).not.toBe(before);
    // Shown a moment before the week ended: 24 hours. At its end: one hour. Of a kind that taught nothing: 24 hours.
    await keep([
      { invocation: 'old', taskKind: 'letter', shownAt: W13.end - 1 }, { invocation: 'new', taskKind: 'letter', shownAt: W13.end },
      { invocation: 'other', taskKind: 'triage', shownAt: W13.end }, { invocation: 'none', shownAt: W13.end },
    ]);
    const fates = async (micros: number) => {
      await completeAt(log, W13.end + micros);
      return abandonment();
    };
    expect(await fates(HOUR)).toEqual([4, 0, 0]);
    expect(await fates(HOUR + 1)).toEqual([3, 1, 0]);
    expect(await fates(3 * HOUR)).toEqual([3, 1, 0]);
    expect(await fates(3 * HOUR + 1)).toEqual([3, 0, 1]);
    expect(await fates(24 * HOUR - 1)).toEqual([3, 0, 1]);
    expect(await fates(24 * HOUR)).toEqual([2, 1, 1]);
    expect(await fates(24 * HOUR + 1)).toEqual([0, 3, 1]);
    expect(await fates(72 * HOUR)).toEqual([0, 2, 2]);
    expect(await fates(72 * HOUR + 1)).toEqual([0, 0, 4]);

    const closed = await personDays();
    // Three weeks late, the decision on `new` is told. It turns accepted, and nothing else moves.
    await store(log, [event('desk', 'result.accepted', W13.end + 21 * 24 * HOUR, { invocation: 'new' })]);
    expect(await fates(72 * HOUR + 1)).toEqual([0, 0, 3]);
    const after = await personDays();
    const moved = after.filter((row) => !closed.some((old) => JSON.stringify(old) === JSON.stringify(row)));
    // The day it was shown gave an undecided result for an accepted one; the day of the decision gained a person.
    expect(moved).toMatchObject([
      { day: '2026-03-30', task_kind: 'letter', shown: 1, accepted: 1, undecided: 0, active_accepted: 0 },
      { day: '2026-04-20', task_kind: 'letter', shown: 0, accepted: 0, undecided: 0, active_accepted: 1 },
    ]);
    const [{ stamped }] = (await log.database.query<{ stamped: string }>(`select received::text as stamped from event where type = 'result.accepted' and time = to_timestamp($1::float8)`, [(W13.end + 21 * 24 * HOUR) / 1_000_000])) as [{ stamped: string }];
    expect(moved.map(({ revised_at }) => revised_at)).toEqual([stamped, stamped]);
    expect(after).toHaveLength(closed.length + 1);
  });

  it('agrees with a reckoning row by row, whatever was learned and whenever it was shown', async () => {
    const kinds = [undefined, 'letter', 'triage', 'coding'];
    await keep([0, 1, 2, 3].flatMap((week) => kinds.flatMap((kind, k) => decided(100 + week, kind, () => (20 + 45 * ((week * 7 + k * 3) % 5)) * MINUTE, W13.first + week * 168 * HOUR))));
    for (let week = 0; week < 4; week++) {
      await completeAt(log, W13.end + week * 168 * HOUR);
      await learn();
    }
    expect(await facts()).toHaveLength(4);
    const open = Array.from({ length: 400 }, (_, i): Shown => ({ invocation: `open-${i}`, ...(i % 4 === 0 ? {} : { taskKind: kinds[i % 4]! }), shownAt: W13.end - 50 * HOUR + i * 97 * MINUTE, person: `p-${i % 9}` }));
    await keep(open);
    const learned = (await facts()).map(({ time, data }) => ({ since: at(time), windows: data.windows as { taskKind: string | null; windowMs: number }[] }));
    let distinct = 0;
    for (let hours = -20; hours < 800; hours += 41) {
      const complete = W13.end + hours * HOUR;
      await completeAt(log, complete);
      const expected = [0, 0, 0];
      for (const { taskKind, shownAt } of open) {
        const known = learned.filter(({ since }) => since <= shownAt).at(-1)?.windows.find((window) => window.taskKind === (taskKind ?? null));
        const window = (known?.windowMs ?? 86_400_000) * 1000;
        expected[complete - shownAt <= window ? 0 : complete - shownAt <= 3 * window ? 1 : 2]!++;
      }
      expect([hours, ...(await abandonment())]).toEqual([hours, ...expected]);
      if (expected.every((count) => count > 0)) distinct++;
    }
    expect(distinct).toBeGreaterThan(5);
  });
});

const personDays = () => log.database.query<Record<string, string | number>>('select day::text, task_kind, person, shown, accepted, undecided, active_accepted, revised_at::text from person_day order by day, task_kind, person');
