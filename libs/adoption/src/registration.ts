/** A deployment's registration: the command that makes it, and what it leads to. */
import { type Fact } from '@foothold/event-log';
import { CODE, Conflicting, DEPLOYMENT, WrongInput } from '@foothold/contract';
import { dayNumber } from './local-day.js';

/** Times are local days, YYYY-MM-DD. The time zone never changes once registered. */
export interface Registration {
  timeZone: string;
  /** ISO 3166-1 alpha-2, of the working calendar; null: none. */
  country: string | null;
  /** Kinds of task for which the AI could be used; null: every kind. */
  taskKinds: string[] | null;
  pilotStart: string | null;
  handoff: string | null;
  /** Share of people who should use it, 0 to 1. */
  target: number;
  sandbox: boolean;
}

export const DEFAULT_REGISTRATION: Registration = {
  timeZone: 'UTC', country: null, taskKinds: null, pilotStart: null, handoff: null, target: 0.4, sandbox: false,
};

/**
 * Decides a registration: the facts to add to an empty stream, none where the same registration stands already. Days of
 * pilot and handoff may have been decided since (see lifecycle.ts): to ask for none of them contradicts nothing.
 * @throws Conflicting where another stands.
 */
export function register(deployment: string, current: Registration | null, wanted: Registration, now: number): Fact[] {
  if (!current) return [{ type: 'deployment.registered', time: now, data: wanted }];
  for (const field of Object.keys(wanted) as (keyof Registration)[]) {
    if ((field === 'pilotStart' || field === 'handoff') && wanted[field] === null) continue;
    const [stands, asked] = [JSON.stringify(current[field]), JSON.stringify(wanted[field])];
    if (stands !== asked) throw new Conflicting(field, `${deployment} is registered with ${stands} already`, 'register the new setting under another id, or leave this one as it was');
  }
  return [];
}

/** A registration as it is asked for; what is left out or null takes the default. */
export type WantedRegistration = { [Field in keyof Registration]?: Registration[Field] | null | undefined };

/** The same as a person writes it on a command line: kinds separated by commas, the target as text. */
export type WrittenRegistration = Omit<WantedRegistration, 'taskKinds' | 'target'> & { taskKinds?: string; target?: string };

/** @throws WrongInput where no deployment may be called `id`. */
export function checkDeploymentId(field: string, id: string): void {
  if (!DEPLOYMENT.test(id)) throw new WrongInput(field, `a text of ${id.length} characters that is no deployment's id`, 'use 1-64 letters, digits, dots, underscores and hyphens');
}

/**
 * Understands a written registration.
 * @throws WrongInput naming the field and the fix.
 */
export function parseRegistration({ taskKinds, target, ...written }: WrittenRegistration): Registration {
  if (target !== undefined && !/^\d*\.?\d+$/.test(target)) throw noShare(target);
  return understandRegistration({ ...written, taskKinds: taskKinds?.split(',').map((kind) => kind.trim()), target: target === undefined ? undefined : Number(target) });
}

/**
 * Understands a registration that is asked for.
 * @throws WrongInput naming the field and the fix.
 */
export function understandRegistration(wanted: WantedRegistration): Registration {
  const { timeZone, country, taskKinds, target } = wanted;
  const day = (field: 'pilotStart' | 'handoff'): string | null => {
    const text = wanted[field] ?? null;
    if (text !== null && dayNumber(text) === undefined) throw new WrongInput(field, `"${text}" is no day`, 'write a day as YYYY-MM-DD, for instance 2026-01-31');
    return text;
  };
  const registration = { ...DEFAULT_REGISTRATION, pilotStart: day('pilotStart'), handoff: day('handoff'), sandbox: wanted.sandbox ?? false };
  if (timeZone != null) registration.timeZone = knownZone(timeZone);
  if (country != null) {
    if (!/^[A-Z]{2}$/.test(country)) throw new WrongInput('country', `"${country}" is no country code`, 'write two capital letters, for instance NO or FI');
    registration.country = country;
  }
  if (taskKinds != null) {
    if (taskKinds.length === 0 || !taskKinds.every((kind) => CODE.test(kind))) throw new WrongInput('taskKinds', 'one of the kinds is empty or no code', 'give codes such as triage and discharge-letter, on the command line separated by commas');
    registration.taskKinds = [...new Set(taskKinds)].sort();
  }
  if (target != null) {
    if (!(target > 0 && target <= 1)) throw noShare(String(target));
    registration.target = target;
  }
  if (registration.pilotStart && registration.handoff && registration.pilotStart > registration.handoff) {
    throw new WrongInput('handoff', `${registration.handoff} is before the pilot's start ${registration.pilotStart}`, 'give the handoff the later day');
  }
  if (registration.sandbox && registration.handoff) throw new WrongInput('handoff', 'a sandbox cannot be handed off', 'leave out one of the two');
  return registration;
}

const noShare = (target: string) => new WrongInput('target', `"${target}" is no share`, 'write a number above 0 and up to 1, for instance 0.4');

function knownZone(name: string): string {
  // Offsets such as +01:00 are accepted by Intl but know no summer time, and so do not say where people work.
  if (/^[A-Za-z]/.test(name)) {
    try {
      return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone;
    } catch {
      // named below
    }
  }
  throw new WrongInput('timeZone', `"${name}" is no IANA time zone`, 'write for instance Europe/Oslo or UTC');
}
