/** By how much hosts' clocks are off, from `senttime` to the log, by both sinks. */
import { databaseTime, skewedSources, type Log } from '@foothold/event-log';
import { readConfig } from '@foothold/platform';
import { afterEach, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { freshDatabase } from '../../../test/support/database.js';
import { requireKafka, testKafka } from '../../../test/support/kafka.js';
import { openTestLog, pseudonymiser, received, registerDeployment, sealer, startRecorder } from '../../../test/support/recording.js';
import { underClock } from '../../../test/support/wrong-clock.js';
import { DirectSink } from './direct-sink.js';
import { KafkaSink } from './kafka-sink.js';
import { sift } from './sift.js';
import { type Sink } from './sink.js';

const logger = pino({ level: 'silent' });
const RECEIVED_AT = Date.UTC(2026, 10, 2, 9, 0, 0) * 1000;
let closing: (() => Promise<unknown>)[];
let log: Log;

afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

async function open(kind: 'direct' | 'kafka'): Promise<Sink> {
  const database = await freshDatabase();
  log = await openTestLog(database.url);
  closing = [() => database.drop(), () => log.database.close()];
  await registerDeployment(log, 'acme', 'desk');
  if (kind === 'direct') {
    const sink = await DirectSink.open(log, () => {}, logger, (error) => {
      throw error;
    });
    closing.push(() => sink.close());
    return sink;
  }
  const prefix = `t${randomUUID().slice(0, 13)}`;
  const kafka = testKafka();
  closing.push(() => kafka.close());
  for (const topic of ['usage', 'dead-letters']) await kafka.createTopic(`${prefix}.${topic}.v1`);
  const recorder = await startRecorder({ log, prefix });
  closing.push(() => recorder.stop());
  const sink = new KafkaSink(readConfig({ KAFKA_BROKERS: requireKafka().join(','), KAFKA_PREFIX: prefix }), sealer, logger, () => databaseTime(log.database));
  closing.push(() => sink.close());
  return sink;
}

/** An event whose id says what it is, sent so many milliseconds before it was received. */
const event = (id: string, sentBefore?: number) => ({
  specversion: '1.0', id, source: 'urn:spec', type: 'foothold.result.shown.v1', subject: 'jane', time: '2026-11-02T08:59:00Z', deployment: 'desk', data: { invocation: id },
  ...(sentBefore === undefined ? {} : { senttime: new Date(RECEIVED_AT / 1000 - sentBefore).toISOString() }),
});

it.each(['direct', 'kafka'] as const)('kept where it is more than two minutes, and never what makes an event another: %s', async (kind) => {
  const sink = await open(kind);
  const send = async (events: object[]) => {
    const { kept, refused } = await sift(events, true, { tenant: 'acme', person: null, deployments: null }, RECEIVED_AT, (tenant, person) => pseudonymiser.pseudonym(tenant, person));
    expect(refused).toEqual([]);
    await sink.take('acme', kept);
  };
  await send([event('slow', 600_000), event('fast', -120_001), event('nearly', 120_000), event('nearly-fast', -120_000), event('mute')]);
  await received(log.database, 5);
  await send([event('slow', 0), event('nearly', 900_000)]); // the same again, by now with another clock
  expect(await received(log.database, 7)).toMatchObject({ balanced: true, stored: 5, duplicate: 2 });
  const rows = await log.database.query(`select data->>'invocation' as id, skew_ms::int as skew, time = '2026-11-02T08:59:00Z' as "asTold" from event where shard < 16 order by 1`);
  expect(rows).toEqual([['fast', -120_001], ['mute', null], ['nearly', null], ['nearly-fast', null], ['slow', 600_000]].map(([id, skew]) => ({ id, skew, asTold: true })));
  expect(await skewedSources(log.database, (Date.now() - 3_600_000) * 1000)).toEqual([{ tenant: 'acme', source: 'urn:spec', events: 5, skewed: 2, medianMs: -120_001 }]);
  expect(await skewedSources(log.database, (Date.now() + 3_600_000) * 1000)).toEqual([]);
});

it.each([30, -30])('the collector’s own may be %s hours ahead: Kafka takes what it sends, stamped by the database’s', async (hours) => {
  const sink = await open('kafka');
  const { kept } = await sift([event('one')], true, { tenant: 'acme', person: null, deployments: null }, RECEIVED_AT, (tenant, person) => pseudonymiser.pseudonym(tenant, person));
  await underClock(hours, () => sink.take('acme', kept));
  expect(await received(log.database, 1)).toMatchObject({ balanced: true, stored: 1 });
});
