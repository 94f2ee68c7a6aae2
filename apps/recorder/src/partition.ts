/** One Kafka partition as the recorder reads it: where its fence stands, and whether it is still the partition it was. */
import { openOrigin } from '@foothold/event-log';
import { skipStatement, startAnewStatement, type Database, type Logger } from '@foothold/platform';
import { createHash } from 'node:crypto';
import { type KafkaMessage } from 'kafkajs';

/** The broker does not hold what the fence says was read: somebody must decide what happened. */
export class PartitionChanged extends Error {
  constructor(topic: string, part: number, what: string) {
    super(`${topic}[${part}]: ${what}`);
    this.name = 'PartitionChanged';
  }
}

/** Tells one record from another. */
export function fingerprint(message: KafkaMessage): string {
  return createHash('sha256').update(message.timestamp).update('\n').update(message.key ?? '').update('\n').update(message.value ?? '').digest('hex').slice(0, 32);
}

/** The first offset the broker holds, and the one after its last. */
export interface Bounds {
  low: number;
  high: number;
}

export class Partition {
  /** Whether the last record taken was seen to be still there, or cannot be. */
  checked: boolean;
  private sought = false;

  constructor(
    readonly origin: number,
    private readonly name: string,
    readonly topic: string,
    readonly part: number,
    public next: number,
    private mark: string | null,
    private markOffset: number | null,
  ) {
    this.checked = mark === null;
  }

  /** The offset to read from: once checked, what comes next; before, the last record taken, to see that it is still there. */
  wanted(): number {
    return this.checked ? this.next : this.markOffset!;
  }

  moved(next: number, last: KafkaMessage | undefined): void {
    this.next = next;
    if (!last) return;
    this.mark = fingerprint(last);
    this.markOffset = Number(last.offset);
  }

  /** Something happened between broker and consumer: is the last record taken still there? */
  doubt(): void {
    this.checked = this.mark === null;
  }

  /** @throws PartitionChanged where the broker no longer holds what comes next, or does not hold what was read. */
  mustLieWithin({ low, high }: Bounds): void {
    if (this.next > high) {
      throw new PartitionChanged(this.topic, this.part, `the broker ends at offset ${high}, ${this.next} were recorded: the topic was made anew or cut. ${this.retire()}`);
    }
    if (this.next < low) {
      throw new PartitionChanged(
        this.topic, this.part,
        `offsets ${this.next} to ${low - 1} were removed by retention before they were recorded: they are lost unless a backup of the topic has them. To go on without them: ${skipStatement(this.origin, low)}`,
      );
    }
  }

  /**
   * Of what the broker sent, the records not taken yet; 'elsewhere' where the stretch does not begin where it should,
   * and the partition is to be sought.
   * @throws PartitionChanged where another record stands in the place of the last one taken, or records are gone.
   */
  async take(messages: KafkaMessage[], bounds: () => Promise<Bounds>, logger: Logger): Promise<KafkaMessage[] | 'elsewhere'> {
    const missed = Number(messages[0]!.offset) > this.wanted();
    if (missed || Number(messages.at(-1)!.offset) < this.wanted()) {
      // kafkajs goes to the earliest offset where the one it asked for does not exist. Offsets between the broker's first
      // and its last that it does not send, though asked for them, carry no record (transactions, compaction).
      this.mustLieWithin(await bounds());
      if (!missed || !this.sought) {
        this.sought = missed;
        this.doubt();
        return 'elsewhere';
      }
    }
    this.sought = false;
    if (!this.checked) this.check(messages, logger);
    return messages.filter((message) => Number(message.offset) >= this.next);
  }

  /** Where retention has removed the last record taken, nothing can be compared. */
  giveUpCheck(logger: Logger): void {
    logger.warn({ topic: this.topic, partition: this.part, offset: this.markOffset }, 'the last record taken is no longer there: whether the topic is the same cannot be checked');
    this.checked = true;
  }

  private check(messages: KafkaMessage[], logger: Logger): void {
    const last = messages.find((message) => Number(message.offset) === this.markOffset);
    if (!last) this.giveUpCheck(logger);
    else if (fingerprint(last) !== this.mark) {
      throw new PartitionChanged(this.topic, this.part, `another record stands at offset ${this.markOffset} than the one recorded: the topic was made anew. ${this.retire()}`);
    }
    this.checked = true;
  }

  private retire(): string {
    return `To read the topic that is there from its beginning (what is stored already will be recognised): ${startAnewStatement(this.name)}`;
  }
}

/**
 * Opens a partition at its fence.
 * @throws PartitionChanged where the broker no longer has what comes next, or never had what was read.
 */
export async function openPartition(database: Database, ask: () => Promise<Bounds>, name: string, topic: string, part: number, tenant: string | null, logger: Logger): Promise<Partition> {
  const { low, high } = await ask();
  const fence = await openOrigin(database, { kind: 'kafka', name, part, tenant, firstOffset: low });
  const partition = new Partition(fence.origin, name, topic, part, fence.nextOffset, fence.mark, fence.markOffset);
  // Between the two another recorder may have moved the fence past the end we were told.
  partition.mustLieWithin({ low, high: fence.nextOffset > high ? (await ask()).high : high });
  if (!partition.checked && partition.wanted() < low) partition.giveUpCheck(logger);
  return partition;
}
