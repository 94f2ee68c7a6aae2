/**
 * The real Kafka and Postgres of one run of schedules: its own, so that they can be stopped and killed.
 * Leaves: where they are, a database to copy, and the links by which processes reach Kafka. Next is `world`.
 */
import { openEmbeddedPostgres, Pseudonymiser } from '@foothold/platform';
import { Kafka, logLevel } from 'kafkajs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startKafka, type RunningKafka } from '../../deploy/kafka/kafka.mjs';
import { answered } from '../support/foothold.js';
import { stopWithThisProcess } from '../support/postgres-guard.mjs';
import { DEPLOYMENTS } from '../support/usage-load.js';
import { Link } from './link.js';

export const TENANT = 'acme';
/** Any 64 hex digits. */
export const SECRET = '5e'.repeat(32);
export const pseudonymiser = new Pseudonymiser(Buffer.from(SECRET, 'hex'));
/** One for the collector, and one for each recorder: three that are there, and one for each of five faults that may let one join. */
const KAFKA_LINKS = 9;
const TEMPLATE = 'faults_template';

export interface Servers {
  /** Of the Postgres server; name the database in its path. */
  postgresUrl: string;
  /** The process id of Postgres. */
  postmaster(): Promise<number>;
  kafka: RunningKafka;
  /** Straight to Kafka, not by a link. */
  client: Kafka;
  kafkaLinks: Link[];
  /** A write key that every database has. */
  key: string;
  /** A fresh database with schema, deployments and key. */
  database(name: string): Promise<string>;
  drop(name: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startServers(): Promise<Servers> {
  const home = await directory('postgres');
  const dataDir = await directory('kafka');
  const server = await openEmbeddedPostgres(home);
  const guard = stopWithThisProcess(home);
  const kafkaLinks = await Promise.all(Array.from({ length: KAFKA_LINKS }, () => Link.listen()));
  const more = kafkaLinks.map(({ port }, i) => ({ name: `LINK${i}`, protocol: 'PLAINTEXT' as const, properties: {}, advertised: port }));
  const kafka = await startKafka({ dataDir, quiet: true, more });
  for (const [i, link] of kafkaLinks.entries()) link.target = Number(kafka.listeners[`LINK${i}`]!.split(':')[1]);
  const key = await makeTemplate(server.url);
  return {
    postgresUrl: server.url,
    postmaster: async () => Number((await readFile(join(home, 'postgres/postmaster.pid'), 'utf8')).split('\n')[0]),
    kafka,
    client: new Kafka({ clientId: 'faults', brokers: kafka.brokers, logLevel: logLevel.NOTHING }),
    kafkaLinks,
    key,
    database: async (name) => {
      await onServer(server.url, `create database ${name} template ${TEMPLATE}`);
      return urlOf(server.url, name);
    },
    drop: (name) => onServer(server.url, `drop database if exists ${name} with (force)`),
    stop: async () => {
      guard.kill('SIGKILL');
      await Promise.all([kafka.stop(), server.close(), ...kafkaLinks.map((link) => link.close())]);
      for (const path of [home, dataDir]) await rm(path, { recursive: true, force: true });
    },
  };
}

/** Made with the command line, as people do. @returns a key */
async function makeTemplate(serverUrl: string): Promise<string> {
  await onServer(serverUrl, `create database ${TEMPLATE}`);
  const settings = { DATABASE_URL: urlOf(serverUrl, TEMPLATE), FOOTHOLD_PSEUDONYM_KEY: SECRET };
  for (const [deployment, zone] of Object.entries(DEPLOYMENTS)) await answered(settings, ['deployment', 'register', deployment, '--tenant', TENANT, '--time-zone', zone]);
  return (await answered<{ key: string }>(settings, ['key', 'create', '--kind', 'write', '--tenant', TENANT])).key;
}

/** One statement on a connection of its own, tried again while Postgres is away. */
export async function ask<Row extends pg.QueryResultRow>(url: string, sql: string, values: unknown[] = []): Promise<Row[]> {
  for (const deadline = Date.now() + 30_000; ; ) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined); // the statement says the same
    try {
      await client.connect();
      return (await client.query<Row>(sql, values)).rows;
    } catch (error) {
      const away = /^(57P|08|ECONN|EPIPE)/.test((error as { code?: string }).code ?? '') || /terminated|timeout/.test((error as Error).message);
      if (!away || Date.now() > deadline) throw error;
      await new Promise<void>((resolve) => setTimeout(resolve, 100));
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

async function onServer(url: string, sql: string): Promise<void> {
  await ask(urlOf(url, 'postgres'), sql);
}

const urlOf = (serverUrl: string, name: string): string => Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;

/** Readable by all: as root Postgres runs as another user. */
async function directory(name: string): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), `foothold-faults-${name}-`));
  await chmod(path, 0o755);
  return path;
}
