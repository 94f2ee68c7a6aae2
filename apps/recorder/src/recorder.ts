/**
 * Kafka in, event log out.
 *
 * What arrives: batches of usage events from the collector's topic and the tenants' own. What leaves: one append a
 * batch, with the fence that says how far the partition was read. Next is the projector, which reads the log.
 *
 *   idle ──join──▶ opened ──first batch at the mark──▶ checked ──batches──▶ checked
 *                    │ fence beyond or before the broker: stop       │ fenced by another reader: idle
 *                    └──────────── another record at the mark: stop ─┘
 *
 * The offset that counts lies in the database and moves with the events. Kafka's own commit comes after, for lag
 * tools only; whatever it says, a partition is read from where the database says.
 */
import { append, Fenced, knownParts, markEndSeen, type Log } from '@foothold/event-log';
import { inSpan, isTransient, linkTo, openKafka, usageTopicOf, type Config, type Fatal, type Link, type Logger, type Pseudonymiser } from '@foothold/platform';
import { type Admin, type Consumer, type EachBatchPayload, type Kafka, type KafkaMessage } from 'kafkajs';
import { arrivalOf, headerText } from './arrival.js';
import { fingerprint, openPartition, originName, type Partition } from './partition.js';

/** Records appended in one transaction. */
const STRETCH = 5_000;
/** Spans link at most this many of a batch's sampled traces. */
const LINKS = 32;
/** How long a recorder that died keeps its partitions from the others; one that only was slow joins again, and the fence keeps the two apart. */
const SESSION_MS = 10_000;
const MARK_EVERY_MS = 2_000;
const TOPICS_EVERY_MS = 15_000;
/** Restarts without one append between them before the process gives up and lets its supervisor start a new one. */
const RESTARTS = 10;
/** How long one stretch may wait for the database to come back. */
const PATIENCE_MS = 5 * 60_000;

export class Recorder {
  private readonly kafka: Kafka;
  private readonly admin: Admin;
  private consumer: Consumer | undefined;
  private topics: string[] = [];
  private cluster = '';
  private partitions = new Map<string, Partition>();
  private assigned: Record<string, number[]> = {};
  private restarts = 0;
  private stopping = false;
  private readonly loops: Promise<void>[] = [];

  constructor(
    private readonly config: Config,
    private readonly log: Log,
    private readonly pseudonymiser: Pseudonymiser,
    private readonly logger: Logger,
    private readonly fatal: Fatal,
  ) {
    this.kafka = openKafka(config, 'foothold-recorder', logger);
    this.admin = this.kafka.admin();
  }

  async start(): Promise<void> {
    await this.admin.connect();
    const { clusterId } = await this.admin.describeCluster();
    this.cluster = clusterId;
    await this.follow();
    this.loops.push(this.every(TOPICS_EVERY_MS, () => this.follow()), this.every(MARK_EVERY_MS, () => this.markEnds()));
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.allSettled(this.loops);
    await this.consumer?.disconnect();
    await this.admin.disconnect();
  }

  /** Reads every usage topic there is; starts anew when one has come. */
  private async follow(): Promise<void> {
    const topics = (await this.admin.listTopics()).filter((topic) => usageTopicOf(this.config.KAFKA_PREFIX, topic) !== null).sort();
    if (topics.length === 0) this.logger.warn('no topic %s.usage.v1 or %s.usage.<tenant>.v1 yet: create it', this.config.KAFKA_PREFIX, this.config.KAFKA_PREFIX);
    if (topics.every((topic) => this.topics.includes(topic))) return;
    this.logger.info({ topics }, 'reading %d topics', topics.length);
    await this.consumer?.disconnect();
    this.topics = topics;
    const consumer = this.kafka.consumer({
      groupId: `${this.config.KAFKA_PREFIX}.recorder`,
      sessionTimeout: SESSION_MS,
      heartbeatInterval: SESSION_MS / 5,
      maxBytesPerPartition: 4 * 1024 * 1024,
      maxWaitTimeInMs: 200,
    });
    this.consumer = consumer;
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      this.partitions = new Map();
      this.assigned = payload.memberAssignment;
      this.logger.info({ assigned: this.assigned }, 'joined the group');
      void this.openAssigned().catch((error: unknown) => this.survive(error));
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (this.stopping) return;
      this.restarts++;
      this.logger.warn({ error: payload.error.message, restarts: this.restarts }, 'the consumer was interrupted');
      if (!payload.restart || this.restarts >= RESTARTS) this.fatal(payload.error);
    });
    await consumer.connect();
    await consumer.subscribe({ topics, fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: (payload) => this.batch(payload) });
  }

  /** Seeks the assigned partitions to their fences, so that a database set back is read again though nothing new arrives. */
  private async openAssigned(): Promise<void> {
    for (const [topic, parts] of Object.entries(this.assigned)) for (const part of parts) await this.open(topic, part);
  }

  private async open(topic: string, part: number): Promise<Partition> {
    const key = `${topic}/${part}`;
    const known = this.partitions.get(key);
    if (known) return known;
    const partition = await openPartition(this.log.database, this.admin, this.cluster, topic, part, usageTopicOf(this.config.KAFKA_PREFIX, topic)!.tenant);
    // A second opening may have come first: one state a partition, or each would seek away from the other.
    const first = this.partitions.get(key);
    if (first) return first;
    this.partitions.set(key, partition);
    this.consumer?.seek({ topic, partition: part, offset: String(partition.wanted()) });
    return partition;
  }

  private async batch(payload: EachBatchPayload): Promise<void> {
    const { batch, heartbeat, isRunning, isStale, resolveOffset } = payload;
    const started = Date.now();
    for (let attempt = 0; ; attempt++) {
      try {
        const partition = await this.open(batch.topic, batch.partition);
        if (!isRunning() || isStale()) return;
        const messages = partition.take(batch.messages, Number(batch.highWatermark), this.logger);
        if (messages === 'elsewhere') {
          this.consumer!.seek({ topic: batch.topic, partition: batch.partition, offset: String(partition.wanted()) });
          return;
        }
        for (let at = 0; at < messages.length; at += STRETCH) {
          if (!isRunning() || isStale()) return;
          await this.record(partition, messages.slice(at, at + STRETCH), batch.topic);
          resolveOffset(String(partition.next - 1));
          await heartbeat();
        }
        if (messages.length === 0) resolveOffset(batch.lastOffset());
        await this.commit(batch.topic, batch.partition, partition.next);
        return;
      } catch (error) {
        if (error instanceof Fenced) {
          this.logger.info({ topic: batch.topic, partition: batch.partition }, 'another recorder has taken this partition on');
          this.partitions.delete(`${batch.topic}/${batch.partition}`);
          return;
        }
        if (!isTransient(error)) {
          // kafkajs would swallow a bug and stop reading for good; the process says so and ends.
          if (!(error as { name?: string }).name?.startsWith('KafkaJS')) this.fatal(error);
          throw error;
        }
        if (Date.now() - started > PATIENCE_MS) this.fatal(error);
        this.partitions.delete(`${batch.topic}/${batch.partition}`); // whether the append was committed is read from the fence
        this.logger.warn({ attempt }, 'the database does not answer, trying again: %s', (error as Error).message);
        await pause(Math.min(5_000, 100 * 2 ** attempt) * (0.5 + Math.random()));
        await heartbeat();
      }
    }
  }

  private async record(partition: Partition, messages: KafkaMessage[], topic: string): Promise<void> {
    const { tenant } = usageTopicOf(this.config.KAFKA_PREFIX, topic)!;
    const links = linksOf(messages);
    await inSpan('record', { 'messaging.batch.message_count': messages.length, 'messaging.destination.name': topic }, links, async (span) => {
      const receivedAt = Date.now() * 1000;
      const arrivals = messages.map((message) => arrivalOf(message, tenant, receivedAt, this.pseudonymiser));
      const last = messages.at(-1)!;
      const next = Number(last.offset) + 1;
      const outcome = await append(this.log, arrivals, {
        origin: partition.origin, from: partition.next, next, voids: next - partition.next - messages.length,
        mark: fingerprint(last), markOffset: next - 1,
      });
      partition.moved(next);
      this.restarts = 0;
      span.setAttributes({ ...outcome });
      this.logger.debug({ ...outcome, topic, next }, 'recorded');
    });
  }

  private async commit(topic: string, partition: number, offset: number): Promise<void> {
    try {
      await this.consumer!.commitOffsets([{ topic, partition, offset: String(offset) }]);
    } catch (error) {
      this.logger.debug('kafka did not take the commit, which only lag tools read: %s', (error as Error).message);
    }
  }

  /** Notes, for the partitions this process reads, the last moment at which everything that had arrived was recorded. */
  private async markEnds(): Promise<void> {
    for (const [topic, parts] of Object.entries(this.assigned)) {
      const moment = new Date().toISOString();
      const offsets = await this.admin.fetchTopicOffsets(topic);
      const names = await knownParts(this.log.database, originName(this.cluster, topic));
      for (const { partition, high } of offsets) {
        const known = names.find(({ part }) => part === partition);
        if (known && parts.includes(partition)) await markEndSeen(this.log.database, known.origin, Number(high), moment);
      }
    }
  }

  private async every(ms: number, work: () => Promise<void>): Promise<void> {
    for (let waited = 0; !this.stopping; waited += 200) {
      await pause(200);
      if (waited < ms) continue;
      waited = 0;
      await work().catch((error: unknown) => this.survive(error));
    }
  }

  /** Outages pass; anything else ends the process. */
  private survive(error: unknown): void {
    if (this.stopping) return;
    if (isTransient(error) || (error as { name?: string }).name?.startsWith('KafkaJS')) this.logger.warn('%s', (error as Error).message);
    else this.fatal(error);
  }
}

/** The first sampled traces that these messages belong to. */
function linksOf(messages: KafkaMessage[]): Link[] {
  const links: Link[] = [];
  for (const message of messages) {
    const link = message.headers?.['traceparent'] && linkTo(headerText(message, 'traceparent'));
    if (link && links.push(link) === LINKS) break;
  }
  return links;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
