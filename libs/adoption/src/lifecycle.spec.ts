import { describe, expect, it } from '@jest/globals';
import { Conflicting, WrongInput } from '@foothold/contract';
import { agree, close, decideHandoff, startPilot, withdrawClosure } from './lifecycle.js';
import { DEFAULT_REGISTRATION, type Registration } from './registration.js';

const stands = (changes: Partial<Registration> = {}) => ({ registration: { ...DEFAULT_REGISTRATION, ...changes }, closures: [{ from: '2026-05-01', to: '2026-05-03', reason: 'holiday' }], agreement: { people: 8, dwellTimes: false } });

describe('a decision', () => {
  it('changes nothing where it stands already', () => {
    expect(startPilot(stands({ pilotStart: '2026-01-05' }), '2026-01-05')).toBeNull();
    expect(decideHandoff(stands({ handoff: '2026-01-05' }), '2026-01-05')).toBeNull();
    expect(close(stands(), { from: '2026-05-01', to: '2026-05-03', reason: 'holiday' })).toBeNull();
    expect(agree(stands(), { people: 8, dwellTimes: false })).toBeNull();
  });

  it('leads to what stands then, and leaves the rest as it was', () => {
    expect(decideHandoff(stands({ pilotStart: '2026-01-05', target: 0.6 }), '2026-01-05')).toEqual({
      type: 'handoff.decided', data: { day: '2026-01-05' }, registration: stands({ pilotStart: '2026-01-05', handoff: '2026-01-05', target: 0.6 }).registration,
    });
    expect(close(stands(), { from: '2026-05-04', to: '2026-05-04', reason: null })?.closures).toEqual([...stands().closures, { from: '2026-05-04', to: '2026-05-04', reason: null }]);
    expect(withdrawClosure(stands(), '2026-05-01', '2026-05-03').closures).toEqual([]);
    expect(agree(stands(), { people: 5, dwellTimes: true })).toEqual({ type: 'agreement.made', data: { people: 5, dwellTimes: true }, agreement: { people: 5, dwellTimes: true } });
  });

  it.each([
    ['a sandbox is handed off', Conflicting, () => decideHandoff(stands({ sandbox: true }), '2026-01-05'), 'deployment'],
    ['the handoff is before the pilot', Conflicting, () => decideHandoff(stands({ pilotStart: '2026-01-05' }), '2026-01-04'), 'day'],
    ['the pilot is after the handoff', Conflicting, () => startPilot(stands({ handoff: '2026-01-05' }), '2026-01-06'), 'day'],
    ['a closure shares a day with another', Conflicting, () => close(stands(), { from: '2026-05-03', to: '2026-05-04', reason: null }), 'from'],
    ['a closure is declared for another reason', Conflicting, () => close(stands(), { from: '2026-05-01', to: '2026-05-03', reason: 'strike' }), 'from'],
    ['a closure that is not there is withdrawn', Conflicting, () => withdrawClosure(stands(), '2026-05-01', '2026-05-02'), 'from'],
    ['a closure ends before it begins', WrongInput, () => close(stands(), { from: '2026-06-02', to: '2026-06-01', reason: null }), 'to'],
    ['a day does not exist', WrongInput, () => startPilot(stands(), '2026-02-30'), 'day'],
    ['it is agreed to tell of fewer people than ever may be', WrongInput, () => agree(stands(), { people: 4, dwellTimes: false }), 'people'],
    ['it is agreed on part of a person', WrongInput, () => agree(stands(), { people: 5.5, dwellTimes: false }), 'people'],
    ['something is agreed on a sandbox', Conflicting, () => agree(stands({ sandbox: true }), { people: 8, dwellTimes: false }), 'deployment'],
    ['a reason is a sentence', WrongInput, () => close(stands(), { from: '2026-06-02', to: '2026-06-02', reason: 'Kari is ill' }), 'reason'],
  ])('is refused where %s', (_, kind, decide, field) => {
    let refused: unknown;
    try {
      decide();
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(kind);
    expect(refused).toMatchObject({ field });
    expect(String(refused)).not.toContain('Kari');
  });
});
