/**
 * API and SQL tell the same cells: of random histories, every row of the views is a row of the API's answer to the question it
 * comes from, and the other way round; in deployments in which small groups are hidden, and in a sandbox. The reader is a role
 * bound to the tenant, made by the command line, which also tells the cells.
 */
import { CATALOGUE, DEFAULT_REGISTRATION, importRoster, questionsOf, type Registration } from '@foothold/adoption';
import { type Answer, type AnswerRow, type UsageEvent } from '@foothold/contract';
import { change, openTenant } from '@foothold/event-log';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash, randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import pg from 'pg';
import { startApi, type ApiUnderTest } from './support/api.js';
import { at, completeAt, event, store, TENANT } from './support/decisions.js';
import { footholdHere } from './support/foothold.js';
import { pseudonymiser } from './support/recording.js';
import { seeded, type Seeded } from './support/seeded.js';

const SEED = Number(process.env['REPORTING_SEED'] ?? randomInt(2 ** 31));
const HISTORIES = Number(process.env['REPORTING_HISTORIES'] ?? 2);
const FIRST = '2025-03-03';
const HOUR = 3_600_000_000;
const DAY = 24 * HOUR;
const PASSWORD = 'a-long-password-for-a-spec';

let api: ApiUnderTest;
let key: string;
let reader: pg.Client;
const role = `analyst_${randomInt(2 ** 40)}`;

beforeAll(async () => {
  console.info(`reporting: repeat with REPORTING_SEED=${SEED}; more with REPORTING_HISTORIES=10`);
  api = await startApi();
  await openTenant(api.log, TENANT, (of) => pseudonymiser.check(of));
  key = await api.key('read', { tenant: TENANT });
  const granted = await footholdHere(['reporting', 'grant', role, '--tenant', TENANT, '--json'], { ...api.settings, FOOTHOLD_REPORTING_PASSWORD: PASSWORD });
  expect(granted).toEqual({ code: 0, stderr: '', stdout: `${JSON.stringify({ role, tenant: TENANT, created: true })}\n` });
  const url = new URL(api.settings['DATABASE_URL']!);
  Object.assign(url, { username: role, password: PASSWORD });
  reader = new pg.Client({ connectionString: url.href });
  await reader.connect();
});
afterAll(async () => {
  await reader?.end();
  await api?.log.database.query(`drop owned by ${role}`).then(() => api.log.database.query(`drop role ${role}`)).catch(() => undefined);
  await api?.close();
});

const days = (count: number): string => new Date(Date.parse(FIRST) + (count * DAY) / 1000).toISOString().slice(0, 10);

/** A deployment at random: teams of many and of few, people who come and go and change teams, and all that is counted of them. */
async function history(id: string, { below, next }: Seeded, given: Partial<Registration>): Promise<void> {
  const chance = (share: number) => next() < share;
  const weeks = 7 + below(7);
  const registration: Registration = { ...DEFAULT_REGISTRATION, timeZone: ['Europe/Oslo', 'America/New_York', 'UTC'][below(3)]!, ...given };
  const { log } = api;
  await change(log, TENANT, id, 0, [{ type: 'deployment.registered', time: at(`${FIRST}T09:00:00Z`), data: registration }], registration);
  const people = Array.from({ length: 14 + below(14) }, (_, n) => ({ person: `${id}-${n}`, eager: 0.1 + next() * 0.8, team: `team-${chance(0.5) ? 0 : 1 + below(3)}`, moves: chance(0.15) ? below(weeks * 7) : null, from: chance(0.7) ? 0 : below(weeks * 5) }));
  const events: UsageEvent[] = [];
  for (const { person, eager, from } of people) for (let day = from; day < weeks * 7; day++) {
    if (!chance(eager * (day % 7 < 5 ? 0.7 : 0.05))) continue;
    for (let n = 1 + below(2); n > 0; n--) {
      const [invocation, task, time] = [`${person}-${day}-${n}`, `task-${person}-${day}-${n}`, at(`${FIRST}T06:00:00Z`) + day * DAY + below(14 * 3_600) * 1_000_000];
      const add = (type: UsageEvent['type'], after: number, data: Record<string, unknown>) => events.push(event(id, type, time + after, { ...data }, person));
      const taskKind = chance(0.7) ? 'letter' : 'triage';
      if (chance(0.9)) {
        add('invocation.started', 0, { invocation, task, ...(chance(0.9) ? { taskKind } : {}), surface: chance(0.8) ? 'in-workflow' : 'side-tool', initiative: chance(0.8) ? 'person' : 'automatic', ...(chance(0.8) ? { model: `m-${below(2)}`, release: `r-${below(2)}` } : {}) });
        add('result.shown', 1_000_000, { invocation, confidence: below(10) / 10 });
        if (chance(0.6)) add('result.accepted', 60_000_000, { invocation, changed: below(5) / 4 });
        else if (chance(0.5)) add('result.overridden', 90_000_000, { invocation, ...(chance(0.8) ? { reason: ['wrong', 'slow', 'tone'][below(3)] } : {}) });
        if (chance(0.3)) add('truth.established', 2 * HOUR, { invocation, aiRight: chance(0.7), firstRight: chance(0.5), finalRight: chance(0.7) });
        if (chance(0.2)) add('result.rechecked', 30 * HOUR, { invocation, kept: below(3) / 2, afterDays: 1 });
      }
      if (chance(0.8)) add('task.completed', 3 * HOUR, { task, taskKind });
      if (chance(0.05)) add('feedback.given', 3 * HOUR, { score: below(5) / 2 - 1 });
    }
  }
  await store(log, events);
  const hex = (person: string) => createHash('sha256').update(person).digest('hex');
  const enabled = (team: string, from: string, to: string | null) => ({ team, role: team === 'team-2' ? 'lead' : '', from, to, leave: false });
  await importRoster(log, { tenant: TENANT, deployments: null }, id, new Map(people.filter(() => chance(0.95)).map(({ person, team, moves }) =>
    [hex(person), moves === null ? [enabled(team, days(-30), null)] : [enabled(team, days(-30), days(moves)), enabled('team-3', days(moves + 1), null)]])), true, at(`${FIRST}T09:00:00Z`));
  await completeAt(log, at(`${FIRST}T05:00:00Z`) + (weeks * 7 - 3 + below(12)) * DAY);
}

/** A row of an answer and what holds for all of them, as one text. */
const written = ({ grain, by }: { grain: string; by: string | null }, { metric, version, unit, completeThrough, revisedAt }: Omit<Answer, 'rows' | 'notes'>, { from, to, by: values, variant, suppressed, ...figures }: AnswerRow): string =>
  JSON.stringify([metric, version, unit, completeThrough, revisedAt, grain, by, Object.entries(values), variant, from, to, figures.value, figures.numerator, figures.denominator, figures.low, figures.high, figures.people, suppressed]);

const VIEWS = { day: 'metric_day', week: 'metric_week', month: 'metric_month', all: 'metric_period' } as const;
/** The column of a dimension's values. */
const columnOf = (dimension: string) => (dimension === 'week' ? 'own_week' : dimension);
const OTHERS = ['team', 'role', 'task_kind', 'surface', 'initiative', 'model', 'release', 'stage', 'handoff_week', 'own_week'];

async function toldBySql(id: string): Promise<{ rows: string[]; notes: string[] }> {
  const rows: string[] = [];
  for (const [grain, view] of Object.entries(VIEWS)) {
    const iso = (moment: string) => `to_char(${moment} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
    const found = await reader.query<Record<string, string | number | boolean | null>>(`select *, from_day::text as "from", to_day::text as "to", ${iso('complete_through')} as complete, ${iso('revised_at')} as revised from reporting_v1.${view} where deployment = $1`, [id]);
    for (const row of found.rows) {
      const by = row['by'] as string | null;
      expect(OTHERS.filter((column) => column !== (by && columnOf(by)) && row[column] !== null)).toEqual([]);
      if (grain === 'week') expect(new Date(row['week'] as string).getDay()).toBe(1);
      rows.push(written({ grain, by }, { metric: row['metric'], version: row['version'], unit: row['unit'], completeThrough: row['complete'], revisedAt: row['revised'] } as unknown as Answer, { ...row, by: by === null ? {} : { [by]: row[columnOf(by)] } } as unknown as AnswerRow));
    }
  }
  const notes = (await reader.query<{ note: string }>(`select metric || ' ' || grain || ' ' || coalesce(by, '') || ': ' || note as note from reporting_v1.answer_note where deployment = $1`, [id])).rows.map(({ note }) => note);
  return { rows: rows.sort(), notes: notes.sort() };
}

async function toldByApi(id: string): Promise<{ rows: string[]; notes: string[]; hidden: number; refused: number }> {
  const found = { rows: [] as string[], notes: [] as string[], hidden: 0, refused: 0 };
  for (const { metric, grain, by: [by = null] } of CATALOGUE.flatMap(questionsOf)) {
    const response = await api.ask(`/v1/deployments/${id}/metrics/${metric.id}?grain=${grain}${by === null ? '' : `&by=${by}`}`, key);
    if (response.status === 400 || response.status === 422) {
      found.refused++;
      continue;
    }
    expect(response.status).toBe(200);
    const answer = await response.json() as Answer;
    found.rows.push(...answer.rows.map((row) => written({ grain, by }, answer, row)));
    found.notes.push(...answer.notes.map((note) => `${metric.id} ${grain} ${by ?? ''}: ${note}`));
    found.hidden += answer.rows.filter(({ suppressed }) => suppressed).length;
  }
  return { ...found, rows: found.rows.sort(), notes: found.notes.sort() };
}

const refresh = async (...more: string[]) => {
  const { code, stdout, stderr } = await footholdHere(['reporting', 'refresh', '--tenant', TENANT, '--json', ...more], api.settings);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as { deployment: string; answers: number; cells: number; hidden: number; seconds: number }[];
};

async function agree(id: string) {
  const [told] = await refresh(id);
  const [sql, said] = [await toldBySql(id), await toldByApi(id)];
  console.info(`${id}: ${said.rows.length} cells, ${said.hidden} of them hidden, ${said.refused} questions refused, told in ${told!.seconds} s`);
  expect(sql).toEqual({ rows: said.rows, notes: said.notes });
  expect(told).toMatchObject({ deployment: id, cells: said.rows.length, hidden: said.hidden });
  return said;
}

describe.each(Array.from({ length: HISTORIES }, (_, i) => i + 1))('history %i', (nth) => {
  it('with small groups is told the same by API and SQL', async () => {
    const random = seeded(SEED + nth);
    await history(`desk-${nth}`, random, { handoff: days(10 + random.below(40)) });
    const said = await agree(`desk-${nth}`);
    expect(said.hidden).toBeGreaterThan(0);
    expect(said.rows.length).toBeGreaterThan(1_000);
  }, 300_000);
});

it('a sandbox is told the same, single people and all, and says that it is one', async () => {
  await history('play', seeded(SEED), { sandbox: true });
  await agree('play');
  const { rows } = await reader.query('select sandbox, least_people from reporting_v1.deployment where deployment = $1', ['play']);
  expect(rows).toEqual([{ sandbox: true, least_people: 1 }]);
}, 300_000);

it('the README’s query runs as an analyst would run it, on all that a tenant has been told', async () => {
  await history('triage', seeded(7), { handoff: days(20) });
  await refresh('triage');
  const [, query] = /```sql\n(.*?)```/s.exec(readFileSync(resolve(import.meta.dirname, '../README.md'), 'utf8'))!;
  const { rows } = await reader.query(query!);
  expect(rows.length).toBeGreaterThan(2);
  const { rows: named } = await reader.query(`select distinct metric from reporting_v1.metric_week except select metric from reporting_v1.metric`);
  expect(named).toEqual([]);
}, 300_000);
