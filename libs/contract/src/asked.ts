/**
 * What somebody asks with (parameters of a path or a query, fields of a body) against its shape.
 * What arrives: names and values as HTTP gives them. What leaves: values of the shape, or an error that names the first
 * that is wrong. Next is the domain, which knows what only it can know.
 */
import { type Static, type TObject, type TSchema } from 'typebox';
import { Check } from 'typebox/value';
import { expected, isObject, SAFE_NAME, wrong } from './faults.js';
import { WrongInput } from './problem.js';

/**
 * Reads parameters, which are texts: an integer as digits, a list with commas between.
 * @throws WrongInput naming the parameter.
 */
export function readParameters<Shape extends TObject>(shape: Shape, texts: Record<string, unknown>): Static<Shape> {
  const values = Object.create(null) as Record<string, unknown>; // a parameter may be called __proto__
  for (const [name, text] of Object.entries(texts)) {
    if (Array.isArray(text)) throw new WrongInput(SAFE_NAME.test(name) ? name : 'query', `given ${text.length} times`, 'give it once');
    const schema = Object.hasOwn(shape.properties, name) ? (shape.properties[name] as { type?: string }) : {};
    values[name] = schema.type === 'integer' && /^\d{1,15}$/.test(text as string) ? Number(text) : schema.type === 'array' ? listOf(text as string) : text;
  }
  return readFields(shape, values, 'query');
}

const listOf = (text: string): string[] => (text === '' ? [] : text.split(',').map((part) => part.trim()));

/**
 * Checks fields; null stands for one that is left out where the shape says that it may.
 * @throws WrongInput naming the field, or `whole` where the name itself cannot be repeated.
 */
export function readFields<Shape extends TObject>(shape: Shape, fields: Record<string, unknown>, whole: string): Static<Shape> {
  const properties = shape.properties as Record<string, TSchema>;
  const required = (shape.required ?? []) as string[];
  const names = Object.keys(properties);
  for (const name of Object.keys(fields)) {
    if (Object.hasOwn(properties, name)) continue;
    throw new WrongInput(SAFE_NAME.test(name) ? name : whole, 'there is nothing of that name here', names.length === 0 ? 'leave it out: nothing is taken here' : `leave it out; what is taken is ${names.join(', ')}`);
  }
  for (const [name, nullable] of Object.entries(properties)) {
    const schema = ((nullable as { anyOf?: TSchema[] }).anyOf?.[0] ?? nullable) as TSchema; // of a nullable one the first is what it is
    if (fields[name] === undefined) {
      if (required.includes(name)) throw new WrongInput(name, 'missing', `send ${expected(schema)}`);
    } else if (!Check(nullable, fields[name])) {
      checkItems(name, schema, fields[name]);
      const { field, reason, fix } = wrong(schema, fields[name], name, !required.includes(name));
      throw new WrongInput(field, reason, fix);
    }
  }
  return fields as Static<Shape>;
}

/** Of a list of objects the first that is wrong, and what of it: of a long list, to say that it is wrong would help nobody. */
function checkItems(name: string, { items }: TSchema & { items?: TObject }, value: unknown): void {
  if (!items?.properties || !Array.isArray(value)) return;
  const at = value.findIndex((item) => !Check(items, item));
  if (!isObject(value[at])) return;
  try {
    readFields(items, value[at], '');
  } catch (error) {
    if (!(error instanceof WrongInput)) throw error;
    throw new WrongInput([`${name}[${at}]`, error.field].filter(Boolean).join('.'), error.reason, error.fix);
  }
}
