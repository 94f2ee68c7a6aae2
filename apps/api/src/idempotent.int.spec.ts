/** A command with an Idempotency-Key: done once, answered the same; another request, one at the same time, after a crash, a day later. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApi, type ApiUnderTest } from '../../../test/support/api.js';

let api: ApiUnderTest;
let write: string;
let read: string;
beforeAll(async () => {
  api = await startApi();
  [write, read] = [await api.key('write'), await api.key('read')];
  await api.ask('/v1/deployments', write, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ deployment: 'desk' }) });
});
afterAll(() => api?.close());

interface More {
  method?: string;
  ifMatch?: string;
  key?: string;
  type?: string;
}
const send = (path: string, body: unknown, idempotencyKey: string, { method = 'PUT', ifMatch, key = write, type = 'application/json' }: More = {}) => api.ask(`/v1/deployments${path}`, key, {
  method, body: typeof body === 'string' ? body : JSON.stringify(body),
  headers: { 'content-type': type, 'idempotency-key': idempotencyKey, ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }) },
});
const told = async (answer: Response) => ({ status: answer.status, text: await answer.text(), location: answer.headers.get('location'), replayed: answer.headers.get('idempotency-replayed') });
const versionOf = async (deployment: string): Promise<number> => ((await (await api.ask(`/v1/deployments/${deployment}`, read)).json()) as { version: number }).version;
const rows = () => api.log.database.query<{ key: string; answered: boolean }>('select key, answer is not null as answered from answered_request order by key');

describe('the same request with the same key', () => {
  it.each<[string, () => Promise<Response>]>([
    ['a registration', () => send('', { deployment: 'again', target: 0.5 }, 'register', { method: 'POST' })],
    ['a decision at a version', () => send('/desk/pilot', { day: '2026-01-05' }, 'pilot', { ifMatch: '"1"' })],
    ['a closure', () => send('/desk/closures', { from: '2026-12-24', to: '2026-12-26' }, 'closure', { method: 'POST' })],
    ['a roster', () => send('/desk/roster', { periods: [{ person: 'jane', from: '2026-01-05' }] }, 'roster')],
    ['a roster as a file', () => send('/desk/roster', 'person,from\nbo,2026-01-05\n', 'file', { type: 'text/csv' })],
  ])('%s is done once, and answered the same', async (_what, request) => {
    const first = await told(await request());
    expect(first).toMatchObject({ replayed: null });
    expect([200, 201]).toContain(first.status);
    const version = await versionOf('desk');
    expect(await told(await request())).toEqual({ ...first, replayed: 'true' });
    expect(await versionOf('desk')).toBe(version);
  });

  it('is answered as before even where somebody has decided otherwise meanwhile', async () => {
    const first = await told(await send('/desk/pilot', { day: '2026-01-06' }, 'sixth'));
    expect((await send('/desk/pilot', { day: '2026-01-07' }, 'seventh')).status).toBe(200);
    expect(await told(await send('/desk/pilot', { day: '2026-01-06' }, 'sixth'))).toEqual({ ...first, replayed: 'true' });
    expect(await (await api.ask('/v1/deployments/desk', read)).json()).toMatchObject({ pilotStart: '2026-01-07' });
  });

  it('with another access key is another request', async () => {
    const other = await api.key('write');
    expect(await told(await send('/desk/pilot', { day: '2026-01-08' }, 'shared'))).toMatchObject({ status: 200, replayed: null });
    expect(await told(await send('/desk/pilot', { day: '2026-01-09' }, 'shared', { key: other }))).toMatchObject({ status: 200, replayed: null });
    expect((await send('/desk/pilot', { day: '2026-01-08' }, 'shared', { key: read })).status).toBe(403);
  });

  it('that was refused is done anew: nothing is remembered of an error', async () => {
    expect((await send('/desk/handoff', { day: '2025-01-01' }, 'early')).status).toBe(409);
    expect((await send('/nowhere/handoff', { day: '2026-02-02' }, 'early')).status).toBe(404);
    expect(await told(await send('/desk/handoff', { day: '2026-02-02' }, 'early'))).toMatchObject({ status: 200, replayed: null });
  });

  it('many times at once is done by one of them', async () => {
    const before = await versionOf('desk');
    const periods = Array.from({ length: 2_000 }, (_, i) => ({ person: `employee-${i}`, from: '2026-01-05' }));
    const answers = await Promise.all(Array.from({ length: 6 }, () => send('/desk/roster', { periods }, 'at-once')));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status !== 200 && status !== 409)).toEqual([]);
    expect(answers.filter(({ status, headers }) => status === 200 && headers.get('idempotency-replayed') === null)).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status === 409)) {
      expect([answer.headers.get('retry-after'), await answer.json()]).toEqual(['1', expect.objectContaining({ field: 'idempotency-key', fix: expect.stringContaining('again') })]);
    }
    expect(await versionOf('desk')).toBe(before + 2_000);
  });
});

describe('a key', () => {
  it.each<[string, () => Promise<Response>]>([
    ['body', () => send('/desk/closures', { from: '2027-05-02', to: '2027-05-02' }, 'taken', { method: 'POST' })],
    ['path', () => send('/again/closures', { from: '2027-05-01', to: '2027-05-01' }, 'taken', { method: 'POST' })],
    ['version', () => send('/desk/closures', { from: '2027-05-01', to: '2027-05-01' }, 'taken', { method: 'POST', ifMatch: '"1"' })],
  ])('that came with another %s before is refused', async (_what, request) => {
    expect((await send('/desk/closures', { from: '2027-05-01', to: '2027-05-01' }, 'taken', { method: 'POST' })).status).toBe(200);
    const version = await versionOf('desk');
    const answer = await request();
    expect([answer.status, await answer.json()]).toEqual([422, { type: 'about:blank', title: 'Key used before', status: 422, field: 'idempotency-key', detail: 'it came with another request before', fix: expect.stringContaining('new key') }]);
    expect(await versionOf('desk')).toBe(version);
  });

  it.each(['', 'a b', 'x'.repeat(256), 'nøkkel'])('%j has no form that is taken', async (key) => {
    const answer = await send('/desk/pilot', { day: '2026-01-08' }, Buffer.from(key).toString('latin1'));
    expect([answer.status, await answer.json()]).toMatchObject([400, { field: 'idempotency-key', fix: expect.stringContaining('255') }]);
  });

  it('is looked at only after who sends it, and keeps nothing of the request but a hash', async () => {
    expect((await api.ask('/v1/deployments/desk/pilot', undefined, { method: 'PUT', headers: { 'idempotency-key': 'pilot', 'content-type': 'application/json' }, body: '{"day":"2026-01-05"}' })).status).toBe(401);
    expect(JSON.stringify(await api.log.database.query('select key, answer from answered_request'))).not.toMatch(/jane|employee/);
  });

  it('of whoever crashed is being done until its lease is over, then done anew by the same request, which adds no fact', async () => {
    const request = () => send('/desk/closures', { from: '2027-06-01', to: '2027-06-01' }, 'crashed', { method: 'POST' });
    expect((await request()).status).toBe(200);
    const version = await versionOf('desk');
    const crash = (ago: string) => api.log.database.query(`update answered_request set answer = null, claimed = clock_timestamp() - $1::interval where key = 'crashed'`, [ago]);
    await crash('59 seconds');
    expect((await request()).status).toBe(409);
    await crash('61 seconds');
    expect((await send('/desk/closures', { from: '2027-06-02', to: '2027-06-02' }, 'crashed', { method: 'POST' })).status).toBe(422);
    const anew = await told(await request());
    expect([anew.status, anew.replayed, JSON.parse(anew.text)]).toMatchObject([200, null, { changed: false, version }]);
    expect(await told(await request())).toEqual({ ...anew, replayed: 'true' });
  });

  it('is forgotten after 24 hours', async () => {
    const request = (day: string) => send('/desk/closures', { from: day, to: day }, 'old', { method: 'POST' });
    expect((await request('2027-07-01')).status).toBe(200);
    const age = (hours: string) => api.log.database.query(`update answered_request set claimed = clock_timestamp() - $1::interval where key = 'old'`, [hours]);
    await age('23 hours 59 minutes');
    expect((await request('2027-07-02')).status).toBe(422);
    await age('24 hours 1 minute');
    expect((await send('/desk/pilot', { day: '2026-01-10' }, 'another')).status).toBe(200);
    expect((await rows()).map(({ key }) => key)).not.toContain('old');
    expect(await told(await request('2027-07-02'))).toMatchObject({ status: 200, replayed: null });
  });
});
