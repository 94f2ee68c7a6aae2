/** The collector on both of its sinks, Kafka and the log itself: what is taken, what is refused in which words, and what harms nobody else. */
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BATCH_BYTES, EVENT_BYTES } from '@foothold/contract';
import { deadLetters, verify } from '@foothold/event-log';
import { Health, openApplication, Pseudonymiser, readConfig } from '@foothold/platform';
import pino from 'pino';
import { ownKafka, requireKafka, testKafka } from '../../../test/support/kafka.js';
import { pseudonymiser, sealer, until } from '../../../test/support/recording.js';
import { hostEvent as event, MANY, ONE, ORIGIN, startCollector, type Answer, type RunningCollector } from '../../../test/support/running-collector.js';
import { CollectorModule } from './collector.module.js';

let collector: RunningCollector;
const start = async (sink: 'kafka' | 'direct', brokers?: string[]) => (collector = await startCollector(sink, brokers));
afterEach(() => collector.stop());

it.each(['kafka', 'direct'] as const)('does not start, before %s, under another pseudonym key than people are known by: it would make others of them', async (sink) => {
  await start(sink);
  const other = new Pseudonymiser(Buffer.from('ab'.repeat(32), 'hex'));
  const config = readConfig({ FOOTHOLD_PSEUDONYM_KEY: 'ab'.repeat(32), ...(sink === 'kafka' ? { KAFKA_BROKERS: requireKafka().join(',') } : {}) });
  const app = await openApplication({ config, logger: pino({ level: 'silent' }), database: collector.log.database, pseudonymiser: other, sealer, health: new Health() }, [CollectorModule], (error) => {
    throw error;
  });
  await expect(app.listen(0, '127.0.0.1')).rejects.toMatchObject({ field: 'FOOTHOLD_PSEUDONYM_KEY' });
});

const letters = () => deadLetters(collector.log.database, 'acme');

describe.each(['direct', 'kafka'] as const)('with the %s sink', (sink) => {
  beforeEach(async () => void (await start(sink)));

  it('takes one event and batches, packed or not, and keeps people as pseudonyms only', async () => {
    expect(await collector.post(event())).toMatchObject({ status: 202, body: { accepted: 1, refused: [] } });
    expect(await collector.post([event({ subject: 'joe' }), event({ subject: 'joe' }, { actor: 'boss' })], { type: `${MANY}; charset=UTF-8` })).toMatchObject({ status: 202, body: { accepted: 2, refused: [] } });
    expect(await collector.post(gzipSync(JSON.stringify([event()])), { type: MANY, headers: { 'content-encoding': 'gzip' } })).toMatchObject({ status: 202, body: { accepted: 1, refused: [] } });
    expect(await collector.post([])).toMatchObject({ status: 202, body: { accepted: 0, refused: [] } });
    expect(await collector.received(4)).toMatchObject({ stored: 4 });
    const [jane, joe] = ['jane', 'joe'].map((person) => pseudonymiser.pseudonym('acme', person));
    expect((await collector.people()).sort()).toEqual([jane, jane, joe, joe].sort());
  });

  it('counts what is sent again once, and tells of each event that it refuses', async () => {
    const twice = event();
    expect(await collector.post([twice, { ...event(), time: 'soon' }, twice, 7, event({ deployment: 'nowhere' }), event({ type: 'foothold.result.accepted.v9' })])).toEqual({
      status: 202, headers: expect.anything(),
      body: {
        accepted: 4,
        refused: [
          { index: 1, kind: 'rejected', field: 'time', reason: expect.any(String), fix: expect.stringContaining('RFC 3339') },
          { index: 3, kind: 'rejected', field: 'body', reason: 'the number 7: not an object', fix: 'send an object' },
        ],
      },
    });
    expect(await collector.received(6)).toMatchObject({ stored: 1, duplicate: 1, rejected: 2, quarantined: 2 });
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
      expect({ what, ...(await collector.post(event(change, data))) }).toMatchObject({ what, status: 422, body: { title: 'Event refused', status: 422, field, fix: expect.stringContaining(fix), refused: [{ index: 0, field }] } });
      expect(await collector.received(i + 1)).toMatchObject({ rejected: i + 1 });
      expect((await letters())[0]).toMatchObject({ kind: 'rejected', field, fix: expect.stringContaining(fix) });
    }
  });

  const WRONG_REQUESTS: [what: string, request: () => Promise<Answer>, status: number, field: string, fix: string][] = [
    ['no key', () => collector.post(event(), { as: '' }), 401, 'authorization', 'Authorization: Bearer KEY'],
    ['a key nobody made', () => collector.post(event(), { as: `fhw_${'x'.repeat(43)}` }), 401, 'authorization', 'foothold key create'],
    ['another scheme', () => collector.post(event(), { as: '', headers: { authorization: `Basic ${Buffer.from(`:${collector.write}`).toString('base64')}` } }), 401, 'authorization', 'Authorization: Bearer KEY'],
    ['a read key', async () => collector.post(event(), { as: (await collector.key('read')).key }), 403, 'authorization', 'send a write key'],
    ['a key that has expired', async () => collector.post(event(), { as: (await collector.key('write', { expiresAt: Date.now() - 1 })).key }), 401, 'authorization', 'send a key that counts'],
    ['a write key from a page', () => collector.post(event(), { headers: { origin: ORIGIN } }), 403, 'origin', 'publishable key'],
    ['plain JSON', () => collector.post(event(), { type: 'application/json' }), 415, 'content-type', ONE],
    ['another charset', () => collector.post(event(), { type: `${ONE}; charset=utf-16` }), 415, 'content-type', 'UTF-8'],
    ['another encoding', () => collector.post(event(), { headers: { 'content-encoding': 'br' } }), 415, 'content-encoding', 'gzip'],
    ['no gzip', () => collector.post(event(), { headers: { 'content-encoding': 'gzip' } }), 400, 'body', 'pack all of it'],
    ['half a body of JSON', () => collector.post('{"specversion":', { type: ONE }), 400, 'body', 'whole'],
    ['nothing', () => collector.post('', { type: ONE }), 400, 'body', 'whole'],
    ['no UTF-8', () => collector.post(Buffer.from([0x22, 0xff, 0x22]), { type: ONE }), 400, 'body', 'UTF-8'],
    ['a list as one event', () => collector.post([event()], { type: ONE }), 400, 'body', MANY],
    ['one event as a batch', () => collector.post(event(), { type: MANY }), 400, 'body', MANY],
    ['too many events', () => collector.post(Array.from({ length: 1_001 }, () => 0)), 413, 'body', 'several batches'],
    ['too many bytes', () => collector.post('x'.repeat(BATCH_BYTES + 1), { type: ONE }), 413, 'body', String(BATCH_BYTES)],
    ['a bomb of gzip', () => collector.post(gzipSync(Buffer.alloc(200 * 1024 * 1024)), { type: ONE, headers: { 'content-encoding': 'gzip' } }), 413, 'body', String(BATCH_BYTES)],
  ];

  it('refuses a wrong request, and leaves no trace of it', async () => {
    for (const [what, request, status, field, fix] of WRONG_REQUESTS) {
      const answer = await request();
      expect({ what, ...answer }).toMatchObject({ what, status, body: { type: 'about:blank', status, field, detail: expect.any(String), fix: expect.stringContaining(fix) } });
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(JSON.stringify(answer.body)).not.toContain(collector.write);
    }
    await collector.post(event());
    expect(await collector.received(1)).toMatchObject({ stored: 1 });
  });

  it('holds a key to its deployments, event by event', async () => {
    const { key: bound } = await collector.key('write', { deployments: ['desk'] });
    expect(await collector.post([event(), event({ deployment: 'till' })], { as: bound })).toMatchObject({ status: 202, body: { accepted: 1, refused: [{ index: 1, field: 'deployment', fix: 'use a deployment that the key is for, or another key' }] } });
    expect(await collector.received(2)).toMatchObject({ stored: 1, rejected: 1 });
  });

  it('holds a key to its deployments in versions still to come, and in what is wrong with an event', async () => {
    const { key: bound } = await collector.key('write', { deployments: ['desk'] });
    const answer = await collector.post([event({ deployment: 'till', type: 'foothold.result.accepted.v9' }), event({ deployment: 'till', time: 'soon' })], { as: bound });
    expect(answer).toMatchObject({ status: 202, body: { accepted: 0, refused: [{ index: 0, field: 'deployment' }, { index: 1, field: 'deployment' }] } });
    expect(await collector.received(2)).toMatchObject({ rejected: 2 });
    expect(await collector.log.database.query('select deployment from dead_letter')).toEqual([{ deployment: null }, { deployment: null }]);
  });

  it('refuses what is nested without end, and keeps what came with it', async () => {
    const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
    const body = `[${JSON.stringify(event())},${nested(8_000)},${'['.repeat(20_000)}${']'.repeat(20_000)},${JSON.stringify(event())}]`;
    const deep = { field: 'body', reason: 'nested deeper than 8 levels' };
    expect(await collector.post(body, { type: MANY })).toMatchObject({ status: 202, body: { accepted: 2, refused: [{ index: 1, ...deep }, { index: 2, ...deep }] } });
    expect(await collector.post(nested(300_000))).toMatchObject({ status: 422, body: { refused: [deep] } });
    expect(await collector.received(5)).toMatchObject({ stored: 2, rejected: 3 });
  });

  it('takes as much as a request may hold, of one person too', async () => {
    const long = { source: `urn:${'s'.repeat(250)}`, sequence: '7'.repeat(20), senttime: '2026-11-02T09:00:01.000Z', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00` };
    const many = Array.from({ length: 1_000 }, (_, i) => event({ ...long, id: `${'\u{1f5c2}'.repeat(120)}:${i}` }, { invocation: `${'i'.repeat(100)}${i}` }));
    expect(Buffer.byteLength(JSON.stringify(many))).toBeGreaterThan(1_048_588); // a broker takes no more in one batch of a partition
    const answers = await Promise.all([collector.post(many), collector.post(event()), collector.post(many)]);
    expect(answers.map(({ status, body }) => [status, body['accepted']])).toEqual([[202, 1_000], [202, 1], [202, 1_000]]);
    expect(await collector.received(2_001)).toMatchObject({ stored: 1_001, duplicate: 1_000 });
  });

  it('heeds that a key was revoked within two seconds', async () => {
    const { id, key: gone } = await collector.key('write');
    expect(await collector.post(event(), { as: gone })).toMatchObject({ status: 202 });
    await collector.keys.revoke('acme', id);
    const revokedAt = Date.now();
    await until('it is refused', async () => (await collector.post(event(), { as: gone })).status === 401);
    expect(Date.now() - revokedAt).toBeLessThan(4_000);
  });
});

describe('what harms nobody else', () => {
  beforeEach(async () => void (await start('direct')));

  /** Begins a request and never ends it. */
  async function begin(text: string): Promise<{ socket: Socket; said: () => string }> {
    const { hostname, port } = new URL(collector.url);
    const socket = connect(Number(port), hostname);
    let said = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (said += chunk)).on('error', () => undefined);
    collector.closing.push(async () => socket.destroy());
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    socket.write(text);
    return { socket, said: () => said };
  }
  const head = (more: string) => `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${collector.write}\r\ncontent-type: ${ONE}\r\n${more}\r\n`;

  it('slow clients and half-sent bodies', async () => {
    for (let i = 0; i < 50; i++) await begin(i % 2 === 0 ? head('content-length: 400\r\n').slice(0, 40 + i) : `${head('content-length: 400\r\n')}{"specversion":`);
    const answers = await Promise.all(Array.from({ length: 20 }, () => collector.post(event())));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    expect(await collector.received(20)).toMatchObject({ stored: 20, rejected: 0 });
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
      if (sent === 3) expect((await collector.post(event())).status).toBe(202);
    }
    await until('it is answered', () => /^HTTP\/1\.1 413 /.test(said()));
    expect(said()).toContain('"field":"body"');
    expect((await collector.post(event())).status).toBe(202);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
  });

  it('what declares 100 MB is refused before a byte of it is read, and without a key nothing is read at all', async () => {
    const declared = await begin(head(`content-length: ${100 * 1024 * 1024}\r\n`));
    await until('it is answered', () => /^HTTP\/1\.1 413 /.test(declared.said()));
    const nobody = await begin(head(`content-length: ${1024 * 1024}\r\n`).replace(collector.write, `fhw_${'y'.repeat(43)}`));
    await until('it is answered', () => /^HTTP\/1\.1 401 /.test(nobody.said()));
  });
});

it('finds out how little a topic takes at once', async () => {
  const { topics } = await start('kafka');
  const admin = testKafka().client.admin();
  await admin.connect();
  collector.closing.push(() => admin.disconnect());
  await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topics[0]!, configEntries: [{ name: 'max.message.bytes', value: '40000' }] }] });
  const many = Array.from({ length: 500 }, () => event());
  expect(await collector.post(many)).toMatchObject({ status: 202, body: { accepted: 500 } });
  await until('all of it is recorded', async () => (await verify(collector.log.database)).received >= 500);
  expect(await verify(collector.log.database)).toMatchObject({ balanced: true, stored: 500 });
});

it('answers 503 while Kafka does not acknowledge, and takes the same events once it does, once', async () => {
  const broker = await ownKafka();
  const { topics } = await start('kafka', broker.brokers);
  collector.closing.unshift(() => broker.stop());
  expect(topics.length).toBe(2);
  const events = [event(), event()];
  expect(await collector.post(events)).toMatchObject({ status: 202, body: { accepted: 2 } });
  await broker.kill();
  const away = await collector.post(events);
  expect(away).toMatchObject({ status: 503, body: { title: 'Not available at the moment', fix: expect.stringContaining('same ids') } });
  expect(Number(away.headers.get('retry-after'))).toBeGreaterThan(0);
  await broker.restart();
  await until('it takes them again', async () => (await collector.post(events)).status === 202);
  await until('all of it is recorded', async () => (await verify(collector.log.database)).received >= 4);
  const { received: all, duplicate, ...ledger } = await verify(collector.log.database);
  expect(ledger).toMatchObject({ balanced: true, stored: 2, rejected: 0 });
  expect(duplicate).toBe(all - 2);
});
