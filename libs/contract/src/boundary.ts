/**
 * The boundary every way in calls: HTTP, Kafka and files refuse the same things in the same words.
 *
 * What arrives: one CloudEvent, as bytes or as parsed JSON, with the tenant the credential names. What leaves: a
 * `UsageEvent` without any name of a person, or a `Refusal` that says what to mend. Next is the log's `append`, or the
 * collector's topic.
 *
 * An event that is fine passes compiled checks only; words are found for what is not, and there everything wrong with it
 * counts: one fault that smells of people's names or words, and nothing of the event is kept.
 */
import { isUtf8 } from 'node:buffer';
import { type TObject } from 'typebox';
import { Compile } from 'typebox/compile';
import { canonical } from './canonical.js';
import { Envelope, EVENT_BYTES } from './envelope.js';
import { EVENT_NAMES, EVENTS, type EventName } from './events.js';
import { faultsOf, isObject, PLAIN, plural, shapeOf, type Fault } from './faults.js';
import { identityOf } from './identity.js';
import { pseudonymised } from './passing-on.js';
import { refusalOf } from './refusals.js';
import { noSuchTime, ruleFaults, unstorable, UNSTORABLE, type Fields } from './rules.js';
import { parseTime } from './time.js';
import { nearestType, readType, typeOf, upcast } from './versions.js';

/** An event that passed: what the log stores. */
export interface UsageEvent {
  /** A UUID in lower case: the host's UUIDv7, or the UUIDv8 derived from its source and its own id. */
  id: string;
  source: string;
  /** Without prefix and version: `result.shown`. */
  type: EventName;
  /** When it happened: integer microseconds since 1970-01-01T00:00:00Z. */
  time: number;
  deployment: string;
  /** Pseudonym of the person it is about, 64 lower-case hex digits; null for events of a deployment as a whole. */
  person: string | null;
  /** Pseudonym of who decided, where the event names somebody else. */
  actor: string | null;
  /** `data` of the event's newest version, without `actor`, as canonical JSON. */
  data: string;
  /** Its place in a session of the SDK, 1 to 20 digits: tells of gaps, and makes no other event of it. Left out: it has none. */
  sequence?: string;
}

/** Why an event did not pass. */
export interface Refusal {
  /** `rejected` can never become valid; `quarantined` may, and is answered as accepted. */
  kind: 'rejected' | 'quarantined';
  /** The field at fault: `data.surface`, `time`, or `body` for the whole. */
  field: string;
  /** What shape was found there and why it will not do; never the value itself. */
  reason: string;
  /** What to send instead. */
  fix: string;
  tenant: string | null;
  /** These four are null where the event gives none that is valid; `id` is what `UsageEvent.id` would have been. */
  deployment: string | null;
  source: string | null;
  type: string | null;
  id: string | null;
  /** The event as canonical JSON, with pseudonyms; null where it may hold personal data or could not be read. */
  payload: string | null;
}

export type Verdict = { outcome: 'accepted'; event: UsageEvent } | { outcome: 'refused'; refusal: Refusal };

export interface BoundaryOptions {
  /** Gives 64 lower-case hex digits, always the same for a person of a tenant. */
  pseudonymise: (tenant: string, person: string) => string;
  /** `pseudonyms` where somebody behind another boundary wrote the event: a name there is a refusal. */
  subjects: 'raw' | 'pseudonyms';
  /** Whether feedback may carry a comment; nowhere, where this is left out. */
  allowsComments?: (tenant: string, deployment: string) => boolean;
}

const envelope = Compile(Envelope);
/** The checks of each event's newest version, by its type. */
const KINDS = new Map(
  EVENT_NAMES.map((name) => {
    const validator = Compile<TObject>(EVENTS[name].data);
    return [typeOf(name), { name, schema: EVENTS[name].data as TObject, fits: (data: unknown) => validator.Check(data) }] as const;
  }),
);

const BYTE_ORDER_MARK = '\ufeff';
/** Levels of objects and lists in an event, itself the first. */
const DEPTH = 8;

/**
 * Reads and checks one event as it came over the wire.
 * @param bytes UTF-8 JSON of one CloudEvent, at most `EVENT_BYTES`
 * @param receivedAt integer microseconds since 1970
 */
export function checkMessage(bytes: Uint8Array | string, tenant: string, receivedAt: number, options: BoundaryOptions): Verdict {
  const refuse = (reason: string, fix: string) => refused(undefined, tenant, 'rejected', { field: 'body', reason, fix, personal: true }, null);
  const size = typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
  if (size > EVENT_BYTES) return tooLong(size, tenant);
  const text = typeof bytes === 'string' ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  // Decoding puts U+FFFD where bytes are no UTF-8, so only then is it worth asking.
  if (typeof bytes !== 'string' && text.includes('\ufffd') && !isUtf8(bytes)) return refuse(`${plural(size, 'byte')} that are not UTF-8`, 'encode the event as UTF-8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The message of a SyntaxError quotes what it could not read.
    const what = size === 0 ? 'nothing' : text.startsWith(BYTE_ORDER_MARK) ? `${plural(size, 'byte')} that begin with a byte order mark` : `${plural(size, 'byte')} that are not JSON`;
    return refuse(what, 'send one CloudEvent as a JSON object, in UTF-8 without byte order mark');
  }
  return checkEvent(value, tenant, receivedAt, options);
}

/** The verdict on a message of `size` bytes, which is more than `EVENT_BYTES`: for those who do not hold all of it. */
export function tooLong(size: number, tenant: string): Verdict {
  const long = { field: 'body', reason: `${size} bytes, more than the ${EVENT_BYTES} an event may have`, fix: 'send measurements only; what people typed or an AI answered has no place in an event', personal: true };
  return refused(undefined, tenant, 'rejected', long, null);
}

/**
 * Checks one event that has been parsed. Never throws for what an event holds.
 * @param receivedAt integer microseconds since 1970
 */
export function checkEvent(value: unknown, tenant: string, receivedAt: number, options: BoundaryOptions): Verdict {
  if (!envelope.Check(value)) return explain(value, tenant, receivedAt, options);
  const kind = KINDS.get(value.type);
  if (!kind) return checkOtherVersion(value, tenant, receivedAt, options);
  const time = parseTime(value.time);
  if (!kind.fits(value.data) || time === undefined) return explain(value, tenant, receivedAt, options);
  const data = value.data as Fields;
  if (ruleFaults(value, data, kind.name, time, tenant, receivedAt, options).length > 0) return explain(value, tenant, receivedAt, options);

  const { subject, source, deployment, sequence } = value;
  const { actor } = data;
  const event: UsageEvent = {
    id: identityOf(source, value.id),
    source,
    type: kind.name,
    time,
    deployment,
    person: subject === undefined ? null : pseudonymOf(subject, tenant, options),
    actor: actor === undefined ? null : pseudonymOf(actor as string, tenant, options),
    data: canonical(actor === undefined ? data : { ...data, actor: undefined }),
  };
  if (sequence !== undefined) event.sequence = sequence;
  return { outcome: 'accepted', event };
}

/** A type that is not an event's newest version: an older one is brought up to it, a newer one waits, another is nothing. */
function checkOtherVersion(value: Fields & { type: string; data: object }, tenant: string, receivedAt: number, options: BoundaryOptions): Verdict {
  const reading = readType(value.type);
  if (reading.kind === 'unknown' || tooDeep(value)) return explain(value, tenant, receivedAt, options);
  const data = value.data as Fields;
  if (reading.kind === 'known') {
    return checkEvent({ ...value, type: typeOf(reading.name), data: upcast(reading.name, reading.version, data) }, tenant, receivedAt, options);
  }
  const personal = ruleFaults(value, data, undefined, undefined, tenant, receivedAt, options).find((fault) => fault.personal);
  if (personal) return refused(value, tenant, 'rejected', personal, null);
  if (holdsUnstorable(value)) return refused(value, tenant, 'rejected', unstorable('data', data), null);
  const newer: Fault = {
    field: 'type',
    reason: `version ${reading.version} of ${reading.name}, newer than version ${reading.newest}, the newest known here`,
    fix: 'upgrade Foothold: where the event was kept it is stored then; where not, send it again',
    personal: false,
  };
  // What a newer version means by its fields nobody knows here: what does not look like a code may be a name or a sentence.
  return refused(value, tenant, 'quarantined', newer, holdsOnlyCodes([value['id'], data]) ? payloadOf(value, data, tenant, options) : null);
}

/** Finds words for what the compiled checks did not let pass, whatever it is. */
function explain(value: unknown, tenant: string, receivedAt: number, options: BoundaryOptions): Verdict {
  if (tooDeep(value)) {
    const deep = { field: 'body', reason: `nested deeper than ${DEPTH} levels`, fix: 'send the fields of the event only', personal: true };
    return refused(value, tenant, 'rejected', deep, null);
  }
  const event: Fields = isObject(value) ? value : {};
  const { type, time } = event;
  const data = isObject(event['data']) ? event['data'] : undefined;
  const kind = typeof type === 'string' ? KINDS.get(type) : undefined;

  const faults = faultsOf(Envelope, value, '');
  if (kind && data) faults.push(...faultsOf(kind.schema, data, 'data'));
  if (typeof type === 'string' && readType(type).kind === 'unknown') {
    faults.push({ field: 'type', reason: `${shapeOf(type)} that names no usage event; nothing of the event was kept`, fix: `did you mean ${nearestType(type)}?`, personal: true });
  }
  const micros = typeof time === 'string' ? parseTime(time) : undefined;
  if (time !== undefined && micros === undefined && !faults.some((fault) => fault.field === 'time')) faults.push(noSuchTime('time', time));
  faults.push(...ruleFaults(event, data ?? {}, kind?.name, micros, tenant, receivedAt, options));

  const worst = faults.find((fault) => fault.personal) ?? faults[0] ?? UNEXPLAINED;
  // Nobody has looked at data of an unknown kind; a comment is kept only where it can be erased; of an id, only the hash is known to be harmless.
  const plainId = typeof event['id'] !== 'string' || PLAIN.test(event['id']);
  const vetted = kind !== undefined && !worst.personal && data?.['comment'] === undefined && plainId;
  return refused(event, tenant, 'rejected', worst, vetted ? payloadOf(event, data ?? {}, tenant, options) : null);
}

/** Should the compiled checks ever know more than the words for them, the event is refused all the same. */
const UNEXPLAINED: Fault = { field: 'body', reason: 'not of the form its type must have', fix: 'check it against the JSON Schema of its type', personal: true };

const pseudonymOf = (person: string, tenant: string, options: BoundaryOptions): string =>
  options.subjects === 'raw' ? options.pseudonymise(tenant, person) : person;

/** The event as it may be kept. Only for events whose subject and actor are strings or absent. */
function payloadOf(event: Fields, data: Fields, tenant: string, options: BoundaryOptions): string | null {
  const pseudonym = (person: unknown) => (typeof person === 'string' ? pseudonymOf(person, tenant, options) : null);
  const kept = pseudonymised(event, data, pseudonym(event['subject']), pseudonym(data['actor']));
  return holdsUnstorable(kept) ? null : canonical(kept);
}

function refused(event: unknown, tenant: string, kind: Refusal['kind'], fault: Fault, payload: string | null): Verdict {
  return { outcome: 'refused', refusal: refusalOf(event, tenant, kind, fault, payload) };
}

/** Whether a value has more levels than an event may: nobody may walk through one that has, or its depth ends the walk. */
export function tooDeep(value: unknown, levels = DEPTH): boolean {
  return typeof value === 'object' && value !== null && (levels === 0 || Object.values(value).some((part) => tooDeep(part, levels - 1)));
}

function holdsOnlyCodes(value: unknown): boolean {
  if (typeof value === 'string') return PLAIN.test(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, part]) => PLAIN.test(key) && holdsOnlyCodes(part));
}

/** JSON text may hold a number no number can hold (1e400): it is read as infinite, and has no text again. */
function holdsUnstorable(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  if (typeof value === 'string') return UNSTORABLE.test(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, part]) => UNSTORABLE.test(key) || holdsUnstorable(part));
}
