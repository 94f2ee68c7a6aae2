/** How long people take to decide on a result that they were shown. */
import { GRAINS, type Dimension } from '@foothold/contract';
import { histogramQuantile, type Histogram } from '@foothold/statistics';
import { counted } from './behind.js';
import { cut, groupOf, type Counted } from './cut.js';
import { inPeriods, spanOf } from './held.js';
import { LEAST_PEOPLE, type Asking, type Figure, type Metric } from './metric.js';
import { amountOf, ratioSums } from './ratio.js';

/** Of what is kept without people. */
export const OF_NOBODY: readonly Dimension[] = ['task_kind', 'stage', 'handoff_week'];
const QUANTILES: Record<string, number> = { p5: 0.05, p50: 0.5, p95: 0.95 };

export const decisionTime: Metric = {
  declaration: {
    id: 'trust.decision_time',
    question: 'How long do people look at it before they decide?',
    formula: 'from the moment a result was shown to the decision that stands; quantiles by nearest rank',
    unit: 'ms',
    variants: { p5: '1 in 20 decisions is as quick or quicker', p50: 'half of the decisions are', p95: '19 in 20 are' },
    grains: GRAINS,
    dimensions: OF_NOBODY,
    minimum: LEAST_PEOPLE,
    watchOut: 'Right to 2 % from a millisecond up; what is shorter counts as 0. Only where hosts tell when a result was shown. A tab left open counts as long as it is open: read p50, and p5 for haste. Never of a person: it profiles attention.',
    version: 1,
  },
  behind: { '': counted('timed') },
  async figures(asking) {
    const times = new Map<string, Histogram>();
    for (const row of await buckets(asking)) {
      const label = JSON.stringify([Number(row['period']), ...groupOf(row, asking.by)]);
      const known = times.get(label);
      if (known) known.push([Number(row['bucket']), Number(row['n'])]);
      else times.set(label, [[Number(row['bucket']), Number(row['n'])]]);
    }
    const cells = await ratioSums(asking, { variants: { timed: { x: amountOf('timed'), y: amountOf('timed') } } });
    return cells.flatMap(({ period, by, sums }): Figure[] => {
      const { y: results, n: people } = sums['timed']!;
      if (by.length > 0 && results === 0) return [];
      const histogram = times.get(JSON.stringify([period, ...by])) ?? [];
      return Object.entries(QUANTILES).map(([variant, p]) => ({ period, by, variant, value: histogramQuantile(histogram, p), numerator: null, denominator: results, low: null, high: null, people }));
    });
  },
};

/** By period and group, buckets in ascending order. */
async function buckets(asking: Asking): Promise<Counted[]> {
  const { by, held, periods } = asking;
  if (by.length === 0) {
    const days = await held.rows({ table: 'decision_time d', keys: { bucket: 'number' }, amounts: ['sum(n)'], where: 'true' }, spanOf(periods));
    const sums = periods.map(() => new Map<number, number>());
    for (const { period, columns: [bucket, n] } of inPeriods(days, periods)) for (let i = 0; i < n!.length; i++) sums[period]!.set(bucket![i]!, (sums[period]!.get(bucket![i]!) ?? 0) + n![i]!);
    return sums.flatMap((of, period) => [...of].sort(([one], [other]) => one - other).map(([bucket, n]) => ({ period, bucket, n })));
  }
  const values: unknown[] = [];
  const { names, columns, from } = cut(asking, 'decision_time d', values);
  return asking.query<Counted>(`select ${names}, bucket, sum(n)::float8 as n from (select ${columns}, d.bucket, d.n ${from}) d group by ${names}, bucket order by bucket`, values);
}
