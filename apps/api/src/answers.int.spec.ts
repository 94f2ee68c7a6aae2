/** What the API answers: the same as the command line, in the form that was asked for, to whom it belongs. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CATALOGUE } from '@foothold/adoption';
import { checkMessage } from '@foothold/contract';
import { append, openOrigin, verify } from '@foothold/event-log';
import { Check } from 'typebox/value';
import { startApi, type ApiUnderTest } from '../../../test/support/api.js';
import { footholdHere } from '../../../test/support/foothold.js';
import { pseudonymiser, shownEvents } from '../../../test/support/recording.js';
import { OPERATIONS } from './operations.js';

const FIXTURE = join(import.meta.dirname, '../../../test/fixtures/cups/events.ndjson');
const DEFAULTS = { timeZone: 'UTC', country: null, taskKinds: null, pilotStart: null, handoff: null, target: 0.4, sandbox: false };

let api: ApiUnderTest;
let folder: string;
let read: string;
let write: string;

beforeAll(async () => {
  api = await startApi();
  folder = mkdtempSync(join(tmpdir(), 'foothold-api-'));
  await importLines('fixture', null);
  [read, write] = [await api.key('read'), await api.key('write')];
});
afterAll(async () => {
  await api?.close();
  rmSync(folder, { recursive: true });
});

async function importLines(name: string, events: object[] | null, tenant = 'local'): Promise<void> {
  const file = events ? join(folder, `${name}.ndjson`) : FIXTURE;
  if (events) writeFileSync(file, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  expect(await footholdHere(['import', file, '--register', '--tenant', tenant, '--json'], api.settings)).toMatchObject({ code: 0 });
}
let ids = 0;
const shown = (deployment: string, more: object = {}) => ({ specversion: '1.0', id: `api:${ids++}`, source: 'urn:acme:erp', type: 'foothold.result.shown.v1', subject: 'jane', time: '2026-01-05T09:30:00Z', deployment, data: { invocation: `i${ids}` }, ...more });
const register = (body: object, key = write) => api.ask('/v1/deployments', key, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const jsonOf = async (response: Response): Promise<unknown> => (expect(response.status).toBe(200), response.json());
const METRIC = '/v1/deployments/copilot/metrics/trust.acceptance';

describe('a metric', () => {
  it.each(CATALOGUE.flatMap(({ id, grains, dimensions }) => [
    ...grains.map((grain) => [id, { grain }] as const), [id, {}] as const, [id, { by: dimensions.slice(0, 2).join(',') }] as const,
    [id, { from: '2024-01-01', to: '2024-03-31', grain: grains.includes('week') ? 'week' : grains[0]!, by: dimensions[0] ?? '' }] as const,
  ]))('%s of %j is what the command line says', async (id, question) => {
    const flags = Object.entries(question).flatMap(([name, value]) => [`--${name}`, value]);
    const { stdout } = await footholdHere(['metrics', 'copilot', id, ...flags, '--json'], api.settings);
    const answer = await api.ask(`/v1/deployments/copilot/metrics/${id}?${new URLSearchParams(question).toString()}`, read);
    expect(answer.status).toBe(200);
    const text = await answer.text();
    expect(`${text}\n`).toBe(stdout);
    expect(Check(OPERATIONS.askMetric.answer, JSON.parse(text))).toBe(true);
  });

  it('has the published figure', async () => {
    const { rows } = (await jsonOf(await api.ask(METRIC, read))) as { rows: { variant: string; numerator: number; denominator: number; people: number }[] };
    expect(rows.find(({ variant }) => variant === 'shown')).toMatchObject({ people: 21, numerator: expect.any(Number), denominator: expect.any(Number) });
  });

  it('as CSV, asked for either way, holds every figure of the JSON with its doubt', async () => {
    const question = `${METRIC}?grain=week&by=initiative,model`;
    const byFormat = await api.ask(`${question}&format=csv`, read, { headers: { accept: 'application/json' } });
    const byAccept = await api.ask(question, read, { headers: { accept: 'text/csv' } });
    const csv = await byFormat.text();
    expect(await byAccept.text()).toBe(csv);
    for (const { headers } of [byFormat, byAccept]) expect(headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    const answer = (await jsonOf(await api.ask(`${question}&format=json`, read, { headers: { accept: 'text/csv' } }))) as Record<string, unknown> & { rows: Record<string, unknown>[] };
    const [head, ...lines] = csv.split('\r\n').slice(0, -1);
    expect(head).toBe('metric,version,unit,completeThrough,revisedAt,from,to,initiative,model,variant,value,numerator,denominator,low,high,people,suppressed');
    expect(lines).toEqual(answer.rows.map((row) => {
      const by = row['by'] as Record<string, string | null>;
      return [...['metric', 'version', 'unit', 'completeThrough', 'revisedAt'].map((name) => answer[name]), row['from'], row['to'], by['initiative'], by['model'], ...['variant', 'value', 'numerator', 'denominator', 'low', 'high', 'people', 'suppressed'].map((name) => row[name])]
        .map((value) => (value === null ? '' : String(value))).join(',');
    }));
  });

  it.each(['', 'nb-NO', 'en-GB'])('as CSV for %j is, byte for byte, what the command line writes, as a file with a name', async (locale) => {
    const of = locale && `&locale=${locale}`;
    const { code, stdout } = await footholdHere(['metrics', 'copilot', 'trust.override', '--grain', 'month', '--by', 'initiative', '--csv', ...(locale ? ['--locale', locale] : [])], api.settings);
    const answer = await api.ask(`/v1/deployments/copilot/metrics/trust.override?grain=month&by=initiative${of}`, read, { headers: { accept: 'text/csv' } });
    expect([code, answer.status, answer.headers.get('content-disposition'), answer.headers.get('vary')]).toEqual([0, 200, 'attachment; filename="copilot-trust.override.csv"', 'Authorization, Accept']);
    expect(await answer.text()).toBe(stdout);
    expect(stdout).toMatch(locale === 'nb-NO' ? /;0,\d+;/ : /,0\.\d+,/);
    const again = await api.ask(`/v1/deployments/copilot/metrics/trust.override?grain=month&by=initiative&format=csv${of}`, read, { headers: { 'if-none-match': answer.headers.get('etag')! } });
    expect([again.status, again.headers.get('content-disposition'), await again.text()]).toEqual([304, null, '']);
  });

  it('that has not changed is not given again, one that has is', async () => {
    const first = await api.ask(METRIC, read);
    const tag = first.headers.get('etag')!;
    expect(first.headers.get('cache-control')).toBe('private, no-cache');
    const again = await api.ask(METRIC, read, { headers: { 'if-none-match': `"other", W/${tag}` } });
    expect([again.status, again.headers.get('etag'), again.headers.get('vary'), await again.text()]).toEqual([304, tag, 'Authorization, Accept', '']);
    const others = await Promise.all([`${METRIC}?format=csv`, `${METRIC}?format=csv&locale=nb-NO`, `${METRIC}?grain=week`, `${METRIC}?by=model`, `${METRIC}?from=2024-01-01`, '/v1/deployments/copilot/metrics/trust.override'].map((path) => api.ask(path, read, { headers: { 'if-none-match': tag } })));
    expect(others.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(new Set([tag, ...others.map(({ headers }) => headers.get('etag'))]).size).toBe(7);

    await importLines('more', [shown('copilot', { time: '2023-12-05T09:30:00Z' })]);
    const changed = await api.ask(METRIC, read, { headers: { 'if-none-match': tag } });
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).not.toBe(tag);
  });
});

describe('lists', () => {
  it('the catalogue, as JSON and a row a variant as CSV', async () => {
    const catalogue = await jsonOf(await api.ask('/v1/metrics', read));
    expect(catalogue).toEqual(CATALOGUE);
    expect(Check(OPERATIONS.listMetrics.answer, catalogue)).toBe(true);
    const csv = await (await api.ask('/v1/metrics?format=csv', read)).text();
    expect(csv.split('\r\n')).toHaveLength(1 + CATALOGUE.reduce((sum, { variants }) => sum + Object.keys(variants).length, 0) + 1);
  });

  it('and of it each metric, explained as the command line explains it', async () => {
    for (const { id } of CATALOGUE) {
      const { stdout } = await footholdHere(['metrics', '--explain', id, '--json'], {});
      const answer = await api.ask(`/v1/metrics/${id}`, read);
      expect(`${await answer.text()}\n`).toBe(stdout);
      expect(Check(OPERATIONS.explainMetric.answer, JSON.parse(stdout))).toBe(true);
      expect((await api.ask(`/v1/metrics/${id}`, read, { headers: { 'if-none-match': answer.headers.get('etag')! } })).status).toBe(304);
    }
    expect((await api.ask('/v1/metrics/trust.acceptance', read, { headers: { accept: 'text/csv' } })).status).toBe(406);
  });

  it('deployments, of the key’s tenant and of those it is for', async () => {
    await importLines('globex', [shown('claims'), shown('triage')], 'globex');
    const theirs = await api.key('read', { tenant: 'globex' });
    const bound = await api.key('read', { tenant: 'globex', deployments: ['triage', 'copilot'] });
    const view = (deployment: string) => ({ deployment, tenant: 'globex', version: 1, ...DEFAULTS, sandbox: true, agreement: null, closures: [] });
    expect(await jsonOf(await api.ask('/v1/deployments', theirs))).toEqual([view('claims'), view('triage')]);
    expect(await jsonOf(await api.ask('/v1/deployments', bound))).toEqual([view('triage')]);
    expect(await jsonOf(await api.ask('/v1/deployments/triage', bound))).toEqual(view('triage'));
    expect(await jsonOf(await api.ask('/v1/deployments/copilot', read))).toEqual({ ...view('copilot'), tenant: 'local' });
    expect(await (await api.ask('/v1/deployments', bound, { headers: { accept: 'text/csv' } })).text())
      .toBe('deployment,tenant,version,timeZone,country,taskKinds,pilotStart,handoff,target,sandbox,leastPeople,closures\r\ntriage,globex,1,UTC,,,,,0.4,true,,\r\n');
    // What is another tenant's, not for the key, and not there at all are told in the same words.
    for (const path of ['/v1/deployments/X', '/v1/deployments/X/metrics/trust.acceptance']) {
      for (const [key, id] of [[theirs, 'copilot'], [bound, 'copilot'], [bound, 'claims'], [bound, 'nothing']] as const) {
        const answer = await api.ask(path.replace('X', id), key);
        expect([answer.status, await answer.json()]).toEqual([404, { type: 'about:blank', title: 'Not found', status: 404, field: 'deployment', detail: `tenant "globex" has no deployment "${id}"`, fix: `register it: foothold deployment register ${id}` }]);
      }
    }
  });

  it('dead letters, page by page, of the key’s tenant and of the deployments it is for', async () => {
    const wrong = { ...shown('desk'), data: {} };
    await importLines('letters', [wrong, { ...wrong, id: 'x:1', time: 'soon' }, { ...wrong, id: 'x:2', deployment: 'counter' }, { ...wrong, id: 'x:3', data: { invocation: 1 } }], 'acme');
    await api.log.database.query(`insert into dead_letter (origin, kind, field, reason, fix, received) select min(origin), 'rejected', 'tenant', 'nobody’s', 'none', now() from origin`);
    const theirs = await api.key('read', { tenant: 'acme' });
    const page = async (path: string, key = theirs) => {
      const answer = await api.ask(path, key);
      return { letters: (await jsonOf(answer)) as { field: string; count: number }[], next: /^<(.*)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1] };
    };
    const all = await page('/v1/dead-letters');
    expect(Check(OPERATIONS.listDeadLetters.answer, all.letters)).toBe(true);
    expect([all.next, all.letters.map(({ field, count }) => [field, count])]).toEqual([undefined, [['data.invocation', 1], ['data.invocation', 2], ['time', 1]]]);
    const first = await page('/v1/dead-letters?limit=2');
    expect(first.letters).toEqual(all.letters.slice(0, 2));
    expect(await page(first.next!)).toEqual({ letters: all.letters.slice(2), next: undefined });
    expect((await page('/v1/dead-letters', await api.key('read', { tenant: 'acme', deployments: ['counter'] }))).letters.map(({ field, count }) => [field, count])).toEqual([['data.invocation', 1]]);
    expect((await page('/v1/dead-letters', await api.key('read', { tenant: 'initech' }))).letters).toEqual([]);
    expect((await api.ask('/v1/dead-letters?limit=2&format=csv&locale=nb-NO', theirs)).headers.get('link')).toContain('&format=csv&locale=nb-NO>');
    expect((await (await api.ask('/v1/dead-letters?format=csv', theirs)).text()).split('\r\n')[0]).toBe('id,kind,field,reason,fix,count,firstSeen,lastSeen');
  });
});

describe('registering', () => {
  it('is done once, by a write key, and what is there can be sent again', async () => {
    const wanted = { timeZone: 'Europe/Oslo', country: 'NO', taskKinds: ['triage', 'letter'], pilotStart: '2026-01-05', handoff: null, target: 0.6 };
    const made = await register({ deployment: 'claims', ...wanted });
    const registered = { deployment: 'claims', tenant: 'local', version: 1, ...DEFAULTS, ...wanted, taskKinds: ['letter', 'triage'] };
    expect([made.status, made.headers.get('location'), await made.json()]).toEqual([201, '/v1/deployments/claims', { ...registered, new: true, redriven: 0 }]);
    const view = (await jsonOf(await api.ask(made.headers.get('location')!, read))) as Record<string, unknown>;
    expect(view).toEqual({ ...registered, agreement: null, closures: [] });
    const again = Object.entries(view).filter(([name]) => !['tenant', 'version', 'agreement', 'closures'].includes(name));
    expect(await jsonOf(await register(Object.fromEntries(again)))).toEqual({ ...registered, new: false, redriven: 0 });
    const other = await register({ deployment: 'claims', ...wanted, target: 0.5 });
    expect([other.status, await other.json()]).toMatchObject([409, { field: 'target', detail: 'claims is registered with 0.6 already', fix: expect.stringContaining('another id') }]);
  });

  it('stores what had waited for it, and says how much that was', async () => {
    const { origin } = await openOrigin(api.log.database, { kind: 'direct', name: 'waiting', part: 0, tenant: null, firstOffset: 0 });
    const waiting = shownEvents(0, 3).map((text) => {
      const verdict = checkMessage(text.replace('"desk"', '"late"'), 'local', Date.now() * 1000, { pseudonymise: (of, person) => pseudonymiser.pseudonym(of, person), subjects: 'raw' });
      if (verdict.outcome === 'refused') throw new Error(verdict.refusal.reason);
      return { tenant: 'local', event: verdict.event };
    });
    expect(await append(api.log, waiting, { origin, from: 0, next: 3, voids: 0, mark: null, markOffset: null })).toMatchObject({ quarantined: 3 });
    expect(await (await register({ deployment: 'late' })).json()).toMatchObject({ new: true, redriven: 3 });
    expect((await verify(api.log.database)).sources).toContainEqual({ kind: 'direct', name: 'waiting', part: 0, received: 3, stored: 3, duplicate: 0, rejected: 0, quarantined: 0 });
  });

  it('of many at once registers one', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => register({ deployment: 'at-once', target: 0.0000001 })));
    expect(made.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
  });

  it('is for the tenant of the key, which need not have been there before', async () => {
    const made = await register({ deployment: 'copilot' }, await api.key('write', { tenant: 'new-one', deployments: ['copilot'] }));
    expect([made.status, await made.json()]).toEqual([201, { deployment: 'copilot', tenant: 'new-one', version: 1, new: true, redriven: 0, ...DEFAULTS }]);
  });
});

describe('other methods', () => {
  it('HEAD answers as GET does, without the body', async () => {
    const [get, head] = [await api.ask(METRIC, read), await api.ask(METRIC, read, { method: 'HEAD' })];
    for (const name of ['etag', 'content-type', 'content-length', 'cache-control']) expect(head.headers.get(name)).toBe(get.headers.get(name));
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await api.ask(METRIC, read, { method: 'HEAD', headers: { 'if-none-match': get.headers.get('etag')! } })).status).toBe(304);
    expect((await api.ask(METRIC, undefined, { method: 'HEAD' })).status).toBe(401);
  });

  it.each([['/v1/deployments', 'GET, HEAD, OPTIONS, POST'], [METRIC, 'GET, HEAD, OPTIONS'], ['/v1/metrics/', 'GET, HEAD, OPTIONS'], ['/health/live', 'GET, HEAD, OPTIONS']])('%s says that it takes %s', async (path, allowed) => {
    const options = await api.ask(path, undefined, { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow'), await options.text()]).toEqual([204, allowed, '']);
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      const refused = await api.ask(path, read, { method, body: '{', headers: { 'content-type': 'application/xml' } });
      expect([refused.status, refused.headers.get('allow'), refused.headers.get('content-type'), await refused.json()]).toMatchObject([405, allowed, 'application/problem+json; charset=utf-8', { field: 'method', fix: `use ${allowed}` }]);
    }
  });
});
