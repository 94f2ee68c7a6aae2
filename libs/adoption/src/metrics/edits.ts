/** How much of what people accept is the AI's: as it was shown, edited before, or still there days later. */
import { FACT_DIMENSIONS, GRAINS } from '@foothold/contract';
import { HORIZONS } from '../invocation.js';
import { counted } from './behind.js';
import { LEAST_PEOPLE, type Metric } from './metric.js';
import { amountOf, less, ratioFigures } from './ratio.js';

/** Of the accepted, those of which it is known how much was changed, by how much that was. */
const BANDS = ['verbatim', 'edited_light', 'edited_moderate', 'edited_heavy'];
const [KNOWN, ACCEPTED] = [amountOf(...BANDS), amountOf('accepted')];
const OF_KNOWN = counted('changed');
const OF_ACCEPTED = counted('accepted');

export const verbatim: Metric = {
  declaration: {
    id: 'trust.verbatim',
    question: 'How often do people take it exactly as it was?',
    formula: 'accepted with nothing changed / accepted of which it is known how much was changed',
    unit: 'ratio',
    variants: { all: 'nothing changed, of those of which it is known' },
    grains: GRAINS,
    dimensions: FACT_DIMENSIONS,
    minimum: LEAST_PEOPLE,
    watchOut: 'High is not good by itself: it is also what stamping through looks like. What was changed after it was accepted is in trust.kept.',
    version: 1,
  },
  behind: { '': OF_KNOWN },
  figures: (asking) => ratioFigures(asking, { variants: { all: { x: amountOf('verbatim'), y: KNOWN } } }),
};

export const edits: Metric = {
  declaration: {
    id: 'trust.edits',
    question: 'How much do people change before they take it?',
    formula: 'accepted by the share of characters that was changed / accepted of which it is known',
    unit: 'ratio',
    variants: {
      none: 'nothing changed', light: 'up to a fifth changed', moderate: 'more than a fifth, up to a half', heavy: 'more than a half',
      unknown: 'not told how much, of all accepted',
    },
    grains: GRAINS,
    dimensions: FACT_DIMENSIONS,
    minimum: LEAST_PEOPLE,
    watchOut: 'An edit distance counts characters, not meaning: one changed figure is light. Where unknown is large, the rest speaks for a few hosts only.',
    version: 1,
  },
  behind: { '': OF_KNOWN, unknown: OF_ACCEPTED },
  figures: (asking) => ratioFigures(asking, {
    variants: {
      ...Object.fromEntries(['none', 'light', 'moderate', 'heavy'].map((variant, i) => [variant, { x: amountOf(BANDS[i]!), y: KNOWN }])),
      unknown: { x: less(ACCEPTED, ...BANDS), y: ACCEPTED },
    },
  }),
};

export const kept: Metric = {
  declaration: {
    id: 'trust.kept',
    question: 'What is left of it some days later?',
    formula: 'share of an accepted result that still stands, the mean over results: as of the last recheck by then',
    unit: 'ratio',
    variants: Object.fromEntries([
      ...HORIZONS.map((days) => [`day_${days}`, `after ${days === 1 ? 'a day' : `${days} days`}`]),
      ...HORIZONS.map((days) => [`unknown_${days}`, `accepted and not rechecked by ${days === 1 ? 'the day after' : `day ${days}`}, of all accepted`]),
    ]),
    grains: GRAINS,
    dimensions: FACT_DIMENSIONS,
    minimum: LEAST_PEOPLE,
    watchOut: 'Results that were not rechecked are left out, and who rechecks chooses which: see unknown. Counted on the day the invocation started, so recent days know little of day 30.',
    version: 1,
  },
  behind: Object.fromEntries(HORIZONS.flatMap((days) => [[`day_${days}`, counted(`kept_${days}`)], [`unknown_${days}`, OF_ACCEPTED]])),
  figures: (asking) => ratioFigures(asking, {
    variants: Object.fromEntries([
      ...HORIZONS.map((days) => [`day_${days}`, { x: { ...amountOf(`kept_${days}`), per: 1e6 }, y: amountOf(`kept_${days}_known`) }]),
      ...HORIZONS.map((days) => [`unknown_${days}`, { x: less(ACCEPTED, `kept_${days}_known`), y: ACCEPTED }]),
    ]),
  }),
};
