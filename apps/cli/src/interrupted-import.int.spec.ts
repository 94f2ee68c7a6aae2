/** Imports that are killed, repeated, doubled and overlapping: each line counts once, and every run says what it did itself. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { appendFileSync, chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { foothold, startFoothold } from '../../../test/support/foothold.js';
import { startPostgresProxy } from '../../../test/support/postgres-proxy.js';

const KEY = 'ab'.repeat(32);
const LINES = 60_000;

const line = (i: number) => JSON.stringify({
  specversion: '1.0', id: `01890a5d-ac96-774b-8c3a-${i.toString(16).padStart(12, '0')}`, source: 'urn:acme:erp', type: 'foothold.result.shown.v1',
  subject: `person-${i % 500}`, time: new Date(Date.UTC(2026, 0, 5) + i * 1_000).toISOString(), deployment: 'claims', data: { invocation: `i-${i}` },
});
/** Every tenth line is blank and every hundredth no event, so that neither is counted anew by a run that goes on. */
const linesOf = (from: number, to: number) => {
  let text = '';
  for (let i = from; i < to; i++) text += `${i % 10 === 0 ? '' : i % 100 === 55 ? `no event ${i % 7}` : line(i)}\n`;
  return text;
};
/** What the import of a file of so many lines says. */
const totalOf = (lines: number) => ({ received: lines * 0.9, stored: lines * 0.89, duplicate: 0, rejected: lines * 0.01, quarantined: 0 });
const WHOLE = totalOf(LINES);
const FEWER = 20_000;
const SHORTER = totalOf(FEWER);

let folder: string;
let file: string;
let shorter: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'foothold-import-'));
  chmodSync(folder, 0o755); // as root Postgres runs as another user
  file = join(folder, 'events.ndjson');
  writeFileSync(file, linesOf(0, LINES));
  shorter = join(folder, 'shorter.ndjson');
  writeFileSync(shorter, linesOf(0, FEWER));
});
afterAll(() => rmSync(folder, { recursive: true }));

const answerOf = async (args: string[], settings: Record<string, string>) => {
  const { code, stdout, stderr } = await foothold([...args, '--json'], settings);
  if (code !== 0) throw new Error(`${args.join(' ')}: ${code} ${stderr}`);
  return { answer: JSON.parse(stdout) as Record<string, number>, stderr };
};

describe('an import', () => {
  let database: FreshDatabase;
  let client: pg.Client;
  let settings: Record<string, string>;

  beforeEach(async () => {
    database = await freshDatabase();
    settings = { DATABASE_URL: database.url, FOOTHOLD_HOME: folder, FOOTHOLD_PSEUDONYM_KEY: KEY };
    await answerOf(['deployment', 'register', 'claims'], settings);
    client = new pg.Client(database.url);
    await client.connect();
  });
  afterEach(async () => {
    await client.end();
    await database.drop();
  });

  const counted = async () => (await client.query<{ events: number; people: number }>('select count(*)::int as events, count(distinct person)::int as people from event where origin is not null')).rows[0]!;

  it('killed in the middle goes on where it stopped, and is then whole', async () => {
    let copies = 0;
    const proxy = await startPostgresProxy(database.url, {
      decide({ kind }) {
        if (kind !== 'copyDone' || ++copies < 4) return 'forward';
        killed.process.kill('SIGKILL'); // in the middle of its fourth transaction
        return 'cut';
      },
    });
    const killed = startFoothold(['import', file, '--json'], { ...settings, DATABASE_URL: proxy.url });
    expect(await killed.ended).toMatchObject({ code: null, stdout: '' });
    await proxy.close();
    const at = 15_000;
    expect((await client.query('select next_offset::int from origin')).rows).toEqual([{ next_offset: at }]);

    const { answer, stderr } = await answerOf(['import', file], settings);
    const rest = linesOf(at, LINES).split('\n').filter((text) => text !== '');
    const bad = rest.filter((text) => text.startsWith('no')).length;
    expect(answer).toEqual({ received: rest.length, stored: rest.length - bad, duplicate: 0, rejected: bad, quarantined: 0 });
    expect(stderr).toBe(`going on after line ${at}\n`);
    expect((await answerOf(['verify'], settings)).answer).toMatchObject({ balanced: true, ...WHOLE, sources: [{ kind: 'file', ...WHOLE }] });
    expect(await counted()).toEqual({ events: WHOLE.stored, people: 445 });
    const { rows } = await client.query<{ invocations: number }>('select count(*)::int as invocations from invocation');
    expect(rows[0]).toEqual({ invocations: WHOLE.stored }); // folded to the end as well
  });

  it('of the same file again stores nothing, of one that has grown what is new', async () => {
    const grown = join(folder, 'grown.ndjson');
    writeFileSync(grown, linesOf(0, 1_000));
    const first = { received: 900, stored: 890, duplicate: 0, rejected: 10, quarantined: 0 };
    expect((await answerOf(['import', grown], settings)).answer).toEqual(first);
    expect((await answerOf(['import', grown], settings)).answer).toEqual({ ...first, stored: 0, duplicate: 890 });
    appendFileSync(grown, linesOf(1_000, 1_500));
    expect((await answerOf(['import', grown], settings)).answer).toEqual({ received: 1_350, stored: 445, duplicate: 890, rejected: 15, quarantined: 0 });
    expect((await answerOf(['verify'], settings)).answer).toMatchObject({ balanced: true, received: 3_150, stored: 1_335, duplicate: 1_780, rejected: 35 });
    expect((await counted()).events).toBe(1_335);
  });

  it('beside another of the same file: one goes through, and each line counts once', async () => {
    const pair = await Promise.all([foothold(['import', shorter, '--json'], settings), foothold(['import', shorter, '--json'], settings)]);
    const through = pair.filter(({ code }) => code === 0);
    for (const { code, stdout, stderr } of pair.filter((ended) => !through.includes(ended))) {
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toContain('foothold: file: another import of this file is running. wait for it to end; nothing was counted twice');
    }
    expect(through.length).toBeGreaterThan(0);
    for (const { stdout } of through) expect(JSON.parse(stdout)).toEqual({ received: expect.any(Number), stored: expect.any(Number), duplicate: expect.any(Number), rejected: expect.any(Number), quarantined: 0 });
    const { answer } = await answerOf(['verify'], settings);
    expect(answer).toMatchObject({ balanced: true, stored: SHORTER.stored, quarantined: 0 });
    expect(answer['received']! - answer['duplicate']! - answer['rejected']!).toBe(SHORTER.stored);
    expect((await counted()).events).toBe(SHORTER.stored);
    // Whoever was turned away may simply try again.
    expect((await answerOf(['import', shorter], settings)).answer).toEqual({ ...SHORTER, stored: 0, duplicate: SHORTER.stored });
  });
});

describe('on the embedded database', () => {
  it('works while another command holds it, and the last one out stops it', async () => {
    const settings = { FOOTHOLD_HOME: join(folder, 'home'), FOOTHOLD_PSEUDONYM_KEY: KEY };
    await answerOf(['deployment', 'register', 'claims'], settings);
    const small = join(folder, 'small.ndjson');
    writeFileSync(small, linesOf(0, 1_000));
    const [whole, part, verified] = await Promise.all([answerOf(['import', shorter], settings), answerOf(['import', small], settings), answerOf(['verify'], settings)]);
    expect(verified.answer['balanced']).toBe(true);
    expect(whole.answer['stored']! + part.answer['stored']!).toBe(SHORTER.stored);
    expect(whole.answer['duplicate']! + part.answer['duplicate']!).toBe(890);
    expect((await answerOf(['verify'], settings)).answer).toMatchObject({ balanced: true, stored: SHORTER.stored, duplicate: 890, rejected: SHORTER.rejected + 10 });
    await expect(foothold(['doctor', '--json'], { ...settings, FOOTHOLD_PSEUDONYM_KEY: 'cd'.repeat(32) })).resolves.toMatchObject({ code: 1, stdout: expect.stringContaining('it is not the key of tenant \\"local\\"') });
    await expect(foothold(['import', small], { ...settings, FOOTHOLD_PSEUDONYM_KEY: 'cd'.repeat(32) })).resolves.toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('foothold: FOOTHOLD_PSEUDONYM_KEY: is not the key') });
    expect((await answerOf(['verify'], settings)).answer).toMatchObject({ balanced: true, received: expect.any(Number), stored: SHORTER.stored });
    expect(existsSync(join(settings.FOOTHOLD_HOME, 'postgres/PG_VERSION'))).toBe(true);
    expect(existsSync(join(settings.FOOTHOLD_HOME, 'postgres/postmaster.pid'))).toBe(false);
  });
});
