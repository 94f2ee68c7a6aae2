/** Kafka: the client, and the names of our topics. */
import { Kafka, logLevel } from 'kafkajs';
import { type Logger } from 'pino';
import { WrongInput } from '@foothold/contract';
import { readEveryCompression } from './compression.js';
import { type Config } from './config.js';

/**
 * A client for the configured brokers, whose own log lines go to ours.
 * @throws WrongInput where no broker is configured.
 */
export function openKafka(config: Config, clientId: string, logger: Logger): Kafka {
  if (config.KAFKA_BROKERS.length === 0) {
    throw new WrongInput('KAFKA_BROKERS', 'no broker is named', 'set it to host:port of your brokers, or start one here with: npm run kafka');
  }
  readEveryCompression();
  return new Kafka({
    clientId,
    brokers: config.KAFKA_BROKERS,
    retry: { initialRetryTime: 200, maxRetryTime: 10_000, retries: 8 },
    logLevel: logLevel.WARN,
    logCreator: () => ({ level, log }) => {
      const { message, error } = log as { message: string; error?: string };
      if (level === logLevel.ERROR) logger.warn({ kafka: error ?? message }, 'kafka: %s', message);
      else logger.debug('kafka: %s', message);
    },
  });
}

/** The topic only the collector writes. */
export const usageTopic = (prefix: string): string => `${prefix}.usage.v1`;
/** The topic a host writes with its own Kafka client: its name is the tenant. */
export const tenantTopic = (prefix: string, tenant: string): string => `${prefix}.usage.${tenant}.v1`;

/** What a topic's name says: null where it is none of usage. `tenant` null: the collector's topic, tenants are in the headers. */
export function usageTopicOf(prefix: string, topic: string): { tenant: string | null } | null {
  if (topic === usageTopic(prefix)) return { tenant: null };
  const rest = topic.startsWith(`${prefix}.usage.`) && topic.endsWith('.v1') ? topic.slice(prefix.length + 7, -3) : '';
  return TENANT.test(rest) ? { tenant: rest } : null;
}

/** What a tenant may be called. */
export const TENANT = /^[a-z0-9][a-z0-9_-]{0,62}$/;
