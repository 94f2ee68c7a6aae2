/**
 * The command `npm run kafka`: a real one-node Kafka without Docker, from Java and Maven.
 * Arrives: flags. Leaves: a running broker with Foothold's topics, whose address is printed, until it is interrupted.
 */
import { realpathSync } from 'node:fs';
import { access, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import kafkajs from 'kafkajs';
import { KafkaError } from './jars.mjs';
import { startKafka } from './start-kafka.mjs';

export { KafkaError, runKafkaTool } from './jars.mjs';
export { startKafka } from './start-kafka.mjs';

const { Kafka, logLevel } = kafkajs;
/** Enough to try out several recorders. */
const PARTITIONS = 3;

const USAGE = `usage: node deploy/kafka/kafka.mjs [--port 9092] [--data DIR] [--reset]

  --port N    where Kafka listens on 127.0.0.1 (default 9092; 0 takes a free port)
  --data DIR  where it keeps its topics (default deploy/kafka/data)
  --reset     begin with an empty data directory
  --help      this text`;

async function main() {
  const options = readFlags(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  if (options.reset) await reset(options.dataDir);

  // Interrupting must also work while Kafka is still starting: startKafka then kills its JVM at exit.
  const early = () => process.exit(1);
  process.once('SIGINT', early).once('SIGTERM', early);
  const kafka = await startKafka(options);
  let stopping = false;
  const stop = () => {
    stopping = true;
    process.stderr.write('kafka: stopping ...\n');
    void kafka.stop();
  };
  process.off('SIGINT', early).off('SIGTERM', early).once('SIGINT', stop).once('SIGTERM', stop);
  await createTopics(kafka.brokers, process.env.KAFKA_PREFIX || 'foothold');
  process.stdout.write(`KAFKA_BROKERS=${kafka.brokers.join(',')}\n`);

  await kafka.ended();
  if (!stopping) throw new KafkaError(`Kafka ended by itself: see ${join(kafka.dataDir, 'kafka.log')}`);
}

/** The two topics without which the collector takes nothing; what is there stays as it is. */
async function createTopics(brokers, prefix) {
  const admin = new Kafka({ clientId: 'npm-run-kafka', brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const topics = ['usage', 'dead-letters'].map((name) => ({ topic: `${prefix}.${name}.v1`, numPartitions: PARTITIONS }));
  await admin.createTopics({ topics, waitForLeaders: false });
  await admin.disconnect();
}

function readFlags(args) {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: { port: { type: 'string' }, data: { type: 'string' }, reset: { type: 'boolean' }, help: { type: 'boolean' } },
    }));
  } catch (error) {
    throw new KafkaError(`${error.message}\n${USAGE}`, { exitCode: 2 });
  }
  const port = values.port ?? '9092';
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new KafkaError(`--port ${port}: give a number from 0 to 65535\n${USAGE}`, { exitCode: 2 });
  }
  if (values.data === '') throw new KafkaError(`--data: give a directory\n${USAGE}`, { exitCode: 2 });
  return {
    port: Number(port),
    dataDir: resolve(values.data ?? join(import.meta.dirname, 'data')),
    reset: values.reset ?? false,
    help: values.help ?? false,
  };
}

/** Empties a data directory, and refuses one that was never Kafka's: a mistyped --data must not cost anyone a folder. */
async function reset(dataDir) {
  const entries = await readdir(dataDir).catch((error) => {
    if (error.code === 'ENOENT') return [];
    throw new KafkaError(`--data ${dataDir} cannot be read (${error.code}): give a directory`, { exitCode: 2 });
  });
  if (entries.length === 0) return;
  const ours = await access(join(dataDir, 'server.properties')).then(
    () => true,
    () => false,
  );
  if (!ours) throw new KafkaError(`--reset: ${dataDir} holds other files than Kafka's; delete it yourself or give another --data`, { exitCode: 2 });
  await rm(dataDir, { recursive: true });
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    process.stderr.write(`kafka: ${error instanceof KafkaError ? error.message : error.stack}\n`);
    process.exitCode = error.exitCode ?? 1;
  });
}
