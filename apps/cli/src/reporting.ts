/** Cells for analysts who ask with SQL: told now rather than by the sentinel, and who may read them. */
import { checkDeploymentId, deploymentsOf, tellCells, type ToldCells } from '@foothold/adoption';
import { type Command } from 'commander';
import { progressBar } from './progress.js';
import { bindRole, checkRole, newPassword, unbindRole } from './reading-role.js';
import { asUsage, inSession, say, withTenant, type Session } from './session.js';

interface Flags {
  tenant: string;
  json?: boolean;
}

export function addReportingCommands(program: Command): void {
  const reporting = program.command('reporting').description('the SQL views of schema reporting_v1: what is told, and who may read it');

  withTenant(reporting.command('refresh [deployment]'))
    .description('tell every cell anew that the views show, of one deployment or of all; the sentinel does so whenever a local day is over')
    .action(async (deployment: string | undefined, flags: Flags) => {
      if (deployment !== undefined) await asUsage((field) => field, () => checkDeploymentId('deployment', deployment));
      const told = await inSession((session) => refresh(session, flags.tenant, deployment));
      say(flags.json, told, () => told.map(proseOf).join('\n') || 'no deployments');
    });

  withTenant(reporting.command('grant <role>'))
    .description('let a role of the database read the views, with the rows of this tenant and no other; it is made where there is none, with the password in FOOTHOLD_REPORTING_PASSWORD or on stdin')
    .action(async (role: string, flags: Flags) => {
      await asUsage((field) => field, () => checkRole(role));
      const made = await inSession(({ config, log }) => bindRole(log.database, flags.tenant, role, () => newPassword(config.FOOTHOLD_REPORTING_PASSWORD)));
      say(flags.json, { role, tenant: flags.tenant, ...made }, () => `${role}${made.created ? ' was made, and' : ''} reads what is told of tenant ${flags.tenant}, in schema reporting_v1`);
    });

  withTenant(reporting.command('revoke <role>'))
    .description('end what grant let a role do; the role itself stays')
    .action(async (role: string, flags: Flags) => {
      await asUsage((field) => field, () => checkRole(role));
      await inSession(({ log }) => unbindRole(log.database, flags.tenant, role));
      say(flags.json, { role, tenant: flags.tenant, revoked: true }, () => `${role} reads nothing of tenant ${flags.tenant} any more`);
    });
}

/** What a refresh did, and how long it took. */
type Refreshed = ToldCells & { seconds: number };

async function refresh({ log }: Session, tenant: string, deployment: string | undefined): Promise<Refreshed[]> {
  const viewer = { tenant, deployments: deployment === undefined ? null : [deployment] };
  const found = await deploymentsOf(log, viewer);
  const ids = deployment === undefined ? found.map(({ id }) => id) : [deployment]; // one that is not there is told by name
  const refreshed: Refreshed[] = [];
  for (const id of ids) {
    const began = performance.now();
    const bar = progressBar(`telling ${id}`, 1);
    const pace = (done: number, of: number) => {
      bar?.setTotal(of);
      bar?.update(done);
    };
    const told = await tellCells(log, tenant, id, { anyway: true, pace }).finally(() => bar?.stop());
    if (typeof told === 'string') process.stderr.write(`${id} was told meanwhile by another process\n`);
    else refreshed.push({ ...told, seconds: Math.round((performance.now() - began) / 100) / 10 });
  }
  return refreshed;
}

const proseOf = ({ deployment, answers, cells, hidden, seconds }: Refreshed): string => `${deployment}: ${cells} cells of ${answers} answers, ${hidden} of them hidden, in ${seconds} s`;
