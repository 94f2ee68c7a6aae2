import { describe, expect, it } from '@jest/globals';
import { EVENT_NAMES } from './events.js';
import { nearestType, readType, typeOf, upcast, UPCASTS, VERSIONS, type Upcasts } from './versions.js';

/** As if result.shown had been changed twice. */
const versions = { ...VERSIONS, 'result.shown': 3 };
const upcasts: Upcasts = {
  'result.shown': {
    1: ({ latency, ...data }) => ({ ...data, latencyMs: (latency as number) * 1000 }),
    2: (data) => ({ ...data, options: 1 }),
  },
};

describe('versions', () => {
  it('are read from the type', () => {
    expect(readType('foothold.result.shown.v1')).toEqual({ kind: 'known', name: 'result.shown', version: 1 });
    expect(readType('foothold.result.shown.v12')).toEqual({ kind: 'newer', name: 'result.shown', version: 12, newest: 1 });
    expect(readType('foothold.result.shown.v2', versions)).toEqual({ kind: 'known', name: 'result.shown', version: 2 });
    for (const other of ['', 'result.shown', 'foothold.result.shown', 'foothold.result.shown.v0', 'foothold.result.shown.v01', 'foothold.constructor.name.v1']) {
      expect(readType(other)).toEqual({ kind: 'unknown' });
    }
  });

  it('are brought up one after the other, without touching what was given', () => {
    const data = Object.freeze({ invocation: 'i', latency: 2 });
    expect(upcast('result.shown', 1, data, versions, upcasts)).toEqual({ invocation: 'i', latencyMs: 2000, options: 1 });
    expect(upcast('result.shown', 2, { invocation: 'i' }, versions, upcasts)).toEqual({ invocation: 'i', options: 1 });
    expect(upcast('result.shown', 3, data, versions, upcasts)).toBe(data);
    expect(() => upcast('result.shown', 1, data, versions, {})).toThrow('no upcast of result.shown from version 1');
  });

  it('have a way up from every older one', () => {
    for (const name of EVENT_NAMES) for (let from = 1; from < VERSIONS[name]; from++) expect(UPCASTS[name]?.[from]).toBeDefined();
  });

  it('have a nearest type', () => {
    for (const name of EVENT_NAMES) expect(nearestType(name)).toBe(typeOf(name));
    expect(nearestType('foothold.result.acepted.v1')).toBe('foothold.result.accepted.v1');
    expect(EVENT_NAMES.map(typeOf)).toContain(nearestType('x'.repeat(30_000)));
  });
});
