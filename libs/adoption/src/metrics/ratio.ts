/**
 * Metrics that are a share, or a mean, of something people did: per person sums in SQL, ratios and their doubt here.
 * People behave alike from one result to the next, so intervals are clustered by person: the query gives, for each
 * cell, the sums over people of x, y, x², xy and y², from which a ratio's linearised variance follows.
 */
import { clusteredRatio, meanOfShares, wilson } from '@foothold/statistics';
import { cut, groups, isOfResults, personDays, type Counted } from './cut.js';
import { spanOf, type HeldDay } from './held.js';
import { type Asking, type Figure } from './metric.js';
import { beside, heldSums, type Entry } from './person-sums.js';

/** An amount of a person in one cell: of their counters so many times each. */
export interface Amount {
  of: Readonly<Record<string, number>>;
  /** So many are one: what are no whole numbers is counted in parts, so that no order of adding gives another last digit. */
  per?: number;
  /** Just whether there is any of it: 1 or 0. */
  any?: true;
}

export const amountOf = (...counters: readonly string[]): Amount => ({ of: Object.fromEntries(counters.map((counter) => [counter, 1])) });
export const less = ({ of, ...amount }: Amount, ...counters: readonly string[]): Amount => ({ ...amount, of: { ...of, ...Object.fromEntries(counters.map((counter) => [counter, -1])) } });

export interface RatioVariant {
  x: Amount;
  y: Amount;
  /** The mean over people of their own share, rather than the share of the sums. */
  meanOfPeople?: true;
}

export interface Ratio {
  variants: Record<string, RatioVariant>;
  /** A condition on the rows `d` with their dimensions; it adds its values. */
  where?: (values: unknown[]) => string;
  /** Counters per person from elsewhere, of few people: a statement that gives a question's periods, dimensions, person and these. */
  also?: { counters: readonly string[]; sql: (asking: Asking, values: unknown[]) => string };
}

/** Sums over the people of one cell. */
export interface Sums {
  n: number;
  x: number;
  y: number;
  xx: number;
  xy: number;
  yy: number;
  shares: number;
  squares: number;
}

/** The sums of each variant in each cell: every period where nothing is cut by a dimension, else the groups that hold something. */
export async function ratioSums(asking: Asking, ratio: Ratio): Promise<{ period: number; by: (string | null)[]; sums: Record<string, Sums> }[]> {
  const variants = Object.entries(ratio.variants);
  const found = await (isOfResults(asking) || ratio.where ? queriedSums(asking, ratio) : countedSums(asking, ratio));
  return [...groups(asking, found)].map(({ period, by, row }) => ({ period, by, sums: Object.fromEntries(variants.map(([name, variant], i) => [name, pick(row, i, variant)])) }));
}

/** All counters of person-days that are needed. */
function countersOf({ variants, also }: Ratio): string[] {
  const counters = new Set(Object.values(variants).flatMap(({ x, y }) => [...Object.keys(x.of), ...Object.keys(y.of)]));
  for (const counter of also?.counters ?? []) counters.delete(counter);
  return [...counters];
}

/** From the days that are held. */
async function countedSums(asking: Asking, { also, ...ratio }: Ratio): Promise<Counted[]> {
  const { held, periods } = asking;
  const counters = countersOf({ ...ratio, ...(also ? { also } : {}) });
  const days = await held.sums(counters, spanOf(periods));
  const all = also ? beside(days, also.counters.length, await alsoOf(asking, also, days)) : days;
  return heldSums(asking, all, [...counters, ...(also?.counters ?? [])], Object.values(ratio.variants));
}

/** What comes from elsewhere, by day. */
async function alsoOf(asking: Asking, also: NonNullable<Ratio['also']>, days: readonly HeldDay[]): Promise<Entry[][]> {
  const entries = days.map((): Entry[] => []);
  if (days.length === 0) return entries;
  const values: unknown[] = [];
  const rows = await asking.query<Counted & { person: string }>(`select period::int, person::text, ${also.counters.map((counter) => `${counter}::float8`).join(', ')} from (${also.sql({ ...asking, by: [], periods: days.map(({ day }) => ({ from: day, to: day })) }, values)}) w`, values);
  for (const { period, person, ...row } of rows) for (const [column, counter] of also.counters.entries()) entries[Number(period)]!.push({ person: asking.held.placeOf(person), column, amount: Number(row[counter]) });
  return entries;
}

/** By dimensions of results, or of some rows only: in SQL. */
async function queriedSums(asking: Asking, ratio: Ratio): Promise<Counted[]> {
  const variants = Object.values(ratio.variants);
  const counters = countersOf(ratio);
  const type = variants.some(({ x, y }) => x.per ?? y.per) ? 'numeric' : 'float8';
  const values: unknown[] = [];
  const slices = cut(asking, personDays(asking, ratio.where !== undefined), values);
  const person = `select ${slices.columns}, d.person, ${counters.map((counter) => `sum(d.${counter})::${type} as ${counter}`).join(', ')}
    ${slices.from} and (${counters.map((counter) => `d.${counter} <> 0`).join(' or ')}) ${ratio.where ? `and ${ratio.where(values)}` : ''} group by ${slices.names}, d.person`;
  const more = ratio.also ? `, ${ratio.also.counters.map((sum) => `coalesce(${sum}, 0)::float8 as ${sum}`).join(', ')}` : '';
  const shares = `select ${slices.names}, ${variants.map(({ x, y }, i) => `(${sqlOf(x)})::${type} as x${i}, (${sqlOf(y)})::${type} as y${i}`).join(', ')}
    from (select p.*${more} from (${person}) p ${ratio.also ? `left join (${ratio.also.sql(asking, values)}) w using (${slices.names}, person)` : ''}) p`;
  // Fractions are added in the order of their size, not as they come: the same facts give the same answer to the last digit.
  const fractions = (i: number) => `, sum(x${i} / nullif(y${i}, 0) order by x${i} / nullif(y${i}, 0)) as shares${i}, sum((x${i} / nullif(y${i}, 0)) ^ 2 order by x${i} / nullif(y${i}, 0)) as squares${i}`;
  const sums = variants.map(({ meanOfPeople }, i) => `count(*) filter (where y${i} > 0)::float8 as n${i}, sum(x${i}) as x${i}, sum(y${i}) as y${i}, sum(x${i} * x${i}) as xx${i},
    sum(x${i} * y${i}) as xy${i}, sum(y${i} * y${i}) as yy${i}${meanOfPeople ? fractions(i) : ''}`);
  return asking.query<Counted>(`select ${slices.names}, ${sums.join(', ')} from (${shares}) s group by ${slices.names}`, values);
}

function sqlOf({ of, any }: Amount): string {
  const sum = Object.entries(of).map(([counter, times]) => (times === 1 ? counter : `${times} * ${counter}`)).join(' + ');
  return any ? `case when ${sum} > 0 then 1 else 0 end` : sum;
}

/** The figures of a metric all of whose variants are ratios. */
export async function ratioFigures(asking: Asking, ratio: Ratio): Promise<Figure[]> {
  return (await ratioSums(asking, ratio)).flatMap(({ period, by, sums }) =>
    Object.entries(ratio.variants)
      .filter(([name]) => by.length === 0 || sums[name]!.y !== 0)
      .map(([variant, { meanOfPeople }]) => ({ period, by, variant, ...judged(sums[variant]!, meanOfPeople) })),
  );
}

/** A ratio with its doubt, from the sums of its cell. */
export function judged(sums: Sums, meanOfPeople?: true): Pick<Figure, 'value' | 'numerator' | 'denominator' | 'low' | 'high' | 'people'> {
  const { n, x, y } = sums;
  if (y === 0) return { ...UNKNOWN, numerator: 0, denominator: 0, people: 0 };
  const interval = meanOfPeople
    ? meanOfShares({ n, sum: sums.shares, sumSquares: sums.squares })
    : clusteredRatio({ n, sumX: x, sumY: y, sumXX: sums.xx, sumXY: sums.xy, sumYY: sums.yy });
  const [numerator, denominator] = meanOfPeople ? [sums.shares, n] : [x, y];
  return { value: numerator / denominator, numerator, denominator, low: interval?.low ?? null, high: interval?.high ?? null, people: n };
}

/** A share of people, each of whom counts once. */
export function shareOfPeople(part: number, whole: number): Pick<Figure, 'value' | 'numerator' | 'denominator' | 'low' | 'high' | 'people'> {
  const interval = wilson(part, whole);
  return { value: whole === 0 ? null : part / whole, numerator: part, denominator: whole, low: interval?.low ?? null, high: interval?.high ?? null, people: whole };
}

/** Of a figure about which nothing can be said. */
export const UNKNOWN = { value: null, numerator: null, low: null, high: null };

function pick(row: Counted | undefined, i: number, { x: { per: perX = 1 }, y: { per: perY = 1 } }: RatioVariant): Sums {
  const of = (name: string) => Number(row?.[`${name}${i}`] ?? 0);
  return { n: of('n'), x: of('x') / perX, y: of('y') / perY, xx: of('xx') / perX / perX, xy: of('xy') / perX / perY, yy: of('yy') / perY / perY, shares: of('shares'), squares: of('squares') };
}
