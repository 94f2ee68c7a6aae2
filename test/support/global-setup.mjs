/**
 * Once per run of the tests: a real Postgres and a real Kafka, unless the environment names them already.
 * Arrives: TEST_DATABASE_URL and KAFKA_BROKERS, or neither. Leaves: TEST_DATABASE_URL and TEST_KAFKA_BROKERS for the specs.
 */
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startKafka } from '../../deploy/kafka/kafka.mjs';
import globalTeardown from './global-teardown.mjs';
import { stopWithThisProcess } from './postgres-guard.mjs';

const ROOT = join(import.meta.dirname, '../..');
const POSTGRES = join(ROOT, 'dist/libs/platform/src/embedded-postgres.js');

/** Starts what the selected specs need; jest's workers inherit the environment that is set here. */
export default async function globalSetup(globalConfig) {
  const specs = await selectedSpecs(globalConfig);
  globalThis.footholdTestServers = [];
  globalThis.footholdTestDirectories = [];
  try {
    if (specs.some((spec) => spec.real)) await providePostgres();
    if (specs.some((spec) => spec.kafka)) await provideKafka();
  } catch (error) {
    await globalTeardown(); // jest runs no teardown after a failed setup
    throw error;
  }
}

async function providePostgres() {
  if (process.env.TEST_DATABASE_URL) return;
  if (!existsSync(POSTGRES)) throw new Error(`${POSTGRES} is missing: npm run build, or set TEST_DATABASE_URL to a PostgreSQL whose user may create databases`);
  const { openEmbeddedPostgres } = await import(pathToFileURL(POSTGRES).href);
  const home = await temporaryDirectory('postgres');
  const server = await openEmbeddedPostgres(home);
  const guard = stopWithThisProcess(home);
  globalThis.footholdTestServers.push(() => {
    guard.kill('SIGKILL');
    return server.close();
  });
  process.env.TEST_DATABASE_URL = server.url;
}

async function provideKafka() {
  if (process.env.KAFKA_BROKERS) {
    process.env.TEST_KAFKA_BROKERS = process.env.KAFKA_BROKERS;
    return;
  }
  try {
    const kafka = await startKafka({ dataDir: await temporaryDirectory('kafka'), quiet: true });
    globalThis.footholdTestServers.push(() => kafka.stop());
    process.env.TEST_KAFKA_BROKERS = kafka.brokers.join(',');
  } catch (error) {
    if (process.env.CI || !['NO_JAVA', 'NO_MAVEN'].includes(error.code)) throw error;
    process.env.FOOTHOLD_NO_KAFKA = '1';
    process.stderr.write(`\n${'!'.repeat(80)}\nNO KAFKA: the specs that need one will not pass.\n${error.message}\nOr set KAFKA_BROKERS to a Kafka of your own.\n${'!'.repeat(80)}\n\n`);
  }
}

/** Readable by all: as root Postgres runs as another user. */
async function temporaryDirectory(name) {
  const directory = await mkdtemp(join(tmpdir(), `foothold-test-${name}-`));
  globalThis.footholdTestDirectories.push(directory);
  await chmod(directory, 0o755);
  return directory;
}

/**
 * The specs of this run, and what they need by their names: `.int` and `.e2e` specs need real servers,
 * Kafka only when they mention it. A run chosen otherwise than by path counts as a run of all.
 */
async function selectedSpecs(globalConfig) {
  const selection = globalConfig.testPathPatterns?.toExecutor?.({ rootDir: ROOT });
  const byPath = selection !== undefined && !globalConfig.onlyChanged && !globalConfig.findRelatedTests && !globalConfig.runTestsByPath;
  const specs = [];
  for (const folder of ['apps', 'libs', 'test']) {
    const names = await readdir(join(ROOT, folder), { recursive: true });
    for (const name of names.filter((candidate) => candidate.endsWith('.spec.ts'))) {
      const path = join(ROOT, folder, name);
      if (byPath && !selection.isMatch(path)) continue;
      const e2e = name.endsWith('.e2e.spec.ts');
      const real = e2e || name.endsWith('.int.spec.ts');
      specs.push({ path, real, kafka: e2e || (real && /kafka/i.test(await readFile(path, 'utf8'))) });
    }
  }
  return specs;
}
