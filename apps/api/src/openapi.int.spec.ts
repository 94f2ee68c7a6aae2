/** The document says what the process answers, neither more nor less; the explorer loads nothing from elsewhere. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { checkEvent, EVENT_NAMES, typeOf } from '@foothold/contract';
import { Check } from 'typebox/value';
import { startApi, type ApiUnderTest } from '../../../test/support/api.js';
import { openApi } from './openapi.js';
import { OPERATIONS, type Operation } from './operations.js';
import { EVENT_EXAMPLE } from './schemas.js';

interface Document {
  openapi: string;
  paths: Record<string, Record<string, { operationId: string; security: Record<string, []>[]; parameters?: { name: string; in: string }[]; responses: Record<string, unknown> }>>;
  components: Record<string, Record<string, unknown>>;
}
const document = openApi() as unknown as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, ...operation })));

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.close());

describe('the document', () => {
  /** Pages, which no program asks for. */
  const PAGES = ['GET /', 'GET /explorer', 'GET /explorer/{file}'];
  /** What the collector answers. */
  const ELSEWHERE = ['POST /v1/events'];

  it('names every route there is and no other', () => {
    const running = api.routes.filter((route) => !/^(HEAD|OPTIONS) /.test(route)).map((route) => route.replace(/:(\w+)/g, '{$1}'));
    expect([...running, ...ELSEWHERE].sort()).toEqual([...operations.map(({ route }) => route), ...PAGES].sort());
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  });

  it('is given to anybody, as it is', async () => {
    const answer = await api.ask('/openapi.json');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    expect(await answer.json()).toEqual(JSON.parse(JSON.stringify(document)));
    expect((await api.ask('/openapi.json', undefined, { headers: { 'if-none-match': answer.headers.get('etag')! } })).status).toBe(304);
    expect(document.openapi).toBe('3.1.0');
  });

  it('refers to nothing that it does not hold, and holds nothing that it does not refer to', () => {
    const text = JSON.stringify(document);
    const referred = new Set([...text.matchAll(/"#\/components\/(\w+)\/([^"]+)"/g)].map(([, section, name]) => `${section}/${name}`));
    const held = Object.entries(document.components).flatMap(([section, parts]) => Object.keys(parts).map((name) => `${section}/${name}`));
    const schemes = new Set(operations.flatMap(({ security }) => security.flatMap((one) => Object.keys(one))).map((name) => `securitySchemes/${name}`));
    expect([...referred, ...schemes].sort()).toEqual(held.sort());
  });

  it.each(Object.values(OPERATIONS) as Operation[])('has for $id examples of the shapes it is checked against', ({ id, parameters, query, body, answer, conditional, examples }) => {
    expect(Check(answer, examples.answer)).toBe(true);
    expect(Check(parameters, examples.parameters ?? {})).toBe(true);
    expect(Check(query, examples.query ?? {})).toBe(true);
    if (body) expect(Check(body, examples.body)).toBe(true);
    const described = operations.find(({ operationId }) => operationId === id)!;
    expect(described.parameters!.map(({ name }) => name)).toEqual([...Object.keys(parameters.properties), ...Object.keys(query.properties), ...(conditional ? ['If-Match'] : []), ...(body ? ['Idempotency-Key'] : [])]);
  });

  it('holds every event, and one that the boundary accepts', () => {
    expect(Object.keys(document.components['schemas']!)).toEqual(expect.arrayContaining(EVENT_NAMES.map(typeOf)));
    expect(checkEvent(EVENT_EXAMPLE, 'acme', Date.now() * 1000, { pseudonymise: () => 'ab'.repeat(32), subjects: 'raw' })).toMatchObject({ outcome: 'accepted' });
  });
});

describe('the explorer', () => {
  it('is a page whose every part comes from here, under a policy that lets it load nothing else', async () => {
    const home = await api.ask('/');
    expect([home.status, home.headers.get('location')]).toEqual([302, '/explorer']);
    const page = await api.ask('/explorer');
    const parts = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!);
    expect(parts).toEqual(['/explorer/swagger-ui.css', '/explorer/favicon-32x32.png', '/explorer/swagger-ui-bundle.js', '/explorer/start.js']);
    const files = await Promise.all(parts.map((path) => api.ask(path)));
    expect(files.map(({ status, headers }) => [status, headers.get('content-type')])).toEqual([[200, 'text/css; charset=utf-8'], [200, 'image/png'], [200, 'text/javascript; charset=utf-8'], [200, 'text/javascript; charset=utf-8']]);
    for (const { headers } of [page, ...files]) {
      const policy = headers.get('content-security-policy')!;
      expect(policy).toContain("default-src 'none'; script-src 'self'");
      expect(policy).not.toMatch(/unsafe|https?:|\*/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
    expect(await files[3]!.text()).toContain("url: '/openapi.json'");
  });

  it.each(['/explorer/package.json', '/explorer/..%2fpackage.json', '/explorer/swagger-ui.css.map', '/explorer/constructor', '/explorer/START.js'])('has no %s', async (path) => {
    const answer = await api.ask(path);
    expect([answer.status, await answer.json()]).toMatchObject([404, { field: 'path', fix: 'open /explorer' }]);
  });
});
