/** What is told beside what was told before: examples, and random sums of which the attacks' solver, written apart from this, finds nothing of few people. */
import { describe, expect, it } from '@jest/globals';
import { randomInt } from 'node:crypto';
import { recovered } from '../../../../test/attacks/solver.js';
import { seeded } from '../../../../test/support/seeded.js';
import { Remembered } from './worked-out.js';

const SEED = Number(process.env['ATTACK_SEED'] ?? randomInt(2 ** 31));
const people = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => String(from + i));

describe('what was told', () => {
  it('a team that is all of a role but for two people is not told beside it', () => {
    const [both, onlyRole, others] = [0, 1, 2];
    const all = new Remembered([{ week: 0, people: people(1, 8) }, { week: 0, people: people(9, 10) }, { week: 0, people: people(11, 20) }], 5);
    all.tell([both, onlyRole, others]);
    expect(all.isSafe([both, onlyRole])).toBe(true);
    all.tell([both, onlyRole]);
    expect(all.isSafe([both])).toBe(false);
    expect(all.isSafe([others])).toBe(true); // it follows already
  });

  it('a value of which one week was hidden is not told for the period, unless others stand for it', () => {
    const weeks = (sizes: number[][]) => sizes.flatMap((cells, week) => cells.map((size, cell) => ({ week, people: people(100 * cell + 1, 100 * cell + size) })));
    const tellWeeks = (hidden: number[]) => {
      const all = new Remembered(weeks([[9, 9, 9], [9, 3, 6]]), 5);
      for (const sum of [[0, 1, 2], [3, 4, 5], ...[0, 1, 2, 3, 4, 5].filter((place) => !hidden.includes(place)).map((place) => [place])]) all.tell(sum);
      return all;
    };
    expect(tellWeeks([4, 5]).isSafe([1, 4])).toBe(false);
    const twice = tellWeeks([1, 2, 4, 5]);
    expect(twice.isSafe([1, 4])).toBe(true); // what few people did in the second week may as well be what others did in the first
  });

  it('where it is not known who a few people are, they stand against nothing', () => {
    const all = new Remembered([{ week: 0, people: people(1, 9) }, { week: 0, people: [] }, { week: 0, people: [] }], 5);
    all.tell([0, 1, 2]);
    expect(all.isSafe([0, 1])).toBe(false);
    expect(all.isSafe([0, 1, 2])).toBe(true);
  });

  it(`of random sums, told as long as they may be, the solver finds nothing of few people (seed ${SEED})`, () => {
    const { below } = seeded(SEED);
    const found = { safe: 0, not: 0, bare: 0 };
    for (let round = 0; round < 60; round++) {
      const facts = Array.from({ length: 25 + below(40) }, () => ({ week: below(2), person: below(9 + below(6)), cell: [below(3), below(3), below(2)] }));
      const all = new Remembered(facts.map(({ week, person }) => ({ week, people: [String(person)] })), 5);
      const sums: number[][] = [];
      const asked: number[][] = [];
      for (let i = 0; i < 24; i++) {
        const [dimension, value, week] = [below(3), below(3), below(3)];
        const sum = facts.flatMap((fact, place) => (fact.cell[dimension] === value && (week === 2 || fact.week === week) ? [place] : []));
        asked.push(sum);
        if (sum.length === 0 || !all.isSafe(sum)) {
          found.not++;
          continue;
        }
        all.tell(sum);
        sums.push(sum);
        found.safe++;
      }
      expect(recovered(facts, sums, 5)).toEqual([]);
      found.bare += recovered(facts, asked, 5).length;
    }
    expect(found.safe).toBeGreaterThan(200);
    expect(found.not).toBeGreaterThan(20);
    expect(found.bare).toBeGreaterThan(20);
  });
});
