/**
 * How much a person uses the AI in a week, and what becomes of a result in it: the only place that says how adoption rises
 * and decays. Weeks are counted from the first of the simulation.
 */
import { HANDOFF_WEEK, type Person } from './people.js';

/** The models and releases, each from a week on. */
const RELEASES = [
  { from: 0, model: 'nordlys-2.1', release: '2026.1' },
  { from: 22, model: 'nordlys-2.2', release: '2026.2' },
] as const;

export function releaseIn(week: number): { model: string; release: string } {
  const { model, release } = RELEASES.findLast(({ from }) => from <= week)!;
  return { model, release };
}

const WEEKS_TO_GET_USED = 10;
const HALF_LIFE_WEEKS = 9;
const REFRESHED_WEEKS = 6;
/** Coordinators must ask about every referral from this week on. */
const MANDATED_FROM = HANDOFF_WEEK + 4;

export const mustAsk = ({ role }: Person, week: number): boolean => role === 'coordinator' && week >= MANDATED_FROM;

/** 1 until a team's use decays, then a half for every half-life. */
function vigour({ team }: Person, week: number): number {
  return team.decaysFrom === undefined || week < team.decaysFrom ? 1 : 0.5 ** ((week - team.decaysFrom) / HALF_LIFE_WEEKS);
}

/** The chance that a task is done with the AI. */
export function propensity(person: Person, week: number): number {
  if (mustAsk(person, week)) return 0.97;
  const since = week - person.team.enabledIn - person.hesitates;
  if (since < 0 || week >= person.leavesIn) return 0;
  const used = Math.min(1, 0.4 + (0.6 * since) / WEEKS_TO_GET_USED);
  const { refreshedIn } = person.team;
  const lift = refreshedIn !== undefined && week >= refreshedIn && week < refreshedIn + REFRESHED_WEEKS ? 1.15 : 1;
  return Math.min(0.97, person.affinity * used * lift * vigour(person, week));
}

export interface Fates {
  accepted: number;
  overridden: number;
  abandoned: number;
  /** Nobody decides. */
  left: number;
}

/** What becomes of a result that is shown, as weights. A mandate makes people agree; trust that goes shows in all of them. */
export function fates(person: Person, week: number): Fates {
  if (mustAsk(person, week)) return { accepted: 0.92, overridden: 0.04, abandoned: 0.01, left: 0.03 };
  const lost = 1 - vigour(person, week);
  const gained = week >= RELEASES[1].from ? 0.03 : 0;
  const accepted = 0.64 + person.trust + gained - 0.14 * lost;
  return { accepted, overridden: 0.21 - gained - person.trust / 2 + 0.06 * lost, abandoned: 0.08 + 0.05 * lost, left: 0.07 + 0.03 * lost };
}

export const REASONS = ['missing-context', 'wrong-priority', 'outdated-guideline', 'wrong-tone', 'incomplete'] as const;

/** Why results are overridden, as weights: in the team that turns away, ever more for want of context. */
export function reasons(person: Person, week: number): Record<(typeof REASONS)[number], number> {
  const letters = person.team.taskKind === 'discharge-letter';
  return {
    'missing-context': 20 + 60 * (1 - vigour(person, week)),
    'wrong-priority': letters ? 0 : 30,
    'outdated-guideline': 12,
    'wrong-tone': letters ? 26 : 3,
    incomplete: 18,
  };
}
