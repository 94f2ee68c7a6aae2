/**
 * From the collector to Kafka: events to the topic of usage, refusals to the topic of dead letters, both acknowledged by
 * every replica in sync (acks=all). Next is the recorder.
 *
 * Requests that come while a send is on its way go together into the next one. What Kafka does not acknowledge in time is
 * answered as not kept, though it may be: the sender sends it again, and the log knows it by its id.
 */
import { writtenRefusal } from '@foothold/contract';
import { deadLettersTopic, openKafka, usageTopic, type Config, type Logger } from '@foothold/platform';
import { Partitioners, type Admin, type Kafka, type Message, type Producer, type TopicMessages } from 'kafkajs';
import { NotDurable, type Kept, type Sink } from './sink.js';

/** How long Kafka may take. */
const PATIENCE_MS = 5_000;
/** What may wait for Kafka, in bytes of values; more is refused at once, or an outage would fill the memory. */
const WAITING_BYTES = 64 * 1024 * 1024;
/** Messages in one send. */
const GROUP = 5_000;
const CONTENT_TYPE = 'application/cloudevents+json';

interface Waiting {
  topics: Map<string, Message[]>;
  messages: number;
  bytes: number;
  done: (error?: unknown) => void;
}

export class KafkaSink implements Sink {
  private readonly kafka: Kafka;
  private readonly producer: Producer;
  private readonly topics: { usage: string; deadLetters: string };
  private admin: Promise<Admin> | undefined;
  private waiting: Waiting[] = [];
  private waitingBytes = 0;
  private sending: Promise<void> | undefined;
  private connected: Promise<void> | undefined;

  constructor(
    config: Config,
    private readonly logger: Logger,
  ) {
    this.kafka = openKafka(config, 'foothold-collector', logger);
    this.producer = this.kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, allowAutoTopicCreation: false, retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000 } });
    this.topics = { usage: usageTopic(config.KAFKA_PREFIX), deadLetters: deadLettersTopic(config.KAFKA_PREFIX) };
  }

  async take(tenant: string, items: Kept[]): Promise<void> {
    const waiting: Omit<Waiting, 'done'> = { topics: new Map(), messages: items.length, bytes: 0 };
    for (const item of items) {
      const { topic, message } = this.messageOf(tenant, item);
      waiting.bytes += (message.value as string).length;
      const messages = waiting.topics.get(topic);
      if (messages) messages.push(message);
      else waiting.topics.set(topic, [message]);
    }
    if (this.waitingBytes + waiting.bytes > WAITING_BYTES) throw new NotDurable('too much waits for Kafka already');
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new NotDurable(`Kafka did not acknowledge it within ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
      this.waitingBytes += waiting.bytes;
      this.waiting.push({
        ...waiting,
        done: (error) => {
          clearTimeout(timer);
          this.waitingBytes -= waiting.bytes;
          if (error === undefined) resolve();
          else reject(new NotDurable('Kafka did not take it'));
        },
      });
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
    this.logger.error({ topics: missing, fix: 'create them, with as many replicas as there are brokers, up to 3' }, 'topics are missing: no event can be taken');
    throw new Error('topics are missing');
  }

  async close(): Promise<void> {
    await this.sending;
    await Promise.allSettled([this.producer.disconnect(), this.admin?.then((admin) => admin.disconnect())]);
  }

  private messageOf(tenant: string, item: Kept): { topic: string; message: Message } {
    if ('refusal' in item) return { topic: this.topics.deadLetters, message: { key: tenant, value: writtenRefusal(item.refusal), headers: { tenant } } };
    const { event, passedOn, traceparent } = item;
    const headers = { 'content-type': CONTENT_TYPE, tenant, ...(traceparent === undefined ? {} : { traceparent }) };
    return { topic: this.topics.usage, message: { key: `${event.deployment}/${event.person ?? ''}`, value: passedOn(), headers } };
  }

  private async sendAll(): Promise<void> {
    for (let group = this.nextGroup(); group.length > 0; group = this.nextGroup()) {
      let failed: unknown;
      try {
        await (this.connected ??= this.producer.connect());
        const topicMessages: TopicMessages[] = [];
        for (const topic of Object.values(this.topics)) {
          const messages = group.flatMap(({ topics }) => topics.get(topic) ?? []);
          if (messages.length > 0) topicMessages.push({ topic, messages });
        }
        await this.producer.sendBatch({ acks: -1, topicMessages });
      } catch (error) {
        failed = error ?? new Error('unknown');
        this.connected = undefined;
        this.logger.warn('kafka does not take events: %s', (error as Error).message);
      }
      for (const { done } of group) done(failed);
    }
    this.sending = undefined;
  }

  private nextGroup(): Waiting[] {
    let messages = 0;
    let count = 0;
    for (const waiting of this.waiting) {
      if (count > 0 && messages + waiting.messages > GROUP) break;
      messages += waiting.messages;
      count++;
    }
    return this.waiting.splice(0, count);
  }

  private async openAdmin(): Promise<Admin> {
    const admin = this.kafka.admin({ retry: { retries: 1 } });
    await admin.connect();
    return admin;
  }
}
