/**
 * What the `type` of an event says: which event, in which version, and how data of an older version becomes today's.
 * A version is raised only when a field changes its meaning or goes; the boundary then still takes the older ones.
 */
import { EVENT_NAMES, type EventName } from './events.js';

/** The version each event is in today. */
export const VERSIONS: Readonly<Record<EventName, number>> = Object.fromEntries(EVENT_NAMES.map((name) => [name, 1])) as Record<EventName, number>;

/** By event and version, what turns `data` of that version into that of the next; it must not change what it is given. */
export type Upcasts = Readonly<Partial<Record<EventName, Readonly<Record<number, (data: Readonly<Record<string, unknown>>) => Record<string, unknown>>>>>>;

/** None yet: every event is in its first version. */
export const UPCASTS: Upcasts = {};

export type TypeReading =
  | { kind: 'known'; name: EventName; version: number }
  | { kind: 'newer'; name: EventName; version: number; newest: number }
  | { kind: 'unknown' };

const TYPE = /^foothold\.([a-z]+\.[a-z]+)\.v([1-9]\d{0,5})$/;

/** The `type` of today's version of an event. */
export const typeOf = (name: EventName): string => `foothold.${name}.v${VERSIONS[name]}`;

/** Reads a `type`. */
export function readType(type: string, versions = VERSIONS): TypeReading {
  const [, name = '', digits] = TYPE.exec(type) ?? [];
  if (!Object.hasOwn(versions, name)) return { kind: 'unknown' };
  const known = name as EventName;
  const version = Number(digits);
  const newest = versions[known];
  return version > newest ? { kind: 'newer', name: known, version, newest } : { kind: 'known', name: known, version };
}

/**
 * `data` of an older version, brought up to today's one version at a time.
 * @throws Error where the table lacks a step: a version was raised without saying how to get there.
 */
export function upcast(name: EventName, version: number, data: Record<string, unknown>, versions = VERSIONS, upcasts = UPCASTS): Record<string, unknown> {
  let current = data;
  for (let from = version; from < versions[name]; from++) {
    const step = upcasts[name]?.[from];
    if (!step) throw new Error(`no upcast of ${name} from version ${from}`);
    current = step(current);
  }
  return current;
}

/** The known type nearest to one that is not; takes tens of microseconds. */
export function nearestType(type: string): string {
  const types = EVENT_NAMES.map(typeOf);
  // Past any type in length, a text is as far from one as from another.
  const near = type.slice(0, 64);
  const distances = types.map((known) => distance(near, known));
  return types[distances.indexOf(Math.min(...distances))]!;
}

/** Levenshtein's: how many characters must be added, removed or replaced. Both texts have fewer than 255. */
function distance(a: string, b: string): number {
  const row = Uint8Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    let diagonal = row[0]!;
    row[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const above = row[j]!;
      row[j] = Math.min(above + 1, row[j - 1]! + 1, diagonal + (a.charCodeAt(i - 1) === b.charCodeAt(j - 1) ? 0 : 1));
      diagonal = above;
    }
  }
  return row[b.length]!;
}
