/** The days on which work is done: Monday to Friday, but for public and bank holidays of the deployment's country and its own closures. */
import { dayNumber, dayText } from './local-day.js';
import { type Closure } from './lifecycle.js';

/** Holidays on which offices are shut. Others (half days, school holidays, days that are only marked) are worked. */
const SHUT = new Set(['public', 'bank']);
const DAY_MS = 86_400_000;

/**
 * @param country ISO 3166-1 alpha-2; null, or one whose holidays nobody has written down: none are kept
 * @returns whether work is done on a local day
 */
export async function workingDays(country: string | null, closures: readonly Closure[]): Promise<(day: number) => boolean> {
  const holidaysOf = country === null ? () => new Set<number>() : await holidays(country);
  const shut = closures.map(({ from, to }) => ({ from: dayNumber(from)!, to: dayNumber(to)! }));
  return (day) => {
    const weekday = (day + 3) % 7; // the first of January 1970 was a Thursday
    return weekday < 5 && !holidaysOf(day).has(day) && !shut.some(({ from, to }) => from <= day && day <= to);
  };
}

/** By the day's year. */
type Holidays = (day: number) => ReadonlySet<number>;
const KNOWN = new Map<string, Holidays>();

async function holidays(country: string): Promise<Holidays> {
  const known = KNOWN.get(country);
  if (known) return known;
  const { default: Calendar } = await import('date-holidays'); // its data take longer to load than all else: who needs none does not wait
  const calendar = new Calendar(country);
  const years = new Map<string, ReadonlySet<number>>();
  const found: Holidays = (day) => {
    const year = dayText(day).slice(0, 4);
    let days = years.get(year);
    if (!days) years.set(year, (days = new Set((calendar.getHolidays(Number(year)) || []).filter(({ type }) => SHUT.has(type)).flatMap(daysOf))));
    return days;
  };
  KNOWN.set(country, found);
  return found;
}

/** Most last one day, some several. */
function daysOf({ date, start, end }: { date: string; start: Date; end: Date }): number[] {
  const first = dayNumber(date.slice(0, 10))!;
  return Array.from({ length: Math.max(1, Math.round((end.getTime() - start.getTime()) / DAY_MS)) }, (_, i) => first + i);
}
