/**
 * One session of the SDK: what every `Foothold` and its views report into.
 *
 * What arrives: the facts of a call. What leaves: an event in the queue, or a drop that is counted. Next is `sender.ts`.
 * Every call ends here, so this is where nothing may be thrown: whatever goes wrong is a drop with a reason.
 */
import { eventId, person as personRule, readFacts, traceparent as traceparentRule } from './check.js';
import { Drops, type DropReason, type Stats } from './drops.js';
import { ABOUT_DEPLOYMENT, type EventName } from './events.js';
import { Names } from './identity.js';
import { type Machine } from './machine.js';
import { settingsOf, type FootholdOptions, type Settings } from './options.js';
import { MemoryQueue, type Entry, type Queue } from './queue.js';
import { SENT_BYTES, Sender, type Fate } from './sender.js';
import { textOf } from './time.js';
import { type RefusedItem } from './transport.js';
import { SDK, VERSION } from './version.js';
import { Warnings } from './warnings.js';

/** What a call of the host comes to. */
export interface Report {
  /** The call, for warnings: `accepted`. */
  call: string;
  name: EventName;
  deployment: string;
  person: string | undefined;
  facts: object;
  /** The event's own id, where the host gives one. */
  id: unknown;
  time: unknown;
  /** The trace to tell where no other is under way. */
  traceparent?: string;
}

const LONGEST_FAREWELL_MS = 1_000;
const TOTAL = 1e12;
const MILLION = 1_000_000;

export class Session {
  readonly names: Names;
  readonly settings: Settings;
  readonly warnings: Warnings;
  private readonly queue: Queue;
  private readonly sender: Sender;
  private readonly drops = new Drops();
  /** What every event of this session begins with. */
  private readonly opening: string;
  private readonly number: string;
  private counted = 0;
  private serial = 0;
  private delivered = 0;
  private active = false;
  private beating = false;
  private stopBeating = () => {};
  /** The latest heartbeat, while it waits. */
  private heartbeat: Entry | undefined;
  private waiters: (() => void)[] = [];
  private ending: Promise<boolean> | undefined;

  constructor(
    options: FootholdOptions,
    readonly machine: Machine,
  ) {
    this.warnings = new Warnings(typeof options?.onWarning === 'function' ? options.onWarning : undefined);
    this.settings = settingsOf(options, machine, this.warnings);
    this.names = new Names((bytes) => machine.randomBytes(bytes));
    this.number = this.names.session();
    this.queue = new MemoryQueue(this.settings.queueEvents, this.settings.queueBytes);
    this.sender = new Sender(machine, this.settings, this.queue, this.warnings, (entries, fate, refused) => this.settled(entries, fate, refused));
    this.opening = `{"specversion":"1.0","source":${JSON.stringify(this.settings.source)}`;
  }

  /** Runs what a call of the host needs beside `report`; what it throws is a drop. */
  guard(call: string, run: () => void): void {
    try {
      run();
    } catch {
      this.drop('sdk-error', 'sdk-error', `${call}: failed for what it was passed; nothing was reported`, call);
    }
  }

  report(report: Report): void {
    this.guard(report.call, () => {
      this.liven();
      if (this.settings.fault) return this.drops.count('not-configured');
      if (this.ending) return this.drop('shutdown', 'shutdown', `${report.call}: called after shutdown; it was dropped`, report.call);
      const event = this.eventOf(report);
      if (event === undefined) return;
      if (this.queue.offer(event)) this.sender.wake();
      else this.drop('queue-full', 'queue-full', 'more events wait than fit (queueEvents, queueBytes); the newest are dropped');
    });
  }

  /** A call that makes no event. */
  drop(reason: DropReason, ...warning: Parameters<Warnings['say']>): void {
    this.liven();
    this.drops.count(reason);
    this.warnings.say(...warning);
  }

  /** The trace of the host's work under way, if it tells of one. */
  traceUnderWay(): string | undefined {
    try {
      return traceparentRule.read(this.settings.traceparent?.()) as string | undefined;
    } catch {
      return undefined;
    }
  }

  stats(): Stats {
    return { queued: this.queue.size, delivered: this.delivered, dropped: { ...this.drops.totals } };
  }

  async flush(timeoutMs: number): Promise<boolean> {
    const last = this.serial;
    return this.sender.whileFlushing(() => this.until(() => this.queue.first === undefined || this.queue.first.serial > last, timeoutMs));
  }

  /** Sends what it can in the time there is, and keeps a part of it to confess what it cannot. */
  shutdown(timeoutMs: number): Promise<boolean> {
    this.ending ??= this.end(timeoutMs);
    return this.ending;
  }

  /** The page is being left. */
  lastChance(): void {
    if (this.settings.fault) return;
    if (this.drops.anyUntold && !this.ending) this.confess();
    this.sender.lastChance();
  }

  private async end(timeoutMs: number): Promise<boolean> {
    this.stopBeating();
    if (this.settings.fault) return true;
    const end = this.machine.monotonic() + timeoutMs;
    const emptied = () => this.queue.size === 0;
    if (this.active || this.drops.anyUntold || this.queue.size > 0) this.confess();
    return this.sender.whileFlushing(async () => {
      this.sender.hurry();
      const farewell = Math.min(timeoutMs / 4, LONGEST_FAREWELL_MS);
      if (await this.until(emptied, timeoutMs - farewell)) return true;

      await this.sender.giveUp();
      const lost = this.queue.settle(this.queue.head(Infinity, Infinity).filter(({ confesses }) => !confesses));
      if (lost.length > 0) {
        this.drops.count('shutdown', lost.length);
        this.warnings.say('shutdown', `${lost.length} events could not be sent before the end; they were dropped`);
      }
      if (this.drops.anyUntold) this.confess();
      this.sender.hurry();
      await this.until(emptied, end - this.machine.monotonic());
      await this.sender.giveUp();
      return lost.length === 0;
    });
  }

  /** Whether something came true in time; checked whenever entries are settled. */
  private until(done: () => boolean, timeoutMs: number): Promise<boolean> {
    if (done()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const finish = (result: boolean) => {
        stop();
        this.waiters = this.waiters.filter((waiter) => waiter !== check);
        resolve(result);
      };
      const check = () => {
        if (done()) finish(true);
      };
      const stop = this.machine.after(Math.max(0, timeoutMs), () => finish(false), true);
      this.waiters.push(check);
    });
  }

  private eventOf({ call, name, deployment, person, facts, id, time, traceparent }: Report): Entry | undefined {
    const wrong = (field: string, words: string): undefined => this.drop('invalid-argument', 'invalid-argument', `${call}: ${field} must be ${words}; it was dropped`, `${call}.${field}`) as undefined;
    const publishable = this.settings.personToken !== undefined;
    const reading = readFacts(name, facts as Record<string, unknown>);
    if ('field' in reading) return wrong(reading.field, reading.words);
    if (reading.unknown !== undefined) this.warnings.say('unknown-field', `${call}: a field that is not part of it was left out${/^\w{1,40}$/.test(reading.unknown) ? ` (${reading.unknown})` : ''}`, call);
    if (id !== undefined && id !== null && eventId.read(id) === undefined) return wrong('id', eventId.words);
    const when = textOf(time ?? this.machine.now());
    if (when === undefined) return wrong('time', 'a Date, milliseconds since 1970, or a date-time with offset');

    const aboutPerson = !ABOUT_DEPLOYMENT.has(name);
    if (publishable && !aboutPerson) return wrong('the caller', 'a backend with a write key');
    if (publishable && reading.data['actor'] !== undefined) return wrong('actor', 'left out in a browser: only a backend can say that somebody else decided');
    if (aboutPerson && !publishable && personRule.read(person) === undefined) return wrong('person', `${personRule.words}: give one to Foothold, or use foothold.as(person)`);
    return this.entryOf(name, (id as string | undefined) ?? this.names.uuid(this.machine.now()), {
      subject: aboutPerson && !publishable ? person : undefined,
      time: when,
      deployment,
      traceparent: this.traceUnderWay() ?? traceparent,
      data: reading.data,
    });
  }

  private entryOf(name: EventName, id: string, attributes: { subject?: string; time: string; deployment: string; traceparent?: string; data: object }): Entry {
    const type = `foothold.${name}.v1`;
    const sequence = `${this.number}${String(++this.counted).padStart(9, '0')}`;
    const text = `${this.opening},${JSON.stringify({ id, type, sequence, ...attributes }).slice(1)}`;
    return { serial: ++this.serial, id, type, text, bytes: bytesOf(text) + SENT_BYTES };
  }

  private settled(entries: Entry[], fate: Fate, refused?: RefusedItem): void {
    for (const entry of entries) {
      if (entry === this.heartbeat) this.heartbeat = undefined;
      if (fate === 'delivered') this.delivered += entry.confesses ? 0 : 1;
      else if (entry.confesses) this.drops.giveBack(entry.confesses);
      else this.drops.count(fate);
      if (refused) this.tellRefused(entry, refused);
    }
    for (const waiter of [...this.waiters]) waiter();
  }

  private tellRefused({ id, type }: Entry, { field, reason, fix }: RefusedItem): void {
    this.warnings.say('refused', `the collector refused ${type}: ${field}: ${reason}; ${fix}`, `${type}.${field}`);
    try {
      this.settings.onRefused?.({ id, type, field, reason, fix });
    } catch {
      // As with warnings: the host's hook is the host's.
    }
  }

  private liven(): void {
    this.active = true;
    if (!this.beating && !this.ending && !this.settings.fault) this.beatLater();
  }

  private beatLater(): void {
    this.beating = true;
    this.stopBeating = this.machine.after(this.settings.heartbeatMs, () => {
      this.beating = false;
      if (!this.active && !this.drops.anyUntold && this.queue.size === 0) return;
      this.confess();
      this.beatLater();
    });
  }

  /** A heartbeat: it has its place even where the queue is full, but only one waits. */
  private confess(): void {
    if (this.heartbeat && !this.ending) return;
    this.active = false;
    const dropped = Object.fromEntries(Object.entries(this.drops.take()).map(([reason, count]) => [reason, Math.min(count, TOTAL)]));
    const entry = this.entryOf('sdk.reported', this.names.uuid(this.machine.now()), {
      time: new Date(this.machine.now()).toISOString(),
      deployment: this.settings.deployment,
      data: { queued: Math.min(this.queue.size, MILLION), dropped, sdk: SDK, version: VERSION },
    });
    entry.confesses = dropped;
    this.heartbeat = entry;
    this.queue.offer(entry, true);
    this.sender.wake();
  }
}

function bytesOf(text: string): number {
  return /^[\x00-\x7f]*$/.test(text) ? text.length : new TextEncoder().encode(text).length;
}
