/** Events that claim to be of tomorrow, on a real Postgres: nothing counts on a day that has not come, then or after what comes later. */
import { change, openTenant, rebuild, type Log } from '@foothold/event-log';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { event, resultOf, store, TENANT } from '../../../test/support/decisions.js';
import { NO_DIFFERENCES, openTestLog, pseudonymiser } from '../../../test/support/recording.js';
import { timeZone } from './local-day.js';
import { DEFAULT_REGISTRATION } from './registration.js';
import { usageProjection } from './usage.js';

const HOUR = 3_600_000_000;
/** One in which it is neither late nor early: 23 hours on is tomorrow, and no midnight comes while this runs. */
const zone = timeZone(new Date().getUTCHours() >= 2 && new Date().getUTCHours() < 22 ? 'UTC' : 'Asia/Tokyo');
let fresh: FreshDatabase;
let log: Log;

beforeEach(async () => {
  fresh = await freshDatabase();
  log = await openTestLog(fresh.url);
  await openTenant(log, TENANT, (of) => pseudonymiser.check(of));
  const registration = { ...DEFAULT_REGISTRATION, timeZone: zone.name };
  await change(log, TENANT, 'desk', 0, [{ type: 'deployment.registered', time: Date.now() * 1000, data: registration }], registration);
});

afterEach(async () => {
  await log.database.close();
  await fresh.drop();
});

/** By local day, what was counted; the counters that are zero left out. */
async function counted(): Promise<Record<string, Record<string, number>>> {
  const rows = await log.database.query<{ day: number; facts: Record<string, unknown> }>(`select (day - '1970-01-01'::date)::int as day, to_jsonb(p) as facts from person_day p order by day`);
  const days: Record<string, Record<string, number>> = {};
  for (const { day, facts } of rows) for (const [name, value] of Object.entries(facts)) {
    if (typeof value !== 'number' || value === 0 || ['shard', 'deployment', 'person'].includes(name)) continue;
    (days[day] ??= {})[name] = (days[day]![name] ?? 0) + value;
  }
  return days;
}

/** The local day on which the only event of this type was received, by the log. */
async function receiptDay(type: string): Promise<number> {
  const [row] = await log.database.query<{ received: number }>('select (extract(epoch from received) * 1000000)::float8 as received from event where type = $1', [type]);
  return zone.dayOf(row!.received);
}

it('count on the local day on which they were received', async () => {
  const ahead = Date.now() * 1000 + 23 * HOUR;
  await store(log, [...resultOf({ invocation: 'i', shownAt: ahead, took: HOUR / 2 }), event('desk', 'task.completed', ahead, { task: 't', taskKind: 'letter' })]);
  const today = await receiptDay('result.accepted');
  expect(zone.dayOf(ahead)).toBe(today + 1);
  expect(await counted()).toEqual({ [today]: { invocations: 1, shown: 1, accepted: 1, active_accepted: 1, timed: 1, timed_accepted: 1, tasks: 1 } });
  expect(await log.database.query(`select (extract(epoch from decided_at) * 1000000)::float8 as decided from invocation`)).toEqual([{ decided: ahead + HOUR / 2 }]);

  // What undoes the decision takes the activity from where it was put.
  await store(log, [event('desk', 'decision.withdrawn', ahead + HOUR, { invocation: 'i' })]);
  expect(await counted()).toEqual({ [today]: { invocations: 1, shown: 1, undecided: 1, tasks: 1 } });
  // An earlier claim that comes later dates it; the decision, though of now, is before the withdrawal.
  const yesterday = Date.now() * 1000 - 24 * HOUR;
  await store(log, resultOf({ invocation: 'i', shownAt: yesterday, took: HOUR }));
  expect(await counted()).toEqual({ [zone.dayOf(yesterday)]: { invocations: 1, shown: 1, undecided: 1 }, [today]: { tasks: 1 } });

  expect(await rebuild(log, usageProjection)).toMatchObject({ differences: NO_DIFFERENCES, swapped: true });
});
