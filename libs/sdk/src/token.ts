/**
 * How an invocation travels: in a header to the host's backend, in a column beside a draft, days long.
 *
 * The token is base64url of `[1, deployment, invocation, person]`. It is not signed and not secret, but it names a
 * person: keep it where the host keeps such names, and out of logs. Whoever presents a token speaks about its
 * invocation; a backend that takes it from a browser believes no more than that.
 */
import { deployment as deploymentRule, id as idRule, person as personRule, traceparent as traceparentRule } from './check.js';

export const HEADER = 'foothold-invocation';

/** What a token says. Without a person it was made in a browser, whose person only the collector knows. */
export interface Carried {
  deployment: string;
  invocation: string;
  person: string | undefined;
  traceparent: string | undefined;
}

/** Headers as hosts have them: a plain object (of node:http, of fetch), or `Headers`. */
export type HeaderSource = Record<string, string | readonly string[] | undefined> | { get(name: string): string | null };

const VERSION = 1;
const LONGEST = 4_096;

export function tokenOf({ deployment, invocation, person }: Carried): string {
  const bytes = new TextEncoder().encode(JSON.stringify([VERSION, deployment, invocation, ...(person === undefined ? [] : [person])]));
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** What was carried; `missing` where there is no token, `malformed` where it is none of ours. Never throws. */
export function carriedBy(carrier: string | HeaderSource): Carried | 'missing' | 'malformed' {
  try {
    if (typeof carrier === 'string') return parse(carrier, undefined);
    if (typeof carrier !== 'object' || carrier === null) return 'missing';
    const token = headerOf(carrier, HEADER);
    return token === undefined ? 'missing' : parse(token, headerOf(carrier, 'traceparent'));
  } catch {
    return 'malformed';
  }
}

/** @throws where the token is not base64url, not UTF-8 or not a list in JSON */
function parse(token: string, traceparent: string | undefined): Carried | 'malformed' {
  if (token.length > LONGEST) return 'malformed';
  const [version, deployment, invocation, person] = unpacked(token) as unknown[];
  const good = version === VERSION && deploymentRule.read(deployment) !== undefined && idRule.read(invocation) !== undefined && (person === undefined || personRule.read(person) !== undefined);
  if (!good) return 'malformed';
  return { deployment: deployment as string, invocation: invocation as string, person: person as string | undefined, traceparent: traceparentRule.read(traceparent) as string | undefined };
}

/**
 * What base64url of JSON holds.
 * @throws where it is not base64url, not UTF-8 or not JSON
 */
export function unpacked(text: string): unknown {
  const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
}

function headerOf(headers: HeaderSource, name: string): string | undefined {
  if (typeof headers.get === 'function') return (headers as { get(name: string): string | null }).get(name) ?? undefined;
  for (const [key, value] of Object.entries(headers)) {
    if (key.toLowerCase() !== name) continue;
    const first: unknown = Array.isArray(value) ? value[0] : value;
    return typeof first === 'string' ? first : undefined;
  }
  return undefined;
}
