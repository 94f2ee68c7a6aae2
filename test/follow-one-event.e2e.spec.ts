/**
 * The README's "Follow one event", walked: a clerk accepts a suggestion at 23:30 in Oslo, and each of the eight stops is
 * looked at from outside, in separate processes on a real Kafka and a real Postgres. One trace leads across them.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DEFAULT_REGISTRATION } from '@foothold/adoption';
import { checkMessage, type UsageEvent } from '@foothold/contract';
import { change, openTenant, shardOf, verify, type Log } from '@foothold/event-log';
import { Keys } from '@foothold/platform';
import { Foothold } from '@foothold/sdk';
import { freshDatabase, type FreshDatabase } from './support/database.js';
import { requireKafka, testKafka } from './support/kafka.js';
import { KEY, openTestLog, pseudonymiser, until } from './support/recording.js';
import { startServing, type Serving } from './support/serving.js';

const TENANT = 'acme';
const CLERK = 'clerk-17';
const ROLES = ['collector', 'recorder', 'projector', 'api'] as const;
type Role = (typeof ROLES)[number];
/** 23:30 on Wednesday in Oslo, where it is still winter time: 22:30 UTC. Shown the same evening, started ten minutes before. */
const DECIDED = '2026-01-14T22:30:00.000Z';
const SHOWN = '2026-01-14T22:28:00.000Z';
const STARTED = '2026-01-14T22:20:00.000Z';

interface ExportedSpan {
  process: string;
  name: string;
  traceId: string;
}

const kafka = testKafka();
const spans: ExportedSpan[] = [];
const prefix = `t${randomUUID().slice(0, 13)}`;
const usage = `${prefix}.usage.v1`;
let tracing: Server;
let database: FreshDatabase;
let folder: string;
let log: Log;
const serving: Serving[] = [];
let urls: Record<Role, string>;
let writeKey: string;
let readKey: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foothold-follow-'));
  database = await freshDatabase();
  tracing = await startTraceCollector();
  log = await openTestLog(database.url);
  await openTenant(log, TENANT, (of) => pseudonymiser.check(of));
  const registration = { ...DEFAULT_REGISTRATION, timeZone: 'Europe/Oslo', sandbox: true };
  await change(log, TENANT, 'triage', 0, [{ type: 'deployment.registered', time: Date.now() * 1000, data: registration }], registration);
  for (const topic of [usage, `${prefix}.dead-letters.v1`]) await kafka.createTopic(topic, 2);

  const settings = {
    DATABASE_URL: database.url, KAFKA_BROKERS: requireKafka().join(','), KAFKA_PREFIX: prefix, FOOTHOLD_PSEUDONYM_KEY: KEY, FOOTHOLD_HOME: folder, FOOTHOLD_PORT: '0',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(tracing.address() as AddressInfo).port}`, OTEL_BSP_SCHEDULE_DELAY: '200',
  };
  urls = Object.fromEntries(await Promise.all(ROLES.map(async (role) => {
    const process = await startServing(role, settings);
    serving.push(process);
    return [role, process.url];
  }))) as Record<Role, string>;

  const keys = new Keys(log.database);
  const key = (kind: 'write' | 'read') => keys.create({ tenant: TENANT, kind, deployments: ['triage'], origins: null, note: null, expiresAt: null });
  writeKey = (await key('write')).key;
  readKey = (await key('read')).key;
});

afterAll(async () => {
  const stopped = await Promise.allSettled(serving.map((process) => process.stop()));
  await kafka.close();
  await log.database.close();
  await database.drop();
  await new Promise((done) => tracing.close(done));
  await rm(folder, { recursive: true });
  expect(stopped.filter(({ status }) => status === 'rejected')).toEqual([]);
});

it('follows one event over its eight stops, in one trace', async () => {
  // 1. Host: three calls of the SDK; the last one is the event that is followed.
  const trace = randomUUID().replaceAll('-', '');
  const foothold = new Foothold({ url: urls.collector, key: writeKey, deployment: 'triage', person: CLERK, source: 'urn:acme:casework', traceparent: () => `00-${trace}-00f067aa0ba902b7-01` });
  const invocation = foothold.invocation({ id: 'case-4711', taskKind: 'triage', surface: 'in-workflow', initiative: 'person', time: STARTED });
  invocation.shown({ options: 2, time: SHOWN });
  invocation.accepted({ option: 0, changed: 0, time: DECIDED });
  await foothold.shutdown();
  expect(foothold.stats()).toMatchObject({ queued: 0, dropped: {} });

  // 2. Kafka: whole, as JSON, in the collector's topic, with the clerk's name nowhere in it.
  const message = (await messagesOf(usage)).find(({ value }) => value.includes('foothold.result.accepted.v1'))!;
  const pseudonym = pseudonymiser.pseudonym(TENANT, CLERK);
  expect(message).toMatchObject({ key: `triage/${pseudonym}`, tenant: TENANT, type: 'application/cloudevents+json' });
  expect(message.value).not.toContain(CLERK);
  expect(JSON.parse(message.value)).toMatchObject({ subject: pseudonym, time: expect.stringMatching(/^2026-01-14T22:30:00/), deployment: 'triage', data: { invocation: 'case-4711' } });

  // 3. Recorder, 5. append: one row of the log, in the clerk's shard, by number only.
  await until('the log holds the decision', async () => (await logged()).length === 1);
  const [row] = await logged();
  expect(row).toMatchObject({ shard: shardOf(TENANT, 'triage', pseudonym), deployment: 'triage', source: 'urn:acme:casework', pseudonym });

  // 4. Boundary: what it makes of the message is what the log holds.
  const verdict = checkMessage(Buffer.from(message.value), TENANT, Date.now() * 1000, { subjects: 'pseudonyms', pseudonymise: (_, person) => person });
  const event = (verdict as { event: UsageEvent }).event;
  expect(row).toMatchObject({ id: event.id, data: JSON.parse(event.data) as object });
  expect(await verify(log.database)).toMatchObject({ balanced: true, rejected: 0, quarantined: 0 });

  // 6. Projection: the invocation took the decision; the clerk's Oslo day gained it.
  await until('the decision is projected', async () => (await invocations())[0]?.status === 'accepted');
  expect(await invocations()).toEqual([{ invocation: 'case-4711', day: '2026-01-14', status: 'accepted' }]);

  // 7. Metric and 8. answer: by the day it was in Oslo, with what every number carries.
  const answer = await (async () => {
    const response = await fetch(`${urls.api}/v1/deployments/triage/metrics/trust.acceptance?grain=day`, { headers: { authorization: `Bearer ${readKey}` } });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, expect.stringContaining('application/json')]);
    return (await response.json()) as { metric: string; completeThrough: string | null; revisedAt: string; rows: object[] };
  })();
  expect(answer).toMatchObject({ metric: 'trust.acceptance', revisedAt: expect.any(String) });
  expect(answer.rows).toContainEqual(expect.objectContaining({ from: '2026-01-14', to: '2026-01-14', variant: 'shown', value: 1, numerator: 1, denominator: 1, people: 1 }));

  // One trace leads across the processes that the event went through.
  const went = ['foothold-collector', 'foothold-recorder', 'foothold-projector'];
  await until('the spans have come', () => went.every((name) => spans.some(({ process, traceId }) => process === name && traceId === trace)));
});

it('the README names these stops in this order, and the file of each', async () => {
  const readme = await readFile(join(import.meta.dirname, '../README.md'), 'utf8');
  const walk = /## Follow one event\n([\s\S]*?)\n## /.exec(readme)![1]!;
  expect([...walk.matchAll(/^\d\. \*\*(\w+)/gm)].map(([, stop]) => stop)).toEqual(['SDK', 'Collector', 'Kafka', 'Recorder', 'Log', 'Projection', 'Metric', 'API']);
});

const logged = () =>
  log.database.query<{ shard: number; id: string; deployment: string; source: string; pseudonym: string; data: object }>(
    `select e.shard, e.id, d.id as deployment, s.name as source, encode(p.pseudonym, 'hex') as pseudonym, e.data
       from event e join deployment d using (deployment) join source s on s.source = e.source join person p using (person) where e.type = 'result.accepted'`,
  );
const invocations = () => log.database.query<{ invocation: string; day: string; status: string }>(`select invocation, day::text, status from invocation`);

/** Takes what OpenTelemetry's exporters send, as JSON over HTTP. */
async function startTraceCollector(): Promise<Server> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const { resourceSpans } = JSON.parse(body) as { resourceSpans: { resource: { attributes: { key: string; value: { stringValue: string } }[] }; scopeSpans: { spans: { name: string; traceId: string }[] }[] }[] };
      for (const { resource, scopeSpans } of resourceSpans) {
        const process = resource.attributes.find(({ key }) => key === 'service.name')!.value.stringValue;
        for (const { name, traceId } of scopeSpans.flatMap(({ spans: found }) => found)) spans.push({ process, name, traceId });
      }
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return server;
}

/** Everything in a topic, read by a consumer of its own. */
async function messagesOf(topic: string): Promise<{ key: string; value: string; tenant: string; type: string }[]> {
  const wanted = (await kafka.nextOffsets(topic)).reduce((sum, next) => sum + next, 0n);
  const found: { key: string; value: string; tenant: string; type: string }[] = [];
  const consumer = kafka.client.consumer({ groupId: `follow-${randomUUID()}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message: { key, value, headers } }) => {
      found.push({ key: String(key), value: String(value), tenant: String(headers?.['tenant']), type: String(headers?.['content-type']) });
    },
  });
  await until('every message has been read', () => BigInt(found.length) >= wanted);
  await consumer.disconnect();
  return found;
}
