/** A plot for any terminal: text alone and no colour, as wide as it has columns to show. */

export interface Series {
  /** One character. */
  mark: string;
  label: string;
  /** One a column, oldest first; null where nothing is known, which leaves a gap. */
  values: (number | null)[];
  /** Of each value the ends of its interval, drawn lightly behind; null where there is none. */
  bands?: ([low: number, high: number] | null)[];
}

export interface Plot {
  title: string;
  series: Series[];
  /** The first local day of each column, YYYY-MM-DD. */
  days: string[];
  /** How a value is written beside the axis. */
  write: (value: number) => string;
  /** Rows above the lowest one; each second has its value beside it. Default: 10. */
  height?: number;
  /** Most characters in a line. Default: 80. */
  width?: number;
  /** What is written under both ends of the axis in place of the months. */
  ends?: [first: string, last: string];
}

const BAND = '░';
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * Draws the series from zero (or the lowest value below it) up, over a line that names the months. Where two meet, the later
 * one is seen. Where there are more columns than the width holds, neighbours share one and each of their values is seen in it.
 */
export function draw({ title, series, days, write, height = 10, width = 80, ends }: Plot): string {
  const all = series.flatMap(({ values, bands = [] }) => [...values, ...bands.flatMap((band) => band ?? [])]).filter((value) => value !== null);
  const lowest = Math.min(0, ...all);
  const bottom = lowest < 0 ? -roundedUp(-lowest) : 0;
  const top = Math.max(0, ...all) === 0 && bottom < 0 ? 0 : roundedUp(Math.max(0, ...all));
  const levels = Array.from({ length: height + 1 }, (_, row) => write(bottom + ((top - bottom) * row) / height));
  const margin = Math.max(...levels.map((level) => level.length)) + 1;
  const room = Math.max(1, width - margin - 2);
  const step = Math.max(Math.min(1, room / days.length), Math.min(2, Math.floor(room / days.length)));
  const grid = levels.map(() => new Array<string>(Math.round(days.length * step)).fill(' '));
  const rowOf = (value: number) => Math.round(((value - bottom) / (top - bottom)) * height);
  const columnOf = (column: number) => Math.floor(column * step);
  for (const { bands = [] } of series) {
    bands.forEach((band, column) => {
      if (band) for (let row = rowOf(band[0]); row <= rowOf(band[1]); row++) grid[row]!.fill(BAND, columnOf(column), Math.max(columnOf(column) + 1, columnOf(column + 1)));
    });
  }
  for (const { mark, values } of series) {
    values.forEach((value, column) => {
      if (value !== null) grid[rowOf(value)]![columnOf(column)] = mark;
    });
  }
  const rows = grid.map((cells, row) => `${(row % 2 === 0 ? levels[row]! : '').padStart(margin)} │${cells.join('')}`.trimEnd()).reverse();
  const legend = series.length > 1 ? `  ${series.map(({ mark, label }) => `${mark} ${label}`).join('   ')}` : '';
  const axis = grid[0]!.length;
  const under = ends ? `${ends[0].padEnd(Math.max(ends[0].length + 1, axis - ends[1].length))}${ends[1]}` : months(days, step);
  return [`${title}${legend}`, ...rows, `${' '.repeat(margin)} └${'─'.repeat(axis)}`, `${' '.repeat(margin + 2)}${under}`].join('\n');
}

/** The names of months, each under its first column where there is room. */
function months(days: string[], step: number): string {
  let line = '';
  let before = '';
  days.forEach((day, column) => {
    const month = day.slice(0, 7);
    const at = Math.floor(column * step);
    if (month !== before && line.length <= at) line = line.padEnd(at) + MONTHS[Number(month.slice(5)) - 1]! + ' ';
    before = month;
  });
  return line.trimEnd();
}

/** The next round number. */
function roundedUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map((factor) => factor * power).find((round) => round >= value * (1 - 1e-9))!;
}

/** Plots beside each other, as many as the width holds, and further ones below. */
export function beside(plots: readonly string[], width: number): string {
  const rows: string[][][] = [];
  let used = Infinity;
  for (const lines of plots.map((plot) => plot.split('\n'))) {
    const wide = Math.max(...lines.map((line) => line.length)) + GAP;
    if (used + wide > width + GAP) {
      rows.push([]);
      used = 0;
    }
    rows.at(-1)!.push(lines.map((line) => line.padEnd(wide)));
    used += wide;
  }
  return rows.map((row) => row[0]!.map((_, line) => row.map((lines) => lines[line]).join('').trimEnd()).join('\n')).join('\n\n');
}

const GAP = 3;
