/** What the recorder asks the cluster itself: its name, its topics, and where their partitions begin and end. */
import { type Admin, type Kafka } from 'kafkajs';
import { type Bounds } from './partition.js';

/** Few, for whoever asks will ask again: about 3 s. */
const RETRIES = 4;

/** A partition was assigned that the broker we asked has not heard of yet. */
export class PartitionUnknown extends Error {
  constructor(topic: string, part: number) {
    super(`the cluster knows of no partition ${topic}[${part}] yet`);
    this.name = 'PartitionUnknown';
  }
}

/**
 * kafkajs' admin client remembers every topic it was ever asked about, fails for all of them once one is deleted, and
 * looks for new partitions every five minutes only: it is replaced whenever it fails or lacks one.
 */
export class Broker {
  private admin: Promise<Admin> | undefined;
  private closed = false;

  constructor(private readonly kafka: Kafka) {}

  async cluster(): Promise<string> {
    return (await this.ask((admin) => admin.describeCluster())).clusterId;
  }

  async topics(): Promise<string[]> {
    return this.ask((admin) => admin.listTopics());
  }

  /** The bounds of a topic's partitions, by their number. */
  async bounds(topic: string): Promise<Map<number, Bounds>> {
    const found = await this.ask((admin) => admin.fetchTopicOffsets(topic));
    return new Map(found.map(({ partition, low, high }) => [partition, { low: Number(low), high: Number(high) }]));
  }

  async boundsOf(topic: string, part: number): Promise<Bounds> {
    const known = (await this.bounds(topic)).get(part);
    if (known) return known;
    await this.disconnect();
    const found = (await this.bounds(topic)).get(part);
    if (!found) throw new PartitionUnknown(topic, part);
    return found;
  }

  /** For good: a question still on its way connects no more. */
  async close(): Promise<void> {
    this.closed = true;
    await this.disconnect();
  }

  private async disconnect(): Promise<void> {
    const admin = this.admin;
    this.admin = undefined;
    await admin?.then((connected) => connected.disconnect()).catch(() => undefined);
  }

  private async ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    if (this.closed) throw new Error('the connection to the cluster was closed');
    const asked = (this.admin ??= this.connect());
    try {
      return await question(await asked);
    } catch (error) {
      if (this.admin === asked) await this.disconnect();
      throw error;
    }
  }

  private async connect(): Promise<Admin> {
    const admin = this.kafka.admin({ retry: { retries: RETRIES } });
    await admin.connect();
    return admin;
  }
}
