/**
 * What is kept without people: how long decisions took, and what came of stated confidence. Quantiles and calibration need
 * their distribution, of which person by person nothing is to be known.
 */
import { type Table } from '@foothold/event-log';
import { bucketOf } from '@foothold/statistics';
import { decisionMs, type Invocation } from './invocation.js';
import { BILLION } from './person-day.js';

export interface DecisionTime {
  deployment: number;
  /** On which the invocation started. */
  day: number;
  task_kind: string;
  decision: string;
  /** Of the milliseconds, as libs/statistics has them. */
  bucket: number;
  n: number;
}

export const decisionTimeTable: Table<DecisionTime> = {
  name: 'decision_time',
  columns: { deployment: 'int4', day: 'date', task_kind: 'text', decision: 'text', bucket: 'int4', n: 'int4' },
  key: ['deployment', 'day', 'task_kind', 'decision', 'bucket'],
};

/** Where the time that a decision took is counted; null: it is not known, or none stands. */
export function decisionTimeOf(row: Invocation): Omit<DecisionTime, 'n'> | null {
  if (row.status !== 'accepted' && row.status !== 'overridden') return null;
  const took = decisionMs(row);
  return took === null ? null : { deployment: row.deployment, day: row.day, task_kind: row.task_kind ?? '', decision: row.status, bucket: bucketOf(took) };
}

/** Bins of stated confidence, fine enough for 5, 10 or 20 of them to be told apart. */
const BINS = 1_000;

export interface Confidence {
  deployment: number;
  day: number;
  task_kind: string;
  model: string;
  release: string;
  /** What it is held against. */
  against: 'acceptance' | 'truth';
  /** From bin/1000 up to the next; 1 is in the last. */
  bin: number;
  n: number;
  /** Of these, where it came true. */
  so: number;
  /** Sums of the confidence and of its square, in billionths. */
  stated: number;
  squared: number;
}

export const confidenceTable: Table<Confidence> = {
  name: 'confidence',
  columns: {
    deployment: 'int4', day: 'date', task_kind: 'text', model: 'text', release: 'text', against: 'text', bin: 'int4',
    n: 'int4', so: 'int4', stated: 'int8', squared: 'int8',
  },
  key: ['deployment', 'day', 'task_kind', 'model', 'release', 'against', 'bin'],
};
export const CONFIDENCE_COUNTERS = ['n', 'so', 'stated', 'squared'] as const;

/** What the confidence that was stated came to, where a decision stands: one row against acceptance, one against the truth where it is known. */
export function confidenceOf(row: Invocation): Confidence[] {
  const { confidence, status } = row;
  if (confidence === null || (status !== 'accepted' && status !== 'overridden')) return [];
  const against = (what: Confidence['against'], so: boolean): Confidence => ({
    deployment: row.deployment, day: row.day, task_kind: row.task_kind ?? '', model: row.shown_model ?? row.started_model ?? '', release: row.shown_release ?? row.started_release ?? '',
    against: what, bin: Math.min(BINS - 1, Math.floor(confidence * BINS)), n: 1, so: Number(so), stated: Math.round(confidence * BILLION), squared: Math.round(confidence ** 2 * BILLION),
  });
  return [against('acceptance', status === 'accepted'), ...(row.truth_at === null ? [] : [against('truth', row.ai_right!)])];
}

/** When anything that is counted on a day was last changed, and how often anything was: whoever holds an answer can tell whether it still stands. */
export interface DayRevision {
  deployment: number;
  day: number;
  revised_at: number;
  revisions: number;
}

export const dayRevisionTable: Table<DayRevision> = {
  name: 'day_revision',
  columns: { deployment: 'int4', day: 'date', revised_at: 'timestamptz', revisions: 'int8' },
  key: ['deployment', 'day'],
};
