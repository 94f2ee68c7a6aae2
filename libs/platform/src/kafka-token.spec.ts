/** When a token is asked for anew: before it expires, once for everybody, and not at all costs. */
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { readConfig } from './config.js';
import { TokenSource } from './kafka-token.js';

const config = readConfig({ KAFKA_SASL_MECHANISM: 'OAUTHBEARER', KAFKA_OAUTH_TOKEN_URL: 'https://login.example/token', KAFKA_OAUTH_CLIENT_ID: 'c', KAFKA_OAUTH_CLIENT_SECRET: 's' });
let now: number;
let asked: number;
let status: number;
let life: number | undefined;

beforeEach(() => {
  [now, asked, status, life] = [0, 0, 200, 100];
  jest.spyOn(globalThis, 'fetch').mockImplementation(async () => new Response(JSON.stringify({ access_token: `token-${++asked}`, expires_in: life }), { status }));
});
afterEach(() => void jest.restoreAllMocks());

it('keeps a token for four fifths of its life', async () => {
  const tokens = new TokenSource(config, () => now);
  expect(await Promise.all([tokens.current(), tokens.current()])).toEqual(['token-1', 'token-1']);
  now = 79_999;
  expect(await tokens.current()).toBe('token-1');
  now = 80_000;
  expect(await Promise.all([tokens.current(), tokens.current()])).toEqual(['token-2', 'token-2']);
});

it('uses it until shortly before its end where no new one is to be had', async () => {
  const tokens = new TokenSource(config, () => now);
  await tokens.current();
  [now, status] = [94_999, 503];
  expect(await tokens.current()).toBe('token-1');
  now = 95_000;
  await expect(tokens.current()).rejects.toThrow('status 503');
  status = 200;
  expect(await tokens.current()).toBe('token-4');
});

it('asks each time where nobody says how long it holds, and again after it was refused', async () => {
  const tokens = new TokenSource(config, () => now);
  life = undefined;
  expect([await tokens.current(), await tokens.current()]).toEqual(['token-1', 'token-2']);
  life = 100;
  expect([await tokens.current(), await tokens.current()]).toEqual(['token-3', 'token-3']);
  tokens.forget();
  expect(await tokens.current()).toBe('token-4');
});
