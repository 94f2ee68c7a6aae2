/**
 * Kafka in, event log out.
 *
 * What arrives: batches of usage events from the collector's topic and the tenants' own. What leaves: one append a
 * batch, with the fence that says how far the partition was read. Next is the projector, which reads the log.
 *
 *   idle ──join──▶ opened ──────the last record taken is there──────▶ checked ──batches──▶ checked
 *                    │ ▲ └─ another record in its place: stop            │ │
 *                    │ └───────── trouble between broker and consumer ───┘ └─ fenced by another reader: idle
 *                    └─ at any time, the fence beyond or before what the broker holds: stop
 *
 * The offset that counts lies in the database and moves with the events. Kafka's own commit comes after, for lag
 * tools only; whatever it says, a partition is read from where the database says.
 */
import { append, databaseTime, Fenced, markEndSeen, type Log } from '@foothold/event-log';
import { inSpan, isMisnamedUsage, isSource, isTransient, measuring, openKafka, originName, retireStatement, type Config, type Fatal, type Logger, type Pseudonymiser } from '@foothold/platform';
import { type Consumer, type ConsumerEndBatchProcessEvent, type EachBatchPayload, type Kafka, type KafkaMessage } from 'kafkajs';
import { arrivalOf, sampledTrace, sourceOf, tenantOf } from './arrival.js';
import { Broker, PartitionUnknown } from './broker.js';
import { Lag } from './lag.js';
import { fingerprint, openPartition, type Partition } from './partition.js';

/** Records appended in one transaction. */
const STRETCH = 5_000;
/** How long a recorder that died keeps its partitions from the others; heartbeats go on while a batch waits for the database. */
const SESSION_MS = 10_000;
const HEARTBEAT_MS = 2_000;

/** A topic is not deleted, made anew and filled in less. */
const QUIET_MS = 1_000;

export interface Pace {
  /** How often the ends of the partitions are looked at. */
  marksMs: number;
  /** How often new topics are looked for. */
  topicsMs: number;
  /** Restarts without progress between them before the process gives up and lets its supervisor start a new one. */
  restarts: number;
  /** How long a stretch may take, the database's outages included. */
  patienceMs: number;
}

export const PACE: Pace = { marksMs: 2_000, topicsMs: 15_000, restarts: 10, patienceMs: 5 * 60_000 };

const restarted = measuring((meter) => meter.createCounter('recorder.restarts', { description: 'how often the consumer was interrupted' }));

export class Recorder {
  private readonly kafka: Kafka;
  private readonly broker: Broker;
  private readonly lag: Lag;
  private consumer: Consumer | undefined;
  /** The consumer, once it has partitions of its own, until it is interrupted. */
  private joined: Consumer | undefined;
  private topics: string[] = [];
  private readonly misnamed = new Set<string>();
  private cluster = '';
  private partitions = new Map<string, Partition>();
  private opening = new Map<string, Promise<Partition>>();
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
    /** Called when a batch was recorded, and when the ends were seen and nothing is left to record. */
    private readonly beat: () => void = () => undefined,
    private readonly pace: Pace = PACE,
  ) {
    this.kafka = openKafka(config, 'foothold-recorder', logger);
    this.broker = new Broker(this.kafka);
    this.lag = new Lag(this.broker, () => this.assigned);
  }

  /** Rejects while Kafka does not answer. */
  async ready(): Promise<void> {
    await this.broker.cluster();
  }

  async start(): Promise<void> {
    this.cluster = await this.broker.cluster();
    await this.follow();
    this.loops.push(this.every(this.pace.topicsMs, () => this.follow()), this.every(this.pace.marksMs, () => this.markEnds()));
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.allSettled([this.consumer?.disconnect(), ...this.loops]);
    await this.consumer?.disconnect(); // one that a loop has started meanwhile
    await this.broker.close();
  }

  /** Reads every usage topic there is; starts anew when one has come or gone. */
  private async follow(): Promise<void> {
    const all = await this.broker.topics();
    const topics = all.filter((topic) => isSource(this.config.KAFKA_PREFIX, topic)).sort();
    this.warnOfMisnamed(all.filter((topic) => isMisnamedUsage(this.config.KAFKA_PREFIX, topic)));
    if (topics.length === 0) this.logger.warn('no topic %s.usage.v1 or %s.usage.<tenant>.v1 yet: create it', this.config.KAFKA_PREFIX, this.config.KAFKA_PREFIX);
    if (topics.join() === this.topics.join()) return;
    const gone = this.topics.filter((topic) => !topics.includes(topic));
    if (gone.length > 0) {
      const fix = `if they do not come back: ${gone.map((topic) => retireStatement(originName(this.cluster, topic))).join('; ')}`;
      this.logger.warn({ topics: gone, fix }, 'topics are gone: what was written there and not yet recorded is lost, and answers stay incomplete until their origins are given up');
    }
    this.topics = []; // until the new consumer runs, so that a failure on the way is tried again
    await this.consumer?.disconnect();
    this.consumer = this.joined = undefined;
    this.assigned = {};
    if (topics.length > 0) await this.consume(topics);
    this.topics = topics;
  }

  /** Once each: a topic's name is easily mistyped, and what is written there would end with its retention. */
  private warnOfMisnamed(topics: string[]): void {
    for (const topic of topics) {
      if (this.misnamed.has(topic)) continue;
      this.misnamed.add(topic);
      this.logger.warn({ topic, fix: `a tenant's name has 1-63 of a-z, 0-9, _ and -: write to ${this.config.KAFKA_PREFIX}.usage.<tenant>.v1` }, 'nobody reads this topic: its name gives no tenant');
    }
  }

  private async consume(topics: string[]): Promise<void> {
    this.logger.info({ topics }, 'reading %d topics', topics.length);
    const consumer: Consumer = this.kafka.consumer({
      groupId: `${this.config.KAFKA_PREFIX}.recorder`,
      sessionTimeout: SESSION_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxBytesPerPartition: 4 * 1024 * 1024,
      maxWaitTimeInMs: 200,
      metadataMaxAge: this.pace.topicsMs, // how soon new partitions are noticed
      // A crash while it is being disconnected would otherwise bring it back to life.
      retry: { restartOnFailure: () => Promise.resolve(!this.stopping && consumer === this.consumer) },
    });
    this.consumer = consumer;
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      if (consumer !== this.consumer) return;
      this.partitions = new Map();
      this.opening = new Map();
      this.assigned = payload.memberAssignment;
      this.joined = consumer;
      this.logger.info({ assigned: this.assigned }, 'joined the group');
      void this.openAssigned().catch((error: unknown) => this.survive(error));
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (this.stopping || consumer !== this.consumer) return;
      this.restarts++;
      restarted().add(1);
      this.joined = undefined;
      this.logger.warn({ error: payload.error.message, restarts: this.restarts }, 'the consumer was interrupted');
      if (!payload.restart || this.restarts >= this.pace.restarts) this.fatal(payload.error);
    });
    this.doubtAfterTrouble(consumer);
    consumer.on(consumer.events.END_BATCH_PROCESS, (event) => void this.skip(event).catch((error: unknown) => this.survive(error)));
    await consumer.connect();
    await consumer.subscribe({ topics, fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: (payload) => this.batch(consumer, payload) });
  }

  /**
   * kafkajs goes on reading a topic that was made anew as if it were the old one. Where a fetch failed, or none was made
   * for a while, the next one therefore begins at the last record taken. The seek counts for the fetch that is starting.
   */
  private doubtAfterTrouble(consumer: Consumer): void {
    const ended = new Map<number, number | null>();
    consumer.on(consumer.events.FETCH_START, ({ payload: { nodeId } }) => {
      const before = ended.get(nodeId);
      ended.set(nodeId, null);
      if (before === undefined || (before !== null && performance.now() - before < QUIET_MS) || consumer !== this.consumer) return;
      for (const partition of this.partitions.values()) {
        partition.doubt();
        this.seek(partition);
      }
    });
    consumer.on(consumer.events.FETCH, ({ payload: { nodeId } }) => void ended.set(nodeId, performance.now()));
  }

  /** Seeks the assigned partitions to their fences, so that a database set back is read again though nothing new arrives. */
  private async openAssigned(): Promise<void> {
    for (const [topic, parts] of Object.entries(this.assigned)) for (const part of parts) await this.open(topic, part);
  }

  private async open(topic: string, part: number): Promise<Partition> {
    const key = `${topic}/${part}`;
    const { partitions, opening } = this;
    const known = partitions.get(key);
    if (known) return known;
    // One opening at a time: two states of one partition would seek away from each other, and say everything twice.
    const under = opening.get(key) ?? this.openAt(topic, part, partitions).finally(() => opening.delete(key));
    opening.set(key, under);
    return under;
  }

  private async openAt(topic: string, part: number, partitions: Map<string, Partition>): Promise<Partition> {
    const tenant = tenantOf(this.config.KAFKA_PREFIX, topic);
    const partition = await openPartition(this.log.database, () => this.broker.boundsOf(topic, part), originName(this.cluster, topic), topic, part, tenant, this.logger);
    if (partitions === this.partitions) this.seek(partition);
    partitions.set(`${topic}/${part}`, partition);
    this.lag.note(partition);
    return partition;
  }

  private seek(partition: Partition): void {
    this.consumer?.seek({ topic: partition.topic, partition: partition.part, offset: String(partition.wanted()) });
  }

  private async batch(consumer: Consumer, payload: EachBatchPayload): Promise<void> {
    const { batch, heartbeat, isRunning, isStale, resolveOffset } = payload;
    const key = `${batch.topic}/${batch.partition}`;
    let since = performance.now();
    const beat = setInterval(() => {
      if (performance.now() - since > this.pace.patienceMs) this.fatal(new Error(`${key}: nothing could be recorded for ${this.pace.patienceMs / 1000} s`));
      else heartbeat().catch(() => undefined); // the next awaited one says the same again
    }, HEARTBEAT_MS);
    try {
      for (let attempt = 0; isRunning(); attempt++) {
        try {
          const partition = await this.open(batch.topic, batch.partition);
          if (!isRunning() || isStale()) return;
          const messages = await partition.take(batch.messages, () => this.broker.boundsOf(batch.topic, batch.partition), this.logger);
          if (messages === 'elsewhere') return this.seek(partition);
          // What lies behind the last record carries none: the markers of a transaction.
          const end = Number(batch.lastOffset()) + 1;
          for (let at = 0; partition.next < end; at += STRETCH) {
            if (!isRunning() || isStale()) return;
            const stretch = messages.slice(at, at + STRETCH);
            await this.record(partition, stretch, at + STRETCH >= messages.length ? end : Number(stretch.at(-1)!.offset) + 1);
            since = performance.now();
            resolveOffset(String(partition.next - 1));
            await heartbeat();
          }
          resolveOffset(batch.lastOffset());
          await this.commit(consumer, partition);
          return;
        } catch (error) {
          if (error instanceof Fenced) {
            this.logger.info({ topic: batch.topic, partition: batch.partition }, 'another recorder has taken this partition on');
            this.partitions.delete(key);
            return;
          }
          if (isKafkas(error)) throw error;
          // kafkajs would swallow a bug and stop reading for good: the process says so and ends.
          if (!isTransient(error)) {
            this.fatal(error);
            throw error;
          }
          this.partitions.delete(key); // whether the append was committed is read from the fence
          this.logger.warn({ attempt }, 'the database does not answer, trying again: %s', (error as Error).message);
          await pause(Math.min(5_000, 100 * 2 ** attempt) * (0.5 + Math.random()));
          await heartbeat();
        }
      }
    } finally {
      clearInterval(beat);
    }
  }

  private async record(partition: Partition, messages: KafkaMessage[], next: number): Promise<void> {
    const { topic } = partition;
    const source = sourceOf(this.config.KAFKA_PREFIX, topic);
    const traces = messages.map(sampledTrace);
    await inSpan('record', { 'messaging.batch.message_count': messages.length, 'messaging.destination.name': topic }, traces, async (span) => {
      const receivedAt = Date.now() * 1000;
      const arrivals = messages.map((message, i) => arrivalOf(message, source, receivedAt, this.pseudonymiser, traces[i]));
      const last = messages.at(-1);
      const outcome = await append(this.log, arrivals, {
        origin: partition.origin, from: partition.next, next, voids: next - partition.next - messages.length,
        mark: last ? fingerprint(last) : null, markOffset: last ? Number(last.offset) : null,
      });
      partition.moved(next, last);
      this.lag.note(partition);
      this.restarts = 0;
      this.beat();
      span.setAttributes({ ...outcome });
      this.logger.debug({ ...outcome, topic, next }, 'recorded');
    });
  }

  /** Offsets that carry no record (an aborted transaction) come to no batch: the fence passes them here, or the end would never be seen. */
  private async skip({ payload }: ConsumerEndBatchProcessEvent): Promise<void> {
    const partition = this.partitions.get(`${payload.topic}/${payload.partition}`);
    const end = Number(payload.lastOffset) + 1;
    if (payload.batchSize > 0 || !partition?.checked || Number(payload.firstOffset) > partition.next || end <= partition.next) return;
    try {
      await this.record(partition, [], end);
    } catch (error) {
      if (!(error instanceof Fenced)) throw error;
    }
  }

  private async commit(consumer: Consumer, { topic, part, next }: Partition): Promise<void> {
    try {
      await consumer.commitOffsets([{ topic, partition: part, offset: String(next) }]);
    } catch (error) {
      this.logger.debug('kafka did not take the commit, which only lag tools read: %s', (error as Error).message);
    }
  }

  /** Notes, for the partitions this process reads, the last moment at which everything that had arrived was recorded. */
  private async markEnds(): Promise<void> {
    const atEnd = await Promise.all(
      Object.entries(this.assigned).map(([topic, parts]) =>
        this.markEndsOf(topic, parts).catch((error: unknown) => {
          this.survive(error);
          return false;
        }),
      ),
    );
    if (!atEnd.every(Boolean)) return;
    this.restarts = 0;
    if (this.joined === this.consumer) this.beat(); // one that never joins its group has nothing to do either
  }

  private async markEndsOf(topic: string, parts: number[]): Promise<boolean> {
    const before: { partition: Partition; next: number }[] = [];
    for (const part of parts) {
      const partition = await this.open(topic, part);
      before.push({ partition, next: partition.next });
    }
    const moment = new Date(await databaseTime(this.log.database)).toISOString();
    const bounds = await this.broker.bounds(topic);
    let atEnd = true;
    for (const { partition, next } of before) {
      const found = bounds.get(partition.part);
      if (!found) continue;
      atEnd &&= partition.next >= found.high;
      if (next > found.high || next < found.low) {
        this.partitions.delete(`${topic}/${partition.part}`);
        await this.open(topic, partition.part); // reads the fence anew, and stops where it lies there indeed
      } else if (!partition.checked && partition.wanted() < found.low) partition.giveUpCheck(this.logger);
      else if (partition.checked) await markEndSeen(this.log.database, partition.origin, found.high, moment);
    }
    return atEnd;
  }

  private async every(ms: number, work: () => Promise<void>): Promise<void> {
    for (let waited = 0; !this.stopping; waited += TICK_MS) {
      await pause(TICK_MS);
      if (waited < ms) continue;
      waited = 0;
      await work().catch((error: unknown) => this.survive(error));
    }
  }

  /** Outages pass; anything else ends the process. */
  private survive(error: unknown): void {
    if (this.stopping) return;
    if (isTransient(error) || isKafkas(error)) this.logger.warn('%s', (error as Error).message);
    else this.fatal(error);
  }
}

const TICK_MS = 200;

/** What kafkajs, or time, mends. */
function isKafkas(error: unknown): boolean {
  return error instanceof PartitionUnknown || (error instanceof Error && error.name.startsWith('KafkaJS'));
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
