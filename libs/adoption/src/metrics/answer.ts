/**
 * The answer to a question about a deployment, from its person-days.
 * What arrives: an understood question and a way to query the read tables. What leaves: rows, each with its
 * numerator, denominator, interval and people. Next is whoever shows them: CLI, API, dashboard.
 */
import { WrongInput, type Answer, type AnswerRow, type Dimension, type Grain } from '@foothold/contract';
import { learnedWindows } from '../decision-window.js';
import { dayText } from '../local-day.js';
import { type Registration } from '../registration.js';
import { activePeopleRows } from './active-people.js';
import { type Question } from './question.js';
import { ratioRows } from './ratio.js';

/** Runs one statement on the read tables. */
export type Query = <Row>(sql: string, values: unknown[]) => Promise<Row[]>;

/** A question's range in days, settled. */
export interface Range {
  deployment: number;
  grain: Grain;
  by: Dimension[];
  from: number;
  to: number;
  fromText: string;
  toText: string;
}

/** A row before small groups are hidden. */
export type Row = Omit<AnswerRow, 'suppressed'>;

export interface Subject {
  /** The deployment's number in the log. */
  deployment: number;
  registration: Registration;
  /** Microseconds since 1970. */
  completeThrough: number | null;
}

/** Days before its range that a question may read: the longest window that ends on the first day. */
const READ_BEFORE = 27;
/** Days a question may span: ten years, so that no answer outgrows memory. */
const LONGEST = 3_660;

/** A question about a deployment, understood and ready to be answered. */
export interface Prepared {
  /** Another text whenever the answer may be another, so that whoever holds one can tell whether it still holds. */
  stamp: string;
  answer(): Promise<Answer>;
}

/**
 * Prepares the answer to a question. Small groups are not hidden at this depth.
 * The stamp names the question, the definition, how far everything is complete, how often windows were learned, and the rows
 * that the answer reads: how many, and the sum of the moments at which each was last changed. It is read first, so an answer
 * is never older than it.
 * @throws WrongInput where the range is too long.
 */
export async function prepareAnswer(query: Query, subject: Subject, question: Question): Promise<Prepared> {
  const { metric, grain, by } = question;
  const [extent] = await query<{ first: number | null; last: number | null }>(
    `select (min(day) - '1970-01-01'::date)::int as first, (max(day) - '1970-01-01'::date)::int as last from person_day where deployment = $1`,
    [subject.deployment],
  );
  const to = question.to ?? extent!.last;
  // One device whose clock was reset to 1970 must not make every question about all there is too long.
  const from = question.from ?? (extent!.first === null || to === null ? extent!.first : Math.max(extent!.first, to - LONGEST + 1));
  const head = { metric: metric.id, version: metric.version, unit: metric.unit, completeThrough: iso(subject.completeThrough) };
  const stamp = [subject.deployment, metric.id, metric.version, grain, ...by, from, to, subject.registration.taskKinds, subject.completeThrough];
  if (from === null || to === null || from > to) return { stamp: JSON.stringify(stamp), answer: async () => ({ ...head, revisedAt: null, rows: [] }) };
  const days = to - from + 1;
  if (days > LONGEST) throw new WrongInput('from', `${days} days lie between ${dayText(from)} and ${dayText(to)}`, `ask for ${LONGEST} days at most`);

  const range: Range = { deployment: subject.deployment, grain, by, from, to, fromText: dayText(from), toText: dayText(to) };
  const learned = metric.id === 'trust.abandonment' ? await learnedWindows(query, subject.deployment) : [];
  const [read] = await query<{ revised: number | null; rows: string; moments: string | null }>(
    `select extract(epoch from max(revised_at) filter (where day >= $2::date))::float8 * 1000000 as revised, count(*)::text as rows, sum(extract(epoch from revised_at))::text as moments
       from person_day where deployment = $1 and day between $2::date - ${READ_BEFORE} and $3::date`,
    [range.deployment, range.fromText, range.toText],
  );
  return {
    stamp: JSON.stringify([...stamp, learned.length, read!.rows, read!.moments]),
    answer: async () => {
      const rows =
        metric.id === 'adoption.active_people'
          ? await activePeopleRows(query, range)
          : await ratioRows(query, metric.id, range, subject.registration.taskKinds, subject.completeThrough, learned);
      return { ...head, revisedAt: iso(read!.revised), rows: rows.map((row) => ({ ...row, suppressed: false })) };
    },
  };
}

const iso = (micros: number | null): string | null => (micros === null ? null : new Date(Math.floor(micros / 1000)).toISOString());
