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
  it('of traces are traceparents of traces that are sampled', () => {
    expect(names().traceparent()).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  it('of sessions are eight digits', () => {
    const made = names();
    for (let i = 0; i < 1_000; i++) expect(made.session()).toMatch(/^\d{8}$/);
    expect(made.session()).not.toBe(made.session());
  });
});
