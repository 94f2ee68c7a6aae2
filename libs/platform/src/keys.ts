/**
 * Access keys: who may send events, and who may ask.
 *
 *   fhw_…  write        secret, for backends
 *   fhp_…  publishable  for browsers; the person comes from a token that the host's backend signs with the key's fhs_… secret
 *   fhr_…  read         for questions
 *
 * The database holds the SHA-256 of a key and, of a person secret, the public key only: nobody who reads it can send, ask
 * or sign. A key ends when it is revoked or expires; a process notices within `REMEMBERED_MS`.
 */
import { Unauthenticated, Unknown } from '@foothold/contract';
import { createHash, createPrivateKey, createPublicKey, randomBytes, type KeyObject } from 'node:crypto';
import { type Database, type Migration } from './database.js';

export type KeyKind = 'write' | 'publishable' | 'read';

const PREFIXES: Record<KeyKind, string> = { write: 'fhw_', publishable: 'fhp_', read: 'fhr_' };
const FORM = /^fh[wpr]_[A-Za-z0-9_-]{43}$/;
const REMEMBERED_MS = 2_000;
/** How many answers are remembered, those about keys that do not exist included. */
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

export class Keys {
  private readonly remembered = new Map<string, { key: AccessKey | null; until: number }>();

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

  private async find(text: string): Promise<AccessKey | null> {
    const hash = hashOf(text);
    const name = hash.toString('base64');
    const known = this.remembered.get(name);
    if (known && known.until > this.now()) return known.key;
    const rows = await this.database.query<Omit<AccessKey, 'personKey'> & { personKey: Buffer | null }>(
      `select access_key as id, tenant, kind, deployments, origins, person_key as "personKey", (extract(epoch from expires) * 1000)::float8 as "expiresAt"
         from access_key where hash = $1 and revoked is null`,
      [hash],
    );
    const found = rows[0];
    const key = found ? { ...found, personKey: found.personKey && createPublicKey({ key: found.personKey, format: 'der', type: 'spki' }) } : null;
    if (this.remembered.size >= REMEMBERED) this.remembered.clear();
    this.remembered.set(name, { key, until: this.now() + REMEMBERED_MS });
    return key;
  }
}

const hashOf = (key: string): Buffer => createHash('sha256').update(key).digest();
