/**
 * People counted as of days: how many there are on the last day of each period.
 *
 * What arrives: stretches of days in which one person counts. What leaves: for each variant and group, how many count on each
 * period's last day. Counting where stretches begin and end gives every day in one pass, however many days are asked for.
 * Here too: on which days people are active, when first, and in which stretches, and when they are enabled.
 */
import { type Dimension } from '@foothold/contract';
import { dayText } from '../local-day.js';
import { cut, groupOf, personDays, type Counted } from './cut.js';
import { type Asking, type Period } from './metric.js';

/** On a person-day `d`. */
export const ACTIVE = 'd.active_accepted + d.active_overridden > 0';
/** The kinds of activity, on the same. */
export const KINDS: Record<string, string> = { any: ACTIVE, accepted: 'd.active_accepted > 0', voluntary: 'd.active_voluntary > 0' };
/** More than all kinds of a day, as bits. */
const KIND_BITS = 2 ** Object.keys(KINDS).length;
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

/**
 * Counts people as of each period's last day.
 * @param stretches a statement that gives `variant`, the dimensions of the question, `since` and `until` (the day after the
 * last): within a variant and group, those of one person share no day
 * @param always variants that are there even where nobody counts, where nothing is cut by a dimension
 */
export async function countAsOf(asking: Asking, stretches: string, values: unknown[], always: readonly string[]): Promise<CountedPeople[]> {
  const { by } = asking;
  const group = ['variant', ...by].join(', ');
  const found = await asking.query<Counted>(
    `with stretch as (${stretches})
     select ${group}, (at - '1970-01-01'::date)::int as day, sum(step)::int as step
       from (select ${group}, since as at, 1 as step from stretch union all select ${group}, until, -1 from stretch) edge
      group by ${group}, at`,
    values,
  );
  const stretched = new Stretches(asking, always);
  for (const edge of found) stretched.of(edge['variant'] as string, groupOf(edge, by)).step(Number(edge['day']), Number(edge['step']));
  return stretched.asOf();
}

/** Stretches of days in which people count, by variant and group: where they begin and end. */
export class Stretches {
  private readonly groups = new Map<string, { by: (string | null)[]; edges: Map<string, Edges> }>();

  /** @param always as of countAsOf */
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

/** In a group, the days on which somebody was active, in order, and on each the kinds of activity: bits in the order of KINDS. */
export interface ActiveDays {
  by: (string | null)[];
  person: string;
  days: number[];
  kinds: number[];
}

/** The days on which people were active, by person and group. What is theirs comes in one value: a row a day would take longer to read than to count. */
export async function activeDays(asking: Asking, { from, to }: Period, by: readonly Dimension[] = []): Promise<ActiveDays[]> {
  const values: unknown[] = [];
  const { names, columns, from: rows } = cut({ ...asking, by, periods: [{ from, to }] }, personDays({ by }), values);
  const bits = Object.values(KINDS).map((condition, i) => `case when ${condition} then ${1 << i} else 0 end`).join(' + ');
  const found = await asking.query<Counted & { person: string; days: number[] }>(
    `select ${names}, person::text, json_agg(day * ${KIND_BITS} + kinds) as days
       from (select ${columns}, d.person, d.day - '1970-01-01'::date as day, ${bits} as kinds ${rows} and ${ACTIVE}) d group by ${names}, person`, values);
  return found.map((row) => {
    const [days, kinds]: [number[], number[]] = [[], []];
    for (const coded of row.days.sort((one, other) => one - other)) {
      const day = Math.floor(coded / KIND_BITS);
      if (days.at(-1) === day) kinds[kinds.length - 1]! |= coded % KIND_BITS; // of another cell or shard
      else {
        days.push(day);
        kinds.push(coded % KIND_BITS);
      }
    }
    return { by: groupOf(row, by), person: row.person, days, kinds };
  });
}

/**
 * The stretches in which somebody is active: each active day covers those up to the end of its window.
 * @param told of each: which of the variants of WINDOWED, its first day, and the day after its last
 */
export function covers({ days, kinds }: ActiveDays, told: (variant: number, since: number, until: number) => void): void {
  for (let kind = 0, variant = 0; kind < Object.keys(KINDS).length; kind++) for (const window of WINDOWS) {
    let [since, until] = [-Infinity, -Infinity];
    for (let i = 0; i < days.length; i++) {
      if (((kinds[i]! >> kind) & 1) === 0) continue;
      const day = days[i]!;
      if (day > until) {
        if (since > -Infinity) told(variant, since, until);
        since = day;
      }
      until = day + window;
    }
    if (since > -Infinity) told(variant, since, until);
    variant++;
  }
}

/**
 * A statement of when people were first active, for each kind of activity: `person`, and days called as the kinds are, null where
 * there was none. It goes from person to person, not over all of their days.
 * @param deployment its number, as the statement has it
 */
export function firstDays(deployment: string): string {
  const first = (kind: string) => `case when ${KINDS[kind]} then d.day else (select min(day) from person_day_sum l where l.deployment = ${deployment} and l.person = d.person and ${KINDS[kind]!.replaceAll('d.', 'l.')}) end as ${kind}`;
  const next = (after: string) => `select d.person, d.day, d.active_accepted, d.active_voluntary from person_day_sum d where d.deployment = ${deployment} and ${after} ${ACTIVE} order by d.person, d.day limit 1`;
  return `with recursive begun as ((${next('')}) union all select n.* from begun cross join lateral (${next('d.person > begun.person and')}) n)
    select d.person, d.day as "any", ${first('accepted')}, ${first('voluntary')} from begun d`;
}

/** From the first day that the longest window of the first period looks at to the last day that is asked for. */
export const lookedAt = ({ periods }: Pick<Asking, 'periods'>): { from: number; to: number } => ({ from: periods[0]!.from - Math.max(...WINDOWS) + 1, to: periods.at(-1)!.to });

/**
 * SQL of who is enabled when, within the days that are asked for: `person, team, role, span`. Leave is cut out of the periods
 * in which somebody is enabled; with `leave`, what is cut out is given instead.
 */
export function enabledSpans({ subject, periods }: Asking, values: unknown[], leave = false): string {
  const within = `daterange($${values.push(dayText(periods[0]!.from))}::date, $${values.push(dayText(periods.at(-1)!.to))}::date, '[]')`;
  const deployment = `$${values.push(subject.deployment)}`;
  return `
    select r.person, r.team, r.role, unnest(datemultirange(daterange(r.from_day, r.to_day, '[]') * ${within}) ${leave ? '*' : '-'} coalesce(l.days, '{}')) as span
      from roster r
      left join (select person, range_agg(daterange(from_day, to_day, '[]')) as days from roster where deployment = ${deployment} and on_leave group by person) l using (person)
     where r.deployment = ${deployment} and not r.on_leave and daterange(r.from_day, r.to_day, '[]') && ${within}`;
}

/** Somebody is enabled, in a team and role, from `since` to the day before `until`. */
export interface EnabledSpan {
  person: string;
  team: string;
  role: string;
  since: number;
  until: number;
}

/** When people are enabled within the days that are asked for, in order. */
export function spansOf(asking: Asking): Promise<EnabledSpan[]> {
  const values: unknown[] = [];
  return asking.query<EnabledSpan>(
    `select person::text, team, role, (lower(span) - '1970-01-01'::date)::int as since, (upper(span) - '1970-01-01'::date)::int as until
       from (${enabledSpans(asking, values)}) s order by lower(span)`, values);
}

/** By person, the first day on which they are enabled. */
export async function firstEnabled({ query, subject }: Pick<Asking, 'query' | 'subject'>): Promise<Map<string, number>> {
  const rows = await query<{ person: string; day: number }>(
    `select person::text, (min(from_day) - '1970-01-01'::date)::int as day from roster where deployment = $1 and not on_leave group by person`, [subject.deployment]);
  return new Map(rows.map(({ person, day }) => [person, day]));
}

/** Whether the deployment has a roster: without one, nobody can be said to be enabled. */
export async function hasRoster({ query, subject }: Asking): Promise<boolean> {
  const [row] = await query<{ there: boolean }>('select exists (select from roster where deployment = $1) as there', [subject.deployment]);
  return row?.there === true;
}
