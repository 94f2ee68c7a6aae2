/**
 * deploy/recovery.md, followed to the letter on real processes: a database restored to an earlier moment, and a Kafka that was
 * lost. What is held afterwards is what was acknowledged, less exactly what `foothold doctor --after-restore` said is gone.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from '@jest/globals';
import { usageProjection } from '@foothold/adoption';
import { completeThrough, lag, verify, type Log } from '@foothold/event-log';
import pg from 'pg';
import { startKafka } from '../deploy/kafka/kafka.mjs';
import { difference, loggedIds } from './support/database-contents.js';
import { freshDatabase } from './support/database.js';
import { id } from './support/event-log.js';
import { answered, foothold } from './support/foothold.js';
import { requireKafka, testKafka, type TestKafka } from './support/kafka.js';
import { KEY, openTestLog, registerDeployment, until } from './support/recording.js';
import { startRestorablePostgres } from './support/restorable-postgres.js';
import { startServing, type Serving } from './support/serving.js';
import { blocks, commands, section } from './support/written-recovery.js';

const TENANT = 'acme';
const DEPLOYMENT = 'desk';

interface Check {
  name: string;
  ok: boolean;
  detail: string;
  fix: string;
}
type Settings = Record<string, string>;

/** What to undo after a spec, the last first, whatever became of it. */
const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** CloudEvents numbered from `first`; every third is of somebody whom no event before named. */
const shown = (first: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => {
    const n = first + i;
    return JSON.stringify({ specversion: '1.0', id: id(n), source: 'urn:desk', type: 'foothold.result.shown.v1', subject: `person-${n - (n % 3)}`, time: new Date(Date.UTC(2026, 10, 2) + n * 1000).toISOString(), deployment: DEPLOYMENT, data: { invocation: `i-${n}` } });
  });
const ids = (first: number, count: number): string[] => Array.from({ length: count }, (_, i) => id(first + i));

/** Sends and gives, once all are acknowledged, the moment before. */
async function send({ url }: Serving, key: string, events: string[]): Promise<number> {
  const before = Date.now();
  const response = await fetch(`${url}/v1/events`, { method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents-batch+json' }, body: `[${events.join(',')}]` });
  expect([response.status, await response.text()]).toEqual([202, expect.anything()]);
  return before;
}

async function serve(roles: string, settings: Settings): Promise<Serving> {
  const serving = await startServing(roles, settings);
  undo.push(() => serving.stop().catch(() => undefined));
  return serving;
}

async function inLog<T>(url: string, work: (log: Log) => Promise<T>): Promise<T> {
  const log = await openTestLog(url);
  try {
    return await work(log);
  } finally {
    await log.database.close();
  }
}

/** Waits until as many records were received, everything is folded, and every end was seen. */
const settled = (url: string, received: number) =>
  inLog(url, async ({ database }) => {
    await until(`${received} received`, async () => (await verify(database)).received >= received);
    await until('all is folded', async () => (await lag(database, usageProjection.name)).behind === 0);
    await until('the ends were seen', async () => (await database.query('select from origin where not finished and end_seen_at is null')).length === 0);
  });

async function idsIn(url: string): Promise<string[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await loggedIds(client);
  } finally {
    await client.end();
  }
}

/** What doctor says after a loss; it may never end with 0 while something is to be decided. */
async function afterRestore(settings: Settings): Promise<(name: string) => Check> {
  const { code, stdout, stderr } = await foothold(['doctor', '--after-restore', '--json'], settings);
  expect([code, stderr]).toEqual([1, '']);
  const { checks } = JSON.parse(stdout) as { checks: Check[] };
  const names = checks.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
  return (name) => checks.find((found) => found.name === name) ?? { name, ok: false, detail: `missing among ${names.join()}`, fix: '' };
}

/** The SQL that a check's fix says to run. */
const statements = ({ fix }: Check): string[] => fix.slice(fix.search(/\b(update|select|truncate) /)).split('; ');

/**
 * Does what a section says, command by command. `decide` stands for the people who read doctor's answer and act on it;
 * `served` gets each process that it says to start.
 */
async function follow(written: string[][], settings: Settings, decide: (check: (name: string) => Check) => Promise<void>, served: (process: Serving, roles: string) => Promise<void>): Promise<void> {
  expect(written.length).toBeGreaterThan(4);
  for (const args of written) {
    const command = args.join(' ');
    if (command === 'doctor --after-restore') await decide(await afterRestore(settings));
    else if (args[0] === 'serve') await served(await serve(args[2]!, settings), args[2]!);
    else if (command === 'doctor') {
      let said = '';
      await until('doctor finds nothing', async () => {
        const { code, stdout } = await foothold(args, settings);
        said = stdout;
        return code === 0 && stdout.includes(': 0 records wait in Kafka') && stdout.includes(': 0 events are in the log and not yet');
      }, () => `:\n${said}`);
    } else expect([command, await foothold(args, settings)]).toMatchObject([command, { code: 0 }]);
  }
}

it('A: a database set back to an earlier moment, with a stretch that retention removed meanwhile', async () => {
  const written = section('A. ');
  const archived = (lines: string) => lines.replaceAll('/backup/wal', 'ARCHIVE');
  const postgres = await startRestorablePostgres(archived(blocks(section('What to keep'), 'ini')[0]!));
  undo.push(() => postgres.drop());
  const { url } = postgres;
  await inLog(url, (log) => registerDeployment(log, TENANT, DEPLOYMENT));
  const home = await mkdtemp(join(tmpdir(), 'foothold-recovery-'));
  undo.push(() => rm(home, { recursive: true }));
  const prefix = `t${randomUUID().slice(0, 13)}`;
  const kafka = testKafka();
  undo.push(() => kafka.close());
  const own = `${prefix}.usage.${TENANT}.v1`;
  for (const topic of [`${prefix}.usage.v1`, `${prefix}.dead-letters.v1`, own]) await kafka.createTopic(topic, topic === own ? 1 : 2);
  const alone = { DATABASE_URL: url, FOOTHOLD_PSEUDONYM_KEY: KEY, FOOTHOLD_HOME: home };
  const settings = { ...alone, KAFKA_BROKERS: requireKafka().join(','), KAFKA_PREFIX: prefix };
  const key = async (note: string) => answered<{ id: number; key: string }>(settings, ['key', 'create', '--kind', 'write', '--tenant', TENANT, '--note', note]);
  const kept = await key('kept');
  const revoked = await key('to be revoked');
  await postgres.backUp();

  // Before the moment.
  const [collector, direct] = [await serve('collector', settings), await serve('collector', alone)];
  const others = [await serve('recorder', settings), await serve('projector', settings)];
  await send(collector, kept.key, shown(0, 60));
  await send(direct, kept.key, shown(100, 40));
  await kafka.produce(own, shown(200, 30).map((value) => ({ value })));
  await settled(url, 130);
  await postgres.nameMoment('moment');

  // After it.
  await send(collector, kept.key, shown(300, 50));
  const goneSince = await send(direct, kept.key, shown(400, 30));
  await kafka.produce(own, shown(500, 40).map((value) => ({ value })));
  await writeFile(join(home, 'week.ndjson'), `${shown(600, 5).join('\n')}\n`);
  await answered(settings, ['import', join(home, 'week.ndjson'), '--tenant', TENANT]);
  await answered(settings, ['key', 'revoke', String(revoked.id), '--tenant', TENANT]);
  await key('made since');
  await settled(url, 255);

  // The loss. One process is forgotten and runs on: it remembers people whom the restored database does not know.
  for (const process of [collector, ...others]) await process.stop();
  await postgres.die();
  await removeUpTo(kafka, own, 45);
  await postgres.restore(archived(blocks(written, 'ini')[0]!).replace(/^recovery_target_time = .*$/m, "recovery_target_name = 'moment'"));
  await until('recovery has ended', async () => Object.values((await postgres.ask(blocks(written, 'sql')[0]!))[0]!)[0] === false);
  await until('the forgotten process ends itself', () => direct.log().includes('the database was restored or replaced while this process ran'));
  await expect(direct.stop()).rejects.toThrow(/ended with 1/);

  let collecting: Serving | undefined;
  await follow(commands(written), settings, async (check) => {
    expect(check('log')).toMatchObject({ ok: true, detail: expect.stringMatching(/^it holds 130 events, the last received at 20/) });
    expect(check('decisions')).toMatchObject({ ok: true, detail: expect.stringMatching(/^1 facts about deployments/) });
    expect(check('keys').detail).toMatch(/THESE COUNT.* 2 of acme \(write, .*to be revoked\)$/);
    expect(check('keys').detail).not.toContain('made since');
    expect(check('imports since').detail).toBe('no file had been read to its end: import again what was imported since');
    expect(check('to be read').detail).toMatch(new RegExp(`^Kafka still has 75 offsets .*${own.replaceAll('.', '\\.')}\\[0\\] from 45 to 69;`));
    expect(check('removed by retention')).toMatchObject({ ok: false, detail: expect.stringMatching(`^gone: ${own.replaceAll('.', '\\.')}\\[0\\] offsets 30 to 44, which came between 20[^ ]+Z and 20[^ ]+Z$`) });
    for (const name of ['checkpoints', 'numbering', 'made anew', 'lost']) expect(check(name)).toMatchObject({ name, ok: true });
    // The direct way in: what it said it holds is there, and what was acknowledged before the moment it names is among it.
    const said = /its 40 records up to (\S+) are held/.exec(check('direct ways in').detail)!;
    expect(Date.parse(said[1]!)).toBeLessThan(goneSince);

    for (const statement of statements(check('removed by retention'))) await postgres.ask(statement);
    await answered(settings, ['key', 'revoke', String(revoked.id), '--tenant', TENANT]);
    await answered(settings, ['import', join(home, 'week.ndjson'), '--tenant', TENANT]);
  }, async (process, roles) => {
    if (roles.includes('collector')) collecting = process;
  });

  const expected = [...ids(0, 60), ...ids(100, 40), ...ids(200, 30), ...ids(300, 50), ...ids(515, 25), ...ids(600, 5)];
  expect(difference(await idsIn(url), expected)).toEqual({ missing: [], surplus: [] });
  // Every number still leads to who it was: those whom only Kafka knew were numbered anew.
  expect(await postgres.ask('select count(*)::int as nobody from event left join person using (person) where event.shard < 16 and person.pseudonym is null')).toEqual([{ nobody: 0 }]);
  await send(collecting!, kept.key, shown(700, 3));
  await settled(url, 60 + 40 + 30 + 50 + 25 + 5 + 3);
  expect(await answered(settings, ['verify'])).toMatchObject({ balanced: true, duplicate: 0, stored: 213 });
});

it('B: a Kafka that was lost, with what was acknowledged and not recorded yet', async () => {
  const database = await freshDatabase();
  undo.push(() => database.drop());
  const { url } = database;
  await inLog(url, (log) => registerDeployment(log, TENANT, DEPLOYMENT));
  const folder = await mkdtemp(join(tmpdir(), 'foothold-recovery-'));
  undo.push(() => rm(folder, { recursive: true }));
  const data = join(folder, 'kafka');
  const topics = ['foothold.usage.v1', 'foothold.dead-letters.v1'];
  let kafka = await startKafka({ dataDir: data, quiet: true });
  undo.push(() => kafka.stop());
  await makeTopics(kafka.brokers, topics);
  const settings = { DATABASE_URL: url, FOOTHOLD_PSEUDONYM_KEY: KEY, FOOTHOLD_HOME: folder, KAFKA_BROKERS: kafka.brokers.join(',') };
  const { key } = await answered<{ key: string }>(settings, ['key', 'create', '--kind', 'write', '--tenant', TENANT]);

  const [collector, reading] = [await serve('collector', settings), await serve('recorder,projector', settings)];
  await send(collector, key, shown(0, 50));
  await settled(url, 50);
  await reading.stop();
  const goneSince = await send(collector, key, shown(100, 20));
  await collector.stop();

  await kafka.kill();
  await rm(data, { recursive: true });
  kafka = await startKafka({ dataDir: data, quiet: true, port: Number(kafka.brokers[0]!.split(':')[1]) });
  await makeTopics(kafka.brokers, topics);
  await follow(commands(section('B. ')), settings, async (check) => {
    const lost = check('lost');
    expect(lost).toMatchObject({ ok: false, fix: expect.stringContaining('give them up') });
    const parts = lost.detail.split('; ').map((text) => /^\S+\/foothold\.(usage|dead-letters)\.v1\[\d\] was (?:never recorded|recorded up to offset (\d+)): all that was acknowledged up to (\S+) is held, what was acknowledged later may be gone$/.exec(text)!.slice(1));
    expect(parts.filter(([topic]) => topic === 'usage').reduce((sum, [, offset]) => sum + Number(offset ?? -1) + 1, 0)).toBe(50);
    for (const [, , moment] of parts) expect(Date.parse(moment!)).toBeLessThan(goneSince);
    const pool = new pg.Client(url);
    await pool.connect();
    for (const statement of statements(lost)) expect((await pool.query(statement)).rowCount).toBeGreaterThan(0);
    await pool.end();
    expect((await afterRestore(settings))('lost').ok).toBe(true);
  }, async (process, roles) => {
    if (!roles.includes('collector')) return;
    await send(process, key, shown(200, 10));
    await settled(url, 60);
  });
  expect(difference(await idsIn(url), [...ids(0, 50), ...ids(200, 10)])).toEqual({ missing: [], surplus: [] });
  const now = Date.now() * 1000;
  await inLog(url, ({ database: pool }) => until('answers are complete again', async () => ((await completeThrough(pool, TENANT, usageProjection.name)) ?? 0) > now));
});

/** Removes what lies before an offset, as retention would. */
async function removeUpTo(kafka: TestKafka, topic: string, offset: number): Promise<void> {
  const admin = kafka.client.admin();
  await admin.connect();
  await admin.fetchTopicOffsets(topic); // deleteTopicRecords only knows topics this client has asked about
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
  await admin.disconnect();
}

async function makeTopics(brokers: string[], names: string[]): Promise<void> {
  const kafka = testKafka(brokers);
  for (const name of names) await kafka.createTopic(name, 2);
  await kafka.close();
}
