/**
 * In which team and role people are on a day, by the roster as it stands.
 *
 * What arrives: people's periods on the roster. What leaves: where they are on a day, and people grouped by where they were on a day of
 * their own. Next are the metrics that count people. Rows of person-days by dimensions of results join the roster themselves (cut.ts).
 */
import { type Dimension } from '@foothold/contract';
import { type Rostered } from './held.js';

/** Undefined: they are not on the roster on that day. */
export const periodOn = (periods: readonly Rostered[] | undefined, day: number): Rostered | undefined => periods?.find(({ from, to }) => from <= day && day <= to);

/** The values of those of the dimensions that the roster tells; null where there is none. */
export const placeOf = (period: Rostered | undefined, by: readonly Dimension[]): (string | null)[] =>
  by.filter((dimension) => dimension === 'team' || dimension === 'role').map((dimension) => period?.[dimension] || null);

/** In the order of their names, those without one first; all of them in one, be there nobody, where nothing tells them apart. */
export function grouped<Person>(people: readonly Person[], by: readonly Dimension[], periodOf: (person: Person) => Rostered | undefined): [(string | null)[], Person[]][] {
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
