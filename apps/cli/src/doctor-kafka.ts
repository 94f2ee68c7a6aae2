/** What doctor says of Kafka: the brokers, the topics, and where the log's fences stand in them. */
import { WrongInput } from '@foothold/contract';
import { kafkaOrigins, type KafkaOrigin } from '@foothold/event-log';
import { deadLettersTopic, isMisnamedUsage, isSource, openKafka, openLogger, originName, retireStatement, usageTopic, usageTopicOf, type Config, type Database } from '@foothold/platform';
import kafkajs, { type Admin } from 'kafkajs';
import { failed, fine, judged, type Check } from './check.js';

export const BEHIND = 100_000;
/** How long anything may wait to be recorded or folded before somebody must be missing. */
export const WAIT_SECONDS = 60;

/** How the log's fences stand to what the broker holds, in words. */
export type Comparison = (standing: Standing) => Check[] | Promise<Check[]>;

/** @param database null where its schema is not up to date: then the brokers alone are looked at */
export async function examineKafka(config: Config, database: Database | null, compare: Comparison): Promise<Check[]> {
  if (config.KAFKA_BROKERS.length === 0) return [fine('kafka', 'not configured: events come in over HTTP and by import')];
  let admin: Admin | undefined;
  try {
    admin = openKafka(config, 'foothold-doctor', openLogger('doctor', 'fatal'), 1).admin();
    await admin.connect();
    return await topics(admin, config, database, compare);
  } catch (error) {
    if (error instanceof WrongInput) return [failed('kafka', error)];
    const how = `KAFKA_TLS is ${config.KAFKA_TLS} and KAFKA_SASL_MECHANISM is ${config.KAFKA_SASL_MECHANISM ?? 'not set'}`;
    return [{ ...failed('kafka', error), fix: `check KAFKA_BROKERS, that the brokers run, and that they are to be reached like this (${how}); npm run kafka starts one here` }];
  } finally {
    await admin?.disconnect();
  }
}

async function topics(admin: Admin, config: Config, database: Database | null, compare: Comparison): Promise<Check[]> {
  const { brokers, clusterId } = await admin.describeCluster();
  const all = await admin.listTopics();
  const usage = all.filter((topic) => usageTopicOf(config.KAFKA_PREFIX, topic));
  const misnamed = all.filter((topic) => isMisnamedUsage(config.KAFKA_PREFIX, topic));
  const how = [config.KAFKA_TLS ? ', over TLS' : '', config.KAFKA_SASL_MECHANISM ? `, with ${config.KAFKA_SASL_MECHANISM}` : ''].join('');
  const checks = [fine('kafka', `${brokers.length} broker${brokers.length === 1 ? '' : 's'}${how}`)];
  const own = usageTopic(config.KAFKA_PREFIX);
  // The collector needs both; where only hosts write, with their own clients, neither is missed.
  const missing = usage.length > 0 && !usage.includes(own) ? [] : [own, deadLettersTopic(config.KAFKA_PREFIX)].filter((topic) => !all.includes(topic));
  checks.push(judged('topics', missing.length === 0, missing.length === 0 ? usage.join(', ') : `there is no ${missing.join(', and no ')}: the collector answers 503`, `create ${missing.join(' and ')}`));
  if (misnamed.length > 0) checks.push(judged('misnamed topics', false, `nobody reads ${misnamed.join(', ')}: the name gives no tenant`, `write to ${config.KAFKA_PREFIX}.usage.<tenant>.v1; a tenant's name has 1-63 of a-z, 0-9, _ and -`));
  const stand = async () => (database ? compare(await standing(admin, clusterId, all.filter((topic) => isSource(config.KAFKA_PREFIX, topic)), database)) : []);
  if (usage.length === 0) return [...checks, ...(await stand())];
  const wanted = Math.min(3, brokers.length);
  const metadata = await admin.fetchTopicMetadata({ topics: usage });
  const thin = metadata.topics.filter(({ partitions }) => partitions.some(({ replicas }) => replicas.length < wanted)).map(({ name }) => name);
  checks.push(judged('replication', thin.length === 0, thin.length === 0 ? `every partition has at least ${wanted} replica${wanted === 1 ? '' : 's'}` : `fewer than ${wanted} replicas: ${thin.join(', ')}`, `raise the replication factor to ${wanted}: a broker's disk is where acknowledged events live until they are recorded`));
  const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: usage.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name, configNames: ['cleanup.policy'] })) });
  const compacted = resources.filter(({ configEntries }) => configEntries.some(({ configValue }) => configValue.includes('compact'))).map(({ resourceName }) => resourceName);
  checks.push(judged('retention', compacted.length === 0, compacted.length === 0 ? 'no usage topic is compacted' : `compacted: ${compacted.join(', ')}`, 'set cleanup.policy=delete: compaction removes events before they are recorded'));
  return [...checks, ...(await stand())];
}

/** A partition that a recorder reads, as the broker holds it and as the log knows it. */
export interface StandingPartition {
  /** Of its origins in the log. */
  name: string;
  topic: string;
  part: number;
  low: number;
  high: number;
  /** Undefined: nobody has read it, as far as the log knows. */
  origin: KafkaOrigin | undefined;
}

export interface Standing {
  admin: Admin;
  partitions: StandingPartition[];
  /** Origins whose topic, or whole cluster, the broker does not have. */
  gone: KafkaOrigin[];
}

/** Where the log's fences stand, beside what the broker holds: Kafka's own commits count for nothing. */
async function standing(admin: Admin, cluster: string, read: string[], database: Database): Promise<Standing> {
  const origins = await kafkaOrigins(database);
  const partitions: StandingPartition[] = [];
  for (const topic of read.sort()) {
    const name = originName(cluster, topic);
    for (const { partition: part, low, high } of (await admin.fetchTopicOffsets(topic)).sort((one, other) => one.partition - other.partition)) {
      partitions.push({ name, topic, part, low: Number(low), high: Number(high), origin: origins.find((found) => found.name === name && found.part === part) });
    }
  }
  return { admin, partitions, gone: origins.filter(({ name }) => !partitions.some((found) => found.name === name)) };
}

export function fences({ partitions, gone }: Standing): Check[] {
  const changed: string[] = [];
  let waiting = 0;
  let unseen = 0;
  for (const { topic, part, low, high, origin } of partitions) {
    const next = origin?.nextOffset ?? low;
    if (next > high) changed.push(`${topic}[${part}] ends at ${high} and was read up to ${next}: it was made anew or cut`);
    if (next < low) changed.push(`${topic}[${part}] begins at ${low} and was read up to ${next}: retention has removed what lies between`);
    const left = Math.max(0, high - next);
    waiting += left;
    if (left > 0) unseen = Math.max(unseen, origin?.unseen ?? Infinity);
  }
  const missed = [...new Set(gone.map(({ name }) => name))];
  const since = unseen === Infinity ? ', and no recorder has ever seen the end' : unseen > 0 ? `, and no recorder has seen the end for ${Math.round(unseen)} s` : '';
  return [
    judged('fences', changed.length === 0, changed.length === 0 ? 'what was read is what the broker holds' : changed.join('; '), 'start a recorder: it stops at once and its last line says what to do'),
    judged('sources', missed.length === 0, missed.length === 0 ? 'every topic that was read is there' : `gone, and holding back through when answers are complete: ${missed.join(', ')}`, `create the topic again, or give it up: ${missed.map(retireStatement).join('; ')}`),
    judged('recorder lag', waiting < BEHIND && unseen < WAIT_SECONDS, `${waiting} records wait in Kafka${since}`, 'start a recorder (foothold serve --roles recorder), or one more'),
  ];
}
