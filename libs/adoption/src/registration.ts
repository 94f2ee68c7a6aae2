/** A deployment's registration: the command that makes it, and what it leads to. */
import { type Fact } from '@foothold/event-log';
import { DEPLOYMENT, WrongInput } from '@foothold/contract';
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

/** A deployment of that name is registered already, and not like this. */
export class AlreadyRegistered extends Error {
  constructor(
    readonly deployment: string,
    readonly field: string,
    readonly registered: unknown,
  ) {
    super(`deployment "${deployment}" is registered with ${field} ${JSON.stringify(registered)}`);
    this.name = 'AlreadyRegistered';
  }
}

/**
 * Decides a registration: the facts to add to an empty stream, none where the same registration stands already.
 * @throws AlreadyRegistered where another stands.
 */
export function register(deployment: string, current: Registration | null, wanted: Registration, now: number): Fact[] {
  if (!current) return [{ type: 'deployment.registered', time: now, data: wanted }];
  for (const field of Object.keys(wanted) as (keyof Registration)[]) {
    if (JSON.stringify(current[field]) !== JSON.stringify(wanted[field])) throw new AlreadyRegistered(deployment, field, current[field]);
  }
  return [];
}

/** A registration as a person writes it: texts, left out for the default. */
export interface WrittenRegistration {
  timeZone?: string;
  country?: string;
  taskKinds?: string;
  pilotStart?: string;
  handoff?: string;
  target?: string;
  sandbox?: boolean;
}

/** @throws WrongInput where no deployment may be called `id`. */
export function checkDeploymentId(field: string, id: string): void {
  if (!DEPLOYMENT.test(id)) throw new WrongInput(field, `a text of ${id.length} characters that is no deployment's id`, 'use 1-64 letters, digits, dots, underscores and hyphens');
}

/**
 * Understands a written registration.
 * @throws WrongInput naming the field and the fix.
 */
export function parseRegistration(id: string, written: WrittenRegistration): Registration {
  checkDeploymentId('id', id);
  const day = (field: 'pilotStart' | 'handoff'): string | null => {
    const text = written[field];
    if (text === undefined) return null;
    if (dayNumber(text) === undefined) throw new WrongInput(field, `"${text}" is no day`, 'write a day as YYYY-MM-DD, for instance 2026-01-31');
    return text;
  };
  const registration = { ...DEFAULT_REGISTRATION, pilotStart: day('pilotStart'), handoff: day('handoff'), sandbox: written.sandbox ?? false };
  if (written.timeZone !== undefined) registration.timeZone = knownZone(written.timeZone);
  if (written.country !== undefined) {
    if (!/^[A-Z]{2}$/.test(written.country)) throw new WrongInput('country', `"${written.country}" is no country code`, 'write two capital letters, for instance NO or FI');
    registration.country = written.country;
  }
  if (written.taskKinds !== undefined) {
    const kinds = written.taskKinds.split(',').map((kind) => kind.trim());
    if (kinds.some((kind) => !/^[A-Za-z0-9][A-Za-z0-9._:/+-]{0,127}$/.test(kind))) throw new WrongInput('taskKinds', 'one of the kinds is empty or no code', 'write codes separated by commas, for instance triage,discharge-letter');
    registration.taskKinds = [...new Set(kinds)].sort();
  }
  if (written.target !== undefined) {
    const target = Number(written.target);
    if (!/^\d*\.?\d+$/.test(written.target) || !(target > 0 && target <= 1)) throw new WrongInput('target', `"${written.target}" is no share`, 'write a number above 0 and up to 1, for instance 0.4');
    registration.target = target;
  }
  if (registration.pilotStart && registration.handoff && registration.pilotStart > registration.handoff) {
    throw new WrongInput('handoff', `${registration.handoff} is before the pilot's start ${registration.pilotStart}`, 'give the handoff the later day');
  }
  if (registration.sandbox && registration.handoff) throw new WrongInput('handoff', 'a sandbox cannot be handed off', 'leave out --sandbox or --handoff');
  return registration;
}

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
