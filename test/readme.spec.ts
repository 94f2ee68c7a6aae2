/** The README is kept true: its settings are those that are read, its commands and files exist. */
import { describe, expect, it } from '@jest/globals';
import { SETTINGS } from '@foothold/platform';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
const scripts = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }).scripts;

describe('README', () => {
  it('lists every setting with its meaning and default, and no other', () => {
    const table = [...readme.matchAll(/^\| `([A-Z_]+)` \| (.*) \| (.*) \|$/gm)].map(([, name, meaning, fallback]) => [name, meaning, fallback]);
    expect(table).toEqual(Object.entries(SETTINGS).map(([name, { meaning, default: fallback }]) => [name, meaning, fallback]));
  });

  it('names only npm scripts that exist', () => {
    const named = [...readme.matchAll(/npm run ([a-z:]+)/g)].map(([, name]) => name!);
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('names only files and folders that exist', () => {
    const named = [...readme.matchAll(/(?:apps|libs|test|deploy)(?:\/[A-Za-z0-9_.-]+)+/g)].map(([path]) => path.replace(/\.$/, ''));
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});
