/** Every way in gives the published figures of the Copilot log: file, Kafka, both, in any order, any number of times. */
import { createHmac, randomInt, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { usageProjection } from '@foothold/adoption';
import { completeThrough, lag, type Log } from '@foothold/event-log';
import { freshDatabase, type FreshDatabase } from './support/database.js';
import { answered, footholdHere, startFoothold, type Running } from './support/foothold.js';
import { requireKafka, testKafka } from './support/kafka.js';
import { KEY, openTestLog, until } from './support/recording.js';

const FIXTURE = join(import.meta.dirname, 'fixtures/cups/events.ndjson');
const LINES = readFileSync(FIXTURE, 'utf8').trimEnd().split('\n');
const TENANT = 'local';
const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));

interface Answer {
  completeThrough: string;
  rows: { variant: string; value: number | null; numerator: number; denominator: number; people: number }[];
}
type Counts = Record<'received' | 'stored' | 'duplicate' | 'rejected' | 'quarantined', number>;

const kafka = testKafka();
let folder: string;
let database: FreshDatabase;
let log: Log;
let environment: Record<string, string>;
let topic: string;
let serving: Running | undefined;

beforeAll(async () => {
  process.stderr.write(`ways-in: SEED=${SEED}\n`);
  folder = await mkdtemp(join(tmpdir(), 'foothold-ways-in-'));
});

afterAll(async () => {
  await kafka.close();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  database = await freshDatabase();
  log = await openTestLog(database.url);
  const prefix = `t${randomUUID().slice(0, 13)}`;
  topic = `${prefix}.usage.${TENANT}.v1`;
  environment = { DATABASE_URL: database.url, KAFKA_BROKERS: requireKafka().join(','), KAFKA_PREFIX: prefix, FOOTHOLD_PSEUDONYM_KEY: KEY, FOOTHOLD_HOME: join(folder, prefix) };
});

afterEach(async () => {
  serving?.process.kill('SIGTERM');
  const ended = await serving?.ended;
  serving = undefined;
  await log.database.close();
  await database.drop();
  if (ended && ended.code !== 0) throw new Error(`serve ended with ${ended.code}: ${ended.stderr}`);
});

/** The published figures, as the command line answers them; then the ledger, against counts taken without it. */
async function mustBeThePublished(counts: Counts): Promise<void> {
  const [acceptance, override, abandonment] = [await metric('trust.acceptance'), await metric('trust.override'), await metric('trust.abandonment')];
  const ledger = await said<Counts & { balanced: boolean; problems: string[] }>(['verify']);
  const of = ({ rows }: Answer, variant: string) => rows.find((row) => row.variant === variant)!;
  expect(of(acceptance, 'shown')).toMatchObject({ numerator: 386, denominator: 1150, people: 21 });
  expect(of(acceptance, 'decided')).toMatchObject({ numerator: 386, denominator: 1096, people: 21 });
  expect(of(override, 'all')).toMatchObject({ numerator: 710, denominator: 1096, people: 21 });
  expect(of(abandonment, 'undecided')).toMatchObject({ numerator: 54, denominator: 1150 });
  const shares = ['shown', 'decided', 'people', 'people_shown'].map((variant) => of(acceptance, variant).value!.toFixed(4));
  expect(shares).toEqual(['0.3357', '0.3522', '0.3611', '0.3416']);
  const [verbatim, edits, calibration] = [await metric('trust.verbatim'), await metric('trust.edits'), await metric('trust.calibration')];
  expect(of(verbatim, 'all')).toMatchObject({ numerator: 227, denominator: 386 });
  expect(['light', 'moderate', 'heavy'].reduce((edited, band) => edited + of(edits, band).numerator!, 0)).toBe(159);
  const [brier, ece] = [of(calibration, 'acceptance_brier'), of(calibration, 'acceptance_ece')];
  expect([brier.denominator, brier.value!.toFixed(4), ece.value!.toFixed(4)]).toEqual([1014, '0.2890', '0.2239']);
  expect(ledger).toMatchObject({ balanced: true, problems: [], ...counts });
}

const metric = (id: string) => said<Answer>(['metrics', 'copilot', id, '--grain', 'all']);

async function said<Answered>(args: string[]): Promise<Answered> {
  const { code, stdout, stderr } = await footholdHere([...args, '--json'], environment);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Answered;
}

const imported = (file: string) => answered<Counts>(environment, ['import', file, '--register']);
const registered = () => answered(environment, ['deployment', 'register', 'copilot', '--sandbox']);
const counts = (received: number, stored: number): Counts => ({ received, stored, duplicate: received - stored, rejected: 0, quarantined: 0 });

/** Waits until the answers hold everything that is in Kafka now. */
async function complete(): Promise<void> {
  const now = Date.now() * 1000;
  await until('everything is in', async () => {
    const at = await completeThrough(log.database, TENANT, usageProjection.name);
    return at !== null && at > now && (await lag(log.database, usageProjection.name)).behind === 0;
  }, () => `; serve said ${serving?.said.stderr.slice(-2000)}`);
}

async function produce(lines: string[]): Promise<void> {
  await kafka.produce(topic, lines.map((value) => ({ key: (JSON.parse(value) as { subject: string }).subject, value })));
}

/** Records in the topic, by the broker's count. */
const held = async () => (await kafka.nextOffsets(topic)).map(Number);
const sum = (numbers: number[]) => numbers.reduce((one, other) => one + other, 0);

/** Fisher and Yates under a linear congruential generator. */
function shuffled(lines: string[], seed: number): string[] {
  const mixed = [...lines];
  let state = seed >>> 0;
  for (let i = mixed.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const j = Math.floor((state / 2 ** 32) * (i + 1));
    [mixed[i], mixed[j]] = [mixed[j]!, mixed[i]!];
  }
  return mixed;
}

it('by a file, and by the same file twice', async () => {
  expect(await imported(FIXTURE)).toEqual(counts(LINES.length, LINES.length));
  await mustBeThePublished(counts(LINES.length, LINES.length));
  expect(await imported(FIXTURE)).toEqual({ ...counts(LINES.length, 0) });
  await mustBeThePublished(counts(2 * LINES.length, LINES.length));
});

it('by Kafka, and with every message twice', async () => {
  await registered();
  await kafka.createTopic(topic, 3);
  serving = startFoothold(['serve', '--roles', 'recorder,projector'], environment);
  await produce(LINES);
  await complete();
  expect(Math.min(...(await held()))).toBeGreaterThan(0);
  expect(sum(await held())).toBe(LINES.length);
  await mustBeThePublished(counts(LINES.length, LINES.length));
  await produce(LINES);
  await complete();
  expect(sum(await held())).toBe(2 * LINES.length);
  await mustBeThePublished(counts(2 * LINES.length, LINES.length));
});

it('by a file in any order', async () => {
  const file = join(folder, 'shuffled.ndjson');
  await writeFile(file, `${shuffled(LINES, SEED).join('\n')}\n`);
  expect(await imported(file)).toEqual(counts(LINES.length, LINES.length));
  await mustBeThePublished(counts(LINES.length, LINES.length));
});

it('by Kafka in any order', async () => {
  await registered();
  await kafka.createTopic(topic, 3);
  serving = startFoothold(['serve', '--roles', 'recorder,projector'], environment);
  const mixed = shuffled(LINES, SEED + 1);
  for (let at = 0; at < mixed.length; at += 500) await produce(mixed.slice(at, at + 500));
  await complete();
  await mustBeThePublished(counts(sum(await held()), LINES.length));
});

it('by both at once', async () => {
  await registered();
  await kafka.createTopic(topic, 3);
  serving = startFoothold(['serve', '--roles', 'recorder,projector'], environment);
  // The recorder is reading before the import begins, and goes on until after it has ended.
  const mixed = shuffled(LINES, SEED + 2);
  await produce(mixed.slice(0, 200));
  await until('the recorder has begun', async () => (await log.database.query('select from event where shard < 16 limit 1')).length > 0);
  let importing = true;
  const [file] = await Promise.all([
    imported(FIXTURE).finally(() => (importing = false)),
    (async () => {
      let at = 200;
      for (; at < mixed.length - 200 && importing; at += 100) await produce(mixed.slice(at, at + 100));
      for (; at < mixed.length; at += 500) await produce(mixed.slice(at, at + 500));
    })(),
  ]);
  expect(file).toMatchObject({ received: LINES.length, rejected: 0, quarantined: 0 });
  await complete();
  expect(sum(await held())).toBe(LINES.length);
  await mustBeThePublished(counts(2 * LINES.length, LINES.length));
});

it('by the collector\'s topic, with the tenant in the header and people as pseudonyms', async () => {
  await registered();
  topic = `${environment.KAFKA_PREFIX}.usage.v1`;
  await kafka.createTopic(topic, 3);
  serving = startFoothold(['serve', '--roles', 'recorder,projector'], environment);
  const tenantKey = createHmac('sha256', Buffer.from(KEY, 'hex')).update(`tenant:${TENANT}`).digest();
  await kafka.produce(topic, LINES.map((line) => {
    const event = JSON.parse(line) as { subject: string };
    const subject = createHmac('sha256', tenantKey).update(event.subject).digest('hex');
    return { key: `copilot/${subject}`, value: JSON.stringify({ ...event, subject }), headers: { tenant: TENANT, 'content-type': 'application/cloudevents+json' } };
  }));
  await complete();
  await mustBeThePublished(counts(sum(await held()), LINES.length));

  // The pseudonyms are those of the direct way in: the same events from a file are known.
  expect(await imported(FIXTURE)).toEqual(counts(LINES.length, 0));
  await mustBeThePublished(counts(2 * LINES.length, LINES.length));
});
