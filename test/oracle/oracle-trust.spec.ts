/** The trust metrics of the oracle against figures worked by hand, derived in the comment above each. */
import { describe, expect, it } from '@jest/globals';
import {
  abandoned, ABANDONMENT, ACCEPTANCE, accepted, ask, briefs, CAUSES, failed, grouped, HOUR, one, overridden, OVERRIDE,
  shown, started, t, threePeople, withdrawn, type Ask, type More,
} from './oracle-fixture.js';
import { type HistoryEvent } from './oracle.js';

describe('trust.acceptance', () => {
  it('has four figures with four names', () => {
    const rows = ask(ACCEPTANCE, threePeople());
    // shown 8, decided 5, accepted 3. Of decided: ann 3/4, bob 0/1, sum .75 of 2 people.
    // Of shown: ann 3/5, bob 0/2, cid 0/1, sum .6 of 3 people.
    expect(briefs(rows)).toEqual(['shown 3/8 3', 'decided 3/5 2', 'people 0.75/2 2', 'people_shown 0.6/3 3']);
    expect(rows.map((row) => row.value)).toEqual([0.375, 0.6, 0.375, 0.6 / 3]);
    expect(one(rows, 'shown')).toEqual({
      from: '2024-03-04', to: '2024-03-04', by: {}, variant: 'shown', value: 0.375, numerator: 3, denominator: 8, people: 3,
    });
  });

  it('answers nothing with null, not zero', () => {
    const rows = ask(ACCEPTANCE, [], { from: '2024-03-04', to: '2024-03-05', grain: 'day' });
    expect(rows).toHaveLength(8); // 2 days x 4 variants
    for (const row of rows) expect(row).toMatchObject({ value: null, numerator: 0, denominator: 0, people: 0 });
    expect(ask(ACCEPTANCE, [], { from: '2024-03-04', to: '2024-03-05', by: ['surface'] })).toEqual([]);
  });
});

describe('trust.override', () => {
  it('lists the reasons that occur, over all decided', () => {
    // 5 decided: 2 overridden, ann for 'wrong', bob without a reason.
    const rows = ask(OVERRIDE, threePeople());
    expect(briefs(rows)).toEqual(['all 2/5 2', 'none 1/5 2', 'wrong 1/5 2']);
    expect(rows.map((row) => row.value)).toEqual([0.4, 0.2, 0.2]);
  });

  it('takes the reason of the decision that stands, and no reason of one that does not', () => {
    const history = [
      started('i', '03-04 09:00'), overridden('i', '03-04 09:01', { data: { reason: 'first' } }),
      overridden('i', '03-04 09:02', { data: { reason: 'second' } }),
      started('j', '03-04 09:00'), overridden('j', '03-04 09:01', { data: { reason: 'undone' } }), withdrawn('j', '03-04 09:02'),
      started('k', '03-04 09:00'), overridden('k', '03-04 09:01', { data: { reason: 'mistaken' } }), accepted('k', '03-04 09:02'),
    ];
    // i overridden, j undecided, k accepted.
    expect(briefs(ask(OVERRIDE, history))).toEqual(['all 1/2 1', 'second 1/2 1']);
  });

  it('shows only `all` where nothing was overridden', () => {
    expect(briefs(ask(OVERRIDE, [accepted('i', '03-04 09:00')], { to: '2024-03-05', grain: 'day' }))).toEqual(['all 0/1 1', 'all 0/0 0']);
  });

  it('lists in each group the reasons of that group', () => {
    const decided = (id: string, surface: string, reason: string): HistoryEvent[] => [
      started(id, '03-04 09:00', { data: { surface } }), overridden(id, '03-04 09:01', { data: { reason } }),
    ];
    const history = [...decided('i', 'export', 'wrong'), ...decided('j', 'side-tool', 'slow'), ...decided('k', 'side-tool', 'slow')];
    expect(grouped(ask(OVERRIDE, history, { by: ['surface'] }))).toEqual([
      'export: all 1/1 1', 'export: wrong 1/1 1', 'side-tool: all 2/2 1', 'side-tool: slow 2/2 1',
    ]);
  });
});

describe('trust.abandonment', () => {
  const noon = t('03-04 12:00');
  const monday: Ask = { from: '2024-03-04', to: '2024-03-04' };
  /** The variants that count anything. */
  const standing = (history: HistoryEvent[], completeThrough = noon): string[] =>
    briefs(ask(ABANDONMENT, history, { completeThrough })).filter((row) => !row.includes(' 0/'));
  const PENDING = ['pending 1/1 1', 'undecided 1/1 1'];
  const SOFT = ['soft 1/1 1', 'undecided 1/1 1', 'all 1/1 1'];
  const CONFIRMED = ['confirmed 1/1 1', 'undecided 1/1 1', 'all 1/1 1'];
  /** Explicit abandonment is not undecided. */
  const explicit = (cause: string): string[] => [`${cause} 1/1 1`, 'all 1/1 1'];

  it('is pending up to 24 hours, soft up to 72, confirmed after them, to the microsecond', () => {
    const after = (hours: number, more = 0): string[] => standing([shown('i', noon)], noon + hours * HOUR + more);
    expect(after(0)).toEqual(PENDING);
    expect(after(24)).toEqual(PENDING);
    expect(after(24, 1)).toEqual(SOFT);
    expect(after(72)).toEqual(SOFT);
    expect(after(72, 1)).toEqual(CONFIRMED);
    expect(after(-1)).toEqual(PENDING); // shown after what is known to be complete
  });

  const mixed = [
    accepted('decided', '03-04 09:00'), abandoned('closed', '03-04 09:00', { person: 'bob' }),
    abandoned('expired', '03-01 09:00', { data: { cause: 'timed-out' } }), abandoned('lapsed', '03-04 09:00', { data: { cause: 'timed-out' } }),
    shown('old', '03-01 11:00'), shown('middle', '03-03 11:00', { person: 'bob' }), shown('fresh', '03-04 11:00'), shown('newer', '03-04 11:30'),
    started('never shown', '03-01 09:00', { person: 'cid' }), failed('never shown', '03-01 09:01', { person: 'cid' }),
  ];
  const byCause = ['dismissed 1/8 2', 'navigated 0/8 2', 'stopped 0/8 2', 'timed-out 2/8 2', 'worked-around 0/8 2'];

  it('puts every variant over all that was shown', () => {
    // At 03-04 12:00: old 73 h, middle 25 h, fresh 1 h, newer 30 min. Shown 8 (the failed one is not), by ann and bob.
    // Undecided are those 4. Abandoned are all but the decided one and the 2 pending: 5.
    const rows = ask(ABANDONMENT, mixed, { completeThrough: noon });
    expect(briefs(rows)).toEqual(['pending 2/8 2', 'soft 1/8 2', 'confirmed 1/8 2', ...byCause, 'undecided 4/8 2', 'all 5/8 2']);
    expect(rows.map((row) => row.value)).toEqual([0.25, 0.125, 0.125, 0.125, 0, 0, 0.25, 0, 0.5, 0.625]);
  });

  it('does not judge elapsed time where completeness is unknown', () => {
    const rows = ask(ABANDONMENT, mixed);
    expect(briefs(rows)).toEqual(['pending null/8 2', 'soft null/8 2', 'confirmed null/8 2', ...byCause, 'undecided 4/8 2', 'all null/8 2']);
    // How long they waited is unknown, that they are undecided is not.
    expect(rows.map((row) => row.value)).toEqual([null, null, null, 0.125, 0, 0, 0.25, 0, 0.5, null]);
    expect(ask(ABANDONMENT, [], monday).map((row) => row.numerator)).toEqual([null, null, null, 0, 0, 0, 0, 0, 0, null]);
  });

  it('is null, not zero, where nothing was shown', () => {
    const rows = ask(ABANDONMENT, [], { ...monday, completeThrough: noon });
    expect(rows).toHaveLength(10);
    for (const row of rows) expect(row).toMatchObject({ value: null, numerator: 0, denominator: 0, people: 0 });
  });

  it('counts from the shown event where there is one, else from the earliest decision or abandonment', () => {
    const undone = [started('i', '03-01 09:00'), accepted('i', '03-03 10:00'), overridden('i', '03-04 11:00'), withdrawn('i', '03-04 11:30')];
    // Shown by implication at 03-03 10:00, 26 h before noon of the 4th.
    expect(standing(undone)).toEqual(SOFT);
    // A shown event beats it, later (2 h) or earlier (73 h).
    expect(standing([...undone, shown('i', '03-04 10:00')])).toEqual(PENDING);
    expect(standing([...undone, shown('i', '03-01 11:00')])).toEqual(CONFIRMED);
    // Of two shown events the earliest.
    expect(standing([shown('j', '03-04 10:00'), shown('j', '03-01 11:00')])).toEqual(CONFIRMED);
  });

  const left = (cause: string, when: string, more: More = {}): HistoryEvent => abandoned('i', when, { ...more, data: { cause } });

  it('names every cause', () => {
    for (const cause of CAUSES) {
      expect(standing([left(cause, '03-04 09:00')])).toEqual(explicit(cause));
    }
  });

  it('takes the cause of the latest abandonment, the greater id where they tie', () => {
    expect(standing([left('stopped', '03-04 09:20'), left('navigated', '03-04 09:10')])).toEqual(explicit('stopped'));
    expect(standing([left('navigated', '03-04 09:10', { id: 'b' }), left('stopped', '03-04 09:10', { id: 'a' })])).toEqual(explicit('navigated'));
  });

  it('stays explicit when the decision beside it is withdrawn, and beats time', () => {
    const undone = [accepted('i', '03-01 13:00'), withdrawn('i', '03-01 14:00')];
    // 73 h after it was shown: confirmed, were it not for the cause.
    expect(standing([shown('i', '03-01 11:00'), left('worked-around', '03-01 12:00'), ...undone])).toEqual(explicit('worked-around'));
    // A later withdrawal does not take an abandonment back either.
    expect(standing([shown('i', noon), left('stopped', '03-04 12:00'), withdrawn('i', noon + HOUR)])).toEqual(explicit('stopped'));
  });

  it('lets a late decision win over every inference', () => {
    expect(standing([shown('i', '03-01 11:00'), accepted('i', '03-20 11:00')])).toEqual([]);
  });
});
