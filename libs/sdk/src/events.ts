/**
 * What the events an SDK reports hold, field by field: the types of libs/contract, written out so that the published
 * package needs nothing of ours. `events.spec.ts` holds the two together.
 */

/** Where the AI was used: inside the software the work is done in, in a separate tool, or by exporting and importing. */
export type Surface = 'in-workflow' | 'side-tool' | 'export';
/** Whose idea it was: the person asked, the software asked by itself, or a rule obliges the person to ask. */
export type Initiative = 'person' | 'automatic' | 'mandated';
/** How a result was left: closed, moved away from, generation stopped, run out of time, or the work done another way. */
export type Cause = 'dismissed' | 'navigated' | 'stopped' | 'timed-out' | 'worked-around';

/** How good the input was, counted in fields; never the input itself. */
export interface InputQuality {
  /** The kind of input, where there are several: `scanned-form`. */
  profile?: string;
  /** How many fields the input is expected to have, and of these: */
  fields: number;
  /** left empty, */
  missing: number;
  /** with a value never met in the pilot, */
  unknown: number;
  /** and not readable. */
  malformed: number;
}

/** The `data` of every event by its name. Ids, codes, counts, durations and shares only: nothing a person typed or an AI answered. */
export interface EventData {
  'invocation.started': { invocation: string; task?: string; taskKind?: string; surface: Surface; initiative: Initiative; model?: string; release?: string; input?: InputQuality };
  'invocation.failed': { invocation: string; error: string };
  'result.shown': { invocation: string; options?: number; firstMs?: number; latencyMs?: number; confidence?: number; model?: string; release?: string };
  'result.accepted': { invocation: string; option?: number; changed?: number; dwellMs?: number; actor?: string };
  'result.overridden': { invocation: string; reason?: string; changed?: number; dwellMs?: number; actor?: string };
  'result.abandoned': { invocation: string; cause: Cause };
  'decision.withdrawn': { invocation: string; actor?: string };
  'result.rechecked': { invocation: string; kept: number; afterDays: number };
  'truth.established': { invocation: string; aiRight: boolean; firstRight?: boolean; finalRight?: boolean; sampledWith?: number };
  'task.completed': { task: string; taskKind: string; aided?: boolean; durationMs?: number };
  'queue.filled': { taskKind: string; items: number };
  'feed.counted': { kind: 'tasks' | 'invocations'; from: string; to: string; count: number };
  'feedback.given': { invocation?: string; score: number; comment?: string };
  'outcome.measured': { outcome: string; from: string; to: string; value: number; count: number; sd?: number; team?: string; aided?: boolean; revision?: number };
  'model.scored': { measure: string; from: string; to: string; value: number; count: number };
  'sdk.reported': { queued: number; dropped: Record<string, number>; sdk: string; version: string };
}

export type EventName = keyof EventData;

/** Where an event is about a person, it is sent in that person's name. */
export const ABOUT_DEPLOYMENT: ReadonlySet<EventName> = new Set<EventName>(['queue.filled', 'feed.counted', 'outcome.measured', 'model.scored', 'sdk.reported']);
