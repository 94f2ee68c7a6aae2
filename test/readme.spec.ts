/** The README is kept true: its settings are those that are read, its commands and files exist. */
import { describe, expect, it } from '@jest/globals';
import { SETTINGS } from '@foothold/platform';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';

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
    const named = [...readme.matchAll(/(?<!dist\/)(?:apps|libs|test|deploy)(?:\/[A-Za-z0-9_.-]+)+/g)].map(([path]) => path.replace(/\.$/, ''));
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

describe('the SDK’s code in prose', () => {
  /** What the snippets take for granted. */
  const GIVEN = 'declare const suggested: string, sent: string;\nexport {};\n';

  it.each(['README.md', 'libs/sdk/README.md'])('%s compiles as strictly as a host may', (file) => {
    const snippets = [...readFileSync(join(ROOT, file), 'utf8').matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => `${GIVEN}${code!}`);
    expect(snippets.length).toBeGreaterThan(0);
    const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path)).config, ts.sys, ROOT);
    const host = ts.createCompilerHost(options);
    const texts = new Map(snippets.map((text, i) => [join(ROOT, 'libs/sdk', `snippet-${i}.ts`), text]));
    const { getSourceFile, fileExists } = host;
    host.fileExists = (path) => texts.has(path) || fileExists(path);
    host.getSourceFile = (path, ...more) => (texts.has(path) ? ts.createSourceFile(path, texts.get(path)!, ts.ScriptTarget.ES2023) : getSourceFile(path, ...more));
    const program = ts.createProgram([...texts.keys()], { ...options, noEmit: true, noUnusedLocals: false }, host);
    expect(ts.getPreEmitDiagnostics(program).map(({ messageText, start }) => `${start}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`)).toEqual([]);
  });
});
