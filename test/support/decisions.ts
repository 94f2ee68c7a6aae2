/** Results and what became of them, straight into a log, and that log complete up to a moment of the spec's choice. */
import { usageProjection } from '@foothold/adoption';
import { type EventName, type UsageEvent } from '@foothold/contract';
import { append, openOrigin, type Arrival, type Log } from '@foothold/event-log';
import { createHash, randomUUID } from 'node:crypto';
import { foldAll } from './recording.js';

export const TENANT = 'acme';
/** Integer microseconds since 1970. */
export const at = (text: string): number => Date.parse(text) * 1000;
export const MINUTE = 60_000_000;

export function event(deployment: string, type: EventName, time: number, data: Record<string, unknown>, person = 'ada'): UsageEvent {
  return { id: randomUUID(), source: 'urn:spec', type, time, deployment, person: createHash('sha256').update(person).digest('hex'), actor: null, data: JSON.stringify(data) };
}

export interface Shown {
  deployment?: string;
  invocation: string;
  /** Left out: the invocation names no kind. */
  taskKind?: string;
  shownAt: number;
  /** Left out: it was not decided. Negative: by its clock before it was shown. */
  took?: number;
  person?: string;
}

/** The events of a result that was started and shown at one moment, and perhaps accepted. */
export function resultOf({ deployment = 'desk', invocation, taskKind, shownAt, took, person }: Shown): UsageEvent[] {
  const events = [
    event(deployment, 'invocation.started', shownAt, { invocation, surface: 'side-tool', initiative: 'person', ...(taskKind === undefined ? {} : { taskKind }) }, person),
    event(deployment, 'result.shown', shownAt, { invocation }, person),
  ];
  if (took !== undefined) events.push(event(deployment, 'result.accepted', shownAt + took, { invocation }, person));
  return events;
}

/** Appends these and folds them. */
export async function store(log: Log, events: UsageEvent[]): Promise<void> {
  const { origin, nextOffset } = await openOrigin(log.database, { kind: 'kafka', name: 'spec', part: 0, tenant: TENANT, firstOffset: 0 });
  const arrivals = events.map((one): Arrival => ({ tenant: TENANT, event: one }));
  await append(log, arrivals, { origin, from: nextOffset, next: nextOffset + events.length, voids: 0, mark: null, markOffset: null });
  await foldAll(log);
}

/** As if all that had arrived by this moment, and nothing after it, were stored and folded. */
export async function completeAt(log: Log, moment: number): Promise<void> {
  await log.database.query(`update checkpoint set seen = (select jsonb_object_agg(origin, $2::int8) from origin) where projection = $1`, [usageProjection.name, moment]);
}
