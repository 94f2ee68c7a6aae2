/** Any of the processes in one: `--roles collector,projector,api`. */
import { runProcess } from '@foothold/platform';
import { MIGRATIONS, modulesOf } from './modules.js';
import { LISTENING, rolesOf } from './roles.js';

const roles = rolesOf(process.argv.slice(2), Boolean(process.env['KAFKA_BROKERS']));
if ('wrong' in roles) {
  process.stderr.write(`${roles.wrong}\n`);
  process.exit(2);
}
// Whoever started it and is killed cannot say so: what ends is the channel between the two.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
await runProcess({ name: roles.roles.join('+'), modules: modulesOf(roles.roles), migrations: MIGRATIONS, listens: roles.roles.some((role) => LISTENING.includes(role)) });
