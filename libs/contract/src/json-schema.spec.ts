import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EVENT_NAMES } from './events.js';
import { jsonSchema, schemaFile, schemaText } from './json-schema.js';

const FOLDER = join(import.meta.dirname, '../schemas');

interface Node {
  description?: string;
  properties?: Record<string, Node>;
  patternProperties?: Record<string, Node>;
  additionalProperties?: boolean;
}

function undescribed(node: Node, path: string): string[] {
  const parts = Object.entries({ ...node.properties, ...node.patternProperties });
  const open = parts.length > 0 && node.additionalProperties !== false ? [`${path} is open`] : [];
  return [...(node.description?.endsWith('.') ? [] : [path]), ...open, ...parts.flatMap(([key, part]) => undescribed(part, `${path}.${key}`))];
}

describe('the published schemas', () => {
  it.each(EVENT_NAMES)('of %s is what the code says (else: npx nest build && node libs/contract/schemas/generate.mjs)', (name) => {
    expect(readFileSync(join(FOLDER, schemaFile(name)), 'utf8')).toBe(schemaText(name));
  });

  it('are one for every event, and no other', () => {
    expect(readdirSync(FOLDER).filter((file) => file.endsWith('.json')).sort()).toEqual(EVENT_NAMES.map(schemaFile).sort());
  });

  it.each(EVENT_NAMES)('of %s describes every field and takes no other', (name) => expect(undescribed(jsonSchema(name) as Node, name)).toEqual([]));
});
