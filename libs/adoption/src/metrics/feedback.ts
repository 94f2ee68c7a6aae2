/** What people say of it when they are asked, and how many say anything. */
import { GRAINS } from '@foothold/contract';
import { counted } from './behind.js';
import { LEAST_PEOPLE, type Figure, type Metric } from './metric.js';
import { amountOf, judged, ratioSums, shareOfPeople, type Sums } from './ratio.js';

export const feedback: Metric = {
  declaration: {
    id: 'trust.feedback',
    question: 'What do people say of it?',
    formula: 'mean of the scores given, from -1 to 1; people who gave one / people who decided on a result or gave one',
    unit: 'score',
    variants: { score: 'the mean score', response_rate: 'a ratio: people who gave a score, of those who were active or gave one' },
    grains: GRAINS,
    dimensions: ['team', 'role', 'stage', 'handoff_week'],
    minimum: LEAST_PEOPLE,
    watchOut: 'The delighted and the annoyed answer: a score without its response rate says little. Counted on the day it was given.',
    version: 1,
  },
  behind: { score: counted('feedback'), response_rate: counted('feedback', 'active') },
  async figures(asking) {
    // Scores are counted from -1 up, so that they are shares as all others: (score + 1) / 2.
    const cells = await ratioSums(asking, {
      variants: {
        score: { x: { of: { feedback_score: 1, feedback: 1e6 }, per: 2e6 }, y: amountOf('feedback') },
        response_rate: { x: { ...amountOf('feedback'), any: true }, y: { ...amountOf('feedback', 'active_accepted', 'active_overridden'), any: true } },
      },
    });
    return cells.flatMap(({ period, by, sums }) => [
      ...(by.length > 0 && sums['score']!.y === 0 ? [] : [{ period, by, variant: 'score', ...scored(sums['score']!) }]),
      ...(by.length > 0 && sums['response_rate']!.y === 0 ? [] : [{ period, by, variant: 'response_rate', ...shareOfPeople(sums['response_rate']!.x, sums['response_rate']!.y) }]),
    ]);
  },
};

function scored(sums: Sums): Omit<Figure, 'period' | 'by' | 'variant'> {
  const found = judged(sums);
  const score = (share: number | null) => (share === null ? null : 2 * share - 1);
  return { ...found, value: score(found.value), low: score(found.low), high: score(found.high), numerator: 2 * sums.x - sums.y };
}
