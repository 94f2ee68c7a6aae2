/** The published JSON Schemas: what a host in any language may send, one whole CloudEvent each. */
import Type from 'typebox';
import { ATTRIBUTES } from './envelope.js';
import { EVENTS, type EventName } from './events.js';
import { PUBLISHED } from './forms.js';
import { typeOf, VERSIONS } from './versions.js';

/** The name of the file an event's schema is published in. */
export const schemaFile = (name: EventName): string => `${name}.v${VERSIONS[name]}.json`;

/** The JSON Schema (draft 2020-12) of an event of the newest version, envelope and data. */
export function jsonSchema(name: EventName): Record<string, unknown> {
  const { description, subjectRule, data } = EVENTS[name];
  const { subject, ...others } = ATTRIBUTES;
  const type = Type.Literal(typeOf(name), { description: 'The usage event and its version.' });
  const whole = Type.Object({ ...others, type, ...(subjectRule === 'forbidden' ? {} : { subject }), data }, { additionalProperties: false });
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `urn:foothold:schema:${name}.v${VERSIONS[name]}`,
    title: typeOf(name),
    description,
    ...whole,
    required: subjectRule === 'required' ? [...whole.required, 'subject'] : whole.required,
  };
  return JSON.parse(JSON.stringify(schema), (keyword, value: unknown) => (keyword === 'pattern' ? (PUBLISHED.get(value) ?? value) : value)) as Record<string, unknown>;
}

/** The text of its file. */
export const schemaText = (name: EventName): string => `${JSON.stringify(jsonSchema(name), null, 2)}\n`;
