/** Batches in every compression, by Java's producer and by ours, through a real Kafka and a real recorder; and batches nobody can decompress. */
import { afterAll, afterEach, beforeEach, expect, it } from '@jest/globals';
import { type Log } from '@foothold/event-log';
import { CompressionTypes } from 'kafkajs';
import { randomUUID } from 'node:crypto';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { produceWithJava, testKafka } from '../../../test/support/kafka.js';
import { openTestLog, received, registerDeployment, shownEvents, startRecorder, type RunningRecorder } from '../../../test/support/recording.js';

const TENANT = 'acme';
/** Enough for several blocks of any format: 32 KB snappy's, 64 KB lz4's, 128 KB zstd's. */
const EVENTS = 1_000;
const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'];
const TYPES: Record<string, CompressionTypes> = { gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy, lz4: CompressionTypes.LZ4, zstd: CompressionTypes.ZSTD };

const kafka = testKafka();
let database: FreshDatabase;
let log: Log;
let prefix: string;
let topic: string;
let recorder: RunningRecorder;

beforeEach(async () => {
  database = await freshDatabase();
  log = await openTestLog(database.url);
  await registerDeployment(log, TENANT, 'desk');
  prefix = `t${randomUUID().slice(0, 13)}`;
  topic = `${prefix}.usage.${TENANT}.v1`;
  await kafka.createTopic(topic);
  recorder = await startRecorder({ log, prefix });
});

afterEach(async () => {
  await recorder.stop();
  await log.database.close();
  await database.drop();
});

afterAll(() => kafka.close());

it.each(CODECS)('%s', async (name) => {
  await produceWithJava(kafka.brokers, topic, shownEvents(0, EVENTS), { 'compression.type': name });
  // As librdkafka does: snappy in one block, without Java's frame around it.
  await kafka.produce(topic, shownEvents(EVENTS, EVENTS).map((value) => ({ value })), TYPES[name]);
  await kafka.produce(topic, shownEvents(2 * EVENTS, 1).map((value) => ({ value })), TYPES[name]);
  expect(await received(log.database, 2 * EVENTS + 1)).toMatchObject({ balanced: true, received: 2 * EVENTS + 1, stored: 2 * EVENTS + 1, rejected: 0 });
  expect(recorder.fatal).toEqual([]);
});

it.each(['gzip', 'lz4', 'zstd'])('a batch that %s would grow beyond measure is refused record by record, and the rest is read', async (name) => {
  const shown = (first: number, count: number) => shownEvents(first, count).map((value) => ({ value }));
  const growing = [...shown(0, 2), { value: Buffer.alloc(40_000_000) }];
  await kafka.produce(topic, shown(2, 1));
  await kafka.produce(topic, growing, TYPES[name]);
  await received(log.database, 4);
  // What was taken last is recognised by whoever takes over, though it was never read.
  await recorder.stop();
  recorder = await startRecorder({ log, prefix });
  await kafka.produce(topic, shown(0, 2), TYPES[name]);
  expect(await received(log.database, 6)).toMatchObject({ balanced: true, received: 6, stored: 3, rejected: 3, duplicate: 0 });
  const letters = await log.database.query('select kind, tenant, field, reason, fix, payload from dead_letter');
  const letter = { kind: 'rejected', tenant: TENANT, field: 'batch', reason: expect.stringContaining('128 times its size'), fix: expect.stringContaining('send the events of that batch again'), payload: null };
  expect(letters).toEqual([letter, letter, letter]);
  expect(recorder.fatal).toEqual([]);
});
