/**
 * The answer to a question about a deployment, from its person-days.
 * What arrives: an understood question and a way to query the read tables. What leaves: rows, each with its
 * numerator, denominator, interval and people. Next is whoever shows them: CLI, API, dashboard.
 */
import { WrongInput } from '@foothold/contract';
import { dayText } from '../local-day.js';
import { type Registration } from '../registration.js';
import { activePeopleRows } from './active-people.js';
import { type Dimension, type Grain } from './catalogue.js';
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

export interface Row {
  /** First and last local day, both included. */
  from: string;
  to: string;
  /** Dimension values; null where none was given. */
  by: Record<string, string | null>;
  variant: string;
  /** Null where the denominator is zero or what it needs is not known yet. */
  value: number | null;
  numerator: number | null;
  denominator: number | null;
  /** 95 % interval, clustered by person; null for counts of people, which are no sample. */
  low: number | null;
  high: number | null;
  /** Distinct people behind the denominator (behind the value, where there is none). */
  people: number;
}

export interface Answer {
  metric: string;
  version: number;
  unit: string;
  /** ISO times: everything up to then is in; the latest event that changed a day of the range came then. */
  completeThrough: string | null;
  revisedAt: string | null;
  rows: (Row & { suppressed: boolean })[];
}

export interface Subject {
  /** The deployment's number in the log. */
  deployment: number;
  registration: Registration;
  /** Microseconds since 1970. */
  completeThrough: number | null;
}

/** Days a question may span: ten years, so that no answer outgrows memory. */
const LONGEST = 3_660;

/**
 * Answers a question. Small groups are not hidden at this depth.
 * @throws WrongInput where the range is too long.
 */
export async function answer(query: Query, subject: Subject, question: Question): Promise<Answer> {
  const [extent] = await query<{ first: number | null; last: number | null }>(
    `select (min(day) - '1970-01-01'::date)::int as first, (max(day) - '1970-01-01'::date)::int as last from person_day where deployment = $1`,
    [subject.deployment],
  );
  const from = question.from ?? extent!.first;
  const to = question.to ?? extent!.last;
  const head = { metric: question.metric.id, version: question.metric.version, unit: question.metric.unit, completeThrough: iso(subject.completeThrough) };
  if (from === null || to === null || from > to) return { ...head, revisedAt: null, rows: [] };
  const days = to - from + 1;
  if (days > LONGEST) throw new WrongInput('from', `${days} days lie between ${dayText(from)} and ${dayText(to)}`, `ask for ${LONGEST} days at most`);

  const range: Range = { deployment: subject.deployment, grain: question.grain, by: question.by, from, to, fromText: dayText(from), toText: dayText(to) };
  const [revised] = await query<{ at: number | null }>(
    `select extract(epoch from max(revised_at))::float8 * 1000000 as at from person_day where deployment = $1 and day between $2::date and $3::date`,
    [range.deployment, range.fromText, range.toText],
  );
  const rows =
    question.metric.id === 'adoption.active_people'
      ? await activePeopleRows(query, range)
      : await ratioRows(query, question.metric.id, range, subject.registration.taskKinds, subject.completeThrough);
  return { ...head, revisedAt: iso(revised!.at), rows: rows.map((row) => ({ ...row, suppressed: false })) };
}

const iso = (micros: number | null): string | null => (micros === null ? null : new Date(Math.floor(micros / 1000)).toISOString());
