/** A sentinel that looks after dead letters on a real Postgres: one waits for its deployment, one has been kept for its time. */
import { append, openOrigin, tallyLetters, verify, type Log } from '@foothold/event-log';
import { checkMessage } from '@foothold/contract';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import pino from 'pino';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { underClock } from '../../../test/support/wrong-clock.js';
import { openTestLog, pseudonymiser, registerDeployment, shownEvents, until } from '../../../test/support/recording.js';
import { Sentinel } from './sentinel.js';
import { expiringOf, sweepingOf } from './tend-letters.js';

const DAYS = 90;
let fresh: FreshDatabase;
let log: Log;
let sentinel: Sentinel | undefined;

beforeEach(async () => {
  fresh = await freshDatabase();
  log = await openTestLog(fresh.url);
});

afterEach(async () => {
  await sentinel?.stop();
  await log.database.close();
  await fresh.drop();
});

it('stores what waited once its deployment is registered, deletes what is too old, and the ledger still balances', async () => {
  const { origin } = await openOrigin(log.database, { kind: 'file', name: 'spec', part: 0, tenant: 'acme', firstOffset: 0 });
  const judged = (text: string) => {
    const verdict = checkMessage(text, 'acme', Date.now() * 1000, { pseudonymise: (of, person) => pseudonymiser.pseudonym(of, person), subjects: 'raw' });
    return verdict.outcome === 'accepted' ? { tenant: 'acme', event: verdict.event } : { refusal: verdict.refusal };
  };
  await registerDeployment(log, 'acme', 'other');
  await append(log, [...shownEvents(0, 3), '{', '{"specversion"'].map(judged), { origin, from: 0, next: 5, voids: 0, mark: null, markOffset: null });
  expect((await tallyLetters(log.database)).lying).toEqual({ rejected: 2, quarantined: 3 });
  await log.database.query(`update dead_letter set received = now() - make_interval(days => $1, secs => case when dead_letter = (select min(dead_letter) from dead_letter where kind = 'rejected') then 60 else -60 end) where kind = 'rejected'`, [DAYS]);

  const logger = pino({ level: 'silent' });
  const fatal: unknown[] = [];
  let now = Date.now();
  const jobs = [sweepingOf(log, (tenant) => pseudonymiser.check(tenant), logger), expiringOf(log, DAYS, logger)];
  sentinel = new Sentinel(log.database, jobs, logger, (error) => fatal.push(error), () => undefined, () => now, 5);
  sentinel.start();
  await underClock(24 * 1_000, async () => jobs[1]!.run({ step: async () => 'elsewhere', beat: () => undefined, signal: new AbortController().signal })); // letters are as old as the database says
  await until('the old one has expired, and that of 90 days less a minute has not', async () => (await tallyLetters(log.database)).expired.rejected === 1);
  expect(await tallyLetters(log.database)).toEqual({ lying: { rejected: 1, quarantined: 3 }, expired: { rejected: 1, quarantined: 0 }, redriven: 0 });

  await registerDeployment(log, 'acme', 'desk');
  now += 10_000;
  await until('what waited is stored', async () => (await tallyLetters(log.database)).redriven === 3);
  expect(await verify(log.database)).toMatchObject({ balanced: true, received: 5, stored: 3, duplicate: 0, rejected: 2, quarantined: 0 });
  expect(fatal).toEqual([]);
});
