/**
 * What an operator sees of events on their way: collector, recorder and projector in the spec's process, on a real Kafka and
 * a real Postgres. One trace from a host's call to the read tables, metrics without anybody's name, and health.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { usageProjection } from '@foothold/adoption';
import { expireLetters, lag, openLog, redriveWaiting, type Log } from '@foothold/event-log';
import { Health, Keys, openApplication, openLogger, openPlatformDatabase, readConfig, startTelemetry } from '@foothold/platform';
import { InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { CollectorModule } from '../apps/collector/src/collector.module.js';
import { ProjectorModule } from '../apps/projector/src/projector.module.js';
import { RecorderModule } from '../apps/recorder/src/recorder.module.js';
import { freshDatabase } from './support/database.js';
import { testKafka } from './support/kafka.js';
import { KEY, MIGRATIONS, pseudonymiser, sealer, registerDeployment, until } from './support/recording.js';

const TENANT = 'zephyr-bank';
const DEPLOYMENT = 'moorhen-desk';
const PERSON = 'jane.quokka';
const kafka = testKafka();
const prefix = `t${randomUUID().slice(0, 13)}`;
const OWN_TOPIC = `${prefix}.usage.${TENANT}.v1`;
const spans = new InMemorySpanExporter();
const lines: { msg: string; trace?: string; stored?: number }[] = [];
let url: string;
let log: Log;
let key: string;
let closing: (() => Promise<void>)[] = [];
let numbered = 0;

beforeAll(async () => {
  const fresh = await freshDatabase();
  for (const topic of [`${prefix}.usage.v1`, `${prefix}.dead-letters.v1`, OWN_TOPIC]) await kafka.createTopic(topic);
  // No trace begins here: whatever span there is belongs to one that came along.
  const config = readConfig({ DATABASE_URL: fresh.url, FOOTHOLD_PSEUDONYM_KEY: KEY, KAFKA_BROKERS: kafka.brokers.join(','), KAFKA_PREFIX: prefix, OTEL_TRACES_SAMPLER_ARG: '0' });
  const stopTelemetry = startTelemetry('spec', config, [new SimpleSpanProcessor(spans)]);
  const { database, close } = await openPlatformDatabase(config, 'spec', MIGRATIONS);
  await database.migrate();
  log = openLog(database, (tenant) => pseudonymiser.check(tenant), sealer);
  await registerDeployment(log, TENANT, DEPLOYMENT);
  key = (await new Keys(database).create({ tenant: TENANT, kind: 'write', deployments: null, origins: null, note: null, expiresAt: null })).key;
  const logger = openLogger('spec', 'debug', { write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[number]) });
  const app = await openApplication({ config, logger, database, pseudonymiser, sealer, health: new Health() }, [CollectorModule, RecorderModule, ProjectorModule], (error) => {
    throw error;
  });
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
  closing = [() => app.close(), close, stopTelemetry, () => fresh.drop(), () => kafka.close()];
});

afterAll(async () => {
  for (const step of closing) await step();
});

afterEach(() => spans.reset());

function shown(more: Record<string, unknown> = {}): Record<string, unknown> & { id: string } {
  const id = `spec:${++numbered}`;
  return { specversion: '1.0', id, source: 'urn:spec', type: 'foothold.result.shown.v1', subject: PERSON, time: '2026-01-05T09:30:00Z', deployment: DEPLOYMENT, data: { invocation: id }, ...more };
}

/** Hands a batch to the collector, and waits until so many more are folded. */
async function send(events: object[], stored = events.length): Promise<void> {
  const before = await folded();
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents-batch+json' };
  const response = await fetch(`${url}/v1/events`, { method: 'POST', headers, body: JSON.stringify(events) });
  expect(response.status).toBe(202);
  await until('they are folded', async () => (await folded()) === before + stored);
}

const folded = async () => (await lag(log.database, usageProjection.name)).folded;
const traceparent = (flags = '01') => `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-${flags}`;
const traceOf = (text: string) => text.split('-')[1]!;
/** The traces a span belongs to or links to. */
const tracesOf = (span: ReadableSpan) => [span.spanContext().traceId, ...span.links.map(({ context }) => context.traceId)];
const named = (name: string) => spans.getFinishedSpans().filter((span) => span.name === name);

describe('one trace', () => {
  it('leads from the collector by way of the recorder to the projection, and stands in the log lines', async () => {
    const sampled = traceparent();
    await send([shown({ traceparent: sampled })]);
    const found = spans.getFinishedSpans().filter((span) => span.spanContext().traceId === traceOf(sampled));
    expect(found.map(({ name, parentSpanContext }) => [name, parentSpanContext?.spanId])).toEqual(['collect', 'record', 'project'].map((name) => [name, sampled.split('-')[2]]));
    expect(spans.getFinishedSpans()).toHaveLength(3);
    expect(lines.filter(({ trace }) => trace === traceOf(sampled))).toEqual([expect.objectContaining({ msg: 'recorded', stored: 1 })]);
  });

  it('is of a request whose events carry none of their own', async () => {
    const sampled = traceparent();
    const response = await fetch(`${url}/v1/events`, {
      method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents+json', traceparent: sampled }, body: JSON.stringify(shown()),
    });
    expect(response.status).toBe(202);
    await until('it is folded', () => named('project').length > 0);
    const [collect, record, project] = spans.getFinishedSpans();
    expect([collect, record, project].map((span) => [span?.name, span?.spanContext().traceId])).toEqual(['collect', 'record', 'project'].map((name) => [name, traceOf(sampled)]));
    expect(record!.parentSpanContext?.spanId).toBe(collect!.spanContext().spanId);
    expect(project!.parentSpanContext?.spanId).toBe(collect!.spanContext().spanId);
  });

  it('there is none of an event that its sender did not sample, nor of what is no traceparent', async () => {
    await send([shown({ traceparent: traceparent('00') }), shown()]);
    expect(spans.getFinishedSpans()).toEqual([]);
  });

  it('links at most 31 others of a batch at each stop, and leaves no mark behind', async () => {
    const sampled = Array.from({ length: 40 }, () => traceparent());
    await send(sampled.map((one) => shown({ traceparent: one })));
    for (const name of ['collect', 'record', 'project']) expect(named(name).map(tracesOf)).toEqual([sampled.slice(0, 32).map(traceOf)]);
    expect(spans.getFinishedSpans()).toHaveLength(3);
    expect(await log.database.query('select from trace_mark')).toEqual([]);
  });
});

/** What /metrics shows, by name and labels. */
async function scrape(): Promise<Map<string, number>> {
  const response = await fetch(`${url}/metrics`);
  expect(response.status).toBe(200);
  const samples = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(samples.map((line) => {
    const [, name, value] = /^(\S+?(?:\{.*\})?) (\S+)$/.exec(line)!;
    return [name!.replace(/,?otel_scope_name="foothold"/, '').replace('{,', '{').replace('{}', ''), Number(value)];
  }));
}

describe('metrics', () => {
  it('tell what became of events, how many together, how long it took and what waits, and name nobody', async () => {
    const before = await scrape();
    const twice = shown();
    await send([shown(), twice, twice, shown({ subject: undefined }), shown({ deployment: `${DEPLOYMENT}-2` })], 2);
    await kafka.produce(OWN_TOPIC, [{ value: JSON.stringify(shown()) }, { value: `${PERSON} was here` }]);
    await until('the tenant’s own is recorded', async () => (await scrape()).get('foothold_append_events_total{outcome="rejected"}') === 2);
    await until('all is folded', async () => (await lag(log.database, usageProjection.name)).behind === 0);
    await until('the gauges have seen it', async () => {
      const now = await scrape();
      return now.get('foothold_dead_letters{kind="rejected"}') === 2 && now.get('foothold_recorder_lag') === 0 && now.get('foothold_projector_lag') === 0;
    });
    const after = await scrape();
    const more = (name: string) => (after.get(name) ?? NaN) - (before.get(name) ?? 0);
    expect(Object.fromEntries(['stored', 'duplicate', 'rejected', 'quarantined'].map((outcome) => [outcome, more(`foothold_append_events_total{outcome="${outcome}"}`)]))).toEqual({ stored: 3, duplicate: 1, rejected: 2, quarantined: 1 });
    expect(Object.fromEntries(['accepted', 'rejected'].map((outcome) => [outcome, more(`foothold_collector_events_total{outcome="${outcome}"}`)]))).toEqual({ accepted: 4, rejected: 1 });
    expect(after.get('foothold_dead_letters{kind="quarantined"}')).toBe(1);
    expect(more('foothold_append_size_sum')).toBe(7);
    expect(more('foothold_project_size_sum')).toBe(3);
    for (const name of ['foothold_append_duration', 'foothold_project_duration', 'foothold_project_delay']) {
      const size = name.replace(/_[a-z]+$/, '_size_count');
      expect([name, more(`${name}_count`)]).toEqual([name, more(size)]); // one record a batch
      expect(more(`${name}_sum`)).toBeGreaterThan(0);
      expect(after.get(`${name}_bucket{le="+Inf"}`)).toBe(after.get(`${name}_count`));
    }

    const labels = [...after.keys()].flatMap((name) => [...name.matchAll(/[a-z_]+="((?:[^"\\]|\\.)*)"/g)].map(([, value]) => value!));
    expect(labels.length).toBeGreaterThan(20);
    const pseudonym = pseudonymiser.pseudonym(TENANT, PERSON);
    for (const name of [TENANT, DEPLOYMENT, PERSON, pseudonym, OWN_TOPIC, prefix, 'spec:']) expect(labels.filter((value) => value.includes(name))).toEqual([]);
  });

  it('tell of letters that went into the log after all, and of those that expired', async () => {
    await registerDeployment(log, TENANT, `${DEPLOYMENT}-2`);
    expect(await redriveWaiting(log, TENANT, `${DEPLOYMENT}-2`)).toMatchObject({ redriven: 1 });
    expect(await expireLetters(log, new Date(Date.now() + 60_000).toISOString())).toEqual({ rejected: 2, quarantined: 0 });
    const shows = { 'foothold_dead_letters{kind="rejected"}': 0, 'foothold_dead_letters{kind="quarantined"}': 0, 'foothold_dead_letters_redriven': 1, 'foothold_dead_letters_expired{kind="rejected"}': 2, 'foothold_dead_letters_expired{kind="quarantined"}': 0 };
    let now = new Map<string, number>();
    await until('the gauges have seen it', async () => {
      now = await scrape();
      return Object.entries(shows).every(([name, value]) => now.get(name) === value);
    }, () => `: ${JSON.stringify([...now].filter(([name]) => name.includes('dead_letters')))}`);
  });
});

describe('health', () => {
  it('says that recorder and projector make progress and Kafka answers', async () => {
    const [live, ready] = await Promise.all(['live', 'ready'].map(async (what) => (await fetch(`${url}/health/${what}`)).json()));
    expect(live).toEqual({ ok: true, checks: [expect.objectContaining({ name: 'recorder', ok: true }), expect.objectContaining({ name: 'projector', ok: true })] });
    expect(ready).toEqual({ ok: true, checks: [{ name: 'kafka', ok: true, detail: 'answers' }, { name: 'pseudonym key', ok: true, detail: 'answers' }, { name: 'topics', ok: true, detail: 'answers' }] });
  });
});
