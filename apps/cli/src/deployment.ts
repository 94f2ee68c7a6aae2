import { checkDeploymentId, DEFAULT_REGISTRATION, parseRegistration, registerDeployment, type WrittenRegistration } from '@foothold/adoption';
import { Conflicting } from '@foothold/contract';
import { redriveWaiting } from '@foothold/event-log';
import { type Command } from 'commander';
import { catchUp } from './catch-up.js';
import { tellUnopened } from './dead-letters.js';
import { asUsage, inSession, say, withTenant } from './session.js';

interface Flags extends WrittenRegistration {
  tenant: string;
  json?: boolean;
}

export function addDeploymentCommands(program: Command): void {
  const deployment = program.command('deployment').description('the AI systems that are watched');
  withTenant(deployment.command('register <id>'))
    .description('register a deployment; its time zone never changes afterwards')
    .option('--time-zone <zone>', `IANA time zone (default ${DEFAULT_REGISTRATION.timeZone})`)
    .option('--country <code>', 'two letters; whose working calendar it keeps')
    .option('--task-kinds <list>', 'kinds of task it could be used for, separated by commas (default: every kind)')
    .option('--pilot-start <day>', 'YYYY-MM-DD')
    .option('--handoff <day>', 'YYYY-MM-DD')
    .option('--target <share>', `share of people who should use it, 0 to 1 (default ${DEFAULT_REGISTRATION.target})`)
    .option('--sandbox', 'for trying things out: small groups are shown, it cannot be handed off')
    .action(async (id: string, flags: Flags) => {
      const wanted = await asUsage(flagOf, () => {
        checkDeploymentId('id', id);
        return parseRegistration(flags);
      });
      const registered = await inSession(async ({ log, keyCheck }) => {
        const done = await registerDeployment(log, keyCheck, flags.tenant, id, wanted, Date.now() * 1000);
        const { redriven, kept } = await redriveWaiting(log, flags.tenant, id);
        if (redriven > 0) await catchUp(log);
        return { ...done, redriven, kept };
      }).catch((error: unknown) => {
        throw error instanceof Conflicting ? new Conflicting(flagOf(error.field), error.reason, error.fix) : error;
      });
      tellUnopened(registered.kept);
      if (registered.redriven > 0) process.stderr.write(`redriven ${registered.redriven} that had waited for it\n`);
      say(flags.json, { deployment: id, tenant: flags.tenant, version: registered.version, new: registered.isNew, redriven: registered.redriven, ...wanted }, () =>
        registered.isNew ? `registered ${id} (time zone ${wanted.timeZone})` : `${id} was registered like this already`,
      );
    });
}

const flagOf = (field: string): string => (field === 'id' ? 'id' : `--${field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
