/** Access keys on a real database: what is stored of them, when they end, and what whoever guesses or floods learns. */
import { Unauthenticated, Unknown } from '@foothold/contract';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash, createPrivateKey, randomBytes, sign, verify } from 'node:crypto';
import { databases, freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { startPostgresProxy } from '../../../test/support/postgres-proxy.js';
import { type Database } from './database.js';
import { keyMigrations, Keys, type NewKey } from './keys.js';

const open = databases();
afterEach(() => fresh.drop()); // after its pools are closed
const NOON = Date.UTC(2026, 10, 25, 12);
let fresh: FreshDatabase;
let database: Database;
let now: number;
let keys: Keys;

beforeEach(async () => {
  fresh = await freshDatabase();
  database = await open(fresh.url, keyMigrations);
  await database.migrate();
  now = NOON;
  keys = new Keys(database, () => now);
});

const create = (wanted: Partial<NewKey> = {}) => keys.create({ tenant: 'acme', kind: 'write', deployments: null, origins: null, note: null, expiresAt: null, ...wanted });
const bearer = (key: string) => `Bearer ${key}`;
const nobody = () => bearer(`fhw_${randomBytes(32).toString('base64url')}`);
const refusal = (authorization: string | undefined) => keys.authenticate(authorization).then(() => 'counts', (error: unknown) => error);

describe('a key', () => {
  it.each([['write', 'fhw_'], ['publishable', 'fhp_'], ['read', 'fhr_']] as const)('of kind %s begins with %s and says what it allows', async (kind, prefix) => {
    const { id, key, personSecret } = await create({ kind, deployments: ['claims', 'desk'], origins: ['https://acme.example'], expiresAt: NOON + 5_000 });
    expect(key).toMatch(new RegExp(`^${prefix}[A-Za-z0-9_-]{43}$`));
    expect(personSecret === null).toBe(kind !== 'publishable');
    expect(await keys.authenticate(bearer(key))).toEqual({
      id, tenant: 'acme', kind, deployments: ['claims', 'desk'], origins: ['https://acme.example'], expiresAt: NOON + 5_000, personKey: kind === 'publishable' ? expect.anything() : null,
    });
    expect((await keys.authenticate(`bearer   ${key}`)).id).toBe(id);
  });

  it('is nowhere in the database, nor is a person secret: only a hash and a public key', async () => {
    const { key, personSecret } = await create({ kind: 'publishable' });
    const [row] = await database.query<{ hash: Buffer; hint: string; all: string }>('select hash, hint, k::text as all from access_key k');
    expect(row!.hash).toEqual(createHash('sha256').update(key).digest());
    expect(row!.hint).toBe(`${key.slice(0, 8)}…${key.slice(-4)}`);
    for (const secret of [key, personSecret!.slice(4)]) {
      for (const form of [secret, Buffer.from(secret).toString('hex'), Buffer.from(secret, 'base64url').toString('hex')]) expect(row!.all).not.toContain(form);
    }
  });

  it('checks what its person secret signs, and nothing else', async () => {
    const [one, other] = [await create({ kind: 'publishable' }), await create({ kind: 'publishable' })];
    const secretOf = (text: string) => createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(text.slice(4), 'base64url')]), format: 'der', type: 'pkcs8' });
    const { personKey } = await keys.authenticate(bearer(one.key));
    const text = Buffer.from('jane');
    expect(verify(null, text, personKey!, sign(null, text, secretOf(one.personSecret!)))).toBe(true);
    expect(verify(null, text, personKey!, sign(null, text, secretOf(other.personSecret!)))).toBe(false);
  });

  it('is listed without itself, to its own tenant only', async () => {
    await create({ note: 'the backend', expiresAt: Date.UTC(2027, 0, 1) });
    await create({ tenant: 'globex' });
    const listed = await keys.list('acme');
    expect(listed).toEqual([{
      id: expect.any(Number), kind: 'write', hint: expect.stringMatching(/^fhw_.{4}….{4}$/), note: 'the backend', deployments: null, origins: null,
      created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/), expires: '2027-01-01T00:00:00Z', revoked: null,
    }]);
  });
});

describe('the end of a key', () => {
  it('comes within two seconds of being revoked, in a process that knew it', async () => {
    const { id, key } = await create();
    await keys.authenticate(bearer(key));
    await keys.revoke('acme', id);
    now += 2_000;
    expect(await refusal(bearer(key))).toBeInstanceOf(Unauthenticated);
    expect((await keys.list('acme'))[0]!.revoked).toMatch(/Z$/);
  });

  it('is revoked once: a second time changes nothing', async () => {
    const { id } = await create();
    await keys.revoke('acme', id);
    const [before] = await keys.list('acme');
    await keys.revoke('acme', id);
    expect(await keys.list('acme')).toEqual([before]);
  });

  it('is not for another tenant to bring about', async () => {
    const { id, key } = await create();
    await expect(keys.revoke('globex', id)).rejects.toThrow(Unknown);
    now += 2_000;
    expect((await keys.authenticate(bearer(key))).id).toBe(id);
  });

  it('comes at the very moment it expires, remembered or not', async () => {
    const { key } = await create({ expiresAt: NOON + 1_000 });
    now += 999;
    expect((await keys.authenticate(bearer(key))).tenant).toBe('acme');
    now += 1;
    expect(await refusal(bearer(key))).toBeInstanceOf(Unauthenticated);
  });
});

describe('whoever has no key', () => {
  it.each([
    ['no header', undefined, 'there is no key'],
    ['another scheme', 'Basic YTpi', 'there is no key'],
    ['the scheme alone', 'Bearer ', 'there is no key'],
    ['a key and something after it', `${nobody()} x`, 'there is no key'],
    ['another form', 'Bearer fhx_abc', 'the key is unknown, revoked or expired'],
    ['a text of 8,000 characters', `Bearer ${'x'.repeat(8_000)}`, 'the key is unknown, revoked or expired'],
    ['SQL', "Bearer ';drop/**/table/**/access_key;--", 'the key is unknown, revoked or expired'],
  ])('%s is told so', async (_what, header, reason) => {
    expect(await refusal(header)).toMatchObject({ name: 'Unauthenticated', field: 'authorization', reason, fix: expect.stringContaining('foothold key create') });
  });

  it('hears the same of a key that never was, is revoked or has expired', async () => {
    const revoked = await create();
    await keys.revoke('acme', revoked.id);
    const expired = await create({ expiresAt: NOON });
    const answers = await Promise.all([nobody(), bearer(revoked.key), bearer(expired.key)].map(refusal));
    const said = answers.map((answer) => {
      const { name, message } = answer as Error;
      return `${name} ${message}`;
    });
    expect(new Set(said).size).toBe(1);
    expect(said[0]).not.toContain('fhw_');
  });

  it('drives no key out of memory and takes one connection at most, however many he tries', async () => {
    const { key } = await create();
    await keys.authenticate(bearer(key));
    let most = 0;
    const watched = new Keys({ query: async (sql: string, values: unknown[]) => {
      const rows = database.query(sql, values);
      most = Math.max(most, database.inUse());
      return rows;
    } } as unknown as Database, () => now);
    await watched.authenticate(bearer(key));
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all(Array.from({ length: 4_000 }, () => watched.authenticate(nobody()).then(() => 'counts', () => 'refused')));
      expect(new Set(answers)).toEqual(new Set(['refused']));
    }
    const { known, unknown } = watched as unknown as { known: Map<string, unknown>; unknown: Map<string, unknown> };
    expect([known.size, unknown.size <= 10_000, most <= 1]).toEqual([1, true, true]);
    await database.query('drop table access_key');
    expect((await watched.authenticate(bearer(key))).tenant).toBe('acme'); // not asked for anew
  });
});

it('keys that counted go on counting while the database is away, for ten minutes and no longer', async () => {
  const { key } = await create({ kind: 'publishable', origins: ['https://acme.example'] });
  let away = false;
  const proxy = await startPostgresProxy(fresh.url, { decide: () => (away ? 'cut' : 'forward') });
  const apart = new Keys(await open(proxy.url), () => now);
  expect((await apart.authenticate(bearer(key))).tenant).toBe('acme');
  expect(await apart.allowOrigin('https://acme.example')).toBe(true);
  away = true;
  now += 10 * 60_000 - 1;
  expect((await apart.authenticate(bearer(key))).tenant).toBe('acme');
  expect(await apart.allowOrigin('https://acme.example')).toBe(true);
  await expect(apart.authenticate(nobody())).rejects.toThrow(/Connection terminated/);
  now += 1;
  await expect(apart.authenticate(bearer(key))).rejects.toThrow(/Connection terminated/);
  await expect(apart.allowOrigin('https://acme.example')).rejects.toThrow(/Connection terminated/);
  away = false;
  expect((await apart.authenticate(bearer(key))).tenant).toBe('acme');
  await proxy.close();
});

describe('a web origin', () => {
  const ACME = 'https://acme.example';

  it('is allowed while a publishable key that counts names it, or names none', async () => {
    const allowed = async () => {
      now += 2_000;
      return [await keys.allowOrigin(ACME), await keys.allowOrigin('https://evil.example')];
    };
    expect(await allowed()).toEqual([false, false]);
    await create({ origins: null }); // a write key opens nothing
    const named = await create({ kind: 'publishable', origins: ['http://localhost:3000', ACME] });
    expect(await allowed()).toEqual([true, false]);
    await keys.revoke('acme', named.id);
    expect(await allowed()).toEqual([false, false]);
    await create({ kind: 'publishable', origins: null, expiresAt: now + 5_000 });
    expect(await allowed()).toEqual([true, true]);
    now += 3_000;
    expect(await allowed()).toEqual([false, false]);
  });
});
