/**
 * Files with wrong lines, and what is no file of events at all, through the real command on a real database: what is
 * refused lies in the ledger with field and fix, what is right beside it is stored, and the ledger balances.
 */
import { Sealer } from '@foothold/platform';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import pg from 'pg';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { foothold, footholdHere, type Ended } from '../../../test/support/foothold.js';
import { opened } from '../../../test/support/letters.js';

const KEY = 'ab'.repeat(32);
const SOURCE = 'urn:acme:erp';
const TYPE = 'foothold.result.accepted.v1';
let ids = 0;

/** A line with an id of its own, which a dead letter shows again. */
function line(more: Record<string, unknown> = {}, data: Record<string, unknown> = {}): string {
  const id = `01890a5d-ac96-774b-8c3a-${(++ids).toString(16).padStart(12, '0')}`;
  return JSON.stringify({ specversion: '1.0', id, source: SOURCE, type: TYPE, subject: 'jane', time: '2026-01-05T09:30:00Z', deployment: 'claims', ...more, data: { invocation: `i-${ids}`, ...data } });
}
const idOf = (text: string) => (JSON.parse(text) as { id: string }).id;
/** What the dead letter of an event still knows of it. */
const known = (text: string, more: Record<string, unknown> = {}) => ({ source: SOURCE, type: TYPE, deployment: 'claims', id: idOf(text), ...more });
const UNKNOWN = { source: null, type: null, deployment: null, id: null, payload: null };

/** A dead letter's columns, as they are or as a matcher. */
type Letter = { kind?: string; field: string; reason: unknown; fix: unknown } & Record<string, unknown>;
type Wrong = [what: string, bytes: string | Buffer, letter: Letter];

const event = (what: string, text: string, letter: Letter): Wrong => [what, text, { ...known(text), ...letter }];
const NO_JSON = { ...UNKNOWN, field: 'body', fix: 'send one CloudEvent as a JSON object, in UTF-8 without byte order mark' };
const twin = line();

/** In the order in which the ledger gets them: what the boundary refuses, then what no deployment is registered for, then conflicts. */
const WRONG: Wrong[] = [
  ['no JSON', 'time,subject,type', { ...NO_JSON, reason: '17 bytes that are not JSON' }],
  ['half an event', twin.slice(0, 100), { ...NO_JSON, reason: '100 bytes that are not JSON' }],
  ['two events', line() + line(), { ...NO_JSON, reason: expect.stringMatching(/^\d+ bytes that are not JSON$/) }],
  ['a byte order mark', `\ufeff${line()}`, { ...NO_JSON, reason: expect.stringContaining('begin with a byte order mark') }],
  ['a NUL', '\0', { ...NO_JSON, reason: '1 byte that are not JSON' }],
  ['bad UTF-8', Buffer.from([0x7b, 0xc3, 0x28, 0x7d]), { ...UNKNOWN, field: 'body', reason: '4 bytes that are not UTF-8', fix: 'encode the event as UTF-8' }],
  ['40 KB', `"${'x'.repeat(40_000)}"`, { ...UNKNOWN, field: 'body', reason: '40002 bytes, more than the 32768 an event may have', fix: expect.stringContaining('send measurements only') }],
  ['a megabyte', 'x'.repeat(1_000_000), { ...UNKNOWN, field: 'body', reason: '1000000 bytes, more than the 32768 an event may have', fix: expect.stringContaining('send measurements only') }],
  ['an empty object', '{}', { ...UNKNOWN, field: 'specversion', reason: 'missing', fix: 'send "1.0"' }],
  ['a list of events', `[${line()}]`, { ...UNKNOWN, field: 'body', reason: 'a list of 1 item: not an object', fix: 'send an object' }],
  ['10,000 levels', `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`, { ...UNKNOWN, field: 'body', reason: 'nested deeper than 8 levels', fix: 'send the fields of the event only' }],
  event('a prompt', line({}, { prompt: 'Dear Jane' }), { field: 'data.prompt', reason: expect.stringContaining('never collected'), fix: expect.stringContaining('leave it out'), payload: null }),
  event('a comment', line({ type: 'foothold.feedback.given.v1' }, { score: 1, comment: 'Joe is slow' }), { type: 'foothold.feedback.given.v1', field: 'data.comment', reason: expect.stringContaining('allows no comments'), fix: expect.stringContaining('leave it out'), payload: null }),
  event('a share above one', line({}, { changed: 1.5 }), { field: 'data.changed', reason: 'the number 1.5: out of range', fix: 'send a number from 0 to 1, or leave the field out', payload: expect.stringContaining('"changed":1.5') }),
  event('an e-mail address for a source', line({ source: 'jane @acme.com' }), { source: null, id: null, field: 'source', reason: expect.stringContaining('with white space and an @'), fix: expect.stringContaining('URI reference'), payload: null }),
  event('SQL for a deployment', line({ deployment: "x'; drop table event; --" }), { deployment: null, field: 'deployment', reason: expect.stringContaining('24 characters'), fix: expect.stringContaining('1 to 64 letters'), payload: null }),
  event('an escape sequence for a type', line({ type: '\u001b]0;x\u0007' }), { type: null, field: 'type', reason: expect.stringContaining('with control characters'), fix: expect.stringContaining('did you mean'), payload: null }),
  event('two days ahead of time', line({ time: new Date(Date.now() + 49 * 3_600_000).toISOString() }), { field: 'time', reason: '3 days after the event arrived', fix: expect.stringContaining('set the clock') }),
  event('no subject', line({ subject: undefined }), { field: 'subject', reason: expect.stringContaining('is about a person'), fix: 'send the person, as the host knows them' }),
  event('a newer version', line({ type: 'foothold.result.accepted.v2' }), { kind: 'quarantined', type: 'foothold.result.accepted.v2', field: 'type', reason: expect.stringContaining('version 2'), fix: expect.stringContaining('upgrade Foothold'), payload: expect.not.stringContaining('jane') }),
  event('no such deployment', line({ deployment: 'claim' }), { kind: 'quarantined', type: 'result.accepted', deployment: 'claim', field: 'deployment', reason: expect.stringContaining('"claim" is registered for tenant "acme"'), fix: expect.stringContaining('foothold deployment register claim --tenant acme'), payload: expect.not.stringContaining('jane') }),
  event('a prototype for a deployment', line({ deployment: '__proto__' }), { kind: 'quarantined', type: 'result.accepted', deployment: '__proto__', field: 'deployment', reason: expect.stringContaining('"__proto__" is registered'), fix: expect.stringContaining('register __proto__') }),
  event('another event with an id that is taken', twin.replace('"invocation":"i-', '"invocation":"j-'), { kind: 'quarantined', type: 'result.accepted', field: 'id', reason: 'this source has sent another event with the same id', fix: expect.stringContaining('an id of its own') }),
];
/** Fine among all that: an event with a line feed, with carriage return too, once more, and lines that hold nothing. */
const GOOD = [twin, `${line()}\r`, ...WRONG.map(() => line())];
const BLANK = ['', '   ', '\t\r'];

let database: FreshDatabase;
let client: pg.Client;
let folder: string;
let settings: Record<string, string>;

beforeAll(async () => {
  database = await freshDatabase();
  folder = mkdtempSync(join(tmpdir(), 'foothold-wrong-file-'));
  settings = { DATABASE_URL: database.url, FOOTHOLD_HOME: folder, FOOTHOLD_PSEUDONYM_KEY: KEY };
  expect(await foothold(['deployment', 'register', 'claims', '--tenant', 'acme', '--sandbox'], settings)).toMatchObject({ code: 0 });
  client = new pg.Client(database.url);
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await database?.drop();
  rmSync(folder, { recursive: true });
});

/** A new file's path. */
function fileOf(content: string | Buffer, name: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

const importOf = (file: string) => footholdHere(['import', file, '--tenant', 'acme', '--json'], settings);

describe('wrong lines among right ones', () => {
  const stored = GOOD.length;
  const quarantined = WRONG.filter(([, , letter]) => letter.kind === 'quarantined').length;
  const total = { received: WRONG.length + GOOD.length + 1, stored, duplicate: 1, rejected: WRONG.length - quarantined, quarantined };
  let ended: Ended;
  let letters: Record<string, unknown>[];

  beforeAll(async () => {
    const lines = [...BLANK, GOOD[0]!, GOOD[1]!, ...WRONG.flatMap(([, bytes], i) => [bytes, GOOD[i + 2]!]), twin];
    const content = Buffer.concat(lines.flatMap((bytes) => [Buffer.from(bytes as string), Buffer.from('\n')]));
    ended = await foothold(['import', fileOf(content.subarray(0, -1), 'mixed.ndjson'), '--tenant', 'acme', '--json'], settings);
    letters = opened((await client.query<Record<string, unknown>>('select * from dead_letter order by dead_letter')).rows, new Sealer(Buffer.from(KEY, 'hex')));
  });

  it('ends well, and says how many of each there were', () => {
    expect(ended).toEqual({ code: 0, stdout: `${JSON.stringify(total)}\n`, stderr: '' });
  });

  it.each(WRONG.map(([what, , letter], i) => [what, i, letter] as const))('%s', (_what, i, letter) => {
    expect(letters[i]).toMatchObject({ kind: 'rejected', tenant: 'acme', ...letter });
    expect(JSON.stringify(letters[i])).not.toMatch(/jane|joe|drop table|\\u0000|\\u001b/i);
  });

  it('is all in the ledger', async () => {
    expect(letters).toHaveLength(WRONG.length);
    const { rows } = await client.query('select kind, name, tenant, (next_offset - first_offset - void_offsets)::int as received, void_offsets::int as blank, stored::int, duplicate::int, rejected::int, quarantined::int, finished from origin');
    expect(rows).toEqual([{ kind: 'file', name: expect.stringMatching(/^acme\/[0-9a-f]{64}#1$/), tenant: 'acme', blank: BLANK.length, finished: true, ...total }]);
    const verified = await footholdHere(['verify', '--json'], settings);
    expect([verified.code, verified.stderr]).toEqual([0, '']);
    expect(JSON.parse(verified.stdout)).toEqual({ balanced: true, problems: [], ...total, sources: [{ kind: 'file', name: rows[0].name, part: 0, ...total }] });
  });

  it('has lost none of the right ones, to the last column', async () => {
    const { rows } = await client.query<{ id: string }>('select id, type, data, (select name from source s where s.source = event.source) as source from event where origin is not null');
    expect(rows).toHaveLength(stored);
    for (const text of GOOD) expect(rows).toContainEqual({ id: idOf(text), type: 'result.accepted', source: SOURCE, data: (JSON.parse(text) as { data: object }).data });
    const metrics = await footholdHere(['metrics', 'claims', 'adoption.active_people', '--tenant', 'acme', '--json'], settings);
    expect(JSON.parse(metrics.stdout)).toMatchObject({ rows: expect.arrayContaining([expect.objectContaining({ variant: 'any', value: 1 })]) });
  });

  it('lists what was refused, by what is wrong with it, to its tenant only', async () => {
    const own = await footholdHere(['dead-letters', 'list', '--tenant', 'acme', '--json'], settings);
    const prose = await footholdHere(['dead-letters', 'list', '--tenant', 'acme'], settings);
    const other = await footholdHere(['dead-letters', 'list', '--json'], settings);
    const groups = JSON.parse(own.stdout) as { count: number }[];
    expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(WRONG.length);
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    for (const [, , { kind = 'rejected', field, reason, fix }] of WRONG) {
      expect(groups).toContainEqual({ id: expect.stringMatching(/^\d+$/), kind, field, reason, fix, count: expect.any(Number), firstSeen: time, lastSeen: time });
    }
    expect(prose.stdout).toContain('  data.changed: the number 1.5: out of range\n  send a number from 0 to 1');
    expect(other).toEqual({ code: 0, stdout: '[]\n', stderr: '' });
  });
});

describe('what is no file of events', () => {
  const unreadable = () => {
    if (process.getuid?.() === 0) return '/proc/self/mem'; // root may open everything; this it cannot read
    const file = fileOf(line(), 'locked.ndjson');
    chmodSync(file, 0);
    return file;
  };
  const WRONG_FILES: [what: string, file: () => string, reason: RegExp, fix: string][] = [
    ['a missing file', () => join(folder, 'none.ndjson'), /none\.ndjson cannot be read: .*ENOENT/, 'name a file with one CloudEvent a line'],
    ['no name', () => '', /file: cannot be read: .*ENOENT/, 'name a file with one CloudEvent a line'],
    ['a folder', () => folder, /is not a file/, 'name a file with one CloudEvent a line'],
    ['a device', () => '/dev/null', /is not a file/, 'name a file with one CloudEvent a line'],
    ['a pipe nobody writes to', () => (execFileSync('mkfifo', [join(folder, 'pipe')]), join(folder, 'pipe')), /is not a file/, 'name a file with one CloudEvent a line'],
    ['a file that cannot be read', unreadable, /cannot be read: .*E(ACCES|IO)/, 'name a file with one CloudEvent a line'],
    ['a file below a file', () => join(fileOf('', 'plain'), 'x'), /cannot be read: .*ENOTDIR/, 'name a file with one CloudEvent a line'],
    ['a name with an escape sequence', () => join(folder, '\u001b]0;owned\u0007\u009b2J'), /\\u001b\]0;owned\\u0007\\u009b2J cannot be read/, 'name a file with one CloudEvent a line'],
    ['gzip', () => fileOf(gzipSync(line()), 'events.ndjson.gz'), /is compressed with gzip/, 'gunzip'],
    ['zstd', () => fileOf(Buffer.from('28b52ffd2400', 'hex'), 'events.ndjson.zst'), /is compressed with zstd/, 'unzstd'],
    ['a ZIP archive', () => fileOf(Buffer.from('504b030414', 'hex'), 'events.zip'), /is a ZIP archive/, 'unzip'],
    ['UTF-16', () => fileOf(Buffer.from(`\ufeff${line()}`, 'utf16le'), 'wide.ndjson'), /is encoded as UTF-16/, 'UTF-8'],
  ];
  const ended: Ended[] = [];
  let before: string;
  const everything = async () => JSON.stringify((await client.query('select * from origin order by origin')).rows.concat((await client.query('select count(*) from dead_letter')).rows));

  beforeAll(async () => {
    before = await everything();
    for (const [, file] of WRONG_FILES) ended.push(await importOf(file()));
  });

  it.each(WRONG_FILES.map(([what, , reason, fix], i) => [what, i, reason, fix] as const))('%s', (_what, i, reason, fix) => {
    const { code, stdout, stderr } = ended[i]!;
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^foothold: file: .*\n$/);
    expect(stderr).toMatch(reason);
    expect(stderr).toContain(fix);
    expect(stderr).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f]/);
  });

  it('leaves no trace', async () => {
    expect(await everything()).toBe(before);
  });

  it('takes an empty file, and one of blank lines, for what they are', async () => {
    mkdirSync(join(folder, 'name with\nline feed'));
    const empty = await importOf(fileOf('', 'empty.ndjson'));
    const blank = await importOf(fileOf('\n\r\n  \n', 'name with\nline feed/blank.ndjson'));
    const none = { received: 0, stored: 0, duplicate: 0, rejected: 0, quarantined: 0 };
    for (const { code, stdout, stderr } of [empty, blank]) expect([code, JSON.parse(stdout), stderr]).toEqual([0, none, '']);
  });
});
