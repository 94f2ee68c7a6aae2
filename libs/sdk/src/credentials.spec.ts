/** Person tokens: signed by a backend, fetched by a browser, and never one person's for another's events. */
import { describe, expect, it } from '@jest/globals';
import { createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import { startSdk } from '../../../test/support/sdk.js';
import { accepted } from '../../../test/support/virtual-machine.js';
import { personToken } from './person-token.js';

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
