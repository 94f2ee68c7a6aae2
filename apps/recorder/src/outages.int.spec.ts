/** The recorder while Kafka or Postgres is away, and when it must not go on: outages pass, a bug ends the process. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { type Log } from '@foothold/event-log';
import { Pseudonymiser } from '@foothold/platform';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { ownKafka, testKafka, type TestKafka } from '../../../test/support/kafka.js';
import { startPostgresProxy, type Decision, type PostgresProxy, type ProxyEvent } from '../../../test/support/postgres-proxy.js';
import { KEY, openTestLog, received, registerDeployment, shownEvents, startRecorder, until, type RecorderOptions, type RunningRecorder } from '../../../test/support/recording.js';

const TENANT = 'acme';
/** What kafkajs throws once it has tried often enough: its consumer starts anew after it. */
const INTERRUPTED = Object.assign(new Error('interrupted', { cause: Object.assign(new Error('no answer'), { retriable: true }) }), {
  name: 'KafkaJSNumberOfRetriesExceeded', retriable: false,
});
let broker: Awaited<ReturnType<typeof ownKafka>>;
let kafka: TestKafka;
let database: FreshDatabase;
let proxy: PostgresProxy;
let decide: (event: ProxyEvent) => Decision;
/** Straight to the database. */
let log: Log;
/** By way of the proxy. */
let proxied: Log;
let prefix: string;
let topic: string;
let recorder: RunningRecorder;

beforeAll(async () => {
  broker = await ownKafka();
});

afterAll(() => broker.stop());

beforeEach(async () => {
  kafka = testKafka(broker.brokers);
  database = await freshDatabase();
  decide = () => 'forward';
  proxy = await startPostgresProxy(database.url, { decide: (event) => decide(event) });
  log = await openTestLog(database.url);
  proxied = await openTestLog(proxy.url);
  await registerDeployment(log, TENANT, 'desk');
  prefix = `t${randomUUID().slice(0, 13)}`;
  topic = `${prefix}.usage.${TENANT}.v1`;
  await kafka.createTopic(topic, 2);
});

afterEach(async () => {
  await recorder.stop();
  await kafka.close();
  await proxied.database.close();
  await log.database.close();
  await proxy.close();
  await database.drop();
});

async function start(options: Partial<RecorderOptions> = {}): Promise<void> {
  recorder = await startRecorder({ log: proxied, prefix, brokers: broker.brokers, ...options });
}

const produce = (first: number, count: number) => kafka.produce(topic, shownEvents(first, count).map((value, i) => ({ key: `k${i}`, value })));
const said = (text: string) => recorder.lines.filter(({ msg }) => msg.includes(text)).length;

it('waits while the database is away, and goes on when it is back', async () => {
  await start();
  await produce(0, 20);
  await received(log.database, 20);
  decide = () => 'cut';
  await produce(20, 30);
  await until('it has tried several times', () => said('the database does not answer, trying again') >= 4);
  decide = () => 'forward';
  expect(await received(log.database, 50)).toMatchObject({ balanced: true, received: 50, stored: 50, duplicate: 0 });
  expect(recorder.fatal).toEqual([]);
  // What kafkajs may say of a busy broker is none of the database's doing.
  expect(recorder.lines.filter(({ msg, error }) => msg.includes('the consumer was interrupted') && /Connection terminated/.test(String(error)))).toEqual([]);
});

it('beats while there is nothing to record and when something was, and is silent while what waits cannot be', async () => {
  let beats = 0;
  const beaten = async (what: string) => {
    const before = beats;
    await until(what, () => beats > before);
  };
  await start({ beat: () => void beats++ });
  await beaten('it beats, idle');
  await beaten('it beats again');
  decide = () => 'cut';
  await produce(0, 20);
  await until('it tries', () => said('the database does not answer, trying again') >= 1);
  const before = beats;
  await until('it has tried several times, and looked at the ends', () => said('the database does not answer, trying again') >= 5);
  expect(beats).toBe(before);
  await recorder.recorder.ready();
  decide = () => 'forward';
  await received(log.database, 20);
  await beaten('it beats when it goes on');
});

it.each<[string, Decision]>([['before it took effect', 'cut'], ['when it had taken effect', 'forward-then-cut']])('a connection lost at COMMIT, %s, loses and doubles nothing', async (_, decision) => {
  await start();
  await produce(0, 1);
  await received(log.database, 1);
  let cuts = 0;
  // Only an append holds a COPY before its COMMIT.
  const copying = new Set<number>();
  decide = ({ connection, kind, text }) => {
    if (kind === 'copyDone') copying.add(connection);
    if (kind !== 'query' || !/^commit/i.test(text!) || !copying.delete(connection) || cuts >= 3) return 'forward';
    cuts++;
    return decision;
  };
  for (let first = 1; first < 100; first += 20) {
    await produce(first, 20);
    await received(log.database, first + 20);
  }
  expect(cuts).toBe(3);
  expect(await received(log.database, 101)).toMatchObject({ balanced: true, received: 101, stored: 101, duplicate: 0 });
  expect(recorder.fatal).toEqual([]);
});

it('stops at once while the database is away', async () => {
  await start();
  await produce(0, 5);
  await received(log.database, 5);
  decide = () => 'cut';
  await produce(5, 5);
  await until('it is waiting', () => said('the database does not answer, trying again') >= 2);
  const asked = Date.now();
  await recorder.stop();
  expect(Date.now() - asked).toBeLessThan(9_000); // the process would be killed after 10 s
  decide = () => 'forward';
  await start();
  expect(await received(log.database, 10)).toMatchObject({ balanced: true, received: 10, stored: 10, duplicate: 0 });
});

it('gives up when the database stays away for longer than its patience', async () => {
  await start({ pace: { patienceMs: 1_000 } });
  await produce(0, 5);
  await received(log.database, 5);
  decide = () => 'cut';
  await produce(5, 5);
  await until('it gives up', () => recorder.fatal.length > 0);
  expect(String(recorder.fatal[0])).toMatch(/nothing could be recorded for 1 s/);
});

it('a bug ends the process instead of stopping the reading in silence', async () => {
  class Buggy extends Pseudonymiser {
    override pseudonym(): string {
      throw new TypeError('undefined is not a function');
    }
  }
  await start({ pseudonymiser: new Buggy(Buffer.from(KEY, 'hex')) });
  await produce(0, 5);
  await until('it ends', () => recorder.fatal.length > 0);
  expect(recorder.fatal[0]).toBeInstanceOf(TypeError);
  expect(await received(log.database, 0)).toMatchObject({ balanced: true, received: 0, stored: 0 });
});

it('gives up after a bounded number of restarts without progress between them', async () => {
  let interruptions = 4;
  class Interrupting extends Pseudonymiser {
    override pseudonym(tenant: string, person: string): string {
      if (interruptions-- > 0) throw INTERRUPTED;
      return super.pseudonym(tenant, person);
    }
  }
  await start({ pseudonymiser: new Interrupting(Buffer.from(KEY, 'hex')), pace: { restarts: 5 } });
  await produce(0, 1);
  expect(await received(log.database, 1)).toMatchObject({ balanced: true, stored: 1 });
  expect([said('the consumer was interrupted'), recorder.fatal]).toEqual([4, []]);

  interruptions = Infinity;
  await produce(1, 1);
  await until('it gives up', () => recorder.fatal.length > 0);
  expect(String(recorder.fatal[0])).toMatch(/interrupted/);
  expect(said('the consumer was interrupted')).toBe(4 + 5);
});

it('goes on when the broker was killed and comes back', async () => {
  await start();
  await produce(0, 20);
  await received(log.database, 20);
  await broker.kill();
  await until('it notices', () => said('kafka: ') > 0);
  await broker.restart();
  await kafka.close();
  kafka = testKafka(broker.brokers);
  await until('the broker has read its topics', () => kafka.nextOffsets(topic).then(() => true, () => false));
  await produce(20, 30);
  expect(await received(log.database, 50)).toMatchObject({ balanced: true, received: 50, stored: 50, duplicate: 0 });
  const back = Date.now();
  await until('the end is seen again', async () => (await log.database.query('select from origin where end_seen_at < $1', [new Date(back)])).length === 0);
  expect(recorder.fatal).toEqual([]);
});
