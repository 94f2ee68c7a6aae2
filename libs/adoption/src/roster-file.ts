/**
 * A roster as people keep it, a table with a line a period saved as CSV, or as a program sends it, a list of periods.
 *
 * What arrives: the bytes of a file, or the list. What leaves: each person's periods, under the host's own name of the person, or every
 * fault there is, by line; never the one without the other. Next is roster-import.ts, which turns names into pseudonyms.
 * Faults name the line, the column, the reason and the fix, never what stood there: it may be somebody's name.
 */
import { CODE, PERSON, UNSTORABLE, WrongInput } from '@foothold/contract';
import { dayNumber } from './local-day.js';
import { inOrder, overlap, type Period } from './roster.js';

/** Some 500,000 lines. */
export const ROSTER_BYTES = 32 << 20;
/** Faults told at once. */
const TOLD = 20;

const COLUMNS = ['person', 'team', 'role', 'from', 'to', 'leave'] as const;
type Column = (typeof COLUMNS)[number];

/** What is wrong in one line. */
export interface RosterFault {
  /** From 1, as editors count; a quoted cell may hold further ones. Of a list: the place of the entry, from 1. */
  line: number;
  /** Null: the line as a whole. */
  column: Column | null;
  reason: string;
  fix: string;
}

/** Lines that cannot be meant; nothing of the file was taken. */
export class WrongRoster extends WrongInput {
  /** @param faults at most 20, and @param count how many there are */
  constructor(readonly faults: readonly RosterFault[], readonly count: number, unit: Unit = 'line') {
    const more = count > faults.length ? `; and ${count - faults.length} more` : '';
    super('roster', `${count} ${count === 1 ? 'fault' : 'faults'}, and nothing was imported: ${faults.map((fault) => faultText(fault, unit)).join('; ')}${more}`, `mend ${count === 1 ? `this ${unit}` : 'these'} and import it again`);
  }
}

/** What a roster is made of: lines of a file, or entries of a list. */
type Unit = 'line' | 'entry';

export const faultText = ({ line, column, reason, fix }: RosterFault, unit: Unit = 'line'): string => `${unit} ${line}${column ? `, ${column}` : ''}: ${reason} (${fix})`;

/** A period with the line it stands in. */
type Placed = Period & { line: number };

/**
 * Understands a file: UTF-8 with or without byte order mark, commas or semicolons, quotes as RFC 4180 has them, columns in
 * any order; all but person and from may be missing.
 * @returns by person, as the host knows them, their periods in order
 * @throws WrongRoster with the faults of all lines
 */
export function readRoster(bytes: Uint8Array): Map<string, Period[]> {
  const faults = new Faults('line');
  const records = cells(decode(bytes), faults);
  const [header, ...lines] = records;
  const places = header ? columnsOf(header, faults) : null;
  if (!header && faults.count === 0) faults.add(1, null, 'the file is empty', `begin it with the line ${COLUMNS.join(',')}`);
  const people: PlacedPeople = new Map();
  if (header && places) {
    for (const { line, values } of lines) {
      if (values.length !== header.values.length) {
        faults.add(line, null, `${values.length} cells where the first line has ${header.values.length}`, 'give every line the same cells; quote a cell that holds a separator');
        continue;
      }
      place(people, line, (column) => values[places[column] ?? -1] ?? '', faults);
    }
    if (lines.length === 0 && faults.count === 0) faults.add(header.line, null, 'no line follows the first', 'give a line for each period of each person');
  }
  return ordered(people, faults);
}

/** A period as a program sends it; what is null or left out stands for an empty cell. */
export interface SentPeriod {
  person: string;
  team?: string | null | undefined;
  role?: string | null | undefined;
  from: string;
  to?: string | null | undefined;
  leave?: boolean | null | undefined;
}

/** Understands a list of periods, as readRoster does a file. @throws WrongRoster with the faults of all entries */
export function understandRoster(sent: readonly SentPeriod[]): Map<string, Period[]> {
  const faults = new Faults('entry');
  const people: PlacedPeople = new Map();
  for (const [i, { leave, ...texts }] of sent.entries()) place(people, i + 1, (column) => (column === 'leave' ? (leave ? 'yes' : '') : (texts[column] ?? '')), faults);
  return ordered(people, faults);
}

type PlacedPeople = Map<string, Placed[]>;

/** Puts the period of a line to those of its person. */
function place(people: PlacedPeople, line: number, cell: (column: Column) => string, faults: Faults): void {
  const found = periodOf(line, cell, faults);
  if (!found) return;
  const periods = people.get(found.person);
  if (periods) periods.push(found.period);
  else people.set(found.person, [found.period]);
}

/** Each person's periods in order. @throws WrongRoster where there is any fault, or two periods share a day */
function ordered(people: PlacedPeople, faults: Faults): Map<string, Period[]> {
  const roster = new Map<string, Period[]>();
  for (const [person, placed] of people) {
    const sorted = inOrder(placed);
    const shared = overlap(sorted);
    if (shared) {
      const [first, second] = shared.map(({ line }) => line).sort((one, other) => one - other) as [number, number];
      faults.add(second, 'from', `the period shares a day with that of the same person in ${faults.unit} ${first}`, 'let one end before the other begins');
    }
    roster.set(person, sorted.map(({ line: _, ...period }) => period));
  }
  faults.check();
  return roster;
}

class Faults {
  private readonly found: RosterFault[] = [];

  constructor(readonly unit: Unit) {}

  get count(): number {
    return this.found.length;
  }

  add(line: number, column: Column | null, reason: string, fix: string): void {
    this.found.push({ line, column, reason, fix });
  }

  /** @throws WrongRoster where there is any. */
  check(): void {
    if (this.found.length === 0) return;
    this.found.sort((one, other) => one.line - other.line);
    throw new WrongRoster(this.found.slice(0, TOLD), this.found.length, this.unit);
  }
}

/** The byte order mark is taken off. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    let from = 0;
    for (let line = 1; ; line++) {
      const at = bytes.indexOf(10, from);
      try {
        new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(from, at < 0 ? bytes.length : at));
      } catch {
        throw new WrongRoster([{ line, column: null, reason: 'not written in UTF-8', fix: 'save the file as "CSV UTF-8"' }], 1);
      }
      from = at + 1;
    }
  }
}

interface CsvRecord {
  line: number;
  values: string[];
}

/** The cells of every line that holds any; the separator is the one of the first line. */
function cells(text: string, faults: Faults): CsvRecord[] {
  const firstLine = text.slice(0, text.indexOf('\n') < 0 ? text.length : text.indexOf('\n'));
  const separator = firstLine.includes(';') ? ';' : ',';
  const records: CsvRecord[] = [];
  let line = 1;
  for (let at = 0; at < text.length; ) {
    const record: CsvRecord = { line, values: [] };
    for (;;) {
      let value: string;
      if (text[at] === '"') {
        const opened = line;
        value = '';
        for (at++; ; ) {
          const end = text.indexOf('"', at);
          if (end < 0) {
            faults.add(opened, null, 'a quote is opened and never closed', 'close it, or double a quote that belongs to the cell');
            return records;
          }
          value += text.slice(at, end);
          at = end + 1;
          if (text[at] !== '"') break;
          value += '"';
          at++;
        }
        for (let i = value.indexOf('\n'); i >= 0; i = value.indexOf('\n', i + 1)) line++;
        const rest = plainCell(text, at, separator);
        if (rest > at && text.slice(at, rest) !== '\r') faults.add(line, null, 'text follows a closing quote', 'quote the whole cell, and double a quote that belongs to it');
        at = rest;
      } else {
        const end = plainCell(text, at, separator);
        value = text.slice(at, end);
        if (text[end] !== separator && value.endsWith('\r')) value = value.slice(0, -1);
        if (value.includes('"')) faults.add(line, null, 'a quote within a cell that is not quoted', 'quote the whole cell, and double a quote that belongs to it');
        at = end;
      }
      record.values.push(value);
      const separated = text[at] === separator;
      at++;
      if (!separated) break;
    }
    line++;
    if (record.values.some((value) => value !== '')) records.push(record);
  }
  return records;
}

/** Where a cell that is not quoted ends. */
function plainCell(text: string, from: number, separator: string): number {
  let at = from;
  while (at < text.length && text[at] !== separator && text[at] !== '\n') at++;
  return at;
}

/** Where each column stands; null where the first line does not say. */
function columnsOf({ line, values }: CsvRecord, faults: Faults): Partial<Record<Column, number>> | null {
  const before = faults.count;
  const places: Partial<Record<Column, number>> = {};
  for (const [i, value] of values.entries()) {
    const column = COLUMNS.find((name) => name === value.trim().toLowerCase());
    if (!column) faults.add(line, null, `the name in cell ${i + 1} is that of no column`, `begin the file with a line of these, separated by commas or semicolons: ${COLUMNS.join(', ')}`);
    else if (places[column] !== undefined) faults.add(line, column, 'the column is there twice', 'leave one of them');
    else places[column] = i;
  }
  for (const column of ['person', 'from'] as const) {
    if (faults.count === before && places[column] === undefined) faults.add(line, column, 'the column is missing', 'add it; only person and from must be there');
  }
  return faults.count === before ? places : null;
}

const LEAVE = new Map([['', false], ['no', false], ['false', false], ['yes', true], ['true', true]]);

/** What a line says; undefined where something of it is wrong. */
function periodOf(line: number, cell: (column: Column) => string, faults: Faults): { person: string; period: Placed } | undefined {
  const before = faults.count;
  const person = cell('person');
  if (person === '') faults.add(line, 'person', 'empty', 'give the person as their events name them');
  else if (!PERSON.test(person) || UNSTORABLE.test(person)) faults.add(line, 'person', 'no name that an event may have', 'give the person as their events name them: 1 to 256 characters, none of them a control character');
  const code = (column: 'team' | 'role'): string => {
    const value = cell(column);
    if (value !== '' && !CODE.test(value)) faults.add(line, column, 'no code', 'leave it empty, or use 1 to 128 letters, digits and . _ : / + - that begin with a letter or digit');
    return value;
  };
  const day = (column: 'from' | 'to'): string => {
    const value = cell(column);
    if (value === '' && column === 'from') faults.add(line, column, 'empty', 'give the first day as YYYY-MM-DD');
    else if (value !== '' && dayNumber(value) === undefined) faults.add(line, column, 'no day', 'write it as YYYY-MM-DD, for instance 2026-01-31');
    return value;
  };
  const [team, role, from, to] = [code('team'), code('role'), day('from'), day('to')];
  if (faults.count === before && to !== '' && to < from) faults.add(line, 'to', 'before from', 'give the last day, which is included, or leave it empty');
  const leave = LEAVE.get(cell('leave').toLowerCase());
  if (leave === undefined) faults.add(line, 'leave', 'neither yes nor no', 'write yes for a period of leave, and no or nothing for one in which the person is enabled');
  return faults.count > before ? undefined : { person, period: { team, role, from, to: to === '' ? null : to, leave: leave!, line } };
}
