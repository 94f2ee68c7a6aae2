/**
 * Sends what waits, one request at a time, until each event is settled. What arrives: a queue that fills. What leaves: batches
 * to the collector, and for every entry a word on what became of it. An entry stays in the queue until then.
 */
import { NoPersonToken, PersonTokens } from './credentials.js';
import { type Machine } from './machine.js';
import { type Entry, type Queue } from './queue.js';
import { type Settings } from './settings.js';
import { outcomeOf, post, type Outcome, type RefusedItem } from './transport.js';
import { type Warnings } from './warnings.js';

export type Fate = 'delivered' | 'other-person' | 'refused' | 'rejected' | 'too-large';

/** Browsers let 64 KiB outlive a page. */
const LAST_CHANCE_BYTES = 60_000;
const LONGEST_HURRIED_WAIT_MS = 1_000;

type Waiting = 'no' | 'for more' | 'for its turn' | 'to retry';

export class Sender {
  private waiting: Waiting = 'no';
  private stopWaiting = () => {};
  private sending: Promise<void> | undefined;
  private given = new AbortController();
  private failures = 0;
  /** By the monotonic clock: the collector asked not to be asked before. */
  private notBefore = 0;
  private mostBytes: number;
  /** Somebody waits for the queue to empty. */
  private flushing = 0;
  /** The end is near: retry quickly. */
  private hurried = false;
  /** Up to this serial, entries are under way in a last request: pages are left in more than one event. */
  private parted = 0;
  private readonly tokens: PersonTokens | undefined;
  /** What was reported before the token said whose it is has been looked through. */
  private sifted = false;

  constructor(
    private readonly machine: Machine,
    private readonly settings: Settings,
    private readonly queue: Queue,
    private readonly warnings: Warnings,
    private readonly onSettled: (entries: Entry[], fate: Fate, refused?: RefusedItem) => void,
  ) {
    this.mostBytes = settings.batchBytes;
    if (settings.personToken !== undefined) this.tokens = new PersonTokens(settings.personToken, machine, settings.requestTimeoutMs);
  }

  /** Whether an event in somebody's name must not go with the person token, whose person would get it. */
  isOthers(person: string | undefined): boolean {
    return person !== undefined && this.tokens?.person !== undefined && person !== this.tokens.person;
  }

  /** Something waits. Returns at once: sending is never done within a call of the host. */
  wake(): void {
    if (this.sending || this.waiting === 'to retry' || this.waiting === 'for its turn' || this.queue.size === 0) return;
    if (this.flushing > 0 || this.queue.size >= this.settings.batchEvents) this.wait(0, 'for its turn');
    else if (this.waiting === 'no') this.wait(this.settings.flushAfterMs, 'for more');
  }

  /** Sends without waiting for more, as long as somebody waits; a wait after a failure goes on. */
  async whileFlushing<T>(work: () => Promise<T>): Promise<T> {
    this.flushing++;
    this.wake();
    try {
      return await work();
    } finally {
      this.flushing--;
    }
  }

  /** From now on every wait is short, but for one the collector asked for; the one under way ends. */
  hurry(): void {
    this.hurried = true;
    if (this.waiting !== 'to retry') return this.wake();
    this.wait(Math.max(0, this.notBefore - this.machine.monotonic()), 'to retry');
  }

  /** Gives up the request under way. What was in it may have arrived. */
  async giveUp(): Promise<void> {
    this.stopWaiting();
    this.waiting = 'no';
    this.given.abort();
    await this.sending;
    this.stopWaiting();
    this.waiting = 'no';
    this.notBefore = 0;
    this.given = new AbortController();
  }

  /** The page is being left: what waits, and what is under way, is sent once more, at once, in one request that may outlive it. */
  async lastChance(): Promise<void> {
    const token = this.tokens?.current;
    const entries = this.queue.head(this.settings.batchEvents, LAST_CHANCE_BYTES).filter(({ serial }) => serial > this.parted);
    if (entries.length === 0 || (this.tokens && token === undefined)) return;
    const request = { method: 'POST', headers: this.headers(token), body: this.bodyOf(entries), keepalive: true } as const;
    this.parted = entries.at(-1)!.serial;
    // Where the page stays after all, the answer settles what it can; a failure is left to the next ordinary request.
    try {
      const outcome = await outcomeOf(await this.machine.fetch(this.settings.url, request), this.machine);
      if (outcome.kind === 'accepted') this.settleAccepted(entries, outcome.refused);
    } finally {
      this.parted = 0;
    }
  }

  private wait(milliseconds: number, what: Waiting): void {
    this.stopWaiting();
    this.waiting = what;
    this.stopWaiting = this.machine.after(milliseconds, () => {
      this.waiting = 'no';
      this.sending = this.send().catch(() => this.stumble()).finally(() => {
        this.sending = undefined;
        this.wake();
      });
    });
  }

  /** A bug of ours: the host must not hear of it as a rejection nobody handles. */
  private stumble(): void {
    this.warnings.say('sdk-error', 'sending failed for a reason that should not be; events wait');
    this.wait(this.slowly(), 'to retry');
  }

  private async send(): Promise<void> {
    do {
      const pause = await this.sendOne();
      if (pause !== undefined) return this.wait(pause, 'to retry');
    } while (!this.given.signal.aborted && this.queue.size > 0 && (this.flushing > 0 || this.queue.size >= this.settings.batchEvents));
  }

  /** @returns how many milliseconds to wait before the next attempt, or undefined where this one succeeded */
  private async sendOne(): Promise<number | undefined> {
    const { machine, settings } = this;
    let token: string | undefined;
    try {
      token = await this.tokens?.get(this.given.signal);
    } catch (error) {
      if (this.given.signal.aborted) return 0;
      this.warnings.say('person-token', `${error instanceof NoPersonToken ? error.message : 'personToken failed'}; events wait`);
      return this.backOff();
    }
    this.sift();
    const entries = this.queue.head(settings.batchEvents, this.mostBytes);
    if (entries.length === 0) return undefined; // a last request of the page, or the sieve, settled them
    const outcome = await post(machine, { url: settings.url, headers: this.headers(token), body: this.bodyOf(entries), timeoutMs: settings.requestTimeoutMs }, this.given.signal);
    return this.judge(outcome, entries);
  }

  /** Once the token has said whose it is; from then on nothing of others' is queued. */
  private sift(): void {
    if (this.sifted || this.tokens?.person === undefined) return;
    this.sifted = true;
    const others = this.queue.head(Infinity, Infinity).filter(({ person }) => this.isOthers(person));
    if (others.length === 0) return;
    this.warnings.say('other-person', `${others.length} events were reported in the name of somebody else than the person of personToken; they were dropped: only a backend can speak for others`);
    this.onSettled(this.queue.settle(others), 'other-person');
  }

  private judge(outcome: Outcome, entries: Entry[]): number | undefined {
    switch (outcome.kind) {
      case 'accepted':
        this.failures = 0;
        this.settleAccepted(entries, outcome.refused);
        return undefined;
      case 'rejected':
        this.warnings.say('rejected', `${outcome.why}; ${entries.length} events dropped`);
        return this.dropAll(entries, 'rejected');
      case 'too-large':
        // What did not go through in one piece is sent in smaller ones from now on.
        if (entries.length > 1) return void (this.mostBytes = Math.floor(entries.reduce((sum, entry) => sum + entry.bytes, 0) / 2));
        this.warnings.say('too-large', 'the collector takes no event of this size; it was dropped');
        return this.dropAll(entries, 'too-large');
      case 'later':
        if (this.given.signal.aborted) return 0;
        this.warnings.say('unreachable', `${outcome.why}; events wait`);
        if (outcome.afterMs === undefined) return this.backOff();
        this.notBefore = this.machine.monotonic() + outcome.afterMs;
        return outcome.afterMs + this.backOff();
      case 'unwelcome':
        return this.waitForMending(outcome.status, outcome.why);
    }
  }

  /** Slowly, since a key may be replaced at any time; but a person token that has expired is replaced at once, before it is said. */
  private waitForMending(status: number, why: string): number {
    const unauthorised = status === 401 || status === 403;
    const replaced = unauthorised && this.tokens?.forget();
    if (this.failures++ === 0 && replaced) return 0;
    this.warnings.say(unauthorised ? 'unauthorised' : 'misaddressed', `${why}; events wait`);
    return this.slowly();
  }

  private slowly(): number {
    const { retryMaxMs } = this.settings;
    return this.hurried ? LONGEST_HURRIED_WAIT_MS : retryMaxMs / 2 + this.machine.random() * (retryMaxMs / 2);
  }

  private settleAccepted(entries: Entry[], refused: RefusedItem[]): void {
    const items = new Map(refused.filter(({ index }) => index >= 0 && index < entries.length).map((item) => [entries[item.index]!, item]));
    const taken = this.queue.settle(entries);
    this.onSettled(taken.filter((entry) => !items.has(entry)), 'delivered');
    for (const entry of taken) {
      const item = items.get(entry);
      if (item) this.onSettled([entry], 'refused', item);
    }
  }

  /**
   * Drops events, but no heartbeat: an earlier attempt may have arrived, and made anew it would confess the same twice.
   * @returns how long to wait where nothing else was in the batch
   */
  private dropAll(entries: Entry[], fate: Fate): number | undefined {
    const events = entries.filter(({ confesses }) => !confesses);
    if (events.length === 0) return this.slowly();
    this.failures = 0;
    this.onSettled(this.queue.settle(events), fate);
    return undefined;
  }

  /** Full jitter: anything up to a bound that doubles with every failure in a row. */
  private backOff(): number {
    const { retryBaseMs, retryMaxMs } = this.settings;
    const bound = Math.min(retryMaxMs, retryBaseMs * 2 ** Math.min(this.failures++, 20));
    return this.machine.random() * (this.hurried ? Math.min(bound, LONGEST_HURRIED_WAIT_MS) : bound);
  }

  private headers(token: string | undefined): Record<string, string> {
    const headers = { authorization: `Bearer ${this.settings.key}`, 'content-type': 'application/cloudevents-batch+json' };
    return token === undefined ? headers : { ...headers, 'foothold-person': token };
  }

  private bodyOf(entries: Entry[]): string {
    const sent = `,"senttime":"${new Date(this.machine.now()).toISOString()}"}`;
    return `[${entries.map(({ text }) => text.slice(0, -1) + sent).join(',')}]`;
  }
}
