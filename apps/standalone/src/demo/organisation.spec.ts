/** The simulated organisation: the same each time, keeping its calendar, with one team in which use decays. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { dayOf, isHoliday, isWeekend, osloTime, textOf } from './calendar.js';
import { type Call } from './calls.js';
import { NINE_MONTHS, simulate, type Organisation } from './organisation.js';
import { HANDOFF_WEEK, TEAMS } from './people.js';

const FIRST = dayOf('2026-01-26');
const small = { ...NINE_MONTHS, people: 40, weeks: 10 };
let organisation: Organisation;
let calls: Call[];
const teamOf = new Map<string, string>();
const dayText = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Oslo' });
const days = new Map<number, number>();
/** The local day of each call that somebody at work makes; audits and counts are made at other times. */
let worked: { call: Call & { person: string }; day: number; week: number }[];

/** Looked up once an hour: no hour lies in two local days. */
function dayAt(at: number): number {
  const hour = Math.floor(at / 3_600_000);
  if (!days.has(hour)) days.set(hour, dayOf(dayText.format(at)));
  return days.get(hour)!;
}

beforeAll(() => {
  organisation = simulate(NINE_MONTHS);
  calls = organisation.calls;
  for (const { id, team } of organisation.people) teamOf.set(id, team.id);
  worked = calls
    .filter((call): call is Call & { person: string } => call.call === 'invocation' || call.call === 'task')
    .map((call) => ({ call, day: dayAt(call.at) }))
    .map(({ call, day }) => ({ call, day, week: Math.floor((day - FIRST) / 7) }));
});

describe('a plan', () => {
  it('gives the same calls each time, and another seed gives others', () => {
    const once = JSON.stringify(simulate(small).calls);
    expect(JSON.stringify(simulate(small).calls)).toBe(once);
    expect(JSON.stringify(simulate({ ...small, seed: 1 }).calls)).not.toBe(once);
  });

  it('of which one part is another shares no id with the whole: both may be sent to one place', () => {
    const ids = new Set(simulate(small).calls.map(({ id }) => id));
    expect(simulate({ ...small, people: 41 }).calls.filter(({ id }) => ids.has(id))).toEqual([]);
  });

  it('of nine months is a good hundred and fifty thousand calls of 300 people, in the order of their times', () => {
    expect(organisation).toMatchObject({ pilotStart: '2026-01-26', handoff: '2026-03-09', taskKinds: ['discharge-letter', 'referral-triage'] });
    expect(organisation.people).toHaveLength(300);
    expect(calls.length).toBeGreaterThan(140_000);
    expect(calls.length).toBeLessThan(190_000);
    expect(calls.every(({ at }, i) => i === 0 || calls[i - 1]!.at <= at)).toBe(true);
    expect(calls[0]!.at).toBeGreaterThanOrEqual(osloTime(FIRST, 0));
    expect(calls.at(-1)!.at).toBeLessThan(osloTime(FIRST + 7 * 39, 0));
  });

  it('ids are UUIDv7 of the time of the call, and no two are the same', () => {
    expect(new Set(calls.map(({ id }) => id)).size).toBe(calls.length);
    const strange = calls.filter(({ id, at }) => !/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id) || parseInt(id.slice(0, 8) + id.slice(9, 13), 16) !== at);
    expect(strange).toEqual([]);
  });

  it('knows people, tasks and invocations by codes only', () => {
    const texts = new Set<string>();
    for (const call of calls) if ('person' in call) for (const text of [call.person, 'invocation' in call ? call.invocation : 'i-0001-1', call.call === 'task' ? call.facts.task : 't-0001-1']) texts.add(text.replace(/\d/g, '0').replace(/0+$/, '0'));
    expect([...texts].sort()).toEqual(['i-0000-0', 'p-0', 't-0000-0']);
  });
});

describe('the working year', () => {
  it('weekends and holidays are nearly empty, and July is half so', () => {
    const counts = new Map<number, number>();
    for (const { day } of worked) counts.set(day, (counts.get(day) ?? 0) + 1);
    const mean = (days: (day: number) => boolean) => {
      const chosen = Array.from({ length: 39 * 7 }, (_, i) => FIRST + i).filter(days);
      return chosen.reduce((sum, day) => sum + (counts.get(day) ?? 0), 0) / chosen.length;
    };
    const inJuly = (day: number) => textOf(day).startsWith('2026-07');
    const closed = (day: number) => isWeekend(day) || isHoliday(day);
    const usual = mean((day) => !closed(day) && !inJuly(day));
    expect(mean(isWeekend)).toBeLessThan(usual * 0.05);
    expect(mean((day) => isHoliday(day) && !isWeekend(day))).toBeLessThan(usual * 0.05);
    expect(mean((day) => !closed(day) && inJuly(day))).toBeLessThan(usual * 0.6);
  });

  it('before the handoff only the pilot uses it', () => {
    const users = worked.filter(({ call, week }) => call.call === 'invocation' && week < HANDOFF_WEEK).map(({ call }) => teamOf.get(call.person));
    expect(new Set(users)).toEqual(new Set(['intake']));
  });
});

describe('use', () => {
  /** Tasks with a decision, of all: by team, over some weeks. */
  const coverage = (from: number, to: number): Map<string, number> => {
    const taskOf = new Map(worked.flatMap(({ call }) => (call.call === 'invocation' && call.facts.task !== undefined ? [[call.invocation, call.facts.task]] : [])));
    const decided = new Set(calls.flatMap((call) => (call.call === 'accepted' || call.call === 'overridden' ? [taskOf.get(call.invocation)] : [])));
    const sums = new Map<string, [number, number]>();
    for (const { call, week } of worked) {
      if (call.call !== 'task' || week < from || week > to) continue;
      const [used, all] = sums.get(teamOf.get(call.person)!) ?? [0, 0];
      sums.set(teamOf.get(call.person)!, [used + (decided.has(call.facts.task) ? 1 : 0), all + 1]);
    }
    return new Map([...sums].map(([team, [used, all]]) => [team, used / all]));
  };

  it('in one team coverage falls by more than half from its height, in no other by a tenth', () => {
    const [height, end] = [coverage(16, 20), coverage(34, 38)];
    const kept = (id: string) => end.get(id)! / height.get(id)!;
    const [decaying, others] = [TEAMS.filter(({ decaysFrom }) => decaysFrom !== undefined), TEAMS.filter(({ decaysFrom }) => decaysFrom === undefined)];
    expect(decaying.map(({ id }) => [id, kept(id) < 0.5])).toEqual([['medicine', true]]);
    expect(others.filter(({ id }) => kept(id) < 0.9)).toEqual([]);
    expect(others).toHaveLength(5);
    expect(height.get('medicine')).toBeGreaterThan(0.3);
  });

  it('some never use it, and a few use it for most of their work', () => {
    const asked = new Map<string, number>();
    const done = new Map<string, number>();
    for (const { call, week } of worked) {
      if (week < 28) continue;
      const of = call.call === 'task' ? done : asked;
      of.set(call.person, (of.get(call.person) ?? 0) + 1);
    }
    const shares = [...done].map(([person, tasks]) => (asked.get(person) ?? 0) / tasks);
    const share = (those: (share: number) => boolean) => shares.filter(those).length / shares.length;
    expect(share((of) => of === 0)).toBeGreaterThan(0.08);
    expect(share((of) => of > 0.7)).toBeGreaterThan(0.08);
    expect(share((of) => of > 0.7)).toBeLessThan(0.25);
  });

  it('what becomes of results is what pilots see', () => {
    const count = (call: Call['call']) => calls.filter((each) => each.call === call).length;
    const shown = count('shown');
    const share = (call: Call['call']) => Math.round((count(call) / shown) * 100) / 100;
    expect({ accepted: share('accepted'), overridden: share('overridden'), abandoned: share('abandoned'), withdrawn: share('withdrawn') })
      .toEqual({ accepted: 0.68, overridden: 0.19, abandoned: 0.08, withdrawn: 0.02 });
    expect(new Set(calls.map(({ call }) => call))).toEqual(new Set(['invocation', 'shown', 'accepted', 'overridden', 'abandoned', 'withdrawn', 'failed', 'rechecked', 'task', 'feedback', 'truth', 'queue', 'feed', 'outcome', 'modelScore']));
  });

  it('the control totals are those of the calls', () => {
    const totals = new Map<string, number>();
    for (const { call, day } of worked) {
      const key = `${call.call === 'task' ? 'tasks' : 'invocations'} ${textOf(day)}`;
      totals.set(key, (totals.get(key) ?? 0) + 1);
    }
    const feeds = calls.filter((call) => call.call === 'feed');
    expect(feeds).toHaveLength(2 * (39 * 7 - 1));
    expect(feeds.filter(({ facts: { kind, from, count } }) => count !== (totals.get(`${kind} ${from as string}`) ?? 0))).toEqual([]);
  });
});
