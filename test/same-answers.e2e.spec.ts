/**
 * The same page of usage through the SDK, the collector, Kafka, recorder and projector, each a process; through standalone;
 * and from a file: every question has the same answer, to the byte, but for its stamps.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ask, CATALOGUE, importRoster, parseRegistration, registerDeployment, understand, usageProjection } from '@foothold/adoption';
import { completeThrough, lag, openLog, verify, type Log } from '@foothold/event-log';
import { Keys, openPlatformDatabase, readConfig } from '@foothold/platform';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Call } from '../apps/standalone/src/demo/calls.js';
import { NINE_MONTHS, outlineOf, simulate, type Organisation } from '../apps/standalone/src/demo/organisation.js';
import { send } from '../apps/standalone/src/demo/sending.js';
import { CollectorStub } from './support/collector-stub.js';
import { freshDatabase, type FreshDatabase } from './support/database.js';
import { answered, footholdHere } from './support/foothold.js';
import { requireKafka, testKafka } from './support/kafka.js';
import { KEY, MIGRATIONS, pseudonymiser, sealer, until } from './support/recording.js';
import { startServing, type Serving } from './support/serving.js';

const TENANT = 'local';
/** The first is long enough for two releases, a mandate and a team that turns away. */
const PLANS = { triage: { ...NINE_MONTHS, people: 20, weeks: 26 }, letters: { ...NINE_MONTHS, seed: 7, people: 24, weeks: 9 } };
type Name = keyof typeof PLANS;
const DEPLOYMENTS = Object.keys(PLANS) as Name[];
const ZONES: Record<Name, string> = { triage: 'Europe/Oslo', letters: 'America/New_York' };

/** One installation: a database of its own, and what stands before it. */
interface Place {
  database: FreshDatabase;
  log: Log;
  settings: Record<string, string>;
  close(): Promise<void>;
}

const kafka = testKafka();
const organisations = Object.fromEntries(DEPLOYMENTS.map((name) => [name, audited(simulate(PLANS[name]))])) as Record<Name, Organisation>;
const places = new Map<string, Place>();
const serving: Serving[] = [];
let folder: string;

/** So small an organisation audits hardly anything: of every second decision it becomes known what was right, before and in the end. */
function audited(organisation: Organisation): Organisation {
  const decisions = organisation.calls.flatMap((call) => (call.call === 'accepted' || call.call === 'overridden' ? [call] : []));
  const truths = decisions.filter((_, i) => i % 2 === 0).map(({ id, person, at, invocation }, i): Call => (
    { call: 'truth', id: `truth:${id}`, person, at, facts: { invocation, aiRight: i % 3 > 0, firstRight: i % 5 > 1, finalRight: i % 7 > 1, ...(i % 4 === 0 ? { sampledWith: 0.3 } : {}) } }));
  return { ...organisation, calls: [...organisation.calls, ...truths] };
}

async function openPlace(name: string, more: Record<string, string> = {}): Promise<Place> {
  const database = await freshDatabase();
  const settings = { DATABASE_URL: database.url, FOOTHOLD_PSEUDONYM_KEY: KEY, FOOTHOLD_HOME: join(folder, name), ...more };
  const opened = await openPlatformDatabase(readConfig(settings), 'spec', MIGRATIONS);
  await opened.database.migrate();
  const keyCheck = (tenant: string) => pseudonymiser.check(tenant);
  const log = openLog(opened.database, keyCheck, sealer);
  for (const id of DEPLOYMENTS) {
    const registration = { ...parseRegistration({ timeZone: ZONES[id], taskKinds: id === 'triage' ? 'referral-triage' : 'discharge-letter,referral-triage', handoff: outlineOf(PLANS[id]).handoff }), sandbox: true };
    await registerDeployment(log, keyCheck, TENANT, id, registration, Date.now() * 1000);
  }
  const place = { database, log, settings, close: opened.close };
  places.set(name, place);
  return place;
}

/** Starts a process with these roles, and gives its URL. */
async function start(roles: string, settings: Record<string, string>): Promise<string> {
  const process = await startServing(roles, settings);
  serving.push(process);
  return process.url;
}

/** Lets both organisations report to the collector at `url`. */
async function report(url: string, key: string): Promise<void> {
  for (const deployment of DEPLOYMENTS) {
    const { calls } = organisations[deployment];
    const troubles: string[] = [];
    const sent = await send(calls, { url, key, deployment }, () => undefined, (what) => troubles.push(what));
    expect([sent, troubles]).toEqual([{ delivered: calls.length, dropped: {} }, []]);
  }
}

const writeKey = async ({ log }: Place) => (await new Keys(log.database).create({ tenant: TENANT, kind: 'write', deployments: null, origins: null, note: null, expiresAt: null })).key;

async function complete({ log: { database } }: Place): Promise<void> {
  const now = Date.now() * 1000;
  await until('everything is in', async () => ((await completeThrough(database, TENANT, usageProjection.name)) ?? 0) > now && (await lag(database, usageProjection.name)).behind === 0);
}

/** Puts everybody who was named by then on the roster, in one of two teams. */
async function enable({ log }: Place): Promise<void> {
  for (const id of DEPLOYMENTS) {
    const people = await log.database.query<{ pseudonym: string; first: string }>(
      `select encode(pseudonym, 'hex') as pseudonym, min(day)::text as first from person_day join person using (person) join deployment d on d.deployment = person_day.deployment where d.id = $1 group by pseudonym order by pseudonym`, [id]);
    const roster = new Map(people.map(({ pseudonym, first }, i) => [pseudonym, [{ team: i % 2 ? 'north' : 'south', role: '', from: first, to: null, leave: false }]]));
    expect(await importRoster(log, { tenant: TENANT, deployments: null }, id, roster, true, Date.now() * 1000)).toMatchObject({ people: people.length, added: people.length });
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foothold-same-'));
  const prefix = `t${randomUUID().slice(0, 13)}`;
  const ways = {
    kafka: async () => {
      for (const topic of ['usage', 'dead-letters']) await kafka.createTopic(`${prefix}.${topic}.v1`, 3);
      const place = await openPlace('kafka', { KAFKA_BROKERS: requireKafka().join(','), KAFKA_PREFIX: prefix });
      const [url] = await Promise.all(['collector', 'recorder', 'projector'].map((role) => start(role, place.settings)));
      await report(url!, await writeKey(place));
      await complete(place);
    },
    standalone: async () => {
      const place = await openPlace('standalone');
      await report(await start('collector,projector,api', place.settings), await writeKey(place));
      await complete(place);
    },
    file: async () => {
      const stub = await CollectorStub.start();
      await report(stub.url, 'fhw_file');
      await stub.close();
      expect(stub.refusals).toEqual([]);
      await writeFile(join(folder, 'page.ndjson'), stub.events.map((event) => `${JSON.stringify(event)}\n`).join(''));
      const { settings } = await openPlace('file');
      const lines = stub.events.length;
      expect(await answered(settings, ['import', join(folder, 'page.ndjson')])).toEqual({ received: lines, stored: lines, duplicate: 0, rejected: 0, quarantined: 0 });
    },
  };
  for (const way of Object.values(ways)) await way();
  for (const place of places.values()) await enable(place);
});

afterAll(async () => {
  const stopped = await Promise.allSettled(serving.map((process) => process.stop()));
  for (const { close, database } of places.values()) {
    await close();
    await database.drop();
  }
  await kafka.close();
  await rm(folder, { recursive: true });
  expect(stopped.filter(({ status }) => status === 'rejected')).toEqual([]);
});

/** Where two texts first differ; nothing where they do not. */
function difference(one: string, other: string): string[] {
  if (one === other) return [];
  const at = [...one].findIndex((character, i) => other[i] !== character);
  return [one, other].map((text) => text.slice(Math.max(0, at - 150), at + 50));
}

const withoutStamps = (json: string): string => json.replace(/"(completeThrough|revisedAt)":"[^"]*"/g, '"$1":"…"');

it('all of it is in each log, once', async () => {
  const events = DEPLOYMENTS.reduce((sum, name) => sum + organisations[name].calls.length, 0);
  const kinds = new Set(DEPLOYMENTS.flatMap((name) => organisations[name].calls.map(({ call }) => call)));
  expect(kinds).toEqual(new Set(['invocation', 'shown', 'accepted', 'overridden', 'abandoned', 'withdrawn', 'failed', 'rechecked', 'task', 'feedback', 'truth', 'queue', 'feed', 'outcome', 'modelScore']));
  for (const { log } of places.values()) {
    expect(await verify(log.database)).toMatchObject({ balanced: true, problems: [], rejected: 0, quarantined: 0 });
    const [counted] = await log.database.query<{ events: number }>(`select count(*)::int as events from event where shard < 16 and type <> 'sdk.reported'`);
    expect(counted!.events).toBe(events);
  }
});

/** What tells of the twenty-sixth week, which none of these organisations has come to, but by the week. */
const HALF_A_YEAR = ['adoption.retention', 'adoption.survival'];

it.each(CATALOGUE.map((metric) => [metric.id, metric] as const))('%s has one answer, however it is cut', async (id, { grains, dimensions }) => {
  const single = [[], ...dimensions.map((dimension) => [dimension])];
  const pairs = dimensions.includes('task_kind') ? dimensions.filter((dimension) => dimension !== 'task_kind').map((dimension) => ['task_kind', dimension]) : [];
  for (const deployment of DEPLOYMENTS) for (const grain of grains) for (const by of grain === 'week' ? [...single, ...pairs] : single) {
    const question = understand({ metric: id, grain, by: by.join(',') });
    const answers = new Map<string, string>();
    for (const [name, { log }] of places) {
      const answer = await (await ask(log, { tenant: TENANT, deployments: null }, deployment, question)).answer();
      if (!HALF_A_YEAR.includes(id) || by.includes('week')) expect(answer.rows.some(({ people, value }) => people !== null && people > 0 && value !== null)).toBe(true);
      answers.set(name, withoutStamps(JSON.stringify(answer)));
    }
    for (const way of ['standalone', 'file']) expect([deployment, grain, by, way, ...difference(answers.get('kafka')!, answers.get(way)!)]).toEqual([deployment, grain, by, way]);
  }
});

it('the command line prints the same bytes', async () => {
  for (const { id, dimensions, grains } of CATALOGUE) {
    const printed: string[] = [];
    for (const { settings } of places.values()) {
      const { code, stdout } = await footholdHere(['metrics', 'triage', id, '--grain', grains.includes('week') ? 'week' : grains[0]!, ...(dimensions.includes('task_kind') ? ['--by', 'task_kind'] : []), '--json'], settings);
      expect(code).toBe(0);
      printed.push(withoutStamps(stdout));
    }
    expect(printed[0]!.length).toBeGreaterThan(400);
    for (const other of printed.slice(1)) expect(difference(printed[0]!, other)).toEqual([]);
  }
});
