/** deploy/recovery.md as its reader uses it: the settings, statements and commands of a section, in their order. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const DOCUMENT = readFileSync(join(resolve(import.meta.dirname, '../..'), 'deploy/recovery.md'), 'utf8');

/** The text of the section whose heading begins so. @throws Error where there is none */
export function section(heading: string): string {
  const found = DOCUMENT.split(/^## /m).find((text) => text.startsWith(heading));
  if (found === undefined) throw new Error(`deploy/recovery.md has no section "${heading}"`);
  return found;
}

/** What stands in the code blocks of one language. */
export const blocks = (text: string, language: 'ini' | 'sh' | 'sql'): string[] =>
  [...text.matchAll(new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\`$`, 'gm'))].map(([, indent, code]) => code!.replaceAll(new RegExp(`^${indent}`, 'gm'), '').trimEnd());

/** The arguments of every `foothold` command. */
export const commands = (text: string): string[][] =>
  blocks(text, 'sh').flatMap((code) => code.split('\n')).filter((line) => line.startsWith('foothold ')).map((line) => line.split(/\s+/).slice(1));
