/** Whatever may be told of a deployment is told to those who ask with SQL, once a local day is over or something about it has changed. */
import { deploymentsOf, tellCells } from '@foothold/adoption';
import { tenants, type Log } from '@foothold/event-log';
import { errorText, isTransient, type Logger } from '@foothold/platform';
import { setTimeout as pause } from 'node:timers/promises';
import { type Job } from './sentinel.js';

const EVERY_MS = 60_000;
/** Longest rest after a question. */
const REST_MS = 2_000;

/** Each deployment is claimed by whoever tells it: no turn is needed. */
export const tellingOf = (log: Log, logger: Logger): Job => ({
  name: 'tell cells',
  everyMs: EVERY_MS,
  run: async ({ beat, signal }) => {
    for (const tenant of await tenants(log.database)) for (const { id } of await deploymentsOf(log, { tenant, deployments: null })) {
      if (signal.aborted) return;
      const began = performance.now();
      let asked = began;
      // One question at a time, and after each a rest as long as it took: there is always somebody who is in more of a hurry.
      const pace = async () => {
        beat();
        await pause(Math.min(REST_MS, performance.now() - asked), undefined, { signal });
        asked = performance.now();
      };
      const told = await tellCells(log, tenant, id, { pace }).catch((error: unknown) => {
        if (signal.aborted) return 'stopped' as const;
        if (isTransient(error)) throw error;
        // A figure that cannot be worked out must not end the process, in which others may be taking events: its cells stay as they were.
        logger.error({ deployment: id }, 'the cells of a deployment could not be told: %s', errorText(error));
        return 'failed' as const;
      });
      if (typeof told !== 'string') logger.info({ answers: told.answers, cells: told.cells, ms: Math.round(performance.now() - began) }, 'the cells of a deployment were told anew');
    }
  },
});
