/** From a Kafka message to what the log appends: the boundary for records that no collector has checked, and for those that one has. */
import { checkMessage, readRefusal, type Refusal } from '@foothold/contract';
import { type Arrival } from '@foothold/event-log';
import { deadLettersTopic, isSampled, TENANT, undecodable, usageTopicOf, type Pseudonymiser } from '@foothold/platform';
import { type KafkaMessage } from 'kafkajs';

/**
 * Whose records a topic holds. `tenant`: the one its name gives, which writes there itself. `collector`: events of any tenant,
 * which the header `tenant` names, with pseudonyms for people. `refusals`: what the collector refused, likewise.
 */
export type Source = { kind: 'tenant'; tenant: string } | { kind: 'collector' } | { kind: 'refusals' };

export function sourceOf(prefix: string, topic: string): Source {
  if (topic === deadLettersTopic(prefix)) return { kind: 'refusals' };
  const { tenant } = usageTopicOf(prefix, topic)!;
  return tenant === null ? { kind: 'collector' } : { kind: 'tenant', tenant };
}

/** The only tenant whose records a topic holds; null where it may be any. */
export const tenantOf = (prefix: string, topic: string): string | null => usageTopicOf(prefix, topic)?.tenant ?? null;

/**
 * @param receivedAt microseconds since 1970
 * @param traceparent of the trace the message belongs to, where its sender sampled it
 */
export function arrivalOf(message: KafkaMessage, source: Source, receivedAt: number, pseudonymiser: Pseudonymiser, traceparent?: string): Arrival {
  const lost = message.value && undecodable(message.value);
  if (lost) return refused('batch', lost, 'send the events of that batch again, no more than 1 MB together, uncompressed or with gzip, snappy, lz4 or zstd', source.kind === 'tenant' ? source.tenant : undefined);
  const tenant = source.kind === 'tenant' ? source.tenant : headerText(message, 'tenant');
  if (tenant === undefined || !TENANT.test(tenant)) {
    const shape = tenant === undefined ? 'there is none' : `a text of ${tenant.length} characters that is no tenant's name`;
    return refused('headers.tenant', `${shape}, so nobody knows whose event it is`, 'only the collector writes this topic; a host with its own Kafka client writes <prefix>.usage.<tenant>.v1');
  }
  if (message.value === null) return refused('value', 'the message has no value', 'send the whole event as JSON in the value; do not use a compacted topic', tenant);
  if (source.kind === 'refusals') return { refusal: readRefusal(message.value, tenant) };
  const verdict = checkMessage(message.value, tenant, receivedAt, {
    pseudonymise: (of, person) => pseudonymiser.pseudonym(of, person),
    subjects: source.kind === 'collector' ? 'pseudonyms' : 'raw',
  });
  if (verdict.outcome === 'refused') return { refusal: verdict.refusal };
  const skewMs = source.kind === 'collector' ? skewOf(message) : undefined;
  return { tenant, event: verdict.event, ...(traceparent === undefined ? {} : { traceparent }), ...(skewMs === undefined ? {} : { skewMs }) };
}

/** The traceparent of a message whose sender sampled its trace; told by the last byte for all the others, which are most. */
export function sampledTrace({ headers }: KafkaMessage): string | undefined {
  const value = headers?.['traceparent'];
  if (!Buffer.isBuffer(value) || value.length !== 55 || value[54] !== 0x31) return undefined;
  const text = value.toString('latin1');
  return isSampled(text) ? text : undefined;
}

/** How far the host's clock was behind when the collector took the event, where that is told. */
function skewOf(message: KafkaMessage): number | undefined {
  if (message.headers?.['skew-ms'] === undefined) return undefined;
  const text = headerText(message, 'skew-ms')!;
  return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** A header's text; kafkajs gives bytes, and a list where one is repeated. */
export function headerText(message: KafkaMessage, name: string): string | undefined {
  const value = message.headers?.[name];
  return (Array.isArray(value) ? value[0] : value)?.toString();
}

function refused(field: string, reason: string, fix: string, tenant: string | null = null): Arrival {
  const refusal: Refusal = { kind: 'rejected', field, reason, fix, tenant, deployment: null, source: null, type: null, id: null, payload: null };
  return { refusal };
}
