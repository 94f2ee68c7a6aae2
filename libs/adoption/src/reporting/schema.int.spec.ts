/**
 * The schema `reporting_v1` is what reporting_v1.txt says: views, columns, types and comments, which analysts' reports stand on.
 * With REPORTING=write the file is written anew; where a view or a column would go or change, it is not.
 */
import { expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freshDatabase } from '../../../../test/support/database.js';
import { openTestLog } from '../../../../test/support/recording.js';
import { reportingMigrations } from './schema.js';

const FILE = join(import.meta.dirname, 'reporting_v1.txt');
const MEND = 'The schema reporting_v1 is not as reporting_v1.txt says. Views are additive only: names, order and types of columns stay, new columns come last. '
  + 'If that is so, and a release has the last migration of libs/adoption/src/reporting/schema.ts already, give that migration the next number (it makes all views anew); then write the file: REPORTING=write jest libs/adoption/src/reporting/schema.int.spec.ts';

it('is what its file says, with a comment on every view and column', async () => {
  const fresh = await freshDatabase();
  const { database } = await openTestLog(fresh.url);
  try {
    const views = await database.query<{ name: string; comment: string | null; options: string[] | null }>(
      `select relname as name, obj_description(oid, 'pg_class') as comment, reloptions as options from pg_class where relnamespace = 'reporting_v1'::regnamespace order by relname`);
    const columns = await database.query<{ view: string; name: string; type: string; comment: string | null }>(
      `select c.relname as view, a.attname as name, format_type(a.atttypid, a.atttypmod) as type, col_description(c.oid, a.attnum) as comment
         from pg_attribute a join pg_class c on c.oid = a.attrelid where c.relnamespace = 'reporting_v1'::regnamespace and a.attnum > 0 and not a.attisdropped order by c.relname, a.attnum`);
    for (const { name, comment, options } of views) expect([name, comment, options]).toEqual([name, expect.stringMatching(/./), ['security_barrier=true']]);
    for (const { view, name, comment } of columns) expect([view, name, comment]).toEqual([view, name, expect.stringMatching(/./)]);

    const { name, sql } = reportingMigrations.at(-1)!;
    const is = [
      `made by ${name}, whose SQL has the SHA-256 ${createHash('sha256').update(sql).digest('hex').slice(0, 16)}`,
      ...views.flatMap((view) => ['', `${view.name}: ${view.comment}`, ...columns.filter((column) => column.view === view.name).map((column) => `  ${column.name} ${column.type}: ${column.comment}`)]),
    ].join('\n');
    const was = readFileSync(FILE, 'utf8').trimEnd();
    expect(lost(was, is)).toEqual([]);
    if (process.env['REPORTING'] === 'write') writeFileSync(FILE, `${is}\n`);
    else if (was !== is) throw new Error(`${MEND}\n${is.split('\n').filter((line) => !was.split('\n').includes(line)).join('\n')}`);
  } finally {
    await database.close();
    await fresh.drop();
  }
});

/** Views and columns, in their places and with their types, that the file has and the schema has not. */
function lost(was: string, is: string): string[] {
  const parts = (text: string): string[] => {
    let view = '';
    let place = 0;
    return text.split('\n').slice(1).filter(Boolean).map((line) => {
      const [what] = line.split(':');
      if (line.startsWith('  ')) return `${view} ${++place}${what!.slice(1)}`;
      place = 0;
      return (view = what!);
    });
  };
  const now = new Set(parts(is));
  return parts(was).filter((part) => !now.has(part));
}

it('sees what would be lost', () => {
  const was = 'made by\n\nmetric: Of metrics.\n  id text: Which.\n  n integer: How many.';
  expect(lost(was, was)).toEqual([]);
  expect(lost(was, `${was}\n  more text: New.\n\nother: Also new.\n  id text: It.`)).toEqual([]);
  expect(lost(was, was.replace('Which', 'Which one'))).toEqual([]);
  expect(lost(was, was.replace('integer', 'bigint'))).toEqual(['metric 2 n integer']);
  expect(lost(was, was.replace('  id text: Which.\n', ''))).toEqual(['metric 1 id text', 'metric 2 n integer']);
  expect(lost(was, was.replace('metric:', 'metrics:'))).toEqual(['metric', 'metric 1 id text', 'metric 2 n integer']);
});
