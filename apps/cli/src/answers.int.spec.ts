/** What the commands answer: the shapes promised to scripts, registration, and questions to which there is nothing to say. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { footholdHere, footholds, startFoothold, type Ended } from '../../../test/support/foothold.js';

let database: FreshDatabase;
let folder: string;
let settings: Record<string, string>;

beforeAll(async () => {
  database = await freshDatabase();
  folder = mkdtempSync(join(tmpdir(), 'foothold-answers-'));
  settings = { DATABASE_URL: database.url, FOOTHOLD_HOME: folder, FOOTHOLD_PSEUDONYM_KEY: 'ab'.repeat(32) };
});
afterAll(async () => {
  await database?.drop();
  rmSync(folder, { recursive: true });
});

const cli = (...args: string[]) => footholdHere(args, settings);
/** One line of JSON on stdout and nothing beside it. */
function answerOf({ code, stdout, stderr }: Ended, expected = 0): unknown {
  expect([code, stderr]).toEqual([expected, '']);
  expect(stdout).toMatch(/^[^\n]+\n$/);
  return JSON.parse(stdout);
}

describe('on a database nothing was ever written to', () => {
  it('doctor says that the schema is missing, the other commands make it', async () => {
    const examined = answerOf(await cli('doctor', '--json'), 1) as { ok: boolean; checks: Record<string, unknown>[] };
    expect(examined.ok).toBe(false);
    for (const check of examined.checks) expect(check).toEqual({ name: expect.any(String), ok: expect.any(Boolean), detail: expect.stringMatching(/./), fix: check['ok'] === true ? '' : expect.stringMatching(/./) });
    expect(examined.checks.filter(({ ok }) => ok === false)).toEqual([{ name: 'migrations', ok: false, detail: expect.stringMatching(/^\d+ not run: EventLog/), fix: 'start any process or command: it runs them' }]);

    const none = { received: 0, stored: 0, duplicate: 0, rejected: 0, quarantined: 0 };
    expect(answerOf(await cli('verify', '--json'))).toEqual({ balanced: true, ...none, problems: [], sources: [] });
    expect(answerOf(await cli('dead-letters', 'list', '--json'))).toEqual([]);
    expect(answerOf(await cli('doctor', '--json'))).toMatchObject({ ok: true, checks: expect.arrayContaining([{ name: 'kafka', ok: true, detail: expect.stringContaining('not configured'), fix: '' }]) });
  });
});

describe('an import that was interrupted and forgotten', () => {
  it('is told by doctor, whose way out works', async () => {
    const client = new pg.Client(settings.DATABASE_URL);
    await client.connect();
    try {
      await client.query(`insert into origin (kind, name, part, tenant, first_offset, next_offset, opened_at) values ('file', 'local/0ab#1', 0, 'local', 0, 0, now() - interval '2 hours')`);
      const { checks } = answerOf(await cli('doctor', '--json'), 1) as { checks: { name: string; ok: boolean; detail: string; fix: string }[] };
      const told = checks.filter(({ ok }) => !ok);
      expect(told).toEqual([{ name: 'imports', ok: false, detail: expect.stringContaining('1 begun over an hour ago and not finished'), fix: expect.stringContaining('import the same file again') }]);
      await client.query(/: (update origin .*)$/.exec(told[0]!.fix)![1]!);
      answerOf(await cli('doctor', '--json'));
    } finally {
      await client.end();
    }
  });
});

describe('registration', () => {
  const whole = ['deployment', 'register', 'claims', '--time-zone', 'Europe/Oslo', '--country', 'NO', '--task-kinds', 'triage, letter,triage', '--pilot-start', '2026-01-05', '--handoff', '2026-03-02', '--target', '.6', '--json'];
  const registered = { deployment: 'claims', tenant: 'local', version: 1, new: true, redriven: 0, timeZone: 'Europe/Oslo', country: 'NO', taskKinds: ['letter', 'triage'], pilotStart: '2026-01-05', handoff: '2026-03-02', target: 0.6, sandbox: false };

  it('is done once, however often it is asked for, and at once', async () => {
    const four = await footholds([1, 2, 3, 4].map(() => ({ args: whole, settings })));
    const answers = four.map((ended) => answerOf(ended) as { new: boolean });
    expect(answers.filter((answer) => answer.new)).toEqual([registered]);
    expect(answers.filter((answer) => !answer.new)).toEqual(Array.from({ length: 3 }, () => ({ ...registered, new: false })));
    expect((await cli(...whole.slice(0, -1))).stdout).toBe('claims was registered like this already\n');
  });

  it('is for one tenant, whatever another calls its own', async () => {
    expect(answerOf(await cli('deployment', 'register', 'claims', '--tenant', 'acme', '--sandbox', '--json'))).toEqual({ ...registered, tenant: 'acme', timeZone: 'UTC', country: null, taskKinds: null, pilotStart: null, handoff: null, target: 0.4, sandbox: true });
  });

  it('is not changed by another one', async () => {
    const changed: [string, string, string][] = [
      ['--time-zone', 'Europe/Helsinki', '"Europe/Oslo"'], ['--country', 'SE', '"NO"'], ['--task-kinds', 'triage', '["letter","triage"]'],
      ['--pilot-start', '2026-01-06', '"2026-01-05"'], ['--handoff', '2026-03-03', '"2026-03-02"'], ['--target', '0.5', '0.6'],
    ];
    for (const [flag, value, before] of changed) {
      expect(await cli(...whole.map((arg, i) => (whole[i - 1] === flag ? value : arg)))).toEqual({ code: 1, stdout: '', stderr: `foothold: ${flag}: claims is registered with ${before} already. register the new setting under another id, or leave this one as it was\n` });
    }
    expect(answerOf(await cli(...whole))).toEqual({ ...registered, new: false });
  });

  it('under another key is refused: the same people would be others', async () => {
    const { code, stdout, stderr } = await footholdHere(whole, { ...settings, FOOTHOLD_PSEUDONYM_KEY: 'cd'.repeat(32) });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^foothold: FOOTHOLD_PSEUDONYM_KEY: is not the key .* tenant "local" .*use the key/);
    expect(stderr).not.toMatch(/(ab|cd){8}/);
  });
});

describe('questions', () => {
  it('the catalogue, to scripts and to people', async () => {
    const nowhere = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' };
    const json = await footholdHere(['metrics', '--list', '--json'], nowhere);
    const prose = await footholdHere(['metrics', '--list'], nowhere);
    const catalogue = answerOf(json) as Record<string, unknown>[];
    expect(catalogue.length).toBeGreaterThanOrEqual(5);
    for (const metric of catalogue) {
      expect(metric).toEqual({
        id: expect.stringMatching(/^[a-z]+\.[a-z_]+$/), question: expect.stringMatching(/\?$/), formula: expect.any(String), unit: expect.stringMatching(/./), variants: expect.any(Object),
        grains: expect.arrayContaining([expect.stringMatching(/^(week|all)$/)]), dimensions: expect.any(Array), minimum: 5, watchOut: expect.stringMatching(/./), version: expect.any(Number),
      });
      expect(prose.stdout).toContain(`${metric['id'] as string}\n  ${metric['question'] as string}`);
    }
    expect((await footholdHere(['metrics', '--list', '--csv'], nowhere)).stdout).toMatch(/^id,question,formula,unit,variant,.*\r\n(.*\r\n)+$/);
  });

  it('about a deployment that is not registered name it and say how to register it', async () => {
    expect(await cli('metrics', 'payroll', 'adoption.coverage', '--json')).toEqual({ code: 1, stdout: '', stderr: 'foothold: deployment: tenant "local" has no deployment "payroll". register it: foothold deployment register payroll\n' });
    expect(await cli('metrics', 'claims', 'adoption.coverage', '--tenant', 'nobody', '--json')).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('tenant "nobody" has no deployment "claims"') });
  });

  it('about a deployment without events are answered with nothing, not refused', async () => {
    const { stdout } = await cli('metrics', '--list', '--json');
    answerOf(await cli('deployment', 'register', 'empty', '--sandbox', '--json'));
    expect(await cli('metrics', 'claims', 'trust.rubber_stamp')).toMatchObject({ code: 2, stderr: expect.stringContaining('--dwell-times') });
    answerOf(await cli('deployment', 'agree', 'claims', '--people', '5', '--dwell-times', '--json'));
    for (const { id, grains } of JSON.parse(stdout) as { id: string; grains: string[] }[]) {
      expect(answerOf(await cli('metrics', 'claims', id, '--json'))).toMatchObject({ metric: id, version: expect.any(Number), unit: expect.any(String), completeThrough: null, revisedAt: null, rows: [] });
      const asked = await cli('metrics', 'empty', id, '--from', '2026-01-05', '--to', '2026-01-11', '--grain', grains[0]!, '--json');
      for (const { value, people } of (answerOf(asked) as { rows: { value: number | null; people: number }[] }).rows) expect([value ?? 0, people]).toEqual([0, 0]); // no denominator gives null
    }
    expect((await cli('metrics', 'claims', 'adoption.coverage')).stdout).toContain('nothing was counted in this range');
    expect(await cli('metrics', 'empty', 'adoption.rate', '--from', '2026-01-05', '--to', '2026-01-11', '--csv')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^metric,version,.*\r\n(adoption\.rate,.*\r\n)+$/), stderr: expect.stringMatching(/no roster.*\n$/) });
  });

  it('answer for ten years where nobody says from when, though a clock once said 1970, and refuse to go back further', async () => {
    const file = join(folder, 'epoch.ndjson');
    const shown = (day: string) => JSON.stringify({ specversion: '1.0', id: `epoch:${day}`, source: 'urn:acme:erp', type: 'foothold.result.shown.v1', subject: 'jane', time: `${day}T09:30:00Z`, deployment: 'epoch', data: { invocation: day } });
    writeFileSync(file, `${shown('1970-01-01')}\n${shown('2026-01-05')}\n`);
    answerOf(await cli('deployment', 'register', 'epoch', '--sandbox', '--json'));
    expect(answerOf(await cli('import', file, '--json'))).toEqual({ received: 2, stored: 2, duplicate: 0, rejected: 0, quarantined: 0 });
    const byDay = ['metrics', 'epoch', 'trust.acceptance', '--grain', 'day', '--json'];
    const { rows } = answerOf(await cli(...byDay)) as { rows: { from: string; variant: string; denominator: number | null }[] };
    expect(rows[0]).toMatchObject({ from: '2015-12-30' });
    expect(rows.filter(({ variant, denominator }) => variant === 'shown' && denominator! > 0)).toMatchObject([{ from: '2026-01-05', denominator: 1 }]);
    expect(await cli(...byDay, '--from', '1970-01-01')).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^foothold: --from: 20459 days .*1970-01-01 and 2026-01-05.*ask for/) });
    expect(answerOf(await cli(...byDay, '--from', '2026-01-05'))).toMatchObject({ rows: expect.arrayContaining([expect.objectContaining({ from: '2026-01-05', variant: 'shown', denominator: 1 })]) });
  });

  it('are drawn where somebody looks at a terminal, and nowhere else', async () => {
    const asked = ['metrics', 'epoch', 'trust.acceptance', '--from', '2026-01-05', '--to', '2026-01-18', '--grain', 'week'];
    const { isTTY } = process.stdout;
    try {
      process.stdout.isTTY = true;
      expect((await cli(...asked)).stdout).toMatch(/^trust\.acceptance [^]*\nshown: 0 to 0 [^]*  0 │●░/);
      for (const form of ['--json', '--csv']) expect((await cli(...asked, form)).stdout).not.toContain('│');
      process.stdout.isTTY = false;
      expect((await cli(...asked)).stdout).not.toContain('│');
    } finally {
      process.stdout.isTTY = isTTY;
    }
  });

  it('whose answer nobody reads to its end, end quietly', async () => {
    const reading = startFoothold(['metrics', 'claims', 'trust.abandonment', '--grain', 'day', '--from', '2017-01-01', '--to', '2026-12-31', '--json'], settings);
    reading.process.stdout!.once('data', () => reading.process.stdout!.destroy());
    const { code, stderr } = await reading.ended;
    expect([code, stderr]).toEqual([0, '']);
  });
});
