/** The browser entry on a page that is made up: what happens when the page is left. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { gunzipSync } from 'node:zlib';
import { Foothold } from './browser.js';

interface Call {
  url: string;
  body: string | Uint8Array;
  headers: Record<string, string>;
  keepalive?: boolean;
}

const page = globalThis as unknown as Record<string, unknown>;
const listeners: Record<string, () => void> = {};
let calls: Call[] = [];
let answer: (call: Call) => Promise<Response>;
const events = ({ body }: Call) => JSON.parse(typeof body === 'string' ? body : gunzipSync(body).toString()) as Record<string, unknown>[];
const fine = (call: Call) => Promise.resolve(new Response(JSON.stringify({ accepted: events(call).length, refused: [] }), { status: 202 }));
const never = () => new Promise<Response>(() => undefined);
const open = (options = {}) => new Foothold({ url: 'https://collector.example', key: 'fhp_k', deployment: 'claims', personToken: 'token', onWarning: () => undefined, ...options });
const task = (foothold: Foothold, count = 1) => {
  for (let i = 0; i < count; i++) foothold.task({ task: `t-${i}`, taskKind: 'k' });
};

const real = globalThis.fetch;
beforeEach(() => {
  calls = [];
  answer = fine;
  page['addEventListener'] = (event: string, listener: () => void) => (listeners[event] = listener);
  page['document'] = { visibilityState: 'visible', addEventListener: page['addEventListener'] };
  page['location'] = { origin: 'https://app.example' };
  globalThis.fetch = ((url: string, init: Omit<Call, 'url'>) => {
    const call = { url, ...init };
    calls.push(call);
    return answer(call);
  }) as never;
});
afterEach(() => {
  globalThis.fetch = real;
  for (const name of ['addEventListener', 'document', 'location']) delete page[name];
  jest.restoreAllMocks();
});

describe('on a page', () => {
  it('events come from its origin, unless the host says otherwise', async () => {
    const [foothold, other] = [open(), open({ source: 'urn:acme:web' })];
    task(foothold);
    task(other);
    await Promise.all([foothold.flush(), other.flush()]);
    expect(calls.flatMap(events).map(({ source }) => source).sort()).toEqual(['https://app.example', 'urn:acme:web']);
  });

  it('a page without an address has the deployment for a source', async () => {
    page['location'] = { origin: 'null' };
    const foothold = open();
    task(foothold);
    await foothold.flush();
    expect(events(calls[0]!)[0]!['source']).toBe('urn:foothold:claims');
  });

  it('longer bodies are compressed', async () => {
    const foothold = open();
    task(foothold, 100);
    await foothold.flush();
    expect(calls[0]!.headers['content-encoding']).toBe('gzip');
    expect(events(calls[0]!)).toHaveLength(100);
    expect((calls[0]!.body as Uint8Array).length).toBeLessThan(8_000);
  });

  it('a secret key is warned of', () => {
    const warnings: string[] = [];
    open({ key: 'fhw_k', onWarning: ({ message }: { message: string }) => warnings.push(message) });
    expect(warnings).toEqual([expect.stringMatching(/^key: a secret key/)]);
    expect(warnings[0]).not.toContain('fhw_k');
  });
});

describe('when the page is left', () => {
  it('what waits goes in a request that outlives it, within the event', () => {
    const foothold = open();
    task(foothold, 3);
    listeners['pagehide']!();
    expect(calls.map(({ keepalive, headers }) => [keepalive, headers['foothold-person']])).toEqual([[true, 'token']]);
    expect(events(calls[0]!)).toHaveLength(3);
  });

  it('and what is under way goes once more, under the same ids', async () => {
    answer = never;
    const foothold = open({ batchEvents: 2 });
    task(foothold, 2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(calls).toHaveLength(1);
    answer = fine;
    listeners['pagehide']!();
    expect(events(calls[1]!).map(({ id }) => id)).toEqual(events(calls[0]!).map(({ id }) => id));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(foothold.stats()).toEqual({ queued: 0, delivered: 2, dropped: {} });
  });

  it('once, though it is told twice; and again what comes later, where it stays after all', async () => {
    const foothold = open();
    task(foothold);
    page['document'] = Object.assign(page['document'] as object, { visibilityState: 'hidden' });
    listeners['visibilitychange']!();
    listeners['pagehide']!();
    expect(calls).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(foothold.stats().delivered).toBe(1);
    task(foothold);
    listeners['pagehide']!();
    expect(calls).toHaveLength(2);
  });

  it('and where that settled everything, nothing more is sent', async () => {
    const foothold = open({ flushAfterMs: 50 });
    task(foothold);
    listeners['pagehide']!();
    await new Promise((resolve) => setTimeout(resolve, 100)); // past the time the batch would have waited for
    expect(calls).toHaveLength(1);
  });

  it('no more than a page may leave behind', () => {
    const foothold = open({ flushAfterMs: 60_000, batchEvents: 1_000 });
    task(foothold, 400);
    listeners['pagehide']!();
    expect((calls[0]!.body as string).length).toBeLessThan(64 * 1024);
    expect(events(calls[0]!).length).toBeGreaterThan(150);
  });

  it('drops are confessed', () => {
    const foothold = open();
    foothold.task({ task: 'a b', taskKind: 'k' });
    listeners['pagehide']!();
    expect(events(calls[0]!).map(({ data }) => data)).toEqual([{ queued: 0, dropped: { 'invalid-argument': 1 }, sdk: 'foothold-js', version: expect.any(String) }]);
  });

  it.each([['rejects', () => Promise.reject(new TypeError('Failed to fetch'))], ['throws', () => { throw new TypeError('fetch is not there'); }]])('a request that %s leaves everything where it was', async (_, failing) => {
    answer = failing;
    const foothold = open({ flushAfterMs: 60_000 });
    task(foothold);
    listeners['pagehide']!();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(foothold.stats()).toEqual({ queued: 1, delivered: 0, dropped: {} });
  });

  it('nothing is said where there is nothing, or no token yet', () => {
    open();
    listeners['pagehide']!();
    const foothold = open({ personToken: never });
    task(foothold);
    listeners['pagehide']!();
    expect(calls).toEqual([]);
  });
});
