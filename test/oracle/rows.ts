/** From facts to rows, for the oracle: buckets of days, groups of facts, and figures of a group. */
import { dayName, dayNumber, dayOfMonth, mondayOf } from './days.js';
import { compare, groupedBy, type Dimensions, type Fact } from './facts.js';

export interface Question {
  deployment: string;
  metric: string;
  grain: 'day' | 'week' | 'month' | 'all';
  /** Local days, YYYY-MM-DD, both included. */
  from?: string;
  to?: string;
  by: readonly string[];
  /** Microseconds since the epoch. */
  completeThrough: number | null;
}

export interface OracleRow {
  from: string;
  to: string;
  by: Record<string, string | null>;
  variant: string;
  value: number | null;
  numerator: number | null;
  denominator: number | null;
  people: number;
  /** Only of shares of people (Wilson). */
  low?: number | null;
  high?: number | null;
}

export type Figure = Omit<OracleRow, 'from' | 'to' | 'by'>;
/** Both ends belong to it. */
export type Bucket = { from: number; to: number };
export type Grouped = { person: string; dimensions: Dimensions };

export function rowsOf<F extends Fact>(
  buckets: Bucket[], facts: F[], question: Question, figuresOf: (facts: F[]) => Figure[],
): OracleRow[] {
  const rows: OracleRow[] = [];
  for (const bucket of buckets) {
    const inside = facts.filter((fact) => fact.day >= bucket.from && fact.day <= bucket.to);
    for (const group of groupsOf(inside, question.by)) {
      for (const figure of figuresOf(group.facts)) {
        if (figure.denominator === 0 && question.by.length > 0) continue;
        rows.push({ ...ends(bucket), by: group.by, ...figure });
      }
    }
  }
  return rows;
}

/** Rows of what is gathered for each bucket, such as who stands where on its last day. */
export function rowsAt<F extends Grouped>(buckets: Bucket[], question: Question, gather: (bucket: Bucket) => F[], figuresOf: (facts: F[], bucket: Bucket) => Figure[]): OracleRow[] {
  const rows: OracleRow[] = [];
  for (const bucket of buckets) {
    for (const group of groupsOf(gather(bucket), question.by)) {
      for (const figure of figuresOf(group.facts, bucket)) {
        const nothing = figure.denominator === null ? figure.people === 0 : figure.denominator === 0 && !figure.numerator;
        if (nothing && question.by.length > 0) continue;
        rows.push({ ...ends(bucket), by: group.by, ...figure });
      }
    }
  }
  return rows;
}

/** The figures of a metric that needs a roster where there is none. */
export function unrostered(variants: readonly string[]): Figure[] {
  return variants.map((variant) => ({ variant, value: null, numerator: null, denominator: null, people: 0 }));
}

export function ratio<F extends Grouped>(variant: string, facts: F[], counts: (fact: F) => boolean): Figure {
  const numerator = facts.filter(counts).length;
  const denominator = facts.length;
  const people = new Set(facts.map((fact) => fact.person)).size;
  return { variant, value: denominator === 0 ? null : numerator / denominator, numerator, denominator, people };
}

export function meanOfPeople<F extends Grouped>(variant: string, facts: F[], counts: (fact: F) => boolean): Figure {
  const people = [...new Set(facts.map((fact) => fact.person))].sort(compare);
  let sum = 0;
  for (const person of people) {
    sum += ratio(variant, facts.filter((fact) => fact.person === person), counts).value ?? 0;
  }
  const count = people.length;
  return { variant, value: count === 0 ? null : sum / count, numerator: sum, denominator: count, people: count };
}

/** Without dimensions there is always one group, even of nothing. */
export function groupsOf<F extends Grouped>(facts: F[], dimensions: Question['by']): { by: Dimensions; facts: F[] }[] {
  if (dimensions.length === 0) return [{ by: {}, facts }];
  const valuesOf = (fact: F): Dimensions =>
    Object.fromEntries(dimensions.map((name) => [name, fact.dimensions[name] ?? null]));
  return groupedBy(facts, valuesOf).sort((a, b) => compare(a.key, b.key))
    .map(({ key, all }) => ({ by: JSON.parse(key) as Dimensions, facts: all }));
}


/** A number of people. */
export const count = (variant: string, people: number): Figure => ({ variant, value: people, numerator: people, denominator: null, people });

/** A share of people, each of whom counts once, with Wilson's 95 % interval. */
export function share(variant: string, some: number, all: number): Figure {
  return { variant, value: all === 0 ? null : some / all, numerator: some, denominator: all, people: all, ...wilson(some, all) };
}

function wilson(some: number, all: number): { low: number | null; high: number | null } {
  if (all === 0) return { low: null, high: null };
  const z = 1.959963984540054;
  const p = some / all;
  const middle = p + (z * z) / (2 * all);
  const reach = z * Math.sqrt((p * (1 - p)) / all + (z * z) / (4 * all * all));
  const scale = 1 + (z * z) / all;
  return { low: some === 0 ? 0 : (middle - reach) / scale, high: some === all ? 1 : (middle + reach) / scale };
}

export const peopleOf = (facts: readonly { person: string }[]): string[] => [...new Set(facts.map((fact) => fact.person))].sort(compare);

export function bucketsOf(question: Question, facts: Fact[]): Bucket[] {
  const days = facts.map((fact) => fact.day).sort((a, b) => a - b);
  const first = question.from === undefined ? days[0] : dayNumber(question.from);
  const last = question.to === undefined ? days.at(-1) : dayNumber(question.to);
  if (first === undefined || last === undefined) return [];

  const buckets: Bucket[] = [];
  for (let day = first; day <= last; day += 1) {
    const open = buckets.at(-1);
    if (open !== undefined && !startsBucket(day, question.grain)) open.to = day;
    else buckets.push({ from: day, to: day });
  }
  return buckets;
}

function startsBucket(day: number, grain: Question['grain']): boolean {
  if (grain === 'day') return true;
  if (grain === 'week') return day === mondayOf(day);
  if (grain === 'month') return dayOfMonth(day) === 1;
  return false;
}

export const ends = (bucket: Bucket): { from: string; to: string } => ({ from: dayName(bucket.from), to: dayName(bucket.to) });
