/** Whether people who began are still there weeks later. */
import { workingDays } from '../calendar.js';
import { dayNumber, dayText, mondayOf } from '../local-day.js';
import { firstEnabled, hasRoster } from './as-of.js';
import { beginning, type Population } from './behind.js';
import { type Rostered } from './held.js';
import { LEAST_PEOPLE, type Asking, type Figure, type Metric, type Period, type Subject } from './metric.js';
import { shareOfPeople, UNKNOWN } from './ratio.js';
import { grouped, periodOn } from './teams.js';
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
    for (const [period, { from, to }] of periods.entries()) {
      const over: number[] = [];
      for (const start of Object.keys(STARTS) as Start[]) {
        const cohort = people.filter((person) => person[start] !== null && from <= person[start] && person[start] <= to);
        const mondays = cohort.map((person) => mondayOf(person[start]!)).filter((monday) => last !== null && monday + 7 * TOLD <= last);
        over.push(...mondays);
        const tooRecent = cohort.length - mondays.length;
        if (tooRecent > 0) notes.push(`${start}: week ${TOLD} is not over for ${tooRecent} of the ${cohort.length} people who began in the range`);
        for (const [group, members] of grouped(cohort, by, (person) => periodOn(person.periods, person[start]!))) {
          for (const week of weeks) {
            const counted = members.map((person) => ({ person, monday: mondayOf(person[start]!) + 7 * week })).filter(({ person, monday }) => last !== null && monday <= last && (!rostered || periodOn(person.periods, monday + 6) !== undefined));
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
      if (over.length > 0) notes.push(datesOf(asking, { from, to }, over, last!, open));
    }
    return figures;
  },
};

/**
 * Between which days the brackets of those who began in a range lie. In a sandbox the dates are theirs; elsewhere the range's own
 * weeks stand for them, since when the first or last of few people began is nobody's to hear.
 * @param began the Mondays of the weeks in which they did, of those for whom the week that is told is over
 */
function datesOf({ subject, periods }: Asking, { from, to }: Period, began: readonly number[], last: number, open: (monday: number) => boolean): string {
  const [first, latest] = subject.registration.sandbox ? [Math.min(...began), Math.max(...began)] : [mondayOf(from), Math.min(mondayOf(to), last - 7 * TOLD)];
  const of = (monday: number) => bracket(monday + 7 * TOLD, monday, open);
  const [begin, end] = [of(first).at(-1) ?? first + 7 * TOLD, of(latest)[0] ?? latest + 7 * TOLD];
  const weeks = `eeks ${TOLD - BRACKET + 1} to ${TOLD} of those in it lie between ${dayText(begin)} and ${dayText(end + 6)}; closed weeks are left out.`;
  return periods.length === 1 ? `W${weeks}` : `${dayText(from)} to ${dayText(to)}: w${weeks}`;
}

/** @param began the Monday of the week in which they began, before which no bracket reaches */
function isThere(kind: Kind, active: ReadonlySet<number>, monday: number, began: number, open: (monday: number) => boolean): boolean {
  if (kind === 'week') return active.has(monday);
  if (kind === 'unbounded') return [...active].some((week) => week >= monday);
  return bracket(monday, began, open).some((week) => active.has(week));
}

/** The last weeks up to one that were not closed, the latest first, none before the week in which somebody began. */
function bracket(monday: number, began: number, open: (monday: number) => boolean): number[] {
  const weeks: number[] = [];
  for (let week = monday; week >= began && weeks.length < BRACKET; week -= 7) if (open(week)) weeks.push(week);
  return weeks;
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

async function peopleOf(asking: Asking): Promise<Person[]> {
  const [weeks, used, enabled] = [await personWeeks(asking), await firstUse(asking), new Map(await enabledSince(asking))];
  const { enabled: periods } = await asking.held.roster();
  return [...new Set([...used.keys(), ...enabled.keys()])].map((person) => ({
    enabled: enabled.get(person) ?? null, used: used.get(person) ?? null, active: new Set(weeks.get(person)?.active), periods: periods.get(person) ?? [],
  }));
}
