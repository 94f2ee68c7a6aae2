/**
 * People counted as of days: how many there are on the last day of each period.
 *
 * What arrives: stretches of days in which one person counts. What leaves: for each variant and group, how many count on each
 * period's last day. Counting where stretches begin and end gives every day in one pass, however many days are asked for.
 * Here too: on which days people are active, when first, and in which stretches, and when they are enabled.
 */
import { type Dimension } from '@foothold/contract';
import { cut, groupOf, personDays, type Counted } from './cut.js';
import { bitsOf, DID, type Did, type Rostered } from './held.js';
import { type Asking, type Period } from './metric.js';
import { periodOn, placeOf } from './teams.js';

/** Told by the roster. */
export const OF_ROSTER: readonly Dimension[] = ['team', 'role'];

/** The kinds of activity. */
export const KINDS = { any: 'active', accepted: 'active_accepted', voluntary: 'active_voluntary' } as const satisfies Record<string, Did>;
/** Of each kind, its bit of what somebody did on a day. */
const BITS = Object.values(KINDS).map((did) => bitsOf(did));
/** Days of the windows that end with a day. */
const WINDOWS = [1, 7, 28];
/** The variants of each kind of activity in each window, and what they count. */
export const WINDOWED: Record<string, string> = {
  any: 'accepted or overrode a result on that day', any_7: 'the same in the 7 days that end with it', any_28: 'the same in 28 days',
  accepted: 'accepted a result on that day', accepted_7: 'the same in 7 days', accepted_28: 'the same in 28 days',
  voluntary: 'decided on a result of their own initiative on that day', voluntary_7: 'the same in 7 days', voluntary_28: 'the same in 28 days',
};

export interface CountedPeople {
  variant: string;
  by: (string | null)[];
  /** By period, people on its last day. */
  people: number[];
}

/** Stretches of days in which people count, by variant and group: where they begin and end. */
export class Stretches {
  private readonly groups = new Map<string, { by: (string | null)[]; edges: Map<string, Edges> }>();

  /** @param always variants that are there even where nobody counts, where nothing is cut by a dimension */
  constructor(private readonly asking: Pick<Asking, 'by' | 'periods'>, always: readonly string[]) {
    if (asking.by.length === 0) this.ofAll(always, []);
  }

  of(variant: string, by: (string | null)[]): Edges {
    return this.ofAll([variant], by)[0]!;
  }

  /** Of several variants of a group. */
  ofAll(variants: readonly string[], by: (string | null)[]): Edges[] {
    const label = by.join('\u0001');
    let group = this.groups.get(label);
    if (!group) this.groups.set(label, (group = { by, edges: new Map() }));
    const { edges } = group;
    return variants.map((variant) => {
      let own = edges.get(variant);
      if (!own) edges.set(variant, (own = new Edges(this.asking.periods[0]!.from, this.asking.periods.at(-1)!.to)));
      return own;
    });
  }

  /** In the order of their names where there are groups. */
  asOf(): CountedPeople[] {
    const { by, periods } = this.asking;
    const all = [...this.groups.values()].flatMap(({ by: values, edges }) => [...edges].map(([variant, own]) => ({ variant, by: values, ...own })));
    if (by.length > 0) all.sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
    return all.map(({ variant, by: values, from, steps }) => {
      let [people, next] = [0, from];
      const counts = periods.map(({ to }) => {
        for (; next <= to; next++) people += steps[next - from]!;
        return people;
      });
      return { variant, by: values, people: counts };
    });
  }
}

const nameOf = ({ variant, by }: { variant: string; by: (string | null)[] }): string => [variant, ...by.map((value) => value ?? '')].join('\u0001');

/** By how many people more, or fewer, there are on each day from `from` to `to` than on the day before. */
class Edges {
  readonly steps: Int32Array;

  constructor(
    readonly from: number,
    readonly to: number,
  ) {
    this.steps = new Int32Array(to - from + 1);
  }

  step(day: number, step: number): void {
    if (day <= this.to) this.steps[Math.max(0, day - this.from)]! += step;
  }

  /** @param until the day after the last */
  add(since: number, until: number): void {
    if (since >= until) return;
    this.step(since, 1);
    this.step(until, -1);
  }
}

/** In a group, the days on which somebody was active, in order, and on each what they did. */
export interface ActiveDays {
  by: (string | null)[];
  person: string;
  days: number[];
  did: number[];
}

/** The days on which people were active, by person and group. */
export async function activeDays(asking: Asking, days: Period): Promise<ActiveDays[]> {
  const { by, held } = asking;
  if (by.some((dimension) => !OF_ROSTER.includes(dimension))) return activeDaysApart(asking, days);
  const groupOf = by.length === 0 ? null : await onRoster(asking);
  const found: ActiveDays[][] = [];
  for (const { day, columns: [people, did] } of await held.days(days)) for (let i = 0; i < people!.length; i++) {
    if (!(did![i]! & BITS[0]!)) continue;
    const place = people![i]!;
    const person = held.people[place]!;
    const of = groupOf?.(person, day);
    const values = placeOf(of, by);
    const groups = (found[place] ??= []);
    let own = groups.find((group) => values.every((value, nth) => group.by[nth] === value));
    if (!own) groups.push((own = { by: values, person, days: [], did: [] }));
    own.days.push(day);
    own.did.push(did![i]!);
  }
  return found.flat();
}

/** By dimensions of results. What is of one person comes in one value: a row a day would take longer to read than to count. */
async function activeDaysApart(asking: Asking, { from, to }: Period): Promise<ActiveDays[]> {
  const values: unknown[] = [];
  const { names, columns, from: rows } = cut({ ...asking, periods: [{ from, to }] }, personDays(asking), values);
  const bits = Object.values(KINDS).map((did, i) => `case when ${DID[did]} then ${BITS[i]} else 0 end`).join(' + ');
  const found = await asking.query<Counted & { person: string; days: [number, number][] }>(
    `select ${names}, person::text, json_agg(json_build_array(day, did)) as days
       from (select ${columns}, d.person, d.day - '1970-01-01'::date as day, bit_or(${bits}) as did ${rows} and ${DID[KINDS.any]} group by ${names}, d.person, d.day) d group by ${names}, person`, values);
  return found.map((row) => {
    const days = row.days.sort(([one], [other]) => one - other);
    return { by: groupOf(row, asking.by), person: row.person, days: days.map(([day]) => day), did: days.map(([, did]) => did) };
  });
}

/**
 * The stretches in which somebody is active: each active day covers those up to the end of its window.
 * @param told of each: which of the variants of WINDOWED, its first day, and the day after its last
 */
export function covers({ days, did }: ActiveDays, told: (variant: number, since: number, until: number) => void): void {
  for (const [kind, bit] of BITS.entries()) for (const [w, window] of WINDOWS.entries()) {
    const variant = kind * WINDOWS.length + w;
    let [since, until] = [-Infinity, -Infinity];
    for (let i = 0; i < days.length; i++) {
      if (!(did[i]! & bit)) continue;
      const day = days[i]!;
      if (day > until) {
        if (since > -Infinity) told(variant, since, until);
        since = day;
      }
      until = day + window;
    }
    if (since > -Infinity) told(variant, since, until);
  }
}

/** By person who was ever active, the first day of each kind of activity; null: there was none. */
export function firstDays({ held }: Pick<Asking, 'held'>): Promise<Map<string, First>> {
  return held.once('first days', async () => {
    const days = await held.allDays();
    const first: First[] = [];
    for (const { day, columns: [people, did] } of days) for (let i = 0; i < people!.length; i++) {
      const bits = did![i]!;
      if (!(bits & BITS[0]!)) continue;
      const own = (first[people![i]!] ??= { any: day, accepted: null, voluntary: null });
      if (bits & BITS[1]!) own.accepted ??= day;
      if (bits & BITS[2]!) own.voluntary ??= day;
    }
    return new Map(first.flatMap((own, place) => [[held.people[place]!, own] as const]));
  });
}

export interface First {
  any: number;
  accepted: number | null;
  voluntary: number | null;
}

/** From the first day that the longest window of the first period looks at to the last day that is asked for. */
export const lookedAt = ({ periods }: Pick<Asking, 'periods'>): { from: number; to: number } => ({ from: periods[0]!.from - Math.max(...WINDOWS) + 1, to: periods.at(-1)!.to });

/** Somebody is enabled, or on leave, in a team and role, from `since` to the day before `until`. */
export interface EnabledSpan {
  person: string;
  team: string;
  role: string;
  since: number;
  until: number;
}

/** When people are enabled within the days that are asked for, in order: leave is cut out of it. With `leave`, what is cut out. */
export async function spansOf({ held, periods }: Pick<Asking, 'held' | 'periods'>, leave = false): Promise<EnabledSpan[]> {
  const { enabled, away } = await held.roster();
  const [first, last] = [periods[0]!.from, periods.at(-1)!.to];
  const spans: EnabledSpan[] = [];
  for (const [person, own] of enabled) for (const { team, role, from, to } of own) {
    if (from > last || to < first) continue;
    let since = Math.max(from, first);
    const end = Math.min(to, last) + 1;
    const add = (begin: number, until: number) => { if (begin < until) spans.push({ person, team, role, since: begin, until }); };
    for (const absent of away.get(person) ?? []) { // in order, and no two share a day
      const [begin, until] = [Math.max(absent.from, since), Math.min(absent.to + 1, end)];
      if (begin >= until) continue;
      if (leave) add(begin, until);
      else add(since, begin);
      since = until;
    }
    if (!leave) add(since, end);
  }
  return spans.sort((one, other) => one.since - other.since);
}

/** Who stands in which period of the roster on a day, be they on leave or not. */
export async function onRoster({ held }: Pick<Asking, 'held'>): Promise<(person: string, day: number) => Rostered | undefined> {
  const { enabled } = await held.roster();
  return (person, day) => periodOn(enabled.get(person), day);
}

/** By person, the first day on which they are enabled. */
export async function firstEnabled({ held }: Pick<Asking, 'held'>): Promise<Map<string, number>> {
  const { enabled } = await held.roster();
  return new Map([...enabled].map(([person, [first]]) => [person, first!.from]));
}

/** Whether the deployment has a roster: without one, nobody can be said to be enabled. */
export async function hasRoster({ held }: Pick<Asking, 'held'>): Promise<boolean> {
  const { enabled, away } = await held.roster();
  return enabled.size + away.size > 0;
}
