/** The oracle's trust beyond acceptance against figures worked by hand, derived in the comment above each. */
import { describe, expect, it } from '@jest/globals';
import { accepted, ask, briefs, event, grouped, member, one, overridden, rechecked, shown, started, t, truth, UTC, values, withdrawn } from './oracle-fixture.js';
import { type HistoryEvent } from './oracle.js';

const bob = { person: 'bob' };
const taken = (id: string, changed?: number): HistoryEvent => accepted(id, '03-04 09:00', { data: changed === undefined ? {} : { changed } });

describe('trust.verbatim and trust.edits', () => {
  // Known: 0, 0, .2, .21, .5, .51; unknown: one. An override with changed 0 is no acceptance.
  const history = [taken('1', 0), taken('2', 0), taken('3', 0.2), taken('4', 0.21), taken('5', 0.5), taken('6', 0.51), taken('7'), overridden('8', '03-04 09:00', { data: { changed: 0 } })];

  it('are of the accepted of which it is known how much was changed', () => {
    expect(briefs(ask('trust.verbatim', history))).toEqual(['all 2/6 1']);
    expect(briefs(ask('trust.edits', history))).toEqual(['none 2/6 1', 'light 1/6 1', 'moderate 2/6 1', 'heavy 1/6 1', 'unknown 1/7 1']);
  });
});

describe('trust.kept', () => {
  it('takes the last known value at or before the day', () => {
    const check = (id: string, when: string, kept: number, afterDays: number): HistoryEvent => rechecked(id, when, { data: { kept, afterDays } });
    // 1: after 0 days 1, after 7 .5 and then again .25 (told later). 2: after 31 days only: known for none. 3: overridden, none of it.
    const history = [
      taken('1'), check('1', '03-11 09:00', 0.5, 7), check('1', '03-11 10:00', 0.25, 7), check('1', '03-04 10:00', 1, 0), taken('2'), check('2', '04-04 09:00', 0, 31),
      overridden('3', '03-04 09:00'), check('3', '03-05 09:00', 1, 1),
    ];
    expect(briefs(ask('trust.kept', history))).toEqual(['day_1 1/1 1', 'unknown_1 1/2 1', 'day_7 0.25/1 1', 'unknown_7 1/2 1', 'day_30 0.25/1 1', 'unknown_30 1/2 1']);
  });
});

describe('trust.decision_time', () => {
  it('is from the shown event to the decision that stands, by nearest rank', () => {
    // 1 to 20 seconds: rank 1 of 20 is p5, 10 is p50, 19 is p95. Without a shown event, before it, and withdrawn: not in it.
    const history = [
      ...Array.from({ length: 20 }, (_, i) => [shown(`i${String(i)}`, '03-04 09:00'), accepted(`i${String(i)}`, t('03-04 09:00') + (i + 1) * 1_000_000)]).flat(),
      accepted('a', '03-04 09:00'), shown('b', '03-04 10:00'), accepted('b', '03-04 09:00'), shown('c', '03-04 09:00'), accepted('c', '03-04 09:00'), withdrawn('c', '03-04 09:01'),
    ];
    const rows = ask('trust.decision_time', history);
    expect(values(rows)).toEqual(['p5 1000', 'p50 10000', 'p95 19000']);
    expect(briefs(rows)).toEqual(['p5 null/20 1', 'p50 null/20 1', 'p95 null/20 1']);
  });
});

describe('reliance on what is right and wrong', () => {
  const judged = (id: string, decide: typeof accepted, data: Record<string, unknown>, more = {}): HistoryEvent[] => [decide(id, '03-04 09:00', more), truth(id, '03-05 09:00', { ...more, data })];
  // Wrong: accepted (weight 1 / .5 = 2), overridden (1). Right: accepted twice, overridden once (1 / .25 = 4).
  const history = [
    ...judged('1', accepted, { aiRight: false, sampledWith: 0.5, firstRight: true, finalRight: false }),
    ...judged('2', overridden, { aiRight: false, firstRight: true, finalRight: true }),
    ...judged('3', accepted, { aiRight: true, firstRight: false, finalRight: true }), ...judged('4', accepted, { aiRight: true }, bob),
    ...judged('5', overridden, { aiRight: true, sampledWith: 0.25, firstRight: false, finalRight: false }),
    // Decided, but nothing is known; known, but not decided; the later truth of 1 came first and is replaced whole.
    accepted('6', '03-04 09:00'), truth('7', '03-05 09:00', { data: { aiRight: true } }), truth('1', '03-04 10:00', { data: { aiRight: true } }),
  ];
  const only = (metric: string) => one(ask(metric, history), 'all');

  it('weighs by the audit', () => {
    expect(only('trust.over_reliance')).toMatchObject({ numerator: 2, denominator: 3, people: 1 });
    expect(only('trust.under_reliance')).toMatchObject({ numerator: 4, denominator: 6, people: 2 });
    expect(only('trust.override_correctness')).toMatchObject({ numerator: 1, denominator: 5, people: 1 });
    // 2/6 of the right ones accepted, less 2/3 of the wrong ones.
    expect(only('trust.discrimination').value).toBeCloseTo(-1 / 3, 12);
    expect(only('trust.discrimination')).toMatchObject({ numerator: null, denominator: 9, people: 2 });
  });

  it('tells correction by the AI from correction of it', () => {
    // First wrong, AI right: 3 (right in the end), 5 (weight 4, not): 1/5. First right, AI wrong: 2 (right), 1 (weight 2, not): 1/3.
    expect(briefs(ask('trust.reliance', history))).toEqual(['rair 1/5 1', 'rsr 1/3 1']);
  });

  it('has no value where it is not known of both right and wrong', () => {
    expect(one(ask('trust.discrimination', judged('1', accepted, { aiRight: true })), 'all')).toMatchObject({ value: null, denominator: 1 });
  });
});

describe('trust.calibration', () => {
  it('squares the distance, and bins it by fifths under 200 results', () => {
    // Stated .9 accepted, .85 overridden (one bin), .1 overridden. The later shown event of 1 does not win.
    const stated = (id: string, confidence: number, when = '03-04 08:00'): HistoryEvent => shown(id, when, { data: { confidence } });
    const history = [stated('1', 0.9), stated('1', 0.2, '03-04 08:30'), taken('1'), stated('2', 0.85), overridden('2', '03-04 09:00'), stated('3', 0.1), overridden('3', '03-04 09:00'), truth('3', '03-05 09:00', { data: { aiRight: true } })];
    const rows = ask('trust.calibration', history);
    // .01 + .7225 + .01 over 3; |1.75 - 1| + |.1 - 0| over 3. Of the truth: .9 squared, |.1 - 1|.
    expect(one(rows, 'acceptance_brier').value).toBeCloseTo(0.7425 / 3, 12);
    expect(one(rows, 'acceptance_ece').value).toBeCloseTo(0.85 / 3, 12);
    expect(one(rows, 'truth_brier').value).toBeCloseTo(0.81, 12);
    expect(one(rows, 'truth_ece').value).toBeCloseTo(0.9, 12);
    expect(one(rows, 'truth_ece')).toMatchObject({ numerator: null, denominator: 1, people: 1 });
  });
});

describe('trust.feedback', () => {
  it('has the mean score, and who gave one of those who were active or gave one', () => {
    // Ann 1 and -.5, on the 4th; bob active, cid shown a result only; dan gave a score in another month.
    const given = (person: string, when: string, score: number): HistoryEvent => event('feedback.given', when, { score }, { person });
    const history = [given('ann', '03-04 09:00', 1), given('ann', '03-04 10:00', -0.5), accepted('1', '03-05 09:00', bob), shown('2', '03-04 09:00', { person: 'cid' }), given('dan', '04-04 09:00', 1)];
    expect(briefs(ask('trust.feedback', history, { from: '2024-03-01', to: '2024-03-31' }))).toEqual(['score 0.5/2 1', 'response_rate 1/2 2']);
  });
});

describe('acceptance and override by roster and handoff', () => {
  // Ann moves on the 6th; the handoff is on Wednesday the 6th, so its week is that of the 4th.
  const registration = { ...UTC, handoff: '2024-03-06', roster: { ann: [member('2024-01-01', '2024-03-05'), member('2024-03-06', null, 'south', 'nurse')] } };
  const history = [started('1', '03-05 09:00'), accepted('1', '03-07 09:00'), started('2', '03-06 09:00'), overridden('2', '03-06 10:00'), started('3', '03-01 09:00', bob), accepted('3', '03-01 10:00', bob)];
  const by = (dimension: string): string[] => grouped(ask('trust.acceptance', history, { registration, by: [dimension] }).filter((row) => row.variant === 'decided'));

  it('are of the day on which the invocation started', () => {
    expect(by('team')).toEqual(['north: decided 1/1 1', 'null: decided 1/1 1', 'south: decided 0/1 1']);
    expect(by('role')).toEqual(['null: decided 2/2 2', 'nurse: decided 0/1 1']);
    expect(by('stage')).toEqual(['pilot: decided 2/2 2', 'production: decided 0/1 1']);
    expect(by('handoff_week')).toEqual(['-1: decided 1/1 1', '0: decided 1/2 1']);
  });
});
