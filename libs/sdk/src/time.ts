/** Times as a host may give them, and whether the boundary will read them. */

/** When something happened: a Date, milliseconds since 1970, or RFC 3339 text with `Z` or an offset. */
export type Time = Date | number | string;
/** Where a span begins or ends: as `Time`, or a local day of the deployment (`2026-01-05`), which is included whole. */
export type Moment = Date | string;

/** Microseconds of these years, and only these, are exact as a number. */
const [FIRST_YEAR, LAST_YEAR] = [1685, 2254];
const [FIRST_MS, LAST_MS] = [Date.UTC(FIRST_YEAR, 0), Date.UTC(LAST_YEAR + 1, 0)];
const DATE_TIME = /^(\d{4}-\d\d-\d\d)T((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d{1,9}))?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/i;

/** Microseconds since 1970 of a day or a date-time; undefined where there is no such moment, or its year is not within 1685 to 2254. */
export function microsOf(text: string): number | undefined {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return dayOf(text);
  const [, date, clock, fraction = '', sign, hours, minutes] = DATE_TIME.exec(text) ?? [];
  const day = date === undefined ? undefined : dayOf(date);
  if (day === undefined) return undefined;
  const offset = sign === undefined ? 0 : (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  return day + Date.parse(`1970-01-01T${clock}Z`) * 1000 + Number(fraction.slice(0, 6).padEnd(6, '0')) - offset * 60_000_000;
}

function dayOf(date: string): number | undefined {
  const time = Date.parse(`${date}T00:00:00Z`);
  // Some engines take 30 February for 2 March.
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== date) return undefined;
  return time >= FIRST_MS && time < LAST_MS ? time * 1000 : undefined;
}

export const TIME_WORDS = 'a Date, milliseconds since 1970, or a date-time with offset';

/** RFC 3339 text of a time; undefined where it is none. Text is kept as it is, to the digit. */
export function textOf(time: unknown): string | undefined {
  if (typeof time === 'string') return time.length > 10 && microsOf(time) !== undefined ? time : undefined;
  if (typeof time !== 'number' && !(time instanceof Date)) return undefined;
  const milliseconds = Number(time);
  return milliseconds >= FIRST_MS && milliseconds < LAST_MS ? isoOf(milliseconds) : undefined;
}

let [latest, latestText] = [NaN, ''];

/** `toISOString`, which costs as much as the rest of a call: many calls fall into one millisecond. */
export function isoOf(milliseconds: number): string {
  if (milliseconds !== latest) [latest, latestText] = [milliseconds, new Date(milliseconds).toISOString()];
  return latestText;
}

/** A span's end in the form of the wire: a Date becomes an instant. Anything else is left for the checks to judge. */
export const momentText = (moment: unknown): unknown => (moment instanceof Date ? (textOf(moment) ?? '') : moment);
