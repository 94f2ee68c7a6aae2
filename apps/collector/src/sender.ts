/**
 * Who sends, and about whom they may report.
 * What arrives: the headers of a request. What leaves: a `Sender`, or an error; the body is read only after. Next is `sift`.
 */
import { Forbidden } from '@foothold/contract';
import { type AccessKey, type Keys } from '@foothold/platform';
import { type IncomingHttpHeaders } from 'node:http';
import { readPersonToken } from './person-token.js';

export interface Sender {
  tenant: string;
  /** The only deployments that may be reported on; null: every one of the tenant. */
  deployments: string[] | null;
  /** The person whom a token names, as the host knows them; null for a backend, which names people itself. */
  person: string | null;
}

/**
 * @throws Unauthenticated without a key or token that counts
 * @throws Forbidden for a key that may not send, or not from this web origin
 */
export async function senderOf(headers: IncomingHttpHeaders, keys: Keys, now: number): Promise<Sender> {
  const key = await keys.authenticate(headers.authorization);
  if (key.kind === 'read') throw new Forbidden('authorization', 'a read key may not send events', 'send a write key from a backend, or a publishable key from a browser');
  checkOrigin(key, headers.origin);
  const { tenant, deployments, personKey } = key;
  if (key.kind === 'write') return { tenant, deployments, person: null };
  const token = readPersonToken(headers['foothold-person'], personKey!, now);
  if (token.deployment !== null && deployments && !deployments.includes(token.deployment)) {
    throw new Forbidden('foothold-person', 'it is for a deployment that the key is not for', 'sign one for a deployment of the key');
  }
  return { tenant, deployments: token.deployment === null ? deployments : [token.deployment], person: token.person };
}

/** Only browsers say an origin, and what a browser holds anybody can read: there a secret key is one no more. */
function checkOrigin({ kind, origins }: AccessKey, origin: string | undefined): void {
  if (origin === undefined) return;
  if (kind === 'write') throw new Forbidden('origin', 'a write key was sent from a web page, where everybody can read it', 'revoke it, and use a publishable key in browsers: foothold key create --kind publishable');
  if (origins && !origins.includes(origin)) throw new Forbidden('origin', 'the key is not for pages of this origin', 'use a key that is for it, or none that is bound to origins');
}
