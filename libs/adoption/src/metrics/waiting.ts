/**
 * Which undecided results are pending, and which soft; all others are confirmed.
 *
 * What arrives: the windows learned so far, and the moment up to which everything is complete. What leaves: stretches of time in
 * which a result of a kind must have been shown to be the one or the other. Next is the statement of trust.abandonment.
 *
 * A result is pending until its window has passed since it was shown, the last moment included, soft until three have, and
 * confirmed after that. Its window is the latest of its kind that was learned by the moment it was shown.
 */
import { timeText } from '@foothold/contract';
import { UNTIL_LEARNED, type LearnedWindow } from '../decision-window.js';

/** Results of `kind` shown within [from, until) are pending from `pending` on, and soft before it. Moments are microseconds since 1970. */
export interface Stretch {
  kind: string;
  from: number;
  until: number;
  pending: number;
}

/** The kind of every result whose own has no window yet; no code may be this. */
const ANY_OTHER = '*';

/** The stretches in which something may wait, and the kinds they name. Where nothing is complete, everything waits. */
export function waiting(learned: { time: number; data: { windows: LearnedWindow[] } }[], completeThrough: number | null): { kinds: string[]; stretches: Stretch[] } {
  if (completeThrough === null) return { kinds: [], stretches: [{ kind: ANY_OTHER, from: -Infinity, until: Infinity, pending: -Infinity }] };
  const windows = new Map<string, { since: number; window: number }[]>([[ANY_OTHER, [FIRST]]]);
  for (const { time, data } of learned) for (const { taskKind, windowMs } of data.windows) {
    if (windowMs === null) continue;
    const kind = taskKind ?? '';
    const known = windows.get(kind) ?? [FIRST];
    const window = Math.round(windowMs * 1000);
    if (known.at(-1)!.window !== window) known.push({ since: time, window });
    windows.set(kind, known);
  }
  const stretches: Stretch[] = [];
  for (const [kind, known] of windows) for (const [i, { since, window }] of known.entries()) {
    const from = Math.max(since, completeThrough - 3 * window);
    const until = known[i + 1]?.since ?? Infinity;
    if (from < until) stretches.push({ kind, from, until, pending: completeThrough - window });
  }
  return { kinds: [...windows.keys()].filter((kind) => kind !== ANY_OTHER), stretches };
}

const FIRST = { since: -Infinity, window: UNTIL_LEARNED };

/** SQL that joins each row of `invocation` that is pending or soft to its stretch `w`; adds its values to `values`. */
export function joinWaiting({ kinds, stretches }: ReturnType<typeof waiting>, values: unknown[]): string {
  const of = (field: 'from' | 'until' | 'pending') => `$${values.push(stretches.map((stretch) => instant(stretch[field])))}::timestamptz[]`;
  const names = `$${values.push(stretches.map(({ kind }) => kind))}::text[]`;
  const known = `$${values.push(kinds)}::text[]`;
  return `join unnest(${names}, ${of('from')}, ${of('until')}, ${of('pending')}) as w(kind, since, until, pending_since)
      on w.kind = case when coalesce(task_kind, '') = any(${known}) then coalesce(task_kind, '') else '${ANY_OTHER}' end
     and shown_at >= $${values.push(instant(Math.min(...stretches.map(({ from }) => from))))}::timestamptz and shown_at >= w.since and shown_at < w.until`;
}

/** A moment as Postgres reads it to the microsecond. */
const instant = (at: number): string => (Number.isFinite(at) ? timeText(Math.floor(at)) : at < 0 ? '-infinity' : 'infinity');
