/**
 * Whether people follow it where it is right and only there. The truth is known of some results, mostly of those that somebody
 * doubted: where an audit says with which probability it picked a case, the case stands for as many as it was picked from.
 */
import { FACT_DIMENSIONS, GRAINS } from '@foothold/contract';
import { differenceOfShares } from '@foothold/statistics';
import { counted } from './behind.js';
import { type Did } from './held.js';
import { LEAST_PEOPLE, type Figure, type Metric } from './metric.js';
import { amountOf, judged, ratioFigures, ratioSums, UNKNOWN, type RatioVariant, type Sums } from './ratio.js';

const WATCH_OUT = 'The truth is mostly known of what was overridden: without an audit that also picks what was accepted, this is of the doubtful cases only. Cases of an audit weigh 1 / the probability with which they were picked.';

/** Weights are kept in millionths. */
const weighed = (part: string, ...whole: string[]): RatioVariant => ({ x: { ...amountOf(part), per: 1e6 }, y: { ...amountOf(...whole), per: 1e6 } });

function ofTruth(id: string, question: string, formula: string, watchOut: string, variants: Record<string, { says: string; share: RatioVariant; of: Did }>): Metric {
  const all = Object.entries(variants);
  return {
    declaration: {
      id, question, formula, unit: 'ratio', variants: Object.fromEntries(all.map(([name, { says }]) => [name, says])),
      grains: GRAINS, dimensions: FACT_DIMENSIONS, minimum: LEAST_PEOPLE, watchOut, version: 1,
    },
    behind: Object.fromEntries(all.map(([name, { of }]) => [name, counted(of)])),
    figures: (asking) => ratioFigures(asking, {
      variants: Object.fromEntries(all.map(([name, { share }]) => [name, share])),
    }),
  };
}

export const overReliance = ofTruth(
  'trust.over_reliance', 'How often do people follow it where it is wrong?', 'accepted / decided, of results that were wrong', WATCH_OUT,
  { all: { says: 'accepted, of the wrong ones that were decided', share: weighed('wrong_accepted', 'wrong_accepted', 'wrong_overridden'), of: 'wrong' } },
);

export const underReliance = ofTruth(
  'trust.under_reliance', 'How often do people decide against it where it is right?', 'overridden / decided, of results that were right', WATCH_OUT,
  { all: { says: 'overridden, of the right ones that were decided', share: weighed('right_overridden', 'right_accepted', 'right_overridden'), of: 'right' } },
);

export const overrideCorrectness = ofTruth(
  'trust.override_correctness', 'When people decide against it, are they right?', 'right in the end / overridden of which that is known', WATCH_OUT,
  { all: { says: 'the person was right in the end, of the overridden of which that is known', share: weighed('override_right', 'override_judged'), of: 'override_judged' } },
);

export const reliance = ofTruth(
  'trust.reliance', 'Do people let it correct them, and only where it is right?',
  'right in the end / those where person and AI first differed, and it is known what was right in the end',
  `Only known where hosts ask people for a view of their own before they show the result: those are other people in other moods. ${WATCH_OUT}`,
  {
    rair: { says: 'relative AI reliance: of those where the person was first wrong and the AI right', share: weighed('rair_right', 'rair_judged'), of: 'rair_judged' },
    rsr: { says: 'relative self-reliance: of those where the person was first right and the AI wrong', share: weighed('rsr_right', 'rsr_judged'), of: 'rsr_judged' },
  },
);

/** Of the right ones and of the wrong ones, accepted and decided. */
const [RIGHT, WRONG] = [weighed('right_accepted', 'right_accepted', 'right_overridden'), weighed('wrong_accepted', 'wrong_accepted', 'wrong_overridden')];

export const discrimination: Metric = {
  declaration: {
    id: 'trust.discrimination',
    question: 'Do people tell its right answers from its wrong ones?',
    formula: 'accepted / decided of the right ones - accepted / decided of the wrong ones: 1 where they always can, 0 where they cannot',
    unit: 'score',
    variants: { all: 'the difference; none where either is not known' },
    grains: GRAINS, dimensions: FACT_DIMENSIONS, minimum: LEAST_PEOPLE, watchOut: WATCH_OUT, version: 1,
  },
  behind: { '': counted('judged') },
  async figures(asking) {
    const cells = await ratioSums(asking, {
      variants: {
        right: RIGHT, wrong: WRONG, either: { x: RIGHT.y, y: { ...RIGHT.y, of: { ...RIGHT.y.of, ...WRONG.y.of } } },
        // Of these only the sums of products are read.
        accepted: { x: RIGHT.x, y: WRONG.x }, crossed: { x: RIGHT.x, y: WRONG.y }, crossing: { x: RIGHT.y, y: WRONG.x }, decided: { x: RIGHT.y, y: WRONG.y },
      },
    });
    return cells.flatMap(({ period, by, sums }): Figure[] => {
      const { y: denominator, n: people } = sums['either']!;
      if (by.length > 0 && denominator === 0) return [];
      const [right, wrong] = [judged(sums['right']!), judged(sums['wrong']!)];
      const of = { period, by, variant: 'all', denominator, people };
      if (right.value === null || wrong.value === null) return [{ ...of, ...UNKNOWN }];
      const share = ({ value, low, high }: Pick<Figure, 'value' | 'low' | 'high'>) => ({ value: value!, low: low!, high: high! });
      return [{ ...of, numerator: null, value: right.value - wrong.value, ...differenceOfShares(share(right), share(wrong), correlation(sums, right.value, wrong.value)) }];
    });
  },
};

/** Of the two shares, as the same people are behind both: of the residuals person by person. */
function correlation(sums: Record<string, Sums>, right: number, wrong: number): number {
  const squares = ({ xx, xy, yy }: Sums, ratio: number) => xx - 2 * ratio * xy + ratio * ratio * yy;
  const product = sums['accepted']!.xy - wrong * sums['crossed']!.xy - right * sums['crossing']!.xy + right * wrong * sums['decided']!.xy;
  const size = Math.sqrt(Math.max(0, squares(sums['right']!, right)) * Math.max(0, squares(sums['wrong']!, wrong)));
  return size === 0 ? 0 : Math.min(1, Math.max(-1, product / size));
}
