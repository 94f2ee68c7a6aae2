/** An event with the people in it as pseudonyms: what is kept of one that was refused, and what the collector passes on. */
import { type UsageEvent } from './boundary.js';
import { canonical } from './canonical.js';
import { type Fields } from './rules.js';
import { timeText } from './time.js';
import { typeOf } from './versions.js';

/**
 * The event as whoever stands behind this boundary reads it (with `subjects: 'pseudonyms'`): in the version it was sent in,
 * with id, sequence, senttime and traceparent as they were.
 * @param value what `checkEvent` accepted
 * @param event what it made of it
 * @returns one CloudEvent as JSON
 */
export function passedOn(value: unknown, { person, actor }: UsageEvent): string {
  const event = value as Fields;
  return JSON.stringify(pseudonymised(event, event['data'] as Fields, person, actor));
}

/**
 * An event that passed as a CloudEvent again, for letters that the log itself writes: canonical JSON, pseudonyms for people,
 * in its newest version. Its `id` is the identity under which the log knows it, no longer the host's own.
 */
export function cloudEventOf({ id, source, type, time, deployment, person, actor, data, sequence }: UsageEvent): string {
  const fields = JSON.parse(data) as Fields;
  return canonical(pseudonymised({ specversion: '1.0', id, source, type: typeOf(type), time: timeText(time), deployment, ...(sequence === undefined ? {} : { sequence }), data: fields }, fields, person, actor));
}

/** The event without `dataschema` (any address, and of no use to whoever reads on), subject and actor replaced where there are any. */
export function pseudonymised(event: Fields, data: Fields, person: string | null, actor: string | null): Fields {
  const kept: Fields = { ...event };
  delete kept['dataschema'];
  if (person !== null) kept['subject'] = person;
  if (actor !== null) kept['data'] = { ...data, actor };
  return kept;
}
