/** How often those who use it do. */
import { meanOfShares } from '@foothold/statistics';
import { workingDays } from '../calendar.js';
import { activeDays } from './as-of.js';
import { LEAST_PEOPLE, type Figure, type Metric } from './metric.js';
import { UNKNOWN } from './ratio.js';

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
    const { subject, periods } = asking;
    const works = await workingDays(subject.registration.country, subject.closures);
    const from = periods[0]!.from - WINDOW + 1;
    const to = periods.at(-1)!.to;
    const worked = Array.from({ length: to - from + 1 }, (_, i) => works(from + i));
    const cells = periods.map(() => ({ people: 0, days: 0, daysSquared: 0, working: 0, workingSquared: 0 }));
    for (const { days: active } of await activeDays(asking, { from, to })) {
      let [first, next, working] = [0, 0, 0]; // of the days in the window that ends with a period
      for (const [period, cell] of cells.entries()) {
        const end = periods[period]!.to;
        for (; next < active.length && active[next]! <= end; next++) working += Number(worked[active[next]! - from]);
        for (; first < next && active[first]! <= end - WINDOW; first++) working -= Number(worked[active[first]! - from]);
        const days = next - first;
        if (days === 0) continue;
        cell.people++;
        cell.days += days;
        cell.daysSquared += days * days;
        cell.working += working;
        cell.workingSquared += working * working;
      }
    }
    return periods.flatMap(({ to }, period): Figure[] => {
      const { people, days, daysSquared, working: workedOn, workingSquared } = cells[period]!;
      const working = Array.from({ length: WINDOW }, (_, i) => to - i).filter(works).length;
      return [
        { period, by: [], variant: 'all_days', ...mean(people, days / WINDOW, daysSquared / WINDOW ** 2) },
        { period, by: [], variant: 'working_days', ...(working === 0 ? { ...UNKNOWN, denominator: people, people } : mean(people, workedOn / working, workingSquared / working ** 2)) },
      ];
    });
  },
};

function mean(people: number, sum: number, sumSquares: number): Omit<Figure, 'period' | 'by' | 'variant'> {
  const interval = meanOfShares({ n: people, sum, sumSquares });
  return { value: people === 0 ? null : sum / people, numerator: sum, denominator: people, low: interval?.low ?? null, high: interval?.high ?? null, people };
}
