/**
 * The direct way in: from a process that has checked events itself straight into the log, without Kafka.
 *
 * What arrives: what the collector let pass or refused, handed over in pieces. What leaves: one append for all that came
 * while the one before it was on its way. Next is the projector, which reads the log.
 *
 * Each start of a process is an origin of its own, whose next offset counts what was handed over: `received`, moved by
 * the append's own fence. An append whose end was not heard is settled from that fence before anything else is written.
 * A process that was stalled for so long that another finished its origin finds itself fenced, and goes on under a new one.
 */
import { DatabaseReplaced, isTransient } from '@foothold/platform';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { append, Fenced, type Arrival, type Outcome } from './append.js';
import { type Log } from './identities.js';
import { databaseTime, finishOrigin, markEndSeen, openOrigin, type Stretch } from './origin.js';

/** Most arrivals in one append. */
const GROUP = 5_000;
const LONGEST_PAUSE_MS = 2_000;
/** What may wait for the database; more is refused at once, or an outage would fill the memory. */
const WAITING_BYTES = 64 * 1024 * 1024;
/** Room for an arrival beside its text. */
const OVERHEAD_BYTES = 500;

export interface DirectOptions {
  /** How long a hand may wait for its append, the database's outages included. */
  patienceMs: number;
  /** How often the last moment up to which everything was appended is noted. */
  marksMs: number;
  /** Called each time round, every few seconds at least. */
  beat: () => void;
  /** Told of trouble that time mends. */
  warn: (error: unknown) => void;
  /** Told why nothing more can be appended. */
  fatal: (error: unknown) => void;
}

type Given = Pick<DirectOptions, 'beat' | 'warn' | 'fatal'> & Partial<DirectOptions>;
const OPTIONS = { patienceMs: 5_000, marksMs: 1_000 };

/** What was handed over is not known to be stored: it may be, so hand over the same again, with the same ids. */
export class NotInTime extends Error {
  constructor(why: string) {
    super(`not known to be stored: ${why}`);
    this.name = 'NotInTime';
  }
}

interface Hand {
  arrivals: Arrival[];
  /** When it came: by a clock of this process that nobody sets, in milliseconds. */
  at: number;
  /** To be appended by itself: something handed over together with it could not be. */
  alone: boolean;
  /** Null once it was answered. */
  answer: ((ended: { outcome: Outcome } | { error: unknown }) => void) | null;
}

interface Fence {
  origin: number;
  next: number;
  /** What became of everything before `next`. */
  counted: Outcome;
}

/** An append whose end was not heard. */
interface Doubt {
  stretch: Stretch;
  hands: Hand[];
}

/** Opens the direct way into `log`. Close it. */
export async function openDirect(log: Log, options: Given): Promise<Direct> {
  const direct = new Direct(log, { ...OPTIONS, ...options });
  await direct.start();
  return direct;
}

export class Direct {
  private fence: Fence | null = null;
  private waiting: Hand[] = [];
  /** Of all that is not answered yet. */
  private waitingBytes = 0;
  private doubt: Doubt | null = null;
  private markedAt = -Infinity;
  private closing = false;
  private wake: () => void = () => undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly log: Log,
    private readonly options: DirectOptions,
  ) {}

  async start(): Promise<void> {
    await this.open();
    this.running = this.rounds();
  }

  /**
   * Appends these and whatever else waits.
   * @returns what became of all that went in with them
   * @throws NotInTime when that takes longer than the options allow, when too much waits already, or the way in is closed.
   */
  hand(arrivals: Arrival[]): Promise<Outcome> {
    if (this.closing) return Promise.reject(new NotInTime('this process is stopping'));
    if (arrivals.length === 0) return Promise.resolve(nothing());
    const bytes = arrivals.reduce((sum, arrival) => sum + OVERHEAD_BYTES + sizeOf(arrival), 0);
    if (this.waitingBytes > 0 && this.waitingBytes + bytes > WAITING_BYTES) return Promise.reject(new NotInTime('too much waits for the database already'));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        hand.answer?.({ error: new NotInTime(`the database did not take it within ${this.options.patienceMs / 1000} s`) });
        // What nobody waits for must not fill the memory until the database is back.
        hand.arrivals = [];
        while (this.waiting[0] && !this.waiting[0].answer) this.waiting.shift();
      }, this.options.patienceMs);
      const hand: Hand = {
        arrivals,
        at: performance.now(),
        alone: false,
        answer: (ended) => {
          hand.answer = null;
          this.waitingBytes -= bytes;
          clearTimeout(timer);
          if ('outcome' in ended) resolve(ended.outcome);
          else reject(ended.error as Error);
        },
      };
      this.waitingBytes += bytes;
      this.waiting.push(hand);
      this.wake();
    });
  }

  /** Appends what waits, takes nothing more, and finishes the origin. */
  async close(): Promise<void> {
    this.closing = true;
    this.wake();
    await this.running;
  }

  private async rounds(): Promise<void> {
    for (let trouble = 0; ; ) {
      this.options.beat();
      try {
        await this.round();
        trouble = 0;
        if (this.waiting.length > 0) continue;
        if (this.closing) return void (this.fence && (await finishOrigin(this.log.database, this.fence.origin)));
        await this.idle();
      } catch (error) {
        const passes = isTransient(error) || error instanceof Fenced;
        if (passes) this.options.warn(error);
        else this.options.fatal(error);
        if (!passes || this.closing) return this.giveUp();
        await pause(Math.min(LONGEST_PAUSE_MS, 50 * 2 ** trouble++) * (0.5 + Math.random()));
      }
    }
  }

  private async round(): Promise<void> {
    if (this.doubt) await this.settle(this.doubt);
    const fence = this.fence ?? (await this.open());
    const hands = this.take();
    if (hands.length > 0) await this.append(hands, fence);
    if (performance.now() - this.markedAt >= this.options.marksMs) await this.mark(fence);
  }

  /** What goes into the next append: whole hands, so that each is stored or not. */
  private take(): Hand[] {
    const hands: Hand[] = [];
    let arrivals = 0;
    for (let hand = this.waiting[0]; hand; hand = this.waiting[0]) {
      if (hands.length > 0 && (hand.alone || arrivals + hand.arrivals.length > GROUP)) break;
      this.waiting.shift();
      if (!hand.answer) continue; // given up meanwhile
      hands.push(hand);
      arrivals += hand.arrivals.length;
      if (hand.alone) break;
    }
    return hands;
  }

  private async append(hands: Hand[], fence: Fence): Promise<void> {
    const arrivals = hands.flatMap((hand) => hand.arrivals);
    const stretch = { origin: fence.origin, from: fence.next, next: fence.next + arrivals.length, voids: 0, mark: null, markOffset: null };
    try {
      const outcome = await append(this.log, arrivals, stretch);
      fence.next = stretch.next;
      for (const field of FIELDS) fence.counted[field] += outcome[field];
      for (const hand of hands) hand.answer?.({ outcome });
    } catch (error) {
      if (isTransient(error) || error instanceof Fenced || error instanceof DatabaseReplaced) {
        this.doubt = { stretch, hands };
        throw error;
      }
      // Nothing of it was written. Whose fault it is shows when each goes by itself.
      if (hands.length === 1) hands[0]!.answer?.({ error });
      else this.waiting.unshift(...hands.map((hand) => Object.assign(hand, { alone: true })));
    }
  }

  /**
   * Reads from the fence whether an append took effect. The row's lock waits for a transaction that was on its way to its
   * commit when the connection was lost; one that was not can commit no more. Letters of this origin that were redriven
   * since show in the difference: nothing is decided by it.
   */
  private async settle({ stretch, hands }: Doubt): Promise<void> {
    const rows = await this.log.database.query<Outcome & { next: number; finished: boolean }>(SETTLE, [stretch.origin]);
    if (!rows[0] || rows[0].next < stretch.from) throw new DatabaseReplaced(`${stretch.from} records were taken, ${rows[0]?.next ?? 'none'} are counted`);
    const { next, finished, ...counted } = rows[0];
    this.doubt = null;
    if (next === stretch.next) {
      const outcome = nothing();
      for (const field of FIELDS) outcome[field] = counted[field] - this.fence!.counted[field];
      for (const hand of hands) hand.answer?.({ outcome });
    } else this.waiting.unshift(...hands);
    this.fence = finished ? null : { origin: stretch.origin, next, counted };
  }

  private async open(): Promise<Fence> {
    const { origin, nextOffset } = await openOrigin(this.log.database, { kind: 'direct', name: `direct/${randomUUID()}`, part: 0, tenant: null, firstOffset: 0 });
    return (this.fence = { origin, next: nextOffset, counted: nothing() });
  }

  /** Between two appends everything is in the log that was handed over before the first of what waits. */
  private async mark({ origin, next }: Fence): Promise<void> {
    const now = await databaseTime(this.log.database);
    const waited = this.waiting[0] ? performance.now() - this.waiting[0].at : 0;
    const moment = now - waited;
    if (!(await markEndSeen(this.log.database, origin, next, new Date(moment).toISOString()))) this.fence = null;
    this.markedAt = performance.now();
  }

  /** Until something is handed over, the next mark is due, or the end. */
  private async idle(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.options.marksMs);
      this.wake = resolve;
    });
    clearTimeout(timer);
  }

  private giveUp(): void {
    this.closing = true;
    for (const hand of [...(this.doubt?.hands ?? []), ...this.waiting]) hand.answer?.({ error: new NotInTime('this process is stopping') });
  }
}

function sizeOf(arrival: Arrival): number {
  if ('event' in arrival) return arrival.event.data.length;
  const { refusal } = arrival;
  return ('sealed' in refusal ? refusal.sealed : refusal.payload)?.length ?? 0;
}

const FIELDS = ['stored', 'duplicate', 'rejected', 'quarantined'] as const;
const nothing = (): Outcome => ({ stored: 0, duplicate: 0, rejected: 0, quarantined: 0 });

const SETTLE = `select next_offset::float8 as next, finished, stored::float8, duplicate::float8, rejected::float8, quarantined::float8 from origin where origin = $1 for update`;
