/**
 * `foothold`: what people type. Progress and prose go to stderr, the answer alone to stdout;
 * exit 0 done, 1 refused or failed, 2 wrong usage.
 */
import { WrongInput } from '@foothold/contract';
import { errorText } from '@foothold/platform';
import { Command, CommanderError } from 'commander';
import { addDeploymentCommands } from './deployment.js';
import { addDoctorCommand } from './doctor.js';
import { addImportCommand } from './import.js';
import { addLedgerCommands } from './ledger.js';
import { addMetricsCommand } from './metrics.js';
import { WrongUsage } from './session.js';
import { addServeCommand } from './serve.js';

const program = new Command('foothold')
  .description('Shows, from evidence, whether a deployed AI system is really used, trusted and useful.')
  .exitOverride()
  .configureHelp({ showGlobalOptions: true });
// Commander copies exitOverride to subcommands made with .command(), which all of these are.
for (const add of [addServeCommand, addDeploymentCommands, addImportCommand, addMetricsCommand, addLedgerCommands, addDoctorCommand]) add(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof WrongUsage) {
    process.stderr.write(`foothold: ${error.message}\n`);
    return 2;
  }
  process.stderr.write(`foothold: ${error instanceof WrongInput ? error.message : errorText(error)}\n`);
  if (process.env['FOOTHOLD_LOG_LEVEL'] === 'debug' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return 1;
}
