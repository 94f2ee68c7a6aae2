/** Looks at everything an installation stands on, and says what to do about what is not right. Repairs nothing, though it makes the key and the embedded database where there are none yet. */
import { usageProjection } from '@foothold/adoption';
import { WrongInput } from '@foothold/contract';
import { kafkaOrigins, lag, openReadings, skewedSources, strangeTenant } from '@foothold/event-log';
import { deadLettersTopic, errorText, isMisnamedUsage, isSource, openKafka, openLogger, openPlatformDatabase, openPseudonymiser, originName, readConfig, retireStatement, usageTopic, usageTopicOf, type Config, type Database, type Pseudonymiser } from '@foothold/platform';
import { type Command } from 'commander';
import kafkajs, { type Admin } from 'kafkajs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { existsSync } from 'node:fs';
import { MIGRATIONS, say, withTenant } from './session.js';

interface Check {
  name: string;
  ok: boolean;
  detail: string;
  /** What to do; empty where all is well. */
  fix: string;
}

const GIGABYTE = 1024 ** 3;
const OLDEST_POSTGRES = 14;
const CLOCK_SECONDS = 5;
const BEHIND = 100_000;
/** How long anything may wait to be recorded or folded before somebody must be missing. */
const WAIT_SECONDS = 60;
const IMPORT_MS = 3_600_000;
/** How far back hosts' clocks are looked at, and in how many of a source's events they may be off: one laptop in a thousand is nobody's alarm. */
const CLOCKS_MS = 24 * 3_600_000;
const SKEWED_SHARE = 0.01;

export function addDoctorCommand(program: Command): void {
  withTenant(program.command('doctor'))
    .description('look at versions, migrations, clocks, lag, Kafka and disk, and say what to do')
    .action(async (flags: { json?: boolean }) => {
      const checks = await examine();
      const ok = checks.every((check) => check.ok);
      say(flags.json, { ok, checks }, () => checks.map(({ name, ok: fine, detail, fix }) => `${fine ? 'ok  ' : 'FAIL'} ${name}: ${detail}${fix ? `\n     ${fix}` : ''}`).join('\n'));
      if (!ok) process.exitCode = 1;
    });
}

async function examine(): Promise<Check[]> {
  const checks = [node()];
  let config: Config;
  let pseudonymiser: Pseudonymiser;
  try {
    config = readConfig(process.env);
    pseudonymiser = openPseudonymiser(config);
    checks.push(fine('configuration', 'every setting can be read'));
  } catch (error) {
    return [...checks, failed('configuration', error)];
  }
  checks.push(await disk(config));
  try {
    const { database, close } = await openPlatformDatabase(config, 'foothold doctor', MIGRATIONS);
    try {
      checks.push(...(await postgres(database, pseudonymiser)));
      const migrated = (await database.pendingMigrations()).length === 0;
      return [...checks, ...(await kafka(config, migrated ? database : null))];
    } finally {
      await close();
    }
  } catch (error) {
    return [...checks, failed('database', error), ...(await kafka(config, null))];
  }
}

const fine = (name: string, detail: string): Check => ({ name, ok: true, detail, fix: '' });
const judged = (name: string, ok: boolean, detail: string, fix: string): Check => ({ name, ok, detail, fix: ok ? '' : fix });

function failed(name: string, error: unknown): Check {
  if (error instanceof WrongInput) return { name, ok: false, detail: `${error.field}: ${error.reason}`, fix: error.fix };
  return { name, ok: false, detail: errorText(error), fix: 'see the message; foothold with FOOTHOLD_LOG_LEVEL=debug tells more' };
}

function node(): Check {
  const major = Number(process.versions.node.split('.')[0]);
  return judged('node', major >= 20, `version ${process.versions.node}`, 'install Node 20 or newer, best a release with long-term support');
}

async function disk(config: Config): Promise<Check> {
  let folder = config.FOOTHOLD_HOME;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  const free = (bavail * bsize) / GIGABYTE;
  return judged('disk', free >= 1, `${free.toFixed(1)} GB free beside FOOTHOLD_HOME`, 'make room: below 1 GB the embedded database may stop');
}

async function postgres(database: Database, pseudonymiser: Pseudonymiser): Promise<Check[]> {
  const before = Date.now();
  const [row] = await database.query<{ version: string; number: number; now: number; fsync: string }>(
    `select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
            (extract(epoch from clock_timestamp()) * 1000)::float8 as now, current_setting('fsync') as fsync`,
  );
  const away = Math.max(0, before - row!.now, row!.now - Date.now()) / 1000;
  const pending = await database.pendingMigrations();
  const checks = [
    judged('database', row!.number >= OLDEST_POSTGRES * 10_000, `Postgres ${row!.version}`, `use Postgres ${OLDEST_POSTGRES} or newer`),
    judged('durability', row!.fsync === 'on', `fsync is ${row!.fsync}`, 'set fsync = on: without it a power cut loses acknowledged events'),
    judged('clock', away <= CLOCK_SECONDS, `${away.toFixed(1)} s between this host and the database`, 'run a time service (NTP) on both'),
    judged('migrations', pending.length === 0, pending.length === 0 ? 'the schema is up to date' : `${pending.length} not run: ${pending.join(', ')}`, 'start any process or command: it runs them'),
  ];
  if (pending.length > 0) return checks;
  const stranger = await strangeTenant((sql) => database.query(sql), (tenant) => pseudonymiser.check(tenant));
  checks.push(judged('pseudonym key', stranger === undefined, stranger === undefined ? 'it is the key of every tenant' : `it is not the key of tenant "${stranger}"`, 'use the key (FOOTHOLD_PSEUDONYM_KEY, or the FOOTHOLD_HOME with its pseudonym.key) of the process that registered the tenant'));
  const { behind, waited } = await lag(database, usageProjection.name);
  const prompt = behind < BEHIND && waited < WAIT_SECONDS;
  return [...checks, await imports(database), await hostClocks(database), judged('projection lag', prompt, `${behind} events are in the log and not yet in the read tables${behind > 0 ? `, the oldest for ${Math.round(waited)} s` : ''}`, 'start a projector (foothold serve --roles projector), or one more')];
}

/** Hosts say when they sent an event, by the clock that dates it; the collector keeps by how much that differed from its own. */
async function hostClocks(database: Database): Promise<Check> {
  const off = (await skewedSources(database, (Date.now() - CLOCKS_MS) * 1000)).filter(({ events, skewed }) => skewed >= events * SKEWED_SHARE);
  const told = off.map(({ tenant, source, events, skewed, medianMs }) =>
    `${source} (tenant ${tenant}) ${medianMs > 0 ? 'behind' : 'ahead'} by ${Math.round(Math.abs(medianMs) / 1000)} s in the median of ${skewed} of its ${events} events`);
  return judged('host clocks', off.length === 0, off.length === 0 ? 'none was seen to be more than two minutes off in the last day' : told.join('; '), 'run a time service (NTP) where these hosts run: their events are dated by these clocks, and count on the wrong day');
}

/** An import that was interrupted keeps every answer of its tenant incomplete until it is taken up again or given up. */
async function imports(database: Database): Promise<Check> {
  const [oldest, ...others] = await openReadings(database, new Date(Date.now() - IMPORT_MS).toISOString());
  if (!oldest) return fine('imports', 'none was left unfinished');
  return judged(
    'imports', false,
    `${1 + others.length} begun over an hour ago and not finished, the first on ${oldest.openedAt} for tenant ${oldest.tenant}, after ${oldest.lines} lines (${oldest.name})`,
    `import the same file again: it goes on where it stopped. Where the file is gone or changed, give the reading up: update origin set finished = true, end_seen_at = now() where origin = ${oldest.origin}`,
  );
}

async function kafka(config: Config, database: Database | null): Promise<Check[]> {
  if (config.KAFKA_BROKERS.length === 0) return [fine('kafka', 'not configured: events come in over HTTP and by import')];
  let admin: Admin | undefined;
  try {
    admin = openKafka(config, 'foothold-doctor', openLogger('doctor', 'fatal'), 1).admin();
    await admin.connect();
    return await topics(admin, config, database);
  } catch (error) {
    if (error instanceof WrongInput) return [failed('kafka', error)];
    const how = `KAFKA_TLS is ${config.KAFKA_TLS} and KAFKA_SASL_MECHANISM is ${config.KAFKA_SASL_MECHANISM ?? 'not set'}`;
    return [{ ...failed('kafka', error), fix: `check KAFKA_BROKERS, that the brokers run, and that they are to be reached like this (${how}); npm run kafka starts one here` }];
  } finally {
    await admin?.disconnect();
  }
}

async function topics(admin: Admin, config: Config, database: Database | null): Promise<Check[]> {
  const { brokers, clusterId } = await admin.describeCluster();
  const all = await admin.listTopics();
  const usage = all.filter((topic) => usageTopicOf(config.KAFKA_PREFIX, topic));
  const misnamed = all.filter((topic) => isMisnamedUsage(config.KAFKA_PREFIX, topic));
  const how = [config.KAFKA_TLS ? ', over TLS' : '', config.KAFKA_SASL_MECHANISM ? `, with ${config.KAFKA_SASL_MECHANISM}` : ''].join('');
  const checks = [fine('kafka', `${brokers.length} broker${brokers.length === 1 ? '' : 's'}${how}`)];
  const own = usageTopic(config.KAFKA_PREFIX);
  // The collector needs both; where only hosts write, with their own clients, neither is missed.
  const missing = usage.length > 0 && !usage.includes(own) ? [] : [own, deadLettersTopic(config.KAFKA_PREFIX)].filter((topic) => !all.includes(topic));
  checks.push(judged('topics', missing.length === 0, missing.length === 0 ? usage.join(', ') : `there is no ${missing.join(', and no ')}: the collector answers 503`, `create ${missing.join(' and ')}`));
  if (misnamed.length > 0) checks.push(judged('misnamed topics', false, `nobody reads ${misnamed.join(', ')}: the name gives no tenant`, `write to ${config.KAFKA_PREFIX}.usage.<tenant>.v1; a tenant's name has 1-63 of a-z, 0-9, _ and -`));
  if (usage.length === 0) return checks;
  const wanted = Math.min(3, brokers.length);
  const metadata = await admin.fetchTopicMetadata({ topics: usage });
  const thin = metadata.topics.filter(({ partitions }) => partitions.some(({ replicas }) => replicas.length < wanted)).map(({ name }) => name);
  checks.push(judged('replication', thin.length === 0, thin.length === 0 ? `every partition has at least ${wanted} replica${wanted === 1 ? '' : 's'}` : `fewer than ${wanted} replicas: ${thin.join(', ')}`, `raise the replication factor to ${wanted}: a broker's disk is where acknowledged events live until they are recorded`));
  const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: usage.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name, configNames: ['cleanup.policy'] })) });
  const compacted = resources.filter(({ configEntries }) => configEntries.some(({ configValue }) => configValue.includes('compact'))).map(({ resourceName }) => resourceName);
  checks.push(judged('retention', compacted.length === 0, compacted.length === 0 ? 'no usage topic is compacted' : `compacted: ${compacted.join(', ')}`, 'set cleanup.policy=delete: compaction removes events before they are recorded'));
  return database ? [...checks, ...(await fences(admin, clusterId, all.filter((topic) => isSource(config.KAFKA_PREFIX, topic)), database))] : checks;
}

/** Where the log's fences stand, beside what the broker holds: Kafka's own commits count for nothing. */
async function fences(admin: Admin, cluster: string, read: string[], database: Database): Promise<Check[]> {
  const origins = await kafkaOrigins(database);
  const names = new Map(read.map((topic) => [originName(cluster, topic), topic]));
  const gone = [...new Set(origins.map(({ name }) => name).filter((name) => !names.has(name)))];
  const changed: string[] = [];
  let waiting = 0;
  let unseen = 0;
  for (const [name, topic] of names) {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      const origin = origins.find((found) => found.name === name && found.part === partition);
      const next = origin?.nextOffset ?? Number(low);
      if (next > Number(high)) changed.push(`${topic}[${partition}] ends at ${high} and was read up to ${next}: it was made anew or cut`);
      if (next < Number(low)) changed.push(`${topic}[${partition}] begins at ${low} and was read up to ${next}: retention has removed what lies between`);
      const left = Math.max(0, Number(high) - next);
      waiting += left;
      if (left > 0) unseen = Math.max(unseen, origin?.unseen ?? Infinity);
    }
  }
  const since = unseen === Infinity ? ', and no recorder has ever seen the end' : unseen > 0 ? `, and no recorder has seen the end for ${Math.round(unseen)} s` : '';
  return [
    judged('fences', changed.length === 0, changed.length === 0 ? 'what was read is what the broker holds' : changed.join('; '), 'start a recorder: it stops at once and its last line says what to do'),
    judged('sources', gone.length === 0, gone.length === 0 ? 'every topic that was read is there' : `gone, and holding back through when answers are complete: ${gone.join(', ')}`, `create the topic again, or give it up: ${gone.map(retireStatement).join('; ')}`),
    judged('recorder lag', waiting < BEHIND && unseen < WAIT_SECONDS, `${waiting} records wait in Kafka${since}`, 'start a recorder (foothold serve --roles recorder), or one more'),
  ];
}
