/** The ledger: is everything that was received accounted for? And the letters that were not delivered, by what is wrong with them. */
import { type Database } from '@foothold/platform';
import { type Outcome } from './append.js';
import { isoText, LIFECYCLE_SHARD } from './schema.js';

export interface LedgerSource extends Outcome {
  kind: string;
  name: string;
  part: number;
  received: number;
}

export interface Ledger extends Outcome {
  balanced: boolean;
  received: number;
  /** What does not add up, in words; empty when balanced. */
  problems: string[];
  sources: LedgerSource[];
}

/**
 * Compares, in one snapshot: offsets read against outcomes for every origin; outcomes against the rows of the log,
 * the dead letters and those that expired; rows against the origins they name; the heads of the shards against their rows.
 */
export async function verify(database: Database): Promise<Ledger> {
  return database.transaction(async (client) => {
    await client.query('set transaction isolation level repeatable read, read only');
    const { rows: origins } = await client.query<Counted>(SOURCES);
    const sources = origins.filter(({ kind }) => kind !== null);
    const { rows: shards } = await client.query<{ shard: number; position: number | null; rows: number; greatest: number }>(HEADS);
    const problems: string[] = [];
    const total = { received: 0, stored: 0, duplicate: 0, rejected: 0, quarantined: 0 };
    for (const source of sources) {
      for (const field of Object.keys(total) as (keyof typeof total)[]) total[field] += source[field];
      const name = `${source.name}[${source.part}]`;
      const accounted = source.stored + source.duplicate + source.rejected + source.quarantined;
      if (accounted !== source.received) problems.push(`${name}: ${source.received} received, ${accounted} accounted for`);
      if (source.storedRows !== source.stored) problems.push(`${name}: ${source.stored} counted as stored, ${source.storedRows} rows in the log`);
      for (const kind of ['rejected', 'quarantined'] as const) {
        const { lie, expired } = source.letters[kind];
        if (lie + expired !== source[kind]) problems.push(`${name}: ${source[kind]} counted as ${kind}, ${lie} dead letters${expired > 0 ? ` and ${expired} expired` : ''}`);
      }
    }
    for (const { kind, origin, storedRows } of origins) {
      if (kind === null) problems.push(`${storedRows} rows in the log of ${origin === null ? 'no origin' : `origin ${origin}, which there is not`}`);
    }
    for (const { shard, position, rows, greatest } of shards) {
      if (position !== rows || position !== greatest) problems.push(`shard ${shard}: ${position === null ? 'no head' : `head at ${position}`}, ${rows} rows up to ${greatest}`);
    }
    return {
      balanced: problems.length === 0,
      ...total,
      problems,
      sources: sources.map(({ kind, name, part, received, stored, duplicate, rejected, quarantined }) => ({ kind, name, part, received, stored, duplicate, rejected, quarantined })),
    };
  });
}

interface Counted extends LedgerSource {
  origin: number | null;
  storedRows: number;
  letters: Record<LetterGroup['kind'], { lie: number; expired: number }>;
}

/** A row an origin, and one with nothing but rows of the log for each origin that these name and there is not. */
const SOURCES = `
with logged as (select origin, count(*) as stored_rows from event where shard < ${LIFECYCLE_SHARD} group by origin),
buried as (select origin, count(*) filter (where kind = 'rejected') as rejected_letters,
                  count(*) filter (where kind = 'quarantined') as quarantined_letters from dead_letter group by origin)
select origin, kind, name, part, (next_offset - first_offset - void_offsets)::float8 as received, stored::float8, duplicate::float8,
       rejected::float8, quarantined::float8, coalesce(stored_rows, 0)::float8 as "storedRows",
       json_build_object('rejected', json_build_object('lie', coalesce(rejected_letters, 0), 'expired', expired_rejected),
                         'quarantined', json_build_object('lie', coalesce(quarantined_letters, 0), 'expired', expired_quarantined)) as letters
  from origin full join logged using (origin) left join buried using (origin) order by name, part`;

const HEADS = `
select shard, h.position::float8, coalesce(e.rows, 0)::float8 as rows, coalesce(e.greatest, 0)::float8 as greatest
  from head h full join (select shard, count(*) as rows, max(position) as greatest from event group by shard) e using (shard) order by shard`;

export interface LetterGroup {
  /** Of the latest letter in the group. */
  id: string;
  kind: 'rejected' | 'quarantined';
  field: string;
  reason: string;
  fix: string;
  count: number;
  firstSeen: string;
  lastSeen: string;
}

/** What of a tenant's dead letters is asked for. */
export interface LetterPage {
  /** Those that name no tenant too: nobody can say whose they are, so they are for whoever runs the installation. */
  nameless: boolean;
  /** Only those of these deployments; null: of any, and of none. */
  deployments: readonly string[] | null;
  /** Most groups, and the id that their latest letters are older than; null: all. */
  limit: number | null;
  before: string | null;
}

const ALL: LetterPage = { nameless: true, deployments: null, limit: null, before: null };

/** Dead letters of a tenant, grouped by what is wrong with them, the latest first. */
export async function deadLetters(database: Database, tenant: string, { nameless, deployments, limit, before }: LetterPage = ALL): Promise<LetterGroup[]> {
  return database.query<LetterGroup>(
    `select max(dead_letter)::text as id, kind, field, reason, fix, count(*)::int as count,
            ${isoText('min(received)')} as "firstSeen",
            ${isoText('max(received)')} as "lastSeen"
       from dead_letter where (tenant = $1 or ($2 and tenant is null)) and ($3::text[] is null or deployment = any($3))
      group by kind, field, reason, fix having $4::bigint is null or max(dead_letter) < $4 order by max(dead_letter) desc limit $5`,
    [tenant, nameless, deployments, before, limit],
  );
}
