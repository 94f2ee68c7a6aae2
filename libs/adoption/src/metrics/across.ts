/**
 * Which cells are hidden for what other dimensions tell: where a team is all of a role but for two people, the difference of
 * both would be about these two.
 *
 * What arrives: a quarter of the grid and a population of which it is known who did what, and where. What leaves: the hidden cells
 * of every dimension, and of those pairs that are told. Next is told.ts, which shows the others of the dimension it is asked
 * for: what is decided does not depend on it.
 *
 * Things are decided in the order in which they are told: week by week, each by all dimensions, then the period by all, then
 * its pairs. Each dimension is decided by itself first (hide.ts); of what it would show, the cells of most people first, a cell
 * is hidden too if it would give something away beside what was told before it (worked-out.ts). Stage and week since the handoff
 * are the day's, and say nothing that days do not.
 */
import { type Dimension } from '@foothold/contract';
import { type Population } from './behind.js';
import { cut, groupOf, type Counted } from './cut.js';
import { hiddenInQuarter, hidePeriod, hideTable, hideWeeks, type Hidden, type Row } from './hide.js';
import { type Asking, type Period } from './metric.js';
import { periodOn, placeOf } from './teams.js';
import { Remembered, type Facts } from './worked-out.js';

/** A period of the grid: its weeks that are over, in the parts in which they are told without dimensions. */
export interface Stretch {
  weeks: readonly { parts: readonly Period[] }[];
  /** All its weeks are there. */
  closed: boolean;
}

/** What is hidden of a quarter. */
export interface Across {
  dimensions: ReadonlyMap<Dimension, Hidden>;
  /** By the other dimension of a pair with task_kind, by period: labels of both values, as they stand in a pair. */
  pairs: ReadonlyMap<Dimension, readonly ReadonlySet<string>[]>;
}

/** Of the day, and not of what was done on it. */
export const OF_DAYS: readonly Dimension[] = ['stage', 'handoff_week', 'week'];
/** Of two dimensions that are told together, one is this, or is of days. */
export const PAIRED: Dimension = 'task_kind';

/** The dimensions that are decided together: none, where it is not known who did what. */
export function together(dimensions: readonly Dimension[], population: Population): readonly Dimension[] {
  return population.rows === null && !population.placed ? [] : dimensions.filter((dimension) => !OF_DAYS.includes(dimension));
}

/** Of a large deployment it would take minutes: there each dimension is decided by itself. */
const MOST_FACTS = 4_000;

/** Decides a quarter by every dimension; null: there is too much of it. */
export async function decideAcross(asking: Asking, population: Population, dimensions: readonly Dimension[], periods: readonly Stretch[], enough: number): Promise<Across | null> {
  const facts = await factsIn(asking, population, dimensions, periods);
  if (facts.length > MOST_FACTS) return null;
  const label = JSON.stringify([enough, dimensions, periods.map(({ weeks, closed }) => [weeks.length, closed]), facts]);
  const known = decided.get(label);
  decided.delete(label);
  const found = known ?? decide(facts, dimensions, periods, enough);
  decided.set(label, found);
  for (const oldest of decided.keys()) {
    if (decided.size <= MOST_KEPT) break;
    decided.delete(oldest);
  }
  return found;
}

/** What was decided lately, by all that it follows from: most quarters are asked for again and again, and change no more. */
const decided = new Map<string, Across>();
const MOST_KEPT = 24; // the facts are kept with each

/** Facts of the same values of all dimensions, in a part of a week. */
interface Placed extends Facts {
  period: number;
  part: number;
  values: readonly (string | null)[];
}

async function factsIn(asking: Asking, population: Population, dimensions: readonly Dimension[], periods: readonly Stretch[]): Promise<Placed[]> {
  const parts = periods.flatMap(({ weeks }, period) => weeks.flatMap(({ parts: own }, week) => own.map((days, part) => ({ period, week, part, days }))));
  if (parts.length === 0) return [];
  if (population.rows === null) return placedIn(asking, population, dimensions, parts);
  const values: unknown[] = [];
  const { names, columns, from } = cut({ ...asking, by: dimensions, periods: parts.map(({ days }) => days) }, 'person_day d', values);
  const rows = await asking.query<Counted & { people: string[] }>(
    `select ${names}, array_agg(distinct person order by person)::text[] as people from (select ${columns}, d.person ${from} and ${population.rows(asking.subject, values)}) d group by ${names} order by ${names} limit ${MOST_FACTS + 1}`, values);
  return rows.map((row) => {
    const { period, week, part } = parts[Number(row['period'])]!;
    return { period, week, part, people: row.people, values: groupOf(row, dimensions) };
  });
}

/** The same of people who lie in no rows: they are where the roster has them on their day. */
async function placedIn(asking: Asking, population: Population, dimensions: readonly Dimension[], parts: readonly (Pick<Placed, 'period' | 'week' | 'part'> & { days: Period })[]): Promise<Placed[]> {
  const people = await population.on(asking, { from: parts[0]!.days.from, to: parts.at(-1)!.days.to }, Infinity);
  const { enabled } = await asking.held.roster();
  return parts.flatMap(({ days: { from, to }, ...part }) => {
    const facts = new Map<string, Placed & { people: string[] }>();
    for (let day = from; day <= to; day++) for (const person of people.get(day) ?? []) {
      const values = placeOf(periodOn(enabled.get(person), day), dimensions);
      const label = JSON.stringify(values);
      const fact = facts.get(label) ?? { ...part, values, people: [] };
      fact.people.push(person);
      facts.set(label, fact);
    }
    return [...facts].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, fact]) => fact);
  });
}

function decide(facts: readonly Placed[], dimensions: readonly Dimension[], periods: readonly Stretch[], enough: number): Across {
  const inPeriod = periods.map((_, p) => facts.filter(({ period }) => period === p));
  const inWeek = periods.map(({ weeks }, p) => weeks.map((_, w) => inPeriod[p]!.filter(({ week }) => week === w)));
  const label = (of: readonly Dimension[]) => {
    const at = of.map((dimension) => dimensions.indexOf(dimension));
    return ({ values }: Placed) => JSON.stringify(at.map((i) => values[i]));
  };
  // Weeks: each by what is told of it alone.
  const remembered = inWeek.map((weeks) => weeks.map((own) => {
    const all = new Remembered(own, enough);
    for (const part of cellsOf(own, ({ part: nth }) => String(nth)).values()) all.tell(part.places);
    return all;
  }));
  const weeks = new Map(dimensions.map((dimension) => {
    const cells = inWeek.map((all) => all.map((own) => cellsOf(own, label([dimension]))));
    const rows = cells.map((all, p) => all.map((own, w) => rowOf(inWeek[p]![w]!, own)));
    return [dimension, { cells, hidden: hideWeeks(rows, enough, (p, w, dark) => tellOrHide(remembered[p]![w]!, cells[p]![w]!, dark)) }];
  }));
  // Periods, by all that was told of their weeks.
  const hidden = new Map(dimensions.map((dimension) => [dimension, periods.map(() => new Set<string>())]));
  const pairs = new Map(dimensions.filter((dimension) => dimension !== PAIRED && dimensions.includes(PAIRED)).map((dimension) => [dimension, periods.map(() => new Set<string>())]));
  for (const [p, { closed }] of periods.entries()) {
    if (!closed) continue;
    const own = inPeriod[p]!;
    const all = new Remembered(own, enough);
    const tellAll = (cells: ReadonlyMap<string, Places>) => { for (const { places } of cells.values()) all.tell(places); };
    tellAll(cellsOf(own, ({ week, part }) => `${week} ${part}`));
    for (const [dimension, { hidden: { rows } }] of weeks) {
      const labelOf = label([dimension]);
      const shown = cellsOf(own, (fact) => (rows[p]![fact.week]!.has(labelOf(fact)) ? null : `${fact.week} ${labelOf(fact)}`));
      tellAll(shown);
    }
    for (const [dimension, { hidden: ofWeeks }] of weeks) {
      const cells = cellsOf(own, label([dimension]));
      const dark = hidePeriod(ofWeeks, p, rowOf(own, cells), enough);
      for (const more of tellOrHide(all, cells, dark)) dark.add(more);
      hidden.get(dimension)![p] = dark;
    }
    for (const [dimension, dark] of pairs) {
      const cells = cellsOf(own, label([PAIRED, dimension]));
      const shown = (of: Dimension) => new Set([...cellsOf(own, label([of])).keys()].filter((one) => !hidden.get(of)![p]!.has(one)));
      const table = new Map([...cells].map(([key, { people, places: [place] }]) => [key, { row: label([PAIRED])(own[place!]!), column: label([dimension])(own[place!]!), people }]));
      dark[p] = hideTable(table, shown(PAIRED), shown(dimension), enough);
      for (const more of tellOrHide(all, cells, dark[p])) dark[p].add(more);
    }
  }
  return {
    pairs,
    dimensions: new Map([...weeks].map(([dimension, { hidden: { rows } }]) => {
      const quarter = rowOf(facts, cellsOf(facts, label([dimension])));
      return [dimension, { rows, periods: hidden.get(dimension)!, quarter: hiddenInQuarter(hidden.get(dimension)!, quarter, enough) }];
    })),
  };
}

/** Facts of a cell, by their places, and how many people they are of. */
interface Places {
  places: number[];
  people: number;
}

function cellsOf(facts: readonly Placed[], label: (fact: Placed) => string | null): Map<string, Places> {
  const cells = new Map<string, { places: number[]; people: Set<string> }>();
  for (const [place, fact] of facts.entries()) {
    const key = label(fact);
    if (key === null) continue;
    const cell = cells.get(key) ?? { places: [], people: new Set() };
    cell.places.push(place);
    for (const person of fact.people) cell.people.add(person);
    cells.set(key, cell);
  }
  return new Map([...cells].map(([key, { places, people }]) => [key, { places, people: people.size }]));
}

const rowOf = (facts: readonly Placed[], cells: ReadonlyMap<string, Places>): Row => ({
  total: new Set(facts.flatMap(({ people }) => people)).size,
  cells: new Map([...cells].map(([label, { people }]) => [label, people])),
});

/** Tells the cells that are not dark, those of most people first, as long as nothing follows of few. @returns those that must be hidden too */
function tellOrHide(remembered: Remembered, cells: ReadonlyMap<string, Places>, dark: ReadonlySet<string>): string[] {
  const open = [...cells].filter(([label]) => !dark.has(label)).sort(([one, { people }], [other, { people: others }]) => others - people || (one < other ? -1 : 1));
  return open.filter(([, { places }]) => {
    if (!remembered.isSafe(places)) return true;
    remembered.tell(places);
    return false;
  }).map(([label]) => label);
}
