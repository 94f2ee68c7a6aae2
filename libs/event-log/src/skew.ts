/**
 * Whose clocks were off: the log's evidence, for people who look after hosts. Collectors measure it and `append` keeps it;
 * nothing is corrected by it. Next is `foothold doctor`.
 */
import { type Database } from '@foothold/platform';
import { USAGE_SHARDS } from './schema.js';
import { SHARDS_BEFORE } from './tail.js';

/** Most positions of a shard that are looked at, the latest: whatever a day holds, the answer takes seconds. */
const LOOKED_AT = 50_000;

export interface SkewedSource {
  tenant: string;
  source: string;
  /** Its events that were looked at, and those that came by a clock that was off. */
  events: number;
  skewed: number;
  /** Of the latter: by how many milliseconds the clock was behind; negative: ahead. */
  medianMs: number;
}

/** The sources with events received since a moment (microseconds since 1970) by a clock that was off, most of them first. */
export async function skewedSources(database: Database, since: number): Promise<SkewedSource[]> {
  const before = await database.query<{ shard: number; position: number }>(SHARDS_BEFORE, [since]);
  return database.query(SKEWED, [before.map(({ shard }) => shard), before.map(({ position }) => position)]);
}

const SKEWED = `
select t.name as tenant, s.name as source, count(*)::int as events, count(skew_ms)::int as skewed, (percentile_disc(0.5) within group (order by skew_ms))::float8 as "medianMs"
  from unnest($1::int2[], $2::int8[]) as before(shard, position)
  join head on head.shard = before.shard and head.shard < ${USAGE_SHARDS}
  cross join lateral (select source, skew_ms from event e where e.shard = head.shard and e.position > greatest(before.position, head.position - ${LOOKED_AT})) e
  join source s using (source) join tenant t on t.tenant = s.tenant
 group by t.name, s.name having count(skew_ms) > 0 order by skewed desc, t.name, s.name`;
