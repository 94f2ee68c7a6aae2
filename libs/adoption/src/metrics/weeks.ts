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
import { firstDays, firstEnabled, spansOf, type EnabledSpan } from './as-of.js';
import { bitsOf } from './held.js';
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
export const personWeeks = (asking: Asking): Promise<Map<string, PersonWeeks>> => asking.held.once('weeks', () => weeksOf(asking));

async function weeksOf(asking: Asking): Promise<Map<string, PersonWeeks>> {
  const { query, subject, held } = asking;
  const people = new Map<string, PersonWeeks>();
  const last = lastWeekOver(subject);
  if (last === null) return people;
  const of = (person: string) => {
    let weeks = people.get(person);
    if (!weeks) people.set(person, (weeks = { active: [], exposed: [] }));
    return weeks;
  };
  const kinds = subject.registration.taskKinds;
  const [{ so: countsTasks }] = await query<{ so: boolean }>(
    `select exists (select from person_week where deployment = $1 and tasks > 0 and ($2::text[] is null or task_kind = any($2)) and week < $3::date) as so`,
    [subject.deployment, kinds, dayText(firstWeek(asking) + BASELINE)]) as [{ so: boolean }];
  if (kinds !== null && countsTasks) await ofKinds(asking, kinds, last, of);
  else {
    const [active, tasks] = [bitsOf('active'), bitsOf('tasks')];
    const byPlace: PersonWeeks[] = [];
    for (const { day, columns: [there, did] } of await held.allDays()) {
      const week = mondayOf(day);
      if (week > last) break;
      for (let i = 0; i < there!.length; i++) {
        const bits = did![i]!;
        if (!(bits & (active | tasks))) continue;
        const own = (byPlace[there![i]!] ??= of(held.people[there![i]!]!));
        if (bits & active && own.active.at(-1) !== week) own.active.push(week);
        if (countsTasks && bits & tasks && own.exposed.at(-1) !== week) own.exposed.push(week);
      }
    }
  }
  if (!countsTasks) for (const [person, weeks] of await rosteredWeeks(asking, last)) of(person).exposed = weeks;
  return people;
}

/** Only tasks of these kinds count. Weeks come as bits of whole numbers: a row a week would take longer to read than to count. */
async function ofKinds({ query, subject }: Asking, kinds: readonly string[], last: number, of: (person: string) => PersonWeeks): Promise<void> {
  const marked = (condition: string) => `bit_or(case when ${condition} then 1 << nth else 0 end)`;
  const rows = await query<{ person: string; block: number; active: number; tasks: number }>(
    `select person::text, block, ${marked('active > 0')} as active, ${marked('tasks > 0')} as tasks
       from (select person, ${numbered('week')} / ${BLOCK} as block, ${numbered('week')} % ${BLOCK} as nth, active, case when task_kind = any($3::text[]) then tasks else 0 end as tasks
               from person_week where deployment = $1 and week <= $2::date) w where active + tasks > 0 group by person, block order by block`,
    [subject.deployment, dayText(last), kinds]);
  for (const { person, block, active, tasks } of rows) {
    const weeks = of(person);
    marks(active, block, weeks.active);
    marks(tasks, block, weeks.exposed);
  }
}

/** Weeks that one whole number has bits for. */
const BLOCK = 30;
/** The Monday from which weeks are numbered: the first of January of the year 1, before which Postgres has no plain date. */
const EPOCH = -719_162;
const numbered = (day: string) => `(${day} - '1970-01-01'::date - ${EPOCH}) / 7`;
/** Adds the Mondays that are marked in a block. */
function marks(bits: number, block: number, mondays: number[]): void {
  for (let nth = 0; nth < BLOCK; nth++) if ((bits >> nth) & 1) mondays.push(EPOCH + 7 * (BLOCK * block + nth));
}

/** By person, the day on which they first decided on a result. */
export async function firstUse(asking: Pick<Asking, 'held'>): Promise<Map<string, number>> {
  return new Map([...(await firstDays(asking))].map(([person, { any }]) => [person, any]));
}

/** The Monday of the handoff's week; before a handoff, of the first on which anything was counted. */
function firstWeek({ held, subject }: Asking): number {
  const { handoff } = subject.registration;
  return mondayOf(handoff === null ? (held.extent?.from ?? 0) : dayNumber(handoff)!);
}

/** By person, the weeks up to the last in which there is a working day on which they are enabled. */
async function rosteredWeeks(asking: Asking, last: number): Promise<Map<string, number[]>> {
  const { subject } = asking;
  const people = new Map<string, number[]>();
  const first = Math.min(...(await firstEnabled(asking)).values());
  if (first > last + 6) return people;
  const spans = await spansOf({ ...asking, periods: [{ from: first, to: last + 6 }] });
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
