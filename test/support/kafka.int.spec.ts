import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { startKafka } from '../../deploy/kafka/kafka.mjs';
import { testKafka } from './kafka.js';

const kafka = testKafka();
afterAll(() => kafka.close());

it('makes a topic, writes to the partition asked for, and deletes the topic', async () => {
  const topic = `test-${randomUUID()}`;
  await kafka.createTopic(topic, 3);
  await kafka.produce(topic, [
    { key: 'a', value: 'one', headers: { tenant: 'local' }, partition: 2 },
    { value: null, partition: 2 },
  ]);
  expect(await kafka.nextOffsets(topic)).toEqual([0n, 0n, 2n]);
  await kafka.deleteTopic(topic);
  expect(await kafka.topics()).not.toContain(topic);
});

it('a Kafka of its own keeps what it acknowledged over a crash', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'foothold-kafka-'));
  const own = await startKafka({ dataDir, quiet: true });
  const before = testKafka(own.brokers);
  await before.createTopic('kept');
  await before.produce('kept', [{ value: 'one' }]);
  await before.close();

  const pid = own.pid;
  await own.kill();
  await own.restart();
  expect(own.pid).not.toBe(pid);
  const after = testKafka(own.brokers);
  expect(await after.nextOffsets('kept')).toEqual([1n]);
  await after.close();
  await own.stop();
  await rm(dataDir, { recursive: true });
});
