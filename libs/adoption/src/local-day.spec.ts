import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { dayNumber, dayText, TimeZone, timeZone } from './local-day.js';

const ZONES = ['Europe/Stockholm', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Pacific/Apia', 'America/St_Johns', 'Pacific/Chatham', 'Africa/Casablanca', 'Asia/Pyongyang', 'America/Sao_Paulo', 'UTC'];

/** The local day as Intl says it, in its own calendar arithmetic: nothing of ours. */
function intlDay(zone: string, micros: number): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(new Date(Math.floor(micros / 1000)));
}
const micros = (text: string): number => Date.parse(text) * 1000;
const dayIn = (zone: string, at: number): string => dayText(timeZone(zone).dayOf(at));

/** Moments at which a zone's offset changes between 1970 and 2040, found hour by hour from Intl, to the minute. */
function changesOf(zone: string): number[] {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset', year: 'numeric' });
  const offset = (at: number) => format.formatToParts(new Date(at)).find(({ type }) => type === 'timeZoneName')!.value;
  const found: number[] = [];
  const step = 10 * 86_400_000;
  for (let at = Date.UTC(1970, 0, 1); at < Date.UTC(2040, 0, 1); at += step) {
    if (offset(at) === offset(at + step)) continue;
    let [low, high] = [at, at + step];
    while (high - low > 60_000) {
      const middle = low + Math.floor((high - low) / 120_000) * 60_000;
      if (offset(middle) === offset(low)) low = middle;
      else high = middle;
    }
    found.push(high * 1000);
  }
  return found;
}

describe('a local day', () => {
  it.each([
    // Clocks go from 02:00 to 03:00, and back: the day stays the day.
    ['Europe/Stockholm', '2026-03-28T22:59:59.999999Z', '2026-03-28'], ['Europe/Stockholm', '2026-03-28T23:00:00Z', '2026-03-29'],
    ['Europe/Stockholm', '2026-03-29T21:59:59Z', '2026-03-29'], ['Europe/Stockholm', '2026-03-29T22:00:00Z', '2026-03-30'],
    ['Europe/Stockholm', '2026-10-25T22:59:59Z', '2026-10-25'], ['Europe/Stockholm', '2026-10-25T23:00:00Z', '2026-10-26'],
    ['America/New_York', '2026-03-09T03:59:59Z', '2026-03-08'], ['America/New_York', '2026-03-09T04:00:00Z', '2026-03-09'],
    ['America/New_York', '2026-11-02T04:59:59Z', '2026-11-01'], ['America/New_York', '2026-11-02T05:00:00Z', '2026-11-02'],
    ['Asia/Kathmandu', '2026-06-01T18:14:59Z', '2026-06-01'], ['Asia/Kathmandu', '2026-06-01T18:15:00Z', '2026-06-02'],
    ['Asia/Kathmandu', '1985-12-31T18:29:59Z', '1985-12-31'], ['Asia/Kathmandu', '1985-12-31T18:30:00Z', '1986-01-01'],
    // Half an hour of summer time: 10:30 and 11:00 ahead.
    ['Australia/Lord_Howe', '2026-06-01T13:29:59Z', '2026-06-01'], ['Australia/Lord_Howe', '2026-06-01T13:30:00Z', '2026-06-02'],
    ['Australia/Lord_Howe', '2026-12-01T12:59:59Z', '2026-12-01'], ['Australia/Lord_Howe', '2026-12-01T13:00:00Z', '2026-12-02'],
    // 2011-12-30 never was in Apia.
    ['Pacific/Apia', '2011-12-30T09:59:59.999Z', '2011-12-29'], ['Pacific/Apia', '2011-12-30T10:00:00Z', '2011-12-31'],
    ['UTC', '1969-12-31T23:59:59.999Z', '1969-12-31'], ['UTC', '1970-01-01T00:00:00Z', '1970-01-01'],
  ])('in %s of %s is %s', (zone, at, day) => {
    expect(dayIn(zone, micros(at))).toBe(day);
    expect(intlDay(zone, micros(at))).toBe(day);
  });

  it('follows Intl, a microsecond to a day around every change of offset since 1970', () => {
    let changes = 0;
    for (const zone of ZONES) {
      const around = changesOf(zone);
      changes += around.length;
      for (const change of around) {
        for (const by of [-86_400_000_000, -7_200_000_000, -3_600_000_000, -900_000_000, -1, 0, 1, 900_000_000, 3_600_000_000, 43_200_000_000]) {
          expect(`${zone} ${change + by} ${dayIn(zone, change + by)}`).toBe(`${zone} ${change + by} ${intlDay(zone, change + by)}`);
        }
      }
    }
    expect(changes).toBeGreaterThan(500);
  });

  it('follows Intl everywhere, at any time since 1970', () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    process.stderr.write(`local-day: seed ${seed}\n`);
    const zones = fc.constantFrom(...Intl.supportedValuesOf('timeZone'));
    fc.assert(
      fc.property(zones, fc.integer({ min: 0, max: micros('2254-12-31T00:00:00Z') }), (zone, at) => {
        expect(dayIn(zone, at)).toBe(intlDay(zone, at));
      }),
      { seed, numRuns: 2_000 },
    );
  });

  it('counts times before 1970 and before the years had four digits in the same calendar', () => {
    expect(dayIn('UTC', micros('1685-01-01T00:00:00Z'))).toBe('1685-01-01');
    expect(dayIn('Europe/Stockholm', micros('1950-06-30T23:30:00Z'))).toBe('1950-07-01');
    expect(new TimeZone('UTC').dayOf(-1)).toBe(-1);
  });

  it('has one zone a name, and none for what is no name', () => {
    expect(timeZone('Europe/Oslo')).toBe(timeZone('Europe/Oslo'));
    expect(() => timeZone('Europe/Atlantis')).toThrow(/time zone/i);
  });
});

describe('a local day begins', () => {
  const startIn = (zone: string, day: string) => new Date(timeZone(zone).startOf(dayNumber(day)!) / 1000).toISOString();

  it.each([
    ['UTC', '2026-03-30', '2026-03-30T00:00:00.000Z'],
    ['Europe/Helsinki', '2026-03-29', '2026-03-28T22:00:00.000Z'], ['Europe/Helsinki', '2026-03-30', '2026-03-29T21:00:00.000Z'],
    ['Asia/Kathmandu', '2026-06-02', '2026-06-01T18:15:00.000Z'], ['Pacific/Kiritimati', '2026-06-02', '2026-06-01T10:00:00.000Z'],
    // Midnight itself was left out that day; the day before began as any.
    ['America/Sao_Paulo', '2018-11-04', '2018-11-04T03:00:00.000Z'],
    // Clocks went back from midnight to eleven: Saturday had 25 hours.
    ['America/Sao_Paulo', '2018-02-18', '2018-02-18T03:00:00.000Z'],
    // From 00:01 back to 23:01: the day began for a minute, and then for good.
    ['America/St_Johns', '2006-10-29', '2006-10-29T03:30:00.000Z'],
    ['Pacific/Apia', '2011-12-30', '2011-12-30T10:00:00.000Z'], ['Pacific/Apia', '2011-12-31', '2011-12-30T10:00:00.000Z'],
  ])('in %s, %s at %s', (zone, day, at) => expect(startIn(zone, day)).toBe(at));

  it('in every zone, on any day, where the one before it is over for good', () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.info(`seed ${seed}`);
    const zones = fc.constantFrom(...Intl.supportedValuesOf('timeZone'));
    fc.assert(
      fc.property(zones, fc.integer({ min: 0, max: 25_000 }), (name, day) => {
        const zone = timeZone(name);
        const start = zone.startOf(day);
        expect(zone.dayOf(start - 1)).toBeLessThan(day);
        for (let minutes = 0; minutes <= 24 * 60; minutes += 15) expect(zone.dayOf(start + minutes * 60_000_000)).toBeGreaterThanOrEqual(day);
      }),
      { seed, numRuns: 500 },
    );
  });
});

describe('a day as text', () => {
  it('goes both ways', () => {
    for (const day of [0, -1, 1, 20_782, -104_000, 104_000]) expect(dayNumber(dayText(day))).toBe(day);
    expect(dayText(20_782)).toBe('2026-11-25');
  });

  it.each(['2026-02-29', '2026-13-01', '2026-00-10', '2026-1-1', '2026-01-32', '26-01-01', '2026-01-01T00:00:00Z', ' 2026-01-01', ''])('%p is no day', (text) => {
    expect(dayNumber(text)).toBeUndefined();
  });

  it('knows leap days', () => {
    expect(dayNumber('2024-02-29')).toBe(dayNumber('2024-03-01')! - 1);
    expect(dayNumber('1900-02-29')).toBeUndefined();
    expect(dayNumber('2000-02-29')).toBeDefined();
  });
});
