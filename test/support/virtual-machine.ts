/**
 * What the SDK stands on, without a machine: a clock that moves when told to, chance from a seed, and a collector that is a
 * function. Hours of retries pass in milliseconds, and the same every time.
 */
import { type Answer, type Machine, type Request } from '../../libs/sdk/src/machine.js';
import { seeded } from './seeded.js';

export interface Sent {
  /** Milliseconds since the machine was made. */
  at: number;
  url: string;
  headers: Record<string, string>;
  keepalive: boolean;
  events: Record<string, unknown>[];
}

/** What the collector does with a request: an answer, after so many milliseconds; a lost connection; nothing, ever. */
export type Reaction = { status: number; headers?: Record<string, string>; body?: string; afterMs?: number } | 'no connection' | 'no answer';

export const accepted = (count: number, refused: object[] = []): Reaction => ({ status: 202, body: JSON.stringify({ accepted: count - refused.length, refused }) });

const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface Timer {
  at: number;
  order: number;
  run: () => void;
}

export class VirtualMachine implements Machine {
  readonly sent: Sent[] = [];
  /** Decides on each request. */
  collector: (sent: Sent, nth: number) => Reaction = ({ events }) => accepted(events.length);
  inBrowser = false;
  defaults = { queueEvents: 20_000, queueBytes: 16_000_000 };
  private readonly begin = Date.UTC(2026, 0, 5, 9, 30);
  private readonly chance = seeded(1);
  private elapsed = 0;
  private order = 0;
  private timers: Timer[] = [];

  now = (): number => this.begin + this.elapsed;
  monotonic = (): number => this.elapsed;
  random = (): number => this.chance.next();
  randomBytes = (bytes: Uint8Array): void => void bytes.forEach((_, i) => (bytes[i] = this.chance.below(256)));
  source = (deployment: string): string => `urn:foothold:${deployment}`;

  after = (milliseconds: number, run: () => void): (() => void) => {
    // As `setTimeout`: what is too long for it, it runs at once.
    const timer = { at: this.elapsed + (milliseconds > LONGEST_TIMER_MS ? 1 : milliseconds), order: this.order++, run };
    this.timers.push(timer);
    return () => (this.timers = this.timers.filter((other) => other !== timer));
  };

  fetch = (url: string, { headers, body, signal, keepalive = false }: Request): Promise<Answer> => {
    const sent = { at: this.elapsed, url, headers, keepalive, events: JSON.parse(body as string) as Record<string, unknown>[] };
    this.sent.push(sent);
    const reaction = this.collector(sent, this.sent.length);
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new Error('aborted')));
      if (reaction === 'no connection') this.after(1, () => reject(new TypeError('fetch failed')));
      else if (reaction !== 'no answer') {
        const { status, headers: answered = {}, body: text = '', afterMs = 5 } = reaction;
        this.after(afterMs, () => resolve({ status, headers: { get: (name) => answered[name] ?? null }, text: () => Promise.resolve(text) }));
      }
    });
  };

  /** Lets time pass, and everything happen that falls due. */
  async pass(milliseconds: number): Promise<void> {
    const until = this.elapsed + milliseconds;
    await settle();
    for (let next = this.due(until); next; next = this.due(until)) {
      this.elapsed = next.at;
      next.run();
      await settle();
    }
    this.elapsed = until;
  }

  /** Lets time pass until a promise is settled. */
  async passUntil<T>(promise: Promise<T>): Promise<T> {
    let done = false;
    const watched = promise.finally(() => (done = true));
    watched.catch(() => undefined);
    await settle();
    while (!done && this.timers.length > 0) await this.pass(Math.max(0, this.earliest()!.at - this.elapsed));
    return watched;
  }

  /** Whether something will still happen by itself. */
  get idle(): boolean {
    return this.timers.length === 0;
  }

  private earliest(): Timer | undefined {
    return this.timers.reduce<Timer | undefined>((first, timer) => (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order) ? timer : first), undefined);
  }

  private due(until: number): Timer | undefined {
    const first = this.earliest();
    if (!first || first.at > until) return undefined;
    this.timers = this.timers.filter((timer) => timer !== first);
    return first;
  }
}

/** Until every promise that can be is settled. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
