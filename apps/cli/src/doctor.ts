/** Looks at everything an installation stands on, and says what to do about what is not right. Repairs nothing, though it makes the key and the embedded database where there are none yet. */
import { usageProjection } from '@foothold/adoption';
import { databaseTime, lag, openReadings, skewedSources, strangeTenant } from '@foothold/event-log';
import { openPlatformDatabase, openPseudonymiser, readConfig, type Config, type Database, type Pseudonymiser } from '@foothold/platform';
import { type Command } from 'commander';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { existsSync } from 'node:fs';
import { databaseAfterRestore, kafkaAfterRestore } from './after-restore.js';
import { failed, fine, judged, type Check } from './check.js';
import { BEHIND, examineKafka, fences, WAIT_SECONDS } from './doctor-kafka.js';
import { MIGRATIONS, say, withTenant } from './session.js';

const GIGABYTE = 1024 ** 3;
const OLDEST_POSTGRES = 14;
const CLOCK_SECONDS = 5;
const IMPORT_MS = 3_600_000;
/** How far back hosts' clocks are looked at, and in how many of a source's events they may be off: one laptop in a thousand is nobody's alarm. */
const CLOCKS_MS = 24 * 3_600_000;
const SKEWED_SHARE = 0.01;

export function addDoctorCommand(program: Command): void {
  withTenant(program.command('doctor'))
    .description('look at versions, migrations, clocks, lag, Kafka and disk, and say what to do')
    .option('--after-restore', 'before anything is started again after a loss: what is behind, what Kafka still has, what is gone, what to review (deploy/recovery.md)')
    .action(async (flags: { json?: boolean; afterRestore?: boolean }) => {
      const checks = await examine(flags.afterRestore ?? false);
      const ok = checks.every((check) => check.ok);
      say(flags.json, { ok, checks }, () => checks.map(({ name, ok: fine, detail, fix }) => `${fine ? 'ok  ' : 'FAIL'} ${name}: ${detail}${fix ? `\n     ${fix}` : ''}`).join('\n'));
      if (!ok) process.exitCode = 1;
    });
}

async function examine(afterRestore: boolean): Promise<Check[]> {
  const compare = afterRestore ? kafkaAfterRestore : fences;
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
      if (migrated && afterRestore) checks.push(...(await databaseAfterRestore(database)));
      return [...checks, ...(await examineKafka(config, migrated ? database : null, compare))];
    } finally {
      await close();
    }
  } catch (error) {
    return [...checks, failed('database', error), ...(await examineKafka(config, null, compare))];
  }
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
  checks.push(await rights(database));
  const stranger = await strangeTenant((sql) => database.query(sql), (tenant) => pseudonymiser.check(tenant));
  checks.push(judged('pseudonym key', stranger === undefined, stranger === undefined ? 'it is the key of every tenant' : `it is not the key of tenant "${stranger}"`, 'use the key (FOOTHOLD_PSEUDONYM_KEY, or the FOOTHOLD_HOME with its pseudonym.key) of the process that registered the tenant'));
  const { behind, waited } = await lag(database, usageProjection.name);
  const prompt = behind < BEHIND && waited < WAIT_SECONDS;
  return [...checks, await imports(database), await hostClocks(database), judged('projection lag', prompt, `${behind} events are in the log and not yet in the read tables${behind > 0 ? `, the oldest for ${Math.round(waited)} s` : ''}`, 'start a projector (foothold serve --roles projector), or one more')];
}

/** Hosts say when they sent an event, by the clock that dates it; the collector keeps by how much that differed from its own. */
async function hostClocks(database: Database): Promise<Check> {
  const off = (await skewedSources(database, ((await databaseTime(database)) - CLOCKS_MS) * 1000)).filter(({ events, skewed }) => skewed >= events * SKEWED_SHARE);
  const told = off.map(({ tenant, source, events, skewed, medianMs }) =>
    `${source} (tenant ${tenant}) ${medianMs > 0 ? 'behind' : 'ahead'} by ${Math.round(Math.abs(medianMs) / 1000)} s in the median of ${skewed} of its ${events} events`);
  return judged('host clocks', off.length === 0, off.length === 0 ? 'none was seen to be more than two minutes off in the last day' : told.join('; '), 'run a time service (NTP) where these hosts run: their events are dated by these clocks, and count on the wrong day');
}

/** A role that lacks one of these runs well until the day on which a newer version has its tables rebuilt. */
async function rights(database: Database): Promise<Check> {
  const lacking = await database.query<{ right: string }>(
    `select 'create on database ' || quote_ident(current_database()) as right where not has_database_privilege(current_database(), 'create')
     union all select 'select, insert, delete on ' || name from unnest($1::text[]) name where not (has_table_privilege(name, 'select') and has_table_privilege(name, 'insert') and has_table_privilege(name, 'delete'))
     union all select 'the ownership of ' || name from unnest($1::text[]) name join pg_class on oid = name::regclass where not pg_has_role(relowner, 'usage')`,
    [usageProjection.tables.map(({ name }) => name)],
  );
  return judged('rights', lacking.length === 0, lacking.length === 0 ? 'this role may do all that a process does' : `this role lacks ${lacking.map(({ right }) => right).join('; ')}`, 'let the owner of the database grant it: without it the read tables can not be folded, or not be rebuilt for a newer version');
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
