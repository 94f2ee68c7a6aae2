/**
 * What dead letters keep can be read nowhere it rests: not in the topic, not in any table, by whichever way it came in; and
 * of an event that may hold a person's name or words, nothing rests at all.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { verify, type Log } from '@foothold/event-log';
import { Health, Keys, openApplication, openPlatformDatabase, readConfig } from '@foothold/platform';
import pino from 'pino';
import { CollectorModule } from '../apps/collector/src/collector.module.js';
import { RecorderModule } from '../apps/recorder/src/recorder.module.js';
import { freshDatabase } from './support/database.js';
import { footholdHere } from './support/foothold.js';
import { testKafka, type TestKafka } from './support/kafka.js';
import { opened } from './support/letters.js';
import { KEY, MIGRATIONS, openTestLog, pseudonymiser, registerDeployment, sealer, until } from './support/recording.js';

const TENANT = 'acme';
/** In values that are kept; nothing else is called so. */
const NEEDLE = 'wolverine';
const JANE = 'jane.quokka';
const event = (more: Record<string, unknown>, data: Record<string, unknown> = {}) => ({
  specversion: '1.0', id: `spec:${randomUUID()}`, source: 'urn:spec', type: 'foothold.result.shown.v1', subject: JANE, time: '2026-01-05T09:30:00Z', deployment: 'desk', ...more, data: { invocation: NEEDLE, ...data },
});
const id = `spec:${randomUUID()}`;
/** [event, whether something of it is kept] */
const EVENTS: [object, boolean][] = [
  [event({}, { confidence: 7 }), true],
  [event({ type: 'foothold.result.shown.v9' }), true],
  [event({ deployment: 'nowhere' }), true],
  [event({ id }), true],
  [event({ id }, { options: 2 }), true],
  [event({}, { prompt: `Dear ${JANE}` }), false],
  [event({ subject: { name: JANE } }), false],
  [event({ type: 'foothold.feedback.given.v9' }, { comment: JANE }), false],
];
const KEPT = EVENTS.filter(([, kept]) => kept).length - 1; // the first of the two with one id is stored

let closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

/** A collector, with a recorder where there is Kafka, takes the events over HTTP; gives the log once all are there. */
async function collected(kafka: TestKafka | null, prefix: string): Promise<Log> {
  const fresh = await freshDatabase();
  const config = readConfig({ DATABASE_URL: fresh.url, FOOTHOLD_PSEUDONYM_KEY: KEY, KAFKA_PREFIX: prefix, ...(kafka ? { KAFKA_BROKERS: kafka.brokers.join(',') } : {}) });
  const { database, close } = await openPlatformDatabase(config, 'spec', MIGRATIONS);
  closing.push(() => fresh.drop(), close);
  await database.migrate();
  const log = await openTestLog(fresh.url);
  closing.push(() => log.database.close());
  await registerDeployment(log, TENANT, 'desk');
  const { key } = await new Keys(database).create({ tenant: TENANT, kind: 'write', deployments: null, origins: null, note: null, expiresAt: null });
  const app = await openApplication({ config, logger: pino({ level: 'silent' }), database, pseudonymiser, sealer, health: new Health() }, kafka ? [CollectorModule, RecorderModule] : [CollectorModule], (error) => {
    throw error;
  });
  closing.push(() => app.close());
  await app.listen(0, '127.0.0.1');
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents-batch+json' };
  const response = await fetch(`${await app.getUrl()}/v1/events`, { method: 'POST', headers, body: JSON.stringify(EVENTS.map(([value]) => value)) });
  expect(response.status).toBe(202);
  await until('all are there', async () => (await verify(log.database)).received === EVENTS.length);
  return log;
}

/** Every text and every byte string of the table and of the ledger beside it. */
async function bytesOf(log: Log): Promise<string> {
  const rows = await log.database.query<Record<string, unknown>>('select * from dead_letter join origin using (origin)');
  expect(rows.length).toBeGreaterThan(0);
  return rows.flatMap((row) => Object.values(row)).map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : JSON.stringify(value))).join('\n');
}

async function expectSealed(log: Log): Promise<void> {
  const rows = opened(await log.database.query('select * from dead_letter'), sealer);
  const kept = rows.map(({ payload }) => payload).filter((payload) => payload !== null);
  expect(kept).toHaveLength(KEPT);
  for (const payload of kept) expect(payload).toContain(NEEDLE);
  expect(JSON.stringify(rows)).not.toContain(JANE);
  const bytes = await bytesOf(log);
  for (const plain of [NEEDLE, JANE, Buffer.from(NEEDLE).toString('base64').slice(0, 10), pseudonymiser.pseudonym(TENANT, JANE)]) expect(bytes).not.toContain(plain);
  expect(rows.filter(({ payload }) => payload === null)).toHaveLength(EVENTS.length - KEPT - 1);
}

describe('what dead letters keep', () => {
  it('is sealed in the topic and in the table, by way of Kafka', async () => {
    const kafka = testKafka();
    closing.push(() => kafka.close());
    const prefix = `t${randomUUID().slice(0, 13)}`;
    const topic = `${prefix}.dead-letters.v1`;
    for (const name of [`${prefix}.usage.v1`, topic]) await kafka.createTopic(name);
    await expectSealed(await collected(kafka, prefix));
    const written = await messagesOf(kafka, topic);
    expect(written).toHaveLength(5); // what the collector refuses; the log itself refuses the other two
    for (const text of written) for (const plain of [NEEDLE, JANE, pseudonymiser.pseudonym(TENANT, JANE)]) expect(text).not.toContain(plain);
    expect(written.filter((text) => (JSON.parse(text) as { payload: unknown }).payload !== null)).toHaveLength(2);
  });

  it('is sealed in the table, by the direct way in', async () => {
    await expectSealed(await collected(null, 'none'));
  });

  it('is sealed in the table, from a file', async () => {
    const fresh = await freshDatabase();
    const folder = mkdtempSync(join(tmpdir(), 'foothold-sealed-'));
    closing.push(() => fresh.drop(), async () => rmSync(folder, { recursive: true }));
    const log = await openTestLog(fresh.url);
    closing.push(() => log.database.close());
    await registerDeployment(log, TENANT, 'desk');
    writeFileSync(join(folder, 'events.ndjson'), EVENTS.map(([value]) => JSON.stringify(value)).join('\n'));
    expect(await footholdHere(['import', join(folder, 'events.ndjson'), '--tenant', TENANT], { DATABASE_URL: fresh.url, FOOTHOLD_HOME: folder, FOOTHOLD_PSEUDONYM_KEY: KEY })).toMatchObject({ code: 0 });
    await expectSealed(log);
  });
});

/** The values of a topic's only partition, as text. */
async function messagesOf(kafka: TestKafka, topic: string): Promise<string[]> {
  const [end] = await kafka.nextOffsets(topic);
  const consumer = kafka.client.consumer({ groupId: `spec-${randomUUID()}` });
  const values: string[] = [];
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({ eachMessage: async ({ message }) => void values.push(message.value!.toString('latin1')) });
    await until(`${end} messages`, () => values.length === Number(end));
  } finally {
    await consumer.disconnect();
  }
  return values;
}
