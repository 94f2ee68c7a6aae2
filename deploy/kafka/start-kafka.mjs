/**
 * Starts a real one-node Kafka as a child process.
 * Arrives: a port and a data directory. Leaves: a broker that answers, and the handle to stop, kill and restart it.
 * Next: kafka.mjs (the command) and the tests.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureJars, javaCommand, KafkaError, output, requireJava } from './jars.mjs';

const TEMPLATE = join(import.meta.dirname, 'server.properties');
const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 30_000;

/**
 * Starts Kafka and waits until it answers. The data directory keeps its topics from one start to the next.
 * @param {{ port?: number, dataDir: string, quiet?: boolean, more?: Listener[], scram?: Record<string, string> }} options
 *   without `port` (or with 0) a free one is taken; `more` are listeners beside the open one, `scram` users with their passwords, who exist from the first start on
 * @returns the broker's address, those of further listeners, and what can be done to it; `restart` comes back on the same port with the same data
 * @throws KafkaError naming what is missing: Java, Maven, the port, the data directory
 * @typedef {{ name: string, protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL', properties: Record<string, string>, advertised?: number }} Listener
 *   `name` in capitals, `properties` as Kafka calls them for a single listener, `advertised` the port of a proxy before it
 */
export async function startKafka({ port = 0, dataDir, quiet = false, more = [], scram = {} }) {
  const say = quiet ? () => undefined : (line) => process.stderr.write(`kafka: ${line}\n`);
  await requireJava();
  const jars = await ensureJars(say);
  const node = { port: port === 0 ? await freePort() : port, data: resolve(dataDir), classPath: join(jars, '*'), say, scram, more: [] };
  for (const listener of more) node.more.push({ ...listener, port: await freePort() });

  let jvm = await run(node);
  return {
    brokers: [`127.0.0.1:${node.port}`],
    listeners: Object.fromEntries(node.more.map(({ name, port }) => [name, `127.0.0.1:${port}`])),
    dataDir: node.data,
    get pid() {
      return jvm.pid;
    },
    /** Settles when the present JVM has ended, whoever ended it. */
    ended: () => ended(jvm),
    /** Stops the broker cleanly. */
    stop: () => end(jvm, 'SIGTERM'),
    /** Sends a signal (SIGKILL by default, as a crash would be) and waits until the process is gone. */
    kill: (signal = 'SIGKILL') => end(jvm, signal),
    /** Starts again on the same port and data, after stop() or kill(), or stopping first. */
    async restart() {
      await end(jvm, 'SIGTERM');
      jvm = await run(node);
    },
  };
}

async function run(node) {
  if (!(await isFree(node.port))) {
    throw new KafkaError(`port ${node.port} of 127.0.0.1 is in use: stop what listens there, or choose another with --port`);
  }
  await mkdir(node.data, { recursive: true }).catch((error) => {
    throw new KafkaError(`the data directory ${node.data} cannot be made (${error.code}): choose another with --data`);
  });
  const config = await writeConfig(node);
  await formatOnce(node, config);

  const logPath = join(node.data, 'kafka.log');
  await rename(logPath, `${logPath}.1`).catch(() => undefined); // the log of the start before, kept once
  const log = openSync(logPath, 'a');
  // The log is a file and not a pipe: the broker writes on, whatever becomes of the process that started it.
  const jvm = spawn(
    javaCommand(),
    ['-Xms128m', '-Xmx512m', '-XX:+UseG1GC', '-Dorg.slf4j.simpleLogger.showDateTime=true', '-cp', node.classPath, 'kafka.Kafka', config],
    { stdio: ['ignore', log, log] },
  );
  closeSync(log);
  endWithThisProcess(jvm);
  try {
    await untilAnswering(node.port, jvm, logPath);
  } catch (error) {
    await end(jvm, 'SIGKILL');
    throw error;
  }
  node.say(`process ${jvm.pid}, data in ${node.data}, log in ${logPath}`);
  return jvm;
}

/**
 * A broker must not outlive the process that started it, even one that was killed: a shell waits for the end
 * of a pipe that only this process holds, and takes the JVM along. In its own session, so that Ctrl-C spares it.
 */
function endWithThisProcess(jvm) {
  if (jvm.pid === undefined || process.platform === 'win32') return;
  const guard = spawn('/bin/sh', ['-c', 'read -r _; kill -9 "$0"', String(jvm.pid)], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  guard.on('error', () => undefined);
  guard.unref();
  guard.stdin.unref();
  jvm.once('exit', () => guard.kill('SIGKILL'));
}

async function writeConfig(node) {
  const values = { port: node.port, controllerPort: await freePort(), data: node.data.replaceAll('\\', '/') };
  const template = await readFile(TEMPLATE, 'utf8');
  const path = join(node.data, 'server.properties');
  const filled = template.replace(/^(?!#).*\{\{.*$/gm, (line) => line.replace(/\{\{(\w+)\}\}/g, (_, name) => String(values[name])));
  await writeFile(path, node.more.reduce(withListener, filled));
  return path;
}

function withListener(config, { name, protocol, port, properties, advertised = port }) {
  const address = (at) => `,${name}://127.0.0.1:${at}`;
  const own = Object.entries(properties).map(([key, value]) => `listener.name.${name.toLowerCase()}.${key}=${value}\n`);
  return config.replace(/^listeners=.*$/m, `$&${address(port)}`).replace(/^advertised\.listeners=.*$/m, `$&${address(advertised)}`).replace(/^listener\.security\.protocol\.map=.*$/m, `$&,${name}:${protocol}`) + own.join('');
}

async function formatOnce(node, config) {
  const formatted = await access(join(node.data, 'log', 'meta.properties')).then(
    () => true,
    () => false,
  );
  if (formatted) return;
  const id = `k${randomBytes(16).toString('base64url').slice(1)}`; // a leading '-' would read as an option
  const users = Object.entries(node.scram).flatMap(([name, password]) => ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => ['--add-scram', `${mechanism}=[name=${name},password=${password}]`]));
  const answer = await output(javaCommand(), ['-Xmx128m', '-cp', node.classPath, 'kafka.tools.StorageTool', 'format', '-g', '-t', id, '-c', config, ...users]);
  if (answer.code !== 0) throw new KafkaError(`Kafka could not format its storage in ${node.data}; delete that directory or choose another:\n${tail(answer.text)}`);
}

/** Asks for the broker's ApiVersions until it answers: an open port alone does not mean that it serves. */
async function untilAnswering(port, jvm, logPath) {
  const deadline = Date.now() + START_TIMEOUT_MS;
  let failed;
  jvm.once('error', (error) => (failed = error));
  while (Date.now() < deadline) {
    if (failed || jvm.exitCode !== null || jvm.signalCode !== null) {
      const how = failed?.message ?? jvm.signalCode ?? `exit code ${jvm.exitCode}`;
      throw new KafkaError(`Kafka ended while starting (${how}). ${await troubleIn(logPath)}`);
    }
    if (await answers(port)) return;
    await sleep(100);
  }
  throw new KafkaError(`Kafka did not answer within ${START_TIMEOUT_MS / 1000} s. ${await troubleIn(logPath)}`);
}

/** What a log says went wrong: its first errors, which the shutdown that follows them would push out of its end. */
async function troubleIn(logPath) {
  const text = await readFile(logPath, 'utf8');
  if (/Failed to acquire lock on file/.test(text)) return `Another Kafka runs on the same data directory: stop it, or choose another with --data. See ${logPath}`;
  const errors = text.split('\n').filter((line) => / (ERROR|FATAL) |^Exception|^Caused by/.test(line));
  return errors.length > 0 ? `${logPath} says:\n${errors.slice(0, 6).join('\n')}` : `${logPath} ends with:\n${tail(text)}`;
}

const API_VERSIONS_REQUEST = Buffer.from('0000000a' + '0012' + '0000' + '00000001' + 'ffff', 'hex'); // size, key 18, version 0, correlation, no client id

function answers(port) {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(API_VERSIONS_REQUEST));
    const settle = (answer) => {
      socket.destroy();
      done(answer);
    };
    socket.setTimeout(2000, () => settle(false));
    socket.once('data', () => settle(true));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
  });
}

function ended(jvm) {
  if (jvm.exitCode !== null || jvm.signalCode !== null || jvm.pid === undefined) return Promise.resolve();
  return new Promise((done) => jvm.once('exit', () => done(undefined)));
}

async function end(jvm, signal) {
  const gone = ended(jvm);
  jvm.kill(signal);
  const timer = setTimeout(() => jvm.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await gone;
  clearTimeout(timer);
}

/** A free port below 32768, where the system takes no ports for outgoing connections. */
async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port) {
  return new Promise((done) => {
    const server = createServer()
      .once('error', () => done(false))
      .listen(port, '127.0.0.1', () => server.close(() => done(true)));
  });
}

function tail(text) {
  return text.trim().split('\n').slice(-12).join('\n');
}
