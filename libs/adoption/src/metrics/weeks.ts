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
import { firstDays, spansOf, type EnabledSpan } from './as-of.js';
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
  const byKind = kinds !== null && countsTasks[0]!.so;
  // Weeks as bits of whole numbers: a row a week would take longer to read than to count.
  const marked = (condition: string) => `bit_or(case when ${condition} then 1 << nth else 0 end)`;
  const rows = await query<{ person: string; block: number; active: number; tasks: number }>(
    `select person::text, block, ${marked('active > 0')} as active, ${marked('tasks > 0')} as tasks
       from (${byKind ? OF_WEEKS : OF_DAYS}) w where active + tasks > 0 group by person, block order by block`,
    [subject.deployment, dayText(last), ...(byKind ? [kinds] : [])]);
  for (const { person, block, active, tasks } of rows) {
    const weeks = of(person);
    marks(active, block, weeks.active);
    if (countsTasks[0]!.so) marks(tasks, block, weeks.exposed);
  }
  if (!countsTasks[0]!.so) for (const [person, weeks] of await rosteredWeeks(asking, last)) of(person).exposed = weeks;
  return people;
}

/** Weeks that one whole number has bits for. */
const BLOCK = 30;
/** The Monday from which weeks are numbered: the first of January of the year 1, before which Postgres has no plain date. */
const EPOCH = -719_162;
const numbered = (day: string) => `(${day} - '1970-01-01'::date - ${EPOCH}) / 7`;
/** What is counted of people, in which week: its number is that of its block and its own in it. By days there is no kind of task, and fewer rows. */
const OF_DAYS = `select person, ${numbered('day')} / ${BLOCK} as block, ${numbered('day')} % ${BLOCK} as nth, active_accepted + active_overridden as active, tasks
  from person_day_sum where deployment = $1 and day < $2::date + 7`;
const OF_WEEKS = `select person, ${numbered('week')} / ${BLOCK} as block, ${numbered('week')} % ${BLOCK} as nth, active, case when task_kind = any($3::text[]) then tasks else 0 end as tasks
  from person_week where deployment = $1 and week <= $2::date`;

/** Adds the Mondays that are marked in a block. */
function marks(bits: number, block: number, mondays: number[]): void {
  for (let nth = 0; nth < BLOCK; nth++) if ((bits >> nth) & 1) mondays.push(EPOCH + 7 * (BLOCK * block + nth));
}

/** By person, the day on which they first decided on a result. */
export async function firstUse({ query, subject }: Pick<Asking, 'query' | 'subject'>): Promise<Map<string, number>> {
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
  const spans = await spansOf({ ...asking, periods: [{ from: row.first, to: last + 6 }] });
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
export async function enabledAtEnds(asking: Asking): Promise<EnabledSpan[][]> {
  const spans = await spansOf(asking);
  return asking.periods.map(({ to }) => spans.filter(({ since, until }) => since <= to && to < until));
}
