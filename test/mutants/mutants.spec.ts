/** The planted bugs still fit the sources: a mutant whose text is gone would say nothing of the tests. */
import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { MUTANTS } from './mutants.mjs';

const ROOT = resolve(import.meta.dirname, '../..');

describe('mutants', () => {
  it('are at least the four that must be caught', () => expect(MUTANTS.length).toBeGreaterThanOrEqual(4));

  it.each(MUTANTS)('$name: every text it replaces stands once in its file', ({ edits }) => {
    for (const [file, from, to] of edits) {
      expect([file, readFileSync(join(ROOT, file), 'utf8').split(from).length - 1]).toEqual([file, 1]);
      expect(to).not.toBe(from);
    }
  });
});
