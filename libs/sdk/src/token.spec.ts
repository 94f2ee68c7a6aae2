import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { startSdk } from '../../../test/support/sdk.js';
import { carriedBy, tokenOf } from './token.js';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const carried = { deployment: 'claims', invocation: 'i-1', person: 'Jané 🧡', traceparent: undefined };
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a token', () => {
  it('carries an invocation there and back', () => {
    expect(carriedBy(tokenOf(carried))).toEqual(carried);
    expect(carriedBy(tokenOf({ ...carried, person: undefined }))).toEqual({ ...carried, person: undefined });
    expect(tokenOf(carried)).toBe(encoded([1, 'claims', 'i-1', 'Jané 🧡']));
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['words', 'hello there'],
    ['another encoding', encoded([1, 'claims', 'i-1']) + '%'],
    ['no list', encoded({ deployment: 'claims' })],
    ['another version', encoded([2, 'claims', 'i-1'])],
    ['no deployment', encoded([1, '', 'i-1'])],
    ['an id that is none', encoded([1, 'claims', 'a b'])],
    ['a person that is none', encoded([1, 'claims', 'i-1', 7])],
    ['a person with control characters', encoded([1, 'claims', 'i-1', 'a\nb'])],
    ['no UTF-8', Buffer.from('5b312cff', 'hex').toString('base64url')],
    ['far too much', 'A'.repeat(5_000)],
  ])('%s is malformed', (_, token) => {
    expect(carriedBy(token)).toBe('malformed');
  });

  it('is never more than malformed, whatever it is', () => {
    fc.assert(fc.property(fc.anything(), (thing) => expect(['missing', 'malformed']).toContain(carriedBy(thing as never))), { numRuns: 500 });
    const trap = new Proxy({}, { get: () => { throw new Error('trap'); } });
    expect(carriedBy(trap as never)).toBe('malformed');
  });
});

describe('headers', () => {
  const token = tokenOf(carried);

  it.each<[string, Parameters<typeof carriedBy>[0]]>([
    ['of node:http', { host: 'x', 'foothold-invocation': token, traceparent: TRACE }],
    ['in capitals', { 'Foothold-Invocation': token, Traceparent: TRACE }],
    ['given twice', { 'foothold-invocation': [token, 'other'], traceparent: TRACE }],
    ['of fetch', new Headers({ 'foothold-invocation': token, traceparent: TRACE })],
  ])('%s carry it, with the trace', (_, headers) => {
    expect(carriedBy(headers)).toEqual({ ...carried, traceparent: TRACE });
  });

  it('with a trace that is none carry it without', () => {
    expect(carriedBy({ 'foothold-invocation': token, traceparent: 'mine' })).toEqual(carried);
  });

  it('without a token carry nothing', () => {
    expect([carriedBy({ host: 'x' }), carriedBy(new Headers()), carriedBy(undefined as never), carriedBy({ 'foothold-invocation': undefined })]).toEqual(Array(4).fill('missing'));
  });
});

describe('resume', () => {
  it('goes on in the name of the person in the token, or else in that of the view', async () => {
    const { foothold, machine } = startSdk();
    foothold.as('joe').resume(tokenOf(carried)).accepted();
    foothold.as('joe').resume(tokenOf({ ...carried, person: undefined })).accepted();
    foothold.as('joe').resume(tokenOf({ ...carried, deployment: 'letters' })).accepted({ actor: 'joe' });
    await machine.passUntil(foothold.flush());
    expect(machine.sent[0]!.events.map(({ subject, deployment, data }) => [subject, deployment, data])).toEqual([
      ['Jané 🧡', 'claims', { invocation: 'i-1' }],
      ['joe', 'claims', { invocation: 'i-1' }],
      ['Jané 🧡', 'letters', { invocation: 'i-1', actor: 'joe' }],
    ]);
  });

  it('keeps to the trace the headers carried', async () => {
    const { foothold, machine } = startSdk();
    const handle = foothold.resume({ 'foothold-invocation': tokenOf(carried), traceparent: TRACE });
    handle.shown();
    await machine.passUntil(foothold.flush());
    expect(machine.sent[0]!.events[0]!['traceparent']).toBe(TRACE);
    expect(handle.headers()).toEqual({ 'foothold-invocation': tokenOf(carried), traceparent: TRACE });
  });

  it.each([['nothing', {}, 'missing-token'], ['junk', 'junk!', 'malformed-token']] as const)('from %s does nothing; every call of it that is lost is counted', async (_, carrier, reason) => {
    const { foothold, machine, kinds } = startSdk();
    const handle = foothold.resume(carrier);
    expect([handle.id, handle.token, handle.headers()]).toEqual(['', '', {}]);
    handle.streaming();
    handle.shown();
    handle.accepted();
    handle.failed(new Error());
    expect(foothold.stats()).toEqual({ queued: 0, delivered: 0, dropped: { [reason]: 3 } });
    expect(kinds()).toEqual(['token', 'token', 'token']);
    await machine.passUntil(foothold.shutdown());
    expect(machine.sent.flatMap(({ events }) => events).map(({ data }) => (data as { dropped: object }).dropped)).toEqual([{ [reason]: 3 }]);
  });
});
