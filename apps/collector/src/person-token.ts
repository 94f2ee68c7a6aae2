/**
 * Person tokens: how a browser, whose publishable key anybody can read, proves for whom it reports. The host's backend signs
 * a compact JWT (EdDSA) with the secret that came with the key; the server knows the public half only.
 */
import { DEPLOYMENT, PERSON, Unauthenticated } from '@foothold/contract';
import { verify, type KeyObject } from 'node:crypto';

export interface PersonToken {
  /** The person as the host knows them. */
  person: string;
  /** The only deployment it is for; null: whatever the key is for. */
  deployment: string | null;
}

/** Clocks of hosts may differ from ours by so much. */
const LEEWAY_SECONDS = 60;
const LONGEST_SECONDS = 3_600;
const LONGEST_TEXT = 4_096;
const FIX = 'let the host’s backend sign a new one with the person secret of this key: personToken() of the SDK does';

/**
 * Reads a token.
 * @param now milliseconds since 1970
 * @throws Unauthenticated where it is missing, forged, expired or of another key.
 */
export function readPersonToken(text: string | string[] | undefined, key: KeyObject, now: number): PersonToken {
  if (text === undefined || text === '') throw refused('missing; with a publishable key it says who the person is', 'send it in the header Foothold-Person');
  const parts = typeof text === 'string' && text.length <= LONGEST_TEXT ? text.split('.') : [];
  const [head, body, signature] = parts;
  if (parts.length !== 3 || !parts.every((part) => /^[A-Za-z0-9_-]+$/.test(part))) throw refused('no compact JWT');
  // The algorithm is ours to choose: what the header says is only held against it.
  if (objectOf(head!)?.['alg'] !== 'EdDSA') throw refused('not signed with EdDSA');
  if (!verify(null, Buffer.from(`${head}.${body}`), key, Buffer.from(signature!, 'base64url'))) throw refused('not signed with the person secret of this key');
  const { sub, iat, exp, nbf, deployment } = objectOf(body!) ?? {};
  const seconds = now / 1000;
  if (typeof iat !== 'number' || typeof exp !== 'number' || !(exp > iat) || exp - iat > LONGEST_SECONDS) throw refused('its claims iat and exp are not at most an hour apart');
  if (exp + LEEWAY_SECONDS <= seconds) throw refused('expired');
  if (iat - LEEWAY_SECONDS > seconds) throw refused('not valid yet: it was issued in the future', 'set the clock of the host’s backend');
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf - LEEWAY_SECONDS <= seconds)) throw refused('not valid yet, by its claim nbf');
  if (typeof sub !== 'string' || !PERSON.test(sub)) throw refused('its claim sub names no person');
  if (deployment !== undefined && (typeof deployment !== 'string' || !DEPLOYMENT.test(deployment))) throw refused('its claim deployment names no deployment');
  return { person: sub, deployment: deployment ?? null };
}

function objectOf(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const refused = (reason: string, fix = FIX): Unauthenticated => new Unauthenticated('foothold-person', reason, fix);
