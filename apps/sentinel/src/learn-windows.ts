/** Once a deployment's ISO week is over and everything of it has come in, its decision windows are learned from it. */
import { closedWeek, learnWindows, usageProjection, type Registration } from '@foothold/adoption';
import { completeThrough, streams, tenants, type Log } from '@foothold/event-log';
import { type Job } from './sentinel.js';

const EVERY_MS = 60_000;

export function learningOf(log: Log): Job {
  /** The end of the last week each deployment was looked at for, by its number: a week is looked at once by each process. */
  const looked = new Map<number, number>();
  return {
    name: 'learn decision windows',
    everyMs: EVERY_MS,
    run: async (turn) => {
      for (const tenant of await tenants(log.database)) {
        const complete = await completeThrough(log.database, tenant, usageProjection.name);
        if (complete === null) continue;
        for (const { id, deployment, registration } of await streams(log, tenant)) {
          const week = closedWeek((registration as Registration).timeZone, complete);
          if (looked.get(deployment!) === week.end) continue;
          const done = await turn.step((query) => learnWindows(log, query, tenant, id, week));
          if (done === 'elsewhere') return;
          if (done) looked.set(deployment!, week.end);
        }
      }
    },
  };
}
