/**
 * Random histories of most of a year for the agreement test: a few people whose use begins, pauses and ends in different
 * weeks, so that habits, retention and survival have something to tell; with rosters, closures and a handoff.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { histories, type HostEvent } from '../support/history.js';
import { seeded, type Seeded } from '../support/seeded.js';
import { dayName, dayNumber, mondayOf } from './days.js';
import { type Period } from './facts.js';

export interface LongHistory {
  timeZone: string;
  taskKinds: string[] | null;
  handoff: string | null;
  roster: Record<string, Period[]>;
  closures: { from: string; to: string; reason: string }[];
  /** Every (source, id) once. */
  events: HostEvent[];
  /** Microseconds since 1970; null: nothing is known to be complete. */
  completeThrough: number | null;
}

/** Before it has an id. */
type Told = Record<string, unknown> & { source: string; data: Record<string, unknown> };

const DEPLOYMENT = 'long';
const FIRST = dayNumber('2026-01-05');
const KINDS = ['triage', 'letter', 'coding'];
const REASONS = ['wrong', 'slow', undefined];
const CAUSES = ['dismissed', 'navigated', 'stopped', 'timed-out', 'worked-around'];

export const pseudonym = (name: string): string => createHash('sha256').update(name).digest('hex');
const pick = <T>(random: Seeded, ...from: T[]): T => from[random.below(from.length)]!;
const chance = (random: Seeded, share: number): boolean => random.next() < share;

export function longHistory(seed: number): LongHistory {
  const random = seeded(seed);
  const weeks = 20 + random.below(24);
  const last = FIRST + 7 * weeks;
  const names = Array.from({ length: 2 + random.below(8) }, (_, i) => pseudonym(`long ${String(i)}`));
  const tells = { tasks: pick(random, 'always', 'never', 'late'), actors: chance(random, 0.5) ? names : [] };
  const events = names.flatMap((person) => storyOf(random, person, tells.actors, weeks, tells.tasks));
  return {
    timeZone: pick(random, 'UTC', 'Europe/Stockholm', 'America/New_York', 'Asia/Kathmandu'),
    taskKinds: chance(random, 0.5) ? null : ['triage', 'letter'],
    handoff: chance(random, 0.3) ? null : dayName(FIRST + random.below(7 * weeks) - 14),
    roster: chance(random, 0.2) ? {} : rosterOf(random, names, last),
    closures: closuresOf(random, weeks),
    events: random.shuffled(events).map((event, i) => ({ ...event, id: `own:${String(i)}` })),
    completeThrough: chance(random, 0.1) ? null : (last - random.below(60)) * 86_400_000_000 + random.below(86_400) * 1_000_000,
  };
}

/** Few people, in whose invocations and tasks many events meet, tie and lie around midnight; of all the deployments drawn, as of one. */
export function knottedHistory(seed: number): LongHistory {
  const random = seeded(seed);
  const [drawn] = fc.sample(histories(240), { seed, numRuns: 1 });
  const { timeZone, taskKinds } = drawn!.deployments[0]!;
  const events = drawn!.events.map((event): HostEvent => ({ ...event, deployment: DEPLOYMENT }));
  const names = [...new Set(events.flatMap((event) => (typeof event['subject'] === 'string' ? [event['subject']] : [])))];
  return {
    timeZone, taskKinds, events,
    handoff: chance(random, 0.3) ? null : dayName(FIRST + random.below(110)),
    roster: chance(random, 0.2) ? {} : rosterOf(random, names, FIRST + 120),
    closures: closuresOf(random, 16),
    completeThrough: chance(random, 0.1) ? null : (FIRST + 60 + random.below(90)) * 86_400_000_000 + random.below(86_400) * 1_000_000,
  };
}

/** Weeks of use between a first and a last one, with pauses; few of them on weekends. */
function storyOf(random: Seeded, person: string, others: string[], weeks: number, tasks: string): Told[] {
  const told: Told[] = [];
  const begins = random.below(Math.ceil(weeks / 2));
  const ends = chance(random, 0.4) ? weeks : begins + 1 + random.below(weeks);
  const keen = pick(random, 0.15, 0.5, 0.8, 0.97);
  const work = pick(random, 0, 0.6, 0.95);
  const feed = tasks === 'never' ? weeks : tasks === 'late' ? 8 + random.below(8) : 0;
  let pausedUntil = -1;
  for (let week = 0; week < weeks; week++) {
    if (chance(random, 0.06)) pausedUntil = week + 1 + random.below(7);
    const uses = week >= begins && week < ends && week > pausedUntil && chance(random, keen);
    const works = week >= feed && chance(random, work);
    const day = (): number => FIRST + 7 * week + (chance(random, 0.9) ? random.below(5) : random.below(7));
    if (works) for (let i = random.below(3); i >= 0; i--) told.push(taskOf(random, person, `task-${String(week)}-${String(i)}`, day()));
    if (uses) for (let i = random.below(3); i >= 0; i--) told.push(...invocationOf(random, person, others, `inv-${String(week)}-${String(i)}`, chance(random, 0.7) ? `task-${String(week)}-${String(i)}` : undefined, day()));
    if (chance(random, 0.05)) told.push(event(random, 'feedback.given', person, moment(random, day()), { score: pick(random, -1, 0.25, 1, 0.3333333) }));
  }
  return told;
}

/** Around midnight often enough for time zones to matter. */
const moment = (random: Seeded, day: number): number => day * 86_400_000 + (chance(random, 0.2) ? pick(random, 0, 1, -1, 4 * 3_600_000, 18.25 * 3_600_000) : random.below(86_400_000));

function event(random: Seeded, type: string, person: string, at: number, data: Record<string, unknown>): Told {
  return {
    specversion: '1.0', source: pick(random, 'urn:host:a', 'urn:host:b'), type: `foothold.${type}.v1`, time: new Date(at).toISOString(), deployment: DEPLOYMENT, subject: person,
    data: JSON.parse(JSON.stringify(data)) as Record<string, unknown>,
  };
}

function taskOf(random: Seeded, person: string, task: string, day: number): Told {
  return event(random, 'task.completed', person, moment(random, day), { task, taskKind: pick(random, ...KINDS), aided: pick(random, true, false, undefined, undefined) });
}

function invocationOf(random: Seeded, person: string, others: string[], invocation: string, task: string | undefined, day: number): Told[] {
  const at = moment(random, day);
  const told: Told[] = [];
  const tell = (type: string, after: number, data: Record<string, unknown> = {}): void => {
    told.push(event(random, type, person, at + after, { invocation, ...data }));
  };
  const version = (): Record<string, unknown> => ({ model: pick(random, 'm-1', 'm-2', undefined), release: pick(random, 'r-1', 'r-2', undefined) });
  if (chance(random, 0.95)) tell('invocation.started', 0, { task, taskKind: pick(random, ...KINDS, undefined), surface: pick(random, 'in-workflow', 'side-tool', 'export'), initiative: pick(random, 'person', 'person', 'automatic', 'mandated'), ...version() });
  if (chance(random, 0.9)) tell('result.shown', 1_000, { confidence: pick(random, 0, 0.1, 0.3, 0.55, 0.6, 0.85, 0.9, 1, undefined), ...version() });
  const waited = pick(random, 500, 2_000 + random.below(60_000), 86_400_000 * random.below(4) + random.below(1_000_000));
  const actor = others.length > 0 && chance(random, 0.1) ? pick(random, ...others) : undefined;
  const fate = random.next();
  if (fate < 0.55) tell('result.accepted', waited, { actor, changed: pick(random, 0, 0, 0.1, 0.2, 0.35, 0.5, 0.9, undefined) });
  else if (fate < 0.8) tell('result.overridden', waited, { actor, reason: pick(random, ...REASONS) });
  else if (fate < 0.9) tell('result.abandoned', waited, { cause: pick(random, ...CAUSES) });
  if (chance(random, 0.05)) tell('decision.withdrawn', waited + random.below(1_000_000));
  if (chance(random, 0.05)) tell('result.accepted', waited + 86_400_000 * random.below(10), { changed: pick(random, 0, 0.4) });
  for (let i = random.below(4); i > 0 && chance(random, 0.5); i--) tell('result.rechecked', waited + 86_400_000 * i, { kept: pick(random, 0, 0.3333333, 0.9, 1), afterDays: pick(random, 0, 1, 6, 7, 8, 30, 31) });
  for (let i = random.below(3); i > 0 && chance(random, 0.6); i--) {
    tell('truth.established', 90_000_000 * i, { aiRight: chance(random, 0.6), firstRight: pick(random, true, false, undefined), finalRight: pick(random, true, false, undefined), sampledWith: pick(random, 0.3, 1, undefined) });
  }
  return told;
}

/** Up to three periods a person, with gaps and moves, and leave over them; some people are on none. */
function rosterOf(random: Seeded, names: string[], last: number): Record<string, Period[]> {
  const known = names.filter(() => chance(random, 0.9));
  const idle = Array.from({ length: random.below(3) }, (_, i) => pseudonym(`idle ${String(i)}`));
  const teams = chance(random, 0.5) ? ['north', 'south', 'west'] : ['north', 'south', ''];
  const roles = chance(random, 0.5) ? ['doctor', 'nurse'] : ['doctor', ''];
  return Object.fromEntries([...known, ...idle].map((person) => {
    const periods: Period[] = [];
    const enabled = { team: '', role: '', leave: false };
    let day = FIRST - 40 + random.below(100);
    for (let i = random.below(3); i >= 0 && day < last; i--) {
      const to = i === 0 && chance(random, 0.7) ? null : day + random.below(200);
      periods.push({ ...enabled, team: pick(random, ...teams), role: pick(random, ...roles), from: dayName(day), to: to === null ? null : dayName(to) });
      if (to === null) break;
      day = to + 1 + pick(random, 0, 0, random.below(60));
    }
    let leave = FIRST + random.below(120);
    for (let i = random.below(3); i > 0; i--) {
      const to = leave + random.below(40);
      periods.push({ team: '', role: '', leave: true, from: dayName(leave), to: dayName(to) });
      leave = to + 2 + random.below(60);
    }
    return [person, periods];
  }));
}

/** Whole weeks and single days, none sharing a day with another. */
function closuresOf(random: Seeded, weeks: number): LongHistory['closures'] {
  const closures: LongHistory['closures'] = [];
  let day = FIRST + random.below(70);
  for (let i = random.below(5); i > 0 && day < FIRST + 7 * weeks; i--) {
    const from = chance(random, 0.6) ? mondayOf(day) : day;
    const to = from + pick(random, 0, 4, 6, 13, 27);
    closures.push({ from: dayName(from), to: dayName(to), reason: 'summer' });
    day = to + 8 + random.below(60);
  }
  return closures;
}
