/** What doctor says of Kafka beside the log: fences, topics that are gone or misnamed, records that nobody takes. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeEach, expect, it } from '@jest/globals';
import { append, finishOrigin, openOrigin, type Arrival, type Log } from '@foothold/event-log';
import { originName } from '@foothold/platform';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { footholdHere } from '../../../test/support/foothold.js';
import { requireKafka, testKafka } from '../../../test/support/kafka.js';
import { foldAll, KEY, openTestLog, pseudonymiser, registerDeployment } from '../../../test/support/recording.js';

interface Check {
  name: string;
  ok: boolean;
  detail: string;
  fix: string;
}

const kafka = testKafka();
let database: FreshDatabase;
let log: Log;
let prefix: string;
let cluster: string;

beforeEach(async () => {
  database = await freshDatabase();
  log = await openTestLog(database.url);
  prefix = `t${randomUUID().slice(0, 13)}`;
  await cli('verify'); // brings the schema up to date
  const admin = kafka.client.admin();
  await admin.connect();
  cluster = (await admin.describeCluster()).clusterId;
  await admin.disconnect();
  await kafka.createTopic(`${prefix}.usage.acme.v1`);
});

afterEach(async () => {
  await log.database.close();
  await database.drop();
});

afterAll(() => kafka.close());

const cli = (...args: string[]) => footholdHere(args, { DATABASE_URL: database.url, KAFKA_BROKERS: requireKafka().join(','), KAFKA_PREFIX: prefix, FOOTHOLD_PSEUDONYM_KEY: KEY });

async function examined(): Promise<{ code: number | null; check: (name: string) => Check | undefined; failing: Check[] }> {
  const { code, stdout } = await cli('doctor', '--json');
  const { checks } = JSON.parse(stdout) as { checks: Check[] };
  return { code, check: (name) => checks.find((found) => found.name === name), failing: checks.filter(({ ok }) => !ok) };
}

/** A fence as a recorder leaves it, having seen the end of the partition so many seconds ago. */
async function fence(topic: string, next: number, seenSecondsAgo: number): Promise<void> {
  const { origin } = await openOrigin(log.database, { kind: 'kafka', name: originName(cluster, topic), part: 0, tenant: 'acme', firstOffset: 0 });
  await log.database.query(`update origin set next_offset = $2, end_seen_at = clock_timestamp() - make_interval(secs => $3) where origin = $1`, [origin, next, seenSecondsAgo]);
}

const three = () => kafka.produce(`${prefix}.usage.acme.v1`, [{ value: '1' }, { value: '2' }, { value: '3' }]);

it('is content where the fences stand at the ends', async () => {
  await three();
  await fence(`${prefix}.usage.acme.v1`, 3, 500);
  const { code, check, failing } = await examined();
  expect([check('fences'), check('sources'), check('recorder lag')]).toEqual([
    { name: 'fences', ok: true, detail: 'what was read is what the broker holds', fix: '' },
    { name: 'sources', ok: true, detail: 'every topic that was read is there', fix: '' },
    { name: 'recorder lag', ok: true, detail: '0 records wait in Kafka', fix: '' },
  ]);
  expect([code, failing]).toEqual([0, []]);
});

it('misses a recorder where records wait and nobody has seen the end for a minute, or ever', async () => {
  await three();
  expect((await examined()).check('recorder lag')).toMatchObject({ ok: false, detail: '3 records wait in Kafka, and no recorder has ever seen the end', fix: expect.stringContaining('start a recorder') });
  await fence(`${prefix}.usage.acme.v1`, 1, 120);
  expect((await examined()).check('recorder lag')).toMatchObject({ ok: false, detail: expect.stringMatching(/^2 records wait in Kafka, and no recorder has seen the end for 12\d s$/) });
  await fence(`${prefix}.usage.acme.v1`, 1, 5);
  expect((await examined()).check('recorder lag')).toMatchObject({ ok: true, detail: expect.stringMatching(/^2 records wait/) });
});

it('tells of a topic that was made anew', async () => {
  await three();
  await fence(`${prefix}.usage.acme.v1`, 9, 5);
  const { code, check } = await examined();
  expect([code, check('fences')]).toEqual([1, {
    name: 'fences', ok: false, detail: `${prefix}.usage.acme.v1[0] ends at 3 and was read up to 9: it was made anew or cut`, fix: 'start a recorder: it stops at once and its last line says what to do',
  }]);
});

it('tells of a topic that is gone and of one on another cluster, and its way out works', async () => {
  await fence(`${prefix}.usage.left.v1`, 4, 5);
  const { code, check } = await examined();
  const name = originName(cluster, `${prefix}.usage.left.v1`);
  expect([code, check('sources')]).toEqual([1, {
    name: 'sources', ok: false, detail: `gone, and holding back through when answers are complete: ${name}`, fix: expect.stringContaining(`where name = '${name}'`),
  }]);
  await log.database.query(check('sources')!.fix.split('give it up: ')[1]!);
  expect((await examined()).check('sources')).toMatchObject({ ok: true });
});

it('tells of hosts whose clocks are off, by how much, and not of a straggler', async () => {
  await registerDeployment(log, 'acme', 'desk');
  const { origin } = await openOrigin(log.database, { kind: 'file', name: 'spec', part: 0, tenant: 'acme', firstOffset: 0 });
  const arrivals = (source: string, skews: (number | undefined)[]) => skews.map((skewMs, i): Arrival => ({
    tenant: 'acme', ...(skewMs === undefined ? {} : { skewMs }),
    event: { id: randomUUID(), source, type: 'result.shown', time: Date.now() * 1000, deployment: 'desk', person: pseudonymiser.pseudonym('acme', `${source}-${i}`), actor: null, data: `{"invocation":"${source}-${i}"}` },
  }));
  const stretch = (from: number, count: number) => ({ origin, from, next: from + count, voids: 0, mark: null, markOffset: null });
  await append(log, arrivals('urn:straggler', [...Array.from({ length: 199 }, () => undefined), 7_000_000]), stretch(0, 200));
  await finishOrigin(log.database, origin);
  await foldAll(log);
  expect((await examined()).check('host clocks')).toEqual({ name: 'host clocks', ok: true, detail: 'none was seen to be more than two minutes off in the last day', fix: '' });

  const { origin: second } = await openOrigin(log.database, { kind: 'file', name: 'spec', part: 1, tenant: 'acme', firstOffset: 0 });
  await append(log, arrivals('urn:slow', [undefined, 299_000, 301_000, 400_000]), { ...stretch(0, 4), origin: second });
  await append(log, arrivals('urn:fast', [-130_000]), { ...stretch(4, 1), origin: second });
  await finishOrigin(log.database, second);
  await foldAll(log);
  expect((await examined()).failing).toEqual([{
    name: 'host clocks', ok: false, fix: expect.stringContaining('NTP'),
    detail: 'urn:slow (tenant acme) behind by 301 s in the median of 3 of its 4 events; urn:fast (tenant acme) ahead by 130 s in the median of 1 of its 1 events',
  }]);
});

it('tells of a topic whose name gives no tenant', async () => {
  await kafka.createTopic(`${prefix}.usage.Acme.v1`);
  const { code, check } = await examined();
  expect([code, check('misnamed topics')]).toEqual([1, {
    name: 'misnamed topics', ok: false, detail: `nobody reads ${prefix}.usage.Acme.v1: the name gives no tenant`, fix: expect.stringContaining(`${prefix}.usage.<tenant>.v1`),
  }]);
});
