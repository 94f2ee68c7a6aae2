/** How often those who use it do. */
import { meanOfShares } from '@foothold/statistics';
import { workingDays } from '../calendar.js';
import { dayText } from '../local-day.js';
import { LEAST_PEOPLE, type Figure, type Metric } from './metric.js';

const WINDOW = 28;

export const stickiness: Metric = {
  declaration: {
    id: 'adoption.stickiness',
    question: 'On how many days do those who use it use it?',
    formula: 'the mean, over people active in the 28 days that end with a day, of the share of these days on which they were active',
    unit: 'ratio',
    variants: { all_days: 'of all 28 days', working_days: 'of the working days among them, only activity on working days counted' },
    grains: ['week'],
    dimensions: [],
    minimum: LEAST_PEOPLE,
    watchOut: 'At work its ceiling is about 5/7 of all days: read working_days. Work that is not daily cannot be sticky. It says nothing of those who stopped: they are not in it.',
    version: 1,
  },
  behind: null,
  async figures(asking) {
    const { query, subject, periods } = asking;
    const works = await workingDays(subject.registration.country, subject.closures);
    const first = periods[0]!.from - WINDOW + 1;
    const days = Array.from({ length: periods.at(-1)!.to - first + 1 }, (_, i) => first + i);
    const found = await query<Record<string, number>>(
      `with asked as (select a.day, a.period - 1 as period from unnest($2::date[]) with ordinality a(day, period)),
            works as (select * from unnest($3::date[], $4::boolean[]) w(day, so)),
            own as (select a.period, d.person, count(*) as days, count(*) filter (where w.so) as working
                      from asked a join person_day_sum d on d.deployment = $1 and d.day > a.day - ${WINDOW} and d.day <= a.day and d.active_accepted + d.active_overridden > 0
                      join (select day, so from works) w on w.day = d.day group by a.period, d.person)
       select period::int, count(*)::int as people, sum(days)::int as days, sum(days * days)::int as days_squared, sum(working)::int as working, sum(working * working)::int as working_squared from own group by period`,
      [subject.deployment, periods.map(({ to }) => dayText(to)), days.map(dayText), days.map(works)]);
    const cells = new Map(found.map((row) => [row['period'], row]));
    return periods.flatMap(({ to }, period): Figure[] => {
      const row = cells.get(period);
      const of = (name: string) => Number(row?.[name] ?? 0);
      const working = Array.from({ length: WINDOW }, (_, i) => to - i).filter(works).length;
      return [
        { period, by: [], variant: 'all_days', ...mean(of('people'), of('days') / WINDOW, of('days_squared') / WINDOW ** 2) },
        { period, by: [], variant: 'working_days', ...(working === 0 ? mean(0, 0, 0) : mean(of('people'), of('working') / working, of('working_squared') / working ** 2)) },
      ];
    });
  },
};

function mean(people: number, sum: number, sumSquares: number): Omit<Figure, 'period' | 'by' | 'variant'> {
  const interval = meanOfShares({ n: people, sum, sumSquares });
  return { value: people === 0 ? null : sum / people, numerator: sum, denominator: people, low: interval?.low ?? null, high: interval?.high ?? null, people };
}
