import { ask, CATALOGUE, checkDeploymentId, understand } from '@foothold/adoption';
import { DIMENSIONS, type Answer } from '@foothold/contract';
import { type Command } from 'commander';
import { asUsage, inSession, say, table, withTenant, WrongUsage } from './session.js';

interface Flags {
  tenant: string;
  json?: boolean;
  list?: boolean;
  from?: string;
  to?: string;
  grain?: string;
  by?: string;
}

export function addMetricsCommand(program: Command): void {
  withTenant(program.command('metrics [deployment] [metric]'))
    .description('what a metric says of a deployment')
    .option('--list', 'the catalogue: every metric, what it asks and how it is misread')
    .option('--from <day>', 'first local day, YYYY-MM-DD (default: all there is, of ten years at most)')
    .option('--to <day>', 'last local day, included')
    .option('--grain <grain>', 'day, week, month or all')
    .option('--by <dimensions>', `${DIMENSIONS.join(', ')}, where the metric has them; several separated by commas`)
    .action(async (deployment: string | undefined, metric: string | undefined, flags: Flags) => {
      if (flags.list) return say(flags.json, CATALOGUE, catalogueText);
      if (deployment === undefined || metric === undefined) throw new WrongUsage(deployment === undefined ? 'deployment' : 'metric', 'is missing', 'write: foothold metrics DEPLOYMENT METRIC, or foothold metrics --list for the choices');
      await asUsage((field) => field, () => checkDeploymentId('deployment', deployment));
      const question = await asUsage(flagOf, () => understand({ metric, grain: flags.grain, from: flags.from, to: flags.to, by: flags.by }));
      const viewer = { tenant: flags.tenant, deployments: null };
      const found = await inSession(({ log }) => asUsage(flagOf, async () => (await ask(log, viewer, deployment, question)).answer()));
      say(flags.json, found, () => answerText(found, question.by));
    });
}

const flagOf = (field: string): string => (field === 'metric' ? field : `--${field}`);

function answerText({ rows, notes, unit, completeThrough: complete, revisedAt, metric, version }: Answer, by: readonly string[]): string {
  const head = [`${metric} (version ${version}), complete through ${complete ?? 'an unknown moment'}, last revised ${revisedAt ?? 'never'}`, ...notes].join('\n');
  if (rows.length === 0) return `${head}\n${notes.length > 0 ? 'there is nothing to tell of this range' : 'nothing was counted in this range'}`;
  const figure = (value: number | null) => (value === null ? '-' : Number.isInteger(value) && unit !== 'ratio' ? String(value) : value.toFixed(4));
  const count = (value: number | null) => (value === null ? '-' : Number.isInteger(value) ? String(value) : value.toFixed(3));
  return `${head}\n${table([
    ['from', 'to', ...by, 'variant', 'value', '95 % low', 'high', 'numerator', 'denominator', 'people'],
    ...rows.map((row) => [
      row.from, row.to, ...by.map((dimension) => row.by[dimension] ?? '(not given)'), row.variant, row.suppressed ? 'hidden' : figure(row.value), figure(row.low), figure(row.high),
      count(row.numerator), count(row.denominator), count(row.people),
    ]),
  ])}`;
}

function catalogueText(): string {
  return CATALOGUE.map(
    ({ id, question, formula, grains, dimensions, variants, watchOut }) =>
      `${id}\n  ${question}\n  = ${formula}\n  grains ${grains.join(', ')}; by ${dimensions.join(', ') || 'nothing'}\n${Object.entries(variants).map(([name, meaning]) => `  ${name}: ${meaning}`).join('\n')}\n  Watch out: ${watchOut}`,
  ).join('\n\n');
}
