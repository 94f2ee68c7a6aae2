import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { dayText } from './local-day.js';
import { decideRoster, enabledOn, foldRoster, inOrder, onLeave, overlap, type Period, type Roster } from './roster.js';

const FIRST = 20_454; // 2026-01-01
const DAYS = 60;
const day = (index: number): string => dayText(FIRST + index);

/** Periods of a person as days of a calendar: for each of some stretches that share no day, what holds in it. */
const stretches = fc.array(fc.record({ gap: fc.nat(5), length: fc.integer({ min: 1, max: 12 }), team: fc.constantFrom('', 'a', 'b'), open: fc.boolean() }), { minLength: 1, maxLength: 4 });
const periodsOf = (found: readonly { gap: number; length: number; team: string; open: boolean }[], leave: boolean): Period[] => {
  let at = 0;
  return found.map(({ gap, length, team, open }, i) => {
    const from = at + gap;
    at = from + length;
    return { team, role: '', from: day(from), to: open && i === found.length - 1 ? null : day(at - 1), leave };
  });
};
const person = fc.tuple(stretches, fc.option(stretches, { nil: [] })).map(([enabled, leave]) => inOrder([...periodsOf(enabled, false), ...periodsOf(leave, true)]));
const roster: fc.Arbitrary<Roster<string>> = fc.dictionary(fc.constantFrom('p', 'q', 'r', 's'), person).map((people) => new Map(Object.entries(people)));

/** By walking from day to day, and never comparing two of them as text. */
function calendarOf(periods: readonly Period[]): { team: string | null; leave: boolean }[] {
  const days = Array.from({ length: DAYS }, () => ({ team: null as string | null, leave: false }));
  for (const leave of [false, true]) for (const period of periods.filter((one) => one.leave === leave)) {
    let inside = false;
    for (let i = 0; i < DAYS; i++) {
      if (day(i) === period.from) inside = true;
      if (inside && !leave) days[i]!.team = period.team;
      if (inside && leave && days[i]!.team !== null) days[i]!.leave = true;
      if (day(i) === period.to) inside = false;
    }
  }
  return days;
}

describe('a day', () => {
  it('is one of a person as a calendar kept by hand says', () => {
    fc.assert(fc.property(person, (periods) => {
      const said = Array.from({ length: DAYS }, (_, i) => ({ team: enabledOn(periods, day(i))?.team ?? null, leave: onLeave(periods, day(i)) }));
      expect(said).toEqual(calendarOf(periods));
    }));
  });

  it('of leave is none where the person is not enabled', () => {
    const periods: Period[] = [{ team: 'a', role: '', from: '2026-02-01', to: '2026-02-28', leave: false }, { team: '', role: '', from: '2026-02-27', to: null, leave: true }];
    expect(['2026-02-26', '2026-02-27', '2026-02-28', '2026-03-01'].map((one) => [enabledOn(periods, one)?.team ?? null, onLeave(periods, one)])).toEqual([['a', false], ['a', true], ['a', true], [null, false]]);
  });
});

describe('overlap', () => {
  it('is found exactly where two periods of a kind share a day', () => {
    const any = fc.record({ from: fc.nat(20), length: fc.integer({ min: 1, max: 8 }), open: fc.boolean(), leave: fc.boolean() });
    fc.assert(fc.property(fc.array(any, { maxLength: 5 }), (found) => {
      const periods = found.map(({ from, length, open, leave }): Period => ({ team: '', role: '', from: day(from), to: open ? null : day(from + length - 1), leave }));
      const counts = new Map<string, number>();
      for (const { from, length, open, leave } of found) for (let i = from; i < (open ? DAYS : from + length); i++) counts.set(`${i} ${leave}`, (counts.get(`${i} ${leave}`) ?? 0) + 1);
      expect(overlap(inOrder(periods)) !== undefined).toBe([...counts.values()].some((count) => count > 1));
    }));
  });
});

describe('imports', () => {
  it('leave each person as the last that named them, whatever came before, and a complete one leaves nobody else', () => {
    fc.assert(fc.property(fc.array(fc.record({ roster, complete: fc.boolean() }), { maxLength: 6 }), (imports) => {
      let stands: Roster<string> = new Map();
      const facts: { person: string; periods: readonly Period[] }[] = [];
      for (const { roster: wanted, complete } of imports) {
        const { changes, added, changed, unchanged, removed } = decideRoster(stands, wanted, complete);
        expect(added + changed + unchanged).toBe(wanted.size);
        expect(added + changed + removed).toBe(changes.length);
        facts.push(...changes);
        stands = foldRoster(facts);
        expect(decideRoster(stands, wanted, complete)).toMatchObject({ changes: [], unchanged: wanted.size });
      }
      const expected = new Map<string, readonly Period[]>();
      const from = imports.findLastIndex(({ complete }) => complete);
      for (const { roster: wanted } of imports.slice(Math.max(from, 0))) for (const [name, periods] of wanted) expected.set(name, periods);
      expect(new Map([...stands].sort())).toEqual(new Map([...expected].sort()));
    }));
  });

  it('counts who is new, who changed, who stayed and who went', () => {
    const periods = (team: string): Period[] => [{ team, role: '', from: '2026-01-01', to: null, leave: false }];
    const made = decideRoster(new Map([['stays', periods('a')], ['moves', periods('a')], ['goes', periods('a')]]), new Map([['new', periods('b')], ['moves', periods('b')], ['stays', periods('a')]]), true);
    expect(made).toEqual({ changes: [{ person: 'new', periods: periods('b') }, { person: 'moves', periods: periods('b') }, { person: 'goes', periods: [] }], added: 1, changed: 1, unchanged: 1, removed: 1 });
  });
});
