import { usageProjection } from '@foothold/adoption';
import { rebuild, type Projection, type Rebuilt } from '@foothold/event-log';
import { type Command } from 'commander';
import { progressBar } from './progress.js';
import { inSession, say, WrongUsage } from './session.js';

const PROJECTIONS: Record<string, Projection> = { [usageProjection.name]: usageProjection };

interface Flags {
  json?: boolean;
  fresh?: boolean;
  acceptDifferences?: boolean;
}

export function addRebuildCommand(program: Command): void {
  program
    .command('rebuild [projection]')
    .description('fold a projection anew from the log beside its live tables, compare, and swap; goes on where an interrupted one stopped (exit code 1 where rows differ)')
    .option('--fresh', 'begin anew, though an interrupted rebuild could be gone on with')
    .option('--accept-differences', 'swap though rows of the same version differ: live was wrong')
    .option('--json', 'answer as JSON')
    .action(async (name: string | undefined, { json, ...options }: Flags) => {
      const projection = PROJECTIONS[name ?? usageProjection.name];
      if (!projection) throw new WrongUsage('projection', 'there is none of this name', `use one of ${Object.keys(PROJECTIONS).join(', ')}`);
      const bar = progressBar('folding', 1);
      const done = await inSession(({ log }) =>
        rebuild(log, projection, {
          ...options,
          progress: (folded, of) => {
            bar?.setTotal(of);
            bar?.update(folded);
          },
        }).finally(() => bar?.stop()),
      );
      say(json, done, () => proseOf(done));
      if (!done.swapped) process.exitCode = 1;
    });
}

function proseOf({ projection, replaced, version, events, differences, swapped }: Rebuilt): string {
  const differing = Object.entries(differences).filter(([, count]) => count > 0);
  const found = differing.length === 0 ? 'equal to live in every row and column' : `rows that differ: ${differing.map(([table, count]) => `${count} of ${table}`).join(', ')}`;
  const then = swapped ? 'swapped in' : 'NOT swapped in: live is as it was. To have the tables as they were folded now: foothold rebuild --accept-differences';
  return `${projection}: ${events} events folded${replaced < version ? ` by version ${version} in place of ${replaced}` : ''}; ${found}; ${then}`;
}
