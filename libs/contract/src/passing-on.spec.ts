import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { checkEvent, checkMessage, passedOn, type BoundaryOptions, type UsageEvent } from './index.js';

const RECEIVED = Date.UTC(2026, 0, 6) * 1000;
const pseudonymOf = (tenant: string, person: string) => createHash('sha256').update(`${tenant}/${person}`).digest('hex');
const raw: BoundaryOptions = { pseudonymise: pseudonymOf, subjects: 'raw' };
const behind: BoundaryOptions = { pseudonymise: () => 'nobody is asked', subjects: 'pseudonyms' };

const SENT = {
  specversion: '1.0', id: 'erp:4711:2', source: 'urn:acme:erp', type: 'foothold.result.accepted.v1', subject: 'jane', time: '2026-01-05T10:30:00.123456+01:00', datacontenttype: 'application/json',
  dataschema: 'https://acme.example/jane', deployment: 'claims', sequence: '17', senttime: '2026-01-05T09:30:01Z', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  data: { invocation: 'i-1', changed: 0.25, actor: 'joe' },
};

function accepted(value: unknown): UsageEvent {
  const verdict = checkEvent(value, 'acme', RECEIVED, raw);
  if (verdict.outcome === 'refused') throw new Error(JSON.stringify(verdict.refusal));
  return verdict.event;
}
const passed = (value: unknown) => passedOn(value, accepted(value));

describe('an event that is passed on', () => {
  it('has pseudonyms for people, no dataschema, and everything else as it was sent', () => {
    const rest = { ...SENT, dataschema: undefined };
    expect(JSON.parse(passed(SENT))).toEqual({ ...rest, subject: pseudonymOf('acme', 'jane'), data: { ...SENT.data, actor: pseudonymOf('acme', 'joe') } });
    expect(passed(SENT)).not.toMatch(/jane|joe/);
  });

  it('is read behind the boundary as the event it was', () => {
    for (const value of [SENT, { ...SENT, data: { invocation: 'i-1' } }, { ...SENT, type: 'foothold.queue.filled.v1', subject: undefined, data: { taskKind: 'triage', items: 3 } }]) {
      const sent = JSON.parse(JSON.stringify(value)) as unknown;
      expect(checkMessage(passed(sent), 'acme', RECEIVED, behind)).toEqual({ outcome: 'accepted', event: accepted(sent) });
    }
  });

  it('leaves what it was made of alone', () => {
    const sent = structuredClone(SENT);
    passed(sent);
    expect(sent).toEqual(SENT);
  });
});
