/** Any of the processes in one: `--roles recorder,projector`. */
import { adoptionMigrations } from '@foothold/adoption';
import { eventLogMigrations } from '@foothold/event-log';
import { runProcess } from '@foothold/platform';
import { ProjectorModule } from '../../projector/src/projector.module.js';
import { RecorderModule } from '../../recorder/src/recorder.module.js';
import { rolesOf, type Role } from './roles.js';

const MODULES: Record<Role, new (...args: never[]) => unknown> = { recorder: RecorderModule, projector: ProjectorModule };

const roles = rolesOf(process.argv.slice(2));
if ('wrong' in roles) {
  process.stderr.write(`${roles.wrong}\n`);
  process.exit(2);
}
await runProcess({ name: roles.roles.join('+'), modules: roles.roles.map((role) => MODULES[role]), migrations: [...eventLogMigrations, ...adoptionMigrations], listens: false });
