/**
 * Wrong messages among right ones, on the collector's topic and on a tenant's own, through a real Kafka and the real
 * recorder process: each is refused once with field and fix, nothing beside it is lost, and the recorder goes on.
 */
import { Sealer } from '@foothold/platform';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHmac, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { foothold, startFoothold, type Ended, type Running } from '../../../test/support/foothold.js';
import { testKafka, type TestMessage } from '../../../test/support/kafka.js';
import { opened } from '../../../test/support/letters.js';

const RECORDER = resolve(import.meta.dirname, '../../../dist/apps/recorder/src/main.js');
const KEY = 'ab'.repeat(32);
const PREFIX = `wrong-${randomUUID().slice(0, 8)}`;
const COLLECTED = `${PREFIX}.usage.v1`;
const OWN = `${PREFIX}.usage.acme.v1`;
const JANE = createHmac('sha256', 'x').update('jane').digest('hex');
let ids = 0;

function event(subject: string, more: Record<string, unknown> = {}, data: Record<string, unknown> = {}): Record<string, unknown> {
  const id = `01890a5d-ac96-774b-8c3a-${(++ids).toString(16).padStart(12, '0')}`;
  return { specversion: '1.0', id, source: 'urn:acme:erp', type: 'foothold.result.accepted.v1', subject, time: '2026-01-05T09:30:00Z', deployment: 'claims', data: { invocation: `i-${ids}`, ...data }, ...more };
}
const known = (value: Record<string, unknown>) => ({ tenant: 'acme', source: 'urn:acme:erp', type: 'foothold.result.accepted.v1', deployment: 'claims', id: value['id'] });
const UNKNOWN = { tenant: 'acme', source: null, type: null, deployment: null, id: null, payload: null };
const ACME = { tenant: 'acme' };

type Wrong = [what: string, message: TestMessage, letter: Record<string, unknown>];
/** A message with an event of which the dead letter knows everything. */
function whole(what: string, value: Record<string, unknown>, letter: Record<string, unknown>, headers?: TestMessage['headers']): Wrong {
  return [what, { value: JSON.stringify(value), headers }, { ...known(value), ...letter }];
}
const BODY = { field: 'body', fix: expect.stringContaining('one CloudEvent as a JSON object') };
const TENANT = { ...UNKNOWN, tenant: null, field: 'headers.tenant', fix: `only the collector writes this topic; a host with its own Kafka client writes <prefix>.usage.<tenant>.v1` };
const RAW = { field: 'subject', reason: expect.stringContaining('that is no pseudonym'), fix: 'send the event to the collector, which alone writes here', payload: null };
const fine = () => JSON.stringify(event(JANE));

/** What is wrong on either topic. */
const ANYWHERE: Wrong[] = [
  ['no value', { value: null }, { ...UNKNOWN, field: 'value', reason: 'the message has no value', fix: expect.stringContaining('do not use a compacted topic') }],
  ['an empty value', { value: '' }, { ...UNKNOWN, ...BODY, reason: 'nothing' }],
  ['no JSON', { value: 'result accepted' }, { ...UNKNOWN, ...BODY, reason: '15 bytes that are not JSON' }],
  ['a list', { value: `[${fine()}]` }, { ...UNKNOWN, field: 'body', reason: 'a list of 1 item: not an object', fix: 'send an object' }],
  ['bad UTF-8', { value: Buffer.from([0x7b, 0xff, 0x7d]) }, { ...UNKNOWN, field: 'body', reason: '3 bytes that are not UTF-8', fix: 'encode the event as UTF-8' }],
  ['more than 32 KB', { value: JSON.stringify({ ...event(JANE), more: 'x'.repeat(40_000) }) }, { ...UNKNOWN, field: 'body', reason: expect.stringMatching(/^40\d\d\d bytes, more than the 32768/), fix: expect.stringContaining('measurements only') }],
  ['10,000 levels', { value: '['.repeat(10_000) + ']'.repeat(10_000) }, { ...UNKNOWN, field: 'body', reason: 'nested deeper than 8 levels', fix: 'send the fields of the event only' }],
  ['a prototype', { value: JSON.stringify(event(JANE)).replace('{', '{"__proto__":{"tenant":"other"},') }, { ...UNKNOWN, source: 'urn:acme:erp', type: 'foothold.result.accepted.v1', deployment: 'claims', id: expect.any(String), field: 'body', fix: expect.stringContaining('leave it out') }],
  ['Avro', { value: Buffer.from('00000000010a68656c6c6f', 'hex') }, { ...UNKNOWN, ...BODY, reason: '11 bytes that are not JSON' }],
  whole('a prompt', event(JANE, {}, { prompt: 'Dear Jane' }), { field: 'data.prompt', fix: expect.stringContaining('leave it out'), payload: null }),
  whole('a newer version', { ...event(JANE), type: 'foothold.result.accepted.v2' }, { kind: 'quarantined', type: 'foothold.result.accepted.v2', field: 'type', fix: expect.stringContaining('upgrade Foothold'), payload: expect.any(String) }),
];

const ON_COLLECTED: Wrong[] = [
  ...ANYWHERE.map(([what, message, letter]): Wrong => [what, { ...message, headers: ACME }, letter]),
  ['no tenant', { value: fine() }, { ...TENANT, reason: 'there is none, so nobody knows whose event it is' }],
  ['an empty tenant', { value: fine(), headers: { tenant: '' } }, { ...TENANT, reason: expect.stringContaining('0 characters') }],
  ['a tenant in capitals', { value: fine(), headers: { tenant: 'ACME' } }, { ...TENANT, reason: expect.stringContaining('4 characters') }],
  ['a tenant with a dot', { value: fine(), headers: { tenant: 'acme.eu' } }, { ...TENANT, reason: expect.stringContaining('7 characters') }],
  ['a path for a tenant', { value: fine(), headers: { tenant: '../acme' } }, { ...TENANT, reason: expect.stringContaining('7 characters') }],
  ['bytes for a tenant', { value: fine(), headers: { tenant: Buffer.from([0xff, 0, 0xfe]) } }, { ...TENANT, reason: expect.stringContaining('3 characters') }],
  ['two tenants, the first of them none', { value: fine(), headers: { tenant: ['', 'acme'] } }, { ...TENANT, reason: expect.stringContaining('0 characters') }],
  whole('a name', event('jane'), RAW, ACME),
  whole('a pseudonym in capitals', event(JANE.toUpperCase()), RAW, ACME),
  whole('a name that decided', event(JANE, {}, { actor: 'joe' }), { ...RAW, field: 'data.actor' }, ACME),
];
const ON_OWN: Wrong[] = [
  ...ANYWHERE,
  whole('no subject', event('jane', { subject: undefined }), { field: 'subject', fix: 'send the person, as the host knows them' }),
  whole('an object for a subject', event('jane', { subject: { name: 'Jane' } }), { field: 'subject', payload: null }),
];
/** Letters that append writes come after those of the boundary. */
const UNREGISTERED = event(JANE, { deployment: 'claim' });
const ELSEWHERE = event(JANE);

const topics = [
  { topic: COLLECTED, wrong: ON_COLLECTED, headers: ACME },
  { topic: OWN, wrong: ON_OWN, headers: { tenant: 'other' } }, // the topic's name is the tenant, headers are not believed
];

const kafka = testKafka();
let database: FreshDatabase;
let client: pg.Client;
let folder: string;
let settings: Record<string, string>;
let recorder: Running;
let stopped: Ended;
const right: Record<string, unknown>[] = [];
const letters = new Map<string, Record<string, unknown>[]>();
let nextOffset: Record<string, bigint[]>;

beforeAll(async () => {
  database = await freshDatabase();
  folder = mkdtempSync(join(tmpdir(), 'foothold-wrong-message-'));
  settings = { DATABASE_URL: database.url, FOOTHOLD_HOME: folder, FOOTHOLD_PSEUDONYM_KEY: KEY, KAFKA_BROKERS: kafka.brokers.join(','), KAFKA_PREFIX: PREFIX };
  expect(await foothold(['deployment', 'register', 'claims', '--tenant', 'acme'], settings)).toMatchObject({ code: 0 });
  client = new pg.Client(database.url);
  await client.connect();

  for (const { topic, wrong, headers } of topics) {
    await kafka.createTopic(topic);
    const messages = wrong.flatMap(([, message]) => {
      const good = event(topic === OWN ? 'jane' : JANE);
      right.push(good);
      return [message, { value: JSON.stringify(good), headers }];
    });
    messages.push({ value: JSON.stringify(UNREGISTERED), headers });
    await kafka.produce(topic, messages);
  }
  await kafka.produce(COLLECTED, [{ value: JSON.stringify(ELSEWHERE), headers: { tenant: 'nobody' } }]);
  nextOffset = { [COLLECTED]: await kafka.nextOffsets(COLLECTED), [OWN]: await kafka.nextOffsets(OWN) };

  recorder = startFoothold([], settings, RECORDER);
  const total = Object.values(nextOffset).flat().reduce((sum, offset) => sum + Number(offset), 0);
  const deadline = Date.now() + 90_000;
  for (let read = 0; read < total; await sleep(100)) {
    read = (await client.query<{ read: number }>('select coalesce(sum(next_offset), 0)::int as read from origin')).rows[0]!.read;
    if (recorder.process.exitCode !== null || Date.now() > deadline) throw new Error(`the recorder read ${read} of ${total}: ${(await Promise.race([recorder.ended, sleep(0)]))?.stderr ?? 'it still runs'}`);
  }
  for (const { topic } of topics) {
    const { rows } = await client.query<Record<string, unknown>>('select d.* from dead_letter d join origin o using (origin) where o.name like $1 order by dead_letter', [`%/${topic}`]);
    letters.set(topic, opened(rows, new Sealer(Buffer.from(KEY, 'hex'))));
  }
  recorder.process.kill('SIGTERM');
  stopped = await recorder.ended;
});

afterAll(async () => {
  recorder?.process.kill('SIGKILL');
  await client?.end();
  await database?.drop();
  await kafka.close();
  rmSync(folder, { recursive: true });
});

describe.each(topics)('on $topic', ({ topic, wrong }) => {
  it.each(wrong.map(([what, , letter], i) => [what, i, letter] as const))('%s', (_what, i, letter) => {
    const found = letters.get(topic)![i];
    expect(found).toMatchObject({ kind: 'rejected', reason: expect.stringMatching(/./), ...letter });
    expect(JSON.stringify(found)).not.toMatch(/jane|joe/i);
  });

  it('counts every record once', async () => {
    const late = topic === COLLECTED ? 2 : 1; // no such deployment, of no such tenant
    expect(letters.get(topic)).toHaveLength(wrong.length + late);
    const { rows } = await client.query('select next_offset, void_offsets::int, stored::int, duplicate::int, rejected::int, quarantined::int from origin where name like $1', [`%/${topic}`]);
    const newer = wrong.filter(([, , { kind }]) => kind === 'quarantined').length;
    expect(rows).toEqual([{ next_offset: String(nextOffset[topic]![0]), void_offsets: 0, stored: wrong.length, duplicate: 0, rejected: wrong.length - newer, quarantined: newer + late }]);
  });
});

describe('beside them', () => {
  it('what is registered nowhere waits, with its tenant', () => {
    for (const { topic } of topics) {
      expect(letters.get(topic)).toContainEqual(expect.objectContaining({ kind: 'quarantined', tenant: 'acme', deployment: 'claim', id: UNREGISTERED['id'], field: 'deployment', fix: expect.stringContaining('foothold deployment register claim --tenant acme'), payload: expect.any(String) }));
    }
    expect(letters.get(COLLECTED)).toContainEqual(expect.objectContaining({ kind: 'quarantined', tenant: 'nobody', deployment: 'claims', id: ELSEWHERE['id'], field: 'deployment' }));
  });

  it('everything right is stored, and all is accounted for', async () => {
    const { rows } = await client.query<{ id: string; data: unknown }>('select id, data from event where origin is not null');
    expect(rows).toHaveLength(right.length);
    for (const { id, data } of right) expect(rows).toContainEqual({ id, data });
    const { code, stdout } = await foothold(['verify', '--json'], settings);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ balanced: true, stored: right.length, duplicate: 0, received: Number(nextOffset[COLLECTED]![0]! + nextOffset[OWN]![0]!) });
  });

  it('the recorder went on, ended when it was told to, and told no names', () => {
    expect([stopped.code, stopped.stdout]).toEqual([0, '']);
    for (const said of stopped.stderr.trim().split('\n')) expect(JSON.parse(said)).toEqual(expect.objectContaining({ level: expect.any(Number), msg: expect.any(String) }));
    expect(stopped.stderr).not.toMatch(/jane|joe|Dear/i);
  });
});
