/** What no schema can say about an event: who it may be about, when it may have been, and which text cannot be stored. */
import { EVENTS, type EventName } from './events.js';
import { plural, shapeOf, type Fault } from './faults.js';
import { isPseudonym } from './identity.js';
import { DAY, parseDay, parseTime } from './time.js';
import { type BoundaryOptions } from './boundary.js';

export type Fields = Record<string, unknown>;

/** No text column can hold these: NUL, and halves of characters. */
export const UNSTORABLE = /[\0\p{Surrogate}]/u;

/**
 * The rules an event breaks, none where it is fine. Any part of it may still be of a wrong type: that is the schema's to say.
 * @param name undefined where the data is of a version not known here; then only what concerns people is looked at
 * @param time of the event and
 * @param receivedAt both integer microseconds since 1970
 */
export function ruleFaults(event: Fields, data: Fields, name: EventName | undefined, time: number | undefined, tenant: string, receivedAt: number, options: BoundaryOptions): Fault[] {
  const faults: Fault[] = [];
  const { subject, id, deployment, senttime } = event;
  const { actor, comment } = data;
  if (typeof id === 'string' && UNSTORABLE.test(id)) faults.push(unstorable('id', id));
  if (subject !== undefined) checkPerson('subject', subject, options, faults);
  if (actor !== undefined) checkPerson('data.actor', actor, options, faults);
  if (comment !== undefined && (name === undefined || name === 'feedback.given')) {
    const allowed = typeof deployment === 'string' && options.allowsComments?.(tenant, deployment) === true;
    if (!allowed) faults.push({ field: 'data.comment', reason: `${shapeOf(comment)} where the deployment allows no comments; nothing of the event was kept`, fix: 'leave it out, or allow comments for the deployment', personal: true });
    else if (typeof comment === 'string' && UNSTORABLE.test(comment)) faults.push(unstorable('data.comment', comment));
  }
  if (name === undefined) return faults;

  const rule = EVENTS[name].subjectRule;
  if (rule === 'required' && subject === undefined) {
    faults.push({ field: 'subject', reason: `missing; ${name} is about a person`, fix: 'send the person, as the host knows them', personal: false });
  } else if (rule === 'forbidden' && subject !== undefined) {
    faults.push({ field: 'subject', reason: `${shapeOf(subject)}; ${name} is about the deployment as a whole, not a person`, fix: 'leave it out', personal: false });
  }
  if (data['from'] !== undefined) checkSpan(data['from'], data['to'], faults);
  if (typeof senttime === 'string' && parseTime(senttime) === undefined) faults.push(noSuchTime('senttime', senttime));
  if (time !== undefined && time > receivedAt + DAY) {
    faults.push({ field: 'time', reason: `${plural(Math.ceil((time - receivedAt) / DAY), 'day')} after the event arrived`, fix: 'set the clock of the host, and report what has happened, not what is planned', personal: false });
  }
  return faults;
}

function checkPerson(field: string, person: unknown, options: BoundaryOptions, faults: Fault[]): void {
  if (typeof person !== 'string') {
    faults.push({ field, reason: `${shapeOf(person)}: not a string; nothing of the event was kept`, fix: 'send the person, as the host knows them, as a string', personal: true });
  } else if (options.subjects === 'pseudonyms') {
    if (!isPseudonym(person)) faults.push({ field, reason: `${shapeOf(person)} that is no pseudonym; nothing of the event was kept`, fix: 'send the event to the collector, which alone writes here', personal: true });
  } else if (UNSTORABLE.test(person)) faults.push(unstorable(field, person));
}

function checkSpan(from: unknown, to: unknown, faults: Fault[]): void {
  if (typeof from !== 'string' || typeof to !== 'string') return;
  const [begin, end] = [from, to].map((moment) => (moment.length === 10 ? parseDay(moment) : parseTime(moment)));
  if (begin === undefined) faults.push(noSuchTime('data.from', from));
  else if (end === undefined) faults.push(noSuchTime('data.to', to));
  else if ((from.length === 10) !== (to.length === 10)) {
    faults.push({ field: 'data.to', reason: 'one of from and to is a day, the other a date-time', fix: 'send both as days or both as date-times', personal: false });
  } else if (end < begin || (end === begin && from.length > 10)) {
    faults.push({ field: 'data.to', reason: 'not after data.from', fix: 'send a span that ends after it begins', personal: false });
  }
}

/** For text in the form of a time. */
export const noSuchTime = (field: string, value: unknown): Fault => ({
  field,
  reason: `${shapeOf(value)} in the form of a time, but there is no such day, hour, minute or second, or the year is not within 1685 to 2254`,
  fix: 'send a time that exists; a leap second is told as the second before it',
  personal: false,
});

export const unstorable = (field: string, value: unknown): Fault => ({
  field,
  reason: `${shapeOf(value)}: it holds a NUL, half of a character or a number without end`,
  fix: 'send well-formed Unicode without NUL, and finite numbers',
  personal: true,
});
