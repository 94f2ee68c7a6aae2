/** Refusals between processes: sealed on the way, and read whoever of the last two versions wrote them. */
import { describe, expect, it } from '@jest/globals';
import { checkEvent, cloudEventOf, EVENT_BYTES, readRefusal, sealedRefusal, writtenRefusal, type Refusal, type UsageEvent } from './index.js';

const PSEUDONYM = 'ab'.repeat(32);
const REFUSAL: Refusal = {
  kind: 'quarantined', field: 'type', reason: 'version 7', fix: 'upgrade', tenant: 'acme', deployment: 'claims', source: 'urn:erp', type: 'foothold.result.shown.v7',
  id: '01930000-0000-7000-8000-000000000001', payload: `{"subject":"${PSEUDONYM}"}`,
};
const seal = (tenant: string, payload: string) => Buffer.from(`${tenant}|${payload}`).reverse();
const read = (text: string) => readRefusal(Buffer.from(text), 'acme');

describe('a refusal on its way', () => {
  it('is read as it was written, and what it keeps is nowhere to be read', () => {
    const sealed = sealedRefusal(REFUSAL, seal);
    expect(sealed).not.toHaveProperty('payload');
    const text = writtenRefusal(sealed);
    expect(text).not.toContain(PSEUDONYM);
    expect(text).not.toContain('acme');
    expect(read(text)).toEqual(sealed);
  });

  it('that keeps nothing seals nothing', () => {
    const sealed = sealedRefusal({ ...REFUSAL, payload: null }, () => Buffer.from('never'));
    expect(sealed.sealed).toBeNull();
    expect(read(writtenRefusal(sealed))).toEqual({ ...REFUSAL, payload: null });
  });

  it('of the version before is read with its payload, and that version finds a payload where it looks for one', () => {
    const { tenant, ...before } = REFUSAL;
    expect(tenant).toBe('acme');
    expect(read(JSON.stringify(before))).toEqual(REFUSAL);
    expect(Object.keys(JSON.parse(writtenRefusal(sealedRefusal(REFUSAL, seal))) as object).sort()).toEqual(Object.keys(before).sort());
    expect(JSON.parse(writtenRefusal(sealedRefusal(REFUSAL, seal)))).toMatchObject({ payload: expect.stringMatching(/^sealed:[A-Za-z0-9+/]+=*$/) });
  });

  it('has room for the longest an event becomes when it is written out and sealed', () => {
    // 1e20 has 4 characters, and 21 once it was read.
    const data = { numbers: Array.from({ length: Math.floor((EVENT_BYTES - 300) / 5) }, () => 1e20) };
    const value = { specversion: '1.0', id: 'erp:1', source: 'erp', type: 'foothold.result.shown.v7', subject: PSEUDONYM, time: '2026-11-25T09:30:00Z', deployment: 'claims', data };
    expect(JSON.stringify(value).replaceAll('100000000000000000000', '1e20').length).toBeLessThanOrEqual(EVENT_BYTES);
    const verdict = checkEvent(value, 'acme', Date.UTC(2026, 10, 26) * 1000, { subjects: 'pseudonyms', pseudonymise: (_, name) => name });
    if (verdict.outcome === 'accepted' || verdict.refusal.payload === null) throw new Error('it should be kept');
    const sealed = sealedRefusal(verdict.refusal, (_, payload) => Buffer.from(payload));
    expect(read(writtenRefusal(sealed))).toEqual(sealed);
  });
});

describe('an event as CloudEvent again', () => {
  it.each<[string, Partial<UsageEvent>]>([
    ['of a person', {}], ['that somebody else decided', { type: 'result.accepted', actor: 'cd'.repeat(32) }], ['before 1970', { time: -1 }], ['of a session', { sequence: '00000042000000000007' }],
    ['of nobody', { type: 'queue.filled', person: null, data: '{"items":3,"taskKind":"letter"}' }],
  ])('%s passes the boundary as the same', (_, changes) => {
    const event: UsageEvent = { id: '01930000-0000-7000-8000-000000000001', source: 'urn:erp', type: 'result.shown', time: 1_795_599_000_123_456, deployment: 'claims', person: PSEUDONYM, actor: null, data: '{"invocation":"i-1"}', ...changes };
    expect(checkEvent(JSON.parse(cloudEventOf(event)), 'acme', event.time, { subjects: 'pseudonyms', pseudonymise: (_, name) => name })).toEqual({ outcome: 'accepted', event });
  });
});
