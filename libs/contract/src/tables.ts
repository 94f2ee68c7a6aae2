/** The answers that can be given as CSV, as tables: what JSON nests stands in columns of its own. */
import { listed, type Table } from './csv.js';
import { type Answer, type DeploymentView, type LetterGroup, type Metric } from './queries.js';

/** A row a figure; what holds for all of them is repeated in each, so that a row taken out of the file still carries its doubt. */
export function answerTable({ metric, version, unit, completeThrough, revisedAt, rows }: Answer, by: readonly string[]): Table {
  return {
    columns: ['metric', 'version', 'unit', 'completeThrough', 'revisedAt', 'from', 'to', ...by, 'variant', 'value', 'numerator', 'denominator', 'low', 'high', 'people', 'suppressed'],
    rows: rows.map(({ from, to, variant, suppressed, value, numerator, denominator, low, high, people, ...row }) => [
      metric, version, unit, completeThrough, revisedAt, from, to, ...by.map((dimension) => row.by[dimension] ?? null), variant,
      ...(suppressed ? HIDDEN : [value, numerator, denominator, low, high, people]), suppressed,
    ]),
  };
}

/** The cells of a figure that is hidden: empty, for a spreadsheet would add up whatever stood there. */
const HIDDEN = [null, null, null, null, null, null];

/** A metric as it is declared or as it was answered. */
type Declared = Omit<Metric, 'grains' | 'dimensions'> & { grains: readonly string[]; dimensions: readonly string[] };

/** A row a variant. */
export function catalogueTable(catalogue: readonly Declared[]): Table {
  return {
    columns: ['id', 'question', 'formula', 'unit', 'variant', 'meaning', 'grains', 'dimensions', 'watchOut', 'version'],
    rows: catalogue.flatMap(({ id, question, formula, unit, variants, grains, dimensions, watchOut, version }) =>
      Object.entries(variants).map(([variant, meaning]) => [id, question, formula, unit, variant, meaning, listed(grains), listed(dimensions), watchOut, version]),
    ),
  };
}

export function deploymentTable(deployments: readonly DeploymentView[]): Table {
  return {
    columns: ['deployment', 'tenant', 'version', 'timeZone', 'country', 'taskKinds', 'pilotStart', 'handoff', 'target', 'sandbox', 'leastPeople', 'closures'],
    rows: deployments.map((one) => [one.deployment, one.tenant, one.version, one.timeZone, one.country, listed(one.taskKinds), one.pilotStart, one.handoff, one.target, one.sandbox, one.agreement?.people ?? null, listed(one.closures.map(({ from, to }) => `${from}/${to}`))]),
  };
}

export function letterTable(letters: readonly LetterGroup[]): Table {
  return {
    columns: ['id', 'kind', 'field', 'reason', 'fix', 'count', 'firstSeen', 'lastSeen'],
    rows: letters.map(({ id, kind, field, reason, fix, count, firstSeen, lastSeen }) => [id, kind, field, reason, fix, count, firstSeen, lastSeen]),
  };
}
