/** Every part of a request, given what it must not be: the status says whose fault it is, the problem names what and how to mend it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Keys } from '@foothold/platform';
import { connect } from 'node:net';
import { startApi, type ApiUnderTest } from '../../../test/support/api.js';

let api: ApiUnderTest;
let keys: Record<'read' | 'write' | 'publishable' | 'expired' | 'revoked' | 'elsewhere' | 'bound', string>;

beforeAll(async () => {
  api = await startApi();
  const store = new Keys(api.log.database);
  const gone = { tenant: 'local', kind: 'read' as const, deployments: null, origins: null, note: null, expiresAt: null };
  const revoked = await store.create(gone);
  await store.revoke('local', revoked.id);
  keys = {
    read: await api.key('read'), write: await api.key('write'), publishable: await api.key('publishable'), expired: await api.key('read', { expiresAt: Date.now() - 1 }), revoked: revoked.key,
    elsewhere: await api.key('read', { origins: ['https://acme.example'] }), bound: await api.key('write', { deployments: ['desk'] }),
  };
  await post(JSON.stringify({ deployment: 'desk', target: 0.6 }));
});
afterAll(() => api?.close());

const post = (body: string | Buffer | undefined, headers: Record<string, string> = { 'content-type': 'application/json' }, key = keys.write) => api.ask('/v1/deployments', key, { method: 'POST', body: body as string, headers });

async function expectProblem(answer: Response, status: number, field: string | undefined, fix: string): Promise<string> {
  const text = await answer.text();
  const problem = JSON.parse(text) as Record<string, unknown>;
  expect([answer.status, problem['status'], problem['field']]).toEqual([status, status, field]);
  expect(problem).toMatchObject({ type: 'about:blank', title: expect.stringMatching(/./), detail: expect.stringMatching(/./), fix: expect.stringContaining(fix) });
  expect([answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual(['application/problem+json; charset=utf-8', 'no-store']);
  expect(text).not.toMatch(/fh[wprs]_[A-Za-z0-9_-]{43}|node_modules|select /);
  return text;
}

const ASK = '/v1/deployments/desk/metrics/trust.acceptance';

describe('a key', () => {
  it.each<[string, () => string]>([
    ['none', () => ''], ['another scheme', () => 'Basic dXNlcjpwYXNz'], ['no text', () => 'Bearer '], ['one nobody made', () => `Bearer fhr_${'A'.repeat(43)}`], ['one cut off', () => `Bearer ${keys.read.slice(0, -1)}`],
    ['one without its kind', () => `Bearer ${keys.read.slice(4)}`], ['one of another kind', () => `Bearer fhw_${keys.read.slice(4)}`], ['two', () => `Bearer ${keys.read}, Bearer ${keys.read}`], ['SQL', () => `Bearer '; drop table access_key; --`],
    ['an expired one', () => `Bearer ${keys.expired}`], ['a revoked one', () => `Bearer ${keys.revoked}`], ['itself in the query only', () => ''],
  ])('%s opens nothing', async (what, authorization) => {
    for (const path of ['/v1/metrics', '/v1/deployments', '/v1/deployments/desk', ASK, '/v1/dead-letters', `${ASK}?since=never`]) {
      const query = what === 'itself in the query only' ? `?key=${keys.read}` : '';
      const answer = await api.ask(path + query, undefined, { headers: authorization() ? { authorization: authorization() } : {} });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      await expectProblem(answer, 401, 'authorization', 'foothold key create');
    }
  });

  it.each<[string, 'write' | 'publishable']>([['write', 'write'], ['publishable', 'publishable']])('a %s key reads nothing', async (_what, kind) => {
    for (const path of ['/v1/metrics', '/v1/deployments', '/v1/deployments/desk', ASK, '/v1/dead-letters', `${ASK}?since=never`]) await expectProblem(await api.ask(path, keys[kind]), 403, 'authorization', 'send a read key');
  });

  it.each(['read', 'publishable'] as const)('a %s key registers nothing', async (kind) => {
    await expectProblem(await post('{"deployment":"other"}', undefined, keys[kind]), 403, 'authorization', 'send a write key');
  });

  it('registers no deployment it is not for', async () => {
    await expectProblem(await post('{"deployment":"other"}', undefined, keys.bound), 403, 'deployment', 'use a deployment that the key is for');
  });

  it('is not for pages of other origins than its own', async () => {
    await expectProblem(await api.ask('/v1/metrics', keys.elsewhere, { headers: { origin: 'https://acme.example.evil.example' } }), 403, 'origin', 'use a key that is');
    expect((await api.ask('/v1/metrics', keys.elsewhere, { headers: { origin: 'https://acme.example' } })).status).toBe(200);
    expect((await api.ask('/v1/metrics', keys.elsewhere)).status).toBe(200);
  });
});

describe('a path', () => {
  it.each<[string, string, number, string | undefined, string]>([
    ['to nothing', '/v1/people', 404, undefined, '/openapi.json'], ['of another version', '/v2/metrics', 404, undefined, '/openapi.json'], ['in capitals', '/V1/metrics', 404, undefined, '/openapi.json'],
    ['to a parent folder', '/v1/deployments/..%2f..%2fmetrics', 400, 'deployment', '1 to 64 letters'],
    ['to a deployment that is not there', '/v1/deployments/nothing', 404, 'deployment', 'register it'], ['to a deployment with a slash', '/v1/deployments/a%2Fb', 400, 'deployment', '1 to 64 letters'],
    ['to a deployment of 65 characters', `/v1/deployments/${'a'.repeat(65)}`, 400, 'deployment', '1 to 64 letters'], ['to a deployment of 257 characters', `/v1/deployments/${'a'.repeat(257)}`, 414, 'path', '/openapi.json'],
    ['to an e-mail address', '/v1/deployments/jane@acme.com', 400, 'deployment', '1 to 64 letters'], ['with NUL', '/v1/deployments/a%00b', 400, 'deployment', '1 to 64 letters'], ['with SQL', `/v1/deployments/a'--`, 400, 'deployment', '1 to 64 letters'],
    ['that cannot be decoded', '/v1/deployments/%ZZ', 400, 'path', '%25'], ['that is no UTF-8', '/v1/deployments/%C3%28', 400, 'path', '%25'],
    ['to a metric that is not there', '/v1/deployments/desk/metrics/adoption.use', 400, 'metric', 'one of adoption.enabled'], ['to a method for a metric', '/v1/deployments/desk/metrics/constructor', 400, 'metric', 'one of adoption.enabled'],
    ['to an explanation of none', '/v1/metrics/adoption.use', 400, 'metric', 'one of adoption.enabled'],
    ['to a metric of a deployment that is not there', '/v1/deployments/nothing/metrics/trust.acceptance', 404, 'deployment', 'register it'],
  ])('%s', async (_what, path, status, field, fix) => void (await expectProblem(await api.ask(path, keys.read), status, field, fix)));
});

describe('a query', () => {
  it.each<[string, string, string, string]>([
    ['an unknown parameter', 'since=2026-01-01', 'since', 'from, to, grain, by, format'], ['a parameter in capitals', 'From=2026-01-01', 'From', 'from, to, grain, by, format'], ['a parameter with a strange name', '%3Cscript%3E=1', 'query', 'from, to, grain, by, format'],
    ['a method for a parameter', '__proto__=1', 'query', 'from, to, grain, by, format'], ['a parameter in brackets', 'by[]=model', 'query', 'from, to, grain, by, format'],
    ['a parameter twice', 'grain=day&grain=week', 'grain', 'give it once'], ['an unknown parameter twice', 'since=1&since=2', 'since', 'give it once'],
    ['a word for a day', 'from=monday', 'from', 'YYYY-MM-DD'], ['no day', 'from=', 'from', 'YYYY-MM-DD'], ['a day that is in no calendar', 'to=2026-13-01', 'to', 'YYYY-MM-DD'], ['a day that does not exist', 'to=2026-02-30', 'to', 'YYYY-MM-DD'], ['an hour', 'to=2026-01-01T00:00:00Z', 'to', 'YYYY-MM-DD'],
    ['a day before any event', 'from=1600-01-01', 'from', 'YYYY-MM-DD'], ['from after to', 'from=2026-02-02&to=2026-02-01', 'from', 'the earlier day as from'], ['centuries', 'from=1900-01-01&to=2026-01-01', 'from', '3660 days at most'],
    ['an unknown grain', 'grain=year', 'grain', 'day, week, month, all'], ['an empty grain', 'grain=', 'grain', 'day, week, month, all'], ['SQL for a grain', "grain=day'%20or%201=1", 'grain', 'day, week, month, all'],
    ['an unknown dimension', 'by=colour', 'by', 'task_kind, surface, initiative, model, release'], ['a column for a dimension', 'by=person', 'by', 'task_kind, surface, initiative, model, release'], ['a dimension twice', 'by=model,model', 'by', 'none twice'], ['nothing between two', 'by=model,,surface', 'by', 'task_kind, surface'],
    ['an unknown form', 'format=xml', 'format', 'json, csv'], ['an empty form', 'format=', 'format', 'json, csv'],
    ['no locale', 'format=csv&locale=', 'locale', 'such as nb-NO'], ['a locale nobody knows', 'format=csv&locale=xx-YY', 'locale', 'nb-NO, de-DE or en-GB'], ['a locale of JSON', 'locale=nb-NO', 'locale', 'format=csv'],
  ])('%s', async (_what, query, field, fix) => void (await expectProblem(await api.ask(`${ASK}?${query}`, keys.read), 400, field, fix)));

  it.each<[string, string, string, string]>([
    ['a grain the metric does not have', 'adoption.active_people?grain=month', 'grain', 'choose one of day, week'], ['a dimension the metric does not have', 'adoption.coverage?by=model', 'by', 'choose from team, role, task_kind'],
  ])('%s', async (_what, path, field, fix) => void (await expectProblem(await api.ask(`/v1/deployments/desk/metrics/${path}`, keys.read), 400, field, fix)));

  it.each<[string, string, string]>([
    ['limit=0', 'limit', '1 to 1000'], ['limit=1001', 'limit', '1 to 1000'], ['limit=ten', 'limit', '1 to 1000'], ['limit=1.5', 'limit', '1 to 1000'], ['limit=-1', 'limit', '1 to 1000'], ['limit=1e2', 'limit', '1 to 1000'],
    ['limit=9007199254740993', 'limit', '1 to 1000'], ['before=x', 'before', 'form'], ['before=9999999999999999999', 'before', 'form'], ['page=2', 'page', 'limit, before, format'],
  ])('of dead letters: %s', async (query, field, fix) => void (await expectProblem(await api.ask(`/v1/dead-letters?${query}`, keys.read), 400, field, fix)));

  it('where none is taken', async () => {
    await expectProblem(await api.ask('/v1/deployments/desk?format=csv', keys.read), 400, 'format', 'nothing is taken here');
    await expectProblem(await api.ask('/v1/metrics?grain=day', keys.read), 400, 'grain', 'format');
  });
});

describe('a header', () => {
  it.each<[string, string, Record<string, string>, number, string, string]>([
    ['another media type', ASK, { accept: 'application/xml' }, 406, 'accept', 'application/json or text/csv'], ['none at all', ASK, { accept: '*/*;q=0' }, 406, 'accept', 'application/json or text/csv'], ['no media type', ASK, { accept: 'csv' }, 406, 'accept', 'application/json or text/csv'],
    ['CSV of what is no table', '/v1/deployments/desk', { accept: 'text/csv' }, 406, 'accept', 'accept application/json'], ['a page of the web', '/v1/metrics', { accept: 'text/html' }, 406, 'accept', 'application/json or text/csv'],
  ])('%s', async (_what, path, headers, status, field, fix) => void (await expectProblem(await api.ask(path, keys.read, { headers }), status, field, fix)));

  it('a tag that is none holds nothing', async () => {
    for (const tag of ['x', '"', 'W/', '"x", y', '\u00e9']) expect((await api.ask('/v1/metrics', keys.read, { headers: { 'if-none-match': tag } })).status).toBe(200);
  });

  it.each([undefined, 'text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'application/jsonx', 'multipart/form-data; boundary=x', 'application/cloudevents+json'])('content-type: %s', async (type) => {
    const body = Buffer.from('{"deployment":"typed"}');
    await expectProblem(await post(body, type === undefined ? {} : { 'content-type': type }), 415, 'content-type', 'send ');
  });
});

describe('a body', () => {
  const json = (body: unknown) => JSON.stringify(body);
  it.each<[string, string | Buffer | undefined, number, string, string]>([
    ['none', undefined, 400, 'body', 'one JSON value'], ['half of one', '{"deployment":"de', 400, 'body', 'one JSON value'], ['no JSON', 'deployment=x', 400, 'body', 'one JSON value'], ['a prototype', '{"__proto__":{"sandbox":true},"deployment":"x"}', 400, 'body', 'one JSON value'],
    ['a list', json([{ deployment: 'x' }]), 400, 'body', 'deployment, timeZone'], ['a text', json('x'), 400, 'body', 'deployment, timeZone'], ['null', json(null), 400, 'body', 'deployment, timeZone'],
    ['100 kB', json({ deployment: 'x'.repeat(100_000) }), 413, 'body', 'send less'],
    ['nothing', json({}), 400, 'deployment', '1 to 64 letters'], ['no id', json({ deployment: null }), 400, 'deployment', '1 to 64 letters'], ['a number for the id', json({ deployment: 1 }), 400, 'deployment', '1 to 64 letters'], ['an e-mail address for the id', json({ deployment: 'jane@acme.com' }), 400, 'deployment', '1 to 64 letters'],
    ['an unknown field', json({ deployment: 'x', owner: 'Jane' }), 400, 'owner', 'timeZone, country'], ['a strange field', json({ deployment: 'x', 'jane@acme.com': 1 }), 400, 'body', 'timeZone, country'], ['what only answers hold', json({ deployment: 'x', tenant: 'globex' }), 400, 'tenant', 'timeZone, country'],
    ['an unknown time zone', json({ deployment: 'x', timeZone: 'Mars/Olympus' }), 400, 'timeZone', 'Europe/Oslo'], ['an offset', json({ deployment: 'x', timeZone: '+01:00' }), 400, 'timeZone', 'Europe/Oslo'],
    ['a small country', json({ deployment: 'x', country: 'no' }), 400, 'country', 'two capital letters'], ['kinds as text', json({ deployment: 'x', taskKinds: 'a,b' }), 400, 'taskKinds', 'a list of 1 to 200'], ['no kinds', json({ deployment: 'x', taskKinds: [] }), 400, 'taskKinds', 'a list of 1 to 200'],
    ['a sentence among kinds', json({ deployment: 'x', taskKinds: ['a', 'a long letter'] }), 400, 'taskKinds', 'a code'], ['a kind twice', json({ deployment: 'x', taskKinds: ['a', 'a'] }), 400, 'taskKinds', 'none twice'],
    ['a day that does not exist', json({ deployment: 'x', handoff: '2026-02-30' }), 400, 'handoff', 'YYYY-MM-DD'], ['a handoff before the pilot', json({ deployment: 'x', pilotStart: '2026-02-02', handoff: '2026-02-01' }), 400, 'handoff', 'the later day'],
    ['no target', json({ deployment: 'x', target: 0 }), 400, 'target', 'above 0'], ['a target in percent', json({ deployment: 'x', target: 40 }), 400, 'target', 'to 1'], ['a target as text', json({ deployment: 'x', target: '0.4' }), 400, 'target', 'a number'],
    ['a word for a flag', json({ deployment: 'x', sandbox: 'yes' }), 400, 'sandbox', 'true or false'], ['a sandbox handed off', json({ deployment: 'x', sandbox: true, handoff: '2026-02-01' }), 400, 'handoff', 'leave out one'],
    ['another target than it has', json({ deployment: 'desk', target: 0.5 }), 409, 'target', 'another id'],
  ])('%s', async (_what, body, status, field, fix) => {
    const said = await expectProblem(await post(body), status, field, fix);
    expect(said).not.toMatch(/jane|Jane/);
  });

  it('of none of these anything was registered', async () => {
    const listed = (await (await api.ask('/v1/deployments', keys.read)).json()) as { deployment: string }[];
    expect(listed.map(({ deployment }) => deployment)).toEqual(['desk']);
  });
});

describe('what is no fault of who asks', () => {
  it('a pseudonym key that is not the tenant’s is told to the log only', async () => {
    await api.log.database.query(`insert into tenant (name, key_check) values ('stranger', 'x')`);
    try {
      await expectProblem(await post('{"deployment":"one-more"}'), 500, undefined, 'whoever runs Foothold');
      expect(api.lines.filter(({ level }) => level >= 50)).toEqual([expect.objectContaining({ msg: expect.stringContaining('FOOTHOLD_PSEUDONYM_KEY: is not the key') })]);
    } finally {
      await api.log.database.query(`delete from tenant where name = 'stranger'`);
    }
  });

  it.each([
    ['no HTTP', 'hello\r\n\r\n', 400], ['headers without end', `GET /v1/metrics HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431], ['two lengths', 'POST /v1/deployments HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
  ])('%s is answered and the connection closed', async (_what, sent, status) => {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    let said = '';
    socket.setEncoding('utf8').on('data', (text: string) => (said += text));
    socket.write(sent);
    await new Promise<void>((done) => socket.once('close', () => done()));
    expect(said).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(said).toContain('application/problem+json');
    expect(JSON.parse(said.slice(said.indexOf('\r\n\r\n')))).toMatchObject({ status, title: expect.stringMatching(/./), fix: expect.stringMatching(/./) });
  });
});
