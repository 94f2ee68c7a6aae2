/** `foothold rebuild` on the public log: equal to live in every column of every table, and what it says where it is not. */
import { usageProjection } from '@foothold/adoption';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { footholdHere } from '../../../test/support/foothold.js';
import { KEY, NO_DIFFERENCES, openTestLog } from '../../../test/support/recording.js';

const FIXTURE = join(import.meta.dirname, '../../../test/fixtures/cups/events.ndjson');
let database: FreshDatabase;
let home: string;
const cli = (...args: string[]) => footholdHere(args, { DATABASE_URL: database.url, FOOTHOLD_PSEUDONYM_KEY: KEY, FOOTHOLD_HOME: home });

beforeEach(async () => {
  database = await freshDatabase();
  home = await mkdtemp(join(tmpdir(), 'foothold-rebuild-'));
  expect(await cli('import', FIXTURE, '--register')).toMatchObject({ code: 0 });
});

afterEach(async () => {
  await database.drop();
  await rm(home, { recursive: true });
});

it('swaps in what is equal to live, and every answer stays as it was', async () => {
  const ask = async () => (await cli('metrics', 'copilot', 'trust.acceptance', '--grain', 'week', '--json')).stdout;
  const before = await ask();
  expect(await cli('rebuild')).toEqual({ code: 0, stderr: '', stdout: expect.stringMatching(/^usage: \d+ events folded; equal to live in every row and column; swapped in\n$/) });
  expect(await ask()).toBe(before);
  expect(JSON.parse((await cli('rebuild', 'usage', '--json')).stdout)).toEqual({ projection: 'usage', replaced: usageProjection.version, version: usageProjection.version, events: expect.any(Number), differences: NO_DIFFERENCES, swapped: true });
  expect(await cli('doctor')).toMatchObject({ stdout: expect.stringContaining('0 events are in the log and not yet in the read tables') });
});

it('leaves live alone where rows differ, says how many, and swaps where that is accepted', async () => {
  const log = await openTestLog(database.url);
  await log.database.query(`update person_day set accepted = accepted + 1 where ctid = (select min(ctid) from person_day)`);
  expect(await cli('rebuild')).toEqual({ code: 1, stderr: '', stdout: expect.stringContaining('rows that differ: 2 of person_day; NOT swapped in: live is as it was') });
  expect(await cli('rebuild', '--accept-differences')).toMatchObject({ code: 0, stdout: expect.stringContaining('0 events folded; rows that differ: 2 of person_day; swapped in') });
  expect(await cli('rebuild')).toMatchObject({ code: 0, stdout: expect.stringContaining('equal to live') });
  await log.database.close();
});

it('knows its projections', async () => {
  expect(await cli('rebuild', 'usages')).toEqual({ code: 2, stdout: '', stderr: 'foothold: projection: there is none of this name. use one of usage\n' });
});
