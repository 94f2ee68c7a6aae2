/** A roster from the command line: what is imported, what is refused, 50,000 lines of it; and what is decided about a deployment's days. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { footholdHere } from '../../../test/support/foothold.js';

const HEADER = 'person,team,role,from,to,leave';
let database: FreshDatabase;
let folder: string;
let settings: Record<string, string>;
let client: pg.Client;

beforeAll(async () => {
  database = await freshDatabase();
  folder = mkdtempSync(join(tmpdir(), 'foothold-roster-'));
  settings = { DATABASE_URL: database.url, FOOTHOLD_HOME: folder, FOOTHOLD_PSEUDONYM_KEY: 'ab'.repeat(32) };
  client = new pg.Client(database.url);
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await database?.drop();
  rmSync(folder, { recursive: true });
});

const cli = (...args: string[]) => footholdHere(args, settings);
async function answer(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await cli(...args, '--json');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Record<string, unknown>;
}
function file(...lines: string[]): string {
  const path = join(folder, 'roster.csv');
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}
const usage = (person: string, i: number) => JSON.stringify({
  specversion: '1.0', id: `r:${person}:${i}`, source: 'urn:acme:erp', type: 'foothold.result.accepted.v1', subject: person, time: new Date(Date.now() - 3_600_000).toISOString(), deployment: 'joins', data: { invocation: `i-${i}` },
});

describe('roster import', () => {
  it('joins people to their events, and says loudly where it does not', async () => {
    await answer('deployment', 'register', 'joins');
    const events = join(folder, 'events.ndjson');
    writeFileSync(events, Array.from({ length: 8 }, (_, i) => `${usage(`p-${i}`, i)}\n`).join(''));
    await answer('import', events);

    const path = file(HEADER, ...Array.from({ length: 10 }, (_, i) => `p-${i},desk,nurse,2026-01-05,,`));
    const counts = { deployment: 'joins', people: 10, removed: 0, matched: { roster: 0.8, active: 1 } };
    expect(await answer('roster', 'import', 'joins', path)).toEqual({ ...counts, version: 11, added: 10, changed: 0, unchanged: 0 });
    expect(await answer('roster', 'import', 'joins', path)).toEqual({ ...counts, version: 11, added: 0, changed: 0, unchanged: 10 });
    expect((await cli('roster', 'import', 'joins', path)).stdout).not.toContain('WARNING');

    const strangers = file(HEADER, ...Array.from({ length: 30 }, (_, i) => `P-${i},desk,nurse,2026-01-05,,`));
    const { stdout } = await cli('roster', 'import', 'joins', strangers, '--complete');
    expect(stdout).toContain('30 people on the roster: 30 added, 0 changed, 0 unchanged, 10 removed (version 51)');
    expect(stdout).toContain('WARNING: ids do not join');
  });

  it('imports nothing where a line is wrong, and names no person', async () => {
    await answer('deployment', 'register', 'wrong');
    const path = file(HEADER, 'kari.nordmann,desk,nurse,2026-01-05,,', 'ola.nordmann,desk,nurse,5 jan,,', 'kari.nordmann,desk,nurse,2026-02-01,,');
    const { code, stdout, stderr } = await cli('roster', 'import', 'wrong', path);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      'line 3, from: no day (write it as YYYY-MM-DD, for instance 2026-01-31)\nline 4, from: the period shares a day with that of the same person in line 2 (let one end before the other begins)\n'
      + 'foothold: file: 2 faults, told above; nothing was imported. mend these and import it again\n',
    );
    expect(await answer('deployment', 'show', 'wrong')).toMatchObject({ version: 1, roster: { people: 0, enabled: 0, onLeave: 0 } });
  });

  it.each([
    ['a deployment that is not registered', () => ['nowhere', file(HEADER, 'a,,,2026-01-05,,')], 'register it: foothold deployment register nowhere'],
    ['a file that is not there', () => ['joins', join(folder, 'none.csv')], 'name a file with a roster as CSV'],
  ])('refuses %s', async (_, args, fix) => {
    expect(await cli('roster', 'import', ...args())).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(fix) });
  });

  it('keeps nothing of the names it read', async () => {
    const { rows } = await client.query<{ table_name: string }>(`select table_name from information_schema.tables where table_schema = 'public'`);
    for (const { table_name: name } of rows) {
      const found = await client.query(`select from "${name}" t where t::text ~ 'p-[0-9]|nordmann'`);
      expect([name, found.rowCount]).toEqual([name, 0]);
    }
    expect((await client.query(`select from person p join roster using (person) where length(pseudonym) = 32`)).rowCount).toBeGreaterThan(0);
  });

  it('takes 50,000 lines in seconds', async () => {
    await answer('deployment', 'register', 'large');
    const path = file(HEADER, ...Array.from({ length: 50_000 }, (_, i) => `employee-${i},team-${i % 200},nurse,2026-01-05,${i % 7 === 0 ? '2026-10-31' : ''},`));
    const started = performance.now();
    expect(await answer('roster', 'import', 'large', path)).toMatchObject({ people: 50_000, added: 50_000, version: 50_001 });
    const first = performance.now();
    expect(await answer('roster', 'import', 'large', path)).toMatchObject({ people: 50_000, unchanged: 50_000, version: 50_001 });
    const second = performance.now();
    console.info(`50,000 lines: ${((first - started) / 1000).toFixed(1)} s; again, unchanged: ${((second - first) / 1000).toFixed(1)} s`);
    expect(await answer('deployment', 'show', 'large')).toMatchObject({ roster: { people: 50_000, onLeave: 0 } });
    const { rows } = await client.query(`select count(*)::int as facts, count(distinct person)::int as people, max(position) - min(position) + 1 = count(*) as whole from event join deployment using (deployment) where deployment.id = 'large' and type = 'roster.changed'`);
    expect(rows).toEqual([{ facts: 50_000, people: 50_000, whole: true }]);
    expect(await answer('verify')).toMatchObject({ balanced: true, problems: [] });
  }, 180_000);
});

describe('deployment', () => {
  it('pilot, handoff, close and show say what stands', async () => {
    await answer('deployment', 'register', 'days', '--time-zone', 'Europe/Oslo');
    expect(await answer('deployment', 'pilot', 'days', '2026-01-05')).toMatchObject({ deployment: 'days', version: 2, pilotStart: '2026-01-05', changed: true });
    expect(await answer('deployment', 'handoff', 'days', '2026-03-02')).toMatchObject({ version: 3, handoff: '2026-03-02', changed: true });
    expect(await answer('deployment', 'handoff', 'days', '2026-03-02')).toMatchObject({ version: 3, changed: false });
    expect(await answer('deployment', 'close', 'days', '--from', '2026-12-24', '--to', '2026-12-26', '--reason', 'christmas')).toMatchObject({ version: 4, closures: [{ from: '2026-12-24', to: '2026-12-26', reason: 'christmas' }] });
    expect(await answer('deployment', 'agree', 'days', '--people', '8', '--dwell-times')).toMatchObject({ version: 5, agreement: { people: 8, dwellTimes: true } });
    await answer('roster', 'import', 'days', file(HEADER, 'a,,,2026-01-05,,', 'a,,,2026-01-05,,yes', 'b,,,2026-01-05,2026-01-06,', 'c,,,2026-01-05,,'));
    expect(await answer('deployment', 'show', 'days')).toEqual({
      deployment: 'days', tenant: 'local', version: 8, timeZone: 'Europe/Oslo', country: null, taskKinds: null, pilotStart: '2026-01-05', handoff: '2026-03-02', target: 0.4, sandbox: false,
      agreement: { people: 8, dwellTimes: true }, closures: [{ from: '2026-12-24', to: '2026-12-26', reason: 'christmas' }], roster: { people: 3, enabled: 2, onLeave: 1 },
    });
    const { stdout } = await cli('deployment', 'show', 'days');
    expect(stdout).toMatch(/^agreement +people 8 dwellTimes true$/m);
    expect(stdout).toMatch(/^closures +from 2026-12-24 to 2026-12-26 reason christmas$/m);
    expect(stdout).toMatch(/^roster +people 3 enabled 2 onLeave 1$/m);
    expect(await answer('deployment', 'close', 'days', '--from', '2026-12-24', '--to', '2026-12-26', '--withdraw')).toMatchObject({ version: 9, closures: [], changed: true });
  });

  it.each([
    [['handoff', 'days', 'soon'], 2, 'day: a text of 4 characters that is no day'],
    [['handoff', 'days', '2026-01-04'], 1, 'day: 2026-01-04 is before the pilot'],
    [['close', 'days', '--from', '2026-05-02', '--to', '2026-05-01'], 2, '--to: 2026-05-01 is before 2026-05-02'],
    [['close', 'days', '--from', '2026-05-02', '--to', '2026-05-03', '--withdraw'], 1, '--from: no closure is from 2026-05-02 to 2026-05-03'],
    [['close', 'days', '--from', '2026-05-02', '--to', '2026-05-03', '--withdraw', '--reason', 'x'], 2, '--reason: a closure that is withdrawn needs none'],
    [['close', 'days', '--from', '2026-05-02'], 2, '--to'],
    [['show', 'nowhere'], 1, 'has no deployment "nowhere"'],
    [['pilot', 'nowhere', '2026-05-02'], 1, 'has no deployment "nowhere"'],
  ])('%j ends with %i and says why', async (args, code, said) => {
    expect(await cli('deployment', ...args)).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(said) });
  });
});
