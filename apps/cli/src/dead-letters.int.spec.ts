/** `foothold dead-letters` and what a late registration does for it: shown, redriven, expired, and left alone under another key. */
import { Sealer } from '@foothold/platform';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { footholdHere, type Ended } from '../../../test/support/foothold.js';

const KEY = 'ab'.repeat(32);
let database: FreshDatabase;
let client: pg.Client;
let folder: string;
let settings: Record<string, string>;
let files = 0;

beforeAll(async () => {
  database = await freshDatabase();
  folder = mkdtempSync(join(tmpdir(), 'foothold-letters-'));
  settings = { DATABASE_URL: database.url, FOOTHOLD_HOME: folder, FOOTHOLD_PSEUDONYM_KEY: KEY };
  client = new pg.Client(database.url);
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
  rmSync(folder, { recursive: true });
});

const cli = (...args: string[]) => footholdHere([...args, '--json'], settings);
function answerOf({ code, stdout, stderr }: Ended, said = ''): unknown {
  expect([code, stderr]).toEqual([0, said]);
  expect(stdout).toMatch(/^[^\n]+\n$/);
  return JSON.parse(stdout);
}

async function importing(...events: Record<string, unknown>[]): Promise<void> {
  const path = join(folder, `${++files}.ndjson`);
  writeFileSync(path, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  answerOf(await cli('import', path));
}
const event = (id: string, deployment: string, data: Record<string, unknown> = {}, more: Record<string, unknown> = {}) => ({
  specversion: '1.0', id, source: 'urn:erp', type: 'foothold.result.shown.v1', subject: 'jane', time: '2026-01-05T09:30:00Z', deployment, data: { invocation: `i-${id}`, ...data }, ...more,
});
const letters = async () => (await client.query<Record<string, string> & { sealed: Buffer }>('select * from dead_letter order by dead_letter')).rows;
const stamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const none = { redriven: 0, stored: 0, duplicate: 0, rejected: 0, quarantined: 0, kept: 0 };

describe('what waits for a deployment', () => {
  it('is shown whole, without a name, and stored when the deployment is registered', async () => {
    await importing(event('a', 'late'), event('b', 'late'), event('c', 'other'));
    const id = (await letters())[0]!['dead_letter'];
    const shown = answerOf(await cli('dead-letters', 'show', id!)) as { payload: Record<string, unknown> };
    expect(shown).toEqual({
      id, kind: 'quarantined', field: 'deployment', reason: expect.stringContaining('"late"'), fix: expect.stringContaining('foothold deployment register late'), tenant: 'local', deployment: 'late', source: 'urn:erp',
      type: 'result.shown', event: expect.stringMatching(/^[0-9a-f-]{36}$/), received: stamp, origin: { kind: 'file', name: expect.stringMatching(/^local\/[0-9a-f]+#1$/), part: 0 },
      group: { count: 2, firstSeen: stamp, lastSeen: stamp }, kept: 'readable', payload: expect.objectContaining({ deployment: 'late', subject: expect.stringMatching(/^[0-9a-f]{64}$/), data: { invocation: 'i-a' } }),
    });
    const prose = await footholdHere(['dead-letters', 'show', id!], settings);
    expect(prose).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('"invocation": "i-a"') });

    expect(answerOf(await cli('deployment', 'register', 'late'), 'redriven 2 that had waited for it\n')).toMatchObject({ deployment: 'late', new: true, redriven: 2 });
    expect(answerOf(await cli('deployment', 'register', 'late'))).toMatchObject({ new: false, redriven: 0 });
    expect(answerOf(await cli('dead-letters', 'list'))).toMatchObject([{ field: 'deployment', count: 1 }]);
    expect(answerOf(await cli('verify'))).toMatchObject({ balanced: true, received: 3, stored: 2, quarantined: 1 });
  });
});

describe('a redrive', () => {
  it('takes those that were chosen, and says what became of them', async () => {
    await importing(event('d', 'late', { confidence: 7 }), event('a', 'late', { options: 3 }), event('e', 'late'));
    expect(answerOf(await cli('dead-letters', 'redrive', '--kind', 'rejected'))).toEqual({ ...none, rejected: 1 });
    expect(answerOf(await cli('dead-letters', 'redrive', '--field', 'id', '--deployment', 'late'))).toEqual({ ...none, quarantined: 1 });
    expect(answerOf(await cli('dead-letters', 'redrive', '--tenant', 'globex'))).toEqual(none);
    const [first] = await letters();
    expect(answerOf(await cli('dead-letters', 'redrive', '--id', first!['dead_letter']!))).toEqual({ ...none, quarantined: 1 });
    expect(answerOf(await cli('dead-letters', 'redrive'))).toEqual({ ...none, rejected: 1, quarantined: 2 });
    expect(answerOf(await cli('verify'))).toMatchObject({ balanced: true, received: 6, stored: 3, rejected: 1, quarantined: 2 });
  });

  it('leaves alone what was sealed under another key, and says which key is wanted', async () => {
    const before = await letters();
    await client.query('update dead_letter set sealed = $1 where field = $2', [new Sealer(Buffer.alloc(32, 9)).seal('local', '{}'), 'deployment']);
    const said = expect.stringMatching(/^1 left alone: they were sealed under another key.*FOOTHOLD_PSEUDONYM_KEY/) as unknown as string;
    expect(answerOf(await cli('dead-letters', 'redrive', '--field', 'deployment'), said)).toEqual({ ...none, kept: 1 });
    const { dead_letter: id, sealed } = before.find(({ field }) => field === 'deployment')!;
    expect(answerOf(await cli('dead-letters', 'show', id!))).toMatchObject({ kept: 'under another key', payload: null });
    await client.query('update dead_letter set sealed = $1 where dead_letter = $2', [sealed, id]);
  });

  it('shows nothing of a letter that keeps nothing, and no other tenant’s', async () => {
    await importing(event('f', 'late', { prompt: 'Dear Jane' }));
    const last = (await letters()).at(-1)!;
    expect(answerOf(await cli('dead-letters', 'show', last['dead_letter']!))).toMatchObject({ field: 'data.prompt', kept: 'nothing', payload: null });
    for (const args of [['show', last['dead_letter']!, '--tenant', 'globex'], ['show', '999999']]) {
      expect(await cli('dead-letters', ...args)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('foothold dead-letters list') });
    }
  });
});

describe('expiry', () => {
  it('takes what is older than the days that are configured, or given', async () => {
    await client.query(`update dead_letter set received = now() - case field when 'data.prompt' then interval '95 days' when 'id' then interval '20 days' else interval '0' end`);
    expect(answerOf(await cli('dead-letters', 'expire'))).toEqual({ rejected: 1, quarantined: 0 });
    expect(answerOf(await footholdHere(['dead-letters', 'expire', '--json'], { ...settings, FOOTHOLD_DEAD_LETTER_DAYS: '30' }))).toEqual({ rejected: 0, quarantined: 0 });
    expect(answerOf(await footholdHere(['dead-letters', 'expire', '--json'], { ...settings, FOOTHOLD_DEAD_LETTER_DAYS: '19' }))).toEqual({ rejected: 0, quarantined: 1 });
    expect(answerOf(await cli('dead-letters', 'expire', '--older-than', '1', '--tenant', 'globex'))).toEqual({ rejected: 0, quarantined: 0 });
    expect((await letters()).map(({ field }) => field).sort()).toEqual(['data.confidence', 'deployment']);
    expect(answerOf(await cli('verify'))).toMatchObject({ balanced: true, received: 7, stored: 3, rejected: 2, quarantined: 2 });
  });
});
