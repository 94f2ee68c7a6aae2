/**
 * Who stands behind a figure: the people a population holds on a day, so that days can be told together until they hold enough.
 *
 * What arrives: a population and a stretch of days. What leaves: for each day, people of it, all of them or as many as must be
 * told apart. Next is days.ts, which lays days together.
 */
import { dayText } from '../local-day.js';
import { bitsOf, DID, type Did } from './held.js';
import { type Asking, type Period, type Subject } from './metric.js';

/** What a population is told by. */
export type Knowing = Pick<Asking, 'query' | 'subject' | 'held'>;

/** The people who make the denominator of a variant greater, day by day. */
export interface Population {
  /** The same for the same people. */
  id: string;
  /** SQL on a row `d` of person_day: whether it is of them; adds its values. Null: they do not lie in such rows. */
  rows: ((subject: Subject, values: unknown[]) => string) | null;
  /** Not in such rows, but all of those of a day are counted, in the team and role in which they are on it. */
  placed?: true;
  /** By day on which there is anybody, people: at least `enough` different ones where there are as many, else all of them. */
  on(asking: Knowing, days: Period, enough: number): Promise<Map<number, Set<string>>>;
}

/** Of whom one of these is counted. */
export const counted = (...did: readonly Did[]): Population => {
  const bits = bitsOf(...did);
  return ofDays(did.join(' or '), `(${did.map((one) => DID[one]).join(' or ')})`, (done) => (done & bits) !== 0);
};

/** Of whom anything is counted. */
export const anybody: Population = ofDays('anybody', 'true', () => true);

function ofDays(id: string, condition: string, isOf: (did: number) => boolean): Population {
  return {
    id,
    rows: () => condition,
    async on({ held }, days, enough) {
      const found = new Map<number, Set<string>>();
      for (const { day, columns: [people, did] } of await held.days(days)) {
        const some = new Set<string>();
        for (let i = 0; i < people!.length && some.size < enough; i++) if (isOf(did![i]!)) some.add(held.people[people![i]!]!);
        if (some.size > 0) found.set(day, some);
      }
      return found;
    },
  };
}

/** Of whom a completed task is counted that the AI could be used for. */
export const withTasks: Population = {
  id: 'eligible tasks',
  rows: ({ registration: { taskKinds } }, values) => `d.tasks > 0${taskKinds ? ` and d.task_kind = any($${values.push(taskKinds)})` : ''}`,
  on(asking, days, enough) {
    const { query, subject } = asking;
    if (!subject.registration.taskKinds) return counted('tasks').on(asking, days, enough);
    const values: unknown[] = [subject.deployment];
    return gathered(query, `select distinct d.person from person_day d where d.deployment = $1 and d.day = a.day and ${this.rows!(subject, values)} limit ${enough}`, values, days);
  },
};

/** Those for whom something begins on a day: it does so once. All of them are there, however few would be enough. */
export const beginning = (id: string, days: (asking: Knowing) => Promise<Iterable<[person: string, day: number]>>): Population => ({
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
