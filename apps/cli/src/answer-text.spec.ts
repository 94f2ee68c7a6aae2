import { describe, expect, it } from '@jest/globals';
import { type AnswerRow } from '@foothold/contract';
import { answerText, plotsOf } from './answer-text.js';

const WEEKS = [['2026-01-05', '2026-01-11'], ['2026-01-12', '2026-01-18'], ['2026-01-19', '2026-01-25'], ['2026-01-26', '2026-02-01']] as const;
const row = (week: number, value: number | null, more: Partial<AnswerRow> = {}): AnswerRow => ({
  from: WEEKS[week]![0], to: WEEKS[week]![1], by: {}, variant: 'shown', value, numerator: 1, denominator: 2, low: null, high: null, people: 7, suppressed: false, ...more,
});
const answer = (rows: AnswerRow[]) => ({ metric: 'trust.acceptance', version: 1, unit: 'ratio' as const, completeThrough: null, revisedAt: null, notes: ['a note'], rows });

describe('an answer where somebody looks', () => {
  it('has a plot of each variant below the table, beside each other, with a gap where a figure is hidden or not known', () => {
    const rows = [row(0, 0.25), row(1, 0.75, { suppressed: true }), row(2, null), row(3, 0.5), ...[1, 2, 3, 4].map((value, week) => row(week, value, { variant: 'decided' }))];
    expect(plotsOf({ rows }, [], 80).join('\n')).toBe(`shown: 0.25 to 0.5              decided: 1 to 4
   0.5 │      ●                  4 │      ●
       │                           │    ●
  0.25 │●                        2 │  ●
       │                           │●
     0 │                         0 │
       └────────                   └────────
        2026-01-05 2026-02-01       2026-01-05 2026-02-01`);
    const text = answerText(answer(rows), [], 80);
    expect(text).toContain('a note\nfrom');
    expect(text.indexOf('shown: 0.25 to 0.5')).toBeGreaterThan(text.lastIndexOf('2026-01-26  2026-02-01  decided'));
    expect(text).not.toContain('\u001b');
    expect(answerText(answer(rows), [])).not.toContain('│');
  });

  it('has one of each group, in periods of which a group may lack some, and names what it could not draw', () => {
    const group = (team: string | null, week: number) => row(week, 0.5, { by: { team }, low: 0.4, high: 0.6 });
    const [text] = plotsOf({ rows: [group(null, 0), group('desk', 0), group('desk', 1)] }, ['team'], 30);
    expect(text!.split('\n').filter((line) => line.includes(':'))).toEqual(['(not given) shown: 0.5 to 0.5', 'desk shown: 0.5 to 0.5']);
    const many = Array.from({ length: 20 }, (_, i) => [group(`t${i}`, 0), group(`t${i}`, 1)]).flat();
    expect(plotsOf({ rows: many }, ['team'], 80)[1]).toBe('8 more are not drawn: ask for less at once');
    expect(plotsOf({ rows: [row(0, null), row(1, null)] }, [], 80)[0]).toMatch(/^shown: nothing is known\n/);
  });

  it('has none of a single period', () => expect(plotsOf({ rows: [row(0, 0.5), row(0, 0.4, { variant: 'decided' })] }, [], 80)).toEqual([]));
});
