/** What may be written to a terminal: names of files, flags and settings come from anywhere. */

/** Control characters (but tab and line feed) and those that turn the direction of text. */
const ACTIVE = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

/** The text with what a terminal would act on written out, as JSON writes it (so that JSON stays the same JSON). */
export function printable(text: string): string {
  return text.replace(ACTIVE, (active) => `\\u${active.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
