/**
 * What a Kafka needs before it can start: a Java, and the jars that pom.xml lists.
 * Arrives: pom.xml. Leaves: libs/HASH-OF-POM/, fetched once and shared by every later start. Next: start-kafka.mjs.
 */
import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

const HERE = import.meta.dirname;
const POM = join(HERE, 'pom.xml');
const LIBS = join(HERE, 'libs');
const LEAST_JAVA = 17;

/** Kafka cannot be started for a reason outside this code; the message says what to do about it. */
export class KafkaError extends Error {
  /**
   * @param {string} message what is wrong and how to mend it
   * @param {{ code?: string, exitCode?: 1 | 2 }} [how] `code` NO_JAVA or NO_MAVEN lets a caller do without Kafka; `exitCode` 2 is wrong usage
   */
  constructor(message, how = {}) {
    super(message);
    this.name = 'KafkaError';
    this.code = how.code ?? 'KAFKA';
    this.exitCode = how.exitCode ?? 1;
  }
}

/** The java to run: of JAVA_HOME when that is set, else the one on the PATH. */
export function javaCommand() {
  return process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin', 'java') : 'java';
}

/** @throws KafkaError (NO_JAVA) unless a Java of version 17 or later runs here. */
export async function requireJava() {
  const fix = `install a Java runtime ${LEAST_JAVA} or later (on Debian: apt-get install openjdk-17-jre-headless) and put it on the PATH or set JAVA_HOME`;
  const answer = await output(javaCommand(), ['-version']);
  if (answer.missing) throw new KafkaError(`Kafka needs Java, but '${javaCommand()}' cannot be run: ${fix}`, { code: 'NO_JAVA' });
  const version = Number(/version "(?:1\.)?(\d+)/.exec(answer.text)?.[1] ?? NaN);
  if (!(version >= LEAST_JAVA)) {
    const found = answer.text.split('\n')[0]?.trim() || 'no version';
    throw new KafkaError(`Kafka needs Java ${LEAST_JAVA} or later, but '${javaCommand()} -version' says: ${found}. Please ${fix}`, { code: 'NO_JAVA' });
  }
}

/**
 * The directory of Kafka's jars; the first time they are fetched with Maven (about 45 MB).
 * They are fetched beside it and moved there whole, so of two processes neither sees half of them,
 * and it is named after pom.xml, so another version of Kafka is fetched anew.
 * @param {(line: string) => void} say told when the fetch begins, since it takes a while
 * @throws KafkaError (NO_MAVEN when there is no mvn)
 */
export async function ensureJars(say) {
  const pom = createHash('sha256').update(await readFile(POM)).digest('hex');
  const jars = join(LIBS, pom.slice(0, 12));
  if (await exists(jars)) return jars;

  say('fetching the jars of Kafka with Maven, once (about 45 MB) ...');
  const fresh = join(LIBS, `fetching-${randomUUID()}`);
  await mkdir(fresh, { recursive: true });
  try {
    await copyDependencies(fresh);
    await rename(fresh, jars).catch(async (error) => {
      if (!(await exists(jars))) throw error; // otherwise another process was first, with the same jars
    });
    return jars;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function copyDependencies(directory) {
  const answer = await output('mvn', [
    '-q',
    '-B',
    '-f',
    POM,
    'dependency:copy-dependencies',
    '-DincludeScope=runtime',
    `-DoutputDirectory=${directory}`,
  ]);
  if (answer.missing) {
    throw new KafkaError(
      "Kafka's jars are fetched with Maven, but 'mvn' cannot be run: install Maven (on Debian: apt-get install maven) and put it on the PATH",
      { code: 'NO_MAVEN' },
    );
  }
  if (answer.code !== 0) {
    const lines = answer.text.trim().split('\n').slice(0, 8).join('\n');
    throw new KafkaError(`Maven could not fetch the jars of Kafka; check that it reaches a Maven repository and that ${LIBS} is writable:\n${lines}`);
  }
}

async function exists(path) {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * Runs one of Kafka's own Java programs to its end, with `input` as its standard input, and gives what it wrote.
 * @param {string} mainClass for instance kafka.tools.StorageTool
 * @param {string[]} args
 * @param {string} [input]
 * @throws KafkaError with the end of what it wrote, where it failed
 */
export async function runKafkaTool(mainClass, args, input) {
  const jars = await ensureJars(() => undefined);
  const answer = await output(javaCommand(), ['-Xmx256m', '-cp', join(jars, '*'), mainClass, ...args], input);
  if (answer.code !== 0) throw new KafkaError(`${mainClass} ended with ${answer.code}:\n${answer.text.trim().split('\n').slice(-12).join('\n')}`);
  return answer.text;
}

/** Runs a command to its end; `missing` when there is no such command. */
export function output(command, args, input) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
    let text = '';
    child.stdin?.on('error', () => undefined).end(input); // one that ended early says why
    child.stdout.on('data', (chunk) => (text += chunk));
    child.stderr.on('data', (chunk) => (text += chunk));
    child.on('error', () => resolve({ missing: true, code: null, text }));
    child.on('close', (code) => resolve({ missing: false, code, text }));
  });
}
