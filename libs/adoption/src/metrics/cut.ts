/**
 * How a question cuts rows of person-days: into its periods, and by its dimensions.
 *
 * What arrives: a question. What leaves: the part of a statement that gives each row its period and the value of each
 * dimension. Next are the metrics, which count what falls together. Dimensions of a result stand in the row; team and role
 * are the person's on that day, by the roster; stage and week since the handoff are the day's.
 */
import { RESULT_DIMENSIONS, type Dimension } from '@foothold/contract';
import { dayNumber, dayText, mondayOf } from '../local-day.js';
import { type Asking, type Subject } from './metric.js';

export interface Cut {
  /** `period` and each dimension, as the statement's outer parts call them: `period, team`. */
  names: string;
  /** The same with what they are: `c.period, coalesce(r.team, '') as team`. */
  columns: string;
  /** From the table on, up to and with the condition that the row is of the deployment and of a day that is asked for. */
  from: string;
}

/** person_day with what person_day_sum keeps of initiatives. */
const APART = `(select *, case when initiative = 'person' then active_accepted + active_overridden else 0 end as active_voluntary,
  ${['person', 'automatic', 'mandated'].map((kind) => `case when initiative = '${kind}' then invocations else 0 end as invocations_${kind}`).join(', ')} from person_day) d`;

/**
 * The person-days that a question is answered from, called `d`: without dimensions unless it is by one of a result, so that
 * it costs people and days, not all that they did. Both have the same counters.
 * @param apart it looks at dimensions of results, whatever it is by
 */
export const personDays = (asking: Pick<Asking, 'by'>, apart = false): string => (apart || isOfResults(asking) ? APART : 'person_day_sum d');

/** Whether a question is by a dimension of results. */
export const isOfResults = ({ by }: Pick<Asking, 'by'>): boolean => by.some((dimension) => (RESULT_DIMENSIONS as readonly Dimension[]).includes(dimension));

/** The value of a dimension of days: of the stage, or of the week since the handoff. */
export function ofDay({ registration: { handoff } }: Subject, dimension: 'stage' | 'handoff_week'): (day: number) => string | null {
  const from = handoff === null ? null : dayNumber(handoff)!;
  if (dimension === 'stage') return (day) => (from === null || day < from ? 'pilot' : 'production');
  return (day) => (from === null ? null : String((mondayOf(day) - mondayOf(from)) / 7));
}

/**
 * Cuts rows that have deployment, person and day.
 * @param table what they come from, called `d`, as personDays gives it
 * @param values of the statement; what the cut needs is added
 * @param dimensions SQL for the dimensions of results, where their columns are not called so
 */
export function cut(asking: Asking, table: string, values: unknown[], dimensions: Partial<Record<Dimension, string>> = {}): Cut {
  const { by, periods, subject } = asking;
  const days: string[] = [];
  const of: number[] = [];
  for (const [i, { from, to }] of periods.entries()) for (let day = from; day <= to; day++) {
    days.push(dayText(day));
    of.push(i);
  }
  const dated = (['stage', 'handoff_week'] as const).filter((dimension) => by.includes(dimension)).map((name) => {
    const value = ofDay(subject, name);
    return { name, list: `$${values.push(days.map((day) => value(dayNumber(day)!)))}::text[]` };
  });
  const single = periods.length === 1 && dated.length === 0;
  const sql = (dimension: Dimension): string => {
    if (dimension === 'team' || dimension === 'role') return `coalesce(r.of_${dimension}, '')`;
    if (dimension === 'stage' || dimension === 'handoff_week') return `coalesce(c.${dimension}, '')`;
    return dimensions[dimension] ?? `d.${dimension}`;
  };
  const rostered = by.includes('team') || by.includes('role')
    // Under other names than the columns that are made of them: a group by would take the roster's, and whoever has no team and who is on no roster for two.
    ? 'left join roster r(deployment, person, from_day, to_day, of_team, of_role, on_leave) on r.deployment = d.deployment and r.person = d.person and not r.on_leave and r.from_day <= d.day and (r.to_day is null or d.day <= r.to_day)'
    : '';
  return {
    names: ['period', ...by].join(', '),
    columns: [`${single ? '0' : 'c.period'} as period`, ...by.map((dimension) => `${sql(dimension)} as ${dimension}`)].join(', '),
    from: `from ${table}
      ${single ? '' : `join unnest($${values.push(days)}::date[], $${values.push(of)}::int[]${dated.map(({ list }) => `, ${list}`).join('')}) c(day, period${dated.map(({ name }) => `, ${name}`).join('')}) on c.day = d.day`}
      ${rostered}
     where d.deployment = $${values.push(subject.deployment)} and d.day between $${values.push(dayText(periods[0]!.from))}::date and $${values.push(dayText(periods.at(-1)!.to))}::date`,
  };
}

/** A row of what was counted: `period`, the dimensions, and figures. */
export type Counted = Record<string, string | number | null>;

/** The values of the dimensions in a row; empty text is none. */
export const groupOf = (row: Counted, by: readonly Dimension[]): (string | null)[] => by.map((dimension) => (row[dimension] as string) || null);

/** Every period where nothing is cut by a dimension, so that empty ones show; else the groups in which something was counted, in order. */
export function* groups(asking: Pick<Asking, 'by' | 'periods'>, found: readonly Counted[]): Generator<{ period: number; by: (string | null)[]; row: Counted | undefined }> {
  const { by, periods } = asking;
  if (by.length === 0) {
    const rows = new Map(found.map((row) => [Number(row['period']), row]));
    for (const period of periods.keys()) yield { period, by: [], row: rows.get(period) };
    return;
  }
  const order = (one: Counted, other: Counted): number => {
    if (one['period'] !== other['period']) return Number(one['period']) - Number(other['period']);
    for (const dimension of by) if (one[dimension] !== other[dimension]) return String(one[dimension]) < String(other[dimension]) ? -1 : 1;
    return 0;
  };
  for (const row of [...found].sort(order)) yield { period: Number(row['period']), by: groupOf(row, by), row };
}
