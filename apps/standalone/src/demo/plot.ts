/** A plot for any terminal: text alone, as wide as it has weeks. */

export interface Series {
  /** One character. */
  mark: string;
  label: string;
  /** One a column, oldest first; null where nothing is known. */
  values: (number | null)[];
}

export interface Plot {
  title: string;
  series: Series[];
  /** The first local day of each column, YYYY-MM-DD. */
  days: string[];
  /** How a value is written beside the axis. */
  write: (value: number) => string;
}

const HEIGHT = 10;
const COLUMNS = 80;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Draws the series from zero up, over a line that names the months. Where two meet, the later one is seen. */
export function draw({ title, series, days, write }: Plot): string {
  const top = roundedUp(Math.max(0, ...series.flatMap(({ values }) => values.filter((value) => value !== null))));
  const levels = Array.from({ length: HEIGHT + 1 }, (_, row) => write((top * row) / HEIGHT));
  const margin = Math.max(...levels.map((level) => level.length)) + 1;
  const step = Math.max(1, Math.min(2, Math.floor((COLUMNS - margin - 2) / days.length)));
  const grid = levels.map(() => new Array<string>(days.length * step).fill(' '));
  for (const { mark, values } of series) {
    values.forEach((value, column) => {
      if (value !== null) grid[Math.round((value / top) * HEIGHT)]![column * step] = mark;
    });
  }
  const rows = grid.map((cells, row) => `${(row % 2 === 0 ? levels[row]! : '').padStart(margin)} │${cells.join('')}`.trimEnd()).reverse();
  const legend = series.length > 1 ? `  ${series.map(({ mark, label }) => `${mark} ${label}`).join('   ')}` : '';
  return [`${title}${legend}`, ...rows, `${' '.repeat(margin)} └${'─'.repeat(days.length * step)}`, `${' '.repeat(margin + 2)}${months(days, step)}`].join('\n');
}

/** The names of months, each under its first column where there is room. */
function months(days: string[], step: number): string {
  let line = '';
  let before = '';
  days.forEach((day, column) => {
    const month = day.slice(0, 7);
    if (month !== before && line.length <= column * step) line = line.padEnd(column * step) + MONTHS[Number(month.slice(5)) - 1]! + ' ';
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
