/** Short words for histories, questions and rows, for the specs beside it. */
import { answer, type HistoryEvent, type OracleRow, type Period, type Question, type Registration } from './oracle.js';

export const HOUR = 3_600_000_000;
export const UTC: Registration = { id: 'd', timeZone: 'UTC', taskKinds: null };
export const BERLIN: Registration = { ...UTC, timeZone: 'Europe/Berlin' };

export const at = (iso: string): number => Date.parse(iso) * 1_000;
/** '03-04 10:00' is in 2024 and UTC; 2024-03-04 is a Monday. */
export const t = (short: string): number => at(`2024-${short.replace(' ', 'T')}:00Z`);

let minted = 0;
export function event(type: string, when: string | number, data: Record<string, unknown>, more: Partial<HistoryEvent> = {}): HistoryEvent {
  minted += 1;
  const time = typeof when === 'number' ? when : t(when);
  return { id: `e${String(minted).padStart(6, '0')}`, source: 's', type, time, deployment: 'd', person: 'ann', actor: null, data, ...more };
}
export type More = Partial<HistoryEvent> & { data?: Record<string, unknown> };
const about = (type: string, usual: Record<string, unknown> = {}) =>
  (invocation: string, when: string | number, { data, ...more }: More = {}): HistoryEvent => event(type, when, { invocation, ...usual, ...data }, more);
export const started = about('invocation.started');
export const failed = about('invocation.failed');
export const shown = about('result.shown');
export const accepted = about('result.accepted');
export const overridden = about('result.overridden');
export const abandoned = about('result.abandoned', { cause: 'dismissed' });
export const withdrawn = about('decision.withdrawn');
export const rechecked = about('result.rechecked');
export const truth = about('truth.established');
export const completed = (task: string, when: string | number, { data, ...more }: More = {}): HistoryEvent =>
  event('task.completed', when, { task, taskKind: 'claim', ...data }, more);

export type Ask = Partial<Question> & { registration?: Registration };
export function ask(metric: Question['metric'], history: HistoryEvent[], { registration = UTC, ...question }: Ask = {}): OracleRow[] {
  return answer(history, [registration], { deployment: 'd', metric, grain: 'all', by: [], completeThrough: null, ...question });
}
export const ACCEPTANCE = 'trust.acceptance';
export const OVERRIDE = 'trust.override';
export const ABANDONMENT = 'trust.abandonment';
export const ACTIVE = 'adoption.active_people';
export const COVERAGE = 'adoption.coverage';

export const CAUSES = ['dismissed', 'navigated', 'stopped', 'timed-out', 'worked-around'];

/** "variant numerator/denominator people", after the days and the group where there is more to tell. */
export const brief = (row: OracleRow): string => `${row.variant} ${String(row.numerator)}/${String(row.denominator)} ${String(row.people)}`;
export const briefs = (rows: OracleRow[]): string[] => rows.map(brief);
export const dated = (rows: OracleRow[], variant: string): string[] =>
  rows.filter((row) => row.variant === variant).map((row) => `${row.from} ${row.to} ${brief(row)}`);
export const grouped = (rows: OracleRow[]): string[] =>
  rows.map((row) => `${Object.values(row.by).map(String).join('+')}: ${brief(row)}`).sort();
export function one(rows: OracleRow[], variant: string): OracleRow {
  const [found, ...others] = rows.filter((row) => row.variant === variant);
  if (found === undefined || others.length > 0) throw new Error(`not one row of ${variant}`);
  return found;
}

/** Ann: 3 accepted, 1 overridden, 1 undecided. Bob: 1 overridden, 1 undecided. Cid: 1 undecided. */
export function threePeople(): HistoryEvent[] {
  const bob = { person: 'bob' };
  return [
    ...['a1', 'a2', 'a3'].flatMap((id) => [started(id, '03-04 09:00'), shown(id, '03-04 09:01'), accepted(id, '03-04 09:02')]),
    started('a4', '03-04 10:00'), shown('a4', '03-04 10:01'), overridden('a4', '03-04 10:02', { data: { reason: 'wrong' } }),
    started('a5', '03-04 11:00'), shown('a5', '03-04 11:01'),
    started('b1', '03-04 09:00', bob), shown('b1', '03-04 09:01', bob), overridden('b1', '03-04 09:02', bob),
    started('b2', '03-04 10:00', bob), shown('b2', '03-04 10:01', bob),
    started('c1', '03-04 10:00', { person: 'cid' }), shown('c1', '03-04 10:01', { person: 'cid' }),
  ];
}

/** Asked by a person, shown and accepted at once. */
export const use = (id: string, when: string | number, more: More = {}): HistoryEvent[] =>
  [started(id, when, { data: { initiative: 'person' }, ...more }), shown(id, when, more), accepted(id, when, more)];
export const member = (from: string, to: string | null = null, team = 'north', role = ''): Period => ({ team, role, from, to, leave: false });
export const leave = (from: string, to: string): Period => ({ team: '', role: '', from, to, leave: true });
/** "variant value" of rows, values to four digits. */
export const values = (rows: OracleRow[]): string[] => rows.map((row) => `${row.variant} ${row.value === null ? 'null' : String(Number(row.value.toFixed(4)))}`);
