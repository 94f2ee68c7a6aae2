/**
 * Days laid together until enough people are behind them: the finest parts of time in which a population is told of.
 *
 * What arrives: a population, a range, and the last day that is over. What leaves: weeks, several together where one holds too
 * few people, and in each of them its days, likewise. Every answer without dimensions is of whole parts, so whatever is
 * subtracted from whatever, enough people are left, or nobody.
 *
 * It is decided as time goes by, never looking ahead, since what has been told cannot be taken back. A week that is over and
 * holds too few waits for the next. A day that holds too few is told with those after it; at the end of a week with those
 * before it, which is why the last part of a week that is not over waits, until another is behind it or the week is over.
 */
import { mondayOf } from '../local-day.js';
import { type Knowing, type Population } from './behind.js';
import { type Period } from './metric.js';

/** Whole ISO weeks, one or more, with the parts of their days. */
export interface Weeks extends Period {
  /** In order and without gaps. While the weeks are not `closed`: those that may be told already. */
  parts: Period[];
  /** They are over, and hold enough people or nobody. */
  closed: boolean;
  empty: boolean;
}

const WEEK = 7;
/** Weeks that are looked at in one go, at first. */
const CHUNK = 4;

/**
 * The weeks that share a day with a range.
 * @param first the first day on which anything is counted
 * @param over the last day that is over
 */
export async function weeksOf(asking: Knowing, population: Population, range: Period, first: number, over: number, enough: number): Promise<Weeks[]> {
  const people = new Map<number, Set<string>>();
  const look = async (days: Period) => {
    const to = Math.min(days.to, over);
    if (days.from <= to) for (const [day, some] of await population.on(asking, { from: days.from, to }, enough)) people.set(day, some);
  };
  const begin = await lookBack(range, first, look, (monday) => within(people, { from: monday, to: monday + WEEK - 1 }).size >= enough);
  let until = mondayOf(range.to) + WEEK - 1;
  await look({ from: begin, to: until });
  for (let chunk = CHUNK; ; chunk *= 2) {
    const weeks = laidTogether(people, begin, Math.min(until, over), over, enough);
    const last = weeks.at(-1);
    if (until >= over || !last || last.closed) return weeks.filter(({ from, to }) => to >= range.from && from <= range.to);
    await look({ from: until + 1, to: until + chunk * WEEK }); // what waits at the end of the range may have been told together with later weeks
    until += chunk * WEEK;
  }
}

/** The Monday after the last week before the range that holds enough by itself: there a part of time ends, whatever came before. */
async function lookBack(range: Period, first: number, look: (days: Period) => Promise<void>, isEnough: (monday: number) => boolean): Promise<number> {
  let monday = mondayOf(range.from);
  for (let chunk = CHUNK; monday > mondayOf(first); chunk *= 2) {
    const back = monday - chunk * WEEK;
    await look({ from: back, to: monday - 1 });
    for (; monday > back; monday -= WEEK) if (isEnough(monday - WEEK)) return monday;
  }
  return monday;
}

function laidTogether(people: ReadonlyMap<number, Set<string>>, begin: number, until: number, over: number, enough: number): Weeks[] {
  const weeks: Weeks[] = [];
  for (let from = begin; from <= until; ) {
    let to = from + WEEK - 1;
    const held = (): number => within(people, { from, to }).size;
    let size = held();
    while (to <= over && size > 0 && size < enough && to < until) {
      to += WEEK;
      size = held();
    }
    const closed = to <= over && (size === 0 || size >= enough);
    weeks.push({ from, to, closed, empty: size === 0, parts: partsOf(people, { from, to: Math.min(to, over) }, closed, enough) });
    from = to + 1;
  }
  return weeks;
}

function partsOf(people: ReadonlyMap<number, Set<string>>, { from, to }: Period, closed: boolean, enough: number): Period[] {
  const parts: (Period & { size: number })[] = [];
  let begin = from;
  for (let day = from; day <= to; day++) {
    const { size } = within(people, { from: begin, to: day });
    if (size > 0 && size < enough) continue;
    parts.push({ from: begin, to: day, size });
    begin = day + 1;
  }
  const last = parts.findLastIndex(({ size }) => size > 0);
  if (!closed) parts.splice(Math.max(last, 0)); // it may have to take in what comes after it
  else if (begin <= to) parts.splice(Math.max(last, 0), Infinity, { from: parts[last]?.from ?? from, to, size: enough });
  return parts.map(({ from: begins, to: ends }) => ({ from: begins, to: ends }));
}

function within(people: ReadonlyMap<number, Set<string>>, { from, to }: Period): Set<string> {
  const all = new Set<string>();
  for (let day = from; day <= to; day++) for (const person of people.get(day) ?? []) all.add(person);
  return all;
}
