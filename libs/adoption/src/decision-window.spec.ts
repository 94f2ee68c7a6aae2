import { describe, expect, it } from '@jest/globals';
import { closedWeek, windowOf } from './decision-window.js';

const at = (text: string): number => Date.parse(text) * 1000;
const MINUTE = 60_000_000;

describe('a decision window', () => {
  it.each([
    ['99 decisions teach nothing', 99, 60 * MINUTE, null],
    ['100 do', 100, 60 * MINUTE, 60 * MINUTE],
    ['is never under a quarter of an hour', 100, 15 * MINUTE - 1, 15 * MINUTE],
    ['has no cap once it is learned', 100, 40 * 24 * 60 * MINUTE, 40 * 24 * 60 * MINUTE],
    ['of decisions of which none was measured', 0, null, null],
  ])('%s', (_, decided, p99, window) => expect(windowOf(decided, p99)).toBe(window));
});

describe('the last closed week', () => {
  it.each([
    // Helsinki's clocks go forward on Sunday 2026-03-29: that week has an hour less.
    ['Europe/Helsinki', at('2026-03-29T20:59:59.999Z'), '2026-W12', '2025-12-21T22:00:00Z', '2026-03-22T22:00:00Z'],
    ['Europe/Helsinki', at('2026-03-29T21:00:00Z'), '2026-W13', '2025-12-28T22:00:00Z', '2026-03-29T21:00:00Z'],
    ['Europe/Helsinki', at('2026-04-05T20:59:59.999Z'), '2026-W13', '2025-12-28T22:00:00Z', '2026-03-29T21:00:00Z'],
    // And back on 2026-10-25: an hour more.
    ['Europe/Helsinki', at('2026-10-25T21:59:59.999Z'), '2026-W42', '2026-07-19T21:00:00Z', '2026-10-18T21:00:00Z'],
    ['Europe/Helsinki', at('2026-10-25T22:00:00Z'), '2026-W43', '2026-07-26T21:00:00Z', '2026-10-25T22:00:00Z'],
    // Week 53 of 2026 ends with 2027-01-03; week 1 of 2025 begins with 2024-12-30.
    ['UTC', at('2027-01-04T00:00:00Z'), '2026-W53', '2026-10-05T00:00:00Z', '2027-01-04T00:00:00Z'],
    ['UTC', at('2025-01-06T00:00:00Z'), '2025-W01', '2024-10-07T00:00:00Z', '2025-01-06T00:00:00Z'],
    // São Paulo's clocks went forward within the weeks that teach, at midnight of 2018-11-04.
    ['America/Sao_Paulo', at('2018-11-05T02:00:00Z'), '2018-W44', '2018-08-06T03:00:00Z', '2018-11-05T02:00:00Z'],
  ])('in %s', (zone, moment, week, from, end) => expect(closedWeek(zone, moment)).toEqual({ week, from: at(from), end: at(end) }));
});
