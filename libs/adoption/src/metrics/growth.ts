/** Where the people who use it come from, and where they go, from one week, 28 days or month to the next. */
import { dayText } from '../local-day.js';
import { ACTIVE } from './as-of.js';
import { bucketOf, buckets } from './bucket.js';
import { cut, groupOf, groups, personDays, type Counted } from './cut.js';
import { LEAST_PEOPLE, type Asking, type Figure, type Metric, type Period } from './metric.js';
import { UNKNOWN } from './ratio.js';
import { periodOn, placeOf, rosterOf, type OnRoster } from './teams.js';
import { firstUse } from './weeks.js';

/** Its grains. */
type Whole = 'week' | 'month';

/** By what is added to a variant's name, how many weeks or months it is about: those that end with the period. It looks back to as many before. */
const WINDOWS: Record<string, number> = { '': 1, _28: 4 };

export const growth: Metric = {
  declaration: {
    id: 'adoption.growth',
    question: 'Do people stay with it, and who comes and goes?',
    formula: 'active = retained + new + resurrected; churned = active in the week, 28 days or month before - retained',
    unit: 'people',
    variants: {
      active: 'accepted or overrode a result in the week or month', retained: 'of these, active in the one before too', new: 'of these, never active before',
      resurrected: 'of these, active before but not in the one before', churned: 'active in the one before and not in this one',
      quick_ratio: 'a ratio: (new + resurrected) / churned; none where nobody churned',
      active_28: 'accepted or overrode a result in the 28 days that end with the week', retained_28: 'of these, active in the 28 days before too', new_28: 'of these, never active before the 28 days',
      resurrected_28: 'of these, active before but not in the 28 days before', churned_28: 'active in the 28 days before and not in these',
      quick_ratio_28: 'a ratio: (new_28 + resurrected_28) / churned_28; none where nobody churned',
    },
    grains: ['week', 'month'],
    dimensions: ['team', 'role'],
    minimum: LEAST_PEOPLE,
    watchOut: 'A roster that stays the same runs out of new people: new falls where nothing is wrong. A month of holidays churns people who come back. Weeks and months that the range cuts are left out. By team and role, over 28 days, somebody counts where they were when they were active: who moves churns from the one and comes to the other; else where they are at the end of the week.',
    version: 1,
  },
  whole: true,
  // People of a week or of 28 days are counted once, however often they came: what is told of one follows from no others, but
  // for those who are new, each of whom is new in one week.
  behind: null,
  sums: { weeks: WINDOWS['_28']!, of: { new_28: 'new', resurrected_28: 'new' } }, // the one is what the other, retained and active leave
  async figures(asking) {
    const { periods } = asking;
    const grain = asking.grain as Whole;
    // What is cut by the range would count those whose days were cut off as churned.
    const whole = periods.filter(({ from, to }) => from === bucketOf(grain, from).from && to === bucketOf(grain, to).to);
    const cutOff = periods.length - whole.length;
    if (cutOff > 0) asking.notes.push(`${cutOff === 1 ? `one ${grain} that is` : `${cutOff} ${grain}s that are`} not whole in the range ${cutOff === 1 ? 'is' : 'are'} left out`);
    if (whole.length === 0) return [];
    const asked = { ...asking, periods: whole };
    const figures: Figure[] = [];
    const names = Object.keys(WINDOWS).filter((name) => grain === 'week' || name === '');
    for (const { period: nth, by: values, row } of groups(asked, await moves(asked, grain, names))) for (const name of names) {
      const period = periods.indexOf(whole[nth]!);
      const of = (count: string) => Number(row?.[`${count}${name}`] ?? 0);
      const [active, retained, fresh, before] = [of('active'), of('retained'), of('fresh'), of('before')];
      const counts = { active, retained, new: fresh, resurrected: active - retained - fresh, churned: before - retained };
      for (const [variant, count] of Object.entries(counts)) {
        figures.push({ period, by: values, variant: `${variant}${name}`, value: count, numerator: count, denominator: null, low: null, high: null, people: variant === 'churned' ? before : active });
      }
      const [came, went] = [active - retained, before - retained];
      figures.push({ ...UNKNOWN, period, by: values, variant: `quick_ratio${name}`, value: went === 0 ? null : came / went, numerator: came, denominator: went, people: active + went });
    }
    return asking.by.length > 0 ? figures.filter(({ people, numerator, denominator }) => people > 0 && (numerator !== 0 || denominator !== 0)) : figures;
  },
};

/** What is counted of a period, group and window. */
const COUNTS = ['active', 'retained', 'fresh', 'before'] as const;

/** By period and group, for each of the named windows: people active in it, of these those active before it and those never active until it, and those active before it. */
async function moves(asking: Asking, grain: Whole, names: readonly string[]): Promise<Counted[]> {
  const { by, periods } = asking;
  const spans = spansOf(periods, grain, 2 * Math.max(...names.map((name) => WINDOWS[name]!)));
  const ends = periods.map(({ to }) => spans.findIndex((span) => span.to === to));
  // Whoever counts where they are at the end is read without the dimensions.
  const active = await activeSpans({ ...asking, by: names.length > 1 ? by : [] }, spans, grain);
  const first = await firstUse(asking);
  const roster = by.length > 0 ? await rosterOf(asking) : null;
  const found = new Map<string, { place: readonly (string | null)[]; counts: Int32Array }>();
  const countsOf = (place: readonly (string | null)[]): Int32Array => {
    const label = place.join('\u0001');
    let group = found.get(label);
    if (!group) found.set(label, (group = { place, counts: new Int32Array(periods.length * names.length * COUNTS.length) }));
    return group.counts;
  };
  for (const [nth, name] of names.entries()) for (const { person, last, by: here } of name === '' ? everywhere(active) : active) {
    const length = WINDOWS[name]!;
    const [began, own] = [first.get(person)!, roster?.get(person)];
    let counts: Int32Array | undefined;
    let there: OnRoster | undefined;
    for (const [period, end] of ends.entries()) {
      const isNow = last[end]! > end - length;
      const wasBefore = last[end - length]! > end - 2 * length;
      if (!isNow && !wasBefore) continue;
      const where = name === '' ? periodOn(own, spans[end]!.to) : undefined;
      if (!counts || where !== there) counts = countsOf(name === '' ? placeOf(where, by) : here);
      there = where;
      const at = (period * names.length + nth) * COUNTS.length;
      if (isNow) counts[at]!++;
      if (isNow && wasBefore) counts[at + 1]!++;
      if (isNow && began >= spans[end - length + 1]!.from) counts[at + 2]!++;
      if (wasBefore) counts[at + 3]!++;
    }
  }
  return [...found.values()].flatMap(({ place, counts }) => periods.flatMap((_, period) => {
    const own = names.flatMap((name, nth) => COUNTS.map((count, i) => [`${count}${name}`, counts[(period * names.length + nth) * COUNTS.length + i]!] as const));
    return own.every(([, count]) => count === 0) ? [] : [{ period, ...Object.fromEntries(by.map((dimension, i) => [dimension, place[i] ?? ''])), ...Object.fromEntries(own) }];
  }));
}

/** All weeks or months from the first that is looked back to, up to the last that is asked for. */
function spansOf(periods: readonly Period[], grain: Whole, back: number): Period[] {
  let { from } = periods[0]!;
  for (let i = 0; i < back; i++) ({ from } = bucketOf(grain, from - 1));
  return buckets({ grain, from, to: periods.at(-1)!.to });
}

/** In a group, which was the last of the weeks or months in which somebody was active, as of each of them; before the first, none. */
interface ActiveSpans {
  by: (string | null)[];
  person: string;
  last: Int32Array;
}

/** Before all that anybody looks back to. */
const NEVER = -(2 ** 31);
/** Weeks or months as bits of whole numbers: a row a day would take longer to read than to count. */
const BLOCK = 30;

async function activeSpans(asking: Asking, spans: readonly Period[], grain: Whole): Promise<ActiveSpans[]> {
  const { by } = asking;
  const values: unknown[] = [];
  const { names, columns, from } = cut({ ...asking, periods: [{ from: spans[0]!.from, to: spans.at(-1)!.to }] }, personDays(asking), values);
  const starts = spans.map((span) => dayText(span.from));
  const nth = grain === 'week' ? `(d.day - $${values.push(starts[0])}::date) / 7` : `width_bucket(d.day, $${values.push(starts)}::date[]) - 1`; // which would do for weeks too, in more time
  const rows = await asking.query<Counted & { person: string; block: number; bits: number }>(
    `select ${names}, person::text, nth / ${BLOCK} as block, bit_or(1 << nth % ${BLOCK}) as bits from (select ${columns}, d.person, ${nth} as nth ${from} and ${ACTIVE}) d group by ${names}, person, block`, values);
  const found = new Map<string, ActiveSpans>();
  for (const row of rows) {
    const place = groupOf(row, by);
    const label = [row.person, ...place].join('\u0001');
    let own = found.get(label);
    if (!own) found.set(label, (own = { by: place, person: row.person, last: new Int32Array(spans.length).fill(NEVER) }));
    for (let bit = 0; bit < BLOCK; bit++) if ((row.bits >> bit) & 1) own.last[row.block * BLOCK + bit] = row.block * BLOCK + bit;
  }
  for (const { last } of found.values()) for (let i = 1; i < last.length; i++) if (last[i] === NEVER) last[i] = last[i - 1]!;
  return [...found.values()];
}

/** The same people, each wherever they were. */
function everywhere(active: readonly ActiveSpans[]): ActiveSpans[] {
  const people = new Map<string, ActiveSpans>();
  for (const { person, last } of active) {
    const known = people.get(person);
    people.set(person, { person, by: [], last: known ? last.map((one, i) => Math.max(one, known.last[i]!)) : last });
  }
  return [...people.values()];
}
