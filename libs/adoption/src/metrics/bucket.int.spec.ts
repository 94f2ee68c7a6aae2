import { afterEach, expect, it } from '@jest/globals';
import { databases, freshDatabase, type FreshDatabase } from '../../../../test/support/database.js';
import { dayNumber, dayText } from '../local-day.js';
import { buckets, bucketSql } from './bucket.js';
import { GRAINS } from '@foothold/contract';

const open = databases();
let fresh: FreshDatabase | undefined;
afterEach(() => fresh?.drop());

it('Postgres puts every day of a range into the bucket that stands for it here', async () => {
  fresh = await freshDatabase();
  const database = await open(fresh.url);
  for (const [fromText, toText] of [['1685-01-01', '1686-01-10'], ['1968-11-05', '1971-03-02'], ['2024-01-31', '2027-01-05'], ['2253-12-30', '2254-12-31']] as const) {
    const [from, to] = [dayNumber(fromText)!, dayNumber(toText)!];
    for (const grain of GRAINS) {
      const expected = buckets({ deployment: 1, grain, by: [], from, to, fromText, toText }).flatMap((bucket) => {
        const days: string[] = [];
        for (let day = dayNumber(bucket.from)!; day <= bucket.lastDay; day++) days.push(`${dayText(day)} ${bucket.start}`);
        return days;
      });
      const found = await database.query<{ text: string }>(
        `select day || ' ' || ${bucketSql(grain, 'day')} as text from generate_series($1::int, $3::int) n, lateral (select '1970-01-01'::date + n as day, $2::date) d order by n`,
        [from, fromText, to],
      );
      expect(found.map(({ text }) => text)).toEqual(expected);
    }
  }
});
