/** The body of a request: bytes to the events in it, however they were packed. */
import { BATCH_BYTES, BATCH_EVENTS, EVENT_BYTES, WrongInput } from '@foothold/contract';
import { Problem, wrongContentType } from '@foothold/platform';
import { isUtf8 } from 'node:buffer';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

export const SINGLE = 'application/cloudevents+json';
export const BATCH = 'application/cloudevents-batch+json';
const READS = `${SINGLE} (one event) or ${BATCH} (a list of them)`;

export interface Events {
  values: unknown[];
  batch: boolean;
  /** No event in it can be too long. */
  short: boolean;
}

const inflate = promisify(gunzip);

/** Which of the two forms a content type names. @throws Problem 415 */
export function formOf(contentType: string | undefined): typeof SINGLE | typeof BATCH {
  const [type, ...parameters] = (contentType ?? '').toLowerCase().split(';').map((part) => part.trim());
  const utf8 = parameters.every((parameter) => parameter === '' || /^charset="?utf-8"?$/.test(parameter));
  if ((type !== SINGLE && type !== BATCH) || !utf8) throw wrongContentType(`${READS}, in UTF-8`);
  return type;
}

/** @throws Problem 415 for an encoding that is not read */
export function isPacked(contentEncoding: string | undefined): boolean {
  const encoding = contentEncoding?.trim().toLowerCase() ?? 'identity';
  if (encoding !== 'identity' && encoding !== 'gzip') throw new Problem(415, 'Wrong content encoding', { field: 'content-encoding', reason: 'not one this path reads', fix: 'send gzip, or nothing' });
  return encoding === 'gzip';
}

export const tooLarge = (): Problem =>
  new Problem(413, 'Too large', { field: 'body', reason: `more than the ${BATCH_BYTES} bytes a request may have`, fix: `send at most ${BATCH_EVENTS} events and ${BATCH_BYTES} bytes at once` });

/**
 * The events of a body.
 * @throws WrongInput where it cannot be read
 * @throws Problem 413 where it holds more than one request may; unpacking stops there
 */
export async function eventsOf(bytes: Buffer, form: typeof SINGLE | typeof BATCH, packed: boolean): Promise<Events> {
  const body = packed ? await unpacked(bytes) : bytes;
  const short = body.length <= EVENT_BYTES;
  if (!isUtf8(body)) throw unreadable('not UTF-8');
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch {
    throw unreadable(body.length === 0 ? 'empty' : 'not JSON');
  }
  if (form === SINGLE) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unreadable('no JSON object');
    return { values: [value], batch: false, short };
  }
  if (!Array.isArray(value)) throw unreadable('no JSON list');
  if (value.length > BATCH_EVENTS) {
    throw new Problem(413, 'Too large', { field: 'body', reason: `${value.length} events, more than the ${BATCH_EVENTS} a batch may have`, fix: 'send them in several batches' });
  }
  return { values: value, batch: true, short };
}

async function unpacked(bytes: Buffer): Promise<Buffer> {
  try {
    return await inflate(bytes, { maxOutputLength: BATCH_BYTES });
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw new WrongInput('body', 'not gzip, though content-encoding says so', 'pack all of it with gzip, or leave content-encoding out');
  }
}

const unreadable = (what: string): WrongInput => new WrongInput('body', what, `send ${READS}, whole, in UTF-8`);
