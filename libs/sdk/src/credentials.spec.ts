/** Person tokens: signed by a backend, fetched by a browser, and never one person's for another's events. */
import { describe, expect, it } from '@jest/globals';
import { createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import { startSdk } from '../../../test/support/sdk.js';
import { accepted } from '../../../test/support/virtual-machine.js';
import { personToken } from './person-token.js';
import { Reporter } from './reporter.js';
import { tokenOf } from './token.js';

/** The test key of RFC 8037, appendix A. */
const SEED = 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A';
const PUBLIC: JsonWebKey = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
const secret = `fhs_${SEED}`;

const decoded = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
/** A token nobody checks here. */
const token = (sub: string, seconds: number, nr = 0) => `h.${Buffer.from(JSON.stringify({ sub, iat: 0, exp: seconds, nr })).toString('base64url')}.s`;

describe('a person token', () => {
  it('is a JWT signed with the secret, for a quarter of an hour', () => {
    const [header, claims, signature] = personToken({ secret, person: 'Jané' }).split('.') as [string, string, string];
    expect(decoded(header)).toEqual({ alg: 'EdDSA', typ: 'JWT' });
    const { iat, ...rest } = decoded(claims) as { iat: number };
    expect(rest).toEqual({ sub: 'Jané', exp: iat + 900 });
    expect(Math.abs(iat - Date.now() / 1000)).toBeLessThan(5);
    const key = createPublicKey({ key: PUBLIC, format: 'jwk' });
    expect(verify(null, Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, 'base64url'))).toBe(true);
    expect(verify(null, Buffer.from(`${header}.x${claims}`), key, Buffer.from(signature, 'base64url'))).toBe(false);
  });

  it('names a deployment and lasts as long as is asked', () => {
    const { iat, exp, deployment } = decoded(personToken({ secret, person: 'jane', deployment: 'claims', expiresInSeconds: 3_600 }).split('.')[1]!);
    expect([Number(exp) - Number(iat), deployment]).toEqual([3_600, 'claims']);
  });

  it.each<[string, object]>([
    ['secret', { secret: 'fhp_key' }],
    ['secret', { secret: `fhs_${SEED}AAAA` }],
    ['secret', { secret: undefined }],
    ['person', { person: '' }],
    ['deployment', { deployment: 'a b' }],
    ['expiresInSeconds', { expiresInSeconds: 3_601 }],
    ['expiresInSeconds', { expiresInSeconds: 0.5 }],
  ])('says which argument is wrong (%s), and nothing of the secret', (field, wrong) => {
    const sign = () => personToken({ secret, person: 'jane', ...wrong });
    expect(sign).toThrow(new RegExp(`^${field}: must be`));
    expect(sign).not.toThrow(SEED.slice(0, 8));
  });
});

describe('with a publishable key', () => {
  it('the token goes in a header, and events name nobody', async () => {
    const { foothold, machine } = startSdk({ key: 'fhp_k', personToken: token('jane', 900) });
    const handle = foothold.invocation({ surface: 'in-workflow', initiative: 'person' });
    handle.shown();
    await machine.passUntil(foothold.shutdown());
    expect(machine.sent[0]!.headers).toMatchObject({ authorization: 'Bearer fhp_k', 'foothold-person': token('jane', 900) });
    expect(machine.sent[0]!.events.map((event) => 'subject' in event)).toEqual([false, false, false]);
  });

  it('what only a backend can say is dropped', () => {
    const { foothold, warnings } = startSdk({ personToken: 'x' });
    foothold.queue({ taskKind: 'k', items: 1 });
    foothold.invocation({ surface: 'in-workflow', initiative: 'person' }).accepted({ actor: 'joe' });
    expect(foothold.stats()).toEqual({ queued: 1, delivered: 0, dropped: { 'invalid-argument': 2 } });
    expect(warnings.map(({ at }) => at)).toEqual(['queue.key', 'accepted.actor']);
  });

  it('another token is fetched half a minute before one expires, and not before', async () => {
    let asked = 0;
    const { machine, report } = startSdk({ personToken: () => Promise.resolve(token('jane', 300, asked++)) });
    for (let second = 0; second < 299; second += 30) {
      report();
      await machine.pass(30_000);
    }
    expect(new Set(machine.sent.map(({ headers }) => headers['foothold-person']))).toEqual(new Set([token('jane', 300, 0), token('jane', 300, 1)]));
    expect(machine.sent.find(({ headers }) => headers['foothold-person'] === token('jane', 300, 1))!.at).toBeGreaterThanOrEqual(270_000);
    expect(asked).toBe(2);
  });

  it.each([401, 403])('and at once where the collector answers %i', async (status) => {
    let asked = 0;
    const { machine, foothold, report, warnings } = startSdk({ personToken: () => token('jane', 300, asked++) }, ({ events, headers }) => (headers['foothold-person'] === token('jane', 300, 0) ? { status } : accepted(events.length)));
    report();
    await machine.pass(1_100);
    expect([asked, foothold.stats().delivered, warnings]).toEqual([2, 1, []]);
  });

  it('but where that does not help either, slowly, and it is said', async () => {
    let asked = 0;
    const { machine, report, kinds } = startSdk({ personToken: () => token('jane', 300, asked++) }, () => ({ status: 401 }));
    report();
    await machine.pass(16_000);
    expect([machine.sent.length, kinds()]).toEqual([2, ['unauthorised']]);
    await machine.pass(60_000);
    expect(machine.sent.length).toBeLessThanOrEqual(6);
    expect(asked).toBe(machine.sent.length);
  });

  it.each<[string, () => unknown, string]>([
    ['throws', () => { throw new Error('jane is logged out'); }, 'personToken failed; events wait'],
    ['rejects', () => Promise.reject(new Error('jane is logged out')), 'personToken failed; events wait'],
    ['never answers', () => new Promise(() => undefined), 'personToken gave nothing within 10000 ms; events wait'],
    ['gives nothing', () => undefined, 'personToken gave no token; events wait'],
    ['gives a sentence', () => 'log in first', 'personToken gave no token; events wait'],
  ])('events wait while the host’s function %s', async (_, source, message) => {
    let broken = true;
    const { machine, foothold, report, warnings } = startSdk({ personToken: () => (broken ? source() : token('jane', 300)) as string });
    report();
    await machine.pass(11_500);
    expect([machine.sent, foothold.stats().queued]).toEqual([[], 1]);
    expect(warnings[0]).toEqual({ kind: 'person-token', message });
    broken = false;
    await machine.pass(60_000);
    expect(foothold.stats()).toEqual({ queued: 0, delivered: 1, dropped: {} });
  });

  it('what one person did is never sent with another’s token', async () => {
    let who = 'jane';
    const { machine, foothold, report, kinds } = startSdk({ personToken: () => token(who, 60) });
    report();
    await machine.pass(2_000);
    who = 'joe';
    report();
    await machine.pass(58_000);
    report();
    await machine.pass(10_000);
    expect(new Set(machine.sent.map(({ headers }) => headers['foothold-person']))).toEqual(new Set([token('jane', 60)]));
    expect(kinds()).toContain('person-token');
    expect(await machine.passUntil(foothold.shutdown(1_000))).toBe(false);
    expect(foothold.stats().dropped).toEqual({ shutdown: 1 });
  });

  it('a token that says nothing of itself is used until it is not taken', async () => {
    let asked = 0;
    const { machine, report } = startSdk({ personToken: () => `opaque-${asked++}` });
    report();
    await machine.pass(50_000);
    report();
    await machine.pass(50_000);
    expect(asked).toBe(1);
  });
});

describe('what is reported in the name of somebody else than the person of the token', () => {
  const STARTED = { surface: 'in-workflow', initiative: 'person' } as const;
  const invocationOf = (person: string | undefined) => tokenOf({ deployment: 'claims', invocation: 'i-1', person, traceparent: undefined });
  /** A page without a person of its own: who it is says the token. */
  const page = (personToken: string | (() => string)) => {
    const sdk = startSdk({ key: 'fhp_k', personToken });
    return { ...sdk, foothold: new Reporter(sdk.session, undefined) };
  };
  const sent = ({ machine }: ReturnType<typeof startSdk>) => machine.sent.flatMap(({ events }) => events).map(({ type, data }) => [(type as string).slice('foothold.'.length, -'.v1'.length), data]);

  it.each<[string, string | (() => string)]>([['known from the begin', token('Bób 🧡', 900)], ['fetched later', () => token('Bób 🧡', 900)]])('is dropped, told and confessed (a token %s); the rest is sent', async (_, source) => {
    const sdk = page(source);
    sdk.foothold.resume(invocationOf('jane')).accepted();
    sdk.foothold.as('carol').task({ task: 't-1', taskKind: 'k' });
    sdk.foothold.as('carol').feedback({ score: 1 });
    sdk.foothold.resume(invocationOf('Bób 🧡')).overridden();
    sdk.foothold.resume(invocationOf(undefined)).withdrawn();
    sdk.foothold.as('Bób 🧡').task({ task: 't-2', taskKind: 'k' });
    await sdk.machine.passUntil(sdk.foothold.flush());
    sdk.foothold.as('carol').invocation(STARTED).shown();
    expect(await sdk.machine.passUntil(sdk.foothold.shutdown())).toBe(true);
    expect(sdk.foothold.stats()).toEqual({ queued: 0, delivered: 3, dropped: { 'other-person': 5 } });
    expect(sent(sdk)).toEqual([
      ['result.overridden', { invocation: 'i-1' }],
      ['decision.withdrawn', { invocation: 'i-1' }],
      ['task.completed', { task: 't-2', taskKind: 'k' }],
      ['sdk.reported', { queued: 0, dropped: { 'other-person': 5 }, sdk: 'foothold-js', version: expect.any(String) }],
    ]);
    expect(new Set(sdk.kinds())).toEqual(new Set(['other-person']));
    expect(JSON.stringify(sdk.warnings)).not.toMatch(/jane|carol|Bób/);
  });

  it('names the call, where the person is known by then', () => {
    const { foothold, warnings } = page(token('bob', 900));
    foothold.resume(invocationOf('jane')).accepted();
    expect(warnings).toEqual([{ kind: 'other-person', at: 'accepted', message: 'accepted: reported in the name of somebody else than the person of personToken; it was dropped: only a backend can speak for others' }]);
  });

  it('is not sent when the page is left either', async () => {
    const sdk = page(token('bob', 900));
    sdk.foothold.as('carol').task({ task: 't-1', taskKind: 'k' });
    sdk.foothold.task({ task: 't-2', taskKind: 'k' });
    sdk.session.lastChance();
    await sdk.machine.pass(10);
    expect(sent(sdk)).toEqual([['task.completed', { task: 't-2', taskKind: 'k' }], ['sdk.reported', expect.objectContaining({ dropped: { 'other-person': 1 } })]]);
  });

  it('is no matter of what is no person at all, which is a wrong argument', () => {
    const { foothold, warnings } = page(token('bob', 900));
    foothold.as(null as never).task({ task: 't-1', taskKind: 'k' });
    expect([foothold.stats().dropped, warnings[0]!.at]).toEqual([{ 'invalid-argument': 1 }, 'task.person']);
  });
});
