/** Local days as numbers, counted from 1970-01-01, for the oracle. */

const DAY_MS = 24 * 60 * 60 * 1_000;

export const dayNumber = (name: string): number => Date.parse(`${name}T00:00:00Z`) / DAY_MS;
export const dayName = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);
export const dayOfMonth = (day: number): number => new Date(day * DAY_MS).getUTCDate();

/** A week's name: its Monday. */
export const mondayOf = (day: number): number => day - ((new Date(day * DAY_MS).getUTCDay() + 6) % 7);

const zones = new Map<string, { format: Intl.DateTimeFormat; days: Map<number, number> }>();

const calendar = (timeZone: string): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat('en-u-ca-gregory', { timeZone, year: 'numeric', month: 'numeric', day: 'numeric' });

/** The local day of a moment; remembered by the second, within which no zone changes its day. */
export function localDay(time: number, timeZone: string): number {
  const zone = zones.get(timeZone) ?? { format: calendar(timeZone), days: new Map<number, number>() };
  zones.set(timeZone, zone);
  const second = Math.floor(time / 1_000_000);
  let day = zone.days.get(second);
  if (day === undefined) {
    const parts = zone.format.formatToParts(new Date(second * 1_000));
    const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value);
    day = Date.UTC(part('year'), part('month') - 1, part('day')) / DAY_MS;
    zone.days.set(second, day);
  }
  return day;
}
