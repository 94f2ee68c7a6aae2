/**
 * One session of the SDK: what every `Foothold` and its views report into.
 *
 * What arrives: the facts of a call. What leaves: an event in the queue, or a drop that is counted and confessed by the
 * next heartbeat. Next is `sender.ts`. Every call ends here, so this is where nothing may be thrown.
 */
import { traceparent as traceparentRule } from './check.js';
import { Drops, type DropReason, type Stats } from './drops.js';
import { type Machine } from './machine.js';
import { Maker, type Report } from './maker.js';
import { type FootholdOptions } from './options.js';
import { MemoryQueue, type Entry, type Queue } from './queue.js';
import { Sender, type Fate } from './sender.js';
import { givenBy, settingsOf, type Settings } from './settings.js';
import { type RefusedItem } from './transport.js';
import { quietly, Warnings } from './warnings.js';

/** Of the time to shut down in, at most so much is kept for confessing what could not be sent. */
const LONGEST_FAREWELL_MS = 1_000;
/** So long a process that ends without `shutdown` is kept alive to send what waits. */
const LAST_MOMENT_MS = 2_000;
const USUAL_FLUSH_MS = 10_000;
const USUAL_SHUTDOWN_MS = 5_000;
/** Asked for more, timers run at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class Session {
  readonly settings: Settings;
  readonly warnings: Warnings;
  readonly maker: Maker;
  private readonly queue: Queue;
  private readonly sender: Sender;
  private readonly drops = new Drops();
  private delivered = 0;
  /** Something was reported since the last heartbeat. */
  private active = false;
  private beating = false;
  private stopBeating = () => {};
  /** As long as it beats, it hears of the end of the process, too. */
  private stopListening = () => {};
  /** How many wait. */
  private heartbeats = 0;
  /** Looked at whenever entries are settled. */
  private waiters: (() => void)[] = [];
  private ending: Promise<boolean> | undefined;

  constructor(
    options: FootholdOptions,
    readonly machine: Machine,
  ) {
    const given = givenBy(options);
    this.warnings = new Warnings(typeof given.onWarning === 'function' ? given.onWarning : undefined);
    this.settings = settingsOf(given, machine, this.warnings);
    this.maker = new Maker(machine, this.settings);
    this.queue = new MemoryQueue(this.settings.queueEvents, this.settings.queueBytes);
    this.sender = new Sender(machine, this.settings, this.queue, this.warnings, (entries, fate, refused) => this.settled(entries, fate, refused));
  }

  /** Runs what a call of the host needs beside `report`; what it throws is a drop. */
  guard(call: string, run: () => void): void {
    try {
      run();
    } catch {
      this.drop('sdk-error', 'sdk-error', `${call}: failed for what it was passed; it was dropped`, call);
    }
  }

  /** @returns whether the call makes an event, be there room for it or not */
  report(report: Report): boolean {
    const { call } = report;
    let good = false;
    this.guard(call, () => {
      this.liven();
      if (this.settings.fault) return this.drops.count('not-configured');
      if (this.ending) return this.drop('shutdown', 'shutdown', `${call}: called after shutdown; it was dropped`, call);
      const made = this.maker.event(report, this.traceUnderWay(), (field) => this.sayUnknown(call, field));
      if ('field' in made) return this.drop('invalid-argument', 'invalid-argument', `${call}: ${made.field} must be ${made.words}; it was dropped`, `${call}.${made.field}`);
      if (this.sender.isOthers(made.person)) return this.drop('other-person', 'other-person', `${call}: reported in the name of somebody else than the person of personToken; it was dropped: only a backend can speak for others`, call);
      good = true;
      if (this.queue.offer(made)) this.sender.wake();
      else this.drop('queue-full', 'queue-full', 'more events wait than fit (queueEvents, queueBytes); the newest are dropped');
    });
    return good;
  }

  /** A call that comes to nothing. */
  drop(reason: DropReason, ...warning: Parameters<Warnings['say']>): void {
    this.liven();
    this.drops.count(reason);
    this.warnings.say(...warning);
  }

  /** The trace of the host's work under way, if it tells of one. */
  traceUnderWay(): string | undefined {
    return traceparentRule.read(quietly(() => this.settings.traceparent?.())) as string | undefined;
  }

  stats(): Stats {
    return { queued: this.queue.size - this.heartbeats, delivered: this.delivered, dropped: { ...this.drops.totals } };
  }

  /** @returns whether everything reported before is settled */
  flush(timeoutMs: unknown): Promise<boolean> {
    const patience = patienceOf(timeoutMs, USUAL_FLUSH_MS);
    const last = this.maker.serial;
    return this.sender.whileFlushing(() => this.until(() => this.queue.first === undefined || this.queue.first.serial > last, patience));
  }

  /** Sends what it can in the time there is, and keeps a part of it to confess what it cannot. */
  shutdown(timeoutMs: unknown): Promise<boolean> {
    this.ending ??= this.end(patienceOf(timeoutMs, USUAL_SHUTDOWN_MS)).catch(() => false);
    return this.ending;
  }

  /** The page is being left. */
  lastChance(): void {
    if (this.settings.fault) return;
    if (this.drops.anyUntold && !this.ending) this.confess();
    this.sender.lastChance().catch(() => undefined);
  }

  /** The process is about to end by itself: what waits, or was not told, is sent first. What others report within this event still counts. */
  private lastMoment(): void {
    if (this.queue.size > 0 || this.drops.anyUntold) this.machine.after(0, () => void this.shutdown(LAST_MOMENT_MS), true);
  }

  private async end(timeoutMs: number): Promise<boolean> {
    this.stopBeating();
    this.stopListening();
    if (this.settings.fault) return true;
    const deadline = this.machine.monotonic() + timeoutMs;
    const emptied = () => this.queue.size === 0;
    if (this.active || this.drops.anyUntold || !emptied()) this.confess();
    return this.sender.whileFlushing(async () => {
      this.sender.hurry();
      const inTime = await this.until(emptied, timeoutMs - Math.min(timeoutMs / 4, LONGEST_FAREWELL_MS));
      if (!inTime) await this.dropTheRest();
      // What was refused on the way is told, too; but a heartbeat that is refused itself is not made again for ever.
      for (let attempt = 0; attempt < 2 && (this.drops.anyUntold || !emptied()); attempt++) {
        if (this.drops.anyUntold) this.confess();
        this.sender.hurry();
        await this.until(emptied, deadline - this.machine.monotonic());
      }
      await this.sender.giveUp();
      return inTime;
    });
  }

  /** Heartbeats stay. The request under way is given up, so what it carries may arrive and be confessed as dropped. */
  private async dropTheRest(): Promise<void> {
    await this.sender.giveUp();
    const lost = this.queue.settle(this.queue.head(Infinity, Infinity).filter(({ confesses }) => !confesses));
    if (lost.length === 0) return;
    this.drops.count('shutdown', lost.length);
    this.warnings.say('shutdown', `${lost.length} events could not be sent before the end; they were dropped`);
  }

  /** @returns whether something came true in time */
  private until(done: () => boolean, timeoutMs: number): Promise<boolean> {
    if (done()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const finish = (result: boolean) => {
        stop();
        this.waiters = this.waiters.filter((waiter) => waiter !== look);
        resolve(result);
      };
      const look = () => {
        if (done()) finish(true);
      };
      const stop = this.machine.after(Math.max(0, timeoutMs), () => finish(false), true);
      this.waiters.push(look);
    });
  }

  private settled(entries: Entry[], fate: Fate, refused?: RefusedItem): void {
    for (const entry of entries) {
      if (entry.confesses) this.heartbeats--;
      if (fate === 'delivered') this.delivered += entry.confesses ? 0 : 1;
      else if (entry.confesses) this.drops.giveBack(entry.confesses);
      else this.drops.count(fate);
      if (refused) this.sayRefused(entry, refused);
    }
    for (const look of [...this.waiters]) look();
  }

  private sayRefused({ id, type }: Entry, { field, reason, fix }: RefusedItem): void {
    this.warnings.say('refused', `the collector refused ${type}: ${field}: ${reason}; ${fix}`, `${type}.${field}`);
    quietly(() => this.settings.onRefused?.({ id, type, field, reason, fix }));
  }

  private sayUnknown(call: string, field: string): void {
    this.warnings.say('unknown-field', `${call}: a field that is not part of it was left out${/^\w{1,40}$/.test(field) ? ` (${field})` : ''}`, call);
  }

  private liven(): void {
    this.active = true;
    if (this.beating || this.ending || this.settings.fault) return;
    this.beatLater();
    this.stopListening = this.machine.beforeEnd?.(() => this.lastMoment()) ?? (() => {});
  }

  private beatLater(): void {
    this.beating = true;
    this.stopBeating = this.machine.after(this.settings.heartbeatMs, () => {
      this.beating = false;
      if (!this.active && !this.drops.anyUntold && this.queue.size === 0) return this.stopListening();
      this.confess();
      this.beatLater();
    });
  }

  /** A heartbeat. It has its place even where the queue is full; until the end only one waits at a time. */
  private confess(): void {
    if (this.heartbeats > 0 && !this.ending) return;
    this.active = false;
    this.heartbeats++;
    this.queue.offer(this.maker.heartbeat(this.queue.size, this.drops.take()), true);
    this.sender.wake();
  }
}

/** How long a host is ready to wait, in milliseconds that a timer can hold; what is no number counts as left out. */
function patienceOf(timeoutMs: unknown, usual: number): number {
  return typeof timeoutMs === 'number' && !Number.isNaN(timeoutMs) ? Math.min(Math.max(timeoutMs, 0), LONGEST_TIMER_MS) : usual;
}
