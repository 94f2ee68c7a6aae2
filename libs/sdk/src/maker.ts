/** Makes events of what a host reports: checked, named, numbered, and written as JSON once for all attempts to send them. */
import { eventId, person as personRule, readFacts } from './check.js';
import { ABOUT_DEPLOYMENT, type EventName } from './events.js';
import { Names } from './identity.js';
import { type Machine } from './machine.js';
import { type Entry } from './queue.js';
import { type Settings } from './settings.js';
import { isoOf, textOf, TIME_WORDS } from './time.js';
import { SDK, VERSION } from './version.js';

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

/** Why there is no event: what was passed for a field, and what to pass. */
export interface Wrong {
  field: string;
  words: string;
}

interface Attributes {
  subject?: string;
  time: string;
  deployment: string;
  traceparent?: string;
  data: object;
}

/** What `"senttime"` adds to an entry when it is sent. */
const SENT_BYTES = ',"senttime":"2026-01-05T09:30:00.000Z",'.length;
const TOTAL = 1e12;
/** With the session's eight, the twenty that a sequence may have: enough for a million events a second through eleven days. */
const COUNTER_DIGITS = 12;
const MILLION = 1_000_000;

export class Maker {
  readonly names: Names;
  /** The serial of the latest entry. */
  serial = 0;
  /** What every event of this session begins with. */
  private readonly opening: string;
  private readonly session: string;
  private counted = 0;

  constructor(
    private readonly machine: Machine,
    private readonly settings: Settings,
  ) {
    this.names = new Names((bytes) => machine.randomBytes(bytes));
    this.session = this.names.session();
    this.opening = `{"specversion":"1.0","source":${JSON.stringify(settings.source)}`;
  }

  /**
   * The event of a report.
   * @param traceparent of the host's work under way
   * @param unknown hears of a field that is not part of the event and was left out
   */
  event({ name, deployment, person, facts, id, time, ...report }: Report, traceparent: string | undefined, unknown: (field: string) => void): Entry | Wrong {
    const publishable = this.settings.personToken !== undefined;
    const reading = readFacts(name, facts as Record<string, unknown>);
    if ('field' in reading) return reading;
    if (reading.unknown !== undefined) unknown(reading.unknown);
    if (id !== undefined && id !== null && eventId.read(id) === undefined) return { field: 'id', words: eventId.words };
    const when = textOf(time ?? this.machine.now());
    if (when === undefined) return { field: 'time', words: TIME_WORDS };

    const aboutPerson = !ABOUT_DEPLOYMENT.has(name);
    if (publishable && !aboutPerson) return { field: 'key', words: 'a write key (fhw_) in a backend: with a publishable key only what is about the person can be reported' };
    if (publishable && reading.data['actor'] !== undefined) return { field: 'actor', words: 'left out with a publishable key: only a backend can say that somebody else decided' };
    if (aboutPerson && (!publishable || person !== undefined) && personRule.read(person) === undefined) return { field: 'person', words: `${personRule.words}; give one to Foothold, or use foothold.as(person)` };
    const entry = this.entry(name, (id as string | undefined) ?? this.names.uuid(this.machine.now()), {
      subject: aboutPerson && !publishable ? person : undefined,
      time: when,
      deployment,
      traceparent: traceparent ?? report.traceparent,
      data: reading.data,
    });
    return publishable && aboutPerson ? { ...entry, person } : entry;
  }

  heartbeat(queued: number, counts: Record<string, number>): Entry {
    const dropped = Object.fromEntries(Object.entries(counts).map(([reason, count]) => [reason, Math.min(count, TOTAL)]));
    const now = this.machine.now();
    const entry = this.entry('sdk.reported', this.names.uuid(now), {
      time: isoOf(now),
      deployment: this.settings.deployment,
      data: { queued: Math.min(queued, MILLION), dropped, sdk: SDK, version: VERSION },
    });
    return { ...entry, confesses: counts };
  }

  /** What is not written by JSON.stringify has been checked to need no escape. */
  private entry(name: EventName, id: string, { subject, time, deployment, traceparent, data }: Attributes): Entry {
    const type = `foothold.${name}.v1`;
    const sequence = `${this.session}${String(++this.counted).padStart(COUNTER_DIGITS, '0')}`;
    const who = subject === undefined ? '' : `,"subject":${JSON.stringify(subject)}`;
    const trace = traceparent === undefined ? '' : `,"traceparent":"${traceparent}"`;
    const text = `${this.opening},"id":${JSON.stringify(id)},"type":"${type}"${who},"time":"${time}","deployment":"${deployment}","sequence":"${sequence}"${trace},"data":${JSON.stringify(data)}}`;
    return { serial: ++this.serial, id, type, text, bytes: bytesOf(text) + SENT_BYTES };
  }
}

function bytesOf(text: string): number {
  return /^[\x00-\x7f]*$/.test(text) ? text.length : new TextEncoder().encode(text).length;
}
