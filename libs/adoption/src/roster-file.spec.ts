import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Period } from './roster.js';
import { readRoster, WrongRoster } from './roster-file.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (...lines: string[]) => readRoster(bytes(lines.join('\n')));
function faultsOf(data: Uint8Array): WrongRoster {
  try {
    readRoster(data);
  } catch (error) {
    if (error instanceof WrongRoster) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
const faults = (...lines: string[]) => faultsOf(bytes(lines.join('\n'))).faults.map(({ line, column, reason }) => [line, column, reason]);
const HEADER = 'person,team,role,from,to,leave';
const ANNA: Period = { team: 'desk', role: 'nurse', from: '2026-01-05', to: '2026-06-30', leave: false };

describe('a roster file', () => {
  it.each([
    ['as programs write it', `${HEADER}\nanna,desk,nurse,2026-01-05,2026-06-30,\n`],
    ['as Nordic Excel saves it', `\ufeffperson;team;role;from;to;leave\r\nanna;desk;nurse;2026-01-05;2026-06-30;no\r\n;;;;;\r\n`],
    ['with columns in any order and case', `Leave,TO, from ,role,team,Person\nFALSE,2026-06-30,2026-01-05,nurse,desk,anna`],
    ['quoted', `"person","team","role","from","to","leave"\r\n"anna","desk","nurse","2026-01-05","2026-06-30","no"\r\n`],
    ['with blank lines', `${HEADER}\n\nanna,desk,nurse,2026-01-05,2026-06-30,\n\n`],
  ])('is understood %s', (_, text) => {
    expect(readRoster(bytes(text))).toEqual(new Map([['anna', [ANNA]]]));
  });

  it('needs no columns but person and from', () => {
    expect(read('from,person', '2026-01-05,anna')).toEqual(new Map([['anna', [{ team: '', role: '', from: '2026-01-05', to: null, leave: false }]]]));
  });

  it('gives each person their periods in order, leave over work', () => {
    expect(read(HEADER, 'anna,,,2026-03-01,2026-03-14,yes', 'bo,desk,,2026-01-01,,', 'anna,ward,nurse,2026-07-01,,', 'anna,desk,nurse,2026-01-05,2026-06-30,')).toEqual(new Map([
      ['anna', [ANNA, { team: 'ward', role: 'nurse', from: '2026-07-01', to: null, leave: false }, { team: '', role: '', from: '2026-03-01', to: '2026-03-14', leave: true }]],
      ['bo', [{ team: 'desk', role: '', from: '2026-01-01', to: null, leave: false }]],
    ]));
  });

  it('gives any person back who is written by RFC 4180', () => {
    const name = fc.stringMatching(/^[^\u0000-\u001f\u007f]{1,30}$/u).filter((text) => !/\p{Surrogate}/u.test(text));
    fc.assert(fc.property(fc.uniqueArray(name, { minLength: 1 }), fc.constantFrom(',', ';'), fc.constantFrom('\n', '\r\n'), (names, separator, end) => {
      const lines = names.map((one) => [`"${one.replaceAll('"', '""')}"`, '2026-01-05'].join(separator));
      expect([...readRoster(bytes([['person', 'from'].join(separator), ...lines].join(end))).keys()]).toEqual(names);
    }));
  });

  it('is refused with every fault of its lines, by line and column, and none of what stands in them', () => {
    const error = faultsOf(bytes([
      HEADER, 'anna,desk,nurse,2026-01-05,,', ',desk,nurse,2026-01-05,,', 'bo,De Ville,nurse,2026-01-05,,', 'cy,desk,nurse,5.1.2026,2026-02-30,', 'dee,desk,nurse,,,maybe',
      'eve,desk,nurse,2026-02-01,2026-01-01,', 'fay,desk', 'anna,ward,,2026-02-01,,', '"gus"x,desk,nurse,2026-01-05,,', 'h"al,desk,nurse,2026-01-05,,',
    ].join('\n')));
    expect(error.faults.map(({ line, column, reason }) => [line, column, reason])).toEqual([
      [3, 'person', 'empty'], [4, 'team', 'no code'], [5, 'from', 'no day'], [5, 'to', 'no day'], [6, 'from', 'empty'], [6, 'leave', 'neither yes nor no'], [7, 'to', 'before from'],
      [8, null, '2 cells where the first line has 6'], [9, 'from', 'the period shares a day with that of the same person in line 2'], [10, null, 'text follows a closing quote'], [11, null, 'a quote within a cell that is not quoted'],
    ]);
    expect(error.message).toContain('11 faults');
    expect(error.message).toContain('nothing was imported');
    expect(error.message).not.toMatch(/anna|bo\b|De Ville|5\.1|maybe|gus|h"al/);
  });

  it('is refused for the first 20 faults, and counts the others', () => {
    const error = faultsOf(bytes([HEADER, ...Array.from({ length: 50 }, () => ',,,2026-01-05,,')].join('\n')));
    expect(error.faults).toHaveLength(20);
    expect(error.message).toContain('50 faults');
    expect(error.message).toContain('and 30 more');
  });

  it.each([
    ['is empty', '', [1, null, 'the file is empty']],
    ['names nobody', `${HEADER}\n`, [1, null, 'no line follows the first']],
    ['has no header', 'ola.nordmann,2026-01-05', [1, null, 'the name in cell 1 is that of no column']],
    ['lacks a column', 'person,team\nanna,desk', [1, 'from', 'the column is missing']],
    ['has a column twice', 'person,from,person\nanna,2026-01-05,bo', [1, 'person', 'the column is there twice']],
    ['leaves a quote open', `${HEADER}\nanna,"desk,nurse,2026-01-05,,\nbo,,,2026-01-05,,`, [2, null, 'a quote is opened and never closed']],
    ['holds a control character', `${HEADER}\n"an\nna",,,2026-01-05,,`, [2, 'person', 'no name that an event may have']],
  ])('is refused where it %s', (_, text, fault) => {
    expect(faults(text)[0]).toEqual(fault);
  });

  it('counts lines within quoted cells', () => {
    expect(faults(HEADER, '"a\nb",,,2026-01-05,,', 'anna,,,never,,')).toEqual([[2, 'person', 'no name that an event may have'], [4, 'from', 'no day']]);
  });

  it('names the line that is not UTF-8', () => {
    const line = Buffer.concat([Buffer.from('person,from\nanna,2026-01-05\n'), Buffer.from('J\xf8rgen,2026-01-05\n', 'latin1')]);
    expect(faultsOf(line).faults).toEqual([{ line: 3, column: null, reason: 'not written in UTF-8', fix: 'save the file as "CSV UTF-8"' }]);
  });

  it('lets a leave share days with work, and not with a leave', () => {
    expect(faults(HEADER, 'anna,,,2026-01-01,,', 'anna,,,2026-02-01,2026-02-10,yes', 'anna,,,2026-02-10,2026-02-20,yes')).toEqual([[4, 'from', 'the period shares a day with that of the same person in line 3']]);
  });
});
