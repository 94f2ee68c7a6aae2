/**
 * The installation's secret and what is done with it: people become pseudonyms, what is kept of dead letters is sealed.
 * Whoever has only the database, or only Kafka, reads neither.
 */
import { WrongInput } from '@foothold/contract';
import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config } from './config.js';

/** Turns people into pseudonyms, each tenant under a key of its own derived from the secret. */
export class Pseudonymiser {
  private readonly keys = new Map<string, Buffer>();
  private known = new Map<string, string>();

  constructor(private readonly secret: Buffer) {}

  /** HMAC-SHA256 under the tenant's key, 64 hex digits. */
  pseudonym(tenant: string, person: string): string {
    const label = `${tenant}/${person}`;
    let pseudonym = this.known.get(label);
    if (pseudonym === undefined) {
      pseudonym = createHmac('sha256', this.key(tenant)).update(person).digest('hex');
      if (this.known.size >= 100_000) this.known = new Map();
      this.known.set(label, pseudonym);
    }
    return pseudonym;
  }

  /** What proves that two processes hold the same key for a tenant, without telling the key. */
  check(tenant: string): Buffer {
    return createHash('sha256').update('check').update(this.key(tenant)).digest();
  }

  private key(tenant: string): Buffer {
    let key = this.keys.get(tenant);
    if (!key) this.keys.set(tenant, (key = createHmac('sha256', this.secret).update(`tenant:${tenant}`).digest()));
    return key;
  }
}

/**
 * Seals what is kept of dead letters, and opens it: AES-256-GCM, under a key a tenant that HKDF-SHA256 derives from the
 * secret, bound to the tenant's name. Nonces are random: a key must not seal more than 2^32 texts.
 */
export class Sealer {
  private readonly keys = new Map<string, Buffer>();

  constructor(private readonly secret: Buffer) {}

  /** @returns a byte that names this form, nonce, ciphertext, tag */
  seal(tenant: string, text: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.key(tenant), nonce).setAAD(Buffer.from(tenant));
    return Buffer.concat([FORM, nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  }

  /** @returns null for what was sealed under another secret, for another tenant, or is not whole. */
  open(tenant: string, sealed: Buffer): string | null {
    const from = FORM.length + NONCE_BYTES;
    const to = sealed.length - TAG_BYTES;
    if (to < from || !sealed.subarray(0, FORM.length).equals(FORM)) return null;
    const decipher = createDecipheriv(CIPHER, this.key(tenant), sealed.subarray(FORM.length, from), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(tenant)).setAuthTag(sealed.subarray(to));
    const text = decipher.update(sealed.subarray(from, to));
    try {
      return Buffer.concat([text, decipher.final()]).toString();
    } catch {
      return null; // the tag does not fit
    }
  }

  private key(tenant: string): Buffer {
    let key = this.keys.get(tenant);
    if (!key) this.keys.set(tenant, (key = Buffer.from(hkdfSync('sha256', this.secret, '', `foothold dead letters/${tenant}`, 32))));
    return key;
  }
}

const CIPHER = 'aes-256-gcm';
const FORM = Buffer.from([1]);
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The pseudonymiser of this configuration; makes and keeps a secret where none is given. */
export function openPseudonymiser(config: Config): Pseudonymiser {
  return new Pseudonymiser(secretOf(config));
}

/** The sealer of this configuration, under the same secret. */
export function openSealer(config: Config): Sealer {
  return new Sealer(secretOf(config));
}

const secretOf = (config: Config): Buffer => config.FOOTHOLD_PSEUDONYM_KEY ?? keptSecret(config.FOOTHOLD_HOME);

function keptSecret(home: string): Buffer {
  const path = join(home, 'pseudonym.key');
  let kept: string;
  try {
    if (!existsSync(path)) makeSecret(home, path);
    kept = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new WrongInput('FOOTHOLD_HOME', `its pseudonym.key can neither be read nor be made (${(error as { code?: string }).code})`, 'name a folder in which this process may write, or set FOOTHOLD_PSEUDONYM_KEY');
  }
  if (!/^[0-9a-f]{64}$/.test(kept)) throw new WrongInput('FOOTHOLD_HOME', 'its pseudonym.key does not hold 64 hex digits', 'restore the file, or set FOOTHOLD_PSEUDONYM_KEY');
  return Buffer.from(kept, 'hex');
}

function makeSecret(home: string, path: string): void {
  mkdirSync(home, { recursive: true });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  chmodSync(draft, 0o600);
  try {
    linkSync(draft, path); // of several first processes one makes the key and the others use it
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(draft);
  }
}
