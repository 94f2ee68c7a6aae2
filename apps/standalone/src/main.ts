/** Any of the processes in one: `--roles recorder,projector`. */
import { adoptionMigrations } from '@foothold/adoption';
import { eventLogMigrations } from '@foothold/event-log';
import { runProcess } from '@foothold/platform';
import { ApiModule } from '../../api/src/api.module.js';
import { ProjectorModule } from '../../projector/src/projector.module.js';
import { RecorderModule } from '../../recorder/src/recorder.module.js';
import { LISTENING, rolesOf, type Role } from './roles.js';

const MODULES: Record<Role, new (...args: never[]) => unknown> = { recorder: RecorderModule, projector: ProjectorModule, api: ApiModule };

const roles = rolesOf(process.argv.slice(2));
if ('wrong' in roles) {
  process.stderr.write(`${roles.wrong}\n`);
  process.exit(2);
}
await runProcess({ name: roles.roles.join('+'), modules: roles.roles.map((role) => MODULES[role]), migrations: [...eventLogMigrations, ...adoptionMigrations], listens: roles.roles.some((role) => LISTENING.includes(role)) });
