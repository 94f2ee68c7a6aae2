/** What the oracle makes of events: what happened to a result, whose it is, of which day, and in which order events count. */
import { describe, expect, it } from '@jest/globals';
import {
  abandoned, ABANDONMENT, ACCEPTANCE, accepted, ACTIVE, ask, at, BERLIN, brief, briefs, CAUSES, completed, COVERAGE,
  dated, event, failed, grouped, HOUR, one, overridden, OVERRIDE, rechecked, shown, started, t, threePeople, truth,
  UTC, withdrawn, type Ask,
} from './oracle-fixture.js';
import { type HistoryEvent, type Registration } from './oracle.js';

describe('what happened to a result', () => {
  const shownAndDecided = (history: HistoryEvent[]): string[] => briefs(ask(ACCEPTANCE, history)).slice(0, 2);

  it('lets the latest decision win', () => {
    const changedMind = [started('i', '03-04 09:00'), accepted('i', '03-04 09:10'), overridden('i', '03-04 09:20', { data: { reason: 'late' } })];
    expect(shownAndDecided(changedMind)).toEqual(['shown 0/1 1', 'decided 0/1 1']);
    expect(briefs(ask(OVERRIDE, changedMind))).toEqual(['all 1/1 1', 'late 1/1 1']);
  });

  it('lets a withdrawal undo every decision before it, and none after it', () => {
    const two = [started('i', '03-04 09:00'), accepted('i', '03-04 09:10'), accepted('i', '03-04 09:20')];
    // Both undone: still shown (at 09:10, by implication), not decided.
    expect(shownAndDecided([...two, withdrawn('i', '03-04 09:30')])).toEqual(['shown 0/1 1', 'decided 0/0 0']);
    // The first undone, the second stands.
    expect(shownAndDecided([...two, withdrawn('i', '03-04 09:15')])).toEqual(['shown 1/1 1', 'decided 1/1 1']);
    // Decided anew after the withdrawal.
    expect(shownAndDecided([...two, withdrawn('i', '03-04 09:30'), overridden('i', '03-04 09:40')])).toEqual(['shown 0/1 1', 'decided 0/1 1']);
  });

  it('takes a decision or an abandonment as shown, and nothing else', () => {
    const start = started('i', '03-04 09:00');
    expect(shownAndDecided([start, overridden('i', '03-04 09:10')])).toEqual(['shown 0/1 1', 'decided 0/1 1']);
    expect(shownAndDecided([start, abandoned('i', '03-04 09:10')])).toEqual(['shown 0/1 1', 'decided 0/0 0']);
    for (const other of [failed, withdrawn, rechecked, truth]) {
      expect(shownAndDecided([start, other('i', '03-04 09:10')])).toEqual(['shown 0/0 0', 'decided 0/0 0']);
    }
  });

  it('never lets an abandonment undo a decision', () => {
    const history = [started('i', '03-04 09:00'), accepted('i', '03-04 09:10'), abandoned('i', '03-04 09:20')];
    expect(shownAndDecided(history)).toEqual(['shown 1/1 1', 'decided 1/1 1']);
    expect(brief(one(ask(ABANDONMENT, history), 'dismissed'))).toBe('dismissed 0/1 1');
  });

  it('breaks ties by id, then by source, the later one winning a decision', () => {
    const start = started('i', '03-04 09:00');
    const tie = (type: typeof accepted, id: string, source = 's'): HistoryEvent => type('i', '03-04 09:10', { id, source });
    expect(shownAndDecided([start, tie(accepted, 'b'), tie(overridden, 'a')])[1]).toBe('decided 1/1 1');
    expect(shownAndDecided([start, tie(accepted, 'a'), tie(overridden, 'b')])[1]).toBe('decided 0/1 1');
    // Same id from two sources: two events, the greater source is the later.
    expect(shownAndDecided([start, tie(accepted, 'a', 'y'), tie(overridden, 'a', 'x')])[1]).toBe('decided 1/1 1');
    // A withdrawal in the same microsecond undoes what sorts before it only.
    expect(shownAndDecided([start, tie(accepted, 'a'), tie(withdrawn, 'b')])[1]).toBe('decided 0/0 0');
    expect(shownAndDecided([start, tie(accepted, 'b'), tie(withdrawn, 'a')])[1]).toBe('decided 1/1 1');
    // As strings '10' sorts before '9', and 'B' before 'a'.
    expect(shownAndDecided([start, tie(accepted, '9'), tie(withdrawn, '10')])[1]).toBe('decided 1/1 1');
    expect(shownAndDecided([start, tie(accepted, 'a'), tie(withdrawn, 'B')])[1]).toBe('decided 1/1 1');
  });

  it('counts an event sent twice once, in any order', () => {
    const history = threePeople();
    expect(ask(ACCEPTANCE, [...history, ...history].reverse())).toEqual(ask(ACCEPTANCE, history));
  });

  it('keeps the invocations of another deployment apart', () => {
    const elsewhere = { deployment: 'other' };
    const history = [
      started('i', '03-04 09:00'), shown('i', '03-04 09:01'),
      started('i', '03-01 09:00', elsewhere), accepted('i', '03-01 09:01', elsewhere),
    ];
    expect(dated(ask(ACCEPTANCE, history), 'shown')).toEqual(['2024-03-04 2024-03-04 shown 0/1 1']);
  });
});

describe('whose invocation it is, and of which day', () => {
  it('belongs to the subject and the day of the started event, whoever decides and when', () => {
    const history = [started('i', '03-04 23:50'), shown('i', '03-05 00:01'), accepted('i', '03-06 12:00', { actor: 'bob' })];
    expect(dated(ask(ACCEPTANCE, history), 'decided')).toEqual(['2024-03-04 2024-03-04 decided 1/1 1']);
  });

  it('is dated by the started event even where another event is earlier', () => {
    const history = [started('i', '03-05 09:00'), shown('i', '03-04 09:00')];
    expect(dated(ask(ACCEPTANCE, history), 'shown')).toEqual(['2024-03-05 2024-03-05 shown 0/1 1']);
  });

  it('takes the earliest event where nothing started it', () => {
    // Truth on the 4th dates it; only the decision on the 6th says that it was shown.
    const history = [accepted('i', '03-06 09:00'), truth('i', '03-04 09:00')];
    expect(dated(ask(ACCEPTANCE, history), 'shown')).toEqual(['2024-03-04 2024-03-04 shown 1/1 1']);
    // Not even a failure or a withdrawal on an earlier day is passed over.
    for (const earlier of [failed, withdrawn]) {
      expect(dated(ask(ACCEPTANCE, [...history, earlier('i', '03-02 09:00')]), 'shown')).toEqual(['2024-03-02 2024-03-02 shown 1/1 1']);
    }
  });

  it('lets two people share an invocation id', () => {
    const bob = { person: 'bob' };
    const anns = [started('i', '03-04 09:00', { data: { task: 't', surface: 'export' } }), shown('i', '03-04 09:01')];
    const bobs = [started('i', '03-05 09:00', { ...bob, data: { surface: 'side-tool' } }), accepted('i', '03-05 09:01', bob)];
    const both = [...anns, ...bobs];
    // Two invocations, each with its own day and surface: ann's shown only, bob's accepted. Of shown: ann 0/1, bob 1/1.
    expect(briefs(ask(ACCEPTANCE, both))).toEqual(['shown 1/2 2', 'decided 1/1 1', 'people 1/1 1', 'people_shown 1/2 2']);
    const days = ask(ACCEPTANCE, both, { grain: 'day' });
    expect(dated(days, 'shown')).toEqual(['2024-03-04 2024-03-04 shown 0/1 1', '2024-03-05 2024-03-05 shown 1/1 1']);
    expect(grouped(ask(OVERRIDE, both, { by: ['surface'] }))).toEqual(['side-tool: all 0/1 1']);
    // Bob's decision does not make ann's task a used one, though her invocation of that id names it.
    const task = completed('t', '03-04 12:00');
    expect(briefs(ask(COVERAGE, [...both, task])).slice(0, 3)).toEqual(['pooled 0/1 1', 'people 0/1 1', 'consulted 1/1 1']);
    // Ann's withdrawal undoes nothing of bob's, her abandonment gives his no cause.
    const later = [withdrawn('i', '03-06 09:00'), abandoned('i', '03-06 09:01')];
    expect(brief(one(ask(ACCEPTANCE, [...both, ...later]), 'decided'))).toBe('decided 1/1 1');
    expect(brief(one(ask(ABANDONMENT, [...both, ...later]), 'dismissed'))).toBe('dismissed 1/2 2');
    // Where bob decides for ann, it is ann's invocation that is decided: still two, now both accepted.
    const forAnn = accepted('i', '03-04 09:02', { actor: 'bob' });
    expect(briefs(ask(ACCEPTANCE, [...both, forAnn]))).toEqual(['shown 2/2 2', 'decided 2/2 2', 'people 2/2 2', 'people_shown 2/2 2']);
  });

  it('does not count feedback as an event about an invocation', () => {
    const history = [shown('i', '03-05 09:00'), event('feedback.given', '03-04 09:00', { invocation: 'i', score: 1 })];
    expect(dated(ask(ACCEPTANCE, history), 'shown')).toEqual(['2024-03-05 2024-03-05 shown 0/1 1']);
  });

  it('takes the earliest of two started events, by id where they tie', () => {
    const two = [
      started('i', '03-04 09:00', { id: 'a', data: { surface: 'export' } }),
      started('i', '03-04 09:00', { id: 'b', data: { surface: 'side-tool', initiative: 'person' } }),
      shown('i', '03-04 09:01'),
    ];
    // The earliest wins with all its fields: the initiative only the other one knows stays unknown.
    expect(grouped(ask(ACCEPTANCE, two, { by: ['surface', 'initiative'] }))).toEqual(['export+null: people_shown 0/1 1', 'export+null: shown 0/1 1']);
  });
});

describe('local days', () => {
  const daysOf = (moments: string[], registration: Registration): string[] =>
    moments.map((iso) => one(ask(ACCEPTANCE, [shown('i', at(iso))], { registration }), 'shown').from);

  it('follows the clock forward: 2024-03-31 in Berlin has 23 hours', () => {
    // From 2024-03-30T23:00Z (+1) to 2024-03-31T22:00Z (+2).
    const moments = ['2024-03-30T22:59:59.999Z', '2024-03-30T23:00:00Z', '2024-03-31T21:59:59.999Z', '2024-03-31T22:00:00Z'];
    expect(daysOf(moments, BERLIN)).toEqual(['2024-03-30', '2024-03-31', '2024-03-31', '2024-04-01']);
  });

  it('follows the clock back: 2024-10-27 in Berlin has 25 hours', () => {
    // From 2024-10-26T22:00Z (+2) to 2024-10-27T23:00Z (+1).
    const moments = ['2024-10-26T21:59:59.999Z', '2024-10-26T22:00:00Z', '2024-10-27T22:59:59.999Z', '2024-10-27T23:00:00Z'];
    expect(daysOf(moments, BERLIN)).toEqual(['2024-10-26', '2024-10-27', '2024-10-27', '2024-10-28']);
  });

  it('knows odd zones: +05:30, +05:45, a midnight that does not exist, a day that does not exist', () => {
    expect(daysOf(['2024-03-04T18:29:59Z', '2024-03-04T18:30:00Z'], { ...UTC, timeZone: 'Asia/Kolkata' })).toEqual(['2024-03-04', '2024-03-05']);
    expect(daysOf(['2024-03-04T18:14:59Z', '2024-03-04T18:15:00Z'], { ...UTC, timeZone: 'Asia/Kathmandu' })).toEqual(['2024-03-04', '2024-03-05']);
    // Santiago jumped from 23:59:59 on 2023-09-02 (-4) to 01:00 on the 3rd (-3), at 04:00Z.
    expect(daysOf(['2023-09-03T03:59:59Z', '2023-09-03T04:00:00Z'], { ...UTC, timeZone: 'America/Santiago' })).toEqual(['2023-09-02', '2023-09-03']);
    // Apia left out 2011-12-30, at 10:00Z of that day.
    expect(daysOf(['2011-12-30T09:59:59Z', '2011-12-30T10:00:00Z'], { ...UTC, timeZone: 'Pacific/Apia' })).toEqual(['2011-12-29', '2011-12-31']);
  });

  it('counts the days of the range across the change without losing or doubling one', () => {
    const rows = ask(ACCEPTANCE, [], { registration: BERLIN, grain: 'day', from: '2024-03-30', to: '2024-04-01' });
    expect(rows.filter((row) => row.variant === 'shown').map((row) => row.from)).toEqual(['2024-03-30', '2024-03-31', '2024-04-01']);
  });
});

describe('any history', () => {
  it('answers the same in any order and with any copies', () => {
    const seed = 20240304;
    let state = seed;
    const random = (below: number): number => {
      state = (state * 48_271) % 2_147_483_647;
      return state % below;
    };
    const types = [started, failed, shown, accepted, overridden, abandoned, withdrawn, rechecked, truth];
    for (let round = 0; round < 40; round += 1) {
      const history: HistoryEvent[] = [];
      for (let count = 0; count < 60; count += 1) {
        const person = `p${String(random(4))}`;
        const when = t('03-04 00:00') + random(40) * 7 * HOUR; // few moments: many ties
        const data = {
          task: `t${String(random(6))}`, surface: ['export', 'side-tool'][random(2)], aided: random(2) === 0, cause: CAUSES[random(CAUSES.length)],
        };
        const type = types[random(types.length + 1)];
        history.push(type === undefined ? completed(data.task, when, { person, data }) : type(`i${String(random(4))}`, when, { person, data }));
      }
      const shuffled = [...history, ...history.filter(() => random(3) === 0)]
        .map((one) => ({ one, key: random(1_000_000) })).sort((a, b) => a.key - b.key).map(({ one }) => one);
      for (const metric of [ACTIVE, COVERAGE, ACCEPTANCE, OVERRIDE, ABANDONMENT] as const) {
        const question: Ask = { registration: BERLIN, grain: 'week', completeThrough: t('03-12 00:00') };
        expect({ seed, round, rows: ask(metric, shuffled, question) }).toEqual({ seed, round, rows: ask(metric, history, question) });
      }
      // Whatever the history, the fates of a shown result add up: not decided = explicit + undecided = pending + all.
      const fates = ask(ABANDONMENT, history, { completeThrough: t('03-12 00:00') });
      const sum = (...variants: string[]): number => variants.reduce((total, variant) => total + Number(one(fates, variant).numerator), 0);
      const left = Number(one(fates, 'all').denominator) - Number(one(ask(OVERRIDE, history), 'all').denominator);
      expect([sum(...CAUSES, 'undecided'), sum('pending', 'all')]).toEqual([left, left]);
      expect(sum('pending', 'soft', 'confirmed')).toBe(sum('undecided'));
    }
  });

  it('is not too slow to be used', () => {
    const history: HistoryEvent[] = [];
    for (let count = 0; count < 20_000; count += 1) {
      const more = { person: `p${String(count % 50)}` };
      const when = t('01-01 00:00') + count * 400_000_000;
      history.push(started(`i${String(count)}`, when, more), accepted(`i${String(count)}`, when + 1, more));
    }
    const begun = performance.now();
    expect(ask(ACCEPTANCE, history, { registration: BERLIN, grain: 'week' }).at(-1)?.people).toBe(50);
    expect(performance.now() - begun).toBeLessThan(5_000);
  });
});
