/** Tables as CSV (RFC 4180), safe to open in a spreadsheet: one writer for the API and the command line. */
import { WrongInput } from './problem.js';

export type Cell = string | number | boolean | null;

export interface Table {
  columns: readonly string[];
  rows: readonly (readonly Cell[])[];
}

/** What stands between fields, and in a number before its decimals. */
export interface CsvForm {
  separator: string;
  decimal: string;
}

/**
 * The form in which spreadsheets of a locale open a file without being told: semicolons where the comma is the decimal
 * separator. Left out: the same everywhere, commas and decimal points.
 * @param locale a BCP 47 tag
 * @throws WrongInput naming `locale` where nothing is known of it
 */
export function csvForm(locale?: string): CsvForm {
  if (locale === undefined) return { separator: ',', decimal: '.' };
  if (!isKnown(locale)) throw new WrongInput('locale', 'not the name of a locale that is known here', 'give a language and a country such as nb-NO, de-DE or en-GB');
  // Digits are written as 0 to 9 everywhere, so the separator is the one that goes with these.
  const decimal = new Intl.NumberFormat(locale, { numberingSystem: 'latn' }).formatToParts(0.5).find(({ type }) => type === 'decimal')!.value;
  return { separator: decimal === ',' ? ';' : ',', decimal };
}

function isKnown(locale: string): boolean {
  try {
    return Intl.NumberFormat.supportedLocalesOf(locale).length > 0;
  } catch {
    return false; // not of the form of a tag
  }
}

/**
 * A header line and a line a row, each ended by CR LF; null is an empty field. A text that a spreadsheet would take for a
 * formula begins with an apostrophe instead: whoever sends events chooses names, and others open the file.
 */
export function csvOf({ columns, rows }: Table, form: CsvForm = csvForm()): string {
  return [columns, ...rows].map((row) => `${row.map((cell) => field(cell, form)).join(form.separator)}\r\n`).join('');
}

const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

function field(cell: Cell, { separator, decimal }: CsvForm): string {
  if (typeof cell === 'number') return String(cell).replace('.', decimal);
  if (typeof cell !== 'string') return cell === null ? '' : String(cell);
  const text = FORMULA.test(cell) ? `'${cell}` : cell;
  return text.includes(separator) || /["\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

/** A list in one field. */
export const listed = (list: readonly string[] | null): string | null => list && list.join(' ');
