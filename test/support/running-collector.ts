/** A collector that runs on a database of its own, and what a spec sends it and finds in the log. */
import { adoptionMigrations, DEFAULT_REGISTRATION } from '@foothold/adoption';
import { change, eventLogMigrations, openLog, openTenant, verify, type Ledger, type Log } from '@foothold/event-log';
import { Health, Keys, openApplication, openPlatformDatabase, readConfig, type KeyKind, type NewKey } from '@foothold/platform';
import { expect } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { CollectorModule } from '../../apps/collector/src/collector.module.js';
import { freshDatabase } from './database.js';
import { requireKafka, testKafka } from './kafka.js';
import { KEY, pseudonymiser, sealer, startRecorder, until } from './recording.js';

export const ORIGIN = 'https://app.example';
export const ONE = 'application/cloudevents+json';
export const MANY = 'application/cloudevents-batch+json';

/** What a request was answered. */
export type Answer = { status: number; headers: Headers; body: Record<string, unknown> & { refused?: Record<string, unknown>[] } };

export interface RunningCollector {
  log: Log;
  keys: Keys;
  url: string;
  /** A write key. */
  write: string;
  topics: string[];
  /** Ended with it, the last first. */
  closing: (() => Promise<unknown>)[];
  key(kind: KeyKind, more?: Partial<NewKey>): Promise<{ id: number; key: string; personSecret: string | null }>;
  post(body: unknown, how?: { headers?: Record<string, string>; type?: string; as?: string }): Promise<Answer>;
  /** Waits until so many are received, of which every one is accounted for. */
  received(count: number): Promise<Ledger>;
  /** Pseudonyms of those that events are about, in the order of the events' ids. */
  people(): Promise<string[]>;
  stop(): Promise<void>;
}

/** Starts it with deployments `desk` and `till` of tenant acme; with Kafka, a recorder beside it. */
export async function startCollector(sink: 'kafka' | 'direct', brokers?: string[]): Promise<RunningCollector> {
  const database = await freshDatabase();
  const closing: (() => Promise<unknown>)[] = [() => database.drop()];
  const prefix = `t${randomUUID().slice(0, 13)}`;
  const topics = [`${prefix}.usage.v1`, `${prefix}.dead-letters.v1`];
  const config = readConfig({ DATABASE_URL: database.url, FOOTHOLD_PSEUDONYM_KEY: KEY, KAFKA_PREFIX: prefix, ...(sink === 'kafka' ? { KAFKA_BROKERS: (brokers ?? requireKafka()).join(',') } : {}) });
  const opened = await openPlatformDatabase(config, 'spec', [...eventLogMigrations, ...adoptionMigrations]);
  closing.push(() => opened.close());
  await opened.database.migrate();
  const log = openLog(opened.database, (tenant) => pseudonymiser.check(tenant), sealer);
  await openTenant(log, 'acme', (tenant) => pseudonymiser.check(tenant));
  for (const id of ['desk', 'till']) await change(log, 'acme', id, 0, [{ type: 'deployment.registered', time: 0, data: {} }], DEFAULT_REGISTRATION);
  if (sink === 'kafka') {
    const kafka = testKafka(brokers);
    for (const topic of topics) await kafka.createTopic(topic, 2);
    closing.push(() => kafka.close());
    const recorder = await startRecorder({ log, prefix, ...(brokers ? { brokers } : {}) });
    closing.push(() => recorder.stop());
  }
  const app = await openApplication({ config, logger: pino({ level: 'silent' }), database: opened.database, pseudonymiser, sealer, health: new Health() }, [CollectorModule], (error) => {
    throw error;
  });
  await app.listen(0, '127.0.0.1');
  closing.push(() => app.close());
  const url = await app.getUrl();
  const keys = new Keys(opened.database);
  const key: RunningCollector['key'] = (kind, more = {}) => keys.create({ tenant: 'acme', kind, deployments: null, origins: null, note: null, expiresAt: null, ...more });
  const { key: write } = await key('write');
  return {
    log, keys, url, write, topics, closing, key,
    async post(body, { headers = {}, type = Array.isArray(body) ? MANY : ONE, as = write } = {}) {
      const bytes = typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body);
      const response = await fetch(`${url}/v1/events`, { method: 'POST', body: bytes, headers: { 'content-type': type, ...(as === '' ? {} : { authorization: `Bearer ${as}` }), ...headers } });
      return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
    },
    async received(count) {
      let ledger = await verify(log.database);
      await until(`${count} received`, async () => (ledger = await verify(log.database)).received >= count);
      expect(ledger).toMatchObject({ balanced: true, problems: [], received: count });
      return ledger;
    },
    people: async () => (await log.database.query<{ pseudonym: string }>(`select encode(pseudonym, 'hex') as pseudonym from event join person using (person) where shard < 16 order by event.id`)).map(({ pseudonym }) => pseudonym),
    async stop() {
      for (const close of closing.reverse()) await close();
    },
  };
}

let made = 0;
/** Of jane's decision on deployment `desk`, as the backend of a host sends it. */
export const hostEvent = (more: Record<string, unknown> = {}, data: Record<string, unknown> = {}) => ({
  specversion: '1.0', id: `spec:${made++}`, source: 'urn:spec', type: 'foothold.result.accepted.v1', subject: 'jane', time: '2026-11-02T09:00:00Z', deployment: 'desk', ...more, data: { invocation: 'i-1', ...data },
});
