/**
 * Recorders and projectors are killed (SIGKILL) at seeded points while 100,000 records come in over Kafka; afterwards
 * nothing acknowledged is lost, nothing is counted twice, and the read tables are those of a run nobody disturbed.
 * The seed is printed; KILL_SEED repeats a run's load and points.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes, randomInt } from 'node:crypto';
import { CompressionTypes, type Admin } from 'kafkajs';
import pg from 'pg';
import { freshDatabase, type FreshDatabase } from './support/database.js';
import { buried, difference, fence, loggedIds, progress, readTable } from './support/database-contents.js';
import { Fleet, STRETCH } from './support/fleet.js';
import { testKafka } from './support/kafka.js';
import { drawPoints, killAt, KINDS, type Kill, type Point } from './support/kill-points.js';
import { foothold, startFoothold, STANDALONE, type Running } from './support/foothold.js';
import { seeded } from './support/seeded.js';
import { DEPLOYMENTS, drawLoad, FATES, type Fate, type LoadRecord } from './support/usage-load.js';

const RECORDS = 100_000;
const PARTITIONS = 4;
const CHUNK = 500;
const SEED = Number(process.env.KILL_SEED ?? randomInt(2 ** 31));
const TENANT = 'acme';
const PREFIX = `kill-${randomBytes(6).toString('hex')}`;
const TOPIC = `${PREFIX}.usage.${TENANT}.v1`;

const points = drawPoints(seeded(SEED).next);
/** The round of a point between two stretches of a batch is one batch of more than one stretch. */
const isBatch = (point: Point) => point.kind === 'recorder between the answer to COMMIT and the commit to Kafka';
const BATCH = STRETCH + 1_500;
const rest = RECORDS - points.filter(isBatch).length * BATCH;
const small = points.filter((point) => !isBatch(point)).length;
const load = drawLoad(
  SEED,
  points.map((point, i) => (isBatch(point) ? { records: BATCH, partition: i % PARTITIONS } : { records: Math.ceil(rest / small) })),
  PARTITIONS,
);

describe(`24 kills within 100,000 records, KILL_SEED=${SEED}`, () => {
  const kafka = testKafka();
  const fleet = new Fleet(['recorder', 'recorder', 'projector', 'projector']);
  const databases: FreshDatabase[] = [];
  const kills: Kill[] = [];
  const acknowledged: LoadRecord[] = [];
  let admin: Admin;
  let whole: Running | undefined;
  let disturbed: pg.Client;
  let undisturbed: pg.Client;

  beforeAll(async () => {
    say(`KILL_SEED=${SEED}`);
    admin = kafka.client.admin();
    await admin.connect();
    await kafka.createTopic(TOPIC, PARTITIONS);
    disturbed = await registered(Object.entries(DEPLOYMENTS));
    undisturbed = await registered(Object.entries(DEPLOYMENTS).reverse()); // so that the same deployment has another number

    await fleet.start(databases[0]!.url, environment(0));
    for (const [i, point] of points.entries()) await round(i, point);
    await folded(disturbed);
    await fleet.stop();

    whole = startFoothold(['--roles', 'recorder,projector'], environment(1), STANDALONE);
    await folded(undisturbed);
    whole.process.kill();
    expect((await whole.ended).code).toBe(0);
  }, 420_000);

  afterAll(async () => {
    await fleet.stop().catch(() => undefined); // beforeAll has said it, unless it failed before
    whole?.process.kill();
    await Promise.all([disturbed?.end(), undisturbed?.end(), admin?.disconnect()]);
    await kafka.deleteTopic(TOPIC);
    await kafka.close();
    for (const database of databases) await database.drop();
  });

  it('killed at as many points of each kind as planned', () => {
    const hit = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, kills.filter((kill) => kill.kind === kind).length]));
    say(`${acknowledged.length} records acknowledged: ${FATES.map((fate) => `${ids(fate).length} ${fate}`).join(', ')}`);
    say(Object.entries(hit).map(([kind, count]) => `${String(count).padStart(4)}  ${kind}`).join('\n'));
    expect(hit).toEqual(Object.fromEntries(Object.entries(KINDS).map(([kind, { points: count }]) => [kind, count])));
    expect(kills).toHaveLength(24);
  });

  it('made of every acknowledged record exactly one of stored, duplicate, rejected and quarantined', async () => {
    const stored = await loggedIds(disturbed);
    expect(difference(stored, ids('stored'))).toEqual({ missing: [], surplus: [] });
    const letters = await buried(disturbed);
    expect(difference(letters, (['rejected', 'quarantined'] as const).flatMap((fate) => ids(fate).map((id) => `${fate} ${id}`)))).toEqual({ missing: [], surplus: [] });
    const { rows } = await disturbed.query<{ duplicate: number }>('select sum(duplicate)::int as duplicate from origin');
    expect(rows[0]!.duplicate).toBe(ids('duplicate').length);
    expect(stored.length + letters.length + rows[0]!.duplicate).toBe(acknowledged.length);
  });

  it('left a ledger that balances and has received what was produced', async () => {
    expect(acknowledged.length).toBeGreaterThanOrEqual(RECORDS);
    expect(await verified()).toMatchObject({
      balanced: true, received: acknowledged.length, stored: ids('stored').length, duplicate: ids('duplicate').length,
      rejected: ids('rejected').length, quarantined: ids('quarantined').length,
    });
  });

  it.each(['invocation', 'task', 'person_day'] as const)('left the table %s as an undisturbed run does', async (table) => {
    const [rows, expected] = [await readTable(disturbed, table), await readTable(undisturbed, table)];
    expect(difference(rows, expected)).toEqual({ missing: [], surplus: [] });
    expect(rows.length).toBe(table === 'person_day' ? expected.length : load[`${table}s`]);
    expect(rows.length).toBeGreaterThan(5_000);
  });

  /** Produces a round while the processes run, until one is killed at its point. */
  async function round(i: number, point: Point): Promise<void> {
    if (isBatch(point)) await settled();
    const begun = Date.now();
    const killed = killAt(fleet, point);
    await produce(load.rounds[i]!, isBatch(point));
    const kill = await within(60_000, killed, `${point.kind} was not reached`);
    kills.push(kill);
    const found = await evidence(kill);
    say(`kill ${i + 1} of ${points.length} after ${seconds(begun)} s: ${kill.worker.name}, ${kill.kind}${found}`);
    if (i % 8 === 7) expect(await verified()).toMatchObject({ balanced: true });
  }

  /**
   * Waits until every recorder is a member of the group since its present process began, so that those who died have
   * left it: who takes a partition away between two stretches of a batch leaves no such point in it.
   */
  async function settled(): Promise<void> {
    const recorders = fleet.workers.filter(({ role }) => role === 'recorder');
    const joined = async () => {
      while (!recorders.every((worker) => worker.lives && worker.says.includes('joined the group'))) await new Promise((resolve) => setTimeout(resolve, 50));
    };
    await within(60_000, joined(), 'not every recorder joined the group');
  }

  /** What database and Kafka say of a recorder's kill: whether its append took place, and that Kafka has not heard of it. */
  async function evidence({ kind, worker, moment, nth, afterMs }: Kill): Promise<string> {
    if (moment === undefined) return `, ${afterMs} ms after the one before`;
    const which = moment.kind === 'commit' ? `, transaction ${nth}` : '';
    if (worker.role === 'projector') return which;
    const { origin, from, next } = moment.stretch!; // an append that moves no fence fails here
    const committed = moment.kind === 'another-stretch' || KINDS[kind].decision === 'forward-then-cut';
    const begun = Date.now();
    let stands = await fence(disturbed, origin);
    while (committed && stands.next < next && Date.now() - begun < 5_000) stands = await fence(disturbed, origin);
    expect(stands.next).toBe(committed ? next : from);
    const offsets = await admin.fetchOffsets({ groupId: `${PREFIX}.recorder`, topics: [TOPIC] });
    const told = Number(offsets[0]!.partitions.find(({ partition }) => partition === stands.part)!.offset);
    expect(told).toBeLessThan(next);
    return `${which}, [${stands.part}] ${from} to ${next - 1}: fence at ${stands.next}, Kafka told of ${told < 0 ? 'nothing' : told}`;
  }

  /** Sends records in small batches, or as one batch that is fetched whole. */
  async function produce(records: LoadRecord[], whole: boolean): Promise<void> {
    for (let at = 0; at < records.length; at += whole ? records.length : CHUNK) {
      const chunk = whole ? records : records.slice(at, at + CHUNK);
      await kafka.produce(TOPIC, chunk.map(({ key, value, partition }) => ({ key, value, partition })), whole ? CompressionTypes.GZIP : CompressionTypes.None);
      acknowledged.push(...chunk);
    }
  }

  async function folded(client: pg.Client): Promise<void> {
    const begun = Date.now();
    for (;;) {
      const { received, behind } = await within(90_000, progress(client), 'the database did not answer');
      if (received >= acknowledged.length && behind === 0) break;
      if (Date.now() - begun > 90_000) throw new Error(`${received} of ${acknowledged.length} recorded and ${behind} events not folded after 90 s`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    say(`all recorded and folded after ${seconds(begun)} s`);
  }

  async function within<T>(ms: number, work: Promise<T>, otherwise: string): Promise<T> {
    let timer: NodeJS.Timeout;
    const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new Error(`${otherwise} within ${ms} ms`)), ms)));
    return Promise.race([work, late, fleet.failed]).finally(() => clearTimeout(timer));
  }

  async function verified(): Promise<unknown> {
    return JSON.parse((await foothold(['verify', '--json'], environment(0))).stdout) as unknown;
  }

  /** A database with these deployments. */
  async function registered(deployments: [string, string][]): Promise<pg.Client> {
    const database = await freshDatabase();
    databases.push(database);
    for (const [deployment, zone] of deployments) {
      const { code, stderr } = await foothold(['deployment', 'register', deployment, '--tenant', TENANT, '--time-zone', zone], environment(databases.length - 1));
      if (code !== 0) throw new Error(stderr);
    }
    const client = new pg.Client(database.url);
    await client.connect();
    return client;
  }

  const environment = (database: number) => ({
    DATABASE_URL: databases[database]!.url, KAFKA_BROKERS: kafka.brokers.join(','), KAFKA_PREFIX: PREFIX, FOOTHOLD_PSEUDONYM_KEY: '5e'.repeat(32),
  });

  const ids = (fate: Fate): string[] => acknowledged.filter((record) => record.fate === fate).map(({ id }) => id);
});

const seconds = (since: number): string => ((Date.now() - since) / 1000).toFixed(1);
const say = (text: string): boolean => process.stdout.write(`${text}\n`);
