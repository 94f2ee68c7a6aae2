/** What may be typed after `npm run demo --`. */
import { parseArgs } from 'node:util';
import { FEWEST_WEEKS, NINE_MONTHS, type Plan } from './organisation.js';

/** So few people that figures jump, and so many that the whole plan no longer fits into the memory of a small machine. */
const PEOPLE = { least: 20, most: 1_000 };
const WEEKS = { least: FEWEST_WEEKS, most: 53 };

export interface Flags {
  plan: Plan;
  /** Begins with an empty database. */
  fresh: boolean;
  /** Ends after the figures. */
  exit: boolean;
  /** Only how it is used is wanted. */
  help: boolean;
}

export const USAGE = `npm run demo [-- FLAGS]: simulates an organisation that uses an AI system, and shows what Foothold says of it
  --people N   how many work there, ${PEOPLE.least} to ${PEOPLE.most} (default ${NINE_MONTHS.people})
  --weeks N    how long, ${WEEKS.least} to ${WEEKS.most} weeks, the pilot's ${FEWEST_WEEKS - 1} among them (default ${NINE_MONTHS.weeks})
  --fresh      begin with an empty database
  --exit       end after the figures, instead of serving until Ctrl-C`;

/** What the flags say, or what is wrong with them. */
export function flagsOf(args: string[]): Flags | { wrong: string } {
  try {
    const { values } = parseArgs({ args, options: { people: { type: 'string' }, weeks: { type: 'string' }, fresh: { type: 'boolean' }, exit: { type: 'boolean' }, help: { type: 'boolean' } } });
    const people = numberOf('--people', values.people, NINE_MONTHS.people, PEOPLE);
    const weeks = numberOf('--weeks', values.weeks, NINE_MONTHS.weeks, WEEKS);
    return { plan: { ...NINE_MONTHS, people, weeks }, fresh: values.fresh ?? false, exit: values.exit ?? false, help: values.help ?? false };
  } catch (error) {
    return { wrong: `npm run demo: ${(error as Error).message}` };
  }
}

function numberOf(flag: string, text: string | undefined, otherwise: number, { least, most }: { least: number; most: number }): number {
  if (text === undefined) return otherwise;
  const number = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
  if (!(number >= least && number <= most)) throw new Error(`${flag}: ${JSON.stringify(text)} does not fit. Write a whole number from ${least} to ${most}`);
  return number;
}

/** Under which a plan's figures are asked for: plans are kept apart, or the figures of one would hold the people of another. */
export function deploymentOf({ people, weeks }: Plan): string {
  return people === NINE_MONTHS.people && weeks === NINE_MONTHS.weeks ? 'nordlys' : `nordlys-${people}-people-${weeks}-weeks`;
}
