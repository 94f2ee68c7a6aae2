/**
 * Who works in the simulated organisation: teams, roles, working weeks, leave and illness, and how each person takes to
 * the AI. What arrives: a plan. What leaves: people, each under a code. Next is `usage.ts`, which says how much of their
 * work they do with it.
 */
import { dayOf, isHoliday, isWeekend, textOf, weekdayOf } from './calendar.js';
import { Chance } from './chance.js';

export type TaskKind = 'referral-triage' | 'discharge-letter';

export interface Team {
  id: string;
  taskKind: TaskKind;
  /** Of twenty people of the organisation, how many are in it. */
  share: number;
  /** The week in which it is given the AI and trained. */
  enabledIn: number;
  /** The week from which its use decays, week by week. */
  decaysFrom?: number;
  /** A session with a champion later on, which lifts use for some weeks. */
  refreshedIn?: number;
}

/** The pilot lasts from the first week to the handoff. */
export const HANDOFF_WEEK = 6;

/** The last is alone with its kind of work and its surface: what happens to it is seen where figures are cut by either. */
export const TEAMS: readonly Team[] = [
  { id: 'intake', taskKind: 'referral-triage', share: 4, enabledIn: 0 },
  { id: 'booking', taskKind: 'referral-triage', share: 3, enabledIn: HANDOFF_WEEK },
  { id: 'surgery', taskKind: 'referral-triage', share: 3, enabledIn: HANDOFF_WEEK, refreshedIn: 30 },
  { id: 'psychiatry', taskKind: 'referral-triage', share: 3, enabledIn: HANDOFF_WEEK + 1 },
  { id: 'rehabilitation', taskKind: 'referral-triage', share: 2, enabledIn: HANDOFF_WEEK + 3 },
  { id: 'medicine', taskKind: 'discharge-letter', share: 5, enabledIn: HANDOFF_WEEK, decaysFrom: 19 },
];

const ROLES = { physician: 30, nurse: 38, secretary: 32 } as const;
/** In booking, whom a rule obliges to ask the AI about every referral. */
export type Role = keyof typeof ROLES | 'coordinator';
/** Tasks of an eligible kind on a working day. */
const TASKS_A_DAY: Record<Role, number> = { physician: 1.1, nurse: 1.6, secretary: 2.9, coordinator: 1.6 };

/** How people take to it in the end: some never do. */
const ATTITUDES = { never: 12, moderate: 71, heavy: 17 } as const;
type Attitude = keyof typeof ATTITUDES;

export interface Person {
  /** A code, as the organisation's own systems know them. */
  id: string;
  team: Team;
  role: Role;
  attitude: Attitude;
  /** The share of their tasks they would do with it once they are used to it. */
  affinity: number;
  /** Weeks between their team being given it and their own first try. */
  hesitates: number;
  /** The week in which they give it up for good; none do in most cases. */
  leavesIn: number;
  /** What they add to, or take from, the chance of accepting a result. */
  trust: number;
  tasksADay: number;
  /** Weekdays off for part-timers, 0 Monday. */
  off: ReadonlySet<number>;
  /** Days on leave or ill. */
  away: ReadonlySet<number>;
}

/** The first and last day of the simulation. */
export interface Span {
  first: number;
  last: number;
}

export function hire(seed: string, count: number, span: Span): Person[] {
  const places = TEAMS.flatMap((team) => Array.from({ length: team.share }, () => team));
  return Array.from({ length: count }, (_, number) => {
    const chance = new Chance(seed, 'person', number);
    // Stepping by a number that shares no factor with twenty keeps the teams' shares in small organisations too.
    return person(`p-${String(number + 1).padStart(4, '0')}`, places[(number * 7) % places.length]!, chance, span);
  });
}

function person(id: string, team: Team, chance: Chance, span: Span): Person {
  const role: Role = team.id === 'booking' && chance.happens(0.25) ? 'coordinator' : chance.weighted(ROLES);
  const attitude = chance.weighted(ATTITUDES);
  const heavy = attitude === 'heavy';
  return {
    id,
    team,
    role,
    attitude,
    affinity: attitude === 'never' ? 0 : Math.min(0.95, Math.max(0.08, heavy ? chance.normal(0.82, 0.06) : chance.normal(0.46, 0.13))),
    hesitates: heavy ? chance.exponential(0.6) : chance.happens(0.12) ? chance.between(12, 24) : chance.exponential(3),
    leavesIn: !heavy && chance.happens(0.06) ? team.enabledIn + chance.between(10, 40) : Infinity,
    trust: chance.normal(0, 0.05),
    tasksADay: TASKS_A_DAY[role] * chance.between(0.7, 1.3),
    off: daysOff(chance),
    away: absences(chance, span),
  };
}

function daysOff(chance: Chance): Set<number> {
  const days = Number(chance.weighted({ 0: 74, 1: 15, 2: 11 }));
  return new Set(Array.from({ length: days }, () => chance.below(5)));
}

function absences(chance: Chance, { first, last }: Span): Set<number> {
  const away = new Set<number>();
  const leave = (from: number, days: number) => {
    for (let day = from; day < from + days; day++) away.add(day);
  };
  for (let year = Number(textOf(first).slice(0, 4)); year <= Number(textOf(last).slice(0, 4)); year++) {
    const mondayFrom = (date: string) => {
      const day = dayOf(`${year}-${date}`);
      return day + ((7 - weekdayOf(day)) % 7);
    };
    leave(mondayFrom('06-22') + 7 * Number(chance.weighted({ 0: 2, 1: 3, 2: 4, 3: 4, 4: 3 })), chance.happens(0.2) ? 28 : 21);
    if (chance.happens(0.15)) leave(mondayFrom('02-16'), 5);
    if (chance.happens(0.25)) leave(mondayFrom('10-01'), 5);
  }
  for (let day = first; day <= last; day++) if (isHoliday(day) && chance.happens(0.3)) leave(day - chance.below(4), 4);
  for (let day = first; day <= last; day++) {
    if (chance.happens(0.007)) leave(day, chance.happens(0.02) ? 56 : 1 + chance.below(5));
  }
  return away;
}

/** Whether they work that day: weekdays but for holidays, and now and then a duty at other times. */
export function works({ off, away }: Person, day: number, chance: Chance): boolean {
  if (away.has(day)) return false;
  if (isWeekend(day) || isHoliday(day)) return chance.happens(0.03);
  return !off.has(weekdayOf(day));
}
