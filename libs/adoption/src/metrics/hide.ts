/**
 * Which cells of a breakdown are hidden, so that nobody can tell what few people did, by whatever they add up or subtract.
 *
 * What arrives: tables of how many people are in each cell, and in all cells together. What leaves: the cells to hide. Next is
 * told.ts, which shows the others.
 *
 * A table's cells lie in rows and columns: weeks and the values of a dimension, or the values of two dimensions. What is known
 * of the hidden cells is their sum along each row, and along each column whose sum is told. Take these rows and columns as the
 * points of a graph, and each hidden cell as a line between its row and its column, or from its row to the ground where the
 * column's sum is not told. What can be worked out from the sums are sums over cuts of this graph, and nothing else. So nobody
 * is told apart if every cut holds enough people, and that is so if the ends of each hidden cell of few people are joined by
 * hidden cells each of which holds enough. Where they are not, more is hidden.
 *
 * Decided week by week, as weeks are over, and never looking ahead, since what has been told cannot be taken back: what a later
 * sum would give away is that sum, not the week.
 */
import { type Figure } from './metric.js';

/** People: in each cell that holds any, by its label, and in the whole row. */
export interface Row {
  total: number;
  cells: ReadonlyMap<string, number>;
}

/** A cell's label: the values of its dimensions. */
export const labelOf = ({ by }: Pick<Figure, 'by'>): string => JSON.stringify(by);

/** People in each cell of a row, and in all of them: of the figures by dimensions, and of those without. */
export function rowOf(figures: readonly Figure[], wholes: readonly Figure[]): Row {
  const cells = new Map<string, number>();
  for (const figure of figures) if (figure.people > 0) cells.set(labelOf(figure), Math.max(cells.get(labelOf(figure)) ?? 0, figure.people));
  return { total: Math.max(0, ...wholes.map(({ people }) => people)), cells };
}

/** Weeks that make up a period, and the period itself once it is over. */
export interface PeriodRows {
  rows: readonly Row[];
  whole: Row | null;
}

/** Labels of the hidden cells. */
export interface Hidden {
  rows: ReadonlySet<string>[][];
  periods: ReadonlySet<string>[];
  /** Of the quarter. */
  quarter: ReadonlySet<string>;
}

/** The hidden cells of weeks, as lines, and what is needed of them to decide their periods. */
export interface HiddenWeeks {
  rows: ReadonlySet<string>[][];
  lines: readonly Line[];
  /** People of all hidden cells of a week together, at least. */
  sizes: ReadonlyMap<string, number>;
}

/** Which more of the cells that would be shown must be hidden, for what other dimensions tell. */
export type HideMore = (period: number, week: number, dark: ReadonlySet<string>) => Iterable<string>;

/** Decides a quarter: periods of weeks, by one dimension. */
export function hideQuarter(periods: readonly PeriodRows[], quarter: Row | null, enough: number): Hidden {
  const weeks = hideWeeks(periods.map(({ rows }) => rows), enough);
  const dark = periods.map(({ whole }, p) => (whole ? hidePeriod(weeks, p, whole, enough) : new Set<string>()));
  return { rows: weeks.rows, periods: dark, quarter: hiddenInQuarter(dark, quarter, enough) };
}

/** Decides the weeks of a quarter, by period. */
export function hideWeeks(periods: readonly (readonly Row[])[], enough: number, hideMore: HideMore = () => []): HiddenWeeks {
  const lines: Line[] = [];
  const sizes = new Map<string, number>();
  const rows = periods.map((weeks, p) => {
    let owed = new Set<string>();
    return weeks.map((row, w) => {
      const before = new Set(lines.filter(({ column }) => column.startsWith(`${p} `)).map(({ label }) => label));
      const dark = new Set([...row.cells].filter(([, people]) => people < enough).map(([label]) => label));
      // A value with one dark week could be told by the sum of the period: another of its weeks is hidden too, with that of another value.
      const again = [...owed].filter((label) => (row.cells.get(label) ?? 0) >= enough);
      if (again.length > 1) for (const label of again) {
        dark.add(label);
        owed.delete(label);
      }
      for (const label of candidates(row, dark, before, enough)) {
        if (isCovered(row, dark, enough)) break;
        dark.add(label);
      }
      for (const label of hideMore(p, w, dark)) dark.add(label);
      owed = new Set([...owed, ...[...dark].filter((label) => !again.includes(label) || again.length < 2)]);
      for (const label of dark) lines.push({ row: `${p} ${w}`, column: `${p} ${label}`, label, people: row.cells.get(label)! });
      sizes.set(`${p} ${w}`, leftOver(row, dark));
      return dark;
    });
  });
  return { rows, lines, sizes };
}

/** Decides a period, once its weeks are over and decided. */
export function hidePeriod({ lines, sizes }: HiddenWeeks, p: number, whole: Row, enough: number): Set<string> {
  const told = new Set<string>();
  const hidden = new Set<string>();
  const own = lines.filter(({ column }) => column.startsWith(`${p} `)); // of other periods it knows nothing
  const isDark = new Set(own.map(({ label }) => label));
  for (const [label, people] of [...whole.cells].sort(byPeople).reverse()) {
    if (people < enough) hidden.add(label);
    else if (isDark.has(label)) {
      told.add(`${p} ${label}`);
      if (isSafe(own, told, sizes, enough)) continue;
      told.delete(`${p} ${label}`);
      hidden.add(label);
    }
  }
  return hidden;
}

/** A quarter is told where all its periods are: then it is their sum, and says nothing new. */
export function hiddenInQuarter(periods: readonly ReadonlySet<string>[], quarter: Row | null, enough: number): Set<string> {
  const labels = [...(quarter?.cells.keys() ?? [])];
  return new Set(labels.filter((label) => periods.some((hidden) => hidden.has(label)) || quarter!.cells.get(label)! < enough));
}

/** Hides cells of rows whose sums along columns are never told. */
export function hideRow(row: Row, enough: number): ReadonlySet<string> {
  return hideQuarter([{ rows: [row], whole: null }], null, enough).rows[0]![0]!;
}

/**
 * Decides a table of two dimensions.
 * @param cells people, by the labels of both
 * @param rows the labels of the first whose sums are told, @param columns of the second
 * @returns keys of the hidden cells
 */
export function hideTable(cells: ReadonlyMap<string, { row: string; column: string; people: number }>, rows: ReadonlySet<string>, columns: ReadonlySet<string>, enough: number): Set<string> {
  const hidden = new Set([...cells].filter(([, { row, column, people }]) => people < enough || !rows.has(row) || !columns.has(column)).map(([key]) => key));
  const told = new Set([...columns].map((column) => `0 ${column}`));
  for (;;) {
    const lines = [...hidden].map((key): Line => {
      const { row, column, people } = cells.get(key)!;
      return { row: rows.has(row) ? row : GROUND, column: `0 ${column}`, label: column, people };
    });
    const ends = joined(lines, told, new Map(), enough);
    const loose = lines.filter((line) => line.people < enough && !ends(line));
    if (loose.length === 0) return hidden;
    const touched = (key: string) => loose.some((line) => line.row === cells.get(key)!.row || line.label === cells.get(key)!.column);
    const next = [...cells].filter(([key]) => !hidden.has(key)).sort(([one, { people }], [other, { people: others }]) => Number(touched(other)) - Number(touched(one)) || people - others || (one < other ? -1 : 1))[0];
    if (!next) return hidden; // all are
    hidden.add(next[0]);
  }
}

/** A hidden cell: its row, and the column it would be in. */
export interface Line {
  row: string;
  column: string;
  label: string;
  people: number;
}

const GROUND = 'ground';

const byPeople = ([one, people]: [string, number], [other, others]: [string, number]): number => people - others || (one < other ? -1 : 1);

/** Shown cells that may be hidden too: those first that are hidden in another week of the period already, then the smallest. */
function candidates({ cells }: Row, dark: ReadonlySet<string>, before: ReadonlySet<string>, enough: number): string[] {
  return [...cells].filter(([label, people]) => !dark.has(label) && people >= enough).sort((one, other) => Number(before.has(other[0])) - Number(before.has(one[0])) || byPeople(one, other)).map(([label]) => label);
}

/** Whether the sum of a row's hidden cells is of nobody, or of enough people. */
function isCovered(row: Row, dark: ReadonlySet<string>, enough: number): boolean {
  return dark.size === 0 || leftOver(row, dark) >= enough || [...dark].some((label) => row.cells.get(label)! >= enough);
}

/** People of a row who are in none of its shown cells, at least: those in several cells are taken off more than once. */
function leftOver({ total, cells }: Row, dark: ReadonlySet<string>): number {
  let shown = 0;
  for (const [label, people] of cells) if (!dark.has(label)) shown += people;
  return total - shown;
}

function isSafe(lines: readonly Line[], told: ReadonlySet<string>, sizes: ReadonlyMap<string, number>, enough: number): boolean {
  const ends = joined(lines, told, sizes, enough);
  return lines.every((line) => line.people >= enough || ends(line));
}

/**
 * Joins rows and columns that no cut of few people parts.
 * @param told columns whose sum is told
 * @param sizes people of all hidden cells of a row together, at least
 * @returns whether the ends of a hidden cell are joined
 */
function joined(lines: readonly Line[], told: ReadonlySet<string>, sizes: ReadonlyMap<string, number>, enough: number): (line: Line) => boolean {
  const above = new Map<string, string>();
  const root = (point: string): string => {
    let top = point;
    for (let next = above.get(top); next !== undefined; next = above.get(top)) top = next;
    return top;
  };
  const join = (one: string, other: string): boolean => {
    const [a, b] = [root(one), root(other)];
    if (a !== b) above.set(a, b);
    return a !== b;
  };
  const columnOf = (line: Line) => (told.has(line.column) ? `column ${line.column}` : GROUND);
  for (const line of lines) if (line.people >= enough) join(line.row, columnOf(line));
  // A row all of whose hidden cells lead to the same place is parted from it only by all of them.
  for (let more = true; more; ) {
    more = false;
    for (const [row, size] of sizes) {
      if (size < enough) continue;
      const places = new Set(lines.filter((line) => line.row === row).map((line) => root(columnOf(line))));
      if (places.size === 1) more = join(row, [...places][0]!) || more;
    }
  }
  return (line) => root(line.row) === root(columnOf(line));
}
