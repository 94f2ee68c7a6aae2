import { ask, CATALOGUE, checkDeploymentId, explained, explanation, understand } from '@foothold/adoption';
import { answerTable, catalogueTable, csvForm, csvOf, DIMENSIONS } from '@foothold/contract';
import { type Command } from 'commander';
import { answerText } from './answer-text.js';
import { printable } from './printable.js';
import { asUsage, inSession, say, withTenant, WrongUsage } from './session.js';

interface Flags {
  tenant: string;
  json?: boolean;
  csv?: boolean;
  locale?: string;
  list?: boolean;
  explain?: string;
  from?: string;
  to?: string;
  grain?: string;
  by?: string;
}

export function addMetricsCommand(program: Command): void {
  withTenant(program.command('metrics [deployment] [metric]'))
    .description('what a metric says of a deployment')
    .option('--list', 'the catalogue: every metric, what it asks and how it is misread')
    .option('--explain <metric>', 'what a metric means: formula, variants, how it is misread, and what it comes to in an example')
    .option('--from <day>', 'first local day, YYYY-MM-DD (default: all there is, of ten years at most)')
    .option('--to <day>', 'last local day, included')
    .option('--grain <grain>', 'day, week, month or all')
    .option('--by <dimensions>', `${DIMENSIONS.join(', ')}, where the metric has them; several separated by commas`)
    .option('--csv', 'the rows as CSV (RFC 4180), safe to open in a spreadsheet; what must be known to read them goes to stderr')
    .option('--locale <tag>', 'of CSV: such as nb-NO, for a spreadsheet set to it (semicolons and decimal commas where it has these)')
    .action(async (deployment: string | undefined, metric: string | undefined, flags: Flags) => {
      const { csv, locale } = flags;
      if (csv && flags.json) throw new WrongUsage('--csv', 'an answer is JSON or CSV', 'leave out one of --json and --csv');
      if (locale !== undefined && !csv) throw new WrongUsage('--locale', 'only CSV is written for a locale', 'add --csv, or leave it out');
      const form = await asUsage(flagOf, () => csvForm(locale));
      if (flags.explain !== undefined) return explain(flags.explain, flags);
      if (flags.list && csv) return void process.stdout.write(csvOf(catalogueTable(CATALOGUE), form));
      if (flags.list) return say(flags.json, CATALOGUE, catalogueText);
      if (deployment === undefined || metric === undefined) throw new WrongUsage(deployment === undefined ? 'deployment' : 'metric', 'is missing', 'write: foothold metrics DEPLOYMENT METRIC, or foothold metrics --list for the choices');
      await asUsage((field) => field, () => checkDeploymentId('deployment', deployment));
      const question = await asUsage(flagOf, () => understand({ metric, grain: flags.grain, from: flags.from, to: flags.to, by: flags.by }));
      const viewer = { tenant: flags.tenant, deployments: null };
      const found = await inSession(({ log }) => asUsage(flagOf, async () => (await ask(log, viewer, deployment, question)).answer()));
      if (csv) {
        if (found.notes.length > 0) process.stderr.write(printable(`${found.notes.join('\n')}\n`));
        // As it is, with its line ends: what the boundary lets in as a value holds nothing that a terminal would act on.
        return void process.stdout.write(csvOf(answerTable(found, question.by), form));
      }
      say(flags.json, found, () => answerText(found, question.by, process.stdout.isTTY ? process.stdout.columns || 80 : undefined));
    });
}

async function explain(id: string, { csv, json }: Flags): Promise<void> {
  if (csv) throw new WrongUsage('--csv', 'an explanation is no table', 'leave it out');
  const { metric } = await asUsage(() => '--explain', () => understand({ metric: id }));
  const told = explained(metric);
  say(json, told, () => explanation(told));
}

const flagOf = (field: string): string => (field === 'metric' ? field : `--${field}`);

function catalogueText(): string {
  return CATALOGUE.map(
    ({ id, question, formula, grains, dimensions, variants, watchOut }) =>
      `${id}\n  ${question}\n  = ${formula}\n  grains ${grains.join(', ')}; by ${dimensions.join(', ') || 'nothing'}\n${Object.entries(variants).map(([name, meaning]) => `  ${name}: ${meaning}`).join('\n')}\n  Watch out: ${watchOut}`,
  ).join('\n\n');
}
