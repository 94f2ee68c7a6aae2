import { AlreadyRegistered, DEFAULT_REGISTRATION, parseRegistration, register, type Registration, type WrittenRegistration } from '@foothold/adoption';
import { WrongInput } from '@foothold/contract';
import { change, openTenant, stream, VersionConflict } from '@foothold/event-log';
import { type Command } from 'commander';
import { asUsage, inSession, say, withTenant, type Session } from './session.js';

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
      const wanted = await asUsage(flagOf, () => parseRegistration(id, flags));
      const registered = await inSession((session) => registerDeployment(session, flags.tenant, id, wanted));
      say(flags.json, { deployment: id, tenant: flags.tenant, version: registered.version, new: registered.isNew, ...wanted }, () =>
        registered.isNew ? `registered ${id} (time zone ${wanted.timeZone})` : `${id} was registered like this already`,
      );
    });
}

const flagOf = (field: string): string => (field === 'id' ? 'id' : `--${field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);

/**
 * Registers a deployment, or finds it registered the same.
 * @throws WrongInput where it is registered otherwise, or the tenant's people are under another key.
 */
export async function registerDeployment(session: Session, tenant: string, id: string, wanted: Registration): Promise<{ version: number; isNew: boolean }> {
  await openTenant(session.log, tenant, (of) => session.pseudonymiser.check(of));
  for (;;) {
    const current = await stream(session.log, tenant, id);
    try {
      const facts = register(id, current.registration as Registration | null, wanted, Date.now() * 1000);
      if (facts.length === 0) return { version: current.version, isNew: false };
      await change(session.log, tenant, id, current.version, facts, wanted);
      return { version: current.version + facts.length, isNew: true };
    } catch (error) {
      if (error instanceof VersionConflict) continue; // somebody registered it meanwhile: see how
      if (error instanceof AlreadyRegistered) {
        throw new WrongInput(flagOf(error.field), `${id} is registered with ${JSON.stringify(error.registered)} already`, 'register the new setting under another id, or leave the flag as it was');
      }
      throw error;
    }
  }
}
