/**
 * Random histories (fast-check): a few people, deployments in several time zones, invocations and tasks that many events
 * meet in, at times that tie and lie around local midnights and clock changes.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';

export interface HistoryDeployment {
  id: string;
  timeZone: string;
  /** Null: every kind is eligible. */
  taskKinds: string[] | null;
}

/** A CloudEvent as a host sends it. */
export type HostEvent = Record<string, unknown> & { id: string; source: string; data: Record<string, unknown> };

export interface History {
  deployments: HistoryDeployment[];
  /** Every (source, id) once. */
  events: HostEvent[];
}

const ZONES = ['UTC', 'Europe/Stockholm', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia'];
const KINDS = ['triage', 'letter', 'coding'];
/** Midnights of these zones, the night clocks change in Stockholm, the end of a year, and a microsecond beside. */
const MOMENTS = [
  '2026-03-28T22:59:59.999999Z', '2026-03-28T23:00:00Z', '2026-03-29T00:59:59.999999Z', '2026-03-29T01:00:00Z', '2026-03-29T22:00:00Z',
  '2026-03-30T03:59:59Z', '2026-03-30T04:00:00Z', '2026-03-30T18:15:00Z', '2026-04-01T11:00:00.5Z', '2025-12-31T23:30:00Z', '2026-01-01T00:00:00Z',
];

const person = fc.integer({ min: 0, max: 4 }).map((n) => createHash('sha256').update(`person ${n}`).digest('hex'));
const oneOf = <T>(...values: T[]) => fc.constantFrom(...values);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const invocation = fc.integer({ min: 0, max: 5 }).map((n) => `inv-${n}`);
const task = fc.integer({ min: 0, max: 3 }).map((n) => `task-${n}`);
const model = maybe(oneOf('m-1', 'm-2'));
const release = maybe(oneOf('r-1', 'r-2'));
const actor = maybe(person);
const changed = maybe(oneOf(0, 0.125, 0.4, 1));

/** The first two may be the same moments. */
const SPAN = oneOf(
  { from: '2026-03-29', to: '2026-03-29' }, { from: '2026-03-28T23:00:00Z', to: '2026-03-29T22:00:00Z' }, { from: '2026-03-01', to: '2026-03-31' },
  { from: '2026-03-29T00:59:59.999999Z', to: '2026-03-30T18:15:00Z' });
/** Of two sessions with the same digits in both sources, of one without any, and of none. */
const sequence = maybe(fc.tuple(oneOf('', '00000042', '7'), fc.integer({ min: 1, max: 60 })).map(([session, counter]) => `${session}${String(counter).padStart(12, '0')}`));

const DATA: { weight: number; type: string; data: fc.Arbitrary<Record<string, unknown>>; subject?: 'none' }[] = [
  { weight: 5, type: 'invocation.started', data: fc.record({
    invocation, task: maybe(task), taskKind: maybe(oneOf(...KINDS)), surface: oneOf('in-workflow', 'side-tool', 'export'),
    initiative: oneOf('person', 'automatic', 'mandated'), model, release }) },
  { weight: 5, type: 'result.shown', data: fc.record({ invocation, options: maybe(fc.integer({ min: 1, max: 5 })), confidence: maybe(oneOf(0.1, 0.9)), model, release }) },
  { weight: 5, type: 'result.accepted', data: fc.record({ invocation, changed, actor, option: maybe(oneOf(0, 1)) }) },
  { weight: 5, type: 'result.overridden', data: fc.record({ invocation, reason: maybe(oneOf('wrong', 'slow')), changed, actor }) },
  { weight: 2, type: 'result.abandoned', data: fc.record({ invocation, cause: oneOf('dismissed', 'navigated', 'stopped', 'timed-out', 'worked-around') }) },
  { weight: 3, type: 'decision.withdrawn', data: fc.record({ invocation, actor }) },
  { weight: 1, type: 'invocation.failed', data: fc.record({ invocation, error: oneOf('timeout', 'quota') }) },
  { weight: 3, type: 'result.rechecked', data: fc.record({ invocation, kept: oneOf(0, 0.3, 1), afterDays: oneOf(0, 1, 6, 7, 30, 31) }) },
  { weight: 5, type: 'truth.established', data: fc.record({ invocation, aiRight: fc.boolean(), firstRight: maybe(fc.boolean()), finalRight: maybe(fc.boolean()), sampledWith: maybe(oneOf(0.3, 1)) }) },
  { weight: 4, type: 'task.completed', data: fc.record({ task, taskKind: oneOf(...KINDS), aided: maybe(fc.boolean()), durationMs: maybe(oneOf(1, 60_000)) }) },
  { weight: 1, type: 'feedback.given', data: fc.record({ score: oneOf(-1, 0.1, 1) }) },
  { weight: 1, type: 'queue.filled', data: fc.record({ taskKind: oneOf(...KINDS), items: oneOf(0, 9) }), subject: 'none' },
  { weight: 1, type: 'sdk.reported', data: fc.record({ queued: oneOf(0, 9), dropped: oneOf({}, { refused: 1, 'queue-full': 20 }), sdk: oneOf('foothold-js'), version: oneOf('1.0.0') }), subject: 'none' },
  { weight: 2, type: 'feed.counted', data: fc.tuple(oneOf('tasks', 'invocations'), SPAN, oneOf(0, 3, 40)).map(([kind, span, count]) => ({ kind, ...span, count })), subject: 'none' },
];

const time = fc.oneof(
  { weight: 3, arbitrary: oneOf(...MOMENTS) },
  { weight: 2, arbitrary: fc.tuple(fc.integer({ min: 0, max: 60 * 24 * 60 }), fc.integer({ min: 0, max: 999_999 })).map(([minutes, micros]) => {
    const at = new Date(Date.UTC(2026, 2, 1) + minutes * 60_000).toISOString();
    return `${at.slice(0, 20)}${String(micros).padStart(6, '0')}Z`;
  }) },
);

const event = (deployments: number) =>
  fc.tuple(
    fc.integer({ min: 0, max: deployments - 1 }), person, time, oneOf('urn:host:a', 'urn:host:b'), fc.uuid({ version: 7 }), fc.boolean(), sequence,
    fc.oneof(...DATA.map(({ weight, type, data, subject }) => ({ weight, arbitrary: data.map((made) => ({ type, data: made, subject })) }))),
  );

/** Histories of up to `size` events. Two of the deployments may share people, invocation ids and task ids. */
export function histories(size: number): fc.Arbitrary<History> {
  return fc
    .array(fc.record({ timeZone: oneOf(...ZONES), taskKinds: fc.option(fc.subarray(KINDS, { minLength: 1 }), { nil: null }) }), { minLength: 1, maxLength: 3 })
    .chain((found) =>
      fc.array(event(found.length), { minLength: 1, maxLength: size, size: 'max' }).map((drawn) => ({
        deployments: found.map((deployment, i) => ({ id: `dep-${i}`, ...deployment })),
        events: drawn.map(([deployment, subject, at, source, uuid, own, counter, made], i) => ({
          specversion: '1.0',
          // A host's own id is hashed, a UUIDv7 kept: ties are broken by ids of both kinds.
          id: own ? `own:${uuid}:${i}` : `${uuid.slice(0, -4)}${i.toString(16).padStart(4, '0')}`,
          source,
          type: `foothold.${made.type}.v1`,
          time: at,
          deployment: `dep-${deployment}`,
          ...(made.subject === 'none' ? {} : { subject }),
          ...(counter === undefined ? {} : { sequence: counter }),
          data: JSON.parse(JSON.stringify(made.data)) as Record<string, unknown>,
        })),
      })),
    );
}
