/** How an arrival is told to people and to programs. */
import { type Arrived, type ArrivedEvent, type ArrivedLetter } from '@foothold/event-log';
import { describe, expect, it } from '@jest/globals';
import { jsonOf, lineOf, whatToCheck } from './tail.js';

const RECEIVED = Date.UTC(2026, 0, 5, 22, 30, 7, 250) * 1000 + 123;
const stored = (changes: Partial<ArrivedEvent> = {}): Arrived => ({
  outcome: 'stored', received: RECEIVED, time: RECEIVED - 1_000_000, type: 'result.accepted', id: '01930000-0000-7000-8000-000000000001', source: 'urn:acme:erp',
  person: '3fa9c1', actor: null, skewMs: null, data: { invocation: 'i-4711', option: 0, changed: 0.12 }, ...changes,
});
const letter = (changes: Partial<ArrivedLetter> = {}): Arrived => ({
  outcome: 'rejected', received: RECEIVED, tenant: 'acme', deployment: 'triage', type: 'foothold.result.accepted.v1', id: null, source: null, field: 'data.changed', reason: 'the number 2', fix: 'send 0 to 1', ...changes,
});

describe('a line', () => {
  it.each<[string, Arrived, string]>([
    ['a decision', stored(), '2026-01-05 23:30:07  result.accepted      3fa9c1  i-4711  option=0 changed=0.12'],
    ['a decision of somebody else', stored({ actor: '77beef' }), '2026-01-05 23:30:07  result.accepted      3fa9c1  i-4711  option=0 changed=0.12 by 77beef'],
    ['one that comes late', stored({ time: RECEIVED - 3_600_000_000 }), '2026-01-05 23:30:07  result.accepted      3fa9c1  i-4711  option=0 changed=0.12 happened 2026-01-05 22:30:07'],
    ['one by a clock that is slow', stored({ skewMs: 300_400 }), '2026-01-05 23:30:07  result.accepted      3fa9c1  i-4711  option=0 changed=0.12 clock 300 s behind'],
    ['one by a clock that is fast', stored({ skewMs: -7_200_000, time: RECEIVED + 7_200_000_000 }), '2026-01-05 23:30:07  result.accepted      3fa9c1  i-4711  option=0 changed=0.12 clock 7200 s ahead happened 2026-01-06 01:30:07'],
    ['one with a task', stored({ type: 'invocation.started', data: { invocation: 'i-1', task: 't-9', surface: 'side-tool' } }), '2026-01-05 23:30:07  invocation.started   3fa9c1  i-1  task=t-9 surface=side-tool'],
    ['a task', stored({ type: 'task.completed', data: { task: 't-9', taskKind: 'letter', aided: true } }), '2026-01-05 23:30:07  task.completed       3fa9c1  t-9  taskKind=letter aided=true'],
    ['one of nobody', stored({ type: 'sdk.reported', person: null, data: { dropped: { full: 2 } } }), '2026-01-05 23:30:07  sdk.reported         -  dropped={"full":2}'],
    ['a comment', stored({ type: 'feedback.given', data: { score: 1, comment: 'Jane was rude' } }), '2026-01-05 23:30:07  feedback.given       3fa9c1  score=1 comment=(not shown)'],
    ['a refusal', letter(), '2026-01-05 23:30:07  REJECTED             foothold.result.accepted.v1  data.changed: the number 2. send 0 to 1'],
    ['a refusal of what had no type', letter({ outcome: 'quarantined', type: null, field: 'bo\ndy' }), '2026-01-05 23:30:07  QUARANTINED          (no type)  bo dy: the number 2. send 0 to 1'],
  ])('of %s', (_, arrived, line) => {
    expect(lineOf(arrived, 'Europe/Oslo')).toBe(line);
  });
});

it('for programs has the times in UTC and no words of a person', () => {
  expect(jsonOf(stored({ data: { score: 1, comment: 'Jane was rude' } }))).toEqual({
    outcome: 'stored', received: '2026-01-05T22:30:07.250Z', time: '2026-01-05T22:30:06.250Z', type: 'result.accepted', id: '01930000-0000-7000-8000-000000000001', source: 'urn:acme:erp',
    person: '3fa9c1', actor: null, skewMs: null, data: { score: 1, comment: '(not shown)' },
  });
  expect(jsonOf(letter())).toEqual({
    outcome: 'rejected', received: '2026-01-05T22:30:07.250Z', tenant: 'acme', deployment: 'triage', type: 'foothold.result.accepted.v1', id: null, source: null,
    field: 'data.changed', reason: 'the number 2', fix: 'send 0 to 1',
  });
});

it('where nothing comes says what to check, the registration only where it lacks', () => {
  expect(whatToCheck('acme', 'triage', true)).toMatch(/^nothing has come in 10 s\. Check\n.*"triage".*"acme".*foothold key list --tenant acme\n(.*\n)*.*foothold doctor\n/);
  expect(whatToCheck('acme', 'triage', true)).not.toContain('register');
  expect(whatToCheck('acme', 'triage', false)).toContain('foothold deployment register triage --tenant acme');
});
