/** Where the people who use it come from, and where they go, from one week or month to the next. */
import { dayText } from '../local-day.js';
import { bucketOf } from './bucket.js';
import { groups, type Counted } from './cut.js';
import { DID } from './held.js';
import { LEAST_PEOPLE, type Asking, type Figure, type Metric } from './metric.js';
import { UNKNOWN } from './ratio.js';

/** Its grains. */
type Whole = 'week' | 'month';

export const growth: Metric = {
  declaration: {
    id: 'adoption.growth',
    question: 'Do people stay with it, and who comes and goes?',
    formula: 'active = retained + new + resurrected; churned = active in the week or month before - retained',
    unit: 'people',
    variants: {
      active: 'accepted or overrode a result in the week or month', retained: 'of these, active in the one before too', new: 'of these, never active before',
      resurrected: 'of these, active before but not in the one before', churned: 'active in the one before and not in this one',
      quick_ratio: 'a ratio: (new + resurrected) / churned; none where nobody churned',
    },
    grains: ['week', 'month'],
    dimensions: ['team', 'role'],
    minimum: LEAST_PEOPLE,
    watchOut: 'A roster that stays the same runs out of new people: new falls where nothing is wrong. A month of holidays churns people who come back. Weeks and months that the range cuts are left out.',
    version: 1,
  },
  whole: true,
  behind: null,
  async figures(asking) {
    const { periods } = asking;
    const grain = asking.grain as Whole;
    // What is cut by the range would count those whose days were cut off as churned.
    const whole = periods.filter(({ from, to }) => from === bucketOf(grain, from).from && to === bucketOf(grain, to).to);
    const cutOff = periods.length - whole.length;
    if (cutOff > 0) asking.notes.push(`${cutOff === 1 ? `one ${grain} that is` : `${cutOff} ${grain}s that are`} not whole in the range ${cutOff === 1 ? 'is' : 'are'} left out`);
    if (whole.length === 0) return [];
    const asked = { ...asking, periods: whole };
    const figures: Figure[] = [];
    for (const { period: nth, by: values, row } of groups(asked, await moves(asked, grain))) {
      const period = periods.indexOf(whole[nth]!);
      const of = (name: string) => Number(row?.[name] ?? 0);
      const [active, retained, fresh, before] = [of('active'), of('retained'), of('fresh'), of('before')];
      const counts = { active, retained, new: fresh, resurrected: active - retained - fresh, churned: before - retained };
      for (const [variant, count] of Object.entries(counts)) {
        figures.push({ period, by: values, variant, value: count, numerator: count, denominator: null, low: null, high: null, people: variant === 'churned' ? before : active });
      }
      const [came, went] = [active - retained, before - retained];
      figures.push({ ...UNKNOWN, period, by: values, variant: 'quick_ratio', value: went === 0 ? null : came / went, numerator: came, denominator: went, people: active + went });
    }
    return asking.by.length > 0 ? figures.filter(({ people, numerator, denominator }) => people > 0 && (numerator !== 0 || denominator !== 0)) : figures;
  },
};

/** By period and group: people active in it, of these those active in the one before and those never active before, and those active in the one before. */
function moves({ query, subject, by, periods }: Asking, grain: Whole): Promise<Counted[]> {
  const before = bucketOf(grain, periods[0]!.from - 1);
  const spans = [before, ...periods];
  const days = spans.flatMap(({ from, to }, i) => Array.from({ length: to - from + 1 }, (_, n) => ({ day: dayText(from + n), period: i - 1 })));
  const names = ['period', ...by].join(', ');
  return query<Counted>(
    `with active as materialized (
       select distinct c.period, d.person from person_day_sum d join unnest($2::date[], $3::int[]) c(day, period) on c.day = d.day
        where d.deployment = $1 and d.day between $4::date and $5::date and ${DID.active}
     ), first as (select person, min(day) as day from person_day_sum d where deployment = $1 and ${DID.active} group by person)
     select ${names}, count(now)::int as active, count(*) filter (where now is not null and was is not null)::int as retained,
            count(*) filter (where now is not null and day >= since)::int as fresh, count(was)::int as before
       from (select p.period - 1 as period, p.since, p.until, m.person, n.period as now, w.period as was, f.day${by.map((dimension) => `, coalesce(r.${dimension}, '') as ${dimension}`).join('')}
               from unnest($6::date[], $7::date[]) with ordinality p(since, until, period)
               join (select period, person from active union select period + 1, person from active) m on m.period = p.period - 1
               left join active n on n.period = m.period and n.person = m.person
               left join active w on w.period = m.period - 1 and w.person = m.person
               join first f on f.person = m.person
               ${by.length > 0 ? 'left join roster r on r.deployment = $1 and r.person = m.person and not r.on_leave and r.from_day <= p.until and (r.to_day is null or p.until <= r.to_day)' : ''}) moved
      group by ${names}`,
    [subject.deployment, days.map(({ day }) => day), days.map(({ period }) => period), dayText(before.from), dayText(periods.at(-1)!.to), periods.map(({ from }) => dayText(from)), periods.map(({ to }) => dayText(to))],
  );
}
