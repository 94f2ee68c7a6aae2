import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EVENT_NAMES } from './events.js';
import { jsonSchema, schemaFile, schemaText } from './json-schema.js';
import { parseTime } from './time.js';

const FOLDER = join(import.meta.dirname, '../schemas');

interface Node {
  description?: string;
  pattern?: string;
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

  it('take of times those that the boundary can read, but for days that only their month lacks', () => {
    const pattern = new RegExp((jsonSchema('result.shown') as Node).properties!['time']!.pattern!);
    const two = fc.integer({ min: 0, max: 99 }).map((number) => String(number).padStart(2, '0'));
    const year = fc.constantFrom('0000', '1684', '1685', '1699', '1700', '2026', '2199', '2254', '2255', '9999');
    const day = fc.oneof(fc.integer({ min: 0, max: 28 }), fc.integer({ min: 32, max: 99 })).map((number) => String(number).padStart(2, '0'));
    const near = (...numbers: string[]) => fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...numbers) }, two);
    const offset = fc.oneof(fc.constantFrom('Z', 'z', ''), fc.tuple(fc.constantFrom('+', '-'), near('00', '23', '24'), near('00', '59', '60')).map(([sign, hours, minutes]) => `${sign}${hours}:${minutes}`));
    const fraction = fc.constantFrom('', '.', '.1', '.123456789', '.1234567890');
    fc.assert(
      fc.property(year, near('00', '01', '12', '13'), day, fc.constantFrom('T', 't', ' '), near('00', '23', '24'), near('00', '59', '60'), near('00', '59', '60'), fraction, offset, (y, mo, d, t, h, mi, s, f, o) => {
        const text = `${y}-${mo}-${d}${t}${h}:${mi}:${s}${f}${o}`;
        expect([text, pattern.test(text)]).toEqual([text, parseTime(text) !== undefined]);
      }),
      { numRuns: 5_000 },
    );
  });
});
