/**
 * Whether results are waved through: how many are accepted faster than almost anything was decided in the first weeks.
 *
 * Times are of nobody: counts by day, kind of task and how long it took. It profiles attention all the same, so it is told only
 * where that was agreed.
 */
import { GRAINS } from '@foothold/contract';
import { histogramQuantile, type Histogram } from '@foothold/statistics';
import { dayNumber, mondayOf } from '../local-day.js';
import { counted } from './behind.js';
import { ofDay } from './cut.js';
import { OF_NOBODY } from './decision-time.js';
import { inPeriods, spanOf, type HeldDay, type Rows } from './held.js';
import { LEAST_PEOPLE, type Asking, type Figure, type Metric, type Period } from './metric.js';
import { amountOf, ratioSums, UNKNOWN } from './ratio.js';

/** Weeks from the start that are left out, while people learn; and those after them by which haste is judged. */
const [LEARNED, FIRST] = [2, 8];
/** Milliseconds under which nobody has read anything. */
const SHORTEST = 1_000;
/** Of the decisions of the first weeks, so many were as quick. */
const QUICK = 0.05;
/** A share above which it is pointed out. */
const MANY = 0.2;

export const rubberStamp: Metric = {
  declaration: {
    id: 'trust.rubber_stamp',
    question: 'Do people still read what they accept?',
    formula: 'accepted in less time than the quickest 1 in 20 decisions on that kind of task took in weeks 3 to 10, or in less than a second / accepted of which it is known how long that took',
    unit: 'ratio',
    variants: { all: 'accepted in less time than that, of all whose time is known' },
    grains: GRAINS,
    dimensions: OF_NOBODY,
    minimum: LEAST_PEOPLE,
    watchOut: 'It profiles attention: told only where that was agreed (foothold deployment agree, --dwell-times), and never of a person. Easy work is quick to judge: look at the kind of task, and at whether overrides fell too. No interval: the times are of nobody.',
    version: 1,
  },
  behind: { '': counted('timed_accepted') },
  needs: 'dwellTimes',
  async figures(asking) {
    const { held, subject, periods, by } = asking;
    const { pilotStart } = subject.registration;
    const start = mondayOf(pilotStart === null ? (held.extent?.from ?? 0) : dayNumber(pilotStart)!);
    const first = { from: start + 7 * LEARNED, to: start + 7 * (LEARNED + FIRST) - 1 };
    const least = thresholds(await held.rows(TIMES, first), held.codes);
    const quick = new Map<string, number>();
    const dated = by.map((dimension) => (dimension === 'stage' || dimension === 'handoff_week' ? ofDay(subject, dimension) : null));
    for (const { period, day, columns: [kind, decision, bucket, n] } of inPeriods(await held.rows(TIMES, spanOf(periods)), periods)) for (let i = 0; i < n!.length; i++) {
      const code = held.codes[kind![i]!]!;
      if (held.codes[decision![i]!] !== 'accepted' || timeOf(bucket![i]!) >= (least.get(code) ?? SHORTEST)) continue;
      const label = JSON.stringify([period, ...dated.map((value) => (value ? value(day) : code || null))]);
      quick.set(label, (quick.get(label) ?? 0) + n![i]!);
    }
    const cells = await ratioSums(asking, { variants: { all: { x: amountOf('timed_accepted'), y: amountOf('timed_accepted') } } });
    const figures = cells.flatMap(({ period, by: values, sums: { all } }): Figure[] => {
      const { y: denominator, n: people } = all!;
      if (by.length > 0 && denominator === 0) return [];
      const numerator = quick.get(JSON.stringify([period, ...values])) ?? 0;
      return [{ ...UNKNOWN, period, by: values, variant: 'all', value: denominator === 0 ? null : numerator / denominator, numerator, denominator, people }];
    });
    if (by.length === 0 && figures.some(({ value }) => value !== null && value > MANY) && (await overrideRate(asking, periods)) < (await overrideRate(asking, [first]))) asking.notes.push(POINTED_OUT);
    return figures;
  },
};

const POINTED_OUT = 'More than 20 % of what was accepted was accepted faster than almost anything in the first weeks, and people override less than they did then: look whether results are still read.';

const TIMES: Rows = { table: 'decision_time d', keys: { task_kind: 'code', decision: 'code', bucket: 'number' }, amounts: ['sum(n)'], where: 'true' };

const timeOf = (bucket: number): number => histogramQuantile([[bucket, 1]], 1)!;

/** By kind of task that was decided on in these days, milliseconds under which accepting is hasty. */
function thresholds(days: readonly HeldDay[], codes: readonly string[]): Map<string, number> {
  const times = new Map<string, Map<number, number>>();
  for (const { columns: [kind, , bucket, n] } of days) for (let i = 0; i < n!.length; i++) {
    const code = codes[kind![i]!]!;
    const own = times.get(code) ?? new Map<number, number>();
    times.set(code, own.set(bucket![i]!, (own.get(bucket![i]!) ?? 0) + n![i]!));
  }
  const inOrder = (of: Map<number, number>): Histogram => [...of].sort(([one], [other]) => one - other);
  return new Map([...times].map(([code, of]) => [code, Math.max(SHORTEST, histogramQuantile(inOrder(of), QUICK)!)]));
}

/** Overridden of decided, on all days of the periods; NaN where nothing was decided. */
async function overrideRate(asking: Asking, periods: readonly Period[]): Promise<number> {
  const sums = await ratioSums({ ...asking, by: [], periods }, { variants: { all: { x: amountOf('overridden'), y: amountOf('accepted', 'overridden') } } });
  const sum = (of: 'x' | 'y') => sums.reduce((all, { sums: { all: one } }) => all + one![of], 0);
  return sum('x') / sum('y');
}
