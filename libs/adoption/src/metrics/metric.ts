/**
 * What a metric is: one declaration, which everything that lists, explains, checks or describes it reads, and how its
 * figures come out of the read tables.
 *
 * What arrives: an understood question, cut into periods that may be answered. What leaves: figures, one a period, group and
 * variant. Next is answer.ts, which hides those of too few people.
 */
import { type Dimension, type Grain, type Unit } from '@foothold/contract';
import { type Agreement, type Closure } from '../lifecycle.js';
import { type Registration } from '../registration.js';
import { type Population } from './behind.js';
import { type Held } from './held.js';

export { LEAST_PEOPLE } from '../lifecycle.js';

export interface MetricDeclaration {
  id: string;
  /** In a manager's words. */
  question: string;
  formula: string;
  unit: Unit;
  /** What each variant counts; `trust.override` adds one variant per reason that occurs. */
  variants: Record<string, string>;
  grains: readonly Grain[];
  dimensions: readonly Dimension[];
  /** Fewest people a figure is given for. */
  minimum: number;
  /** How it is misread. */
  watchOut: string;
  version: number;
}

export interface Metric {
  declaration: MetricDeclaration;
  /**
   * Who is behind the figures of each variant (of others than are named: of ''), where figures add up over days, so that what
   * is told of days tells of their differences. Null: a figure is of one day, and none follows from those of other days.
   */
  behind: Readonly<Record<string, Population>> | null;
  /** Of figures that are of one day each, those that add up over so many weeks nevertheless: which variant is the sum of which. */
  sums?: { weeks: number; of: Readonly<Record<string, string>> };
  /** It is told only where the agreement allows it, or of a sandbox. */
  needs?: 'dwellTimes';
  /** It compares a range with the one of the same length before it. */
  before?: true;
  /** It compares whole weeks or months: the ends of a range that is left open reach to theirs, where these are over. */
  whole?: true;
  /** It reads the tables of the feed, and what any event changes in them may change its answer. */
  feed?: true;
  /** What else must be known to read its figures of these days: notes of the answer. */
  remarks?(asking: Pick<Asking, 'query' | 'subject'>, days: Period): Promise<string[]>;
  /**
   * The figures of a question. Without dimensions, every variant of every period, empty ones too; by dimensions, the groups in
   * which something is counted.
   */
  figures(asking: Asking): Promise<Figure[]>;
}

/** Runs one statement on the read tables. */
export type Query = <Row>(sql: string, values: unknown[]) => Promise<Row[]>;

/** The deployment that a question is about, as it stands. */
export interface Subject {
  /** Its number in the log. */
  deployment: number;
  /** Of its stream: whatever is decided about it, rostered or learned makes it another. */
  version: number;
  registration: Registration;
  closures: readonly Closure[];
  /** Left out or null: nothing was agreed. */
  agreement?: Agreement | null;
  /** Microseconds since 1970. */
  completeThrough: number | null;
}

/** Days that are answered together: local days since 1970, both included. */
export interface Period {
  from: number;
  to: number;
}

/** A question as a metric is asked it. */
export interface Asking {
  query: Query;
  subject: Subject;
  /** What is held of the deployment's days and roster. */
  held: Held;
  grain: Grain;
  by: readonly Dimension[];
  /** In order, apart from each other; at least one. Days between them are not asked for. */
  periods: readonly Period[];
  /** What must be known to read the answer: a metric adds to it. */
  notes: string[];
}

/** A figure before those of too few people are hidden. */
export interface Figure {
  /** Which of the periods. */
  period: number;
  /** A value for each dimension of the question; null where none was given. */
  by: readonly (string | null)[];
  variant: string;
  value: number | null;
  numerator: number | null;
  denominator: number | null;
  low: number | null;
  high: number | null;
  /** Distinct people behind the denominator; behind the value where there is none. */
  people: number;
}
