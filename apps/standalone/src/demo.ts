/**
 * `npm run demo`: the real system in one process, on a database of its own, and an organisation that does not exist, whose
 * nine months of work reach it through the SDK. It ends with what an owner would want to know, and serves until Ctrl-C.
 *
 * What arrives: flags. What leaves: figures on stdout; on stderr what it does, and how long that takes.
 */
import { PORT, readConfig, runProcess } from '@foothold/platform';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { demoEnvironment, empty } from './demo/database.js';
import { flagsOf, USAGE } from './demo/flags.js';
import { play, Timing } from './demo/play.js';
import { endings, note, quiet } from './front.js';
import { MIGRATIONS, modulesOf } from './modules.js';

const PROGRAM = 'npm run demo';
const ROLES = ['collector', 'projector', 'api'] as const;

const flags = flagsOf(process.argv.slice(2));
if ('wrong' in flags || flags.help) {
  note('wrong' in flags ? `${flags.wrong}\n\n${USAGE}` : USAGE);
  process.exit('wrong' in flags ? 2 : 0);
}
const { ending, failed } = endings(PROGRAM);
const timing = new Timing(note);
try {
  const environment = await preparedEnvironment(flags.fresh);
  await runProcess({
    name: ROLES.join('+'), modules: modulesOf(ROLES), migrations: MIGRATIONS, listens: true, environment,
    front: {
      ending, failed,
      begun: async (platform, url) => {
        timing.took(`database and services run at ${url}`);
        process.stdout.write(`\n${await play(platform, url, flags.plan, timing)}\n`);
        timing.total();
        if (!flags.exit) note('It goes on serving. Ctrl-C ends it.');
        return flags.exit ? 'end' : 'serve';
      },
    },
  });
} catch (error) {
  failed(error);
  process.exit(1);
}

/** The demo's own settings, with a port that is free, and an empty database where one is wanted. */
async function preparedEnvironment(fresh: boolean): Promise<Record<string, string | undefined>> {
  const environment = quiet(demoEnvironment(process.env));
  if (fresh) {
    await empty(environment);
    timing.took('the database is empty');
  }
  const { FOOTHOLD_HOST: host, FOOTHOLD_PORT: port } = readConfig(environment);
  const wanted = port ?? PORT;
  if (!(await isTaken(wanted, host))) return environment;
  note(`Port ${wanted} is taken by another program; the demo takes any that is free.`);
  return { ...environment, FOOTHOLD_PORT: '0' };
}

async function isTaken(port: number, host: string): Promise<boolean> {
  const probe = createServer();
  try {
    probe.listen(port, host);
    await once(probe, 'listening');
    probe.close();
    await once(probe, 'close');
    return false;
  } catch (error) {
    return (error as { code?: string }).code === 'EADDRINUSE'; // what else stands in the way is said where the process listens
  }
}
