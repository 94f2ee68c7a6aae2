/**
 * What is decided about a deployment after its registration: when its pilot started, when it is handed off, on which days
 * it is closed.
 *
 * What arrives: the deployment as it stands, and what somebody decides. What leaves: the fact, with what it leads to, or
 * nothing where it stands already. Next is decideOn (see deployments.ts), which writes both in one transaction.
 */
import { CODE, Conflicting, WrongInput } from '@foothold/contract';
import { dayNumber } from './local-day.js';
import { type Registration } from './registration.js';

/** Local days, YYYY-MM-DD, both included, on which nobody could use it: none of them counts against anybody. */
export interface Closure {
  from: string;
  to: string;
  /** A code; null: none was given. */
  reason: string | null;
}

/** What was agreed with those who stand for the people: a works council, say. */
export interface Agreement {
  /** Fewest people that a figure is told of, LEAST_PEOPLE or more. */
  people: number;
  /** Whether it may be told how many decisions were hasty: that profiles attention. */
  dwellTimes: boolean;
}

/** Fewest people that a figure is told of, whatever was agreed. */
export const LEAST_PEOPLE = 5;
/** With more, nothing would be told of anybody. */
const MOST_PEOPLE = 1_000;

interface Stands {
  registration: Registration;
  closures: readonly Closure[];
  agreement: Agreement | null;
}

/** A fact, and what stands otherwise once it is recorded. */
export interface Change extends Partial<Stands> {
  type: 'pilot.started' | 'handoff.decided' | 'closure.declared' | 'closure.withdrawn' | 'agreement.made';
  data: object;
}

/** @throws WrongInput where the text is no day; Conflicting where it is after the handoff. */
export function startPilot({ registration }: Stands, day: string): Change | null {
  checkDay('day', day);
  if (registration.pilotStart === day) return null;
  if (registration.handoff !== null && day > registration.handoff) throw new Conflicting('day', `${day} is after the handoff on ${registration.handoff}`, 'give a day up to the handoff, or decide the handoff anew first');
  return { type: 'pilot.started', data: { day }, registration: { ...registration, pilotStart: day } };
}

/** @throws WrongInput where the text is no day; Conflicting where it is before the pilot's start, or the deployment is a sandbox. */
export function decideHandoff({ registration }: Stands, day: string): Change | null {
  checkDay('day', day);
  if (registration.handoff === day) return null;
  if (registration.sandbox) throw new Conflicting('deployment', 'it is a sandbox, which cannot be handed off', 'register a deployment that is none, under another id');
  if (registration.pilotStart !== null && day < registration.pilotStart) throw new Conflicting('day', `${day} is before the pilot's start on ${registration.pilotStart}`, 'give a day from the pilot’s start on, or declare that start anew first');
  return { type: 'handoff.decided', data: { day }, registration: { ...registration, handoff: day } };
}

/** @throws WrongInput where it is no closure; Conflicting where it shares a day with another. */
export function close({ closures }: Stands, closure: Closure): Change | null {
  const { from, to, reason } = closure;
  checkDay('from', from);
  checkDay('to', to);
  if (to < from) throw new WrongInput('to', `${to} is before ${from}`, 'give the last day, which is included');
  if (reason !== null && !CODE.test(reason)) throw new WrongInput('reason', `a text of ${reason.length} characters that is no code`, 'use 1 to 128 letters, digits and . _ : / + - that begin with a letter or digit, such as public-holiday');
  const shared = closures.find((one) => one.from <= to && from <= one.to);
  if (shared && shared.from === from && shared.to === to && shared.reason === reason) return null;
  if (shared) throw new Conflicting('from', `it is closed from ${shared.from} to ${shared.to} already`, 'give other days, or withdraw that closure first');
  return { type: 'closure.declared', data: { from, to, reason }, closures: [...closures, { from, to, reason }].sort((one, other) => (one.from < other.from ? -1 : 1)) };
}

/** Takes a closure back, as if it had never been declared. @throws Conflicting where there is none of exactly these days. */
export function withdrawClosure({ closures }: Stands, from: string, to: string): Change {
  checkDay('from', from);
  checkDay('to', to);
  const left = closures.filter((one) => one.from !== from || one.to !== to);
  if (left.length === closures.length) {
    const there = closures.length === 0 ? 'it has no closure' : `its closures are ${closures.map((one) => `${one.from} to ${one.to}`).join(', ')}`;
    throw new Conflicting('from', `no closure is from ${from} to ${to}`, `give both days of one; ${there}`);
  }
  return { type: 'closure.withdrawn', data: { from, to }, closures: left };
}

/** Holds what was agreed; it takes the place of what was agreed before. @throws WrongInput where the number of people is none; Conflicting where the deployment is a sandbox. */
export function agree({ registration, agreement }: Stands, { people, dwellTimes }: Agreement): Change | null {
  if (!Number.isInteger(people) || people < LEAST_PEOPLE || people > MOST_PEOPLE) throw new WrongInput('people', `${people} is no number of people from ${LEAST_PEOPLE} to ${MOST_PEOPLE}`, `give a whole number; figures of fewer than ${LEAST_PEOPLE} are never told`);
  if (registration.sandbox) throw new Conflicting('deployment', 'it is a sandbox, which shows figures of single people', 'register a deployment that is none, under another id');
  if (agreement?.people === people && agreement.dwellTimes === dwellTimes) return null;
  return { type: 'agreement.made', data: { people, dwellTimes }, agreement: { people, dwellTimes } };
}

function checkDay(field: string, text: string): void {
  if (dayNumber(text) === undefined) throw new WrongInput(field, `a text of ${text.length} characters that is no day`, 'write a day as YYYY-MM-DD, for instance 2026-01-31');
}
