import { describe, expect, it } from '@jest/globals';
import { Names } from './identity.js';

const names = () => new Names((bytes) => void crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>));
const NOW = Date.UTC(2026, 0, 5);

describe('a UUIDv7', () => {
  it('has the form and the time', () => {
    const uuid = names().uuid(NOW);
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(parseInt(uuid.replace('-', '').slice(0, 12), 16)).toBe(NOW);
  });

  it('is greater than those before it, within a millisecond and where the clock goes back', () => {
    const made = names();
    const uuids = Array.from({ length: 20_000 }, (_, i) => made.uuid(i === 10_000 ? NOW - 5_000 : NOW));
    expect(uuids.slice().sort()).toEqual(uuids);
    expect(new Set(uuids).size).toBe(uuids.length);
  });

  it('differs between sessions of the same moment', () => {
    const [one, other] = [names(), names()];
    expect(new Set(Array.from({ length: 1_000 }, () => [one.uuid(NOW), other.uuid(NOW)]).flat()).size).toBe(2_000);
  });
});

describe('names', () => {
  it('of traces are traceparents, sampled in the share that is asked for, as the trace id decides', () => {
    const made = names();
    for (const [share, least, most] of [[0, 0, 0], [0.01, 50, 150], [0.5, 4_700, 5_300], [1, 10_000, 10_000]] as const) {
      const traces = Array.from({ length: 10_000 }, () => made.traceparent(share));
      const sampled = traces.filter((trace) => trace.endsWith('-01'));
      for (const trace of traces) expect(trace).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
      expect(sampled.length).toBeGreaterThanOrEqual(least);
      expect(sampled.length).toBeLessThanOrEqual(most);
      // By the last seven bytes of the id, as W3C trace context has it: whoever samples less keeps some of the same.
      const chance = (trace: string) => parseInt(trace.slice(21, 34), 16) / 16 ** 13;
      expect(traces.filter((trace) => chance(trace) >= 1 - share)).toEqual(sampled);
    }
  });

  it('of sessions are eight digits', () => {
    const made = names();
    for (let i = 0; i < 1_000; i++) expect(made.session()).toMatch(/^\d{8}$/);
    expect(made.session()).not.toBe(made.session());
  });
});
