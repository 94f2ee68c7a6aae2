/**
 * Lifecycle facts: what people decide about a deployment. One stream a deployment, in the log's lifecycle shard,
 * each fact at the version its command expected, with the registration it leads to written in the same transaction.
 */
import { WrongInput } from '@foothold/contract';
import { type Database, type PoolClient } from '@foothold/platform';
import { createHash } from 'node:crypto';
import { copyInto, typedRows, type ColumnType, type Value } from './copy.js';
import { wrongKey, type KeyCheck, type Log } from './identities.js';
import { LIFECYCLE_SHARD } from './schema.js';

/** A fact to be added to a deployment's stream. */
export interface Fact {
  type: string;
  /** Integer microseconds since 1970. */
  time: number;
  /** The number of the person it is about; left out: it is about the deployment as a whole. */
  person?: number;
  data: object;
}

/** Writes, in the transaction of the facts, rows that they lead to; `received` is the facts' stamp, in microseconds since 1970. */
export type Along = (client: PoolClient, made: { deployment: number; received: number }) => Promise<void>;

/** Somebody else changed the stream first, or it is not there: read it again and decide anew. */
export class VersionConflict extends Error {
  constructor(
    readonly deployment: string,
    readonly expected: number,
    readonly actual: number,
  ) {
    super(`deployment "${deployment}" is at version ${actual}, the command expected ${expected}`);
    this.name = 'VersionConflict';
  }
}

export interface Stream {
  /** The deployment's id within its tenant, and its number in the log; null where it has none yet. */
  id: string;
  deployment: number | null;
  version: number;
  registration: unknown;
}

const STREAM = 'select d.id, d.deployment, d.version, d.registration from deployment d join tenant t using (tenant) where t.name = $1';

/** A deployment's stream as it stands; version 0 and no registration where there is none. */
export async function stream(log: Log, tenant: string, deployment: string): Promise<Stream> {
  const rows = await log.database.query<Stream>(`${STREAM} and d.id = $2`, [tenant, deployment]);
  return rows[0] ?? { id: deployment, deployment: null, version: 0, registration: null };
}

/** The streams of all deployments of a tenant, by id. */
export async function streams(log: Log, tenant: string): Promise<Stream[]> {
  return log.database.query<Stream>(`${STREAM} order by d.id collate "C"`, [tenant]);
}

/** The tenants there are, in the order in which they were made. */
export async function tenants(database: Database): Promise<string[]> {
  return (await database.query<{ name: string }>('select name from tenant order by tenant')).map(({ name }) => name);
}

/** The facts of one type in the stream of a deployment, given by its number, in the stream's order. */
export async function factsOf<Data>(query: <Row>(sql: string, values: unknown[]) => Promise<Row[]>, deployment: number, type: string): Promise<{ time: number; person: number | null; received: number; data: Data }[]> {
  return query(FACTS, [deployment, type]);
}

const FACTS = `select (extract(epoch from time) * 1000000)::float8 as time, person::float8 as person, (extract(epoch from received) * 1000000)::float8 as received, data
  from event where deployment = $1 and version is not null and type = $2 order by version`;

/** In the order of the values that `change` gives; people by the thousand make as many facts. */
const COLUMNS: Record<string, ColumnType> = {
  shard: 'int2', position: 'int8', id: 'uuid', source: 'int4', type: 'text', deployment: 'int4', person: 'int8', time: 'timestamptz', received: 'timestamptz', version: 'int4', data: 'json',
};

/**
 * Adds facts to a deployment's stream, which must be at `expected`, and keeps `registration` as what they lead to.
 * The tenant must exist.
 * @throws VersionConflict
 */
export async function change(log: Log, tenant: string, deployment: string, expected: number, facts: Fact[], registration: object, along?: Along): Promise<void> {
  await log.database.transaction(async (client) => {
    const made = expected === 0 ? CREATE : ADVANCE;
    const moved = await client.query<{ deployment: number; tenant: number }>(made, [tenant, deployment, expected + facts.length, JSON.stringify(registration), ...(expected === 0 ? [] : [expected])]);
    const row = moved.rows[0];
    if (!row) {
      const actual = await client.query<{ version: number }>('select version from deployment join tenant using (tenant) where name = $1 and id = $2', [tenant, deployment]);
      throw new VersionConflict(deployment, expected, actual.rows[0]?.version ?? 0);
    }
    const { rows: [ours] } = await client.query<{ source: number }>(
      `insert into source (tenant, name) values ($1, 'foothold') on conflict (tenant, name) do update set name = excluded.name returning source`, [row.tenant],
    );
    const [head] = await typedRows(client, LOCK_HEAD, []);
    const [position, received] = head as [number, number];
    await copyInto(client, 'event', COLUMNS, facts.map(({ type, time, person, data }, i): Value[] => {
      const version = expected + i + 1;
      return [LIFECYCLE_SHARD, position + i + 1, factId(tenant, deployment, version), ours!.source, type, row.deployment, person ?? null, time, received, version, JSON.stringify(data)];
    }));
    await client.query(MOVE_HEAD, [position + facts.length, received]);
    await along?.(client, { deployment: row.deployment, received });
  });
}

/** The stamp never runs backwards. */
const LOCK_HEAD = `select position, greatest(received, clock_timestamp()) from head where shard = ${LIFECYCLE_SHARD} for update`;
/** Whole microseconds are added: a number of seconds would not hold them exactly. */
const MOVE_HEAD = `update head set position = $1, received = 'epoch'::timestamptz + $2::int8 * interval '1 microsecond' where shard = ${LIFECYCLE_SHARD}`;
const CREATE = `insert into deployment (tenant, id, version, registration) select tenant, $2, $3, $4 from tenant where name = $1
  on conflict do nothing returning deployment, tenant`;
const ADVANCE = `update deployment set version = $3, registration = $4 from tenant t
  where t.tenant = deployment.tenant and t.name = $1 and deployment.id = $2 and deployment.version = $5 returning deployment, t.tenant`;

/** A fact's place in its stream is its identity: UUIDv8 of SHA-256. */
function factId(tenant: string, deployment: string, version: number): string {
  const bytes = createHash('sha256').update(`${tenant}/${deployment}/${version}`).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/**
 * Makes a tenant. One installation has one secret: where it holds any tenant, this process must hold the key of all of
 * them, or the new tenant's people would be known to this process alone.
 * @throws WrongInput where it does not.
 */
export async function openTenant(log: Log, tenant: string, keyCheck: KeyCheck): Promise<void> {
  await log.database.transaction(async (client) => {
    await client.query('lock table tenant in share row exclusive mode'); // of two first tenants under different keys, one is refused
    const stranger = await strangeTenant(async (sql) => (await client.query(sql)).rows, keyCheck);
    if (stranger !== undefined) throw wrongKey(stranger);
    const made = await client.query('insert into tenant (name, key_check) values ($1, $2) on conflict do nothing', [tenant, keyCheck(tenant)]);
    if (made.rowCount === 0 || !log.sealer) return;
    // Whoever received what waits for this tenant holds the key that it must have: under another nobody could ever open it.
    const { rows } = await client.query<{ sealed: Buffer }>('select sealed from dead_letter where tenant = $1 and sealed is not null order by dead_letter desc limit 20', [tenant]);
    if (rows.length === 0 || rows.some(({ sealed }) => log.sealer!.open(tenant, sealed) !== null)) return;
    throw new WrongInput('FOOTHOLD_PSEUDONYM_KEY', `it is not the key under which events of tenant "${tenant}" wait as dead letters`, 'use the key (FOOTHOLD_PSEUDONYM_KEY, or the FOOTHOLD_HOME with its pseudonym.key) of whoever received them; where nobody has it any more, delete them: foothold dead-letters expire --older-than 1');
  });
}

/** @throws WrongInput where this process does not hold the key of every tenant: it would make other people of the same ones. */
export async function requireKeys(database: Database, keyCheck: KeyCheck): Promise<void> {
  const stranger = await strangeTenant((sql) => database.query(sql), keyCheck);
  if (stranger !== undefined) throw wrongKey(stranger);
}

/** A tenant whose people were pseudonymised under another key than this process holds; undefined where there is none. */
export async function strangeTenant(query: (sql: string) => Promise<{ name: string; key_check: Buffer }[]>, keyCheck: KeyCheck): Promise<string | undefined> {
  const rows = await query('select name, key_check from tenant order by tenant');
  return rows.find((row) => !keyCheck(row.name).equals(row.key_check))?.name;
}
