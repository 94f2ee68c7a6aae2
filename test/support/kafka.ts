/** The Kafka that global-setup.mjs provides, and what a spec does to it: make topics and write messages. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompressionTypes, Kafka, logLevel, Partitioners, type Admin, type IHeaders, type Producer } from 'kafkajs';
import { runKafkaTool, startKafka, type KafkaOptions, type RunningKafka } from '../../deploy/kafka/kafka.mjs';

export interface TestMessage {
  key?: string | null;
  value: string | Buffer | null;
  headers?: IHeaders;
  /** Without it the key's hash decides. */
  partition?: number;
}

export interface TestKafka {
  brokers: string[];
  /** A client without logging, for what is not covered here. */
  client: Kafka;
  createTopic(name: string, partitions?: number): Promise<void>;
  deleteTopic(name: string): Promise<void>;
  topics(): Promise<string[]>;
  /** Writes with acks=all; resolves when the broker has them. */
  produce(topic: string, messages: TestMessage[], compression?: CompressionTypes): Promise<void>;
  /** The next offset of each partition, by partition number. */
  nextOffsets(topic: string): Promise<bigint[]>;
  close(): Promise<void>;
}

/** The addresses of the test Kafka. @throws Error saying how to get one, when there is none */
export function requireKafka(): string[] {
  const brokers = process.env.TEST_KAFKA_BROKERS;
  if (!brokers) {
    const why = process.env.FOOTHOLD_NO_KAFKA ? 'no Kafka could be started' : 'TEST_KAFKA_BROKERS is not set';
    throw new Error(`this spec needs a real Kafka and ${why}: install Java 17 and Maven, or set KAFKA_BROKERS to a Kafka of your own`);
  }
  return brokers.split(',');
}

/** A Kafka of the spec's own, to be killed and restarted; `stop` also removes its data. */
export async function ownKafka(options: Pick<KafkaOptions, 'more' | 'scram'> = {}): Promise<RunningKafka> {
  const dataDir = await mkdtemp(join(tmpdir(), 'foothold-kafka-'));
  const kafka = await startKafka({ dataDir, quiet: true, ...options });
  const { stop } = kafka;
  kafka.stop = async () => {
    await stop();
    await rm(dataDir, { recursive: true });
  };
  return kafka;
}

/** Writes one message a line with Kafka's own producer in Java; `properties` are its settings. All of them fit into one batch of 1 MB. */
export async function produceWithJava(brokers: string[], topic: string, lines: string[], properties: Record<string, string>): Promise<void> {
  const settings = Object.entries({ 'batch.size': '1000000', 'linger.ms': '1000', acks: 'all', ...properties });
  const flags = settings.flatMap(([name, value]) => ['--command-property', `${name}=${value}`]);
  await runKafkaTool('org.apache.kafka.tools.ConsoleProducer', ['--bootstrap-server', brokers.join(','), '--topic', topic, ...flags], `${lines.join('\n')}\n`);
}

/** Connects to the test Kafka, at the first thing asked of it. Close it in afterAll. */
export function testKafka(brokers: string[] = requireKafka()): TestKafka {
  const client = new Kafka({ clientId: 'test', brokers, logLevel: logLevel.NOTHING });
  let admin: Promise<Admin> | undefined;
  let producer: Promise<Producer> | undefined;
  const asAdmin = () => (admin ??= connected(client.admin()));
  const asProducer = () => (producer ??= connected(client.producer({ createPartitioner: Partitioners.DefaultPartitioner })));

  return {
    brokers,
    client,
    async createTopic(name, partitions = 1) {
      const connection = await asAdmin();
      await connection.createTopics({ topics: [{ topic: name, numPartitions: partitions }], waitForLeaders: false });
      // kafkajs' own wait for leaders fails where the broker has not yet heard of the topic that its controller made.
      for (const deadline = Date.now() + 20_000; ; ) {
        const ready = await connection.fetchTopicOffsets(name).then((found) => found.length === partitions, () => false);
        if (ready) return;
        if (Date.now() > deadline) throw new Error(`topic ${name} was made, but has no leaders after 20 s`);
        await new Promise<void>((resolve) => setTimeout(resolve, 50));
      }
    },
    async deleteTopic(name) {
      await (await asAdmin()).deleteTopics({ topics: [name] });
    },
    topics: async () => (await asAdmin()).listTopics(),
    async produce(topic, messages, compression = CompressionTypes.None) {
      await (await asProducer()).send({ topic, acks: -1, compression, messages: messages.map((message) => ({ ...message, key: message.key ?? null })) });
    },
    async nextOffsets(topic) {
      const partitions = await (await asAdmin()).fetchTopicOffsets(topic);
      return partitions.sort((one, other) => one.partition - other.partition).map(({ high }) => BigInt(high));
    },
    async close() {
      await Promise.all([admin, producer].map(async (connection) => (await connection)?.disconnect()));
    },
  };
}

async function connected<T extends { connect(): Promise<void> }>(connection: T): Promise<T> {
  await connection.connect();
  return connection;
}
