import { describe, expect, it } from '@jest/globals';
import { explained, explanation, figureText } from './glossary.js';
import { type ExampleFigure } from './glossary-examples.js';
import { CATALOGUE } from './metrics/catalogue.js';

describe('a figure in words', () => {
  const FIGURE: ExampleFigure = { variant: 'all', value: 0.375, numerator: 3, denominator: 8, low: 0.12, high: 0.7, people: 5 };
  it.each<[string, Partial<ExampleFigure>, string]>([
    ['a share', {}, '3 of 8 = 0.375 (0.12 to 0.7)'], ['a share without an interval', { low: null, high: null }, '3 of 8 = 0.375'],
    ['a number of people', { value: 5, numerator: 5, denominator: null, low: null, high: null }, '5'], ['nobody, though somebody was looked at', { value: 0, numerator: 0, denominator: null, low: null, high: null }, '0; 5 people'],
    ['what is not a share of these', { value: 0.6 }, '0.6 (0.12 to 0.7); 3 / 8; 5 people'], ['a quantile', { value: 20_123.4, numerator: null, low: null, high: null }, '20123; of 8; 5 people'],
    ['what is not known', { value: null, numerator: 0, denominator: 0, low: null, high: null, people: 0 }, 'none; 0 / 0'],
  ])('%s', (_what, figure, text) => expect(figureText({ ...FIGURE, ...figure })).toBe(text));
});

it('a metric is explained with its question, formula, variants, an example of each, and how it is misread', () => {
  for (const metric of CATALOGUE) {
    const text = explanation(explained(metric));
    for (const part of [metric.id, metric.question, metric.formula, metric.watchOut, metric.grains.join(', '), ...Object.entries(metric.variants).flat()]) expect(text).toContain(part);
  }
  // Of what was wrong, cleo sent 8 as they were (each a), and 10 were written anew (each O).
  expect(explanation(explained(CATALOGUE.find(({ id }) => id === 'trust.over_reliance')!))).toMatch(/Example, 2026-01-05 to 2026-07-12\n {2}all: 8 of 18 = 0\.444 \(.*\)\n {6}accepted, of the wrong ones that were decided\n/);
});
