/** Growth of a retailer's customers, from events in the log: every figure of its published accounting. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type UsageEvent } from '@foothold/contract';
import { type Log } from '@foothold/event-log';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freshDatabase, type FreshDatabase } from '../../../../test/support/database.js';
import { at, event, store, TENANT } from '../../../../test/support/decisions.js';
import { openTestLog, pseudonymiser } from '../../../../test/support/recording.js';
import { ask, registerDeployment, understand } from '../index.js';
import { DEFAULT_REGISTRATION } from '../registration.js';

const FIXTURE = join(import.meta.dirname, '../../../../test/fixtures/growth');
const BATCH = 5_000;
let fresh: FreshDatabase;
let log: Log;

beforeAll(async () => {
  fresh = await freshDatabase();
  log = await openTestLog(fresh.url);
  await registerDeployment(log, (of) => pseudonymiser.check(of), TENANT, 'desk', { ...DEFAULT_REGISTRATION, sandbox: true }, Date.now() * 1000);
  const events: UsageEvent[] = [];
  for (const line of (await readFile(join(FIXTURE, 'customers.txt'), 'utf8')).trim().split('\n')) {
    const [month, ...customers] = line.split(' ');
    for (const [i, customer] of customers.entries()) events.push(event('desk', 'result.accepted', at(`${month}-${String(1 + (i % 28)).padStart(2, '0')}T12:00:00Z`), { invocation: `${month}/${customer}` }, customer));
  }
  for (let i = 0; i < events.length; i += BATCH) await store(log, events.slice(i, i + BATCH));
}, 120_000);
afterAll(async () => {
  await log?.database.close();
  await fresh?.drop();
});

it('is that of the published accounting, month by month', async () => {
  const [, ...published] = (await readFile(join(FIXTURE, 'accounting.csv'), 'utf8')).trim().split('\n');
  const { rows } = await (await ask(log, { tenant: TENANT, deployments: null }, 'desk', understand({ metric: 'adoption.growth', grain: 'month', from: '2019-06-01', to: '2024-04-30' }))).answer();
  const of = new Map(rows.map((row) => [`${row.from.slice(0, 7)} ${row.variant}`, row.value]));
  const months = [...new Set(rows.map(({ from }) => from.slice(0, 7)))];
  expect(months.map((month) => [month, ...['active', 'retained', 'new', 'resurrected', 'churned'].map((variant) => of.get(`${month} ${variant}`))].join(','))).toEqual(published);
  expect(published).toHaveLength(59);
  expect(published).toContain('2019-08,259,59,195,5,289');
  expect(of.get('2019-08 quick_ratio')).toBe(200 / 289);
});
