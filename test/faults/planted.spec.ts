/** The planted faults still fit the sources: one whose text is gone would say nothing of the schedules. */
import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PLANTED } from './planted.mjs';

const ROOT = resolve(import.meta.dirname, '../..');

describe('planted faults', () => {
  it('are the five that must be caught', () => expect(PLANTED).toHaveLength(5));

  it.each(PLANTED)('$name: every text it replaces stands once in its file', ({ edits }) => {
    for (const [file, from, to] of edits) {
      expect([file, readFileSync(join(ROOT, file), 'utf8').split(from).length - 1]).toEqual([file, 1]);
      expect(to).not.toBe(from);
    }
  });
});
