/**
 * What of a request is kept, and what is refused.
 * What arrives: events as they were sent, and who sent them. What leaves: for the sink, every event that passed with
 * pseudonyms for people and every refusal; for the sender, the refusals that are final. Next is the sink.
 */
import { checkEvent, EVENT_BYTES, EVENTS, passedOn, refusalOf, tooLong, typeOf, type BoundaryOptions, type EventName, type Refusal, type Verdict } from '@foothold/contract';
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

/** What a browser may report: what its person did, and how its SDK fares. */
const FROM_BROWSERS = new Set(Object.entries(EVENTS).filter(([name, { subjectRule }]) => subjectRule === 'required' && name !== 'truth.established').map(([name]) => typeOf(name as EventName)));
const HEARTBEAT = typeOf('sdk.reported');

/**
 * @param short no event can be too long
 * @param receivedAt integer microseconds since 1970
 */
export function sift(values: unknown[], short: boolean, sender: Sender, receivedAt: number, pseudonymise: BoundaryOptions['pseudonymise']): Sifted {
  const sifted: Sifted = { kept: [], refused: [] };
  values.forEach((value, index) => {
    const verdict = judge(value, short, sender, receivedAt, pseudonymise);
    if ('kept' in verdict) return void sifted.kept.push(verdict.kept);
    const { refusal } = verdict;
    sifted.kept.push({ refusal });
    const { kind, field, reason, fix } = refusal;
    if (kind === 'rejected') sifted.refused.push({ index, kind, field, reason, fix });
  });
  return sifted;
}

function judge(value: unknown, short: boolean, sender: Sender, receivedAt: number, pseudonymise: BoundaryOptions['pseudonymise']): { kept: Kept } | { refusal: Refusal } {
  const { tenant, person, deployments } = sender;
  if (!short) {
    const size = Buffer.byteLength(JSON.stringify(value));
    if (size > EVENT_BYTES) return refusedBy(tooLong(size, tenant));
  }
  const refuse = (field: string, reason: string, fix: string) => ({ refusal: refusalOf(value, tenant, 'rejected', { field, reason, fix }) });
  let event = value;
  if (person !== null && isFields(value)) {
    const { type, subject, data } = value;
    if (subject !== undefined) return refuse('subject', 'given with a publishable key; nothing of the event was kept', 'leave it out: the person comes from the token in Foothold-Person');
    if (isFields(data) && data['actor'] !== undefined) return refuse('data.actor', 'given with a publishable key; nothing of the event was kept', 'leave it out, or report the decision from the backend');
    if (FROM_BROWSERS.has(type as string)) event = { ...value, subject: person };
    else if (isOurs(type) && type !== HEARTBEAT) return refuse('type', 'not an event that a browser may report', 'send it from the backend, with a write key');
  }
  const verdict = checkEvent(event, tenant, receivedAt, { subjects: 'raw', pseudonymise });
  if (verdict.outcome === 'refused') return refusedBy(verdict);
  if (deployments && !deployments.includes(verdict.event.deployment)) return refuse('deployment', 'the key is not for this deployment', `use one of ${deployments.join(', ')}, or another key`);
  const { traceparent } = event as { traceparent?: string };
  return { kept: { event: verdict.event, passedOn: () => passedOn(event, verdict.event), traceparent } };
}

const refusedBy = (verdict: Verdict) => ({ refusal: (verdict as Extract<Verdict, { outcome: 'refused' }>).refusal });
const isFields = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
/** What is of no known type at all the boundary refuses in better words. */
const TYPES = new Set(Object.keys(EVENTS).map((name) => typeOf(name as EventName)));
const isOurs = (type: unknown): boolean => typeof type === 'string' && TYPES.has(type);
