/**
 * People's weeks: in which they were active, and in which they could have been.
 *
 * What arrives: a question. What leaves: for each person, the weeks in which they were active and those in which they were
 * exposed, as far as these are over. Next are the metrics that look back over months: habit, reach, survival.
 *
 * A person is exposed in a week in which they completed a task that the AI could be used for. Where the host reports no tasks,
 * in a week with a working day on which they are enabled; without a roster either, in none. Which of the two is decided once,
 * when the baseline closes, ten weeks in: a deployment that counted any task by then counts tasks for good, so that work that
 * moves away shows.
 */
import { workingDays } from '../calendar.js';
import { dayNumber, dayText, mondayOf, timeZone } from '../local-day.js';
import { enabledSpans, firstDays } from './as-of.js';
import { type Asking, type Subject } from './metric.js';

/** Days of the baseline. */
const BASELINE = 70;

/** Weeks are named by their Monday, in days since 1970, ascending; all are over. */
export interface PersonWeeks {
  active: number[];
  exposed: number[];
}

/** The Monday of the last week all of which is complete; null: of none. */
export function lastWeekOver({ registration, completeThrough }: Subject): number | null {
  return completeThrough === null ? null : mondayOf(timeZone(registration.timeZone).dayOf(completeThrough)) - 7;
}

/** People with any week that counts, by their number. */
export async function personWeeks(asking: Asking): Promise<Map<string, PersonWeeks>> {
  const { query, subject } = asking;
  const people = new Map<string, PersonWeeks>();
  const last = lastWeekOver(subject);
  if (last === null) return people;
  const of = (person: string) => {
    let weeks = people.get(person);
    if (!weeks) people.set(person, (weeks = { active: [], exposed: [] }));
    return weeks;
  };
  const kinds = subject.registration.taskKinds;
  const countsTasks = await query<{ so: boolean }>(
    `select exists (select from person_week where deployment = $1 and tasks > 0 and ($2::text[] is null or task_kind = any($2)) and week < $3::date) as so`,
    [subject.deployment, kinds, dayText((await firstWeek(asking)) + BASELINE)]);
  const rows = await query<{ person: string; week: number; active: boolean; tasks: boolean }>(
    `select person::text, (week - '1970-01-01'::date)::int as week, sum(active) > 0 as active, coalesce(sum(tasks) filter (where $2::text[] is null or task_kind = any($2)) > 0, false) as tasks
       from person_week where deployment = $1 and week <= $3::date group by person, week order by week`, [subject.deployment, kinds, dayText(last)]);
  for (const { person, week, active, tasks } of rows) {
    if (active) of(person).active.push(week);
    if (countsTasks[0]!.so && tasks) of(person).exposed.push(week);
  }
  if (!countsTasks[0]!.so) for (const [person, weeks] of await rosteredWeeks(asking, last)) of(person).exposed = weeks;
  return people;
}

/** By person, the day on which they first decided on a result. */
export async function firstUse({ query, subject }: Asking): Promise<Map<string, number>> {
  const rows = await query<{ person: string; day: number }>(
    `select person::text, "any" - '1970-01-01'::date as day from (${firstDays('$1')}) f`, [subject.deployment]);
  return new Map(rows.map(({ person, day }) => [person, day]));
}

/** The Monday of the handoff's week; before a handoff, of the first on which anything was counted. */
async function firstWeek({ query, subject }: Asking): Promise<number> {
  const { handoff } = subject.registration;
  if (handoff !== null) return mondayOf(dayNumber(handoff)!);
  const [row] = await query<{ first: number | null }>(`select (min(day) - '1970-01-01'::date)::int as first from person_day_sum where deployment = $1`, [subject.deployment]);
  return mondayOf(row?.first ?? 0);
}

/** By person, the weeks up to the last in which there is a working day on which they are enabled. */
async function rosteredWeeks(asking: Asking, last: number): Promise<Map<string, number[]>> {
  const { query, subject } = asking;
  const [row] = await query<{ first: number | null }>(`select (min(from_day) - '1970-01-01'::date)::int as first from roster where deployment = $1`, [subject.deployment]);
  const people = new Map<string, number[]>();
  if (row?.first == null || row.first > last + 6) return people;
  const values: unknown[] = [];
  const spans = await query<{ person: string; since: number; until: number }>(
    `select person::text, (lower(span) - '1970-01-01'::date)::int as since, (upper(span) - '1970-01-01'::date)::int as until
       from (${enabledSpans({ ...asking, periods: [{ from: row.first, to: last + 6 }] }, values)}) s order by lower(span)`, values);
  const works = await workingDays(subject.registration.country, subject.closures);
  for (const { person, since, until } of spans) {
    const weeks = people.get(person) ?? [];
    for (let day = since; day < until; day++) {
      const week = mondayOf(day);
      if (weeks.at(-1) === week || !works(day)) continue;
      weeks.push(week);
      day = week + 6;
    }
    people.set(person, weeks);
  }
  return people;
}

/** Who is enabled on the last day of each period, with team and role; by period. */
export async function enabledAtEnds(asking: Asking): Promise<{ person: string; team: string; role: string }[][]> {
  const { query, subject, periods } = asking;
  const rows = await query<{ period: number; person: string; team: string; role: string }>(
    `select (a.period - 1)::int as period, r.person::text, r.team, r.role
       from unnest($2::date[]) with ordinality a(day, period)
       join roster r on r.deployment = $1 and not r.on_leave and r.from_day <= a.day and (r.to_day is null or a.day <= r.to_day)
      where not exists (select from roster l where l.deployment = $1 and l.person = r.person and l.on_leave and l.from_day <= a.day and (l.to_day is null or a.day <= l.to_day))
      order by 1, 2`,
    [subject.deployment, periods.map(({ to }) => dayText(to))]);
  const enabled: { person: string; team: string; role: string }[][] = periods.map(() => []);
  for (const { period, ...one } of rows) enabled[period]!.push(one);
  return enabled;
}
