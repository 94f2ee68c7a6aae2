/** The calendar the simulated organisation keeps is Norway's. */
import { describe, expect, it } from '@jest/globals';
import { dayOf, isHoliday, isWeekend, osloTime, textOf, weekdayOf } from './calendar.js';

const holidaysOf = (year: number) => {
  const [first, after] = [dayOf(`${year}-01-01`), dayOf(`${year + 1}-01-01`)];
  return Array.from({ length: after - first }, (_, i) => first + i).filter(isHoliday).map((day) => textOf(day).slice(5));
};

describe('holidays', () => {
  it.each([
    [2024, ['01-01', '03-28', '03-29', '03-31', '04-01', '05-01', '05-09', '05-17', '05-19', '05-20', '12-25', '12-26']],
    [2026, ['01-01', '04-02', '04-03', '04-05', '04-06', '05-01', '05-14', '05-17', '05-24', '05-25', '12-25', '12-26']],
    // Ascension Day falls on the seventeenth of May.
    [2035, ['01-01', '03-22', '03-23', '03-25', '03-26', '05-01', '05-03', '05-13', '05-14', '05-17', '12-25', '12-26']],
    [2038, ['01-01', '04-22', '04-23', '04-25', '04-26', '05-01', '05-17', '06-03', '06-13', '06-14', '12-25', '12-26']],
  ])('of %i', (year, days) => {
    expect(holidaysOf(year)).toEqual(days);
  });

  it('weekdays are counted from Monday', () => {
    expect([dayOf('2026-10-19'), dayOf('2026-10-24'), dayOf('2026-10-25')].map((day) => [weekdayOf(day), isWeekend(day)])).toEqual([[0, false], [5, true], [6, true]]);
  });
});

describe('local times', () => {
  it('of every half hour of a year are those of Europe/Oslo', () => {
    const local = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Oslo', dateStyle: 'short', timeStyle: 'short' });
    const wrong: string[] = [];
    for (let day = dayOf('2026-01-01'); day < dayOf('2027-01-01'); day++) {
      for (let minutes = 0; minutes < 1440; minutes += 30) {
        const wanted = `${textOf(day)} ${new Date(minutes * 60_000).toISOString().slice(11, 16)}`;
        if (local.format(osloTime(day, minutes)) !== wanted) wrong.push(wanted);
      }
    }
    // The hour that March does not have.
    expect(wrong).toEqual(['2026-03-29 02:00', '2026-03-29 02:30']);
  });
});
