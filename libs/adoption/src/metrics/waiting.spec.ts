import { describe, expect, it } from '@jest/globals';
import { type LearnedWindow } from '../decision-window.js';
import { waiting } from './waiting.js';

const HOUR = 3_600_000_000;
const fact = (hours: number, ...windows: [string | null, number | null][]) => ({
  time: hours * HOUR,
  data: { windows: windows.map(([taskKind, windowHours]): LearnedWindow => ({ taskKind, windowMs: windowHours === null ? null : windowHours * 3_600_000, decided: 100, backwards: 0, untold: 0 })) },
});

/** What becomes of a result of `kind` that was shown at a moment, by the stretches alone. */
function fate(kind: string, shownAt: number, learned: Parameters<typeof waiting>[0], completeThrough: number | null): string {
  const { kinds, stretches } = waiting(learned, completeThrough);
  const mine = stretches.filter((stretch) => stretch.kind === (kinds.includes(kind) ? kind : '*') && shownAt >= stretch.from && shownAt < stretch.until);
  expect(mine.length).toBeLessThan(2);
  return mine[0] === undefined ? 'confirmed' : shownAt >= mine[0].pending ? 'pending' : 'soft';
}

describe('an undecided result', () => {
  const learned = [fact(100, ['letter', 2], [null, 5]), fact(200, ['letter', 40], ['triage', null]), fact(300, ['letter', 40], ['triage', 3])];

  it.each<[string, string, number, number]>([
    // kind, shown at, window: by the hour it was shown.
    ['letter', 99, 24], ['letter', 100, 2], ['letter', 199, 2], ['letter', 200, 40], ['letter', 300, 40], ['letter', 9_999, 40],
    ['', 99, 24], ['', 100, 5], ['', 301, 5], ['coding', 250, 24],
    ['triage', 250, 24], ['triage', 299, 24], ['triage', 300, 3],
  ].map(([kind, shown, window]) => [`of ${kind || 'no kind'}, shown at hour ${shown}, waits ${window} hours, to the microsecond`, kind as string, shown as number, window as number]))('%s', (_, kind, shown, window) => {
    const shownAt = shown * HOUR;
    const after = (micros: number) => fate(kind, shownAt, learned, shownAt + micros);
    expect([after(0), after(window * HOUR), after(window * HOUR + 1)]).toEqual(['pending', 'pending', 'soft']);
    expect([after(3 * window * HOUR), after(3 * window * HOUR + 1), after(9_999 * HOUR)]).toEqual(['soft', 'confirmed', 'confirmed']);
  });

  it('is pending where nothing is known to be complete', () => {
    expect(fate('letter', 0, learned, null)).toBe('pending');
  });

  it('of another kind than those that taught something keeps the first window, whatever it is called', () => {
    expect(fate('*', 0, learned, 24 * HOUR)).toBe('pending');
    expect(fate('*', 0, learned, 24 * HOUR + 1)).toBe('soft');
  });

  it('is asked for in few stretches: windows that stay are one, and those long past none', () => {
    const weekly = Array.from({ length: 500 }, (_, i) => fact(100 + i * 168, ['letter', i < 250 ? 2 : 4]));
    expect(waiting(weekly, 1_000_000 * HOUR).stretches).toEqual([
      { kind: '*', from: (1_000_000 - 72) * HOUR, until: Infinity, pending: (1_000_000 - 24) * HOUR },
      { kind: 'letter', from: (1_000_000 - 12) * HOUR, until: Infinity, pending: (1_000_000 - 4) * HOUR },
    ]);
  });
});
