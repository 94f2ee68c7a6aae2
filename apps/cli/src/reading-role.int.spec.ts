/**
 * A role that reads the views of one tenant, and everything that it tries to read, learn or do beyond that; roles that could do
 * more by other ways are refused. The rows of the two tenants are written by hand.
 */
import { openTenant, type Log } from '@foothold/event-log';
import { openDatabase } from '@foothold/platform';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { footholdHere, startFoothold } from '../../../test/support/foothold.js';
import { KEY, openTestLog, pseudonymiser } from '../../../test/support/recording.js';
import { bindRole, unbindRole, verifierOf } from './reading-role.js';

const TAG = randomBytes(4).toString('hex');
const ROLE = `analyst_${TAG}`;
const RIVAL = `rival_${TAG}`;
const PASSWORD = 'correct-horse-battery';
const SECRET = 'the other tenants deployment';

let fresh: FreshDatabase;
let log: Log;
let reader: pg.Client;
const made: string[] = [];

const owner = (sql: string, values: unknown[] = []) => log.database.query<Record<string, unknown>>(sql, values);
const bind = (role: string, tenant = 'acme', password = PASSWORD) => bindRole(log.database, tenant, role, async () => password);

async function connect(role: string, password = PASSWORD): Promise<pg.Client> {
  const url = new URL(fresh.url);
  Object.assign(url, { username: role, password });
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  return client;
}

beforeAll(async () => {
  fresh = await freshDatabase();
  log = await openTestLog(fresh.url);
  for (const [tenant, deployment, cells] of [['acme', 'desk', 30], ['globex', SECRET, 4_000]] as const) {
    await openTenant(log, tenant, (of) => pseudonymiser.check(of));
    await owner(`insert into reporting_deployment (tenant, deployment, time_zone, sandbox, told_at) select tenant, $2, 'UTC', false, now() from tenant where name = $1`, [tenant, deployment]);
    await owner(`insert into reporting_cell (tenant, deployment, sandbox, grain, metric, version, unit, variant, from_day, to_day, value, suppressed, told_at)
      select tenant, $2, false, g, 'trust.acceptance', 1, 'ratio', 'shown', '2026-01-05', '2026-01-11', n, false, now() from tenant, generate_series(1, $3::int) n, unnest('{day,week,month,all}'::text[]) g where name = $1`, [tenant, deployment, cells]);
    await owner(`insert into reporting_note (tenant, deployment, sandbox, grain, metric, place, note, told_at) select tenant, $2, false, 'week', 'trust.acceptance', 0, $2, now() from tenant where name = $1`, [tenant, deployment]);
  }
  await owner('analyze');
  made.push(ROLE, RIVAL);
  expect([await bind(ROLE), await bind(RIVAL, 'globex')]).toEqual([{ created: true }, { created: true }]);
  reader = await connect(ROLE);
  await reader.query('set default_transaction_read_only = off'); // a default, which anybody may change: nothing stands on it
});
afterAll(async () => {
  await reader?.end();
  for (const role of made) await owner(`drop owned by "${role}"`).then(() => owner(`drop role "${role}"`)).catch(() => undefined);
  await log?.database.close();
  await fresh?.drop();
});

const VIEWS = ['metric_day', 'metric_week', 'metric_month', 'metric_period', 'deployment', 'answer_note', 'metric'];
const refused = async (sql: string, client = reader): Promise<string> => client.query(sql).then(() => 'done', (error: { code: string }) => error.code);

describe('reads', () => {
  it.each(VIEWS)('%s: the rows of its tenant, and there are some', async (view) => {
    const { rows } = await reader.query<{ deployment?: string }>(`select * from reporting_v1.${view}`);
    expect(rows.length).toBeGreaterThan(0);
    expect(new Set(rows.map(({ deployment }) => deployment))).toEqual(new Set([view === 'metric' ? undefined : 'desk']));
  });

  it('as another role, nothing: neither the owner nor one that may select but is bound to nobody sees a row', async () => {
    for (const view of VIEWS) expect(await owner(`select * from reporting_v1.${view}`)).toEqual([]);
    const nobody = `nobody_${TAG}`;
    made.push(nobody);
    await owner(`create role ${nobody} login password '${verifierOf(PASSWORD)}'`);
    await owner(`grant usage on schema reporting_v1 to ${nobody}`);
    await owner(`grant select on all tables in schema reporting_v1 to ${nobody}`);
    const client = await connect(nobody);
    try {
      for (const view of VIEWS) expect((await client.query(`select * from reporting_v1.${view}`)).rows).toEqual([]);
    } finally {
      await client.end();
    }
  });

  it('with a password that Postgres keeps as the verifier it was sent', async () => {
    const [{ kept }] = (await owner('select rolpassword as kept from pg_authid where rolname = $1', [ROLE])) as [{ kept: string }];
    const [, rounds, salt] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(kept)!;
    expect(verifierOf(PASSWORD, Buffer.from(salt!, 'base64'), Number(rounds))).toBe(kept);
    await expect(connect(ROLE, 'another-password-12')).rejects.toMatchObject({ code: '28P01' });
  });
});

describe('does not get beyond', () => {
  const TABLES = ['tenant', 'deployment', 'person', 'event', 'dead_letter', 'person_day', 'person_day_sum', 'roster', 'access_key', 'reporting_cell', 'reporting_note', 'reporting_deployment', 'reporting_reader'];
  it.each(TABLES)('the table %s', async (table) => {
    expect(['42501', '42P01']).toContain(await refused(`select * from public.${table}`)); // access_key: made by the processes only
    expect(['42501', '42P01']).toContain(await refused(`copy public.${table} to stdout`));
    expect(['42501', '42P01']).toContain(await refused(`delete from public.${table}`));
  });

  it.each([
    'set role postgres', `set role ${RIVAL}`, `set session authorization ${RIVAL}`, `grant ${RIVAL} to ${ROLE}`, `alter role ${ROLE} superuser`, `alter role ${ROLE} rename to ${RIVAL}_2`, 'create role more',
    `insert into public.reporting_reader (role, tenant) values ('${ROLE}', 2)`, `update public.reporting_reader set tenant = 2`,
    `insert into reporting_v1.metric_week (deployment) values ('x')`, `update reporting_v1.metric_week set value = 1`, 'delete from reporting_v1.metric_week', 'select * from reporting_v1.metric_week for update',
    'truncate reporting_v1.metric_week', 'do $$ begin lock table reporting_v1.metric_week in access exclusive mode; end $$', 'do $$ begin lock table public.reporting_cell in access share mode; end $$',
    'create view reporting_v1.mine as select 1', 'create table reporting_v1.mine (n int)', 'create table public.mine (n int)', 'create schema mine', `create function public.mine() returns int language sql as 'select 1'`,
    'alter view reporting_v1.metric_week reset (security_barrier)', 'alter view reporting_v1.metric_week set (security_invoker)', `create or replace view reporting_v1.metric_week as select 1 as n`,
    `comment on view reporting_v1.metric_week is 'mine'`, 'drop view reporting_v1.metric_week', 'drop schema reporting_v1 cascade', 'create extension dblink',
    `copy (select 1) to program 'id'`, `copy (select 1) to '/tmp/foothold-spec'`, `select pg_read_file('/etc/passwd')`, 'select * from pg_authid', 'select * from pg_statistic', `select lo_import('/etc/passwd')`,
    'create rule mine as on select to reporting_v1.metric_week do instead select 1', 'create trigger mine instead of insert on reporting_v1.metric_week execute function suppress_redundant_updates_trigger()',
  ])('%s', async (sql) => {
    expect(await refused(sql)).toMatch(/^(42501|42601|55000|42809|0A000|22023|42704)$/);
  });

  it('its own tenant by settings: the binding is by the role that is current, which it cannot set to another', async () => {
    for (const sql of [`select set_config('role', '${RIVAL}', false)`, `select set_config('session_authorization', '${RIVAL}', false)`]) expect(await refused(sql)).toBe('42501');
    await reader.query(`set search_path = pg_temp, reporting_v1`);
    await reader.query(`reset role`);
    expect((await reader.query('select distinct deployment from reporting_v1.metric_week')).rows).toEqual([{ deployment: 'desk' }]);
    // A table or function of its own of a name that the view uses is not what the view uses.
    await reader.query(`create temp table reporting_reader (role name, tenant int)`);
    await reader.query(`insert into reporting_reader values ('${ROLE}', 2), ('${ROLE}', 1)`);
    expect((await reader.query('select distinct deployment from reporting_v1.metric_week')).rows).toEqual([{ deployment: 'desk' }]);
    await reader.query('drop table pg_temp.reporting_reader');
    await reader.query('reset search_path');
  });

  it('what a cheap function is shown, an error names, a plan says or statistics keep', async () => {
    const heard: string[] = [];
    const listen = ({ message }: { message?: string }) => heard.push(message ?? '');
    reader.on('notice', listen);
    await reader.query(`create function pg_temp.leak(text) returns boolean language plpgsql cost 0.0000001 as $$ begin raise notice '%', $1; return true; end $$`);
    await reader.query(`create function pg_temp.same(text, text) returns boolean language plpgsql cost 0.0000001 as $$ begin raise notice '%', $1; return true; end $$`);
    await reader.query(`create operator pg_temp.=== (leftarg = text, rightarg = text, function = pg_temp.same, restrict = eqsel)`);
    for (const view of VIEWS.filter((one) => one !== 'metric')) {
      await reader.query(`select * from reporting_v1.${view} where pg_temp.leak(deployment)`);
      await reader.query(`select * from reporting_v1.${view} where deployment operator(pg_temp.===) 'x'`);
      await reader.query(`select * from reporting_v1.${view} v join (values ('x')) x(y) on pg_temp.leak(v.deployment)`);
    }
    reader.off('notice', listen);
    expect(heard.length).toBeGreaterThan(30);
    expect(heard.filter((text) => text !== 'desk')).toEqual([]);
    // Dividing by zero, or casting, on a row of another tenant would be an error.
    for (const sql of [`select 1 / (value - 3999)::int from reporting_v1.metric_week`, `select * from reporting_v1.metric_week where 1 / (value - 3999)::int > -1`, `select * from reporting_v1.deployment where (case when deployment like 'the other%' then deployment else '1' end)::int = 1`]) expect(await refused(sql)).toBe('done');
    // Whether somebody else has a deployment of this name, no plan says.
    const plan = async (sql: string) => (await reader.query<Record<string, string>>(sql)).rows.map((row) => row['QUERY PLAN']).join('\n');
    for (const view of ['metric_week', 'deployment', 'answer_note']) for (const verb of ['explain', 'explain (analyze, costs, timing off, summary off, buffers off)']) for (const settings of ['on', 'off']) {
      await reader.query(`set enable_indexscan = ${settings}; set enable_bitmapscan = ${settings}; set enable_indexonlyscan = ${settings}`);
      const of = async (id: string) => (await plan(`${verb} select * from reporting_v1.${view} where deployment = '${id}'`)).replaceAll(id, 'it');
      expect(await of(SECRET)).toBe(await of(`${SECRET.slice(0, -1)}x`));
    }
    await reader.query('reset all');
    expect((await reader.query(`select * from pg_stats where tablename like 'reporting%' or schemaname = 'reporting_v1'`)).rows).toEqual([]);
    expect(await owner(`select attname from pg_stats where tablename in ('reporting_cell', 'reporting_note', 'reporting_deployment')`)).toEqual([]);
    expect((await reader.query(`select query from pg_stat_activity where query like '%globex%' and usename <> current_user`)).rows).toEqual([]);
  });
});

describe('is granted and revoked', () => {
  it('the same again changes nothing, another tenant is refused, and what is revoked is gone', async () => {
    expect(await bind(ROLE)).toEqual({ created: false });
    await expect(bind(ROLE, 'globex')).rejects.toThrow('role: it reads as tenant "acme" already');
    await expect(bind(`x_${TAG}`, 'nobody')).rejects.toThrow('--tenant: there is no tenant "nobody"');
    await expect(unbindRole(log.database, 'globex', ROLE)).rejects.toThrow(`none called "${ROLE}" reads as tenant "globex"`);
    await unbindRole(log.database, 'acme', ROLE);
    expect(await refused('select * from reporting_v1.metric_week')).toBe('42501');
    expect(await bind(ROLE)).toEqual({ created: false });
    expect((await reader.query('select * from reporting_v1.metric_week')).rows).toHaveLength(30);
  });

  it.each<[string, (role: string) => Promise<unknown>, string]>([
    ['a superuser', (role) => owner(`alter role "${role}" superuser`), 'it is a superuser'],
    ['one that makes roles', (role) => owner(`alter role "${role}" createrole`), 'it is a superuser, or may make roles'],
    ['one that reads all data', (role) => owner(`grant pg_read_all_data to "${role}"`), 'it is a member of a role that may read or do everything'],
    ['one that reads files', (role) => owner(`grant pg_read_server_files to "${role}"`), 'it is a member of a role that may read or do everything'],
    ['one that reads the log', (role) => owner(`grant select on event to "${role}"`), 'it may read or write tables of Foothold'],
    ['one that reads a column', (role) => owner(`grant select (pseudonym) on person to "${role}"`), 'it may read or write tables of Foothold'],
    ['one that writes the binding', (role) => owner(`grant insert on reporting_reader to "${role}"`), 'it may read or write tables of Foothold'],
    ['one that may become a reader of another tenant', (role) => owner(`grant ${RIVAL} to "${role}"`), 'members of each other'],
    ['one that makes tables in public', (role) => owner(`grant create on schema public to "${role}"`), 'it may make tables or functions'],
  ])('not %s', async (what, might, reason) => {
    const role = `role "${what}" ${TAG}`;
    made.push(role.replaceAll('"', '""'));
    await owner(`create role "${role.replaceAll('"', '""')}" login`);
    await might(role.replaceAll('"', '""'));
    await expect(bind(role)).rejects.toThrow(reason);
    expect(await owner('select from reporting_reader where role = $1', [role])).toEqual([]);
  });

  it('by somebody who may not make roles: the error names the ways out', async () => {
    const plain = `plain_${TAG}`;
    made.push(plain);
    await owner(`create role ${plain} login password '${verifierOf(PASSWORD)}'`);
    await owner(`grant select on tenant to ${plain}`);
    const url = new URL(fresh.url);
    Object.assign(url, { username: plain, password: PASSWORD });
    const client = await openDatabase({ url: url.href, migrations: [], application: 'spec' });
    try {
      await expect(bindRole(client, 'acme', `new_${TAG}`, async () => PASSWORD)).rejects.toThrow(/may not make one\. let somebody who may make it \(create role "?new_.* login, and its password\), then do this again; or let this user: alter role/);
    } finally {
      await client.close();
    }
  });
});

describe('the command', () => {
  const settings = () => ({ DATABASE_URL: fresh.url, FOOTHOLD_PSEUDONYM_KEY: KEY });

  it('takes the password from stdin, says nothing of it, and asks for it only where the role must be made', async () => {
    const role = `piped_${TAG}`;
    made.push(role);
    const grant = async (password: string) => {
      const child = spawn(process.execPath, [new URL('../bin/foothold.mjs', import.meta.url).pathname, 'reporting', 'grant', role, '--tenant', 'acme', '--json'], { env: { PATH: process.env['PATH'], ...settings() }, stdio: ['pipe', 'pipe', 'pipe'] });
      child.stdin.end(password);
      const said = { stdout: '', stderr: '' };
      for (const stream of ['stdout', 'stderr'] as const) child[stream].setEncoding('utf8').on('data', (text: string) => (said[stream] += text));
      const code = await new Promise<number | null>((done) => child.once('close', done));
      return { code, ...said };
    };
    expect(await grant('short\n')).toEqual({ code: 1, stdout: '', stderr: expect.stringContaining('a password of 5 characters that cannot be used') });
    expect(await grant('')).toEqual({ code: 1, stdout: '', stderr: expect.stringContaining('no password to make one with') });
    expect(await grant(`${PASSWORD}\n`)).toEqual({ code: 0, stdout: `${JSON.stringify({ role, tenant: 'acme', created: true })}\n`, stderr: '' });
    const client = await connect(role);
    expect((await client.query(`select current_setting('statement_timeout') as one, current_setting('idle_in_transaction_session_timeout') as other`)).rows).toEqual([{ one: '1min', other: '1min' }]);
    await client.end();
    expect(await startFoothold(['reporting', 'grant', role, '--tenant', 'acme', '--json'], settings()).ended).toMatchObject({ code: 0, stdout: `${JSON.stringify({ role, tenant: 'acme', created: false })}\n` });
    expect(await footholdHere(['reporting', 'revoke', role, '--tenant', 'acme'], settings())).toEqual({ code: 0, stdout: `${role} reads nothing of tenant acme any more\n`, stderr: '' });
  });
});
