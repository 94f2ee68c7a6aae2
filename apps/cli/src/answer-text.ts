/** An answer as people read it: what holds for all of it, a table, and where somebody looks at a terminal a plot of each figure. */
import { type Answer, type AnswerRow } from '@foothold/contract';
import { beside, draw } from './plot.js';
import { table } from './session.js';

/** Plots in one answer; a table with more is better cut smaller. */
const MOST = 12;

/**
 * The answer as text.
 * @param by the dimensions it was asked by
 * @param width of the terminal that shows it; undefined: nobody looks, and nothing is drawn
 */
export function answerText(answer: Answer, by: readonly string[], width?: number): string {
  const { rows, notes, unit, completeThrough: complete, revisedAt, metric, version } = answer;
  const head = [`${metric} (version ${version}), complete through ${complete ?? 'an unknown moment'}, last revised ${revisedAt ?? 'never'}`, ...notes].join('\n');
  if (rows.length === 0) return `${head}\n${notes.length > 0 ? 'there is nothing to tell of this range' : 'nothing was counted in this range'}`;
  const figure = (value: number | null) => (value === null ? '-' : Number.isInteger(value) && unit !== 'ratio' ? String(value) : value.toFixed(4));
  const count = (value: number | null) => (value === null ? '-' : Number.isInteger(value) ? String(value) : value.toFixed(3));
  const text = `${head}\n${table([
    ['from', 'to', ...by, 'variant', 'value', '95 % low', 'high', 'numerator', 'denominator', 'people'],
    ...rows.map((row) => [
      row.from, row.to, ...by.map((dimension) => row.by[dimension] ?? NOT_GIVEN), row.variant, row.suppressed ? 'hidden' : figure(row.value), figure(row.low), figure(row.high),
      count(row.numerator), count(row.denominator), count(row.people),
    ]),
  ])}`;
  return [text, ...(width === undefined ? [] : plotsOf(answer, by, width))].join('\n\n');
}

const NOT_GIVEN = '(not given)';

/**
 * A small plot of each variant of each group over the periods of the answer, with its interval behind it and a gap where
 * nothing is known or shown; none where there is but one period.
 */
export function plotsOf({ rows }: Pick<Answer, 'rows'>, by: readonly string[], width: number): string[] {
  const periods = [...new Map(rows.map(({ from, to }) => [from, to]))].sort(([one], [other]) => (one < other ? -1 : 1));
  if (periods.length < 2) return [];
  const figures = new Map<string, AnswerRow[]>();
  for (const row of rows) {
    const name = [...by.map((dimension) => row.by[dimension] ?? NOT_GIVEN), row.variant].join(' ');
    const known = figures.get(name);
    if (known) known.push(row);
    else figures.set(name, [row]);
  }
  const drawn = [...figures].slice(0, MOST).map(([name, of]) => {
    const at = new Map(of.filter(({ suppressed }) => !suppressed).map((row) => [row.from, row]));
    const values = periods.map(([from]) => at.get(from)?.value ?? null);
    const known = values.filter((value) => value !== null);
    return draw({
      title: known.length === 0 ? `${name}: nothing is known` : `${name}: ${short(Math.min(...known))} to ${short(Math.max(...known))}`,
      series: [{ mark: '●', label: name, values, bands: periods.map(([from]) => bandOf(at.get(from))) }],
      days: periods.map(([from]) => from), ends: [periods[0]![0], periods.at(-1)![1]], write: short, height: 4, width,
    });
  });
  return [beside(drawn, width), ...(figures.size > MOST ? [`${figures.size - MOST} more are not drawn: ask for less at once`] : [])];
}

function bandOf(row: AnswerRow | undefined): [number, number] | null {
  return !row || row.value === null || row.low === null || row.high === null ? null : [row.low, row.high];
}

/** To three digits. */
const short = (value: number): string => String(Number(value.toPrecision(3)));
