/**
 * What a deployment that is no sandbox is told: figures behind which there are enough people, and of which none of fewer
 * follow, whatever else is asked.
 *
 * What arrives: a question and its metric. What leaves: rows, those of too few people without their figures, and notes of what
 * was left out. Without dimensions days are laid together until they hold enough (days.ts). By dimensions the grid of weeks,
 * periods of 4, 4 and 5 and quarters of 13 of them is answered once they are over, and cells of few people are hidden (hide.ts).
 * API and command line are both answered here.
 */
import { WrongInput, type AnswerRow, type Dimension, type Grain } from '@foothold/contract';
import { factsOf } from '@foothold/event-log';
import { dayNumber, dayText, mondayOf, timeZone } from '../local-day.js';
import { decideAcross, PAIRED, together, type Across } from './across.js';
import { type Population } from './behind.js';
import { hideBeside } from './beside.js';
import { bucketOf, buckets } from './bucket.js';
import { weeksOf, type Weeks } from './days.js';
import { hideQuarter, hideTable, labelOf, rowOf, type Hidden, type Row } from './hide.js';
import { LEAST_PEOPLE, type Asking, type Figure, type Metric, type Period, type Subject } from './metric.js';
import { reachedBy, withSums } from './sums.js';

/** Fewest people that a figure of this deployment is given for. */
export const leastPeople = ({ registration, agreement }: Pick<Subject, 'registration' | 'agreement'>): number => (registration.sandbox ? 1 : Math.max(LEAST_PEOPLE, agreement?.people ?? 0));

/** A question. */
export type Telling = Omit<Asking, 'periods' | 'grain'> & {
  metric: Metric;
  grain: Grain;
  range: Period;
  /** Which ends of the range were left open: there it reaches as far as what it ends in. */
  open: { from: boolean; to: boolean };
  /** The first day on which anything is counted. */
  first: number;
};

/** Of these, one may be cut by another. */
const CROSSED: readonly Dimension[] = ['task_kind', 'stage'];
/** Weeks of the periods of a quarter. */
const PERIODS = [4, 4, 5];
const QUARTER = 13;
const WEEK = 7;

/** The rows of an answer to a question that is not refused. */
export async function tell(asking: Telling): Promise<AnswerRow[]> {
  const telling = { ...asking, metric: remembering(asking.metric) };
  const { by, metric, subject, notes } = telling;
  const { completeThrough, registration } = subject;
  if (completeThrough === null) {
    notes.push('Nothing is told yet: it is not known up to when everything has arrived.');
    return [];
  }
  const over = timeZone(registration.timeZone).dayOf(completeThrough) - 1;
  const enough = leastPeople(subject);
  const isAxis = by.length === 1 && by[0] === 'week';
  const rows: AnswerRow[] = [];
  for (const [population, variants] of populations(metric)) {
    const asked = { ...telling, over, enough, population, variants };
    rows.push(...await (by.length === 0 || isAxis ? (population ? parts(asked) : daysOf(asked)) : population ? grid(asked) : weekEnds(asked)));
  }
  const named = (variant: string) => variant in metric.declaration.variants;
  const told = rows.filter(({ suppressed, variant }) => !suppressed || named(variant)).map((row) => (row.people !== null && row.people > 0 && row.people < enough ? hiddenRow(row) : row));
  const left = told.filter(({ suppressed }) => suppressed).length;
  if (left > 0) notes.push(`${left} of ${told.length} figures are hidden: fewer than ${enough} people are behind them, or what fewer did could be told from them.`);
  return sorted(told, metric, by);
}

/** The same metric, asked for the same figures once: populations mostly have the same days, and what decides is shown. Its notes it gives every time. */
function remembering(metric: Metric): Metric {
  const known = new Map<string, { figures: Promise<Figure[]>; notes: string[] }>();
  return {
    ...metric,
    async figures(asking) {
      const label = JSON.stringify([asking.by, asking.periods.map(({ from, to }) => [from, to])]);
      let own = known.get(label);
      if (!own) {
        const notes: string[] = [];
        known.set(label, (own = { figures: metric.figures({ ...asking, notes }), notes }));
      }
      const figures = await own.figures;
      asking.notes.push(...own.notes);
      return figures;
    },
  };
}

type Asked = Telling & { over: number; enough: number; population: Population | null; variants: ((variant: string) => boolean) };

/** @throws WrongInput where the question is finer than anybody is told. */
export function refuseTooFine({ by, grain, metric }: Pick<Telling, 'by' | 'grain' | 'metric'>): void {
  if (by.length === 0 || (by.length === 1 && by[0] === 'week')) return;
  const { id, grains } = metric.declaration;
  const may: readonly Grain[] = grains.filter((one) => one === 'week' || one === 'all');
  if (!may.includes(grain)) throw new WrongInput('grain', `${id} is not told by ${grain} and ${by.join(' and ')}: too few people would be behind it`, `ask for ${may.join(' or ')}, or without by`);
  if (by.length === 1) return;
  if (by.length > 2 || by.includes('week') || by.includes('handoff_week') || !by.some((dimension) => CROSSED.includes(dimension))) {
    throw new WrongInput('by', `${id} is not told by ${by.join(' and ')}: too few people would be behind it`, 'cut by one dimension, or by task_kind or stage and one other that is no week');
  }
  if (grain !== 'all') throw new WrongInput('grain', `by two dimensions it is not told by ${grain}`, 'ask for all: periods of four and five weeks');
}

/** The variants of a metric by who is behind them. */
function populations({ behind, declaration }: Metric): [Population | null, (variant: string) => boolean][] {
  if (behind === null) return [[null, () => true]];
  const of = new Map<string, Population>();
  for (const population of Object.values(behind)) of.set(population.id, population);
  const idOf = (variant: string) => (behind[variant] ?? behind['']!).id;
  return [...of.values()].map((population) => [population, (variant) => idOf(variant) === population.id || (!(variant in declaration.variants) && behind['']?.id === population.id)]);
}

/** Without dimensions: periods of whole parts. */
async function parts(asked: Asked): Promise<AnswerRow[]> {
  const { grain, range, open, metric, notes, enough } = asked;
  const weeks = await weeksIn(asked, range);
  const within = weeks.flatMap((one) => one.parts.map((part) => ({ ...part, week: one.from }))).filter(({ from, to }) => from >= range.from && (open.to ? from : to) <= range.to);
  const periods: Period[] = [];
  let bucket: number | null = null;
  for (const { from, to, week } of within) {
    const [begins, ends] = grain === 'month' ? [bucketOf('month', from).from, bucketOf('month', to).from] : grain === 'all' ? [0, 0] : grain === 'week' ? [week, week] : [from, from];
    if (begins !== ends) continue; // of two months, and told in neither
    const last = periods.at(-1);
    if (last && bucket === begins) last.to = to;
    else periods.push({ from, to });
    bucket = begins;
  }
  const lacking = range.to - range.from + 1 - daysIn(periods, range);
  if (lacking > 0) notes.push(`${lacking} of ${range.to - range.from + 1} days are not in it: days are told once they are over, and together until ${enough} people are behind them.`);
  if (periods.length === 0) return [];
  if (metric.before && !(await isWhole(asked, { from: 2 * periods[0]!.from - periods.at(-1)!.to - 1, to: periods[0]!.from - 1 }))) {
    notes.push('The days before the range cannot be told apart: ask for whole weeks.');
    return [];
  }
  return (await figuresAt(asked, periods, notes)).map((figure) => shown(asked, periods, figure, false));
}

/** Whether days can be told as they are, as far as anything is counted on them. */
async function isWhole(asked: Asked, days: Period): Promise<boolean> {
  if (days.to < asked.first) return true;
  const cut = (await weeksIn(asked, days)).flatMap((one) => one.parts).filter(({ from, to }) => (from < days.from && to >= days.from) || (from <= days.to && to > days.to));
  return cut.length === 0;
}

/** What is of one day each, without dimensions: of every day that is over. */
async function daysOf(asked: Asked): Promise<AnswerRow[]> {
  const { grain, range, over, enough, notes } = asked;
  const to = Math.min(range.to, over);
  if (to < range.to) notes.push(`It is told up to ${dayText(to)}: later days are not over.`);
  if (range.from > to) return [];
  const periods = buckets({ grain, from: range.from, to });
  const figures = await figuresAt(asked, periods, notes);
  if (!asked.metric.sums || grain !== 'week') return figures.map((figure) => shown(asked, periods, figure, false));
  const weeks = reachedBy(asked.metric, buckets({ grain, from: mondayOf(range.from), to: mondayOf(to) + WEEK - 1 }));
  const isHidden = withSums(asked.metric, weeks, await figuresAt(asked, weeks), ({ people }) => people < enough);
  const before = weeks.length - periods.length;
  return figures.map((figure) => shown(asked, periods, figure, figure.people > 0 && isHidden({ ...figure, period: figure.period + before })));
}

/** The same by dimensions: of the ends of weeks that are over. */
async function weekEnds(asked: Asked): Promise<AnswerRow[]> {
  const { grain, range, over, enough, notes } = asked;
  let sundays = buckets({ grain: 'week', from: mondayOf(range.from), to: range.to }).map(({ from }) => ({ from, to: from + WEEK - 1 })).filter(({ to }) => to <= Math.min(over, range.to + WEEK - 1) && to >= range.from);
  if (grain === 'all') sundays = sundays.slice(-1);
  if (sundays.length === 0) {
    notes.push('No week of the range is over: by dimensions, only those are told.');
    return [];
  }
  const weeks = reachedBy(asked.metric, sundays);
  const cells = await asked.metric.figures({ ...asked, periods: weeks });
  const isHidden = withSums(asked.metric, weeks, cells, await hideBeside({ ...asked, periods: weeks }, asked.metric, enough));
  const isAsked = ({ period }: Figure) => period >= weeks.length - sundays.length;
  return cells.filter(isAsked).map((figure) => shown(asked, weeks, figure, isHidden(figure)));
}

/** By dimensions: the largest parts of the grid that lie in the range and are over. */
async function grid(asked: Asked): Promise<AnswerRow[]> {
  const { by, grain, range, open: ends, notes } = asked;
  const anchor = await firstWeek(asked);
  const wanted = { from: ends.from ? quarterOf(range.from, anchor) : range.from, to: ends.to ? quarterOf(range.to, anchor) + QUARTER * WEEK - 1 : range.to };
  const isIn = ({ from, to }: Period) => from >= wanted.from && from <= range.to && (ends.to || to <= wanted.to);
  const rows: AnswerRow[] = [];
  const told: Period[] = [];
  for (let from = quarterOf(range.from, anchor); from <= range.to; from += QUARTER * WEEK) {
    const quarter = await quarterFrom(asked, from);
    const isCut = cutByHandoff(asked, quarter);
    const show = (figures: readonly Figure[], at: readonly Period[], tells: (period: Period) => boolean, isHidden: (figure: Figure) => boolean) => {
      told.push(...at.filter(tells));
      for (const figure of figures) if (tells(at[figure.period]!)) rows.push(shown(asked, at, figure, isHidden(figure) || isCut(at[figure.period]!)));
    };
    const closed = grain === 'week' ? [] : quarter.periods.filter((period) => period.closed && isIn(period.whole));
    if (by.length === 2) {
      told.push(...closed.map(({ whole }) => whole));
      if (closed.length > 0) rows.push(...await crossed(asked, quarter, closed, isCut));
      continue;
    }
    const weeks = quarter.periods.flatMap((period) => period.weeks);
    if (!weeks.some(isIn)) continue;
    const hidden = await hiddenIn(asked, quarter);
    if (grain === 'all' && quarter.closed && isIn(quarter.whole)) {
      show(await figuresAt(asked, [quarter.whole], notes), [quarter.whole], isIn, (figure) => hidden.quarter.has(labelOf(figure)));
      continue;
    }
    for (const period of closed) {
      const dark = hidden.periods[quarter.periods.indexOf(period)]!;
      show(await figuresAt(asked, [period.whole], notes), [period.whole], isIn, (figure) => dark.has(labelOf(figure)));
    }
    const dark = new Map<Period, ReadonlySet<string>>(weeks.map((week, i) => [week, hidden.rows.flat()[i]!]));
    const open = quarter.periods.filter((period) => !closed.includes(period)).flatMap((period) => period.weeks).filter(isIn);
    if (open.length > 0) show(await figuresAt(asked, open, notes), open, isIn, (figure) => dark.get(open[figure.period]!)!.has(labelOf(figure)));
  }
  const lacking = range.to - range.from + 1 - daysIn(told, range);
  if (lacking > 0) notes.push(`${lacking} of ${range.to - range.from + 1} days are not in it: by ${by.join(' and ')}, ${by.length === 2 ? 'periods of four or five weeks' : 'whole weeks and periods of them'} are told, once they are over.`);
  if (grain === 'all' && new Set(rows.map((row) => row.from)).size > 1) notes.push('The range is answered in the largest periods of the grid that lie in it: each row says from when to when it is.');
  return rows;
}

/**
 * Which stretches the handoff cuts so that their stages must not be told: by another dimension too, the stages of a period would
 * tell its weeks apart, and a stage that ends within days that are told together would tell these apart.
 */
function cutByHandoff({ by, subject }: Asked, quarter: Quarter): (stretch: Period) => boolean {
  const { handoff } = subject.registration;
  if (handoff === null || !by.includes('stage')) return () => false;
  const day = dayNumber(handoff)!;
  const isBetween = by.length === 1 && quarter.periods.some(({ weeks }) => weeks.some(({ parts }) => parts.some((part) => part.from === day)));
  return ({ from, to }) => from < day && day <= to && !isBetween;
}

/** Days of the range that lie in any of the periods, which share none. */
const daysIn = (periods: readonly Period[], range: Period): number => periods.reduce((sum, { from, to }) => sum + Math.max(0, Math.min(to, range.to) - Math.max(from, range.from) + 1), 0);

/** A stretch of the grid whose weeks are over. */
interface Stretch {
  whole: Period;
  weeks: Weeks[];
  /** All its weeks are there. */
  closed: boolean;
}
interface Quarter {
  whole: Period;
  closed: boolean;
  periods: Stretch[];
}

/** The Monday of the quarter of the grid that a day lies in. */
const quarterOf = (day: number, anchor: number): number => anchor + Math.floor((day - anchor) / (QUARTER * WEEK)) * QUARTER * WEEK;

async function quarterFrom(asked: Asked, from: number): Promise<Quarter> {
  const weeks = (await weeksIn(asked, { from, to: from + QUARTER * WEEK - 1 })).filter((one) => one.closed && one.from >= from);
  const periods: Stretch[] = [];
  let begin = from;
  for (const length of PERIODS) {
    const end = begin + length * WEEK;
    const own = weeks.filter((one) => one.from >= begin && one.from < end); // weeks that were laid together are of the period in which they begin
    const last = weeks.at(-1);
    periods.push({ weeks: own, whole: { from: own[0]?.from ?? begin, to: own.at(-1)?.to ?? begin }, closed: own.length > 0 && last !== undefined && last.to >= end - 1 });
    begin = end;
  }
  const filled = periods.filter(({ weeks: own }) => own.length > 0);
  return { periods, closed: filled.length > 0 && periods.every(({ closed, weeks: own }) => closed || own.length === 0) && weeks.at(-1)!.to >= from + QUARTER * WEEK - 1, whole: { from: filled[0]?.whole.from ?? from, to: filled.at(-1)?.whole.to ?? from } };
}

/** Which cells of a quarter are hidden, by one dimension. */
async function hiddenIn(asked: Asked, quarter: Quarter): Promise<Hidden> {
  const beside = (await across(asked, quarter))?.dimensions.get(asked.by[0]!);
  if (beside) return beside;
  const rowsAt = async (periods: readonly Period[]): Promise<Row[]> => {
    const [cells, wholes] = [await figuresAt(asked, periods), await figuresAt({ ...asked, by: [] }, periods)];
    return periods.map((_, nth) => rowOf(cells.filter(({ period }) => period === nth), wholes.filter(({ period }) => period === nth)));
  };
  const weeks = await rowsAt(quarter.periods.flatMap((period) => period.weeks));
  const wholes = await rowsAt(quarter.periods.filter(({ closed }) => closed).map(({ whole }) => whole));
  const [all = null] = quarter.closed ? await rowsAt([quarter.whole]) : [];
  return hideQuarter(quarter.periods.map((period) => ({ rows: weeks.splice(0, period.weeks.length), whole: period.closed ? wholes.shift()! : null })), all, asked.enough);
}

/** What is hidden for what other dimensions tell; null: not the population's. */
async function across(asked: Asked, { periods }: Quarter): Promise<Across | null> {
  const dimensions = together(asked.metric.declaration.dimensions, asked.population!);
  return dimensions.length === 0 ? null : decideAcross({ ...asked, periods: [] }, asked.population!, dimensions, periods, asked.enough);
}

/** By two dimensions: periods that are over. */
async function crossed(asked: Asked, quarter: Quarter, periods: Stretch[], isCut: (period: Period) => boolean): Promise<AnswerRow[]> {
  const { by, enough } = asked;
  const at = periods.map(({ whole }) => whole);
  const figures = await figuresAt(asked, at, asked.notes);
  const decided = by.includes(PAIRED) ? (await across(asked, quarter))?.pairs.get(by.find((dimension) => dimension !== PAIRED)!) : undefined;
  const told = decided ? null : [await shownPeriods({ ...asked, by: [by[0]!] }, quarter), await shownPeriods({ ...asked, by: [by[1]!] }, quarter)] as const;
  return periods.flatMap((period, nth) => {
    const p = quarter.periods.indexOf(period);
    const own = figures.filter((figure) => figure.period === nth);
    const hidden = decided?.[p] ?? hideTable(new Map(own.map((figure) => [labelOf(figure), { row: JSON.stringify([figure.by[0]]), column: JSON.stringify([figure.by[1]]), people: figure.people }])), told![0][p]!, told![1][p]!, enough);
    const label = ({ by: values }: Figure) => JSON.stringify(decided && by[0] !== PAIRED ? [...values].reverse() : values);
    return own.map((figure) => shown(asked, at, figure, hidden.has(label(figure)) || isCut(period.whole)));
  });
}

/** By period of a quarter, the values of a dimension that are shown of it; of one that is not over, none. */
async function shownPeriods(asked: Asked, quarter: Quarter): Promise<Set<string>[]> {
  const { periods: dark } = await hiddenIn(asked, quarter);
  const closed = quarter.periods.filter((period) => period.closed);
  const figures = await figuresAt(asked, closed.map(({ whole }) => whole));
  return quarter.periods.map((period, p) => new Set(figures.filter((figure) => closed[figure.period] === period).map(labelOf).filter((label) => !dark[p]!.has(label))));
}

const weeksIn = ({ query, subject, held, population, first, over, enough }: Asked, range: Period): Promise<Weeks[]> => weeksOf({ query, subject, held }, population!, range, first, over, enough);

/** The Monday of the week in which the deployment was registered: the grid must not move with what arrives. */
async function firstWeek({ query, subject }: Asked): Promise<number> {
  const [registered] = await factsOf(query, subject.deployment, 'deployment.registered');
  return mondayOf(registered ? timeZone(subject.registration.timeZone).dayOf(registered.time) : 0);
}

/** The figures of a population. */
async function figuresAt(asked: Asked, periods: readonly Period[], notes: string[] = []): Promise<Figure[]> {
  return periods.length === 0 ? [] : (await asked.metric.figures({ ...asked, periods, notes })).filter(({ variant }) => asked.variants(variant));
}

/** A figure as a row of the answer. */
export function shown({ by: dimensions }: Pick<Asking, 'by'>, periods: readonly Period[], { period, by, ...figure }: Figure, isHidden: boolean): AnswerRow {
  const { from, to } = periods[period]!;
  const row = { from: dayText(from), to: dayText(to), by: Object.fromEntries(dimensions.map((dimension, i) => [dimension, by[i]!])), ...figure, suppressed: false };
  return isHidden ? hiddenRow(row) : row;
}

const hiddenRow = ({ from, to, by, variant }: AnswerRow): AnswerRow => ({ from, to, by, variant, value: null, numerator: null, denominator: null, low: null, high: null, people: null, suppressed: true });

/** In the order of periods, groups and variants, as where nothing is hidden. */
function sorted(rows: AnswerRow[], { declaration }: Metric, by: readonly Dimension[]): AnswerRow[] {
  const variants = Object.keys(declaration.variants);
  const place = (variant: string) => (variants.indexOf(variant) + 1 || variants.length + 1);
  const order = (one: AnswerRow, other: AnswerRow): number => {
    if (one.from !== other.from) return one.from < other.from ? -1 : 1;
    if (one.to !== other.to) return one.to < other.to ? -1 : 1;
    for (const dimension of by) if (one.by[dimension] !== other.by[dimension]) return (one.by[dimension] ?? '') < (other.by[dimension] ?? '') ? -1 : 1;
    return place(one.variant) - place(other.variant);
  };
  return rows.sort(order);
}
