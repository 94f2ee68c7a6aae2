/**
 * The roster: who is enabled in a deployment, in which team and role, from when to when, and when on leave.
 *
 * What arrives: each person's periods, as a file (see roster-file.ts) or a request says them. What leaves: what changes by
 * them, a fact a person, and answers about a day. Next is roster-import.ts, which writes the facts and the rows of the
 * table `roster` that metrics join when a question is asked.
 *
 * A person is enabled on the days of their enabled periods, which never overlap. Periods of leave, which never overlap
 * either, lie over them: who is on leave is enabled all the same, and has no working day.
 */

/** Local days, YYYY-MM-DD, both included: text of this form is ordered as the days are. */
export interface Period {
  /** Codes; empty: none was given. */
  team: string;
  role: string;
  from: string;
  /** Null: until further notice. */
  to: string | null;
  /** Whether it is a leave; else the person is enabled in it. */
  leave: boolean;
}

/** Nobody's roster says when they end: the day no other comes after. */
const FOREVER = '9999-12-31';

const covers = ({ from, to }: Period, day: string): boolean => from <= day && day <= (to ?? FOREVER);

/** The enabled period of a person that covers a day (YYYY-MM-DD); null where they are not enabled on it. */
export function enabledOn(periods: readonly Period[], day: string): Period | null {
  return periods.find((period) => !period.leave && covers(period, day)) ?? null;
}

/** Whether a person is enabled on a day (YYYY-MM-DD), and on leave. */
export function onLeave(periods: readonly Period[], day: string): boolean {
  return enabledOn(periods, day) !== null && periods.some((period) => period.leave && covers(period, day));
}

/** A person's periods in the one order in which they are kept, so that the order of a file's lines is no change. */
export function inOrder<P extends Period>(periods: readonly P[]): P[] {
  return [...periods].sort((one, other) => Number(one.leave) - Number(other.leave) || (one.from < other.from ? -1 : one.from > other.from ? 1 : 0));
}

/** The first two periods of the same kind that share a day, of periods in order; undefined where none do. */
export function overlap<P extends Period>(periods: readonly P[]): [P, P] | undefined {
  for (let i = 1; i < periods.length; i++) {
    const [before, after] = [periods[i - 1]!, periods[i]!];
    if (before.leave === after.leave && after.from <= (before.to ?? FOREVER)) return [before, after];
  }
  return undefined;
}

/** Who (by any name of a person) has which periods, in order; nobody without any. */
export type Roster<Person> = ReadonlyMap<Person, readonly Period[]>;

/** What an import does to a roster. */
export interface RosterChange<Person> {
  /** By person, in the order of the import; no periods: the person is taken off. */
  changes: { person: Person; periods: readonly Period[] }[];
  added: number;
  changed: number;
  unchanged: number;
  removed: number;
}

/**
 * Decides an import: it says everything about the people it names, whose periods it replaces; people it does not name
 * keep theirs, or, where it is `complete`, are taken off.
 */
export function decideRoster<Person>(current: Roster<Person>, wanted: Roster<Person>, complete: boolean): RosterChange<Person> {
  const made: RosterChange<Person> = { changes: [], added: 0, changed: 0, unchanged: 0, removed: 0 };
  for (const [person, periods] of wanted) {
    const stands = current.get(person);
    if (stands && same(stands, periods)) made.unchanged++;
    else {
      made.changes.push({ person, periods });
      if (stands) made.changed++;
      else made.added++;
    }
  }
  if (complete) for (const person of current.keys()) {
    if (wanted.has(person)) continue;
    made.changes.push({ person, periods: [] });
    made.removed++;
  }
  return made;
}

/** The roster that changes, in their order, lead to: the fold of its facts. */
export function foldRoster<Person>(changes: Iterable<{ person: Person; periods: readonly Period[] }>): Map<Person, readonly Period[]> {
  const roster = new Map<Person, readonly Period[]>();
  for (const { person, periods } of changes) {
    if (periods.length > 0) roster.set(person, periods);
    else roster.delete(person);
  }
  return roster;
}

const same = (one: readonly Period[], other: readonly Period[]): boolean =>
  one.length === other.length && one.every((a, i) => {
    const b = other[i]!;
    return a.team === b.team && a.role === b.role && a.from === b.from && a.to === b.to && a.leave === b.leave;
  });
