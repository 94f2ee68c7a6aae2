/** A recorder at work in the spec's own process: a database with a registered deployment, events, and what it said. */
import { adoptionMigrations, DEFAULT_REGISTRATION, usageProjection } from '@foothold/adoption';
import { change, eventLogMigrations, openLog, openTenant, prepare, project, USAGE_SHARDS, verify, type Ledger, type Log } from '@foothold/event-log';
import { openDatabase, Pseudonymiser, readConfig, Sealer, type Database } from '@foothold/platform';
import pino from 'pino';
import { Recorder, type Pace } from '../../apps/recorder/src/recorder.js';
import { requireKafka } from './kafka.js';

export const MIGRATIONS = [...eventLogMigrations, ...adoptionMigrations];
/** Of a rebuild that found live as the log says. */
export const NO_DIFFERENCES: Record<string, number> = Object.fromEntries(usageProjection.tables.map(({ name }) => [name, 0]));
/** Any 64 hex digits. */
export const KEY = '5e'.repeat(32);
export const pseudonymiser = new Pseudonymiser(Buffer.from(KEY, 'hex'));
export const sealer = new Sealer(Buffer.from(KEY, 'hex'));

/** Opens the log in a database, brought up to date. Close its database. */
export async function openTestLog(url: string): Promise<Log> {
  const database = await openDatabase({ url, migrations: MIGRATIONS, application: 'spec' });
  await database.migrate();
  return openLog(database, (tenant) => pseudonymiser.check(tenant), sealer);
}

export async function registerDeployment(log: Log, tenant: string, deployment: string): Promise<void> {
  await openTenant(log, tenant, (of) => pseudonymiser.check(of));
  await change(log, tenant, deployment, 0, [{ type: 'deployment.registered', time: Date.now() * 1000, data: DEFAULT_REGISTRATION }], DEFAULT_REGISTRATION);
}

/** `count` valid events of deployment `desk` as JSON, numbered from `first`; a number is an event's identity. */
export function shownEvents(first: number, count: number, subject = (n: number): string => `person-${n % 7}`): string[] {
  return Array.from({ length: count }, (_, i) => {
    const n = first + i;
    const time = new Date(Date.UTC(2026, 0, 5) + n * 1000).toISOString();
    return JSON.stringify({ specversion: '1.0', id: `spec:${n}`, source: 'urn:spec', type: 'foothold.result.shown.v1', subject: subject(n), time, deployment: 'desk', data: { invocation: `i-${n}` } });
  });
}

export interface RunningRecorder {
  recorder: Recorder;
  /** What it gave as the reason for not going on. */
  fatal: unknown[];
  lines: { level: number; msg: string; topic?: string; stored?: number; error?: string }[];
  stop(): Promise<void>;
}

export interface RecorderOptions {
  log: Log;
  prefix: string;
  brokers?: string[];
  pace?: Partial<Pace>;
  pseudonymiser?: Pseudonymiser;
  beat?: () => void;
}

/** Starts a recorder that looks at ends and topics more often than in production, and waits until it has begun. */
export async function startRecorder(options: RecorderOptions): Promise<RunningRecorder> {
  const config = readConfig({ KAFKA_BROKERS: (options.brokers ?? requireKafka()).join(','), KAFKA_PREFIX: options.prefix });
  const fatal: unknown[] = [];
  const lines: RunningRecorder['lines'] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line) as RunningRecorder['lines'][number]) });
  const pace = { marksMs: 200, topicsMs: 600, restarts: 10, patienceMs: 60_000, ...options.pace };
  const recorder = new Recorder(config, options.log, options.pseudonymiser ?? pseudonymiser, logger, (error) => fatal.push(error), options.beat, pace);
  await recorder.start();
  return { recorder, fatal, lines, stop: () => recorder.stop() };
}

/** Folds whatever the log holds. */
export async function foldAll(log: Log): Promise<void> {
  await prepare(log.database, usageProjection);
  for (let shard = 0; shard < USAGE_SHARDS; shard++) for (let behind = true; behind; ) {
    const progress = await project(log, usageProjection, shard);
    behind = typeof progress === 'string' || progress.behind;
  }
}

/** Waits until as many records were received, and gives the ledger. */
export async function received(database: Database, count: number): Promise<Ledger> {
  let ledger = await verify(database);
  await until(`${count} received`, async () => (ledger = await verify(database)).received >= count, () => ` but ${ledger.received}`);
  return ledger;
}

/** A deadline ends what hangs: a slow machine is no fault. */
const DEADLINE_MS = 90_000;

/** Polls, with a deadline. @throws Error saying what did not come about */
export async function until(what: string, reached: () => boolean | Promise<boolean>, instead = (): string => ''): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await reached())) {
    if (Date.now() > deadline) throw new Error(`not within ${DEADLINE_MS / 1000} s: ${what}${instead()}`);
    await new Promise<void>((resolve) => setTimeout(resolve, 50));
  }
}
