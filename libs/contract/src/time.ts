/** Times on the wire and inside: RFC 3339 text becomes integer microseconds since 1970-01-01T00:00:00Z. */

export const SECOND = 1_000_000;
export const DAY = 86_400 * SECOND;

const ZERO = 48;

/**
 * The microseconds since 1970-01-01T00:00:00Z of an RFC 3339 date-time with `Z` or an offset. Up to nine digits of a
 * second's fraction are read, and cut off after the sixth.
 * @returns undefined for anything else: no offset, days and hours that do not exist, a leap second (second 60), and years
 * whose microseconds a number cannot hold exactly (before 1685, after 2254).
 */
export function parseTime(text: string): number | undefined {
  const day = parseDay(text);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = digits(text, 17, 2);
  const separator = text.charCodeAt(10) | 32;
  if (day === undefined || separator !== 116 || text[13] !== ':' || text[16] !== ':') return undefined;
  if (!(hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 59)) return undefined;

  let at = 19;
  let fraction = 0;
  if (text[at] === '.') {
    let weight = 100_000;
    for (at++; isDigit(text.charCodeAt(at)); at++, weight = Math.trunc(weight / 10)) fraction += (text.charCodeAt(at) - ZERO) * weight;
    if (at === 20 || at > 29) return undefined;
  }
  const offset = parseOffset(text, at);
  if (offset === undefined) return undefined;
  return day * DAY + ((hour * 60 + minute - offset) * 60 + second) * SECOND + fraction;
}

/** The same as text again: RFC 3339 in UTC, all six digits of the microsecond. */
export function timeText(micros: number): string {
  const seconds = Math.floor(micros / SECOND);
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(micros - seconds * SECOND).padStart(6, '0')}Z`;
}

/**
 * The days since 1970-01-01 of the date a text begins with (`2026-01-05`).
 * @returns undefined where there is no such day, or it lies before 1685 or after 2254.
 */
export function parseDay(text: string): number | undefined {
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  if (!(year >= 1685 && year <= 2254 && month >= 1 && month <= 12 && day >= 1) || text[4] !== '-' || text[7] !== '-') return undefined;
  if (day > 28 && day > daysOf(year, month)) return undefined;
  return Date.UTC(year, month - 1, day) / 86_400_000;
}

/** Minutes east of UTC, where nothing follows. */
function parseOffset(text: string, at: number): number | undefined {
  const sign = text[at];
  if (sign === 'Z' || sign === 'z') return text.length === at + 1 ? 0 : undefined;
  if ((sign !== '+' && sign !== '-') || text.length !== at + 6 || text[at + 3] !== ':') return undefined;
  const hours = digits(text, at + 1, 2);
  const minutes = digits(text, at + 4, 2);
  if (!(hours >= 0 && hours <= 23 && minutes >= 0 && minutes <= 59)) return undefined;
  return (sign === '-' ? -1 : 1) * (hours * 60 + minutes);
}

/** The number `length` digits make, or -1. */
function digits(text: string, from: number, length: number): number {
  let value = 0;
  for (let at = from; at < from + length; at++) {
    const unit = text.charCodeAt(at);
    if (!isDigit(unit)) return -1;
    value = value * 10 + unit - ZERO;
  }
  return value;
}

const isDigit = (unit: number): boolean => unit >= ZERO && unit <= 57;

function daysOf(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
