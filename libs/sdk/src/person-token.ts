/**
 * The token by which a host's backend says who is logged in, for a browser that reports with a publishable key. What
 * arrives: the key's person secret and the person. What leaves: a JWT (RFC 7519) signed with Ed25519 (RFC 8037).
 */
import { createPrivateKey, sign } from 'node:crypto';
import { deployment as deploymentRule, person as personRule } from './check.js';

export interface PersonTokenFacts {
  /** `fhs_…`, shown once when the publishable key was made; it stays in the backend. */
  secret: string;
  /** The person who is logged in, as the host knows them. */
  person: string;
  /** The only deployment the token is good for; left out, every one the key is. */
  deployment?: string;
  /** How long it is good, 1 to 3600; 900. */
  expiresInSeconds?: number;
}

const PREFIX = 'fhs_';
const SEED_BYTES = 32;
const LONGEST_SECONDS = 3_600;
/** What precedes the seed in PKCS #8 of an Ed25519 private key (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const HEADER = base64url('{"alg":"EdDSA","typ":"JWT"}');

/**
 * Signs a person token, for the route of the host's backend that `personToken` of the browser calls.
 * @throws TypeError where an argument is wrong, saying which: a token nobody accepts would help nobody
 */
export function personToken({ secret, person, deployment, expiresInSeconds = 900 }: PersonTokenFacts): string {
  const seed = typeof secret === 'string' && secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), 'base64url') : undefined;
  if (seed?.length !== SEED_BYTES) throw new TypeError('secret: must be the person secret of a publishable key (fhs_…)');
  if (personRule.read(person) === undefined) throw new TypeError(`person: must be ${personRule.words}`);
  if (deployment !== undefined && deploymentRule.read(deployment) === undefined) throw new TypeError(`deployment: must be ${deploymentRule.words}`);
  if (!(Number.isInteger(expiresInSeconds) && expiresInSeconds >= 1 && expiresInSeconds <= LONGEST_SECONDS)) {
    throw new TypeError(`expiresInSeconds: must be an integer from 1 to ${LONGEST_SECONDS}`);
  }
  const iat = Math.floor(Date.now() / 1000);
  const signed = `${HEADER}.${base64url(JSON.stringify({ sub: person, iat, exp: iat + expiresInSeconds, deployment }))}`;
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
  return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`;
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}
