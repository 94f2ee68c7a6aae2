import { expect, it } from '@jest/globals';
import { workingDays } from './calendar.js';
import { dayNumber, dayText } from './local-day.js';

async function shutIn(country: string | null, from: string, to: string, closures: { from: string; to: string }[] = []): Promise<string[]> {
  const works = await workingDays(country, closures.map((closure) => ({ ...closure, reason: null })));
  const days = Array.from({ length: dayNumber(to)! - dayNumber(from)! + 1 }, (_, i) => dayNumber(from)! + i);
  return days.filter((day) => !works(day)).map(dayText);
}

// From the calendars that the states publish; Saturdays and Sundays are 3, 4, 10, 11 January and so on.
it.each<[string | null, string, string, string[]]>([
  [null, '2026-01-01', '2026-01-06', ['2026-01-03', '2026-01-04']],
  ['SE', '2026-01-01', '2026-01-07', ['2026-01-01', '2026-01-03', '2026-01-04', '2026-01-06']],
  ['SE', '2026-06-15', '2026-06-21', ['2026-06-19', '2026-06-20', '2026-06-21']],
  ['NO', '2026-05-11', '2026-05-18', ['2026-05-14', '2026-05-16', '2026-05-17']],
  ['DK', '2026-03-30', '2026-04-06', ['2026-04-02', '2026-04-03', '2026-04-04', '2026-04-05', '2026-04-06']],
  ['FI', '2026-12-04', '2026-12-07', ['2026-12-05', '2026-12-06']],
  ['IS', '2026-06-15', '2026-06-18', ['2026-06-17']],
  ['XX', '2026-01-01', '2026-01-02', []],
])('in %s from %s to %s no work is done on %j', async (country, from, to, shut) => {
  expect(await shutIn(country, from, to)).toEqual(shut);
});

it('a closure is shut from its first day to its last', async () => {
  expect(await shutIn('SE', '2026-07-06', '2026-07-17', [{ from: '2026-07-08', to: '2026-07-10' }])).toEqual(['2026-07-08', '2026-07-09', '2026-07-10', '2026-07-11', '2026-07-12']);
});
