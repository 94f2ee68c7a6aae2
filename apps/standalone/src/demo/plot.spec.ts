import { describe, expect, it } from '@jest/globals';
import { draw } from './plot.js';

describe('a plot', () => {
  it('shows each value at its height, weeks in order, and names the months', () => {
    const days = ['2026-03-09', '2026-03-16', '2026-03-23', '2026-03-30', '2026-04-06', '2026-04-13'];
    const text = draw({
      title: 'Coverage',
      series: [{ mark: '●', label: 'triage', values: [0, 0.1, 0.2, 0.3, null, 0.5] }, { mark: '○', label: 'letter', values: [0.4, 0.4, 0.3, 0.2, 0.1, null] }],
      days,
      write: (value) => `${Math.round(value * 100)} %`,
    });
    expect(text).toBe(`Coverage  ● triage   ○ letter
 50 % │          ●
      │
 40 % │○ ○
      │
 30 % │    ○ ●
      │
 20 % │    ● ○
      │
 10 % │  ●     ○
      │
  0 % │●
      └────────────
       Mar     Apr`);
  });

  it('of a single series needs no legend, and ends at a round number', () => {
    const text = draw({ title: 'People', series: [{ mark: '●', label: 'people', values: [216, 230] }], days: ['2026-12-28', '2027-01-04'], write: String });
    expect(text.split('\n')[0]).toBe('People');
    expect(text.split('\n')[1]).toBe(' 250 │');
    expect(text.split('\n').at(-1)).toBe('      Dec');
  });

  it('of nothing is an empty one', () => {
    expect(draw({ title: 'People', series: [{ mark: '●', label: 'people', values: [null, 0] }], days: ['2026-12-28', '2027-01-04'], write: (value) => value.toFixed(1) })).toMatch(/^People\n 1\.0 │\n[^●]*0\.0 │ {2}●\n/);
  });

  it('of a whole year stays within eighty columns', () => {
    const days = Array.from({ length: 53 }, (_, week) => new Date(Date.UTC(2026, 0, 5 + 7 * week)).toISOString().slice(0, 10));
    const lines = draw({ title: 'People', series: [{ mark: '●', label: 'people', values: days.map((_, week) => week) }], days, write: String }).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});
