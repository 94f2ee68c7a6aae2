import { describe, expect, it } from '@jest/globals';
import { csvOf, listed, type Cell } from './csv.js';

const line = (...cells: Cell[]): string => csvOf({ columns: ['a'], rows: [cells] }).slice('a\r\n'.length);

describe('csv', () => {
  it('is a header and a line a row, each ended by CR LF', () => {
    expect(csvOf({ columns: ['a', 'b'], rows: [[1, 'x'], [null, false]] })).toBe('a,b\r\n1,x\r\n,false\r\n');
    expect(csvOf({ columns: ['a', 'b'], rows: [] })).toBe('a,b\r\n');
  });

  it.each<[string, Cell, string]>([
    ['a comma', 'a,b', '"a,b"'], ['a quote', 'a"b', '"a""b"'], ['a line feed', 'a\nb', '"a\nb"'], ['a carriage return', 'a\rb', '"a\rb"'],
    ['a comma and quotes', '",",', '""","","'], ['nothing', '', ''], ['null', null, ''], ['letters of any script', 'sjekk æøå 検', 'sjekk æøå 検'],
    ['a negative number', -1.5, '-1.5'], ['a number as the log has it', 1e-7, '1e-7'],
  ])('quotes %s where it must', (_what, cell, field) => expect(line(cell)).toBe(`${field}\r\n`));

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1', '＋1', '－1', '＠x', '=HYPERLINK("http://x","y")', '=cmd|\' /C calc\'!A0'])('lets no spreadsheet take %j for a formula', (text) => {
    const field = line(text).slice(0, -2);
    expect(field.replace(/^"/, '')[0]).toBe("'");
    expect(field.replace(/^"|"$/g, '').replace(/""/g, '"')).toBe(`'${text}`);
  });

  it('puts a list into one field', () => {
    expect(listed(['a', 'b'])).toBe('a b');
    expect(listed(null)).toBeNull();
  });
});
