/** What people decide about a deployment: its registration, its days, its closures. Each is one fact in its stream. */
import {
  agree, checkDeploymentId, close, decideHandoff, decideOn, DEFAULT_REGISTRATION, deploymentOf, enabledOn, localDay, onLeave, parseRegistration, registerDeployment, rosterOf, startPilot, withdrawClosure,
  type Change, type Deployment, type WrittenRegistration,
} from '@foothold/adoption';
import { Conflicting, WrongInput } from '@foothold/contract';
import { redriveWaiting } from '@foothold/event-log';
import { type Command } from 'commander';
import { catchUp } from './catch-up.js';
import { tellUnopened } from './dead-letters.js';
import { asUsage, inSession, say, table, withTenant, WrongUsage } from './session.js';

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
      say(flags.json, { deployment: id, tenant: flags.tenant, version: registered.version, new: registered.isNew, redriven: registered.redriven, ...registered.registration }, () =>
        registered.isNew ? `registered ${id} (time zone ${wanted.timeZone})` : `${id} was registered like this already`,
      );
    });

  for (const [name, what, decide] of DAYS) {
    withTenant(deployment.command(`${name} <id> <day>`))
      .description(what)
      .action((id: string, day: string, flags: Flags) => decided(id, flags, (field) => field, (stands) => decide(stands, day)));
  }
  withTenant(deployment.command('close <id>'))
    .description('say on which days nobody could use it; both are included')
    .requiredOption('--from <day>', 'YYYY-MM-DD')
    .requiredOption('--to <day>', 'YYYY-MM-DD')
    .option('--reason <code>', 'why, such as public-holiday')
    .option('--withdraw', 'take the closure of exactly these days back')
    .action((id: string, flags: ClosureFlags) => {
      const { from, to, reason, withdraw } = flags;
      if (withdraw && reason !== undefined) throw new WrongUsage('--reason', 'a closure that is withdrawn needs none', 'leave out one of --withdraw and --reason');
      return decided(id, flags, flagOf, (stands) => (withdraw ? withdrawClosure(stands, from, to) : close(stands, { from, to, reason: reason ?? null })));
    });
  withTenant(deployment.command('agree <id>'))
    .description('hold what was agreed with those who stand for the people')
    .requiredOption('--people <number>', 'fewest people that a figure is told of, 5 or more')
    .option('--dwell-times', 'it may be told how many decisions were hasty')
    .action((id: string, flags: AgreementFlags) => {
      const agreed = { people: peopleOf(flags.people), dwellTimes: flags.dwellTimes ?? false };
      return decided(id, flags, flagOf, (stands) => agree(stands, agreed));
    });
  withTenant(deployment.command('show <id>'))
    .description('what stands: registration, days, closures, and how many people are enabled today')
    .action(async (id: string, flags: Flags) => {
      const shown = await inSession(async ({ log }) => {
        const found = await deploymentOf(log, { tenant: flags.tenant, deployments: null }, id);
        const people = [...(await rosterOf((sql, values) => log.database.query(sql, values), found.deployment)).values()];
        const today = localDay(found.registration.timeZone, Date.now() * 1000);
        const roster = { people: people.length, enabled: people.filter((periods) => enabledOn(periods, today)).length, onLeave: people.filter((periods) => onLeave(periods, today)).length };
        return { ...viewOf(flags.tenant, found), roster };
      });
      say(flags.json, shown, () => table(Object.entries(shown).map(([name, value]) => [name, wordsOf(value)])));
    });
}

const DAYS: [name: string, what: string, decide: (stands: Deployment, day: string) => Change | null][] = [
  ['pilot', 'say on which day the pilot started', startPilot],
  ['handoff', 'say on which day it is handed off, from which weeks are counted', decideHandoff],
];

interface AgreementFlags extends Flags {
  people: string;
  dwellTimes?: boolean;
}

function peopleOf(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new WrongUsage('--people', `"${text}" is no number of people`, 'write a whole number, 5 or more');
  return Number(text);
}

interface ClosureFlags extends Flags {
  from: string;
  to: string;
  reason?: string;
  withdraw?: boolean;
}

/** @param flag what a field is called on the command line */
async function decided(id: string, { tenant, json }: Flags, flag: (field: string) => string, decide: (stands: Deployment) => Change | null): Promise<void> {
  const decideOnFlags = (stands: Deployment): Change | null => {
    try {
      return decide(stands);
    } catch (error) {
      // Contradicts what stands: refused. Cannot be meant at all: wrong usage.
      if (error instanceof Conflicting) throw new Conflicting(flag(error.field), error.reason, error.fix);
      throw error instanceof WrongInput ? new WrongUsage(flag(error.field), error.reason, error.fix) : error;
    }
  };
  const { deployment, changed } = await inSession(({ log }) => decideOn(log, { tenant, deployments: null }, id, Date.now() * 1000, undefined, decideOnFlags));
  say(json, { ...viewOf(tenant, deployment), changed }, () => (changed ? `${id} is at version ${deployment.version} now` : `it stood already: ${id} is at version ${deployment.version}`));
}

const viewOf = (tenant: string, { id, version, registration, closures, agreement }: Deployment) => ({ deployment: id, tenant, version, ...registration, agreement, closures });

/** A value as people read it. */
function wordsOf(value: unknown): string {
  if (value === null) return '-';
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(wordsOf).join(', ');
  return typeof value === 'object' ? Object.entries(value).filter(([, part]) => part !== null).map(([name, part]) => `${name} ${String(part)}`).join(' ') : String(value);
}

const flagOf = (field: string): string => (field === 'id' ? 'id' : `--${field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
