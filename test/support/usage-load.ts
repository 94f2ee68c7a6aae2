/**
 * Usage events as a host with its own Kafka client writes them, drawn from a seed, with all that goes wrong on the
 * way: events sent twice, ids used again for something else, events nobody can accept, a deployment nobody registered.
 * Arrives: a seed and how many records each round has. Leaves: the records, each with what must become of it.
 */
import { seeded } from './seeded.js';

export const FATES = ['stored', 'duplicate', 'rejected', 'quarantined'] as const;
export type Fate = (typeof FATES)[number];

export interface LoadRecord {
  id: string;
  fate: Fate;
  partition: number;
  key: string;
  value: string;
}

export interface Round {
  records: number;
  /** All of the round's records go there; without it the person decides. */
  partition?: number;
}

export interface Load {
  rounds: LoadRecord[][];
  /** How many invocations and tasks the events to be stored speak of. */
  invocations: number;
  tasks: number;
}

/** The deployments that must be registered, with their time zones; UNREGISTERED must not be when its events are expected to wait. */
export const DEPLOYMENTS = { claims: 'Europe/Oslo', triage: 'America/New_York' } as const;
export const UNREGISTERED = 'forgotten';
const SOURCES = ['urn:host:desk', 'urn:host:mobile'];
/** Unless a load has others: few, and many events meet in the same rows. */
const PEOPLE = 400;
const BEGIN = Date.UTC(2026, 2, 2, 6);
/** Further apart than this (in stories begun meanwhile) no two events of a story are sent. */
const SPREAD = 900;

interface Sent {
  id: string;
  source: string;
  type: string;
  subject: string;
  time: string;
  deployment: string;
  data: Record<string, unknown>;
}

/** Draws the records. A conflict follows the event whose id it takes in its partition, so which came first is certain. */
export function drawLoad(seed: number, plan: Round[], partitions: number, people = PEOPLE): Load {
  const draw = seeded(seed).next;
  const total = plan.reduce((sum, round) => sum + round.records, 0);
  const events = drawEvents(draw, total, people);
  const stored: Sent[] = [];
  let next = 0;
  const rounds = plan.map(({ records, partition }) => {
    const place = (event: Sent) => partition ?? Number(event.subject.slice(1)) % partitions;
    const ownBegin = stored.length;
    const earlier = (from: number) => stored[from + Math.floor(draw() * (stored.length - from))]!;
    return Array.from({ length: records }, (): LoadRecord => {
      const chance = draw();
      if (chance < 0.03 && stored.length > 0) {
        const again = earlier(0);
        return recordOf(again, 'duplicate', draw() < 0.5 ? place(again) : Math.floor(draw() * partitions));
      }
      if (chance > 0.995 && stored.length > ownBegin) {
        const taken = earlier(ownBegin);
        return recordOf({ ...taken, time: new Date(Date.parse(taken.time) + 1000).toISOString() }, 'quarantined', place(taken));
      }
      const event = events[next++]!;
      if (chance > 0.99) return recordOf({ ...event, deployment: UNREGISTERED }, 'quarantined', place(event));
      if (chance > 0.988) return recordOf({ ...event, type: event.type.replace('.v1', '.v2') }, 'quarantined', place(event));
      if (chance > 0.986) return recordOf({ ...event, time: '2199-01-01T00:00:00Z' }, 'rejected', place(event));
      if (chance > 0.982) return recordOf({ ...event, data: { ...event.data, colour: 3 } }, 'rejected', place(event));
      stored.push(event);
      return recordOf(event, 'stored', place(event));
    });
  });
  return { rounds, ...speakOf(stored) };
}

function recordOf(event: Sent, fate: Fate, partition: number): LoadRecord {
  return { id: event.id, fate, partition, key: `${event.deployment}/${event.subject}`, value: JSON.stringify({ specversion: '1.0', ...event }) };
}

/** Stories of invocations and tasks, their events shuffled so that each is spread over several appends and folds. */
function drawEvents(draw: () => number, count: number, people: number): Sent[] {
  const placed: { at: number; event: Sent }[] = [];
  for (let story = 0; placed.length < count; story++) {
    for (const event of drawStory(draw, story, people)) placed.push({ at: story + draw() * SPREAD, event });
  }
  return placed.sort((one, other) => one.at - other.at).map(({ event }) => event);
}

function drawStory(draw: () => number, story: number, people: number): Sent[] {
  const person = Math.floor(draw() * people);
  const deployment = pick(draw, Object.keys(DEPLOYMENTS));
  const source = pick(draw, SOURCES);
  const taskKind = pick(draw, ['letter', 'summary']);
  const events: Sent[] = [];
  let time = BEGIN + story * 180_000;
  const say = (type: string, data: Record<string, unknown>) => {
    time += Math.floor(draw() * 120_000);
    events.push({ id: uuidV7(time, draw), source, type: `foothold.${type}.v1`, subject: `p${person}`, time: new Date(time).toISOString(), deployment, data });
  };
  const task = draw() < 0.7 ? `t-${story}` : undefined;
  const invocation = `i-${story}`;
  if (draw() < 0.9) {
    say('invocation.started', { invocation, ...(task && { task }), taskKind, surface: pick(draw, ['in-workflow', 'side-tool']), initiative: pick(draw, ['person', 'automatic']), model: pick(draw, ['m-1', 'm-2']) });
    say('result.shown', { invocation, options: 1 + Math.floor(draw() * 3), latencyMs: Math.floor(draw() * 4000) });
    const decision = draw();
    if (decision < 0.5) say('result.accepted', { invocation, changed: Math.round(draw() * 100) / 100, ...(draw() < 0.05 && { actor: `p${Math.floor(draw() * people)}` }) });
    else if (decision < 0.7) say('result.overridden', { invocation, reason: pick(draw, ['wrong-tone', 'incomplete']) });
    else if (decision < 0.82) say('result.abandoned', { invocation, cause: pick(draw, ['dismissed', 'navigated', 'worked-around']) });
    if (decision < 0.7 && draw() < 0.08) say('decision.withdrawn', { invocation });
  }
  if (task) say('task.completed', { task, taskKind, ...(draw() < 0.3 && { aided: draw() < 0.5 }), durationMs: Math.floor(draw() * 600_000) });
  return events;
}

function speakOf(events: Sent[]): Pick<Load, 'invocations' | 'tasks'> {
  const invocations = new Set<unknown>();
  const tasks = new Set<unknown>();
  for (const { data } of events) {
    if (data['invocation'] !== undefined) invocations.add(data['invocation']);
    if (data['task'] !== undefined) tasks.add(data['task']);
  }
  return { invocations: invocations.size, tasks: tasks.size };
}

const pick = <T>(draw: () => number, values: readonly T[]): T => values[Math.floor(draw() * values.length)]!;

/** RFC 9562: 48 bits of milliseconds, then what chance gives around version and variant. */
function uuidV7(milliseconds: number, draw: () => number): string {
  const digits = (count: number) => Math.floor(draw() * 16 ** count).toString(16).padStart(count, '0');
  const time = milliseconds.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${digits(3)}-${pick(draw, ['8', '9', 'a', 'b'])}${digits(3)}-${digits(6)}${digits(6)}`;
}
