import { verify } from '@foothold/event-log';
import { type Command } from 'commander';
import { inSession, say, table, withTenant } from './session.js';

export function addVerifyCommand(program: Command): void {
  withTenant(program.command('verify'))
    .description('is everything that was received accounted for? (exit code 1 where it is not)')
    .action(async (flags: { json?: boolean }) => {
      const ledger = await inSession(({ log }) => verify(log.database));
      say(flags.json, ledger, () =>
        [
          table([
            ['origin', 'received', 'stored', 'duplicate', 'rejected', 'quarantined'],
            ...[...ledger.sources.map((source) => ({ ...source, name: `${source.name}[${source.part}]` })), { ...ledger, name: 'all' }].map(
              ({ name, received, stored, duplicate, rejected, quarantined }) => [name, received, stored, duplicate, rejected, quarantined],
            ),
          ]),
          ...ledger.problems,
          ledger.balanced ? 'balanced: received = stored + duplicate + rejected + quarantined' : 'NOT balanced',
        ].join('\n'),
      );
      if (!ledger.balanced) process.exitCode = 1;
    });
}
