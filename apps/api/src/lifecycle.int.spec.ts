/** Decisions about a deployment over HTTP: what they answer, at which version, with which key, and what they refuse. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Check } from 'typebox/value';
import { startApi, type ApiUnderTest } from '../../../test/support/api.js';
import { footholdHere } from '../../../test/support/foothold.js';
import { OPERATIONS } from './operations.js';

let api: ApiUnderTest;
let read: string;
let write: string;
let made = 0;

beforeAll(async () => {
  api = await startApi();
  [read, write] = [await api.key('read'), await api.key('write')];
});
afterAll(() => api?.close());

const send = (method: string, path: string, body: object | string, ifMatch?: string, key = write) => api.ask(`/v1/deployments${path}`, key, {
  method, body: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'content-type': 'application/json', ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }) },
});
async function registered(more: object = {}): Promise<string> {
  const deployment = `d-${made++}`;
  expect((await send('POST', '', { deployment, ...more })).status).toBe(201);
  return deployment;
}
const bodyOf = async (answer: Response, status = 200): Promise<Record<string, unknown>> => {
  const body = (await answer.json()) as Record<string, unknown>;
  expect([answer.status, body]).toEqual([status, expect.anything()]);
  return body;
};
const PERIODS = [{ person: 'jane', team: 'desk', from: '2026-01-05' }, { person: 'jane', from: '2026-07-01', to: '2026-07-21', leave: true }, { person: 'bo', team: null, from: '2026-01-05', to: '2026-02-01' }];

describe('a decision', () => {
  it('is answered with what stands then, as the shape says, and seen by whoever reads', async () => {
    const id = await registered();
    const pilot = await bodyOf(await send('PUT', `/${id}/pilot`, { day: '2026-01-05' }));
    expect(pilot).toMatchObject({ deployment: id, version: 2, pilotStart: '2026-01-05', changed: true });
    expect(await bodyOf(await send('PUT', `/${id}/handoff`, { day: '2026-03-02' }))).toMatchObject({ version: 3, handoff: '2026-03-02', changed: true });
    const closed = await bodyOf(await send('POST', `/${id}/closures`, { from: '2026-12-24', to: '2026-12-26' }));
    expect(closed).toMatchObject({ version: 4, closures: [{ from: '2026-12-24', to: '2026-12-26', reason: null }], changed: true });
    expect(await bodyOf(await send('POST', `/${id}/closures`, { from: '2026-12-24', to: '2026-12-26', reason: null }))).toEqual({ ...closed, changed: false });
    for (const body of [pilot, closed]) expect(Check(OPERATIONS.startPilot.answer, body)).toBe(true);
    expect({ ...(await bodyOf(await api.ask(`/v1/deployments/${id}`, read))), changed: true }).toEqual(closed);
    expect(await (await api.ask('/v1/deployments?format=csv', read)).text()).toContain('2026-12-24/2026-12-26');
  });

  it('is made at the version that If-Match names, and at no other', async () => {
    const id = await registered();
    const paths: [string, string, object][] = [['PUT', 'pilot', { day: '2026-01-06' }], ['PUT', 'handoff', { day: '2026-03-03' }], ['POST', 'closures', { from: '2026-05-01', to: '2026-05-01' }], ['PUT', 'agreement', { people: 8 }], ['PUT', 'roster', { periods: PERIODS }]];
    for (const [i, [method, path, body]] of paths.entries()) {
      for (const stale of [i, i + 2]) expect(await bodyOf(await send(method, `/${id}/${path}`, body, `"${stale}"`), 412)).toMatchObject({ field: 'if-match', detail: `the deployment is at version ${i + 1}, not ${stale}` });
      expect((await send(method, `/${id}/${path}`, body, `"${i + 1}"`)).status).toBe(200);
    }
    for (const wrong of ['7', 'W/"7"', '"7", "8"', '"seven"']) expect(await bodyOf(await send('PUT', `/${id}/pilot`, { day: '2026-01-07' }, wrong), 400)).toMatchObject({ field: 'if-match' });
    expect((await send('PUT', `/${id}/pilot`, { day: '2026-01-07' }, '*')).status).toBe(200);
  });

  it('is for keys that may write to this deployment', async () => {
    const id = await registered();
    const elsewhere = await api.key('write', { deployments: ['other'] });
    for (const [method, path, body] of [['PUT', 'pilot', { day: '2026-01-06' }], ['PUT', 'handoff', { day: '2026-01-06' }], ['POST', 'closures', { from: '2026-05-01', to: '2026-05-01' }], ['PUT', 'agreement', { people: 8 }], ['PUT', 'roster', { periods: PERIODS }]] as const) {
      expect((await send(method, `/${id}/${path}`, body, undefined, read)).status).toBe(403);
      expect((await send(method, `/${id}/${path}`, body, undefined, elsewhere)).status).toBe(404);
      expect((await send(method, '/nowhere/' + path, body)).status).toBe(404);
    }
    expect(await bodyOf(await api.ask(`/v1/deployments/${id}`, read))).toMatchObject({ version: 1 });
  });

  it.each([
    ['a day that does not exist', 'PUT', 'pilot', { day: '2026-02-30' }, 400, 'day'], ['no day', 'PUT', 'handoff', {}, 400, 'day'], ['a handoff before the pilot', 'PUT', 'handoff', { day: '2026-01-04' }, 409, 'day'],
    ['a pilot after the handoff', 'PUT', 'pilot', { day: '2026-03-03' }, 409, 'day'], ['a closure that ends before it begins', 'POST', 'closures', { from: '2026-05-02', to: '2026-05-01' }, 400, 'to'],
    ['an agreement on four people', 'PUT', 'agreement', { people: 4 }, 400, 'people'], ['an agreement on nobody in particular', 'PUT', 'agreement', {}, 400, 'people'],
    ['a sentence for a reason', 'POST', 'closures', { from: '2026-05-01', to: '2026-05-01', reason: 'Kari is ill' }, 400, 'reason'], ['an unknown field', 'PUT', 'pilot', { day: '2026-01-06', by: 'Kari' }, 400, 'by'],
  ])('refuses %s', async (_, method, path, body, status, field) => {
    const id = await registered({ pilotStart: '2026-01-05', handoff: '2026-03-02' });
    const refused = await bodyOf(await send(method, `/${id}/${path}`, body), status);
    expect(refused).toMatchObject({ field, fix: expect.stringMatching(/./) });
    expect(JSON.stringify(refused)).not.toContain('Kari');
  });

  it('hands no sandbox off', async () => {
    expect(await bodyOf(await send('PUT', `/${await registered({ sandbox: true })}/handoff`, { day: '2026-01-04' }), 409)).toMatchObject({ field: 'deployment' });
  });
});

describe('a roster', () => {
  it('is the same as from a file', async () => {
    const id = await registered();
    const done = await bodyOf(await send('PUT', `/${id}/roster`, { periods: PERIODS }));
    expect(done).toEqual({ deployment: id, version: 3, people: 2, added: 2, changed: 0, unchanged: 0, removed: 0, matched: { roster: null, active: null } });
    expect(Check(OPERATIONS.importRoster.answer, done)).toBe(true);
    expect(await bodyOf(await send('PUT', `/${id}/roster`, { periods: [...PERIODS].reverse(), complete: true }))).toMatchObject({ version: 3, unchanged: 2, removed: 0 });
    expect(await bodyOf(await send('PUT', `/${id}/roster`, { periods: PERIODS.slice(0, 1), complete: true }))).toMatchObject({ version: 5, people: 1, changed: 1, removed: 1 });
    const { stdout } = await footholdHere(['deployment', 'show', id, '--json'], api.settings);
    expect(JSON.parse(stdout)).toMatchObject({ version: 5, roster: { people: 1 } });
  });

  it('is refused with every fault of its entries, and none of what stands in them', async () => {
    const id = await registered();
    const refused = await bodyOf(await send('PUT', `/${id}/roster`, { periods: [{ person: 'kari', from: '2026-02-02', to: '2026-02-01' }, { person: 'ola', from: '2026-01-05' }, { person: 'ola', from: '2026-01-06' }] }), 400);
    expect(refused).toMatchObject({ field: 'roster', detail: expect.stringContaining('2 faults, and nothing was imported: entry 1, to: before from') });
    expect(refused['detail']).toContain('entry 3, from: the period shares a day with that of the same person in entry 2');
    expect(JSON.stringify(refused)).not.toMatch(/kari|ola\b/);
    const good = { person: 'jane', from: '2026-01-05' };
    for (const [body, field] of [
      [{}, 'periods'], [{ periods: [] }, 'periods'], [{ periods: 'jane' }, 'periods'], [{ periods: [good, 'jane'] }, 'periods'], [{ periods: [good, { person: 'jane' }] }, 'periods[1].from'],
      [{ periods: [{ ...good, from: '2026-02-30' }] }, 'periods[0].from'], [{ periods: [{ ...good, team: 'Jane Doe' }] }, 'periods[0].team'], [{ periods: [{ ...good, name: 'Jane' }] }, 'periods[0].name'], [{ periods: [{ ...good, 'jane@acme.com': 1 }] }, 'periods[0]'],
    ] as const) {
      const problem = await bodyOf(await send('PUT', `/${id}/roster`, body), 400);
      expect(problem).toMatchObject({ field, fix: expect.stringMatching(/./) });
      expect(JSON.stringify(problem)).not.toMatch(/jane/i);
    }
    expect(await bodyOf(await api.ask(`/v1/deployments/${id}`, read))).toMatchObject({ version: 1 });
  });

  it('is taken as the file that the command line takes, with every fault of it told by line', async () => {
    const [id, other] = [await registered(), await registered()];
    const put = (path: string, file: string | Buffer, type = 'text/csv', key = write) => api.ask(`/v1/deployments/${path}`, key, { method: 'PUT', body: file as string, headers: { 'content-type': type } });
    const lines = ['\ufeffperson;from;to;team;leave', 'jane;2026-01-05;;desk;', 'jane;2026-07-01;2026-07-21;;yes', '"bo";2026-01-05;2026-02-01;;'];
    const done = await bodyOf(await put(`${id}/roster`, lines.join('\r\n'), 'Text/CSV; charset=utf-8'));
    expect(done).toEqual({ deployment: id, version: 3, people: 2, added: 2, changed: 0, unchanged: 0, removed: 0, matched: { roster: null, active: null } });
    expect(await bodyOf(await send('PUT', `/${id}/roster`, { periods: PERIODS }))).toMatchObject({ version: 3, unchanged: 2 });
    expect(await bodyOf(await put(`${id}/roster?complete=false`, `${lines.slice(0, 2).join('\n')}\n`))).toMatchObject({ changed: 1, removed: 0 });
    expect(await bodyOf(await put(`${id}/roster?complete=true`, `${lines.slice(0, 2).join('\n')}\n`))).toMatchObject({ people: 1, removed: 1 });

    const wrong = 'person,from,to,leave\nkari,2026-02-02,2026-02-01,\nola,2026-01-05,,maybe\nola,2026-01-06\n';
    const refused = await bodyOf(await put(`${other}/roster`, wrong), 400);
    const file = join(mkdtempSync(join(tmpdir(), 'foothold-roster-')), 'roster.csv');
    writeFileSync(file, wrong);
    const { stderr } = await footholdHere(['roster', 'import', other, file], api.settings);
    const told = stderr.split('\n').filter((line) => line.startsWith('line '));
    expect(told).toHaveLength(3);
    expect(refused).toMatchObject({ field: 'roster', detail: `3 faults, and nothing was imported: ${told.join('; ')}` });
    expect(JSON.stringify(refused)).not.toMatch(/kari|ola\b/);

    expect(await bodyOf(await put(`${other}/roster`, ''), 400)).toMatchObject({ field: expect.stringMatching(/^(roster|body)$/) });
    expect(await bodyOf(await put(`${other}/roster`, Buffer.from('person,from\nj\xe5n,2026-01-05', 'latin1')), 400)).toMatchObject({ field: 'roster', detail: expect.stringContaining('not written in UTF-8') });
    expect(await bodyOf(await put(`${other}/roster`, 'x', 'text/plain'), 415)).toMatchObject({ field: 'content-type' });
    expect(await bodyOf(await put(`${other}/pilot`, 'day\n2026-01-05\n'), 415)).toMatchObject({ field: 'content-type', fix: 'send application/json' });
    expect(await bodyOf(await send('PUT', `/${other}/roster?complete=true`, { periods: PERIODS }), 400)).toMatchObject({ field: 'complete' });
    expect(await bodyOf(await put(`${other}/roster`, lines.join('\n'), 'text/csv', read), 403)).toMatchObject({ field: 'authorization' });
    expect(await bodyOf(await api.ask(`/v1/deployments/${other}`, read))).toMatchObject({ version: 1 });
  });

  it('may be as large as a city’s, where other bodies may not', async () => {
    const id = await registered();
    const periods = Array.from({ length: 20_000 }, (_, i) => ({ person: `employee-${i}`, team: `team-${i % 50}`, role: 'nurse', from: '2026-01-05' }));
    expect(await bodyOf(await send('PUT', `/${id}/roster`, { periods }))).toMatchObject({ people: 20_000, added: 20_000 });
    expect((await send('PUT', `/${id}/pilot`, JSON.stringify({ day: '2026-01-05' }) + ' '.repeat(70_000))).status).toBe(413);
    expect((await send('PUT', `/${id}/roster`, ' '.repeat((32 << 20) + 1))).status).toBe(413);
  });
});
