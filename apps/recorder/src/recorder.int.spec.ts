/** The recorder on a real Kafka and a real Postgres: what it takes, what it refuses, and when it must not go on. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { usageProjection } from '@foothold/adoption';
import { append, completeThrough, deadLetters, Fenced, openOrigin, verify, type Log } from '@foothold/event-log';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { realNow, underClock } from '../../../test/support/wrong-clock.js';
import { testKafka, type TestKafka } from '../../../test/support/kafka.js';
import { foldAll, openTestLog, pseudonymiser, received, registerDeployment, shownEvents, startRecorder, until, type RecorderOptions, type RunningRecorder } from '../../../test/support/recording.js';
import { type Admin } from 'kafkajs';
import { arrivalOf } from './arrival.js';

const TENANT = 'acme';
const person = (n: number): string => pseudonymiser.pseudonym(TENANT, `person-${n % 7}`);

/** Anew for each test: kafkajs' clients fail once a topic they know is deleted. */
let kafka: TestKafka;
let admin: Admin;
let template: FreshDatabase;
let database: FreshDatabase;
let log: Log;
let prefix: string;
let topic: string;
let running: RunningRecorder[] = [];

beforeAll(async () => {
  template = await freshDatabase();
  const made = await openTestLog(template.url);
  await registerDeployment(made, TENANT, 'desk');
  await made.database.close();
});

afterAll(() => template.drop());

beforeEach(async () => {
  kafka = testKafka();
  admin = kafka.client.admin();
  await admin.connect();
  database = await freshDatabase({ template: new URL(template.url).pathname.slice(1) });
  log = await openTestLog(database.url);
  prefix = `t${randomUUID().slice(0, 13)}`;
  topic = `${prefix}.usage.${TENANT}.v1`;
});

afterEach(async () => {
  await Promise.all(running.map((recorder) => recorder.stop()));
  running = [];
  await log.database.close();
  await database.drop();
  await admin.disconnect();
  await kafka.close();
});

async function start(options: Partial<RecorderOptions> = {}): Promise<RunningRecorder> {
  const started = await startRecorder({ log, prefix, ...options });
  running.push(started);
  return started;
}

async function produce(values: (string | Buffer | null)[], to = topic): Promise<void> {
  await kafka.produce(to, values.map((value, i) => ({ key: `k${i % 13}`, value })));
}

/** Records these on a new topic of one partition, and stops. */
async function recorded(values: string[]): Promise<void> {
  await kafka.createTopic(topic);
  await produce(values);
  const recorder = await start();
  await received(log.database, values.length);
  await recorder.stop();
}

/** The message with which the recorder stopped. */
async function reason(recorder: RunningRecorder): Promise<string> {
  await until('the recorder stops', () => recorder.fatal.length > 0);
  return String(recorder.fatal[0]);
}

async function recreate(): Promise<void> {
  await kafka.deleteTopic(topic);
  await until('the topic is gone', async () => !(await kafka.topics()).includes(topic));
  await kafka.createTopic(topic);
}

/** Removes the records before `offset`, as retention does. */
async function expire(offset: number): Promise<void> {
  await admin.fetchTopicOffsets(topic); // the client must have heard of the topic
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
}

/** Does what an error's text says is to be done. */
async function followAdvice(text: string): Promise<void> {
  await log.database.query(/update origin .*/.exec(text)![0]);
}

it('believes the collector by how much a clock was off, and nobody else', async () => {
  const collector = `${prefix}.usage.v1`;
  await kafka.createTopic(topic);
  await kafka.createTopic(collector);
  const headers = (skew: string | string[]) => ({ tenant: TENANT, 'skew-ms': skew });
  const [slow, fast, odd, twice, none] = shownEvents(0, 5, person);
  await kafka.produce(collector, [
    { value: slow!, headers: headers('600000') }, { value: fast!, headers: headers('-130000') }, { value: odd!, headers: headers('soon') }, { value: twice!, headers: headers(['130001', '7']) },
    { value: none!, headers: { tenant: TENANT } }, { value: slow!, headers: headers('990000') },
  ]);
  await kafka.produce(topic, shownEvents(5, 1).map((value) => ({ value, headers: headers('600000') })));
  await start();
  expect(await received(log.database, 7)).toMatchObject({ stored: 6, duplicate: 1 });
  expect(await log.database.query(`select data->>'invocation' as invocation, skew_ms::int as skew from event where shard < 16 order by 1`)).toEqual([
    { invocation: 'i-0', skew: 600_000 }, { invocation: 'i-1', skew: -130_000 }, { invocation: 'i-2', skew: null }, { invocation: 'i-3', skew: 130_001 }, { invocation: 'i-4', skew: null }, { invocation: 'i-5', skew: null },
  ]);
});

describe('what cannot be stored', () => {
  it('becomes dead letters that say how to mend it, and never stops the recorder', async () => {
    const collector = `${prefix}.usage.v1`;
    await kafka.createTopic(topic, 2);
    await kafka.createTopic(collector);
    const [good, late, unknown, other] = shownEvents(0, 4);
    const poison = ['not JSON', '', null, `{"a":"${'x'.repeat(33_000)}"}`, unknown!.replace('result.shown.v1', 'result.seen.v1'), Buffer.from([0x22, 0xff, 0xfe, 0x22]), other!.replace('"desk"', '"nowhere"'), 'null', '[]'];
    await produce([good!, ...poison, late!]);
    const [piped, raw] = [shownEvents(10, 1, person)[0]!, shownEvents(11, 1)[0]!];
    await kafka.produce(collector, [
      { value: piped },
      { value: piped, headers: { tenant: 'Acme Corp' } },
      { value: raw, headers: { tenant: TENANT } },
      { value: null, headers: { tenant: TENANT } },
      { value: piped, headers: { tenant: TENANT } },
    ]);

    const recorder = await start();
    const ledger = await received(log.database, 16);
    expect(ledger).toMatchObject({ balanced: true, problems: [], received: 16, stored: 3, duplicate: 0, rejected: 12, quarantined: 1 });
    expect(recorder.fatal).toEqual([]);
    const letters = await deadLetters(log.database, TENANT);
    expect(letters.map(({ kind, field, count }) => `${kind} ${field} ${count}`).sort()).toEqual([
      'quarantined deployment 1', 'rejected body 1', 'rejected body 1', 'rejected body 1', 'rejected body 1', 'rejected body 1', 'rejected body 1',
      'rejected headers.tenant 1', 'rejected headers.tenant 1', 'rejected subject 1', 'rejected type 1', 'rejected value 2',
    ]);
    expect(letters.filter(({ reason: why, fix }) => why === '' || fix === '')).toEqual([]);
    const texts = JSON.stringify([letters, await log.database.query('select * from dead_letter')]);
    expect(texts).toMatch(/nobody knows whose event it is/);
    expect(texts).toMatch(/are not JSON/);
    expect(texts).toMatch(/are not UTF-8/);
    expect(texts).toMatch(/more than the 32768/);
    expect(texts).toMatch(/do not use a compacted topic/);
    expect(texts).not.toMatch(/person-\d/);
  });

  it('offsets without a record (transactions, an aborted one last) are neither received nor waited for', async () => {
    await kafka.createTopic(topic);
    const producer = kafka.client.producer({ transactionalId: prefix, idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    for (const [from, end] of [[0, 'commit'], [3, 'abort'], [6, 'commit'], [9, 'abort']] as const) {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: shownEvents(from, 3).map((value) => ({ value })) });
      await transaction[end]();
      if (from === 0) await start();
      if (from === 6) await received(log.database, 6);
    }
    await producer.disconnect();
    await until('the last marker is written', async () => (await kafka.nextOffsets(topic))[0] === 16n);
    await until('the fence passes the last marker', async () => (await log.database.query<{ next: string }>('select next_offset::text as next from origin'))[0]!.next === '16');
    expect(await verify(log.database)).toMatchObject({ balanced: true, received: 6, stored: 6 });
    await until('the end is seen', async () => (await log.database.query('select from origin where end_seen_at is not null')).length === 1);

    await running[0]!.stop();
    await produce(shownEvents(12, 1));
    await start();
    expect(await received(log.database, 7)).toMatchObject({ balanced: true, received: 7, stored: 7 });
  });
});

describe('a topic that is not what it was', () => {
  it('another record at the mark stops it; what the error advises reads the new topic whole', async () => {
    await recorded(shownEvents(0, 5));
    await recreate();
    await produce(shownEvents(3, 8));
    const stopped = await start();
    const text = await reason(stopped);
    expect(text).toMatch(/another record stands at offset 4 than the one recorded: the topic was made anew/);
    await stopped.stop();
    expect(await verify(log.database)).toMatchObject({ balanced: true, received: 5 });

    await followAdvice(text);
    await start();
    expect(await received(log.database, 13)).toMatchObject({ balanced: true, received: 13, stored: 11, duplicate: 2 });
  });

  it('a shorter topic stops it at the start', async () => {
    await recorded(shownEvents(0, 5));
    await recreate();
    await produce(shownEvents(0, 3));
    expect(await reason(await start())).toMatch(/the broker ends at offset 3, 5 were recorded/);
  });

  it.each([['empty', 0], ['shorter', 2], ['longer', 9]])('a topic made anew while it runs stops it: %s', async (_, length) => {
    await kafka.createTopic(topic);
    await produce(shownEvents(0, 5));
    const recorder = await start({ pace: { topicsMs: 60_000 } });
    await received(log.database, 5);
    await recreate();
    if (length > 0) await produce(shownEvents(100, length));
    expect(await reason(recorder)).toMatch(/made anew/);
    expect(await verify(log.database)).toMatchObject({ balanced: true, received: 5 });
  });

  it('records that retention removed unread stop it and are named; what the error advises goes on without them', async () => {
    await recorded(shownEvents(0, 5));
    await produce(shownEvents(5, 5));
    await expire(8);
    const stopped = await start();
    const text = await reason(stopped);
    expect(text).toMatch(/offsets 5 to 7 were removed by retention before they were recorded/);
    await stopped.stop();

    await followAdvice(text);
    await start();
    expect(await received(log.database, 7)).toMatchObject({ balanced: true, received: 7, stored: 7 });
  });

  it('where retention removed only what was recorded, it says that it cannot check and goes on', async () => {
    await recorded(shownEvents(0, 5));
    await expire(5);
    const recorder = await start();
    await until('the end is seen', async () => (await log.database.query('select from origin where end_seen_at > now() - interval \'1 minute\'')).length === 1);
    await produce(shownEvents(5, 2));
    expect(await received(log.database, 7)).toMatchObject({ balanced: true, received: 7, stored: 7 });
    expect(recorder.lines.filter(({ msg }) => msg.includes('cannot be checked'))).toHaveLength(1);
    expect(recorder.fatal).toEqual([]);
  });

  it('a database restored to an older state is read again from its fence, though nothing new arrives', async () => {
    await recorded(shownEvents(0, 5));
    await log.database.close();
    const backup = await freshDatabase({ template: new URL(database.url).pathname.slice(1) });
    log = await openTestLog(database.url);
    await produce(shownEvents(5, 5));
    const before = await start();
    await received(log.database, 10);
    await until('Kafka has the commit', async () => (await admin.fetchOffsets({ groupId: `${prefix}.recorder`, topics: [topic] }))[0]?.partitions[0]?.offset === '10');
    await before.stop();
    await log.database.close();
    await database.drop();

    database = backup;
    log = await openTestLog(database.url);
    expect(await verify(log.database)).toMatchObject({ received: 5 });
    await start();
    expect(await received(log.database, 10)).toMatchObject({ balanced: true, received: 10, stored: 10, duplicate: 0 });
  });
});

describe('several readers', () => {
  it('nothing is lost or doubled while recorders join and leave', async () => {
    await kafka.createTopic(topic, 6);
    const first = await start();
    let produced = 0;
    let producing = true;
    const flow = (async () => {
      for (; producing; produced += 50) await produce(shownEvents(produced, 50));
    })();
    const took = (recorder: RunningRecorder) => recorder.lines.reduce((sum, line) => sum + (line.stored ?? 0), 0);
    await until('the first records', () => took(first) > 200);
    const second = await start();
    await until('the second records too', () => took(second) > 200);
    await first.stop();
    const alone = took(second);
    await until('the second goes on alone', () => took(second) > alone + 200);
    producing = false;
    await flow;
    const ledger = await received(log.database, produced);
    const ends = await kafka.nextOffsets(topic);
    expect(ends.reduce((sum, end) => sum + Number(end), 0)).toBe(produced);
    expect(ledger).toMatchObject({ balanced: true, received: produced, stored: produced, duplicate: 0 });
    expect([first.fatal, second.fatal]).toEqual([[], []]);
  });

  it('of two readers of one stretch the second writes nothing, and a recorder that was overtaken goes on behind the other', async () => {
    await kafka.createTopic(topic);
    const cluster = (await admin.describeCluster()).clusterId;
    const values = shownEvents(0, 3);
    const other = await openTestLog(database.url);
    const overtake = async () => {
      const { origin } = await openOrigin(other.database, { kind: 'kafka', name: `${cluster}/${topic}`, part: 0, tenant: TENANT, firstOffset: 0 });
      const arrivals = values.map((value) => arrivalOf({ value: Buffer.from(value), key: null, offset: '0', timestamp: '0', attributes: 0, headers: {} }, { kind: 'tenant', tenant: TENANT }, Date.now() * 1000, pseudonymiser));
      return append(other, arrivals, { origin, from: 0, next: 3, voids: 0, mark: null, markOffset: null });
    };
    let overtaken = false;
    const slow = Object.create(log.database) as typeof log.database;
    slow.transaction = async (work) => {
      if (!overtaken) {
        overtaken = true;
        expect(await overtake()).toMatchObject({ stored: 3 });
        await expect(overtake()).rejects.toThrow(Fenced);
      }
      return log.database.transaction(work);
    };
    const recorder = await start({ log: { ...log, database: slow } });
    await produce(values);
    await until('the recorder sees it', () => recorder.lines.some(({ msg }) => msg.includes('another recorder has taken')));
    await produce(shownEvents(3, 2));
    expect(await received(log.database, 5)).toMatchObject({ balanced: true, received: 5, stored: 5, duplicate: 0 });
    expect(recorder.fatal).toEqual([]);
    await other.database.close();
  });
});

it('follows topics and partitions that come and lets go of those that are deleted', async () => {
  await registerDeployment(log, 'globex', 'desk');
  const recorder = await start();
  expect(recorder.lines.some(({ msg }) => msg.includes('create it'))).toBe(true);
  await kafka.createTopic(topic);
  await produce(shownEvents(0, 3));
  await received(log.database, 3);
  const second = `${prefix}.usage.globex.v1`;
  await kafka.createTopic(second);
  await produce(shownEvents(0, 4), second);
  await received(log.database, 7);
  await kafka.deleteTopic(topic);
  await admin.createPartitions({ topicPartitions: [{ topic: second, count: 3 }] });
  const fresh = testKafka(); // the other would drop in silence what goes to a partition it has not heard of
  await until('the new partition is known', () => fresh.nextOffsets(second).then((ends) => ends.length === 3, () => false));
  await fresh.produce(second, shownEvents(10, 5).map((value) => ({ value, partition: 2 })));
  await fresh.close();
  expect(await received(log.database, 12)).toMatchObject({ balanced: true, received: 12, stored: 12 });
  expect(recorder.lines.some(({ msg }) => msg.includes('topics are gone'))).toBe(true);
  expect(recorder.fatal).toEqual([]);
});

it('complete_through moves while nothing arrives, and comes up to the moment of what did', async () => {
  await kafka.createTopic(topic, 3);
  await produce(shownEvents(0, 4));
  const produced = Date.now() * 1000;
  await start();
  const complete = async () => {
    await foldAll(log);
    return completeThrough(log.database, TENANT, usageProjection.name);
  };
  let at: number | null = null;
  await until('all is in', async () => (at = await complete()) !== null && at > produced);
  const before = at!;
  expect(await verify(log.database)).toMatchObject({ received: 4, stored: 4 });
  await until('it moves', async () => (await complete())! > before + 1_000_000);
  expect(await complete()).toBeLessThanOrEqual(Date.now() * 1000);
});

it('complete_through goes by the database’s clock where the recorder’s own is hours ahead', async () => {
  await kafka.createTopic(topic);
  await produce(shownEvents(0, 4));
  const begun = Date.now() * 1000;
  await underClock(5, async () => {
    await start();
    let at: number | null = null;
    const complete = async () => {
      await foldAll(log);
      return (at = await completeThrough(log.database, TENANT, usageProjection.name)) !== null && at > begun;
    };
    await until('all is in', complete);
    expect(at!).toBeLessThanOrEqual(realNow() * 1000 + 1_000_000);
  });
});
