/**
 * The glossary: every metric in words, with an example of its figures.
 *
 * What arrives: the catalogue, and the figures of one story (`glossary-examples.ts`, written by the spec that computes them).
 * What leaves: a metric explained, as data, as text for a terminal and as a page. Next are the API, `foothold metrics
 * --explain` and glossary.md.
 */
import { type Unit } from '@foothold/contract';
import { EXAMPLES, type Example, type ExampleFigure } from './glossary-examples.js';
import { CATALOGUE } from './metrics/catalogue.js';
import { type MetricDeclaration } from './metrics/metric.js';

/** A metric and what it comes to in the story. */
export type Explained = MetricDeclaration & { example: Example };

export const STORY_IN_WORDS =
  'Every example is of the same story: eight people at two desks answer letters with drafts from an AI system, from 5 January to 12 July 2026. Three use it all along, one only now and then, two stop, one leaves and one joins. The figures are computed from its events by the code that answers questions about any other deployment.';

/** What figures of a unit are. */
const UNITS: Record<Unit, string> = { ratio: 'a share from 0 to 1', people: 'a number of people', ms: 'milliseconds', score: 'a score of its own scale', decisions: 'a number of decisions' };

/** A metric of the catalogue, explained. */
export const explained = (metric: MetricDeclaration, examples = EXAMPLES): Explained => ({ ...metric, example: examples[metric.id]! });

/** A metric explained, for a terminal. */
export function explanation({ id, version, question, example, variants, watchOut, ...metric }: Explained): string {
  return [
    `${id} (version ${version})`, `  ${question}`, ...factsOf(metric).map(([name, fact]) => `  ${name}: ${fact}`), `  Watch out: ${watchOut}`,
    '', `Example, ${spanOf(example)}`, ...rowsOf(variants, example).map(([variant, meaning, figure]) => `  ${variant}: ${figure}\n      ${meaning}`),
    '', STORY_IN_WORDS,
  ].join('\n');
}

/** The whole glossary as a page (Markdown). */
export function glossaryPage(examples = EXAMPLES): string {
  const title = '# Glossary\n\n<!-- Written by `npm run glossary` from the catalogue and its examples; a test holds it to both. -->';
  return `${[title, STORY_IN_WORDS, CATALOGUE.map(({ id }) => `[${id}](#${id.replace('.', '')})`).join(', '), ...CATALOGUE.map((metric) => section(explained(metric, examples)))].join('\n\n')}\n`;
}

function section({ id, version, question, example, variants, watchOut, ...metric }: Explained): string {
  return [
    `## ${id}\n\n**${question}** (version ${version})`, factsOf(metric).map(([name, fact]) => `- ${name}: ${fact}`).join('\n'), `**Watch out.** ${watchOut}`,
    ['| variant | what it counts | ' + spanOf(example) + ' |', '| --- | --- | --- |', ...rowsOf(variants, example).map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)].join('\n'),
  ].join('\n\n');
}

function factsOf({ formula, unit, grains, dimensions, minimum }: Pick<MetricDeclaration, 'formula' | 'unit' | 'grains' | 'dimensions' | 'minimum'>): [name: string, fact: string][] {
  return [
    ['formula', formula], ['unit', UNITS[unit]], ['grains', grains.join(', ')], ['by', dimensions.join(', ') || 'nothing'],
    ['fewest people', `${minimum}, or more where that was agreed; the example is of a sandbox, which has no such limit`],
  ];
}

const spanOf = ({ from, to }: Example): string => `${from} to ${to}`;

/** Declared variants in their order, then those that only an answer has. */
function rowsOf(variants: Record<string, string>, { figures }: Example): [variant: string, meaning: string, figure: string][] {
  return figures.map((figure) => [figure.variant, variants[figure.variant] ?? 'a code that events gave', figureText(figure)]);
}

/** A figure in words: what it was counted from and how sure it is, in parentheses the ends of its 95 % interval. */
export function figureText({ value, numerator, denominator, low, high, people }: ExampleFigure): string {
  const doubt = low === null || high === null ? '' : ` (${short(low)} to ${short(high)})`;
  if (value !== null && numerator !== null && denominator && Math.abs(numerator / denominator - value) < 1e-3) return `${short(numerator)} of ${short(denominator)} = ${short(value)}${doubt}`;
  const counted = denominator === null ? null : numerator === null ? `of ${short(denominator)}` : `${short(numerator)} / ${short(denominator)}`;
  const whose = [value, numerator, denominator].includes(people) ? null : `${people} people`;
  return [`${value === null ? 'none' : short(value)}${doubt}`, counted, whose].filter((part) => part !== null).join('; ');
}

/** To three decimals, and none where there are thousands. */
const short = (value: number): string => String(Math.abs(value) >= 1000 ? Math.round(value) : Math.round(value * 1000) / 1000);
