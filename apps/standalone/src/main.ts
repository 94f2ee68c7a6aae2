/** Any of the processes in one: `--roles collector,projector,api`. */
import { adoptionMigrations } from '@foothold/adoption';
import { eventLogMigrations } from '@foothold/event-log';
import { runProcess } from '@foothold/platform';
import { ApiModule } from '../../api/src/api.module.js';
import { CollectorModule } from '../../collector/src/collector.module.js';
import { ProjectorModule } from '../../projector/src/projector.module.js';
import { RecorderModule } from '../../recorder/src/recorder.module.js';
import { LISTENING, rolesOf, type Role } from './roles.js';

const MODULES: Record<Role, new (...args: never[]) => unknown> = { collector: CollectorModule, recorder: RecorderModule, projector: ProjectorModule, api: ApiModule };

const roles = rolesOf(process.argv.slice(2), Boolean(process.env['KAFKA_BROKERS']));
if ('wrong' in roles) {
  process.stderr.write(`${roles.wrong}\n`);
  process.exit(2);
}
await runProcess({ name: roles.roles.join('+'), modules: roles.roles.map((role) => MODULES[role]), migrations: [...eventLogMigrations, ...adoptionMigrations], listens: roles.roles.some((role) => LISTENING.includes(role)) });
