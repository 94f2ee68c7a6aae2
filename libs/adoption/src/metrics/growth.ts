/** Where the people who use it come from, and where they go, from one week, 28 days or month to the next. */
import { activeDays, type ActiveDays } from './as-of.js';
import { bucketOf } from './bucket.js';
import { groups, type Counted } from './cut.js';
import { LEAST_PEOPLE, type Asking, type Figure, type Metric, type Period } from './metric.js';
import { UNKNOWN } from './ratio.js';
import { periodOn, placeOf } from './teams.js';
import { firstUse } from './weeks.js';

/** Its grains. */
type Whole = 'week' | 'month';

const WINDOW = 28;
/** By what is added to a variant's name: the days it is about, and the days before that it looks back to. */
const WINDOWS: Record<string, (period: Period, grain: Whole) => { now: Period; before: Period }> = {
  '': (period, grain) => ({ now: period, before: bucketOf(grain, period.from - 1) }),
  _28: ({ to }) => ({ now: { from: to - WINDOW + 1, to }, before: { from: to - 2 * WINDOW + 1, to: to - WINDOW } }),
};

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
  sums: { weeks: WINDOW / 7, of: { new_28: 'new', resurrected_28: 'new' } }, // the one is what the other, retained and active leave
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

/** By period and group, for each of the named windows: people active in it, of these those active before it and those never active until it, and those active before it. */
async function moves(asking: Asking, grain: Whole, names: readonly string[]): Promise<Counted[]> {
  const { by, periods } = asking;
  const windows = names.map((name) => ({ name, of: periods.map((period) => WINDOWS[name]!(period, grain)) }));
  const active = await activeDays(asking, { from: Math.min(...windows.map(({ of }) => of[0]!.before.from)), to: periods.at(-1)!.to });
  const first = await firstUse(asking);
  const roster = by.length > 0 ? (await asking.held.roster()).enabled : null;
  const groupsFound = new Map<string, { place: readonly (string | null)[]; counts: Int32Array }>();
  const countsOf = (place: readonly (string | null)[]): Int32Array => {
    const label = place.join('\u0001');
    let group = groupsFound.get(label);
    if (!group) groupsFound.set(label, (group = { place, counts: new Int32Array(names.length * periods.length * COUNTS.length) }));
    return group.counts;
  };
  for (const [nth, { name, of }] of windows.entries()) for (const { person, days, by: here } of name === '' ? everywhere(active) : active) {
    const [isNow, wasBefore] = [looking(days), looking(days)];
    const atEnd = roster && name === '' ? roster.get(person) ?? [] : null;
    const own = atEnd ? null : countsOf(here);
    for (const [period, { now, before }] of of.entries()) {
      const [is, was] = [isNow(now), wasBefore(before)];
      if (!is && !was) continue;
      const counts = own ?? countsOf(placeOf(periodOn(atEnd!, now.to), by));
      const at = (nth * periods.length + period) * COUNTS.length;
      if (was) counts[at]!++;
      if (!is) continue;
      counts[at + 1]!++;
      if (was) counts[at + 2]!++;
      if (first.get(person)! >= now.from) counts[at + 3]!++;
    }
  }
  return [...groupsFound.values()].flatMap(({ place, counts }) => periods.map((_, period): Counted => ({
    period, ...Object.fromEntries(by.map((dimension, i) => [dimension, place[i] ?? ''])),
    ...Object.fromEntries(windows.flatMap(({ name }, nth) => COUNTS.map((what, i) => [`${what}${name}`, counts[(nth * periods.length + period) * COUNTS.length + i]!]))),
  })).filter((row) => names.some((name) => Number(row[`before${name}`]) + Number(row[`active${name}`]) > 0)));
}

/** What is counted of a window, in this order. */
const COUNTS = ['before', 'active', 'retained', 'fresh'];

/** The same people, each with all of their days. */
function everywhere(active: readonly ActiveDays[]): Pick<ActiveDays, 'person' | 'days' | 'by'>[] {
  const people = new Map<string, number[]>();
  for (const { person, days } of active) people.set(person, people.has(person) ? [...people.get(person)!, ...days].sort((one, other) => one - other) : days);
  return [...people].map(([person, days]) => ({ person, days, by: [] }));
}

/** Whether any of the days, which are in order, lies in a window; to be asked for windows in order. */
function looking(days: readonly number[]): (window: Period) => boolean {
  let next = 0;
  return ({ from, to }) => {
    while (next < days.length && days[next]! <= to) next++;
    return next > 0 && days[next - 1]! >= from;
  };
}
