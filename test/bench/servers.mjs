/** The real servers a bench runs on, and what every bench checks of its rows. */
import { spawn } from 'node:child_process';
import { mkdtemp, chmod, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startKafka } from '../../deploy/kafka/kafka.mjs';
import { adoptionMigrations, DEFAULT_REGISTRATION } from '../../dist/libs/adoption/src/index.js';
import { append, change, eventLogMigrations, openLog, openOrigin, openTenant, verify } from '../../dist/libs/event-log/src/index.js';
import { checkMessage } from '../../dist/libs/contract/src/index.js';
import { openDatabase, openEmbeddedPostgres, Pseudonymiser } from '../../dist/libs/platform/src/index.js';
import { DEPLOYMENT } from './workload.mjs';

/** The key under which the bench's processes pseudonymise: 64 hex digits. */
export const KEY = 'be'.repeat(32);

/** Postgres with its default settings (fsync on), in a directory that goes with it. */
export async function startPostgres() {
  const home = await directory('postgres');
  const server = await openEmbeddedPostgres(home);
  return { url: server.url, stop: () => server.close().finally(() => rm(home, { recursive: true, force: true })) };
}

export async function startBroker() {
  const dataDir = await directory('kafka');
  const kafka = await startKafka({ port: 0, dataDir, quiet: true });
  return { brokers: kafka.brokers, stop: () => kafka.stop().finally(() => rm(dataDir, { recursive: true, force: true })) };
}

/** An empty database with the schema, the tenant and the deployment of the workload. */
export async function openBenchDatabase(server, name, registration = DEFAULT_REGISTRATION) {
  const admin = new pg.Client(server.url);
  await admin.connect();
  await admin.query(`drop database if exists bench_${name} with (force)`);
  await admin.query(`create database bench_${name}`);
  await admin.end();
  const url = Object.assign(new URL(server.url), { pathname: `/bench_${name}` }).href;
  const database = await openDatabase({ url, application: 'bench', migrations: [...eventLogMigrations, ...adoptionMigrations] });
  await database.migrate();
  const [settings] = await database.query(`select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit`);
  if (settings.fsync !== 'on' || settings.commit !== 'on') throw new Error('fsync and synchronous_commit must be on');
  const pseudonymiser = new Pseudonymiser(Buffer.from(KEY, 'hex'));
  const keyCheck = (tenant) => pseudonymiser.check(tenant);
  const log = openLog(database, keyCheck);
  await openTenant(log, 'bench', keyCheck);
  await change(log, 'bench', DEPLOYMENT, 0, [{ type: 'deployment.registered', time: Date.now() * 1000, data: registration }], registration);
  return { database, url, keyCheck, close: () => database.close() };
}

const BATCH = 5_000;

/** Stores events as they come from a file. @returns the origin and how many there were */
export async function store(log, events, say = () => {}) {
  const { origin } = await openOrigin(log.database, { kind: 'file', name: 'bench', part: 0, tenant: 'bench', firstOffset: 0 });
  let batch = [];
  let next = 0;
  const flush = async () => {
    await append(log, batch, { origin, from: next, next: (next += batch.length), voids: 0, mark: null, markOffset: null });
    batch = [];
    if (next % 1_000_000 === 0) say(`${next} events stored`);
  };
  for (const event of events) {
    const verdict = checkMessage(JSON.stringify(event), 'bench', Date.now() * 1000, { pseudonymise: (_, person) => person, subjects: 'pseudonyms' });
    if (verdict.outcome !== 'accepted') throw new Error(verdict.refusal.reason);
    batch.push({ tenant: 'bench', event: verdict.event });
    if (batch.length === BATCH) await flush();
  }
  if (batch.length > 0) await flush();
  return { origin, stored: next };
}

/** The ledger balances and every event is in the log once. */
export async function verified(database, events) {
  const ledger = await verify(database);
  if (!ledger.balanced || ledger.stored !== events || ledger.received !== events) throw new Error(`the ledger says otherwise: ${JSON.stringify(ledger)}`);
}

/** A collector as a process of its own; `port` 0 takes any. */
export async function startCollector(settings, port = 0) {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...settings, FOOTHOLD_PORT: String(port) };
  const child = spawn(process.execPath, [fileURLToPath(new URL('../../apps/cli/bin/foothold.mjs', import.meta.url)), 'serve', '--roles', 'collector'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((done) => child.once('exit', done));
  const at = await new Promise((found, failed) => {
    let said = '';
    createInterface(child.stderr).on('line', (line) => {
      said += `${line}\n`;
      const url = /"url":"([^"]+)"/.exec(line)?.[1];
      if (url) found(url);
    });
    void ended.then(() => failed(new Error(`the collector ended:\n${said}`)));
  });
  return {
    at,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

export const perSecond = (count, seconds) => Math.round(count / seconds);

async function directory(name) {
  const path = await mkdtemp(join(tmpdir(), `foothold-bench-${name}-`));
  await chmod(path, 0o755); // as root Postgres runs as another user
  return path;
}
