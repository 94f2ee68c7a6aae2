/**
 * The hosts: they send what was drawn, over HTTP and with their own Kafka clients, and keep a list of what was
 * acknowledged. An honest client sends the same again, under the same ids, until it has an answer; some give up.
 * Arrives: a plan. Leaves: what of each record is certain. Next is `oracle`, which holds the log against it.
 */
import { type Kafka, Partitioners, type Producer } from 'kafkajs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Fate, type LoadRecord, drawLoad } from '../support/usage-load.js';
import { seeded, type Seeded } from '../support/seeded.js';
import { type Plan } from './schedule.js';

/** A record and what its sender knows of it. */
export interface Sent {
  /** What it is by itself; which of two bodies with one id comes first is not known. */
  fate: Fate;
  /** Null where nobody can read it. */
  value: string | null;
  partition: number;
  key: string;
  /** How often it was acknowledged. */
  acks: number;
  /** How often it may have arrived at most. */
  copies: number;
}

interface Piece {
  /** Milliseconds after the beginning, or held back: for what comes late, for a topic that will be made anew, for what waits. */
  at: number | 'late' | 'anew' | 'spare';
  way: 'http' | 'kafka';
  records: Sent[];
  /** Its sender tries once only. */
  givesUp: boolean;
}

const POISON = ['not json', null, '', '[]', '{"specversion":"1.0"', '\u0000\u0001'];
/** What the collector's producer may write at most of one message: once, and again at each retry. */
const COPIES = 4;
const LANES = 3;
/** Records that are sent only while something waits for traffic. */
const SPARE = 240;
/** How long a client waits for an answer: longer than the collector waits for Kafka. */
const PATIENCE_MS = 7_000;

export interface Ways {
  /** Where events are sent, one of them each time. */
  urls: () => string[];
  key: string;
  kafka: Kafka;
  /** The topic that hosts with a Kafka client write; undefined where there is no Kafka. */
  topic: string | undefined;
}

export class Hosts {
  private readonly all: Sent[] = [];
  /** What answers said that they should not have. */
  readonly wrong: string[] = [];
  /** How often a collector said that it could not take what was sent. */
  refusals = 0;
  private readonly pieces: Piece[];
  private readonly draw: Seeded;
  private producer: Promise<Producer> | undefined;
  private over = false;

  constructor(
    plan: Plan,
    private readonly ways: Ways,
  ) {
    const draw = (this.draw = seeded(plan.seed ^ 0x5eed));
    const load = drawLoad(plan.seed, [{ records: plan.events + SPARE }], plan.partitions, plan.people).rounds[0]!;
    const records = load.map((record): Sent => ({ ...named(record), acks: 0, copies: 0 }));
    const anew = plan.faults.some(({ kind }) => kind === 'topic made anew');
    this.pieces = [];
    while (records.length > 0) {
      const spare = records.length <= SPARE;
      const foreign = plan.kafka && draw.next() < 0.3;
      const piece = records.splice(0, spare ? 2 : 1 + draw.below(draw.next() < 0.3 ? 80 : 15));
      // Another partitioner: it knows nothing of deployments and people.
      if (foreign) for (const record of piece) record.partition = draw.below(plan.partitions);
      if (foreign && draw.next() < 0.3) piece.push({ fate: 'rejected', value: POISON[draw.below(POISON.length)]!, partition: draw.below(plan.partitions), key: 'poison', acks: 0, copies: 0 });
      const late = draw.next() < 0.2;
      this.pieces.push({ at: spare ? 'spare' : !late ? draw.below(plan.window) : anew && foreign ? 'anew' : 'late', way: foreign ? 'kafka' : 'http', records: piece, givesUp: draw.next() < 0.05 });
      this.all.push(...piece);
    }
  }

  /** What was sent, at least once. */
  get sent(): Sent[] {
    return this.all.filter(({ copies }) => copies > 0);
  }

  /** Sends what has a time, at that time. */
  async send(): Promise<void> {
    const began = Date.now();
    const timed = this.of('timed');
    await this.lanes(timed, async (piece) => {
      await sleep(Math.max(0, began + (piece.at as number) - Date.now()));
      await this.deliver(piece);
    });
  }

  /** Sends a little all the time while `waiting` says that something waits for traffic, and then what was held back. */
  async sendRest(waiting: () => boolean): Promise<void> {
    const late = this.of('late');
    const spare = [...late.splice(0, late.length / 2), ...this.of('spare')];
    for (const deadline = Date.now() + 90_000; waiting() && Date.now() < deadline; ) {
      const piece = spare.shift() ?? this.pieces[this.draw.below(this.pieces.length)]!;
      await Promise.all([piece.at !== 'anew' && this.deliver(piece), sleep(60)]);
    }
    await this.lanes([...late, ...spare.filter(({ at }) => at === 'late')], (piece) => this.deliver(piece));
  }

  /** Sends again what was acknowledged long ago. @returns how many records */
  async again(share: number): Promise<number> {
    const known = this.pieces.filter(({ records }) => records.every(({ acks }) => acks > 0));
    const chosen = known.slice(0, Math.max(1, Math.floor(known.length * share)));
    for (const piece of chosen) await this.deliver({ ...piece, givesUp: false });
    return chosen.reduce((sum, { records }) => sum + records.length, 0);
  }

  /** Writes new events and known ones to a topic that was made anew. @returns how many records */
  async fill(known: number): Promise<number> {
    const pieces = [...this.of('anew'), { at: 'anew' as const, way: 'kafka' as const, records: this.sent.filter(({ acks }) => acks > 0).slice(0, known), givesUp: false }];
    for (const piece of pieces) await this.deliver({ ...piece, givesUp: false });
    return pieces.reduce((sum, { records }) => sum + records.length, 0);
  }

  async close(): Promise<void> {
    this.over = true;
    await (await this.producer?.catch(() => undefined))?.disconnect();
  }

  private of(which: 'timed' | 'late' | 'anew' | 'spare'): Piece[] {
    if (which !== 'timed') return this.pieces.filter(({ at }) => at === which);
    return this.pieces.filter(({ at }) => typeof at === 'number').sort((one, other) => (one.at as number) - (other.at as number));
  }

  private async lanes(pieces: Piece[], deliver: (piece: Piece) => Promise<void>): Promise<void> {
    const lane = async () => {
      for (let piece = pieces.shift(); piece; piece = pieces.shift()) await deliver(piece);
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }

  private async deliver(piece: Piece): Promise<void> {
    const deadline = Date.now() + 90_000;
    for (let attempt = 0; ; attempt++) {
      if (await (piece.way === 'http' ? this.post(piece.records, attempt) : this.produce(piece.records))) break;
      if (piece.givesUp || this.over) return;
      if (Date.now() > deadline) throw new Error(`${piece.records.length} events were not taken (${piece.way}) within 90 s`);
      await sleep(100 + 300 * Math.random());
    }
    for (const record of piece.records) record.acks++;
  }

  private async post(records: Sent[], attempt: number): Promise<boolean> {
    const urls = this.ways.urls();
    for (const record of records) record.copies += COPIES;
    try {
      const response = await fetch(`${urls[(attempt + records.length) % urls.length]}/v1/events`, {
        method: 'POST', body: `[${records.map(({ value }) => value).join(',')}]`, signal: AbortSignal.timeout(PATIENCE_MS),
        headers: { 'content-type': 'application/cloudevents-batch+json', authorization: `Bearer ${this.ways.key}` },
      });
      const answer = (await response.json()) as { accepted: number; refused: { index: number }[] };
      if (response.status === 503) this.refusals++;
      else if (response.status !== 202) this.wrong.push(`a collector answered ${response.status}: ${JSON.stringify(answer)}`);
      if (response.status !== 202) return false;
      const refused = records.flatMap(({ fate }, i) => (fate === 'rejected' ? [i] : []));
      if (answer.refused.map(({ index }) => index).join() !== refused.join() || answer.accepted !== records.length - refused.length) this.wrong.push(`of ${records.length} events those at ${refused.join()} should have been refused: ${JSON.stringify(answer)}`);
      return true;
    } catch {
      return false; // no answer, or half of one
    }
  }

  private async produce(records: Sent[]): Promise<boolean> {
    for (const record of records) record.copies++;
    const producer = (this.producer ??= this.connect());
    try {
      await (await producer).send({ topic: this.ways.topic!, acks: -1, messages: records.map(({ key, value, partition }) => ({ key, value, partition })) });
      return true;
    } catch {
      if (this.producer === producer) this.producer = undefined;
      await producer.then((gone) => gone.disconnect()).catch(() => undefined); // what it had is lost anyway
      return false;
    }
  }

  private async connect(): Promise<Producer> {
    const producer = this.ways.kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, retry: { retries: 0 } });
    await producer.connect();
    return producer;
  }
}

/** Some events have a name of their host's own in place of a UUIDv7; the same one wherever they come again. */
function named({ id, fate, value, partition, key }: LoadRecord): Omit<Sent, 'acks' | 'copies'> {
  const own = id.endsWith('0') || id.endsWith('7');
  return { fate, partition, key, value: own ? value.replace(`"id":"${id}"`, `"id":"erp:${id}:1"`) : value };
}
