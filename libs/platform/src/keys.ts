/**
 * Access keys: who may send events, and who may ask.
 *
 *   fhw_…  write        secret, for backends
 *   fhp_…  publishable  for browsers; the person comes from a token that the host's backend signs with the key's fhs_… secret
 *   fhr_…  read         for questions
 *
 * The database holds the SHA-256 of a key and, of a person secret, the public key only: nobody who reads it can send, ask
 * or sign. A key ends when it is revoked or expires; a process notices within `REMEMBERED_MS`. While the database does
 * not answer, keys that counted when it last did go on counting for `OUTAGE_MS`: an outage must not turn into lost events.
 */
import { Unauthenticated, Unknown } from '@foothold/contract';
import { createHash, createPrivateKey, createPublicKey, randomBytes, type KeyObject } from 'node:crypto';
import { isTransient, type Database, type Migration } from './database.js';

export type KeyKind = 'write' | 'publishable' | 'read';

const PREFIXES: Record<KeyKind, string> = { write: 'fhw_', publishable: 'fhp_', read: 'fhr_' };
const FORM = /^fh[wpr]_[A-Za-z0-9_-]{43}$/;
const REMEMBERED_MS = 2_000;
const OUTAGE_MS = 10 * 60_000;
/** How many keys are remembered, and how many texts that are none: two memories, so that a flood of these drives out no key. */
const REMEMBERED = 10_000;
/** DER of an Ed25519 private key (PKCS #8, RFC 8410) up to its 32-byte seed. */
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

export const keyMigrations: Migration[] = [
  {
    name: 'AccessKeys1790000000003',
    sql: `
create table access_key (
  access_key int generated always as identity primary key,
  tenant text not null,
  kind text not null check (kind in ('write', 'publishable', 'read')),
  hash bytea not null unique,
  hint text not null,
  note text,
  deployments text[],
  origins text[],
  person_key bytea,
  created timestamptz not null default clock_timestamp(),
  expires timestamptz,
  revoked timestamptz
);
comment on column access_key.hash is 'SHA-256 of the key, which is kept nowhere';
comment on column access_key.deployments is 'the only deployments it is for; null: every one of the tenant';
comment on column access_key.person_key is 'of a publishable key: the public half (SPKI) of what signs person tokens';
`,
  },
];

/** What a key allows. */
export interface AccessKey {
  id: number;
  tenant: string;
  kind: KeyKind;
  /** The only deployments it is for; null: every one of the tenant. */
  deployments: string[] | null;
  /** The only web origins it may be used from; null: any. */
  origins: string[] | null;
  /** Checks person tokens; null for keys that take none. */
  personKey: KeyObject | null;
  /** Milliseconds since 1970; null: never. */
  expiresAt: number | null;
}

export interface NewKey {
  tenant: string;
  kind: KeyKind;
  deployments: string[] | null;
  origins: string[] | null;
  note: string | null;
  /** Milliseconds since 1970; null: never. */
  expiresAt: number | null;
}

/** A key as lists show it: never itself. */
export interface ListedKey {
  id: number;
  kind: KeyKind;
  /** Its first and last characters. */
  hint: string;
  note: string | null;
  deployments: string[] | null;
  origins: string[] | null;
  created: string;
  expires: string | null;
  revoked: string | null;
}

const ISO = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as ${column}`;

/** One question to the database about all the keys that came up while the question before it was on its way. */
interface Round {
  hashes: Map<string, Buffer>;
  answer: Promise<Map<string, AccessKey>>;
}

export class Keys {
  private readonly known = new Map<string, { key: AccessKey; readAt: number }>();
  private readonly unknown = new Map<string, number>();
  private round: Round | null = null;
  private asked: Promise<unknown> = Promise.resolve();
  private origins: { every: boolean; named: Set<string>; readAt: number } | null = null;
  private reading: Promise<void> | null = null;

  constructor(
    private readonly database: Database,
    private readonly now: () => number = Date.now,
  ) {}

  /** Makes a key; this is the only time it, and the person secret of a publishable one, can be seen. */
  async create(wanted: NewKey): Promise<{ id: number; key: string; personSecret: string | null }> {
    const key = PREFIXES[wanted.kind] + randomBytes(32).toString('base64url');
    const seed = wanted.kind === 'publishable' ? randomBytes(32) : null;
    const personKey = seed && createPublicKey(createPrivateKey({ key: Buffer.concat([ED25519_PKCS8, seed]), format: 'der', type: 'pkcs8' })).export({ format: 'der', type: 'spki' });
    const rows = await this.database.query<{ access_key: number }>(
      `insert into access_key (tenant, kind, hash, hint, note, deployments, origins, person_key, expires)
       values ($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9::float8 / 1000)) returning access_key`,
      [wanted.tenant, wanted.kind, hashOf(key), `${key.slice(0, 8)}…${key.slice(-4)}`, wanted.note, wanted.deployments, wanted.origins, personKey, wanted.expiresAt],
    );
    return { id: rows[0]!.access_key, key, personSecret: seed && `fhs_${seed.toString('base64url')}` };
  }

  async list(tenant: string): Promise<ListedKey[]> {
    return this.database.query<ListedKey>(
      `select access_key as id, kind, hint, note, deployments, origins, ${ISO('created')}, ${ISO('expires')}, ${ISO('revoked')} from access_key where tenant = $1 order by access_key`,
      [tenant],
    );
  }

  /** The keys of every tenant that count at this moment. */
  async counting(): Promise<(Pick<ListedKey, 'id' | 'kind' | 'hint' | 'note' | 'created'> & { tenant: string })[]> {
    return this.database.query(
      `select access_key as id, tenant, kind, hint, note, ${ISO('created')} from access_key
        where revoked is null and (expires is null or expires > clock_timestamp()) order by tenant, access_key`,
    );
  }

  /** @throws Unknown where the tenant has no such key; a key revoked before stays so. */
  async revoke(tenant: string, id: number): Promise<void> {
    const rows = await this.database.query<{ access_key: number }>(
      `with done as (update access_key set revoked = coalesce(revoked, clock_timestamp()) where tenant = $1 and access_key = $2 returning access_key) select access_key from done`,
      [tenant, id],
    );
    if (rows.length === 0) throw new Unknown('key', `tenant "${tenant}" has no key ${id}`, 'see the numbers of its keys: foothold key list');
  }

  /**
   * The key that an Authorization header holds.
   * @throws Unauthenticated where it holds none that counts; nothing tells keys apart that never were, are revoked or have expired.
   */
  async authenticate(authorization: string | undefined): Promise<AccessKey> {
    const text = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (text === undefined) throw new Unauthenticated('authorization', 'there is no key', 'send the header Authorization: Bearer KEY; make one with: foothold key create');
    const key = FORM.test(text) ? await this.find(text) : null;
    if (!key || (key.expiresAt !== null && key.expiresAt <= this.now())) {
      throw new Unauthenticated('authorization', 'the key is unknown, revoked or expired', 'send a key that counts; make one with: foothold key create');
    }
    return key;
  }

  /** Whether some publishable key that counts may be used from this web origin: all that can be said where no key is sent. */
  async allowOrigin(origin: string): Promise<boolean> {
    if (!this.origins || this.origins.readAt + REMEMBERED_MS <= this.now()) {
      this.reading ??= this.readOrigins().finally(() => (this.reading = null));
      try {
        await this.reading;
      } catch (error) {
        if (!this.origins || !isTransient(error) || this.origins.readAt + OUTAGE_MS <= this.now()) throw error;
      }
    }
    return this.origins!.every || this.origins!.named.has(origin);
  }

  private async readOrigins(): Promise<void> {
    const readAt = this.now();
    const rows = await this.database.query<{ origin: string | null }>(
      `select distinct unnest(coalesce(origins, array[null])) as origin from access_key
        where kind = 'publishable' and revoked is null and (expires is null or expires > to_timestamp($1::float8 / 1000))`,
      [readAt],
    );
    this.origins = { every: rows.some((row) => row.origin === null), named: new Set(rows.map((row) => row.origin ?? '')), readAt };
  }

  private async find(text: string): Promise<AccessKey | null> {
    const hash = hashOf(text);
    const name = hash.toString('base64');
    const known = this.known.get(name);
    if (known && known.readAt + REMEMBERED_MS > this.now()) return known.key;
    if ((this.unknown.get(name) ?? 0) > this.now()) return null;
    const readAt = this.now();
    let key: AccessKey | undefined;
    try {
      key = await this.ask(name, hash);
    } catch (error) {
      if (known && isTransient(error) && known.readAt + OUTAGE_MS > this.now()) return known.key;
      throw error;
    }
    this.known.delete(name);
    if (key) bounded(this.known).set(name, { key, readAt });
    else bounded(this.unknown).set(name, readAt + REMEMBERED_MS);
    return key ?? null;
  }

  /** One statement at a time, whoever asks for how many: a flood of texts that are no keys holds one connection, not all. */
  private async ask(name: string, hash: Buffer): Promise<AccessKey | undefined> {
    this.round ??= this.nextRound();
    this.round.hashes.set(name, hash);
    return (await this.round.answer).get(name);
  }

  private nextRound(): Round {
    const hashes = new Map<string, Buffer>();
    const answer = this.asked.then(() => {
      this.round = null;
      return this.read([...hashes.values()]);
    });
    this.asked = answer.catch(() => undefined);
    return { hashes, answer };
  }

  private async read(hashes: Buffer[]): Promise<Map<string, AccessKey>> {
    const rows = await this.database.query<Omit<AccessKey, 'personKey'> & { hash: Buffer; personKey: Buffer | null }>(
      `select hash, access_key as id, tenant, kind, deployments, origins, person_key as "personKey", (extract(epoch from expires) * 1000)::float8 as "expiresAt"
         from access_key where hash = any($1::bytea[]) and revoked is null`,
      [hashes],
    );
    return new Map(rows.map(({ hash, personKey, ...key }) => [hash.toString('base64'), { ...key, personKey: personKey && createPublicKey({ key: personKey, format: 'der', type: 'spki' }) }]));
  }
}

/** A memory that is full starts anew. */
function bounded<Value>(memory: Map<string, Value>): Map<string, Value> {
  if (memory.size >= REMEMBERED) memory.clear();
  return memory;
}

const hashOf = (key: string): Buffer => createHash('sha256').update(key).digest();
