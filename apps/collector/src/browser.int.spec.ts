/** The collector as a page's browser meets it: a publishable key, whose person a token names that the host's backend has signed. */
import { createPrivateKey, randomBytes, sign } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { verify } from '@foothold/event-log';
import { personToken } from '@foothold/sdk';
import { opened } from '../../../test/support/letters.js';
import { pseudonymiser, sealer } from '../../../test/support/recording.js';
import { hostEvent as event, ORIGIN, startCollector, type RunningCollector } from '../../../test/support/running-collector.js';

let collector: RunningCollector;
beforeEach(async () => void (collector = await startCollector('direct')));
afterEach(() => collector.stop());

/** As a browser sends it: about whomever the token names. */
const fromBrowser = (more: Record<string, unknown> = {}) => ({ ...event(more), subject: undefined });

const token = (personSecret: string, claims: Record<string, unknown>, head: Record<string, unknown> = { alg: 'EdDSA', typ: 'JWT' }): string => {
  const text = [head, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const seed = Buffer.from(personSecret.slice(4), 'base64url');
  const secret = createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]), format: 'der', type: 'pkcs8' });
  return `${text}.${sign(null, Buffer.from(text), secret).toString('base64url')}`;
};
const now = () => Math.floor(Date.now() / 1000);
const claims = (more: Record<string, unknown> = {}) => ({ sub: 'jane', iat: now(), exp: now() + 900, ...more });

it('takes the person from the token of the host’s backend alone', async () => {
  const { key: publishable, personSecret } = await collector.key('publishable', { origins: [ORIGIN] });
  const headers = { origin: ORIGIN, 'foothold-person': personToken({ secret: personSecret!, person: 'jane' }) };
  const heartbeat = { ...fromBrowser({ type: 'foothold.sdk.reported.v1' }), data: { queued: 0, dropped: {}, sdk: 'foothold-js', version: '1.0.0' } };
  const answer = await collector.post([fromBrowser(), heartbeat, event(), { ...fromBrowser(), data: undefined }], { as: publishable, headers });
  expect(answer).toMatchObject({ status: 202, body: { accepted: 2, refused: [{ index: 2, field: 'subject', fix: expect.stringContaining('leave it out') }, { index: 3 }] } });
  expect([answer.headers.get('access-control-allow-origin'), answer.headers.get('vary')]).toEqual([ORIGIN, 'origin']);
  await collector.received(4);
  expect(await collector.people()).toEqual([pseudonymiser.pseudonym('acme', 'jane')]);
});

const NOT_ITS_OWN: [what: string, event: () => Record<string, unknown>, field: string][] = [
  ['somebody else who decided', () => ({ ...fromBrowser(), data: { invocation: 'i', actor: 'boss' } }), 'data.actor'],
  ['an outcome', () => ({ ...fromBrowser({ type: 'foothold.outcome.measured.v1' }), data: { outcome: 'days', from: '2026-11-01', to: '2026-11-02', value: 1, count: 1 } }), 'type'],
  ['the truth', () => ({ ...fromBrowser({ type: 'foothold.truth.established.v1' }), data: { invocation: 'i', aiRight: true } }), 'type'],
  ['the truth in a version to come', () => ({ ...fromBrowser({ type: 'foothold.truth.established.v9' }), data: { invocation: 'i', aiRight: true } }), 'type'],
  ['an unknown type', () => fromBrowser({ type: 'foothold.result.acepted.v1' }), 'type'],
];

it('takes no word from it on what is not its person’s to tell', async () => {
  const { key: publishable, personSecret } = await collector.key('publishable');
  const headers = { 'foothold-person': personToken({ secret: personSecret!, person: 'jane' }) };
  for (const [i, [what, told, field]] of NOT_ITS_OWN.entries()) {
    expect({ what, ...(await collector.post(told(), { as: publishable, headers })) }).toMatchObject({ what, status: 422, body: { field } });
    expect(await collector.received(i + 1)).toMatchObject({ rejected: i + 1 });
  }
});

const WRONG_TOKENS: [what: string, made: (secret: string) => string | undefined, reason: string][] = [
  ['none', () => undefined, 'missing'],
  ['no JWT', () => 'jane', 'no compact JWT'],
  ['of another key', () => token(`fhs_${randomBytes(32).toString('base64url')}`, claims()), 'not signed with'],
  ['whose claims were changed', (secret) => token(secret, claims()).replace(/\.[^.]+\./, `.${Buffer.from(JSON.stringify(claims({ sub: 'joe' }))).toString('base64url')}.`), 'not signed with'],
  ['unsigned', (secret) => token(secret, claims(), { alg: 'none' }), 'not signed with EdDSA'],
  ['of another algorithm', (secret) => token(secret, claims(), { alg: 'HS256' }), 'not signed with EdDSA'],
  ['that has expired', (secret) => token(secret, claims({ iat: now() - 1_000, exp: now() - 61 })), 'expired'],
  ['of the future', (secret) => token(secret, claims({ iat: now() + 120, exp: now() + 900 })), 'not valid yet'],
  ['that begins later', (secret) => token(secret, claims({ nbf: now() + 120 })), 'not valid yet'],
  ['that lasts too long', (secret) => token(secret, claims({ exp: now() + 3_700 })), 'at most an hour'],
  ['without an end', (secret) => token(secret, claims({ exp: undefined })), 'at most an hour'],
  ['for nobody', (secret) => token(secret, claims({ sub: '' })), 'names no person'],
  ['for a list of people', (secret) => token(secret, claims({ sub: ['jane'] })), 'names no person'],
];

it('keeps its person with an event of a version to come', async () => {
  const { key: publishable, personSecret } = await collector.key('publishable');
  const headers = { 'foothold-person': personToken({ secret: personSecret!, person: 'jane' }) };
  expect(await collector.post({ ...fromBrowser({ type: 'foothold.result.accepted.v9', id: 'a1' }), data: { invocation: 'i1' } }, { as: publishable, headers })).toMatchObject({ status: 202 });
  expect(await collector.received(1)).toMatchObject({ quarantined: 1 });
  const [letter] = opened(await collector.log.database.query('select tenant, sealed, payload from dead_letter'), sealer);
  expect(JSON.parse(letter!.payload!)).toMatchObject({ subject: pseudonymiser.pseudonym('acme', 'jane') });
});

it('takes no name of an event from the backend, nor from another person, and knows its own again', async () => {
  const { key: publishable, personSecret } = await collector.key('publishable');
  const asPerson = (person: string) => ({ as: publishable, headers: { 'foothold-person': personToken({ secret: personSecret!, person }) } });
  for (const person of ['joe', 'jane', 'jane']) expect(await collector.post(fromBrowser({ source: 'urn:backend', id: 'erp:1' }), asPerson(person))).toMatchObject({ status: 202 });
  expect(await collector.post(event({ source: 'urn:backend', id: 'erp:1', deployment: 'till' }))).toMatchObject({ status: 202 });
  expect(await collector.received(4)).toMatchObject({ stored: 3, duplicate: 1 });
});

it('refuses any other token, and leaves no trace of what came with it', async () => {
  const { key: publishable, personSecret } = await collector.key('publishable');
  for (const [what, makeToken, reason] of WRONG_TOKENS) {
    const text = makeToken(personSecret!);
    const answer = await collector.post(fromBrowser(), { as: publishable, headers: text === undefined ? {} : { 'foothold-person': text } });
    expect({ what, ...answer }).toMatchObject({ what, status: 401, body: { field: 'foothold-person', detail: expect.stringContaining(reason), fix: expect.any(String) } });
  }
  expect(await verify(collector.log.database)).toMatchObject({ received: 0 });
});

it('holds a token to its deployment, and key and token to each other', async () => {
  const { key: publishable, personSecret } = await collector.key('publishable', { deployments: ['desk'] });
  const signed = (deployment: string) => ({ 'foothold-person': personToken({ secret: personSecret!, person: 'jane', deployment }) });
  expect(await collector.post([fromBrowser(), fromBrowser({ deployment: 'till' })], { as: publishable, headers: signed('desk') })).toMatchObject({ status: 202, body: { accepted: 1, refused: [{ index: 1, field: 'deployment' }] } });
  expect(await collector.post(fromBrowser(), { as: publishable, headers: signed('till') })).toMatchObject({ status: 403, body: { field: 'foothold-person' } });
});

it('answers preflights by the origins of the keys there are, and lets no other origin in', async () => {
  const preflight = async (origin: string) => (await fetch(`${collector.url}/v1/events`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' } })).headers;
  const { key: publishable, personSecret } = await collector.key('publishable', { origins: [ORIGIN] });
  const allowed = await preflight(ORIGIN);
  expect([allowed.get('access-control-allow-origin'), allowed.get('access-control-allow-methods'), allowed.get('access-control-allow-credentials')]).toEqual([ORIGIN, 'POST', null]);
  expect(allowed.get('access-control-allow-headers')!.split(', ')).toEqual(expect.arrayContaining(['authorization', 'content-type', 'content-encoding', 'foothold-person']));
  expect((await preflight('https://evil.example')).get('access-control-allow-origin')).toBeNull();
  const answer = await collector.post(fromBrowser(), { as: publishable, headers: { origin: 'https://evil.example', 'foothold-person': personToken({ secret: personSecret!, person: 'jane' }) } });
  expect([answer.status, answer.body['field'], answer.headers.get('access-control-allow-origin')]).toEqual([403, 'origin', null]);
});

it('names the methods it takes, each once', async () => {
  const [options, refused] = await Promise.all(['OPTIONS', 'PUT'].map((method) => fetch(`${collector.url}/v1/events`, { method })));
  expect([options!.status, options!.headers.get('allow')]).toEqual([204, 'OPTIONS, POST']);
  expect([refused!.status, refused!.headers.get('allow'), await refused!.json()]).toMatchObject([405, 'OPTIONS, POST', { field: 'method', fix: 'use OPTIONS, POST' }]);
});
