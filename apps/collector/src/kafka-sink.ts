/**
 * From the collector to Kafka: events to the topic of usage, refusals, sealed, to the topic of dead letters, both acknowledged by
 * every replica in sync (acks=all). Next is the recorder.
 *
 * Requests that come while a send is on its way go together into the next one. What Kafka does not acknowledge in time is
 * answered as not kept, though it may be: the sender sends it again, and the log knows it by its id.
 */
import { sealedRefusal, writtenRefusal } from '@foothold/contract';
import { deadLettersTopic, openKafka, usageTopic, type Config, type Logger, type Sealer } from '@foothold/platform';
import { Partitioners, type Admin, type Kafka, type Message, type Producer } from 'kafkajs';
import { SINGLE } from './body.js';
import { NotDurable, type Kept, type Sink } from './sink.js';

/** How long Kafka may take. */
const PATIENCE_MS = 5_000;
/** What may wait for Kafka; more is refused at once, or an outage would fill the memory. */
const WAITING_BYTES = 64 * 1024 * 1024;
/**
 * What goes into one send. All of it may be one person's, and so of one partition: a broker refuses a batch of more than
 * `max.message.bytes`, a megabyte unless somebody chose less, and then half of this is tried, and half of that.
 */
const SEND_BYTES = 900 * 1024;
/** Of clocks no further apart than this Kafka takes either's stamps. */
const CLOCK_MS = 60_000;
/** Room for key, headers and framing of a message beside its value. */
const OVERHEAD_BYTES = 300;

interface Sent {
  topic: string;
  message: Message;
  bytes: number;
}

/** A request on its way to Kafka: whole in one send, or in as many as it needs. */
interface Waiting {
  left: Sent[];
  isUnderWay: boolean;
  done: (error?: unknown) => void;
}

export class KafkaSink implements Sink {
  private readonly kafka: Kafka;
  private readonly producer: Producer;
  private readonly topics: { usage: string; deadLetters: string };
  private admin: Promise<Admin> | undefined;
  private waiting: Waiting[] = [];
  private waitingBytes = 0;
  private sendBytes = SEND_BYTES;
  /** What this host's clock is behind by, once Kafka has refused what it says. */
  private behindMs = 0;
  private closing = false;
  private sending: Promise<void> | undefined;
  private connected: Promise<void> | undefined;

  constructor(
    config: Config,
    private readonly sealer: Sealer,
    private readonly logger: Logger,
    /** Milliseconds since 1970 by the clock that counts, the database's. */
    private readonly time: () => Promise<number>,
  ) {
    this.kafka = openKafka(config, 'foothold-collector', logger);
    this.producer = this.kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, allowAutoTopicCreation: false, retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000 } });
    this.topics = { usage: usageTopic(config.KAFKA_PREFIX), deadLetters: deadLettersTopic(config.KAFKA_PREFIX) };
  }

  async take(tenant: string, items: Kept[]): Promise<void> {
    const left = items.map((item) => this.sentOf(tenant, item));
    const bytes = left.reduce((sum, one) => sum + one.bytes, 0);
    if (this.waitingBytes + bytes > WAITING_BYTES) throw new NotDurable('too much waits for Kafka already');
    await new Promise<void>((resolve, reject) => {
      const waiting: Waiting = {
        left,
        isUnderWay: false,
        done: (error) => {
          clearTimeout(timer);
          this.waitingBytes -= bytes;
          if (error === undefined) resolve();
          else reject(new NotDurable('Kafka did not take it'));
        },
      };
      const timer = setTimeout(() => {
        reject(new NotDurable(`Kafka did not acknowledge it within ${PATIENCE_MS / 1000} s`));
        // What nobody waits for need not be sent; what is being sent is counted until that has ended.
        if (!waiting.isUnderWay) this.drop(waiting);
      }, PATIENCE_MS);
      this.waitingBytes += bytes;
      this.waiting.push(waiting);
      this.sending ??= this.sendAll();
    });
  }

  /** Rejects while Kafka, or one of the two topics, is not there. */
  async ready(): Promise<void> {
    this.admin ??= this.openAdmin();
    const admin = await this.admin.catch((error: unknown) => {
      this.admin = undefined;
      throw error;
    });
    const there = await admin.listTopics();
    const missing = Object.values(this.topics).filter((topic) => !there.includes(topic));
    if (missing.length === 0) return;
    throw new Error(`there is no topic ${missing.join(', nor ')}, and no event can be taken: create them, with as many replicas as there are brokers, up to 3`);
  }

  async close(): Promise<void> {
    this.closing = true;
    await this.sending;
    await Promise.allSettled([this.producer.disconnect(), this.admin?.then((admin) => admin.disconnect())]);
  }

  private sentOf(tenant: string, item: Kept): Sent {
    if ('refusal' in item) return sent(this.topics.deadLetters, tenant, writtenRefusal(sealedRefusal(item.refusal, (of, payload) => this.sealer.seal(of, payload))), { tenant });
    const { event, passedOn, traceparent, skewMs } = item;
    const headers = { 'content-type': SINGLE, tenant, ...(traceparent === undefined ? {} : { traceparent }), ...(skewMs === undefined ? {} : { 'skew-ms': String(skewMs) }) };
    return sent(this.topics.usage, `${event.deployment}/${event.person ?? ''}`, passedOn(), headers);
  }

  private async sendAll(): Promise<void> {
    while (this.waiting.length > 0) {
      const parts = this.nextParts();
      const messages = parts.flatMap(({ waiting, count }) => waiting.left.slice(0, count));
      for (const { waiting } of parts) waiting.isUnderWay = true;
      try {
        await this.send(messages);
        for (const { waiting, count } of parts) {
          waiting.left.splice(0, count);
          if (waiting.left.length === 0) waiting.done();
        }
      } catch (error) {
        if (isTooLarge(error) && messages.length > 1) {
          this.sendBytes /= 2;
          continue;
        }
        if (isOfAnotherTime(error) && (await this.correctClock())) continue;
        this.connected = undefined;
        this.logger.warn('kafka does not take events: %s', (error as Error).message);
        // A process that is stopping has no time to find out the same of the rest.
        for (const waiting of this.closing ? [...this.waiting] : parts.map((part) => part.waiting)) this.drop(waiting, error);
      }
      for (const { waiting } of parts) waiting.isUnderWay = false;
      this.waiting = this.waiting.filter(({ left }) => left.length > 0);
    }
    this.sending = undefined;
  }

  private drop(waiting: Waiting, error: unknown = new Error('too late')): void {
    waiting.left = [];
    this.waiting = this.waiting.filter((other) => other !== waiting);
    waiting.done(error);
  }

  /** As much of what waits, in its order, as goes into one send; a message at least. */
  private nextParts(): { waiting: Waiting; count: number }[] {
    const parts: { waiting: Waiting; count: number }[] = [];
    let bytes = 0;
    for (const waiting of this.waiting) {
      let count = 0;
      for (let next = waiting.left[0]; next && (bytes === 0 || bytes + next.bytes <= this.sendBytes); next = waiting.left[++count]) bytes += next.bytes;
      if (count > 0) parts.push({ waiting, count });
      if (count < waiting.left.length) break;
    }
    return parts;
  }

  private async send(sent: Sent[]): Promise<void> {
    await (this.connected ??= this.producer.connect());
    const stamp = this.behindMs === 0 ? {} : { timestamp: String(Math.round(Date.now() + this.behindMs)) };
    const topicMessages = Object.values(this.topics).map((topic) => ({ topic, messages: sent.filter((one) => one.topic === topic).map(({ message }) => ({ ...message, ...stamp })) }));
    await this.producer.sendBatch({ acks: -1, topicMessages: topicMessages.filter(({ messages }) => messages.length > 0) });
  }

  /** Kafka takes nothing that is stamped an hour ahead of its own clock: a host whose clock is wrong stamps by the database's. @returns whether that is another time */
  private async correctClock(): Promise<boolean> {
    const behindMs = await this.time().then((now) => now - Date.now(), () => this.behindMs);
    if (Math.abs(behindMs - this.behindMs) < CLOCK_MS) return false;
    this.behindMs = behindMs;
    this.logger.error({ seconds: Math.round(behindMs / 1000), fix: 'run a time service (NTP) on this host' }, 'the clock of this host is wrong, and Kafka refuses its stamps: the database’s is used instead');
    return true;
  }

  private async openAdmin(): Promise<Admin> {
    const admin = this.kafka.admin({ retry: { retries: 1 } });
    await admin.connect();
    return admin;
  }
}

function sent(topic: string, key: string, value: string, headers: Record<string, string>): Sent {
  return { topic, message: { key, value, headers }, bytes: Buffer.byteLength(value) + OVERHEAD_BYTES };
}

const isTooLarge = (error: unknown): boolean => (error as { type?: string }).type === 'MESSAGE_TOO_LARGE';
const isOfAnotherTime = (error: unknown): boolean => (error as { type?: string }).type === 'INVALID_TIMESTAMP';
