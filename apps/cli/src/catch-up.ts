import { usageProjection } from '@foothold/adoption';
import { WrongInput } from '@foothold/contract';
import { adoptVersion, lag, prepare, project, USAGE_SHARDS, type Log } from '@foothold/event-log';
import { progressBar } from './progress.js';

const otherVersion = () => new WrongInput('database', 'a newer Foothold folds its read tables: the events are in the log, and its projector will fold them', 'run the command with the newer Foothold');

/**
 * Folds what is in the log and not yet in the read tables; waits for shards another projector has leased.
 * @throws WrongInput where a newer version has written them
 */
export async function catchUp(log: Log): Promise<void> {
  await prepare(log.database, usageProjection);
  let rebuilding: ReturnType<typeof progressBar>;
  const live = await adoptVersion(log, usageProjection, {
    progress: (folded, of) => {
      rebuilding ??= progressBar('rebuilding the read tables for this version', of);
      rebuilding?.setTotal(of);
      rebuilding?.update(folded);
    },
  }).finally(() => rebuilding?.stop());
  if (live > usageProjection.version) throw otherVersion();
  const { behind } = await lag(log.database, usageProjection.name);
  const bar = progressBar('folding', behind);
  try {
    for (let left = Array.from({ length: USAGE_SHARDS }, (_, shard) => shard); left.length > 0; ) {
      const waiting: number[] = [];
      for (const shard of left) {
        const progress = await project(log, usageProjection, shard);
        if (progress === 'other version') throw otherVersion();
        if (progress === 'leased' || progress.behind) waiting.push(shard);
        if (progress !== 'leased') bar?.increment(progress.folded);
      }
      if (waiting.length === left.length) await new Promise<void>((resolve) => setTimeout(resolve, 50));
      left = waiting;
    }
  } finally {
    bar?.stop();
  }
}
