/**
 * What the demo shows at its end. What arrives: answers of the API. What leaves: two plots and the headline metrics in plain
 * words. Next is the person who reads them.
 */
import { type Answer } from '@foothold/contract';
import { draw, type Series } from '../../../cli/src/plot.js';

export type Question = Record<'grain' | 'from' | 'to' | 'by', string>;
/** Asks the API about the demo's deployment. */
export type Ask = (metric: string, question: Partial<Question>) => Promise<Answer>;

/** Weeks over which a kind of task is compared with its best: so many are enough for holidays to even out. */
const STRETCH = 4;
const MARKS = ['○', '●'];
type Row = Answer['rows'][number];

export interface Figures {
  /** First and last local day. */
  from: string;
  to: string;
  /** People who used it, by the first day of each week. */
  weeks: { from: string; people: number }[];
  /** Tasks of each kind and those done with the AI, by week. */
  kinds: Map<string, { from: string; used: number; tasks: number }[]>;
  coverage: Row;
  accepted: Row;
  overridden: Row;
  /** The reason that was given most often; undefined where none was. */
  reason: Row | undefined;
  abandoned: Row;
}

/** Asks everything about the days from `from` to `to`. */
export async function readFigures(ask: Ask, from: string, to: string): Promise<Figures> {
  const whole = { from, to, grain: 'all' };
  const weekly = { from, to, grain: 'week' };
  const [active, byKind, coverage, acceptance, override, abandonment] = await Promise.all([
    ask('adoption.active_people', weekly), ask('adoption.coverage', { ...weekly, by: 'task_kind' }),
    ask('adoption.coverage', whole), ask('trust.acceptance', whole), ask('trust.override', whole), ask('trust.abandonment', whole),
  ]);
  const kinds: Figures['kinds'] = new Map();
  for (const { variant, by, from: week, numerator, denominator, suppressed } of byKind.rows) {
    const kind = by['task_kind'];
    if (variant !== 'pooled' || !kind || suppressed) continue;
    kinds.set(kind, [...(kinds.get(kind) ?? []), { from: week, used: numerator!, tasks: denominator! }]);
  }
  const reasons = override.rows.filter(({ variant, numerator }) => variant !== 'all' && variant !== 'none' && numerator! > 0);
  return {
    from, to, kinds,
    weeks: of(active, 'any_7').map((row) => ({ from: row.from, people: row.value! })),
    coverage: of(coverage, 'pooled')[0]!,
    accepted: of(acceptance, 'shown')[0]!,
    overridden: of(override, 'all')[0]!,
    reason: reasons.sort((one, other) => other.numerator! - one.numerator!)[0],
    abandoned: of(abandonment, 'all')[0]!,
  };
}

const of = ({ rows }: Answer, variant: string): Row[] => rows.filter((row) => row.variant === variant);

/** All of it as text, for a terminal or a file. */
export function figuresText(figures: Figures): string {
  return [...plots(figures), headlines(figures)].join('\n\n');
}

function plots({ weeks, kinds }: Figures): string[] {
  const days = weeks.map(({ from }) => from);
  const people: Series = { mark: '●', label: 'people', values: weeks.map((week) => week.people) };
  const series = [...kinds].map(([kind, of], i): Series => {
    const shares = new Map(of.map(({ from, used, tasks }) => [from, tasks === 0 ? null : used / tasks]));
    return { mark: MARKS[i % MARKS.length]!, label: kind, values: days.map((day) => shares.get(day) ?? null) };
  });
  return [
    draw({ title: 'People who used it, a week', series: [people], days, write: (value) => String(Math.round(value)) }),
    draw({ title: 'Of its tasks, done with the AI', series, days, write: (value) => `${Math.round(value * 100)} %` }),
  ];
}

function headlines({ from, to, weeks, kinds, coverage, accepted, overridden, reason, abandoned }: Figures): string {
  const best = weeks.reduce((one, other) => (other.people > one.people ? other : one));
  const most = reason ? `; most given reason: ${reason.variant} (${count(reason.numerator)})` : '';
  return [
    `What it comes to, from the handoff on ${from} to ${to}`,
    `  people       ${weeks.at(-1)!.people} used it in the last week, ${best.people} in the best one, that of ${best.from}`,
    `  coverage     ${share(coverage)} of the work it could help with was done with it ${doubt(coverage)}`,
    `  acceptance   ${share(accepted)} of the results it showed were accepted ${doubt(accepted)}`,
    `  override     ${share(overridden)} of decisions went against it ${doubt(overridden)}${most}`,
    `  abandonment  ${share(abandoned)} of its results were left lying ${doubt(abandoned)}`,
    ...[...kinds].flatMap(([kind, of]) => course(kind, of)),
  ].join('\n');
}

/** How use for a kind of task went; nothing where there are too few weeks to say. */
function course(kind: string, weeks: { from: string; used: number; tasks: number }[]): string[] {
  if (weeks.length < 2 * STRETCH) return [];
  const stretches = weeks.slice(STRETCH - 1).map((_, at) => stretchOf(weeks.slice(at, at + STRETCH))).filter(({ share }) => !Number.isNaN(share));
  const [last, best] = [stretches.at(-1)!, stretches.reduce((one, other) => (other.share > one.share ? other : one))];
  const now = `${percent(last.share)} of tasks in the last four weeks`;
  if (last === best) return [`  ${kind}: use is at its height: ${now}`];
  const words = last.share < best.share / 2 ? 'IS DYING' : last.share < best.share * 0.8 ? 'falls' : 'holds';
  return [`  ${kind}: use ${words}: ${now}, ${percent(best.share)} in the best four, from ${best.from}`];
}

function stretchOf(weeks: { from: string; used: number; tasks: number }[]): { from: string; share: number } {
  const sum = (of: 'used' | 'tasks') => weeks.reduce((total, week) => total + week[of], 0);
  return { from: weeks[0]!.from, share: sum('used') / sum('tasks') };
}

const percent = (value: number | null): string => (value === null ? 'an unknown share' : `${(value * 100).toFixed(1)} %`);
const share = ({ value }: Row): string => percent(value).padStart(6);
const count = (value: number | null): string => (value ?? 0).toLocaleString('en');
const doubt = ({ numerator, denominator, low, high }: Row): string =>
  `(${count(numerator)} of ${count(denominator)}${low === null || high === null ? '' : `; 95 % interval ${(low * 100).toFixed(1)} to ${(high * 100).toFixed(1)} %`})`;
