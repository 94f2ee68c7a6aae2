/**
 * What is wrong with a value, in words: the slow path of the boundary, taken only by what is refused.
 * Says the shape of a value, never the value: somebody's name or words may stand in it.
 */
import { type TObject, type TSchema } from 'typebox';
import { Check } from 'typebox/value';
import { FORMS } from './forms.js';

export interface Fault {
  /** Path in the event, such as `data.surface`. */
  field: string;
  reason: string;
  fix: string;
  /** The event may hold words or names of people in a place where nobody looks for them: nothing of it may be kept. */
  personal: boolean;
}

/** The keywords of JSON Schema our schemas are written in. */
interface Keywords {
  type?: string;
  const?: unknown;
  enum?: string[];
  pattern?: string;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  maxProperties?: number;
  required?: string[];
  properties?: Record<string, TSchema>;
  additionalProperties?: boolean;
  patternProperties?: Record<string, TSchema>;
  items?: TSchema;
  minItems?: number;
  maxItems?: number;
}

const WORDS = new Map<string, string>(Object.values(FORMS).map((form) => [form.pattern, form.words]));
export const SAFE_NAME = /^[A-Za-z][A-Za-z0-9_]{0,39}$/;
/** One word at most, and no e-mail address. */
export const PLAIN = /^[!-?A-~]{0,256}$/;

/** Everything in which `value`, found at `path` ('' is the event itself), differs from `schema`. */
export function faultsOf(schema: TObject, value: unknown, path: string): Fault[] {
  return [...walk(schema, value, path, false)];
}

function* walk(schema: TSchema, value: unknown, path: string, optional: boolean): Generator<Fault> {
  const { type, properties, patternProperties } = schema as Keywords;
  if (type === 'object' && isObject(value)) {
    if (properties) yield* walkFields(schema as Keywords, value, path);
    else if (patternProperties) yield* walkEntries(schema as Keywords, value, path);
  } else if (!Check(schema, value)) yield wrong(schema as Keywords, value, path, optional);
}

function* walkFields({ properties = {}, required = [], additionalProperties }: Keywords, value: Record<string, unknown>, path: string): Generator<Fault> {
  const at = (key: string) => (path === '' ? key : `${path}.${key}`);
  const unknown = additionalProperties === false && Object.keys(value).find((key) => !Object.hasOwn(properties, key));
  if (typeof unknown === 'string') {
    const named = SAFE_NAME.test(unknown);
    yield {
      field: named ? at(unknown) : path || 'body',
      reason: `${named ? 'a field that is not part of this event' : `a field with a name of ${unknown.length} characters that is not part of this event`}; what people typed or an AI answered is never collected, so nothing of the event was kept`,
      fix: `leave it out; ${path === '' ? 'the attributes are' : `the fields of ${path} are`} ${Object.keys(properties).join(', ')}`,
      personal: true,
    };
  }
  for (const [key, schema] of Object.entries(properties)) {
    const needed = required.includes(key);
    if (value[key] !== undefined) yield* walk(schema, value[key], at(key), !needed);
    else if (needed) yield { field: at(key), reason: 'missing', fix: `send ${expected(schema as Keywords)}`, personal: false };
  }
}

function* walkEntries({ patternProperties = {}, maxProperties = Infinity }: Keywords, value: Record<string, unknown>, path: string): Generator<Fault> {
  const [pattern, schema] = Object.entries(patternProperties)[0]!;
  const form = new RegExp(pattern);
  const keys = Object.keys(value);
  const bad = keys.find((key) => !form.test(key));
  if (bad !== undefined) yield { field: path, reason: `has ${shapeOf(bad)} as a key`, fix: `use as keys ${expected({ pattern })}`, personal: !PLAIN.test(bad) };
  if (keys.length > maxProperties) yield { field: path, reason: `has ${keys.length} keys`, fix: `send at most ${maxProperties} keys`, personal: false };
  for (const key of keys) yield* walk(schema, value[key], path, false);
}

export function wrong(schema: Keywords, value: unknown, field: string, optional: boolean): Fault {
  const kind = schema.type === 'integer' ? 'number' : schema.type;
  const found = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
  const why =
    schema.const !== undefined || schema.enum ? 'none of the values there are'
    : kind !== found ? `not ${kind === 'object' ? 'an object' : kind === 'array' ? 'a list' : `a ${kind}`}`
    : kind === 'array' ? 'not what the list must hold'
    : typeof value === 'string' ? 'not of the form it must have'
    : schema.type === 'integer' && !Number.isInteger(value) ? 'not an integer'
    : 'out of range';
  return {
    field: field || 'body',
    reason: `${shapeOf(value)}: ${why}`,
    fix: `send ${expected(schema)}${optional ? ', or leave the field out' : ''}`,
    personal: typeof value === 'object' ? value !== null : typeof value === 'string' && !PLAIN.test(value),
  };
}

export function expected(schema: Keywords): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return `one of ${schema.enum.join(', ')}`;
  if (schema.pattern !== undefined) return WORDS.get(schema.pattern) ?? `text of the form ${schema.pattern}`;
  switch (schema.type) {
    case 'string':
      return schema.maxLength === undefined ? 'a string' : `a text of ${schema.minLength ?? 0} to ${schema.maxLength} characters`;
    case 'boolean':
      return 'true or false';
    case 'integer':
    case 'number': {
      const least = schema.exclusiveMinimum === undefined ? `from ${schema.minimum}` : `above ${schema.exclusiveMinimum}`;
      return `${schema.type === 'integer' ? 'an integer' : 'a number'} ${least} to ${schema.maximum}`;
    }
    case 'array':
      return `a list of ${schema.minItems ?? 0} to ${schema.maxItems}, none twice, each of them ${expected(schema.items as Keywords)}`;
    default:
      return 'an object';
  }
}

/** What a value looks like, without saying it: `a string of 12 characters with white space`. Only short numbers are said. */
export function shapeOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${plural(value.length, 'item')}`;
  switch (typeof value) {
    case 'string': {
      if (value === '') return 'an empty string';
      const marks = [/\s/.test(value) && 'white space', /[\0-\x08\x0e-\x1f\x7f]/.test(value) && 'control characters', value.includes('@') && 'an @'].filter(Boolean);
      return `a string of ${plural(value.length, 'character')}${marks.length > 0 ? ` with ${marks.join(' and ')}` : ''}`;
    }
    case 'number': {
      if (!Number.isFinite(value)) return 'a number without end';
      const digits = String(value);
      return digits.length <= 6 ? `the number ${digits}` : `a number of ${digits.length} characters`;
    }
    case 'boolean':
      return String(value);
    default:
      return `an object with ${plural(Object.keys(value).length, 'field')}`;
  }
}

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
