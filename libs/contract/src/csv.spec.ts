import { describe, expect, it } from '@jest/globals';
import { csvForm, csvOf, listed, type Cell } from './csv.js';
import { answerTable } from './tables.js';

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

  it.each<[string, string]>([
    ['nb-NO', 'a;b\r\n-1,5;"x;y"\r\n1e-7;x,y\r\n'], ['de-DE-u-nu-arab', 'a;b\r\n-1,5;"x;y"\r\n1e-7;x,y\r\n'], ['en-GB', 'a,b\r\n-1.5,x;y\r\n1e-7,"x,y"\r\n'], ['ar-EG', 'a,b\r\n-1.5,x;y\r\n1e-7,"x,y"\r\n'],
  ])('is what a spreadsheet of %s opens', (locale, text) => {
    expect(csvOf({ columns: ['a', 'b'], rows: [[-1.5, 'x;y'], [1e-7, 'x,y']] }, csvForm(locale))).toBe(text);
  });

  it.each(['xx-YY', 'nb_NO', 'x', '', 'norsk bokmål', '../nb'])('knows no locale %j', (locale) => {
    expect(() => csvForm(locale)).toThrow(expect.objectContaining({ field: 'locale', fix: expect.stringContaining('nb-NO, de-DE or en-GB') }));
  });

  it('of an answer repeats in each row what holds for all, and shows nothing of a hidden figure', () => {
    const row = { from: '2026-01-05', to: '2026-01-11', by: { team: '=desk' }, variant: 'shown', value: 0.5, numerator: 1, denominator: 2, low: 0.1, high: 0.9, people: 7, suppressed: false };
    const answer = { metric: 'trust.acceptance', version: 1, unit: 'ratio' as const, completeThrough: '2026-03-30T08:00:00.000Z', revisedAt: null, notes: ['none'], rows: [row, { ...row, by: { team: null }, people: 2, suppressed: true }] };
    expect(csvOf(answerTable(answer, ['team'])).split('\r\n')).toEqual([
      'metric,version,unit,completeThrough,revisedAt,from,to,team,variant,value,numerator,denominator,low,high,people,suppressed',
      "trust.acceptance,1,ratio,2026-03-30T08:00:00.000Z,,2026-01-05,2026-01-11,'=desk,shown,0.5,1,2,0.1,0.9,7,false",
      'trust.acceptance,1,ratio,2026-03-30T08:00:00.000Z,,2026-01-05,2026-01-11,,shown,,,,,,,true', '',
    ]);
  });
});
