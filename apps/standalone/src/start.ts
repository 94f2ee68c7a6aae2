/**
 * `npm start`: the whole system, empty, in one process, until Ctrl-C. With KAFKA_BROKERS events go through Kafka; without
 * DATABASE_URL the database is the embedded Postgres in FOOTHOLD_HOME.
 */
import { runProcess } from '@foothold/platform';
import { endings, note, quiet } from './front.js';
import { MIGRATIONS, modulesOf } from './modules.js';
import { ROLES } from './roles.js';
import { welcome } from './welcome.js';

if (process.argv.length > 2) {
  note(`npm start: takes no flags. It is configured by the environment (README, Configuration); for single roles: npx foothold serve --roles ${ROLES.join(',')}`);
  process.exit(2);
}
const roles = ROLES.filter((role) => role !== 'recorder' || Boolean(process.env['KAFKA_BROKERS']));
note('starting; the first time the database is made, which takes some seconds');
await runProcess({
  name: roles.join('+'), modules: modulesOf(roles), migrations: MIGRATIONS, listens: true, environment: quiet(process.env),
  front: {
    ...endings('npm start'),
    begun: async (platform, url) => {
      process.stdout.write(`${await welcome(platform, url, process.env)}`);
      return 'serve';
    },
  },
});
