/** The Norwegian working year: days, weekends, public holidays, summer time. A day is a whole number of days since 1970-01-01. */

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

export const dayOf = (text: string): number => Date.parse(`${text}T00:00:00Z`) / DAY_MS;
export const textOf = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);
/** 0 Monday to 6 Sunday. */
export const weekdayOf = (day: number): number => (day + 3) % 7;
export const isWeekend = (day: number): boolean => weekdayOf(day) >= 5;

const holidays = new Map<number, ReadonlySet<number>>();

/** Whether it is one of Norway's public holidays, on whatever weekday. */
export function isHoliday(day: number): boolean {
  const year = new Date(day * DAY_MS).getUTCFullYear();
  let known = holidays.get(year);
  if (!known) holidays.set(year, (known = holidaysOf(year)));
  return known.has(day);
}

function holidaysOf(year: number): Set<number> {
  const easter = easterOf(year);
  const moving = [-3, -2, 0, 1, 39, 49, 50].map((days) => easter + days);
  const fixed = ['01-01', '05-01', '05-17', '12-25', '12-26'].map((date) => dayOf(`${year}-${date}`));
  return new Set([...moving, ...fixed]);
}

/** Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher). */
function easterOf(year: number): number {
  const century = Math.floor(year / 100);
  const golden = year % 19;
  const moon = (19 * golden + century - Math.floor(century / 4) - Math.floor((century - Math.floor((century + 8) / 25) + 1) / 3) + 15) % 30;
  const sunday = (32 + 2 * (century % 4) + 2 * Math.floor((year % 100) / 4) - moon - (year % 4)) % 7;
  const late = Math.floor((golden + 11 * moon + 22 * sunday) / 451);
  const march = moon + sunday - 7 * late + 22;
  return dayOf(`${year}-03-01`) + march - 1;
}

/** Milliseconds since 1970 of a local time in Oslo, in minutes after midnight of a day; the hour that October has twice is its second. */
export function osloTime(day: number, minutes: number): number {
  const local = day * DAY_MS + minutes * 60_000;
  const year = new Date(local).getUTCFullYear();
  const summer = local >= lastSunday(year, 3) + 2 * HOUR_MS && local < lastSunday(year, 10) + 2 * HOUR_MS;
  return Math.round(local - (summer ? 2 : 1) * HOUR_MS);
}

function lastSunday(year: number, month: number): number {
  const last = Date.UTC(year, month, 0);
  return last - ((weekdayOf(last / DAY_MS) + 1) % 7) * DAY_MS;
}
