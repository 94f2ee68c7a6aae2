/**
 * Out of the log, in position order.
 * What arrives: a shard and the last position a reader has. What leaves: the next events, with the names
 * (source, deployment) that folds order and date by. Next is a projection's fold.
 */
import { type EventName } from '@foothold/contract';
import { type PoolClient } from '@foothold/platform';
import { typedRows } from './copy.js';
import { type Log } from './identities.js';

/** An event as the log holds it. Times are integer microseconds since 1970. */
export interface LoggedEvent {
  shard: number;
  position: number;
  id: string;
  source: string;
  type: EventName;
  deployment: number;
  person: number | null;
  actor: number | null;
  time: number;
  received: number;
  data: Record<string, unknown>;
  /** As the SDK counts the events of a session; null where it does not, or the log did not keep it yet. */
  sequence: string | null;
}

const READ = `select position, id, source, type, deployment, person, actor, time, received, data, sequence
  from event where shard = $1 and position > $2 order by position limit $3`;

/** The next `limit` events of a shard after `position`; fewer means that was the end at this moment. */
export async function read(log: Log, client: PoolClient, shard: number, position: number, limit: number): Promise<LoggedEvent[]> {
  const rows = await typedRows(client, READ, [shard, position, limit], 'log-read');
  await log.identities.learnSourceNumbers(client, new Set(rows.map((row) => row[2] as number)));
  await log.identities.learnDeploymentNumbers(client, new Set(rows.map((row) => row[4] as number)));
  return rows.map((row) => ({
    shard,
    position: row[0] as number,
    id: row[1] as string,
    source: log.identities.sourceName(row[2] as number),
    type: row[3] as EventName,
    deployment: row[4] as number,
    person: row[5] as number | null,
    actor: row[6] as number | null,
    time: row[7] as number,
    received: row[8] as number,
    data: JSON.parse(row[9] as string) as Record<string, unknown>,
    sequence: row[10] as string | null,
  }));
}
