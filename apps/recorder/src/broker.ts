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

/** A client, and how many questions are on their way through it. */
interface Line {
  admin: Promise<Admin>;
  asking: number;
  retired: boolean;
}

/**
 * kafkajs' admin client remembers every topic it was ever asked about, fails for all of them once one is deleted, and
 * looks for new partitions every five minutes only: it is replaced whenever it fails or lacks one.
 */
export class Broker {
  private line: Line | undefined;
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
    await this.retire(this.line);
    const found = (await this.bounds(topic)).get(part);
    if (!found) throw new PartitionUnknown(topic, part);
    return found;
  }

  /** For good: a question still on its way connects no more. */
  async close(): Promise<void> {
    this.closed = true;
    await this.retire(this.line);
  }

  private async ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    if (this.closed) throw new Error('the connection to the cluster was closed');
    const line = (this.line ??= { admin: this.connect(), asking: 0, retired: false });
    line.asking++;
    try {
      return await question(await line.admin);
    } catch (error) {
      line.retired = true;
      throw error;
    } finally {
      line.asking--;
      if (line.retired) await this.retire(line);
    }
  }

  /** Takes a client out of use, and disconnects it once nobody is asking: a question on its way would connect it again. */
  private async retire(line: Line | undefined): Promise<void> {
    if (!line) return;
    line.retired = true;
    if (this.line === line) this.line = undefined;
    if (line.asking === 0) await line.admin.then((admin) => admin.disconnect()).catch(() => undefined);
  }

  private async connect(): Promise<Admin> {
    const admin = this.kafka.admin({ retry: { retries: RETRIES } });
    await admin.connect();
    return admin;
  }
}
