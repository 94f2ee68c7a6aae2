/** One Kafka partition as the recorder reads it: where its fence stands, and whether it is still the partition it was. */
import { openOrigin } from '@foothold/event-log';
import { type Database, type Logger } from '@foothold/platform';
import { createHash } from 'node:crypto';
import { type Admin, type KafkaMessage } from 'kafkajs';

/** The broker does not hold what the fence says was read: somebody must decide what happened. */
export class PartitionChanged extends Error {
  constructor(topic: string, part: number, what: string) {
    super(`${topic}[${part}]: ${what}`);
    this.name = 'PartitionChanged';
  }
}

/** The origin of a topic's partitions; another cluster is another origin. */
export const originName = (cluster: string, topic: string): string => `${cluster}/${topic}`;

/** Tells one record from another. */
export function fingerprint(message: KafkaMessage): string {
  return createHash('sha256').update(message.timestamp).update('\n').update(message.key ?? '').update('\n').update(message.value ?? '').digest('hex').slice(0, 32);
}

export class Partition {
  private checked: boolean;
  private sought = false;

  constructor(
    readonly origin: number,
    readonly topic: string,
    readonly part: number,
    public next: number,
    private readonly low: number,
    private readonly mark: string | null,
    private readonly markOffset: number | null,
  ) {
    this.checked = mark === null;
  }

  /** The offset to read from: once checked, what comes next; before, the last record taken, to see that it is still there. */
  wanted(): number {
    return this.checked ? this.next : Math.max(this.markOffset!, this.low);
  }

  moved(next: number): void {
    this.next = next;
  }

  /**
   * Of what the broker sent, the records not taken yet; 'elsewhere' where the stretch does not begin where it should.
   * @throws PartitionChanged where another record stands in the place of the last one taken, or records are gone.
   */
  take(messages: KafkaMessage[], high: number, logger: Logger): KafkaMessage[] | 'elsewhere' {
    const first = Number(messages[0]!.offset);
    const wanted = this.wanted();
    if (Number(messages.at(-1)!.offset) < wanted) return 'elsewhere';
    if (first > wanted && !this.sought) {
      this.sought = true;
      return 'elsewhere';
    }
    this.sought = false;
    if (high < this.next) throw new PartitionChanged(this.topic, this.part, `the broker ends at offset ${high}, ${this.next} were recorded: the topic was made anew or cut. Read it under another KAFKA_PREFIX, or remove its row from the table origin to read it from its beginning`);
    if (!this.checked) this.check(messages, logger);
    return messages.filter((message) => Number(message.offset) >= this.next);
  }

  private check(messages: KafkaMessage[], logger: Logger): void {
    const last = messages.find((message) => Number(message.offset) === this.markOffset);
    if (!last) logger.warn({ topic: this.topic, partition: this.part, offset: this.markOffset }, 'retention has removed the last record taken: whether the topic is the same cannot be checked');
    else if (fingerprint(last) !== this.mark) {
      throw new PartitionChanged(this.topic, this.part, `another record stands at offset ${this.markOffset} than the one recorded: the topic was made anew. Read it under another KAFKA_PREFIX, or remove its row from the table origin to read it from its beginning`);
    }
    this.checked = true;
  }
}

/**
 * Opens a partition at its fence.
 * @throws PartitionChanged where the broker no longer has what comes next, or never had what was read.
 */
export async function openPartition(database: Database, admin: Admin, cluster: string, topic: string, part: number, tenant: string | null): Promise<Partition> {
  const bounds = (await admin.fetchTopicOffsets(topic)).find(({ partition }) => partition === part);
  const [low, high] = [Number(bounds?.low ?? 0), Number(bounds?.high ?? 0)];
  const fence = await openOrigin(database, { kind: 'kafka', name: originName(cluster, topic), part, tenant, firstOffset: low });
  if (fence.nextOffset > high) {
    throw new PartitionChanged(topic, part, `the broker ends at offset ${high}, ${fence.nextOffset} were recorded: the topic was made anew or cut. Read it under another KAFKA_PREFIX, or remove its row from the table origin to read it from its beginning`);
  }
  if (fence.nextOffset < low) {
    throw new PartitionChanged(topic, part, `offsets ${fence.nextOffset} to ${low - 1} were removed by retention before they were recorded: they are lost unless a backup of the topic has them. To go on without them set next_offset of its row in the table origin to ${low}`);
  }
  return new Partition(fence.origin, topic, part, fence.nextOffset, low, fence.mark, fence.markOffset);
}
