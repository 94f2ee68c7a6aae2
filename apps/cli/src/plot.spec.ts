import { describe, expect, it } from '@jest/globals';
import { beside, draw } from './plot.js';

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

  it('of a few values is small, has its ends beneath, a gap where nothing is known, and its interval behind it', () => {
    const text = draw({
      title: 'shown', series: [{ mark: '●', label: 'shown', values: [0.1, 0.2, null, 0.4, 0.3], bands: [[0, 0.2], [0.1, 0.3], null, [0.3, 0.5], null] }],
      days: ['2026-01-05', '2026-01-12', '2026-01-19', '2026-01-26', '2026-02-02'], ends: ['2026-01-05', '2026-02-08'], write: String, height: 4,
    });
    expect(text).toBe(`shown
   0.5 │      ░░
       │      ●░
  0.25 │░░●░  ░░●
       │●░░░
     0 │░░
       └──────────
        2026-01-05 2026-02-08`);
  });

  it('of values below zero begins at the lowest', () => {
    const day = '2026-01-05';
    expect(draw({ title: 'score', series: [{ mark: '●', label: 'score', values: [-0.5, 0, 0.5] }], days: [day, day, day], write: String, height: 4 }).split('\n').slice(1, 6)).toEqual(['   0.5 │    ●', '       │', '     0 │  ●', '       │', '  -0.5 │●']);
    expect(draw({ title: 'lost', series: [{ mark: '●', label: 'lost', values: [-4, 0] }], days: [day, day], write: String, height: 2 }).split('\n').slice(1, 4)).toEqual(['  0 │  ●', '    │', ' -4 │●']);
  });

  it('of more values than the width holds shows each of them, in columns they share', () => {
    const values = Array.from({ length: 300 }, (_, day) => (day === 123 ? 9 : 1));
    const lines = draw({ title: 'days', series: [{ mark: '●', label: 'days', values }], days: values.map(() => '2026-01-05'), write: String, width: 40 }).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(40);
    expect(lines.filter((line) => line.includes('●')).map((line) => line.split('●').length - 1)).toEqual([1, 35]);
  });

  it('stands beside others as far as there is room', () => {
    expect(beside(['aa\nb', 'cc\nd', 'ee\nf'], 8)).toBe('aa   cc\nb    d\n\nee\nf');
    expect(beside(['aaaaaaaaaa', 'b'], 8)).toBe('aaaaaaaaaa\n\nb');
  });
});
