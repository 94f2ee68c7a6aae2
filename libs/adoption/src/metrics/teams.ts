/**
 * In which team and role people are on a day, by the roster as it stands.
 *
 * What arrives: a question. What leaves: each person's periods on the roster, and people grouped by where they were on a day of
 * their own. Next are the metrics that count people by what they began: growth, retention, survival. What counts rows of
 * person-days joins the roster itself (cut.ts).
 */
import { type Dimension } from '@foothold/contract';
import { type Asking } from './metric.js';

/** Days on the roster in one team and role; leave is not cut out of them. */
export interface OnRoster {
  from: number;
  /** Infinity while it lasts. */
  to: number;
  team: string;
  role: string;
}

/** By person, their periods in order. */
export async function rosterOf({ query, subject }: Pick<Asking, 'query' | 'subject'>): Promise<Map<string, OnRoster[]>> {
  const rows = await query<{ person: string; from: number; to: number | null; team: string; role: string }>(
    `select person::text, (from_day - '1970-01-01'::date)::int as from, (to_day - '1970-01-01'::date)::int as to, team, role from roster where deployment = $1 and not on_leave order by from_day`, [subject.deployment]);
  const people = new Map<string, OnRoster[]>();
  for (const { person, to, ...period } of rows) {
    const own = people.get(person) ?? [];
    own.push({ ...period, to: to ?? Infinity });
    people.set(person, own);
  }
  return people;
}

/** Undefined: they are not on the roster on that day. */
export const periodOn = (periods: readonly OnRoster[] | undefined, day: number): OnRoster | undefined => periods?.find(({ from, to }) => from <= day && day <= to);

/** The values of those of the dimensions that the roster tells; null where there is none. */
export const placeOf = (period: OnRoster | undefined, by: readonly Dimension[]): (string | null)[] =>
  by.filter((dimension) => dimension === 'team' || dimension === 'role').map((dimension) => period?.[dimension] || null);

/** In the order of their names, those without one first; all of them in one, be there nobody, where nothing tells them apart. */
export function grouped<Person>(people: readonly Person[], by: readonly Dimension[], periodOf: (person: Person) => OnRoster | undefined): [(string | null)[], Person[]][] {
  const found = new Map<string, [(string | null)[], Person[]]>();
  for (const person of people) {
    const place = placeOf(periodOf(person), by);
    const label = place.map((value) => value ?? '').join('\u0001');
    const known = found.get(label);
    if (known) known[1].push(person);
    else found.set(label, [place, [person]]);
  }
  if (found.size === 0) found.set('', [[], []]);
  return [...found].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, group]) => group);
}
