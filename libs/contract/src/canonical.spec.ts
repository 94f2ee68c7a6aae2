import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonical } from './canonical.js';

/** The same value with the keys of every object the other way round. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).reverse().map(([key, part]) => [key, turned(part)]));
}

describe('canonical JSON', () => {
  it.each([
    [{ b: 1, a: [true, null, 'x'] }, '{"a":[true,null,"x"],"b":1}'],
    [-0, '0'],
    [1e21, '1e+21'],
    [0.1 + 0.2, '0.30000000000000004'],
    ['\u0000"\\\n', '"\\u0000\\"\\\\\\n"'],
    ['\ud800', '"\\ud800"'],
    // The example of RFC 8785: by code units, so that the emoji (a surrogate pair) comes before U+FB33.
    [{ '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 }, '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}'],
    [{ a: undefined, b: {} }, '{"b":{}}'],
  ])('%j', (value, text) => expect(canonical(value)).toBe(text));

  it.each([undefined, NaN, Infinity, 1n, () => 0])('has no text for %p', (value) => expect(() => canonical([value])).toThrow(TypeError));

  it('reads back as the same value', () => {
    fc.assert(fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => expect(JSON.parse(canonical(value))).toEqual(JSON.parse(JSON.stringify(value)))));
  });

  it('never depends on the order of keys', () => {
    const wide = fc.dictionary(fc.string({ unit: 'binary' }), fc.integer(), { maxKeys: 60 });
    fc.assert(fc.property(fc.oneof(fc.jsonValue(), wide), (value) => expect(canonical(turned(value))).toBe(canonical(value))));
  });
});
