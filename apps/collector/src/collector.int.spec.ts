/** The collector on both of its sinks, Kafka and the log itself: what is taken, what is refused in which words, and what harms nobody else. */
import { createPrivateKey, randomBytes, randomUUID, sign } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { adoptionMigrations, DEFAULT_REGISTRATION } from '@foothold/adoption';
import { BATCH_BYTES, EVENT_BYTES } from '@foothold/contract';
import { change, deadLetters, eventLogMigrations, openLog, openTenant, verify, type Ledger, type Log } from '@foothold/event-log';
import { Health, Keys, openApplication, openPlatformDatabase, Pseudonymiser, readConfig, type KeyKind, type NewKey } from '@foothold/platform';
import { personToken } from '@foothold/sdk';
import pino from 'pino';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { opened } from '../../../test/support/letters.js';
import { ownKafka, requireKafka, testKafka, type TestKafka } from '../../../test/support/kafka.js';
import { KEY, pseudonymiser, sealer, startRecorder, until, type RunningRecorder } from '../../../test/support/recording.js';
import { CollectorModule } from './collector.module.js';

const ORIGIN = 'https://app.example';
const ONE = 'application/cloudevents+json';
const MANY = 'application/cloudevents-batch+json';

type Answer = { status: number; headers: Headers; body: Record<string, unknown> & { refused?: Record<string, unknown>[] } };

let database: FreshDatabase;
let log: Log;
let keys: Keys;
let url: string;
let write: string;
let closing: (() => Promise<unknown>)[];

/** A collector on a database of its own with deployments `desk` and `till` of tenant acme; with Kafka, a recorder beside it. */
async function start(sink: 'kafka' | 'direct', brokers?: string[]): Promise<{ recorder?: RunningRecorder; topics: string[] }> {
  closing = [];
  database = await freshDatabase();
  closing.push(() => database.drop());
  const prefix = `t${randomUUID().slice(0, 13)}`;
  const topics = [`${prefix}.usage.v1`, `${prefix}.dead-letters.v1`];
  const config = readConfig({ DATABASE_URL: database.url, FOOTHOLD_PSEUDONYM_KEY: KEY, KAFKA_PREFIX: prefix, ...(sink === 'kafka' ? { KAFKA_BROKERS: (brokers ?? requireKafka()).join(',') } : {}) });
  const opened = await openPlatformDatabase(config, 'spec', [...eventLogMigrations, ...adoptionMigrations]);
  closing.push(() => opened.close());
  await opened.database.migrate();
  log = openLog(opened.database, (tenant) => pseudonymiser.check(tenant), sealer);
  await openTenant(log, 'acme', (tenant) => pseudonymiser.check(tenant));
  for (const id of ['desk', 'till']) await change(log, 'acme', id, 0, [{ type: 'deployment.registered', time: 0, data: {} }], DEFAULT_REGISTRATION);
  let recorder: RunningRecorder | undefined;
  if (sink === 'kafka') {
    const kafka: TestKafka = testKafka(brokers);
    for (const topic of topics) await kafka.createTopic(topic, 2);
    closing.push(() => kafka.close());
    recorder = await startRecorder({ log, prefix, ...(brokers ? { brokers } : {}) });
    closing.push(() => recorder!.stop());
  }
  const health = new Health();
  const app = await openApplication({ config, logger: pino({ level: 'silent' }), database: opened.database, pseudonymiser, sealer, health }, [CollectorModule], (error) => {
    throw error;
  });
  await app.listen(0, '127.0.0.1');
  closing.push(() => app.close());
  url = await app.getUrl();
  keys = new Keys(opened.database);
  write = (await key('write')).key;
  return { topics, ...(recorder ? { recorder } : {}) };
}

afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

it.each(['kafka', 'direct'] as const)('does not start, before %s, under another pseudonym key than people are known by: it would make others of them', async (sink) => {
  await start(sink);
  const other = new Pseudonymiser(Buffer.from('ab'.repeat(32), 'hex'));
  const config = readConfig({ FOOTHOLD_PSEUDONYM_KEY: 'ab'.repeat(32), ...(sink === 'kafka' ? { KAFKA_BROKERS: requireKafka().join(',') } : {}) });
  const app = await openApplication({ config, logger: pino({ level: 'silent' }), database: log.database, pseudonymiser: other, sealer, health: new Health() }, [CollectorModule], (error) => {
    throw error;
  });
  await expect(app.listen(0, '127.0.0.1')).rejects.toMatchObject({ field: 'FOOTHOLD_PSEUDONYM_KEY' });
});

const key = (kind: KeyKind, more: Partial<NewKey> = {}) => keys.create({ tenant: 'acme', kind, deployments: null, origins: null, note: null, expiresAt: null, ...more });

let made = 0;
const event = (more: Record<string, unknown> = {}, data: Record<string, unknown> = {}) => ({
  specversion: '1.0', id: `spec:${made++}`, source: 'urn:spec', type: 'foothold.result.accepted.v1', subject: 'jane', time: '2026-11-02T09:00:00Z', deployment: 'desk', ...more, data: { invocation: 'i-1', ...data },
});
/** An event as a browser sends it: about whomever the token names. */
const fromBrowser = (more: Record<string, unknown> = {}) => ({ ...event(more), subject: undefined });

async function post(body: unknown, { headers = {}, type = Array.isArray(body) ? MANY : ONE, as = write }: { headers?: Record<string, string>; type?: string; as?: string } = {}): Promise<Answer> {
  const bytes = typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body);
  const response = await fetch(`${url}/v1/events`, { method: 'POST', body: bytes, headers: { 'content-type': type, ...(as === '' ? {} : { authorization: `Bearer ${as}` }), ...headers } });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
}

async function received(count: number): Promise<Ledger> {
  let ledger = await verify(log.database);
  await until(`${count} received`, async () => (ledger = await verify(log.database)).received >= count);
  expect(ledger).toMatchObject({ balanced: true, problems: [], received: count });
  return ledger;
}

const people = async () => (await log.database.query<{ pseudonym: string }>(`select encode(pseudonym, 'hex') as pseudonym from event join person using (person) where shard < 16 order by event.id`)).map(({ pseudonym }) => pseudonym);
const letters = () => deadLetters(log.database, 'acme');

describe.each(['direct', 'kafka'] as const)('with the %s sink', (sink) => {
  beforeEach(async () => void (await start(sink)));

  it('takes one event and batches, packed or not, and keeps people as pseudonyms only', async () => {
    expect(await post(event())).toMatchObject({ status: 202, body: { accepted: 1, refused: [] } });
    expect(await post([event({ subject: 'joe' }), event({ subject: 'joe' }, { actor: 'boss' })], { type: `${MANY}; charset=UTF-8` })).toMatchObject({ status: 202, body: { accepted: 2, refused: [] } });
    expect(await post(gzipSync(JSON.stringify([event()])), { type: MANY, headers: { 'content-encoding': 'gzip' } })).toMatchObject({ status: 202, body: { accepted: 1, refused: [] } });
    expect(await post([])).toMatchObject({ status: 202, body: { accepted: 0, refused: [] } });
    expect(await received(4)).toMatchObject({ stored: 4 });
    const [jane, joe] = ['jane', 'joe'].map((person) => pseudonymiser.pseudonym('acme', person));
    expect((await people()).sort()).toEqual([jane, jane, joe, joe].sort());
  });

  it('counts what is sent again once, and tells of each event that it refuses', async () => {
    const twice = event();
    expect(await post([twice, { ...event(), time: 'soon' }, twice, 7, event({ deployment: 'nowhere' }), event({ type: 'foothold.result.accepted.v9' })])).toEqual({
      status: 202, headers: expect.anything(),
      body: {
        accepted: 4,
        refused: [
          { index: 1, kind: 'rejected', field: 'time', reason: expect.any(String), fix: expect.stringContaining('RFC 3339') },
          { index: 3, kind: 'rejected', field: 'body', reason: 'the number 7: not an object', fix: 'send an object' },
        ],
      },
    });
    expect(await received(6)).toMatchObject({ stored: 1, duplicate: 1, rejected: 2, quarantined: 2 });
    expect((await letters()).map(({ kind, field }) => [kind, field]).sort()).toEqual([['quarantined', 'deployment'], ['quarantined', 'type'], ['rejected', 'body'], ['rejected', 'time']]);
  });

  const WRONG_EVENTS: [what: string, change: Record<string, unknown>, data: Record<string, unknown>, field: string, fix: string][] = [
    ['no person', { subject: undefined }, {}, 'subject', 'send the person'],
    ['a time in the future', { time: '2126-01-01T00:00:00Z' }, {}, 'time', 'set the clock'],
    ['an unknown type', { type: 'foothold.result.acepted.v1' }, {}, 'type', 'foothold.result.accepted.v1'],
    ['an attribute nobody knows', { prompt: 'Dear Sir' }, {}, 'prompt', 'leave it out'],
    ['a share above 1', {}, { changed: 1.5 }, 'data.changed', 'from 0 to 1'],
    ['a deployment of no form', { deployment: 'a b' }, {}, 'deployment', '1 to 64 letters'],
    ['too long', {}, { reason: 'x'.repeat(EVENT_BYTES) }, 'body', 'measurements only'],
  ];

  it('refuses a wrong event as 422, with a row of the ledger', async () => {
    for (const [i, [what, change, data, field, fix]] of WRONG_EVENTS.entries()) {
      expect({ what, ...(await post(event(change, data))) }).toMatchObject({ what, status: 422, body: { title: 'Event refused', status: 422, field, fix: expect.stringContaining(fix), refused: [{ index: 0, field }] } });
      expect(await received(i + 1)).toMatchObject({ rejected: i + 1 });
      expect((await letters())[0]).toMatchObject({ kind: 'rejected', field, fix: expect.stringContaining(fix) });
    }
  });

  const WRONG_REQUESTS: [what: string, request: () => Promise<Answer>, status: number, field: string, fix: string][] = [
    ['no key', () => post(event(), { as: '' }), 401, 'authorization', 'Authorization: Bearer KEY'],
    ['a key nobody made', () => post(event(), { as: `fhw_${'x'.repeat(43)}` }), 401, 'authorization', 'foothold key create'],
    ['another scheme', () => post(event(), { as: '', headers: { authorization: `Basic ${Buffer.from(`:${write}`).toString('base64')}` } }), 401, 'authorization', 'Authorization: Bearer KEY'],
    ['a read key', async () => post(event(), { as: (await key('read')).key }), 403, 'authorization', 'send a write key'],
    ['a key that has expired', async () => post(event(), { as: (await key('write', { expiresAt: Date.now() - 1 })).key }), 401, 'authorization', 'send a key that counts'],
    ['a write key from a page', () => post(event(), { headers: { origin: ORIGIN } }), 403, 'origin', 'publishable key'],
    ['plain JSON', () => post(event(), { type: 'application/json' }), 415, 'content-type', ONE],
    ['another charset', () => post(event(), { type: `${ONE}; charset=utf-16` }), 415, 'content-type', 'UTF-8'],
    ['another encoding', () => post(event(), { headers: { 'content-encoding': 'br' } }), 415, 'content-encoding', 'gzip'],
    ['no gzip', () => post(event(), { headers: { 'content-encoding': 'gzip' } }), 400, 'body', 'pack all of it'],
    ['half a body of JSON', () => post('{"specversion":', { type: ONE }), 400, 'body', 'whole'],
    ['nothing', () => post('', { type: ONE }), 400, 'body', 'whole'],
    ['no UTF-8', () => post(Buffer.from([0x22, 0xff, 0x22]), { type: ONE }), 400, 'body', 'UTF-8'],
    ['a list as one event', () => post([event()], { type: ONE }), 400, 'body', MANY],
    ['one event as a batch', () => post(event(), { type: MANY }), 400, 'body', MANY],
    ['too many events', () => post(Array.from({ length: 1_001 }, () => 0)), 413, 'body', 'several batches'],
    ['too many bytes', () => post('x'.repeat(BATCH_BYTES + 1), { type: ONE }), 413, 'body', String(BATCH_BYTES)],
    ['a bomb of gzip', () => post(gzipSync(Buffer.alloc(200 * 1024 * 1024)), { type: ONE, headers: { 'content-encoding': 'gzip' } }), 413, 'body', String(BATCH_BYTES)],
  ];

  it('refuses a wrong request, and leaves no trace of it', async () => {
    for (const [what, request, status, field, fix] of WRONG_REQUESTS) {
      const answer = await request();
      expect({ what, ...answer }).toMatchObject({ what, status, body: { type: 'about:blank', status, field, detail: expect.any(String), fix: expect.stringContaining(fix) } });
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(JSON.stringify(answer.body)).not.toContain(write);
    }
    await post(event());
    expect(await received(1)).toMatchObject({ stored: 1 });
  });

  it('holds a key to its deployments, event by event', async () => {
    const { key: bound } = await key('write', { deployments: ['desk'] });
    expect(await post([event(), event({ deployment: 'till' })], { as: bound })).toMatchObject({ status: 202, body: { accepted: 1, refused: [{ index: 1, field: 'deployment', fix: 'use a deployment that the key is for, or another key' }] } });
    expect(await received(2)).toMatchObject({ stored: 1, rejected: 1 });
  });

  it('holds a key to its deployments in versions still to come, and in what is wrong with an event', async () => {
    const { key: bound } = await key('write', { deployments: ['desk'] });
    const answer = await post([event({ deployment: 'till', type: 'foothold.result.accepted.v9' }), event({ deployment: 'till', time: 'soon' })], { as: bound });
    expect(answer).toMatchObject({ status: 202, body: { accepted: 0, refused: [{ index: 0, field: 'deployment' }, { index: 1, field: 'deployment' }] } });
    expect(await received(2)).toMatchObject({ rejected: 2 });
    expect(await log.database.query('select deployment from dead_letter')).toEqual([{ deployment: null }, { deployment: null }]);
  });

  it('refuses what is nested without end, and keeps what came with it', async () => {
    const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
    const body = `[${JSON.stringify(event())},${nested(8_000)},${'['.repeat(20_000)}${']'.repeat(20_000)},${JSON.stringify(event())}]`;
    const deep = { field: 'body', reason: 'nested deeper than 8 levels' };
    expect(await post(body, { type: MANY })).toMatchObject({ status: 202, body: { accepted: 2, refused: [{ index: 1, ...deep }, { index: 2, ...deep }] } });
    expect(await post(nested(300_000))).toMatchObject({ status: 422, body: { refused: [deep] } });
    expect(await received(5)).toMatchObject({ stored: 2, rejected: 3 });
  });

  it('takes as much as a request may hold, of one person too', async () => {
    const long = { source: `urn:${'s'.repeat(250)}`, sequence: '7'.repeat(20), senttime: '2026-11-02T09:00:01.000Z', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00` };
    const many = Array.from({ length: 1_000 }, (_, i) => event({ ...long, id: `${'\u{1f5c2}'.repeat(120)}:${i}` }, { invocation: `${'i'.repeat(100)}${i}` }));
    expect(Buffer.byteLength(JSON.stringify(many))).toBeGreaterThan(1_048_588); // a broker takes no more in one batch of a partition
    const answers = await Promise.all([post(many), post(event()), post(many)]);
    expect(answers.map(({ status, body }) => [status, body['accepted']])).toEqual([[202, 1_000], [202, 1], [202, 1_000]]);
    expect(await received(2_001)).toMatchObject({ stored: 1_001, duplicate: 1_000 });
  });

  it('heeds that a key was revoked within two seconds', async () => {
    const { id, key: gone } = await key('write');
    expect(await post(event(), { as: gone })).toMatchObject({ status: 202 });
    await keys.revoke('acme', id);
    const revokedAt = Date.now();
    await until('it is refused', async () => (await post(event(), { as: gone })).status === 401);
    expect(Date.now() - revokedAt).toBeLessThan(4_000);
  });
});

describe('from a browser', () => {
  beforeEach(async () => void (await start('direct')));

  const token = (personSecret: string, claims: Record<string, unknown>, head: Record<string, unknown> = { alg: 'EdDSA', typ: 'JWT' }): string => {
    const text = [head, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const seed = Buffer.from(personSecret.slice(4), 'base64url');
    const secret = createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]), format: 'der', type: 'pkcs8' });
    return `${text}.${sign(null, Buffer.from(text), secret).toString('base64url')}`;
  };
  const now = () => Math.floor(Date.now() / 1000);
  const claims = (more: Record<string, unknown> = {}) => ({ sub: 'jane', iat: now(), exp: now() + 900, ...more });

  it('takes the person from the token of the host’s backend alone', async () => {
    const { key: publishable, personSecret } = await key('publishable', { origins: [ORIGIN] });
    const headers = { origin: ORIGIN, 'foothold-person': personToken({ secret: personSecret!, person: 'jane' }) };
    const heartbeat = { ...fromBrowser({ type: 'foothold.sdk.reported.v1' }), data: { queued: 0, dropped: {}, sdk: 'foothold-js', version: '1.0.0' } };
    const answer = await post([fromBrowser(), heartbeat, event(), { ...fromBrowser(), data: undefined }], { as: publishable, headers });
    expect(answer).toMatchObject({ status: 202, body: { accepted: 2, refused: [{ index: 2, field: 'subject', fix: expect.stringContaining('leave it out') }, { index: 3 }] } });
    expect([answer.headers.get('access-control-allow-origin'), answer.headers.get('vary')]).toEqual([ORIGIN, 'origin']);
    await received(4);
    expect(await people()).toEqual([pseudonymiser.pseudonym('acme', 'jane')]);
  });

  const NOT_ITS_OWN: [what: string, event: () => Record<string, unknown>, field: string][] = [
    ['somebody else who decided', () => ({ ...fromBrowser(), data: { invocation: 'i', actor: 'boss' } }), 'data.actor'],
    ['an outcome', () => ({ ...fromBrowser({ type: 'foothold.outcome.measured.v1' }), data: { outcome: 'days', from: '2026-11-01', to: '2026-11-02', value: 1, count: 1 } }), 'type'],
    ['the truth', () => ({ ...fromBrowser({ type: 'foothold.truth.established.v1' }), data: { invocation: 'i', aiRight: true } }), 'type'],
    ['the truth in a version to come', () => ({ ...fromBrowser({ type: 'foothold.truth.established.v9' }), data: { invocation: 'i', aiRight: true } }), 'type'],
    ['an unknown type', () => fromBrowser({ type: 'foothold.result.acepted.v1' }), 'type'],
  ];

  it('takes no word from it on what is not its person’s to tell', async () => {
    const { key: publishable, personSecret } = await key('publishable');
    const headers = { 'foothold-person': personToken({ secret: personSecret!, person: 'jane' }) };
    for (const [i, [what, told, field]] of NOT_ITS_OWN.entries()) {
      expect({ what, ...(await post(told(), { as: publishable, headers })) }).toMatchObject({ what, status: 422, body: { field } });
      expect(await received(i + 1)).toMatchObject({ rejected: i + 1 });
    }
  });

  const WRONG_TOKENS: [what: string, made: (secret: string) => string | undefined, reason: string][] = [
    ['none', () => undefined, 'missing'],
    ['no JWT', () => 'jane', 'no compact JWT'],
    ['of another key', () => token(`fhs_${randomBytes(32).toString('base64url')}`, claims()), 'not signed with'],
    ['whose claims were changed', (secret) => token(secret, claims()).replace(/\.[^.]+\./, `.${Buffer.from(JSON.stringify(claims({ sub: 'joe' }))).toString('base64url')}.`), 'not signed with'],
    ['unsigned', (secret) => token(secret, claims(), { alg: 'none' }), 'not signed with EdDSA'],
    ['of another algorithm', (secret) => token(secret, claims(), { alg: 'HS256' }), 'not signed with EdDSA'],
    ['that has expired', (secret) => token(secret, claims({ iat: now() - 1_000, exp: now() - 61 })), 'expired'],
    ['of the future', (secret) => token(secret, claims({ iat: now() + 120, exp: now() + 900 })), 'not valid yet'],
    ['that begins later', (secret) => token(secret, claims({ nbf: now() + 120 })), 'not valid yet'],
    ['that lasts too long', (secret) => token(secret, claims({ exp: now() + 3_700 })), 'at most an hour'],
    ['without an end', (secret) => token(secret, claims({ exp: undefined })), 'at most an hour'],
    ['for nobody', (secret) => token(secret, claims({ sub: '' })), 'names no person'],
    ['for a list of people', (secret) => token(secret, claims({ sub: ['jane'] })), 'names no person'],
  ];

  it('keeps its person with an event of a version to come', async () => {
    const { key: publishable, personSecret } = await key('publishable');
    const headers = { 'foothold-person': personToken({ secret: personSecret!, person: 'jane' }) };
    expect(await post({ ...fromBrowser({ type: 'foothold.result.accepted.v9', id: 'a1' }), data: { invocation: 'i1' } }, { as: publishable, headers })).toMatchObject({ status: 202 });
    expect(await received(1)).toMatchObject({ quarantined: 1 });
    const [letter] = opened(await log.database.query('select tenant, sealed, payload from dead_letter'), sealer);
    expect(JSON.parse(letter!.payload!)).toMatchObject({ subject: pseudonymiser.pseudonym('acme', 'jane') });
  });

  it('takes no name of an event from the backend, nor from another person, and knows its own again', async () => {
    const { key: publishable, personSecret } = await key('publishable');
    const asPerson = (person: string) => ({ as: publishable, headers: { 'foothold-person': personToken({ secret: personSecret!, person }) } });
    for (const person of ['joe', 'jane', 'jane']) expect(await post(fromBrowser({ source: 'urn:backend', id: 'erp:1' }), asPerson(person))).toMatchObject({ status: 202 });
    expect(await post(event({ source: 'urn:backend', id: 'erp:1', deployment: 'till' }))).toMatchObject({ status: 202 });
    expect(await received(4)).toMatchObject({ stored: 3, duplicate: 1 });
  });

  it('refuses any other token, and leaves no trace of what came with it', async () => {
    const { key: publishable, personSecret } = await key('publishable');
    for (const [what, makeToken, reason] of WRONG_TOKENS) {
      const text = makeToken(personSecret!);
      const answer = await post(fromBrowser(), { as: publishable, headers: text === undefined ? {} : { 'foothold-person': text } });
      expect({ what, ...answer }).toMatchObject({ what, status: 401, body: { field: 'foothold-person', detail: expect.stringContaining(reason), fix: expect.any(String) } });
    }
    expect(await verify(log.database)).toMatchObject({ received: 0 });
  });

  it('holds a token to its deployment, and key and token to each other', async () => {
    const { key: publishable, personSecret } = await key('publishable', { deployments: ['desk'] });
    const signed = (deployment: string) => ({ 'foothold-person': personToken({ secret: personSecret!, person: 'jane', deployment }) });
    expect(await post([fromBrowser(), fromBrowser({ deployment: 'till' })], { as: publishable, headers: signed('desk') })).toMatchObject({ status: 202, body: { accepted: 1, refused: [{ index: 1, field: 'deployment' }] } });
    expect(await post(fromBrowser(), { as: publishable, headers: signed('till') })).toMatchObject({ status: 403, body: { field: 'foothold-person' } });
  });

  it('answers preflights by the origins of the keys there are, and lets no other origin in', async () => {
    const preflight = async (origin: string) => (await fetch(`${url}/v1/events`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' } })).headers;
    const { key: publishable, personSecret } = await key('publishable', { origins: [ORIGIN] });
    const allowed = await preflight(ORIGIN);
    expect([allowed.get('access-control-allow-origin'), allowed.get('access-control-allow-methods'), allowed.get('access-control-allow-credentials')]).toEqual([ORIGIN, 'POST', null]);
    expect(allowed.get('access-control-allow-headers')!.split(', ')).toEqual(expect.arrayContaining(['authorization', 'content-type', 'content-encoding', 'foothold-person']));
    expect((await preflight('https://evil.example')).get('access-control-allow-origin')).toBeNull();
    const answer = await post(fromBrowser(), { as: publishable, headers: { origin: 'https://evil.example', 'foothold-person': personToken({ secret: personSecret!, person: 'jane' }) } });
    expect([answer.status, answer.body['field'], answer.headers.get('access-control-allow-origin')]).toEqual([403, 'origin', null]);
  });

  it('names the methods it takes, each once', async () => {
    const [options, refused] = await Promise.all(['OPTIONS', 'PUT'].map((method) => fetch(`${url}/v1/events`, { method })));
    expect([options!.status, options!.headers.get('allow')]).toEqual([204, 'OPTIONS, POST']);
    expect([refused!.status, refused!.headers.get('allow'), await refused!.json()]).toMatchObject([405, 'OPTIONS, POST', { field: 'method', fix: 'use OPTIONS, POST' }]);
  });
});

describe('what harms nobody else', () => {
  beforeEach(async () => void (await start('direct')));

  /** Begins a request and never ends it. */
  async function begin(text: string): Promise<{ socket: Socket; said: () => string }> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    let said = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (said += chunk)).on('error', () => undefined);
    closing.push(async () => socket.destroy());
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    socket.write(text);
    return { socket, said: () => said };
  }
  const head = (more: string) => `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${write}\r\ncontent-type: ${ONE}\r\n${more}\r\n`;

  it('slow clients and half-sent bodies', async () => {
    for (let i = 0; i < 50; i++) await begin(i % 2 === 0 ? head('content-length: 400\r\n').slice(0, 40 + i) : `${head('content-length: 400\r\n')}{"specversion":`);
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(event())));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    expect(await received(20)).toMatchObject({ stored: 20, rejected: 0 });
  });

  it('a body of 100 MB: refused at the limit, while others are answered', async () => {
    const before = process.memoryUsage().rss;
    const { socket, said } = await begin(head('transfer-encoding: chunked\r\n'));
    const megabyte = `100000\r\n${'x'.repeat(1024 * 1024)}\r\n`;
    let ended = false;
    socket.once('close', () => (ended = true));
    let sent = 0;
    for (; sent < 100 && !ended; sent++) {
      if (!socket.write(megabyte)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), new Promise((resolve) => socket.once('close', resolve))]);
      if (sent === 3) expect((await post(event())).status).toBe(202);
    }
    await until('it is answered', () => /^HTTP\/1\.1 413 /.test(said()));
    expect(said()).toContain('"field":"body"');
    expect((await post(event())).status).toBe(202);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
  });

  it('what declares 100 MB is refused before a byte of it is read, and without a key nothing is read at all', async () => {
    const declared = await begin(head(`content-length: ${100 * 1024 * 1024}\r\n`));
    await until('it is answered', () => /^HTTP\/1\.1 413 /.test(declared.said()));
    const nobody = await begin(head(`content-length: ${1024 * 1024}\r\n`).replace(write, `fhw_${'y'.repeat(43)}`));
    await until('it is answered', () => /^HTTP\/1\.1 401 /.test(nobody.said()));
  });
});

it('finds out how little a topic takes at once', async () => {
  const { topics } = await start('kafka');
  const admin = testKafka().client.admin();
  await admin.connect();
  closing.push(() => admin.disconnect());
  await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topics[0]!, configEntries: [{ name: 'max.message.bytes', value: '40000' }] }] });
  const many = Array.from({ length: 500 }, () => event());
  expect(await post(many)).toMatchObject({ status: 202, body: { accepted: 500 } });
  await until('all of it is recorded', async () => (await verify(log.database)).received >= 500);
  expect(await verify(log.database)).toMatchObject({ balanced: true, stored: 500 });
});

it('answers 503 while Kafka does not acknowledge, and takes the same events once it does, once', async () => {
  const broker = await ownKafka();
  const { topics } = await start('kafka', broker.brokers);
  closing.unshift(() => broker.stop());
  expect(topics.length).toBe(2);
  const events = [event(), event()];
  expect(await post(events)).toMatchObject({ status: 202, body: { accepted: 2 } });
  await broker.kill();
  const away = await post(events);
  expect(away).toMatchObject({ status: 503, body: { title: 'Not available at the moment', fix: expect.stringContaining('same ids') } });
  expect(Number(away.headers.get('retry-after'))).toBeGreaterThan(0);
  await broker.restart();
  await until('it takes them again', async () => (await post(events)).status === 202);
  await until('all of it is recorded', async () => (await verify(log.database)).received >= 4);
  const { received: all, duplicate, ...ledger } = await verify(log.database);
  expect(ledger).toMatchObject({ balanced: true, stored: 2, rejected: 0 });
  expect(duplicate).toBe(all - 2);
});
