/** Local days: the calendar of a deployment's time zone. A day is a whole number of days since 1970-01-01. */

import { parseDay } from '@foothold/contract';

const SECOND = 1_000_000;
const QUARTER_HOUR = 900 * SECOND;
const DAY_MICROS = 86_400_000_000;
const FARTHEST = 18 * 3_600 * SECOND;

/**
 * A time zone whose UTC offset is looked up once a quarter of an hour: nearly every change of an offset falls on one.
 * Within those in which it changes (St. John's did at 00:01, until 2011) it is looked up for each time.
 */
export class TimeZone {
  private readonly format: Intl.DateTimeFormat;
  /** By quarter of an hour; null where the offset changes within it. */
  private readonly offsets = new Map<number, number | null>();

  /** @throws RangeError where `name` is no IANA time zone. */
  constructor(readonly name: string) {
    this.format = new Intl.DateTimeFormat('en-US', {
      timeZone: name, hourCycle: 'h23', era: 'short',
      year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
    });
  }

  /** The local day of a time in integer microseconds since 1970. */
  dayOf(micros: number): number {
    const quarter = Math.floor(micros / QUARTER_HOUR);
    let offset = this.offsets.get(quarter);
    if (offset === undefined) {
      const first = this.offsetAt(quarter * QUARTER_HOUR);
      offset = first === this.offsetAt((quarter + 1) * QUARTER_HOUR - SECOND) ? first : null;
      this.offsets.set(quarter, offset);
    }
    return Math.floor((micros + (offset ?? this.offsetAt(Math.floor(micros / SECOND) * SECOND))) / DAY_MICROS);
  }

  /** The moment at which a local day begins: from it on every time is of that day or a later one. */
  startOf(day: number): number {
    // No zone is as far from UTC as this; from there back to the quarter of an hour in which the day before ends.
    let end = Math.ceil((day * DAY_MICROS + FARTHEST) / QUARTER_HOUR) * QUARTER_HOUR;
    while (this.dayOf(end - QUARTER_HOUR - 1) >= day) end -= QUARTER_HOUR;
    while (this.dayOf(end - 1) >= day) end -= SECOND;
    return end;
  }

  /** At a whole second. */
  private offsetAt(micros: number): number {
    const part: Record<string, string> = {};
    for (const { type, value } of this.format.formatToParts(new Date(micros / 1000))) part[type] = value;
    const local = new Date(0);
    const year = part['era'] === 'BC' ? 1 - Number(part['year']) : Number(part['year']);
    local.setUTCFullYear(year, Number(part['month']) - 1, Number(part['day']));
    local.setUTCHours(Number(part['hour']), Number(part['minute']), Number(part['second']));
    return local.getTime() * 1000 - micros;
  }
}

const zones = new Map<string, TimeZone>();

/** The time zone of that name, made once. */
export function timeZone(name: string): TimeZone {
  let zone = zones.get(name);
  if (!zone) zones.set(name, (zone = new TimeZone(name)));
  return zone;
}

/** YYYY-MM-DD of the local day, in a time zone, of a time in integer microseconds since 1970. */
export const localDay = (zone: string, micros: number): string => dayText(timeZone(zone).dayOf(micros));

/** YYYY-MM-DD of a day. */
export function dayText(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10);
}

/** The day of a YYYY-MM-DD; undefined where there is no such day, or no event can be of it. */
export function dayNumber(text: string): number | undefined {
  return text.length === 10 ? parseDay(text) : undefined;
}

/** The Monday of a day's ISO week. 1970-01-01 was a Thursday; days before it are negative. */
export function mondayOf(day: number): number {
  return day - ((((day + 3) % 7) + 7) % 7);
}

/** An ISO week's name, such as 2026-W13, by its Monday: its year is that of its Thursday. */
export function weekText(monday: number): string {
  const year = dayText(monday + 3).slice(0, 4);
  const week = Math.floor((monday + 3 - dayNumber(`${year}-01-01`)!) / 7) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}
