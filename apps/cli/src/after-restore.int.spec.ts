/** What doctor says after a loss, check by check; that the SQL it prints mends what it found. The whole way is walked in test/recovery.e2e.spec.ts. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeEach, expect, it } from '@jest/globals';
import { openDirect, openOrigin, type Log } from '@foothold/event-log';
import { Keys, originName } from '@foothold/platform';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { footholdHere } from '../../../test/support/foothold.js';
import { requireKafka, testKafka } from '../../../test/support/kafka.js';
import { foldAll, KEY, openTestLog, registerDeployment } from '../../../test/support/recording.js';
import { type Check } from './check.js';

const kafka = testKafka();
let database: FreshDatabase;
let log: Log;
let prefix: string;
let topic: string;
let cluster: string;

beforeEach(async () => {
  database = await freshDatabase();
  log = await openTestLog(database.url);
  prefix = `t${randomUUID().slice(0, 13)}`;
  topic = `${prefix}.usage.acme.v1`;
  await cli('verify'); // brings the schema up to date
  await kafka.createTopic(topic);
  await kafka.produce(topic, ['1', '2', '3', '4', '5'].map((value) => ({ value })));
  const admin = kafka.client.admin();
  await admin.connect();
  cluster = (await admin.describeCluster()).clusterId;
  await admin.disconnect();
});

afterEach(async () => {
  await log.database.close();
  await database.drop();
});

afterAll(() => kafka.close());

const cli = (...args: string[]) => footholdHere(args, { DATABASE_URL: database.url, KAFKA_BROKERS: requireKafka().join(','), KAFKA_PREFIX: prefix, FOOTHOLD_PSEUDONYM_KEY: KEY });

async function check(name: string): Promise<Check> {
  const { checks } = JSON.parse((await cli('doctor', '--after-restore', '--json')).stdout) as { checks: Check[] };
  return checks.find((found) => found.name === name)!;
}

/** Runs what a check's fix says, and gives the check anew. */
async function mended(name: string): Promise<Check> {
  const { fix } = await check(name);
  for (const statement of fix.slice(fix.search(/\b(update|select|truncate) /)).split('; ')) await log.database.query(statement);
  return check(name);
}

const SEEN = '2026-11-25T10:00:00.000Z';

async function fence(of: string, next: number, name = originName(cluster, of)): Promise<number> {
  const { origin } = await openOrigin(log.database, { kind: 'kafka', name, part: 0, tenant: 'acme', firstOffset: 0 });
  await log.database.query(`update origin set next_offset = $2, end_seen_at = $3 where origin = $1`, [origin, next, SEEN]);
  return origin;
}

async function removeBefore(offset: number): Promise<void> {
  const admin = kafka.client.admin();
  await admin.connect();
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
  await admin.disconnect();
}

it('tells what Kafka still has behind the fences from what is in neither, and the fence goes on behind that', async () => {
  const origin = await fence(topic, 1);
  expect(await check('to be read')).toMatchObject({ ok: true, detail: `Kafka still has 4 offsets behind the fences, which a recorder reads: ${topic}[0] from 1 to 4` });
  expect(await check('removed by retention')).toMatchObject({ ok: true });
  const before = Date.now();
  await removeBefore(3);
  const found = await check('removed by retention');
  expect(found).toMatchObject({ ok: false, detail: expect.stringContaining(`gone: ${topic}[0] offsets 1 to 2, which came between ${SEEN} and 20`) });
  // The first record that is left came just before this spec began to look.
  expect(Math.abs(Date.parse(/ and (\S+)$/.exec(found.detail)![1]!) - before)).toBeLessThan(60_000);
  expect(await check('to be read')).toMatchObject({ detail: expect.stringContaining(`${topic}[0] from 3 to 4`) });
  expect(await mended('removed by retention')).toMatchObject({ ok: true });
  expect(await log.database.query('select next_offset::int as next, void_offsets::int as voids from origin where origin = $1', [origin])).toEqual([{ next: 3, voids: 2 }]);
  await removeBefore(5);
  expect(await check('removed by retention')).toMatchObject({ detail: expect.stringMatching(/offsets 3 to 4, which came between \S+ and now$/) });
});

it('cannot say whether what retention removed from a topic that the log does not know had been recorded', async () => {
  await removeBefore(2);
  expect(await check('removed by retention')).toEqual({
    name: 'removed by retention', ok: false, detail: `gone: ${topic}[0] offsets 0 to 1 (nothing says whether they were recorded after that moment)`, fix: 'nothing to do: a recorder begins where Kafka does',
  });
});

it('tells a topic that ends before its fence from one that is gone, and how far each was recorded', async () => {
  await fence(topic, 9);
  expect(await check('made anew')).toMatchObject({ ok: false, detail: `${topic}[0] ends at 5 and was recorded up to offset 8: all that was acknowledged up to ${SEEN} is held, what was acknowledged later may be gone` });
  expect(await check('to be read')).toMatchObject({ detail: 'Kafka has nothing behind the fences' });
  expect(await mended('made anew')).toMatchObject({ ok: true });
  expect(await check('to be read')).toMatchObject({ detail: expect.stringContaining('5 offsets') });

  await fence('elsewhere', 0, 'another-cluster/foothold.usage.v1');
  expect(await check('lost')).toMatchObject({ ok: false, detail: `another-cluster/foothold.usage.v1[0] was never recorded: all that was acknowledged up to ${SEEN} is held, what was acknowledged later may be gone` });
  expect(await mended('lost')).toMatchObject({ ok: true });
});

it('names the keys that count, of every tenant, since some of them may have been revoked', async () => {
  const keys = new Keys(log.database);
  const make = (tenant: string, expiresAt: number | null = null) => keys.create({ tenant, kind: 'write', deployments: null, origins: null, note: `of ${tenant}`, expiresAt });
  expect(await check('keys')).toMatchObject({ ok: true });
  await make('acme');
  await make('globex');
  await make('late', Date.now() - 1_000);
  await keys.revoke('globex', 2);
  expect(await check('keys')).toMatchObject({ ok: false, detail: expect.stringMatching(/^THESE COUNT, even those that were revoked after .*: 1 of acme \(write, fhw_\S+, made \S+, of acme\)$/), fix: expect.stringContaining('foothold key revoke') });
});

it('names direct ways in that were open, with the moment up to which they are held, and unfinished files', async () => {
  expect(await check('direct ways in')).toMatchObject({ ok: true, detail: 'no collector without Kafka ever wrote into this log' });
  await registerDeployment(log, 'acme', 'desk');
  const way = await openDirect(log, { beat: () => undefined, warn: () => undefined, fatal: () => undefined });
  await way.hand([{ refusal: { kind: 'rejected', field: 'time', reason: 'r', fix: 'f', tenant: 'acme', deployment: null, source: null, type: null, id: null, payload: null } }]);
  expect(await check('direct ways in')).toMatchObject({ ok: false, detail: expect.stringMatching(/^direct\/\S+, open since \S+: its 1 records up to 20\S+Z are held, what it took after that/) });
  await way.close();
  expect(await check('direct ways in')).toMatchObject({ ok: true });

  await openOrigin(log.database, { kind: 'file', name: 'acme/0123#1', part: 0, tenant: 'acme', firstOffset: 0 });
  expect(await check('imports since')).toMatchObject({ ok: false, detail: expect.stringMatching(/^unfinished: acme\/0123#1, begun at \S+, after 0 lines; no file had been read/) });
});

it('finds read tables of a later moment than the log, and numbers that would be given twice', async () => {
  await registerDeployment(log, 'acme', 'desk');
  await foldAll(log);
  for (const name of ['checkpoints', 'numbering']) expect(await check(name)).toMatchObject({ name, ok: true });
  await log.database.query(`update checkpoint set position = 7 where shard = 3`);
  expect(await check('checkpoints')).toMatchObject({ ok: false, detail: 'log and read tables are of different moments: usage has folded shard 3 up to 7, which ends at 0' });
  expect(await mended('checkpoints')).toMatchObject({ ok: true });

  await log.database.query(`select setval(pg_get_serial_sequence('deployment', 'deployment'), 1, false)`);
  expect(await check('numbering')).toMatchObject({ ok: false, detail: 'deployment would give 1 next and holds 1' });
  expect(await mended('numbering')).toMatchObject({ ok: true });
});
