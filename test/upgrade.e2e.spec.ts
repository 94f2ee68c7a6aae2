/**
 * A rolling upgrade from the version released last: its database is loaded as it left it, its processes go on taking events
 * while the schema is brought up to date under them, this version's processes start beside, and the old ones are stopped.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from '@jest/globals';
import { usageProjection } from '@foothold/adoption';
import { lag } from '@foothold/event-log';
import { openDatabase } from '@foothold/platform';
import { answeredMigrations } from '../libs/platform/src/answered.js';
import { keyMigrations } from '../libs/platform/src/keys.js';
import pg from 'pg';
import { difference, loggedIds } from './support/database-contents.js';
import { freshDatabase } from './support/database.js';
import { foothold, type Ended } from './support/foothold.js';
import { MIGRATIONS, NO_DIFFERENCES, until } from './support/recording.js';
import { latestReleased, type Released } from './support/released.js';
import { startServing, type Serving } from './support/serving.js';

const BATCH = 20;
/** Batches that must be acknowledged before the next step, so that each step is taken under load. */
const STEADY = 10;

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** Sends batches, one at a time and to each of the collectors in turn, until it is told to stop; what is not acknowledged is sent again. */
function keepSending(released: Released, collectors: Serving[]): { acknowledged: string[]; last(): string; stop(): Promise<void> } {
  const acknowledged: string[] = [];
  let last = 'nothing yet';
  let stopping = false;
  const work = async () => {
    for (let n = 0; !stopping; n++) {
      const ids = Array.from({ length: BATCH }, () => `0193${randomUUID().slice(4, 14)}7${randomUUID().slice(15)}`);
      const events = ids.map((id, i) => ({ specversion: '1.0', id, source: 'urn:host:upgrade', type: 'foothold.result.shown.v1', subject: `person-${(n + i) % 60}`, time: new Date(Date.UTC(2026, 9, 1) + n * 60_000).toISOString(), deployment: released.deployment, data: { invocation: `u-${id}` } }));
      for (let taken = false; !taken; ) {
        const { url } = collectors[n % collectors.length]!;
        const response = await fetch(`${url}/v1/events`, { method: 'POST', headers: { authorization: `Bearer ${released.writeKey}`, 'content-type': 'application/cloudevents-batch+json' }, body: JSON.stringify(events) });
        last = `${response.status} ${await response.text()}`;
        if (response.status !== 202 && response.status !== 503) throw new Error(`a collector answered ${last}`);
        taken = response.status === 202;
      }
      acknowledged.push(...ids);
    }
  };
  const running = work();
  running.catch(() => undefined); // told by stop
  return { acknowledged, last: () => last, stop: () => ((stopping = true), running) };
}

/** A `verify` in which everything is accounted for, and nothing of a kind beyond what the release held but `stored`. */
async function balanced(run: Promise<Ended>, { ledger }: Released): Promise<{ stored: number }> {
  const { code, stdout, stderr } = await run;
  const said = JSON.parse(stdout || '{}') as Released['ledger'];
  const { duplicate, rejected, quarantined } = ledger;
  expect({ code, stderr, ...said }).toMatchObject({ code: 0, balanced: true, problems: [], rejected, quarantined });
  expect(said.duplicate).toBeGreaterThanOrEqual(duplicate);
  return said;
}

async function idsIn(url: string): Promise<string[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await loggedIds(client);
  } finally {
    await client.end();
  }
}

it('an installation of the version before goes on while it is upgraded, and holds all that either acknowledged, once', async () => {
  const released = latestReleased();
  const { url, drop } = await freshDatabase();
  undo.push(drop);
  const home = await mkdtemp(join(tmpdir(), 'foothold-upgrade-'));
  undo.push(() => rm(home, { recursive: true }));
  const settings = { DATABASE_URL: url, FOOTHOLD_HOME: home, FOOTHOLD_PSEUDONYM_KEY: released.pseudonymKey };
  const verify = (by: typeof foothold) => balanced(by(['verify', '--json'], settings), released);
  const serve = async (roles: string, program?: string) => {
    const serving = await startServing(roles, settings, program);
    undo.push(() => serving.stop().catch(() => undefined));
    return serving;
  };

  // As the version before left it.
  expect(await released.foothold(['verify', '--json'], settings)).toMatchObject({ code: 0 }); // makes the schema of that version
  await released.load(url);
  expect(await verify(released.foothold)).toMatchObject(released.ledger);
  const kept = await idsIn(url);
  const old = await serve('collector,projector,api', released.processes);
  const collectors = [old];
  const sending = keepSending(released, collectors);
  const furtherBatches = async () => {
    const { length } = sending.acknowledged;
    await until('it goes on', () => sending.acknowledged.length >= length + STEADY * BATCH, () => `, the last answer was ${sending.last()}`);
  };
  await furtherBatches();

  // The schema of this version under the processes of that one.
  await verify(foothold);
  const database = await openDatabase({ url, migrations: [...MIGRATIONS, ...keyMigrations, ...answeredMigrations], application: 'spec' });
  undo.push(() => database.close());
  expect(await database.pendingMigrations()).toEqual([]);
  await furtherBatches();
  await verify(released.foothold);
  const question = `${old.url}/v1/deployments/${released.deployment}/metrics/trust.acceptance`;
  expect((await fetch(question, { headers: { authorization: `Bearer ${released.readKey}` } })).status).toBe(200);

  // Both side by side, then the new alone.
  const fresh = await serve('collector,projector,sentinel,api');
  collectors.push(fresh);
  await furtherBatches();
  collectors.shift();
  await furtherBatches(); // what was on its way to the old one is answered
  await old.stop();
  await furtherBatches();
  await sending.stop();
  await until('all is folded', async () => (await lag(database, usageProjection.name)).behind === 0);

  const { stored } = await verify(foothold);
  expect(stored).toBe(released.ledger.stored + sending.acknowledged.length);
  await verify(released.foothold);
  expect(difference(await idsIn(url), [...kept, ...sending.acknowledged])).toEqual({ missing: [], surplus: [] });
  await until('what the version before kept open is sealed', async () => (await database.query('select from dead_letter where payload is not null')).length === 0);
  await verify(released.foothold);
  expect(old.log()).not.toMatch(/"level":(50|60)/);
  const { code, stdout, stderr } = await foothold(['rebuild', '--json'], settings);
  const { version } = usageProjection;
  expect([code, JSON.parse(stdout || '{}'), stderr]).toEqual([0, { projection: 'usage', replaced: version, version, events: stored, differences: NO_DIFFERENCES, swapped: true }, expect.anything()]);
});
