/**
 * `foothold`: what people type. Progress and prose go to stderr, the answer alone to stdout;
 * exit 0 done, 1 refused or failed, 2 wrong usage.
 */
import { errorText } from '@foothold/platform';
import { Command, CommanderError } from 'commander';
import { addDeadLetterCommands } from './dead-letters.js';
import { addDeploymentCommands } from './deployment.js';
import { addDoctorCommand } from './doctor.js';
import { addImportCommand } from './import.js';
import { addKeyCommands } from './keys.js';
import { addMetricsCommand } from './metrics.js';
import { printable } from './printable.js';
import { addRebuildCommand } from './rebuild.js';
import { addReportingCommands } from './reporting.js';
import { WrongUsage } from './session.js';
import { addRosterCommand } from './roster.js';
import { addServeCommand } from './serve.js';
import { addTailCommand } from './tail.js';
import { addVerifyCommand } from './verify.js';

/** Does what `args` say and leaves the exit code in `process.exitCode`. */
export async function run(args: string[], version: string): Promise<void> {
  const program = new Command('foothold')
    .description('Shows, from evidence, whether a deployed AI system is really used, trusted and useful.')
    .version(version, '--version')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(printable(text.replace(/^error: /, 'foothold: '))) })
    .showHelpAfterError('See what may be given: foothold --help, and foothold COMMAND --help')
    .configureHelp({ showGlobalOptions: true });
  // Commander copies these settings to subcommands made with .command(), which all of these are.
  for (const add of [addServeCommand, addDeploymentCommands, addRosterCommand, addKeyCommands, addImportCommand, addTailCommand, addMetricsCommand, addVerifyCommand, addReportingCommands, addDeadLetterCommands, addRebuildCommand, addDoctorCommand]) add(program);
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    process.exitCode = report(error);
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  process.stderr.write(printable(`foothold: ${errorText(error)}\n`));
  if (error instanceof WrongUsage) return 2;
  if (process.env['FOOTHOLD_LOG_LEVEL'] === 'debug' && error instanceof Error) process.stderr.write(printable(`${error.stack}\n`));
  return 1;
}
