/** Whether people who began are still there weeks later. */
import { workingDays } from '../calendar.js';
import { dayNumber, mondayOf } from '../local-day.js';
import { firstEnabled, hasRoster } from './as-of.js';
import { beginning, type Population } from './behind.js';
import { type Rostered } from './held.js';
import { LEAST_PEOPLE, type Asking, type Figure, type Metric, type Subject } from './metric.js';
import { shareOfPeople, UNKNOWN } from './ratio.js';
import { firstUse, lastWeekOver, personWeeks } from './weeks.js';

/** Half a year: the week that is told, and up to which the curve goes. */
const TOLD = 26;
/** Weeks of a bracket. */
const BRACKET = 4;
const STARTS = { enabled: 'since they were first enabled, or since the handoff if that was later', used: 'since they first used it' };
const KINDS = {
  bracket: 'active in one of the last four weeks that were not closed', week: 'active in that very week', unbounded: 'active in it or in any later one: falls for recent people, so never a headline',
};
type Start = keyof typeof STARTS;
const BEGIN: Record<Start, Population> = { enabled: beginning('enabled', (asking) => enabledSince(asking)), used: beginning('used', firstUse) };
type Kind = keyof typeof KINDS;

export const retention: Metric = {
  declaration: {
    id: 'adoption.retention',
    question: 'Are people who began still there half a year later?',
    formula: `people who began in the range and were active in the weeks around week ${TOLD} since then / people who began in the range, for whom that week is over and who are still on the roster in it`,
    unit: 'ratio',
    variants: Object.fromEntries(Object.entries(STARTS).flatMap(([start, since]) => Object.entries(KINDS).map(([kind, says]) => [`${start}_${kind}`, `${since}: ${says}`]))),
    grains: ['all'],
    dimensions: ['team', 'role', 'week'],
    minimum: LEAST_PEOPLE,
    watchOut: 'Week 26 after a start in January is July: weeks in which everything is closed are left out, and the bracket reaches back further. Who began too recently is left out, and the notes say how many. By week, each week has its own people. Team and role are those of the day on which a person began.',
    version: 1,
  },
  behind: Object.fromEntries(Object.entries(BEGIN).flatMap(([start, people]) => Object.keys(KINDS).map((kind) => [`${start}_${kind}`, people]))),
  async figures(asking) {
    const { by, periods, notes, subject } = asking;
    const weeks = by.includes('week') ? Array.from({ length: TOLD + 1 }, (_, week) => week) : [TOLD];
    const works = await workingDays(subject.registration.country, subject.closures);
    const open = (monday: number) => [0, 1, 2, 3, 4, 5, 6].some((day) => works(monday + day));
    const last = lastWeekOver(subject);
    const rostered = await hasRoster(asking);
    const figures: Figure[] = [];
    const people = await asking.held.once('retention', () => peopleOf(asking));
    for (const [period, { from, to }] of periods.entries()) for (const start of Object.keys(STARTS) as Start[]) {
      const cohort = people.filter((person) => person[start] !== null && from <= person[start] && person[start] <= to);
      const tooRecent = cohort.filter((person) => last === null || mondayOf(person[start]!) + 7 * TOLD > last).length;
      if (tooRecent > 0) notes.push(`${start}: week ${TOLD} is not over for ${tooRecent} of the ${cohort.length} people who began in the range`);
      for (const [group, members] of grouped(cohort, (person) => by.filter((dimension) => dimension !== 'week').map((dimension) => teamOf(person, person[start]!)?.[dimension as 'team' | 'role'] || null))) {
        for (const week of weeks) {
          const counted = members.map((person) => ({ person, monday: mondayOf(person[start]!) + 7 * week })).filter(({ person, monday }) => last !== null && monday <= last && (!rostered || teamOf(person, monday + 6) !== undefined));
          if (by.length > 0 && counted.length === 0) continue;
          const values = [...group];
          if (by.includes('week')) values.splice(by.indexOf('week'), 0, String(week));
          for (const kind of Object.keys(KINDS) as Kind[]) {
            const kept = counted.filter(({ person, monday }) => isThere(kind, person.active, monday, mondayOf(person[start]!), open)).length;
            figures.push({ period, by: values, variant: `${start}_${kind}`, ...(start === 'enabled' && !rostered ? { ...UNKNOWN, denominator: null, people: 0 } : shareOfPeople(kept, counted.length)) });
          }
        }
      }
    }
    return figures;
  },
};

/** @param began the Monday of the week in which they began, before which no bracket reaches */
function isThere(kind: Kind, active: ReadonlySet<number>, monday: number, began: number, open: (monday: number) => boolean): boolean {
  if (kind === 'week') return active.has(monday);
  if (kind === 'unbounded') return [...active].some((week) => week >= monday);
  let looked = 0;
  for (let week = monday; week >= began && looked < BRACKET; week -= 7) {
    if (!open(week)) continue;
    if (active.has(week)) return true;
    looked++;
  }
  return false;
}

interface Person {
  /** Days on which they began; null: they did not. */
  enabled: number | null;
  used: number | null;
  /** Mondays of weeks that are over. */
  active: ReadonlySet<number>;
  /** Of the roster. */
  periods: readonly Rostered[];
}

/** The handoff's day, before which nobody counts as enabled. */
const handoffOf = ({ registration: { handoff } }: Subject): number => (handoff === null ? -Infinity : dayNumber(handoff)!);

/** The day on which people were first enabled, since the handoff. */
const enabledSince = async (asking: Pick<Asking, 'held' | 'subject'>): Promise<[string, number][]> => [...(await firstEnabled(asking))].map(([person, day]) => [person, Math.max(day, handoffOf(asking.subject))]);

const teamOf = ({ periods }: Person, day: number): Rostered | undefined => periods.find(({ from, to }) => from <= day && day <= to);

async function peopleOf(asking: Asking): Promise<Person[]> {
  const [weeks, used, enabled] = [await personWeeks(asking), await firstUse(asking), new Map(await enabledSince(asking))];
  const { enabled: periods } = await asking.held.roster();
  return [...new Set([...used.keys(), ...enabled.keys()])].map((person) => ({
    enabled: enabled.get(person) ?? null, used: used.get(person) ?? null, active: new Set(weeks.get(person)?.active), periods: periods.get(person) ?? [],
  }));
}

/** In the order of their names, those without one first; all of them in one, be there nobody, where nothing tells them apart. */
function grouped(people: Person[], groupOf: (person: Person) => (string | null)[]): [(string | null)[], Person[]][] {
  const found = new Map<string, Person[]>();
  for (const person of people) {
    const label = JSON.stringify(groupOf(person));
    const known = found.get(label);
    if (known) known.push(person);
    else found.set(label, [person]);
  }
  if (found.size === 0) found.set(JSON.stringify([]), []);
  return [...found].map(([label, members]): [(string | null)[], Person[]] => [JSON.parse(label) as (string | null)[], members]).sort(([one], [other]) => (one.map((value) => value ?? '').join('\u0001') < other.map((value) => value ?? '').join('\u0001') ? -1 : 1));
}
