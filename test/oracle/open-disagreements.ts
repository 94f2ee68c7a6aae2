/**
 * What the agreement test leaves out because the product and the oracle are known to differ there, as narrowly as can be
 * said. Each has its smallest history in open-disagreements.int.spec.ts, which fails once they agree: then it goes.
 */
import { dayNumber, mondayOf } from './days.js';
import { type Period, type World } from './facts.js';
import { type Row } from './both-sides.js';
import { type Question } from './oracle.js';

/**
 * Whether a question is asked at all: somebody without a team who is off the roster on other days of the range counts as
 * two people, and abandonment then fails.
 */
export function isAsked({ roster }: World, { metric, by }: Question): boolean {
  const cut = (['team', 'role'] as const).filter((name) => by.includes(name));
  return !(COUNTS_RESULTS.test(metric) && cut.some((name) => periodsOf(roster).some((period) => !period.leave && period[name] === '')));
}

/** Rows and people of rows that are compared. */
export function settled<R extends Row>(world: World, question: Question, rows: readonly R[]): R[] {
  const kept = rows.filter((row) => !OPEN.some((leavesOut) => leavesOut(world, question, row)));
  // Of whom decisions are where a roster says who is enabled: of them only, or of everybody counted?
  return question.metric === 'adoption.decomposition' && world.roster !== null ? kept.map((row) => ({ ...row, people: 0 })) : kept;
}

const OPEN: ((world: World, question: Question, row: Row) => boolean)[] = [
  // A day on which somebody decided for themselves and for others counts as several days.
  ({ invocations, activities }, { metric }) => metric === 'adoption.stickiness' && invocations.some(({ decision }) => decision?.actor != null && activities.length > 0),
  ({ isWorkingDay }, { metric }, { variant, to }) => metric === 'adoption.stickiness' && variant === 'working_days' && !last28(to).some(isWorkingDay),
  // Who was first active in a week that is not over or does not end by then: never active, or lapsed?
  ({ activities, lastWhole }, { metric }, { variant, to }) =>
    metric === 'adoption.habit' && ['lapsed', 'never'].includes(variant) && activities.some(({ day }) => day <= dayNumber(to) && mondayOf(day) + 6 > Math.min(dayNumber(to), lastWhole ?? -Infinity)),
  // By a dimension, growth has rows of nobody.
  (_, { metric, by }, { numerator, denominator, people }) => metric === 'adoption.growth' && by.length > 0 && numerator === 0 && (people === 0 || denominator === 0),
  // Without a roster: nothing is known, or nobody is counted?
  ({ roster }, { metric }, { variant }) => roster === null && (metric === 'adoption.reach' || (metric === 'adoption.retention' && variant.startsWith('enabled_'))),
];

const COUNTS_RESULTS = /^(trust\.|adoption\.(coverage|initiative))/;
const periodsOf = (roster: World['roster']): Period[] => [...(roster?.values() ?? [])].flat();
const last28 = (to: string): number[] => Array.from({ length: 28 }, (_, i) => dayNumber(to) - i);
