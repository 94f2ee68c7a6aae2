import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseDay, parseTime } from './time.js';

const START = Date.UTC(1685, 0, 1);
const END = Date.UTC(2255, 0, 1) - 1;

describe('times', () => {
  it('are those of Date, to the millisecond', () => {
    fc.assert(fc.property(fc.integer({ min: START, max: END }), (ms) => expect(parseTime(new Date(ms).toISOString())).toBe(ms * 1000)));
  });

  it('are the same told with any offset', () => {
    fc.assert(
      fc.property(fc.integer({ min: START + 1e8, max: END - 1e8 }), fc.integer({ min: -1439, max: 1439 }), (ms, offset) => {
        const size = Math.abs(offset);
        const told = `${offset < 0 ? '-' : '+'}${String(Math.floor(size / 60)).padStart(2, '0')}:${String(size % 60).padStart(2, '0')}`;
        expect(parseTime(new Date(ms + offset * 60_000).toISOString().replace('Z', told))).toBe(ms * 1000);
      }),
    );
  });

  it.each([
    ['1970-01-01T00:00:00Z', 0],
    ['1970-01-01t00:00:01z', 1_000_000],
    ['1970-01-01T00:00:00.1Z', 100_000],
    ['1970-01-01T00:00:00.123456Z', 123_456],
    ['1970-01-01T00:00:00.123456789Z', 123_456],
    ['1969-12-31T23:59:59.999999Z', -1],
    ['1970-01-01T00:00:00-00:00', 0],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29) * 1000],
  ])('%s', (text, micros) => expect(parseTime(text)).toBe(micros));

  it.each([
    '', '2026-01-05', '2026-01-05T09:30:00', '2026-01-05 09:30:00Z', '2026-01-05T09:30Z', '2026-01-05T09:30:00.Z', '2026-01-05T09:30:00.1234567890Z',
    '2026-02-30T00:00:00Z', '2025-02-29T00:00:00Z', '2100-02-29T00:00:00Z', '2026-04-31T00:00:00Z', '2026-00-01T00:00:00Z', '2026-13-01T00:00:00Z', '2026-01-00T00:00:00Z',
    '2026-01-05T24:00:00Z', '2026-01-05T09:60:00Z', '2016-12-31T23:59:60Z', '2026-01-05T09:30:00+24:00', '2026-01-05T09:30:00+01:60', '2026-01-05T09:30:00+0100',
    '2026-01-05T09:30:00Zx', ' 2026-01-05T09:30:00Z', '1684-12-31T23:59:59Z', '2255-01-01T00:00:00Z', '+02026-01-05T09:30:00Z',
  ])('none: %j', (text) => expect(parseTime(text)).toBeUndefined());

  it('stay exact at both ends', () => {
    for (const text of ['1685-01-01T00:00:00.000001Z', '2254-12-31T23:59:59.999999-23:59']) expect(Number.isSafeInteger(parseTime(text))).toBe(true);
  });

  it('have days', () => {
    expect(parseDay('1970-01-02')).toBe(1);
    expect(parseDay('2026-02-29')).toBeUndefined();
  });
});
