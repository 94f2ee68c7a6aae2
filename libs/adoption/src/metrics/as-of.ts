/**
 * People counted as of days: how many there are on the last day of each period.
 *
 * What arrives: a statement that gives stretches of days in which one person counts. What leaves: for each variant and group,
 * how many count on each period's last day. Counting where stretches begin and end gives every day in one pass, however
 * many days are asked for. Here too: the stretches in which people are active, and in which they are enabled.
 */
import { dayText } from '../local-day.js';
import { groupOf, type Counted } from './cut.js';
import { type Asking } from './metric.js';

/** On a row `d` of person_day. */
export const ACTIVE = 'd.active_accepted + d.active_overridden > 0';
/** The kinds of activity, on the same. */
export const KINDS: Record<string, string> = { any: ACTIVE, accepted: 'd.active_accepted > 0', voluntary: `${ACTIVE} and d.initiative = 'person'` };
/** Days of the windows that end with a day. */
const WINDOWS = [1, 7, 28];
/** The variants of each kind of activity in each window, and what they count. */
export const WINDOWED: Record<string, string> = {
  any: 'accepted or overrode a result on that day', any_7: 'the same in the 7 days that end with it', any_28: 'the same in 28 days',
  accepted: 'accepted a result on that day', accepted_7: 'the same in 7 days', accepted_28: 'the same in 28 days',
  voluntary: 'decided on a result of their own initiative on that day', voluntary_7: 'the same in 7 days', voluntary_28: 'the same in 28 days',
};

export interface CountedPeople {
  variant: string;
  by: (string | null)[];
  /** By period, people on its last day. */
  people: number[];
}

/**
 * Counts people as of each period's last day.
 * @param stretches a statement that gives `variant`, the dimensions of the question, `since` and `until` (the day after the
 * last): within a variant and group, those of one person share no day
 * @param always variants that are there even where nobody counts, where nothing is cut by a dimension
 */
export async function countAsOf(asking: Asking, stretches: string, values: unknown[], always: readonly string[]): Promise<CountedPeople[]> {
  const { by, periods } = asking;
  const group = ['variant', ...by].join(', ');
  const found = await asking.query<Counted>(
    `with stretch as (${stretches})
     select ${group}, (at - '1970-01-01'::date)::int as day, sum(step)::int as step
       from (select ${group}, since as at, 1 as step from stretch union all select ${group}, until, -1 from stretch) edge
      group by ${group}, at order by ${group}, at`,
    values,
  );
  const all = new Map<string, { variant: string; by: (string | null)[]; steps: { day: number; step: number }[] }>();
  const ofGroup = (variant: string, values: (string | null)[]) => {
    const label = JSON.stringify([variant, ...values]);
    let one = all.get(label);
    if (!one) all.set(label, (one = { variant, by: values, steps: [] }));
    return one;
  };
  if (by.length === 0) for (const variant of always) ofGroup(variant, []);
  for (const edge of found) ofGroup(edge['variant'] as string, groupOf(edge, by)).steps.push({ day: Number(edge['day']), step: Number(edge['step']) });
  return [...all.values()].map(({ variant, by: values, steps }) => {
    let [people, next] = [0, 0];
    const counts = periods.map(({ to }) => {
      for (; next < steps.length && steps[next]!.day <= to; next++) people += steps[next]!.step;
      return people;
    });
    return { variant, by: values, people: counts };
  });
}

/**
 * SQL of the stretches in which people are active, by the variants of WINDOWED, from rows of `active` (kind, person, day and what
 * they are grouped by): each active day covers the days up to the end of its window or to the next active day.
 */
export const covers = (group: string): string => `
  select ${group}case days when 1 then kind else kind || '_' || days end as variant, person, day as since, least(day + days, lead(day) over (partition by ${group}kind, days, person order by day)) as until
    from active cross join unnest(array[${WINDOWS.join(', ')}]) as days`;

/** SQL that tells each row `d` of person_day what kinds of activity it is: joined to it, `kind`. */
export const KIND_ROWS = `cross join lateral (values ${Object.entries(KINDS).map(([kind, condition]) => `('${kind}', ${condition})`).join(', ')}) k(kind, so)`;

/** From the first day that the longest window of the first period looks at to the last day that is asked for. */
export const lookedAt = ({ periods }: Pick<Asking, 'periods'>): { from: number; to: number } => ({ from: periods[0]!.from - Math.max(...WINDOWS) + 1, to: periods.at(-1)!.to });

/**
 * SQL of who is enabled when, within the days that are asked for: `person, team, role, span`. Leave is cut out of the periods
 * in which somebody is enabled; with `leave`, what is cut out is given instead.
 */
export function enabledSpans({ subject, periods }: Asking, values: unknown[], leave = false): string {
  const within = `daterange($${values.push(dayText(periods[0]!.from))}::date, $${values.push(dayText(periods.at(-1)!.to))}::date, '[]')`;
  const deployment = `$${values.push(subject.deployment)}`;
  return `
    select r.person, r.team, r.role, unnest(datemultirange(daterange(r.from_day, r.to_day, '[]') * ${within}) ${leave ? '*' : '-'} coalesce(l.days, '{}')) as span
      from roster r
      left join (select person, range_agg(daterange(from_day, to_day, '[]')) as days from roster where deployment = ${deployment} and on_leave group by person) l using (person)
     where r.deployment = ${deployment} and not r.on_leave and daterange(r.from_day, r.to_day, '[]') && ${within}`;
}

/** Whether the deployment has a roster: without one, nobody can be said to be enabled. */
export async function hasRoster({ query, subject }: Asking): Promise<boolean> {
  const [row] = await query<{ there: boolean }>('select exists (select from roster where deployment = $1) as there', [subject.deployment]);
  return row?.there === true;
}
