/** From a Kafka message to what the log appends: the boundary for records that no collector has checked, and for those that one has. */
import { checkMessage, type Refusal } from '@foothold/contract';
import { type Arrival } from '@foothold/event-log';
import { TENANT, undecodable, type Pseudonymiser } from '@foothold/platform';
import { type KafkaMessage } from 'kafkajs';

/**
 * @param topicTenant the tenant a topic's name gives; null on the collector's topic, where the header `tenant` says it
 * and people are pseudonyms already.
 * @param receivedAt microseconds since 1970
 */
export function arrivalOf(message: KafkaMessage, topicTenant: string | null, receivedAt: number, pseudonymiser: Pseudonymiser): Arrival {
  const lost = message.value && undecodable(message.value);
  if (lost) return refused('batch', lost, 'send the events of that batch again, no more than 1 MB together, uncompressed or with gzip, snappy, lz4 or zstd', topicTenant);
  const tenant = topicTenant ?? headerText(message, 'tenant');
  if (tenant === undefined || !TENANT.test(tenant)) {
    const shape = tenant === undefined ? 'there is none' : `a text of ${tenant.length} characters that is no tenant's name`;
    return refused('headers.tenant', `${shape}, so nobody knows whose event it is`, 'only the collector writes this topic; a host with its own Kafka client writes <prefix>.usage.<tenant>.v1');
  }
  if (message.value === null) return refused('value', 'the message has no value', 'send the whole event as JSON in the value; do not use a compacted topic', tenant);
  const verdict = checkMessage(message.value, tenant, receivedAt, {
    pseudonymise: (of, person) => pseudonymiser.pseudonym(of, person),
    subjects: topicTenant === null ? 'pseudonyms' : 'raw',
  });
  return verdict.outcome === 'accepted' ? { tenant, event: verdict.event } : { refusal: verdict.refusal };
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
