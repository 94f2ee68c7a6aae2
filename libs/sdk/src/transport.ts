/** One request to the collector. What arrives: a batch as JSON. What leaves: what became of it, in one of five words. */
import { type Answer, type Machine } from './machine.js';

/** A refused item of a batch, by its place in it. */
export interface RefusedItem {
  index: number;
  field: string;
  reason: string;
  fix: string;
}

export type Outcome =
  /** Durable there, but for what was refused. */
  | { kind: 'accepted'; refused: RefusedItem[] }
  /** Try again soon, or not before `afterMs`. */
  | { kind: 'later'; why: string; afterMs?: number }
  /** Not with this key, or not at this address: somebody must mend that first. */
  | { kind: 'unwelcome'; why: string; status: number }
  /** The batch can never be taken. */
  | { kind: 'rejected'; why: string }
  /** The batch is too long in one piece. */
  | { kind: 'too-large' };

/** A longer Retry-After is a mistake more often than a wish. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;
/** Below this, compressing costs more than it saves. */
const WORTH_COMPRESSING = 1_024;

export interface Delivery {
  url: string;
  headers: Record<string, string>;
  body: string;
  timeoutMs: number;
}

/** Posts a batch. Never rejects; `signal` gives it up early. */
export async function post(machine: Machine, { url, headers, body, timeoutMs }: Delivery, signal: AbortSignal): Promise<Outcome> {
  const controller = new AbortController();
  const stop = machine.after(timeoutMs, () => controller.abort());
  const abort = () => controller.abort();
  signal.addEventListener('abort', abort);
  try {
    const packed = body.length > WORTH_COMPRESSING ? await machine.gzip?.(body).catch(() => undefined) : undefined;
    const answer = await machine.fetch(url, {
      method: 'POST',
      headers: packed ? { ...headers, 'content-encoding': 'gzip' } : headers,
      body: packed ?? body,
      signal: controller.signal,
    });
    return await outcomeOf(answer, machine);
  } catch {
    return { kind: 'later', why: signal.aborted ? 'given up' : controller.signal.aborted ? `no answer within ${timeoutMs} ms` : 'no connection' };
  } finally {
    stop();
    signal.removeEventListener('abort', abort);
  }
}

/** @throws where the answer breaks off: without its body nobody knows what was refused */
export async function outcomeOf(answer: Answer, machine: Machine): Promise<Outcome> {
  const { status } = answer;
  const body = parsed(await answer.text());
  // Others answer well too: a proxy that wants a login, a page that stands under every address.
  if (status === 202 && typeof body['accepted'] === 'number') return { kind: 'accepted', refused: refusedIn(body) };
  const why = `the collector answered ${status}${detailIn(body)}`;
  if (status === 413) return { kind: 'too-large' };
  if (status === 400 || status === 415 || status === 422) return { kind: 'rejected', why };
  if (status === 408 || status === 425 || status === 429 || status >= 500) return { kind: 'later', why, afterMs: retryAfter(answer.headers.get('retry-after'), machine.now()) };
  return { kind: 'unwelcome', why, status };
}

function refusedIn({ refused }: Record<string, unknown>): RefusedItem[] {
  if (!Array.isArray(refused)) return [];
  return refused
    .filter((item): item is Record<string, unknown> => typeof item === 'object' && item !== null && Number.isInteger((item as RefusedItem).index))
    .map((item) => ({ index: Number(item['index']), field: String(item['field']), reason: String(item['reason']), fix: String(item['fix']) }));
}

function detailIn({ detail }: Record<string, unknown>): string {
  return typeof detail === 'string' ? `: ${detail.slice(0, 300)}` : '';
}

function parsed(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Milliseconds to wait by a Retry-After header (seconds, or a date); undefined where it says nothing. */
export function retryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const wait = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), LONGEST_RETRY_AFTER_MS);
}
