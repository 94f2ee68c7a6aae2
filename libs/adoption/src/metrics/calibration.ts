/** Whether the confidence that it states means what it says. */
import { GRAINS, type Dimension } from '@foothold/contract';
import { calibrationSlope } from '@foothold/statistics';
import { counted } from './behind.js';
import { cut, groupOf, type Counted } from './cut.js';
import { inPeriods, spanOf } from './held.js';
import { LEAST_PEOPLE, type Asking, type Figure, type Metric } from './metric.js';
import { amountOf, judged, ratioSums } from './ratio.js';

const DIMENSIONS: readonly Dimension[] = ['task_kind', 'model', 'release', 'stage', 'handoff_week'];
/** Under so many results there are 5 bins, else 10. */
const FEW = 200;
/** What confidence is held against: counters of results and of squared error. */
const AGAINST: Record<string, { results: 'stated' | 'stated_truth'; error: string; says: string }> = {
  acceptance: { results: 'stated', error: 'brier', says: 'whether the result was accepted' },
  truth: { results: 'stated_truth', error: 'brier_truth', says: 'whether it was right, where that is known' },
};

export const calibration: Metric = {
  declaration: {
    id: 'trust.calibration',
    question: 'Does its confidence mean what it says?',
    formula: 'brier: mean of (confidence - outcome)²; ece: mean distance of confidence and outcome within 10 bins of equal width (5 under 200 results); slope: of the outcome’s logit on that of the confidence',
    unit: 'score',
    variants: Object.fromEntries(Object.entries(AGAINST).flatMap(([against, { says }]) => [
      [`${against}_brier`, `against ${says}: 0 is best, .25 is a coin`], [`${against}_ece`, `against ${says}: 0 is best`], [`${against}_slope`, `against ${says}: 1 is best, less is over-confident`],
    ])),
    grains: GRAINS,
    dimensions: DIMENSIONS,
    minimum: LEAST_PEOPLE,
    watchOut: 'Accepted is not right: confidence that is shown persuades. Truth is known of few results, and of the doubtful ones most. Of results that were decided and stated a confidence.',
    version: 1,
  },
  behind: Object.fromEntries(Object.entries(AGAINST).flatMap(([against, { results }]) => ['brier', 'ece', 'slope'].map((kind) => [`${against}_${kind}`, counted(results)]))),
  async figures(asking) {
    const bins = await (asking.by.length === 0 ? heldBins(asking) : queriedBins(asking));
    const cells = await ratioSums(asking, {
      variants: Object.fromEntries(Object.entries(AGAINST).map(([against, { results, error }]) => [against, { x: { ...amountOf(error), per: 1e9 }, y: amountOf(results) }])),
    });
    return cells.flatMap(({ period, by, sums }) => Object.keys(AGAINST).flatMap((against): Figure[] => {
      const brier = judged(sums[against]!);
      if (by.length > 0 && brier.denominator === 0) return [];
      const own = bins.get(labelOf(against, period, by)) ?? [];
      const known = { period, by, numerator: null, denominator: brier.denominator, people: brier.people };
      return [
        { ...known, variant: `${against}_brier`, value: brier.value, low: brier.low, high: brier.high },
        { ...known, variant: `${against}_ece`, value: expectedError(own), low: null, high: null },
        { ...known, variant: `${against}_slope`, value: slope(own), low: null, high: null },
      ];
    }));
  },
};

/** Of the scale from 0 to 1. */
const BINS = 1_000;

/** A thousandth of the scale: how many results, of these how many came true, and the mean confidence. */
interface Bin {
  bin: number;
  n: number;
  so: number;
  confidence: number;
}

const labelOf = (against: string, period: number, by: readonly (string | null)[]): string => JSON.stringify([against, period, ...by]);

/** By what confidence is held against, period and group: bins in ascending order. */
async function queriedBins(asking: Asking): Promise<Map<string, Bin[]>> {
  const values: unknown[] = [];
  const { names, columns, from } = cut(asking, 'confidence d', values);
  const rows = await asking.query<Counted>(
    `select ${names}, against, bin, sum(n)::float8 as n, sum(so)::float8 as so, sum(stated)::float8 as stated
       from (select ${columns}, d.against, d.bin, d.n, d.so, d.stated ${from}) d group by ${names}, against, bin order by bin`, values);
  const bins = new Map<string, Bin[]>();
  for (const row of rows) {
    const label = labelOf(row['against'] as string, Number(row['period']), groupOf(row, asking.by));
    const bin = binOf(Number(row['bin']), Number(row['n']), Number(row['so']), Number(row['stated']));
    const known = bins.get(label);
    if (known) known.push(bin);
    else bins.set(label, [bin]);
  }
  return bins;
}

/** The same without dimensions, from the days that are held. */
async function heldBins({ held, periods }: Asking): Promise<Map<string, Bin[]>> {
  const days = await held.rows({ table: 'confidence d', keys: { against: 'code', bin: 'number' }, amounts: ['sum(n)', 'sum(so)', 'sum(stated)'], where: 'true' }, spanOf(periods));
  const sums = new Map<string, Float64Array>(); // three numbers a bin
  for (const { period, columns: [against, bin, n, so, stated] } of inPeriods(days, periods)) {
    const own = held.codes.map((code) => labelOf(code, period, []));
    for (let i = 0; i < n!.length; i++) {
      const label = own[against![i]!]!;
      let sum = sums.get(label);
      if (!sum) sums.set(label, (sum = new Float64Array(3 * BINS)));
      const at = 3 * bin![i]!;
      sum[at]! += n![i]!;
      sum[at + 1]! += so![i]!;
      sum[at + 2]! += stated![i]!;
    }
  }
  return new Map([...sums].map(([label, sum]) => [label, Array.from({ length: BINS }, (_, bin) => binOf(bin, sum[3 * bin]!, sum[3 * bin + 1]!, sum[3 * bin + 2]!)).filter(({ n }) => n > 0)]));
}

const binOf = (bin: number, n: number, so: number, stated: number): Bin => ({ bin, n, so, confidence: stated / 1e9 / n });

function expectedError(bins: readonly Bin[]): number | null {
  const results = bins.reduce((sum, { n }) => sum + n, 0);
  if (results === 0) return null;
  const width = BINS / (results < FEW ? 5 : 10);
  const distances = new Map<number, number>();
  for (const { bin, n, so, confidence } of bins) distances.set(Math.floor(bin / width), (distances.get(Math.floor(bin / width)) ?? 0) + n * confidence - so);
  return [...distances.values()].reduce((sum, distance) => sum + Math.abs(distance), 0) / results;
}

/** Results of one thousandth of the scale are taken at their mean. */
function slope(bins: readonly Bin[]): number | null {
  const stated = bins.flatMap(({ n, so, confidence }) => [{ confidence, outcome: true, weight: so }, { confidence, outcome: false, weight: n - so }]);
  return calibrationSlope(stated.filter(({ weight }) => weight > 0))?.slope ?? null;
}
