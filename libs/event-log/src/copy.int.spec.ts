import { type Database } from '@foothold/platform';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { databases, freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { copyInto, typedRows, type ColumnType, type Value } from './copy.js';

const COLUMNS: Record<string, ColumnType> = {
  n: 'int4', i2: 'int2', i4: 'int4', i8: 'int8', f8: 'float8', b: 'bool', t: 'text', j: 'json', u: 'uuid', ts: 'timestamptz', d: 'date',
};
const NAMES = Object.keys(COLUMNS);
const DAY = 86_400_000;
/** The times the boundary lets in, in microseconds, and their days. */
const FIRST = Date.UTC(1685, 0, 1) * 1000;
const LAST = Date.UTC(2255, 0, 1) * 1000 - 1;

describe('rows in by binary COPY and out as results', () => {
  const open = databases();
  let fresh: FreshDatabase;
  let database: Database;
  beforeEach(async () => {
    fresh = await freshDatabase();
    database = await open(fresh.url);
    await database.query(`create table item (${NAMES.map((name) => `${name} ${COLUMNS[name]}`).join(', ')})`);
  });
  afterEach(() => fresh.drop());

  /** Writes rows of all columns but `n`, which numbers them, and reads them back. */
  const roundTrip = (rows: Value[][]): Promise<Value[][]> =>
    database.transaction(async (client) => {
      await client.query('truncate item');
      await copyInto(client, 'item', COLUMNS, rows.map((row, n) => [n, ...row]));
      return (await typedRows(client, `select ${NAMES.slice(1).join(', ')} from item where n >= $1 order by n`, [0])) as Value[][];
    });

  /** A row that holds `value` in one column and nothing elsewhere. */
  const only = (name: string, value: Value): Value[] => NAMES.slice(1).map((column) => (column === name ? value : null));

  const EDGES: [string, Value[]][] = [
    ['i2', [0, 1, -1, 32_767, -32_768]],
    ['i4', [0, 1, -1, 2_147_483_647, -2_147_483_648]],
    ['i8', [0, 1, -1, 4_294_967_295, 4_294_967_296, -4_294_967_296, -4_294_967_297, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]],
    ['f8', [0, -0, 0.1, 0.1 + 0.2, 1e-300, 5e-324, 1.7976931348623157e308, -1e21, 1 / 3, Infinity, -Infinity, NaN]],
    ['b', [true, false]],
    ['t', ['', ' ', '\\N', '\\.', '\t\n\r', 'null', 'Ærøskøbing 北京 🙂', '🙂'.repeat(3), '𝒳'.repeat(8_000), 'x'.repeat(30_000), '\u0001\u007f\u0080\u07ff\u0800\uffff']],
    ['j', ['{}', '{"a":"\\u0000"}', '{"b": 1,  "a":1.50}', '"🙂"', JSON.stringify({ text: 'å'.repeat(15_000) })]],
    ['u', ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '01890a5d-ac96-774b-8c3a-0123456789ab']],
    ['ts', [0, 1, -1, 999_999, -999_999, 1_000_000, 100_000, 123_456, -1_000_001, FIRST, FIRST + 1, LAST, 946_684_800_000_000, 946_684_799_999_999, 951_782_400_000_010]],
    ['d', [0, 1, -1, 10_957, 10_956, FIRST / 1000 / DAY, Math.floor(LAST / 1000 / DAY), Date.UTC(2000, 1, 29) / DAY]],
  ];

  it.each(EDGES)('keep the edges of %s', async (name, values) => {
    const rows = values.map((value) => only(name, value));
    const found = await roundTrip(rows);
    expect(found.map((row) => row[NAMES.indexOf(name) - 1])).toEqual(values);
    expect(found).toEqual(rows);
  });

  it('mean what Postgres means by them', async () => {
    const values = [-1, 1, 2 ** 40, 0.1, true, 'ä', '{"a":1}', '01890a5d-ac96-774b-8c3a-0123456789ab', -1, -1];
    await roundTrip([values]);
    const [row] = await database.query(
      `select i2::text, i4::text, i8::text, f8::text, b::text, t, j::text, u::text, to_char(ts, 'YYYY-MM-DD HH24:MI:SS.US') as ts, d::text from item`,
    );
    expect(row).toEqual({ i2: '-1', i4: '1', i8: '1099511627776', f8: '0.1', b: 'true', t: 'ä', j: '{"a":1}', u: '01890a5d-ac96-774b-8c3a-0123456789ab', ts: '1969-12-31 23:59:59.999999', d: '1969-12-31' });
  });

  it('keep whatever the columns can hold, in rows of any length', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    process.stderr.write(`copy: seed ${seed}\n`);
    const storable = fc.string({ unit: 'binary', maxLength: 200 }).map((text) => text.replaceAll('\0', ''));
    const long = fc.tuple(fc.constantFrom('a', 'ß', '語', '🙂'), fc.integer({ min: 0, max: 7_500 })).map(([unit, count]) => unit.repeat(count));
    const value: Record<string, fc.Arbitrary<Value>> = {
      i2: fc.integer({ min: -32_768, max: 32_767 }),
      i4: fc.integer(),
      i8: fc.maxSafeInteger(),
      f8: fc.double(),
      b: fc.boolean(),
      t: fc.oneof({ weight: 9, arbitrary: storable }, { weight: 1, arbitrary: long }),
      j: fc.json(),
      u: fc.uuid(),
      ts: fc.integer({ min: FIRST, max: LAST }),
      d: fc.integer({ min: FIRST / 1000 / DAY, max: Math.floor(LAST / 1000 / DAY) }),
    };
    const row = fc.tuple(...NAMES.slice(1).map((name) => fc.option(value[name]!, { freq: 5 })));
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 60 }), async (rows) => {
        expect(await roundTrip(rows)).toEqual(rows);
      }),
      { seed, numRuns: 60 },
    );
  });

  it('refuse, whole, rows one of which does not fit', async () => {
    for (const [name, value, error] of [['i2', 40_000, /out of range/], ['t', 'a\0b', /invalid byte sequence/], ['j', '{', /invalid input syntax for type json/]] as const) {
      await expect(roundTrip([only('i4', 1), only(name, value)])).rejects.toThrow(error);
    }
    expect(await database.query('select * from item')).toEqual([]);
  });
});
