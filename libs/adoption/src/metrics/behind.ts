/**
 * Who stands behind a figure: the people a population holds on a day, so that days can be told together until they hold enough.
 *
 * What arrives: a population and a stretch of days. What leaves: for each day, people of it, all of them or as many as must be
 * told apart. Next is days.ts, which lays days together.
 */
import { USAGE_SHARDS } from '@foothold/event-log';
import { dayText } from '../local-day.js';
import { type Asking, type Period, type Subject } from './metric.js';

/** The people who make the denominator of a variant greater, day by day. */
export interface Population {
  /** The same for the same people. */
  id: string;
  /** SQL on a row `d` of person_day: whether it is of them; adds its values. Null: they do not lie in such rows. */
  rows: ((subject: Subject, values: unknown[]) => string) | null;
  /** Not in such rows, but all of those of a day are counted, in the team and role in which they are on it. */
  placed?: true;
  /** By day on which there is anybody, people: at least `enough` different ones where there are as many, else all of them. */
  on(asking: Pick<Asking, 'query' | 'subject'>, days: Period, enough: number): Promise<Map<number, Set<string>>>;
}

/** @param condition on a row `d` of person_day_sum: of whom something is counted that it names */
export const counted = (condition: string): Population => ({
  id: condition,
  rows: () => condition,
  // A person has at most one row a day and shard.
  on: ({ query, subject }, days, enough) => gathered(query, `select d.person from person_day_sum d where d.deployment = $1 and d.day = a.day and ${condition} limit ${USAGE_SHARDS * enough}`, [subject.deployment], days),
});

/** Of whom a completed task is counted that the AI could be used for. */
export const withTasks: Population = {
  id: 'eligible tasks',
  rows: ({ registration: { taskKinds } }, values) => `d.tasks > 0${taskKinds ? ` and d.task_kind = any($${values.push(taskKinds)})` : ''}`,
  on(asking, days, enough) {
    const { query, subject } = asking;
    if (!subject.registration.taskKinds) return counted('d.tasks > 0').on(asking, days, enough);
    const values: unknown[] = [subject.deployment];
    return gathered(query, `select distinct d.person from person_day d where d.deployment = $1 and d.day = a.day and ${this.rows!(subject, values)} limit ${enough}`, values, days);
  },
};

/** Those for whom something begins on a day: it does so once. All of them are there, however few would be enough. */
export const beginning = (id: string, days: (asking: Pick<Asking, 'query' | 'subject'>) => Promise<Iterable<[person: string, day: number]>>): Population => ({
  id,
  rows: null,
  async on(asking, { from, to }) {
    const found = new Map<number, Set<string>>();
    for (const [person, day] of await days(asking)) if (from <= day && day <= to) found.set(day, (found.get(day) ?? new Set()).add(person));
    return found;
  },
});

async function gathered(query: Asking['query'], people: string, values: unknown[], { from, to }: Period): Promise<Map<number, Set<string>>> {
  const rows = await query<{ day: number; people: string[] }>(
    `select (a.day - '1970-01-01'::date)::int as day, array(${people})::text[] as people
       from (select day::date from generate_series($${values.push(dayText(from))}::date::timestamp, $${values.push(dayText(to))}::date::timestamp, interval '1 day') day) a`,
    values,
  );
  return new Map(rows.filter(({ people: some }) => some.length > 0).map(({ day, people: some }) => [day, new Set(some)]));
}
