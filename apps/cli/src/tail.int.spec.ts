/** `foothold tail` as a process of its own, as somebody types it while a host sends. */
import { checkMessage } from '@foothold/contract';
import { append, openOrigin, type Log } from '@foothold/event-log';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { startFoothold, type Running } from '../../../test/support/foothold.js';
import { startPostgresProxy, type Decision, type PostgresProxy } from '../../../test/support/postgres-proxy.js';
import { KEY, openTestLog, pseudonymiser, registerDeployment, shownEvents, until } from '../../../test/support/recording.js';

const TENANT = 'acme';
let database: FreshDatabase;
let log: Log;
let proxy: PostgresProxy;
let decision: Decision = 'forward';
let tailing: Running | undefined;

beforeAll(async () => {
  database = await freshDatabase();
  log = await openTestLog(database.url);
  proxy = await startPostgresProxy(database.url, { decide: () => decision });
  await registerDeployment(log, TENANT, 'desk');
});
afterEach(async () => {
  tailing?.process.kill('SIGKILL');
  await tailing?.ended;
});
afterAll(async () => {
  await log?.database.close();
  await proxy?.close();
  await database?.drop();
});

async function start(deployment: string, ...flags: string[]): Promise<Running> {
  const started = startFoothold(['tail', deployment, '--tenant', TENANT, ...flags], { DATABASE_URL: proxy.url, FOOTHOLD_PSEUDONYM_KEY: KEY });
  tailing = started;
  await until('it waits', () => /aiting/.test(started.said.stderr), () => `: ${started.said.stderr}`);
  return started;
}

let sent = 0;
/** Stores one event, or its refusal, and gives the time at which it was. */
async function send(change = (event: string): string => event): Promise<number> {
  const { origin, nextOffset } = await openOrigin(log.database, { kind: 'file', name: 'spec', part: 0, tenant: TENANT, firstOffset: 0 });
  const verdict = checkMessage(change(shownEvents(sent++, 1)[0]!), TENANT, Date.now() * 1000, { pseudonymise: (of, person) => pseudonymiser.pseudonym(of, person), subjects: 'raw' });
  await append(log, [verdict.outcome === 'accepted' ? { tenant: TENANT, event: verdict.event } : { refusal: verdict.refusal }], { origin, from: nextOffset, next: nextOffset + 1, voids: 0, mark: null, markOffset: null });
  return Date.now();
}

const lines = ({ said }: Running) => said.stdout.split('\n').slice(0, -1);

/** Waits for so many lines. */
async function shown(running: Running, count: number): Promise<string[]> {
  await until(`${count} lines`, () => lines(running).length >= count, () => ` but ${running.said.stdout}${running.said.stderr}`);
  return lines(running);
}

it('shows an event within two seconds of its being stored, and its refusal, and ends with 0 on Ctrl-C', async () => {
  await send();
  const running = await start('desk');
  expect(running.said.stderr).toBe('waiting for events of desk (times are those of UTC); Ctrl-C ends this\n');
  const stored = await send();
  await shown(running, 1);
  expect(Date.now() - stored).toBeLessThan(2_000);
  await send((event) => event.replace('"invocation"', '"colour":"red","invocation"'));
  const [event, refusal] = await shown(running, 2);
  expect(event).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}result\.shown {9}[0-9a-f]{6} {2}i-1 {2}happened 2026-01-05 00:00:01$/);
  expect(refusal).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}REJECTED {13}foothold\.result\.shown\.v1 {2}data\.colour: .+\. .+$/);
  running.process.kill('SIGINT');
  expect(await running.ended).toMatchObject({ code: 0 });
  expect(running.said.stdout).not.toContain(pseudonymiser.pseudonym(TENANT, 'person-1'));
});

it('gives programs a line of JSON an event, from as far back as they ask', async () => {
  await send();
  const running = await start('desk', '--json', '--since', '1h');
  await send((event) => event.replace('"time":"2026', '"time":"2999'));
  const parsed = (await shown(running, sent)).map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(parsed.at(-2)).toEqual({
    outcome: 'stored', received: expect.stringMatching(/Z$/), time: '2026-01-05T00:00:03.000Z', type: 'result.shown', id: expect.any(String), source: 'urn:spec',
    person: pseudonymiser.pseudonym(TENANT, 'person-3').slice(0, 6), actor: null, skewMs: null, data: { invocation: 'i-3' },
  });
  expect(parsed.at(-1)).toMatchObject({ outcome: 'rejected', field: 'time', reason: expect.stringMatching(/./), fix: expect.stringMatching(/./) });
});

it('of a deployment nobody registered says so, shows what is quarantined, and says what to check when nothing comes', async () => {
  const running = await start('attic');
  expect(running.said.stderr).toMatch(/^tenant "acme" has no deployment "attic": .*foothold deployment register attic --tenant acme.*Ctrl-C/);
  await until('it says what to check', () => running.said.stderr.includes('nothing has come in 10 s'));
  expect(running.said.stderr).toMatch(/that the deployment is registered: .*\n.*foothold key list.*\n.*\n.*foothold doctor/);
  await send((event) => event.replace('"desk"', '"attic"'));
  expect(await shown(running, 1)).toEqual([expect.stringMatching(/QUARANTINED {10}result\.shown {2}deployment: no deployment "attic" is registered/)]);
});

it('goes on when the database was away', async () => {
  const running = await start('desk');
  decision = 'cut';
  try {
    await until('it says so', () => running.said.stderr.includes('the database does not answer, trying again'));
    await send();
  } finally {
    decision = 'forward';
  }
  await shown(running, 1);
  expect(running.said.stderr.match(/trying again/g)).toHaveLength(1);
  running.process.kill('SIGTERM');
  expect(await running.ended).toMatchObject({ code: 0 });
});
