import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { identityOf, isPseudonym } from './identity.js';

const V7 = '01890a5d-ac96-774b-bc3a-0123456789ab';
const V8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const source = fc.string({ unit: fc.constantFrom(...'abc:/1'), minLength: 1, maxLength: 20 });
const id = fc.string({ minLength: 1, maxLength: 128 });

describe('the id of an event', () => {
  it('is the host’s UUIDv7, in lower case, whatever the source', () => {
    expect(identityOf('a', V7)).toBe(V7);
    expect(identityOf('b', V7.toUpperCase())).toBe(V7);
  });

  it.each([
    ['a UUIDv4', '01890a5d-ac96-474b-bc3a-0123456789ab'],
    ['a UUIDv7 of another variant', '01890a5d-ac96-774b-cc3a-0123456789ab'],
    ['a UUIDv7 in braces', `{${V7}}`],
    ['a UUIDv7 without hyphens', V7.replaceAll('-', '')],
    ['a UUIDv7 with a letter too far', V7.replace('ab', 'ag')],
  ])('is derived from %s', (_what, own) => {
    expect(identityOf('a', own)).toMatch(V8);
    expect(identityOf('a', own)).not.toBe(identityOf('b', own));
  });

  it('is the first 16 bytes of SHA-256, but for version and variant', () => {
    const bytes = createHash('sha256').update('urn:acme:erp\nerp:4711:2').digest().subarray(0, 16);
    bytes[6] = (bytes[6]! & 0x0f) | 0x80;
    bytes[8] = (bytes[8]! & 0x3f) | 0x80;
    expect(identityOf('urn:acme:erp', 'erp:4711:2').replaceAll('-', '')).toBe(bytes.toString('hex'));
  });

  it('differs with source and id, and only with them', () => {
    fc.assert(
      fc.property(source, id, source, id, (source1, id1, source2, id2) => {
        const [one, two] = [identityOf(source1, id1), identityOf(source2, id2)];
        expect(one).toMatch(V8);
        expect(one === two).toBe(source1 === source2 && id1 === id2);
      }),
    );
  });
});

describe('a pseudonym', () => {
  it('is 64 lower-case hex digits', () => {
    expect(isPseudonym('0123456789abcdef'.repeat(4))).toBe(true);
    for (const other of ['', 'a'.repeat(63), 'a'.repeat(65), 'A'.repeat(64), 'g'.repeat(64)]) expect(isPseudonym(other)).toBe(false);
  });
});
