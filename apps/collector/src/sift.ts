/**
 * What of a request is kept, and what is refused.
 * What arrives: events as they were sent, and who sent them. What leaves: for the sink, every event that passed with
 * pseudonyms for people and every refusal; for the sender, the refusals that are final. Next is the sink.
 */
import { checkEvent, EVENT_BYTES, EVENT_ID, EVENTS, identityOf, parseTime, passedOn, readType, refusalOf, tooDeep, tooLong, type BoundaryOptions, type EventName, type Refusal, type Verdict } from '@foothold/contract';
import { setImmediate as otherRequests } from 'node:timers/promises';
import { type Sender } from './sender.js';
import { type Kept } from './sink.js';

/** A refusal as its sender is told of it. */
export interface ToldRefusal extends Pick<Refusal, 'kind' | 'field' | 'reason' | 'fix'> {
  /** The event's place in the batch. */
  index: number;
}

export interface Sifted {
  kept: Kept[];
  refused: ToldRefusal[];
}

/** How long one request may hold the process: words for a thousand faults take many times as long. */
const SLICE_MS = 10;
/** Less is what a request may take on its way. */
const SKEW_MS = 120_000;

/** What a browser may report of its person; of other things only how its SDK fares. */
const isTheirs = (name: EventName): boolean => EVENTS[name].subjectRule === 'required' && name !== 'truth.established';

/**
 * @param short no event can be too long
 * @param receivedAt integer microseconds since 1970
 */
export async function sift(values: unknown[], short: boolean, sender: Sender, receivedAt: number, pseudonymise: BoundaryOptions['pseudonymise']): Promise<Sifted> {
  const sifted: Sifted = { kept: [], refused: [] };
  let since = performance.now();
  for (const [index, value] of values.entries()) {
    if (performance.now() - since > SLICE_MS) {
      await otherRequests();
      since = performance.now();
    }
    const verdict = judge(value, short, sender, receivedAt, pseudonymise);
    if ('kept' in verdict) {
      sifted.kept.push(verdict.kept);
      continue;
    }
    const { refusal } = verdict;
    sifted.kept.push({ refusal });
    const { kind, field, reason, fix } = refusal;
    if (kind === 'rejected') sifted.refused.push({ index, kind, field, reason, fix });
  }
  return sifted;
}

function judge(value: unknown, short: boolean, sender: Sender, receivedAt: number, pseudonymise: BoundaryOptions['pseudonymise']): { kept: Kept } | { refusal: Refusal } {
  const { tenant, person, deployments } = sender;
  if (!short && !tooDeep(value)) {
    const size = Buffer.byteLength(JSON.stringify(value));
    if (size > EVENT_BYTES) return refusedBy(tooLong(size, tenant));
  }
  const refuse = (field: string, reason: string, fix: string) => ({ refusal: refusalOf(value, tenant, 'rejected', { field, reason, fix }) });
  let event = value;
  // What may not be said at all comes first, whatever version it is said in.
  if (isFields(value)) {
    const { deployment, subject, data } = value;
    if (deployments && typeof deployment === 'string' && !deployments.includes(deployment)) {
      const { refusal } = refuse('deployment', 'the key is not for this deployment', 'use a deployment that the key is for, or another key');
      return { refusal: { ...refusal, deployment: null } }; // or whoever looks after that deployment would read others' letters
    }
    if (person !== null) {
      if (subject !== undefined) return refuse('subject', 'given with a publishable key; nothing of the event was kept', 'leave it out: the person comes from the token in Foothold-Person');
      if (isFields(data) && data['actor'] !== undefined) return refuse('data.actor', 'given with a publishable key; nothing of the event was kept', 'leave it out, or report the decision from the backend');
      const name = nameOf(value['type']);
      if (name && !isTheirs(name) && name !== 'sdk.reported') return refuse('type', 'not an event that a browser may report', 'send it from the backend, with a write key');
      const { id } = value;
      event = {
        ...value,
        // Under the source of a backend a page must not take that one's names: those it gives are its person's own.
        ...(typeof id === 'string' && EVENT_ID.test(id) ? { id: identityOf(pseudonymise(tenant, person), id) } : {}),
        ...(name && isTheirs(name) ? { subject: person } : {}),
      };
    }
  }
  const verdict = checkEvent(event, tenant, receivedAt, { subjects: 'raw', pseudonymise });
  if (verdict.outcome === 'refused') return refusedBy(verdict);
  const { traceparent, senttime } = event as { traceparent?: string; senttime?: string };
  return { kept: { event: verdict.event, passedOn: () => passedOn(event, verdict.event), traceparent, skewMs: skewOf(senttime, receivedAt) } };
}

/** By how many milliseconds the clock that gave `senttime` is behind ours; undefined where it tells nothing, or is near enough. */
function skewOf(senttime: string | undefined, receivedAt: number): number | undefined {
  if (senttime === undefined) return undefined;
  const skew = Math.round((receivedAt - parseTime(senttime)!) / 1000);
  return Math.abs(skew) > SKEW_MS ? skew : undefined;
}

const refusedBy = (verdict: Verdict) => ({ refusal: (verdict as Extract<Verdict, { outcome: 'refused' }>).refusal });
const isFields = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The event that a type names, in whatever version; what names none the boundary refuses in better words. */
function nameOf(type: unknown): EventName | undefined {
  const reading = typeof type === 'string' ? readType(type) : undefined;
  return reading && reading.kind !== 'unknown' ? reading.name : undefined;
}
