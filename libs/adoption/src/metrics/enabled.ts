/** The people who may use it, and which of them do: everything that counts the roster as of a day. */
import { GRAINS } from '@foothold/contract';
import { kaplanMeier, medianSurvival, type Lives } from '@foothold/statistics';
import { dayText } from '../local-day.js';
import { activeDays, covers, firstDays, firstEnabled, hasRoster, KINDS, lookedAt, OF_ROSTER, spansOf, Stretches, WINDOWED, type CountedPeople, type EnabledSpan, type First } from './as-of.js';
import { groups, type Counted } from './cut.js';
import { LEAST_PEOPLE, type Asking, type Figure, type Metric } from './metric.js';
import { shareOfPeople, UNKNOWN } from './ratio.js';

/** Of every variant, where there is no roster to count. */
const NO_ROSTER = { ...UNKNOWN, denominator: null, people: 0 };
const WITHOUT = 'There is no roster: who may use it is not known. Import one: foothold roster import.';

export const enabled: Metric = {
  declaration: {
    id: 'adoption.enabled',
    question: 'How many people may use it?',
    formula: 'people on the roster and not on leave, on that day',
    unit: 'people',
    variants: {
      enabled: 'on the roster and not on leave', on_leave: 'on the roster and on leave',
      matched: 'enabled, and named by any event that was counted: the others never asked it anything, or the roster knows them by another id than the events do',
    },
    grains: ['day', 'week'],
    dimensions: OF_ROSTER,
    minimum: LEAST_PEOPLE,
    watchOut: 'People join, leave and move: each day has its own roster, and a week shows its last day. A roster whose ids are not those of the events looks like a roster of people who never use it: see matched.',
    version: 1,
  },
  behind: null,
  async figures(asking) {
    const { by } = asking;
    const named = await namedPeople(asking);
    const stretches = new Stretches(asking, ['enabled', 'on_leave', 'matched']);
    const count = (variant: string, { since, until, ...of }: EnabledSpan) => stretches.of(variant, by.map((dimension) => of[dimension as 'team' | 'role'] || null)).add(since, until);
    for (const span of await spansOf(asking)) {
      count('enabled', span);
      if (named.has(span.person)) count('matched', span);
    }
    for (const span of await spansOf(asking, true)) count('on_leave', span);
    return stretches.asOf().flatMap(({ variant, by, people }) => people.flatMap((count, period): Figure[] =>
      by.length > 0 && count === 0 ? [] : [{ period, by, variant, value: count, numerator: count, denominator: null, low: null, high: null, people: count }]));
  },
};

export const rate: Metric = {
  declaration: {
    id: 'adoption.rate',
    question: 'How many of those who may use it do?',
    formula: 'people enabled on a day and active in the window that ends with it / people enabled on that day',
    unit: 'ratio',
    variants: WINDOWED,
    grains: ['day', 'week'],
    dimensions: OF_ROSTER,
    minimum: LEAST_PEOPLE,
    watchOut: 'Who used it and is on leave or gone on that day is not counted. A day alone is low where work is not daily: 7 days are the headline. Where use is mandated or automatic, judge by accepted.',
    version: 1,
  },
  behind: null,
  async figures(asking) {
    const variants = Object.keys(WINDOWED);
    if (!(await hasRoster(asking))) return withoutRoster(asking, variants);
    const stretches = new Stretches(asking, [...variants, 'enabled']);
    const spans = enabledPeople(asking, await spansOf(asking), stretches);
    for (const one of await activeDays({ ...asking, by: [] }, lookedAt(asking))) for (const { by, since: from, until: to } of spans.get(one.person) ?? []) {
      const edges = stretches.ofAll(variants, by);
      covers(one, (variant, since, until) => edges[variant]!.add(Math.max(from, since), Math.min(to, until)));
    }
    return shares(asking, stretches.asOf(), variants);
  },
};

const FIRST_USE = 'days_to_first_use';

export const activated: Metric = {
  declaration: {
    id: 'adoption.activated',
    question: 'How many of those who may use it have ever done so?',
    formula: 'people enabled on a day who were active on it or before / people enabled on that day',
    unit: 'ratio',
    variants: {
      any: 'ever accepted or overrode a result', accepted: 'ever accepted a result', voluntary: 'ever decided on a result of their own initiative',
      [FIRST_USE]: 'days from the first day on the roster until half of the people had used it, by Kaplan-Meier: those who have not yet count for as long as they could have',
    },
    grains: GRAINS,
    dimensions: OF_ROSTER,
    minimum: LEAST_PEOPLE,
    watchOut: 'Who never used it stays in the denominator. Once is not use: see habit. A roster whose ids are not those of the events looks like nobody ever began: the notes say how many ids match.',
    version: 1,
  },
  behind: null,
  async figures(asking) {
    const variants = Object.keys(KINDS);
    if (!(await hasRoster(asking))) return withoutRoster(asking, [...variants, FIRST_USE]);
    const stretches = new Stretches(asking, [...variants, 'enabled']);
    const spans = await spansOf(asking);
    const first = await firstDays(asking);
    for (const [person, own] of enabledPeople(asking, spans, stretches)) for (const { by, since, until } of own) {
      for (const variant of variants) {
        const day = first.get(person)?.[variant as 'any'];
        if (day != null) stretches.of(variant, by).add(Math.max(since, day), until);
      }
    }
    const lives = await timesToFirstUse(asking, spans, first);
    await noteMatched(asking);
    return [...shares(asking, stretches.asOf(), variants), ...lives];
  },
};

/** The median time to first use of those enabled on each period's last day. */
async function timesToFirstUse(asking: Asking, spans: readonly EnabledSpan[], first: ReadonlyMap<string, First>): Promise<Figure[]> {
  const { by, periods } = asking;
  const begun = await firstEnabled(asking);
  const cells = new Map<string, { row: Counted; lives: Map<number, Lives> }[]>();
  for (const span of spans) {
    const [since, used] = [begun.get(span.person)!, first.get(span.person)?.any ?? Infinity];
    const group = Object.fromEntries(by.map((dimension) => [dimension, span[dimension as 'team' | 'role']]));
    const label = JSON.stringify(group);
    const own = cells.get(label) ?? [];
    if (own.length === 0) cells.set(label, own);
    for (const [period, { to }] of periods.entries()) {
      if (to < span.since || to >= span.until) continue;
      const { lives } = (own[period] ??= { row: { ...group, period }, lives: new Map() });
      const ended = used <= to;
      const time = ended ? Math.max(used - since, 0) : to - since;
      let lived = lives.get(time);
      if (!lived) lives.set(time, (lived = { time, ended: 0, censored: 0 }));
      lived[ended ? 'ended' : 'censored']++;
    }
  }
  const lives = new Map([...cells.values()].flatMap((own) => own.filter((cell) => cell !== undefined).map((cell) => [cell.row, [...cell.lives.values()]] as const)));
  return [...groups({ by, periods }, [...lives.keys()])].map(({ period, by: values, row }): Figure => {
    const own = row === undefined ? [] : lives.get(row)!;
    const { median, low, high } = medianSurvival(kaplanMeier(own));
    const [ended, people] = [own.reduce((sum, one) => sum + one.ended, 0), own.reduce((sum, one) => sum + one.ended + one.censored, 0)];
    return { period, by: values, variant: FIRST_USE, value: median, numerator: ended, denominator: people, low, high, people };
  });
}

/** By person, the spans in which they are enabled, by the dimensions of the question; they are counted as `enabled`. */
function enabledPeople({ by }: Asking, spans: readonly EnabledSpan[], stretches: Stretches): Map<string, { by: (string | null)[]; since: number; until: number }[]> {
  const people = new Map<string, { by: (string | null)[]; since: number; until: number }[]>();
  for (const { person, since, until, ...of } of spans) {
    const values = by.map((dimension) => of[dimension as 'team' | 'role'] || null);
    stretches.of('enabled', values).add(since, until);
    const own = people.get(person);
    if (own) own.push({ by: values, since, until });
    else people.set(person, [{ by: values, since, until }]);
  }
  return people;
}

/** Those of whom anything is counted, on whatever day. */
const namedPeople = ({ held }: Asking): Promise<Set<string>> => held.once('named', async () => {
  const days = await held.allDays();
  const isNamed = new Uint8Array(held.people.length);
  for (const { columns: [people] } of days) for (const place of people!) isNamed[place] = 1;
  return new Set(held.people.filter((_, place) => isNamed[place]));
});

/** Says how far roster and events name the same people, as of the last day that is asked for. */
async function noteMatched(asking: Asking): Promise<void> {
  const last = asking.periods.at(-1)!.to;
  const now = Object.fromEntries((await enabled.figures({ ...asking, by: [], periods: [{ from: last, to: last }] })).map(({ variant, value }) => [variant, value]));
  asking.notes.push(`${now['matched']} of the ${now['enabled']} people enabled on ${dayText(last)} are named by events`);
}

/** Counts as shares of those enabled on the same day. */
function shares({ by: dimensions, periods }: Asking, counted: CountedPeople[], variants: readonly string[]): Figure[] {
  const of = new Map(counted.map(({ variant, by, people }) => [JSON.stringify([variant, ...by]), people]));
  const figures: Figure[] = [];
  for (const { by, people } of counted.filter(({ variant }) => variant === 'enabled')) for (const period of periods.keys()) {
    const whole = people[period]!;
    if (dimensions.length > 0 && whole === 0) continue;
    for (const variant of variants) {
      const part = of.get(JSON.stringify([variant, ...by]))?.[period] ?? 0;
      figures.push({ period, by, variant, ...shareOfPeople(part, whole) });
    }
  }
  return figures;
}

function withoutRoster({ by, periods, notes }: Asking, variants: readonly string[]): Figure[] {
  notes.push(WITHOUT);
  return by.length > 0 ? [] : periods.flatMap((_, period) => variants.map((variant): Figure => ({ period, by: [], variant, ...NO_ROSTER })));
}
