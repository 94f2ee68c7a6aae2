/** Kafka: the client, and the names of our topics. */
import { Kafka, logLevel, type Admin, type AdminConfig, type Consumer, type ConsumerConfig, type Producer, type ProducerConfig } from 'kafkajs';
import { type Logger } from 'pino';
import { WrongInput } from '@foothold/contract';
import { readEveryCompression } from './compression.js';
import { type Config } from './config.js';
import { kafkaSecurity, settingRefused } from './kafka-security.js';

/**
 * A client for the configured brokers, whose own log lines go to ours. Its `connect` rejects with WrongInput where the
 * brokers refuse what is configured.
 * @param retries how often a connection is tried again, at growing intervals: 8 take about half a minute
 * @throws WrongInput where no broker is configured, or a certificate or key cannot be read.
 */
export function openKafka(config: Config, clientId: string, logger: Logger, retries = 8): Kafka {
  if (config.KAFKA_BROKERS.length === 0) {
    throw new WrongInput('KAFKA_BROKERS', 'no broker is named', 'set it to host:port of your brokers, or start one here with: npm run kafka');
  }
  readEveryCompression();
  return new NamingKafka({
    clientId,
    brokers: config.KAFKA_BROKERS,
    ...kafkaSecurity(config, logger),
    retry: { initialRetryTime: 200, maxRetryTime: 10_000, retries },
    logLevel: logLevel.WARN,
    logCreator: () => ({ level, log }) => {
      const { message, error } = log as { message: string; error?: string };
      const refused = settingRefused(new Error(message));
      if (level === logLevel.ERROR) logger.warn({ kafka: error ?? message, ...(refused && { field: refused.field, fix: refused.fix }) }, 'kafka: %s', message);
      else logger.debug('kafka: %s', message);
    },
  });
}

/** kafkajs says that a connection failed; this one also which setting is to blame, where that is known. */
class NamingKafka extends Kafka {
  override admin(config?: AdminConfig): Admin {
    return naming(super.admin(config));
  }
  override consumer(config: ConsumerConfig): Consumer {
    return naming(super.consumer(config));
  }
  override producer(config?: ProducerConfig): Producer {
    return naming(super.producer(config));
  }
}

function naming<Client extends { connect(): Promise<void> }>(client: Client): Client {
  const { connect } = client;
  client.connect = async () => {
    try {
      await connect();
    } catch (error) {
      throw settingRefused(error) ?? error;
    }
  };
  return client;
}

/** The topic only the collector writes. */
export const usageTopic = (prefix: string): string => `${prefix}.usage.v1`;
/** The topic a host writes with its own Kafka client: its name is the tenant. */
export const tenantTopic = (prefix: string, tenant: string): string => `${prefix}.usage.${tenant}.v1`;

/** The topic to which the collector writes what it refused. */
export const deadLettersTopic = (prefix: string): string => `${prefix}.dead-letters.v1`;

/** What a topic's name says: null where it is none of usage. `tenant` null: the collector's topic, tenants are in the headers. */
export function usageTopicOf(prefix: string, topic: string): { tenant: string | null } | null {
  if (topic === usageTopic(prefix)) return { tenant: null };
  const rest = topic.startsWith(`${prefix}.usage.`) && topic.endsWith('.v1') ? topic.slice(prefix.length + 7, -3) : '';
  return TENANT.test(rest) ? { tenant: rest } : null;
}

/** What a tenant may be called. */
export const TENANT = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** Whether a topic looks as if a tenant's events came in it, under a name that no tenant can have: nobody reads it. */
export const isMisnamedUsage = (prefix: string, topic: string): boolean => topic.startsWith(`${prefix}.usage.`) && usageTopicOf(prefix, topic) === null;

/** The origin of a topic's partitions in the log; another cluster is another origin. */
export const originName = (cluster: string, topic: string): string => `${cluster}/${topic}`;

/** SQL that gives up an origin whose topic is gone: until then it holds back through when answers are complete. */
export const retireStatement = (name: string): string => `update origin set finished = true where name = '${name}'`;

/** SQL that lets the recorder go on behind offsets that retention has removed: the fence passes them as if they carried no record. */
export const skipStatement = (origin: number, low: number): string =>
  `update origin set void_offsets = void_offsets + ${low} - next_offset, next_offset = ${low} where origin = ${origin} and next_offset < ${low}`;

/** SQL that lets the recorder read a topic that was made anew from its beginning: the next reading is an origin of its own. */
export const startAnewStatement = (name: string): string => `update origin set name = name || ' until ' || now(), finished = true where name = '${name}'`;

/** Whether the recorder reads this topic. */
export const isSource = (prefix: string, topic: string): boolean => usageTopicOf(prefix, topic) !== null || topic === deadLettersTopic(prefix);
