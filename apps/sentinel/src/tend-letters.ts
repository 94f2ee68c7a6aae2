/** Dead letters are looked after: what may be stored by now is redriven, what has been kept for its time is deleted. */
import { expireAfter, sweepLetters, type KeyCheck, type Log } from '@foothold/event-log';
import { type Logger } from '@foothold/platform';
import { type Job } from './sentinel.js';

const SWEEP_MS = 10_000;
const EXPIRE_MS = 3_600_000;

/** What waited for a registration or for a newer version of this program. Several at once leave each other's letters alone: no turn is needed. */
export function sweepingOf(log: Log, keyCheck: KeyCheck, logger: Logger): Job {
  let unopened = 0;
  return {
    name: 'sweep dead letters',
    everyMs: SWEEP_MS,
    run: async (turn) => {
      const { redriven, kept, sealed } = await sweepLetters(log, keyCheck, turn);
      if (redriven + sealed > 0) logger.info({ redriven, sealed }, 'dead letters were redriven, or sealed that an earlier version kept open');
      if (kept > unopened) logger.warn({ kept }, 'dead letters that could be stored by now were sealed under another pseudonym key than this process holds: they are left alone');
      unopened = kept;
    },
  };
}

/** @param days how many days letters are kept */
export const expiringOf = (log: Log, days: number, logger: Logger): Job => ({
  name: 'expire dead letters',
  everyMs: EXPIRE_MS,
  run: async (turn) => {
    const expired = await expireAfter(log, days, null, turn);
    if (expired.rejected + expired.quarantined > 0) logger.info(expired, 'dead letters have expired after %d days', days);
  },
});
