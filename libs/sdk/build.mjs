/**
 * Makes the package hosts install: `node libs/sdk/build.mjs [FOLDER]`.
 * Arrives: libs/sdk/src. Leaves: dist/libs/sdk/package, or FOLDER, with Node and browser entries as ES module and CommonJS, and types.
 */
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const HERE = import.meta.dirname;
const OUT = resolve(process.argv[2] ?? join(HERE, '../../dist/libs/sdk/package'));
const TSC = createRequire(import.meta.url).resolve('typescript/bin/tsc');

rmSync(OUT, { recursive: true, force: true });
const entries = [
  { entry: 'index.ts', name: 'node', platform: 'node', target: 'node20' },
  { entry: 'browser.ts', name: 'browser', platform: 'browser', target: 'es2022', minify: true },
];
for (const { entry, name, ...options } of entries) {
  for (const [format, extension] of [['esm', 'js'], ['cjs', 'cjs']]) {
    await build({ entryPoints: [join(HERE, 'src', entry)], outfile: join(OUT, `${name}.${extension}`), bundle: true, format, sourcemap: true, logLevel: 'warning', ...options });
  }
}

const { status, stdout } = spawnSync(process.execPath, [TSC, '-p', join(HERE, 'tsconfig.types.json'), '--outDir', join(OUT, 'types')], { encoding: 'utf8' });
if (status !== 0) throw new Error(`tsc: ${stdout}`);
// Types of a CommonJS module must lie where .d.ts means CommonJS.
cpSync(join(OUT, 'types'), join(OUT, 'cjs'), { recursive: true });
mkdirSync(join(OUT, 'types/cjs'));
cpSync(join(OUT, 'cjs'), join(OUT, 'types/cjs'), { recursive: true });
rmSync(join(OUT, 'cjs'), { recursive: true });
writeFileSync(join(OUT, 'types/cjs/package.json'), '{ "type": "commonjs" }\n');

copyFileSync(join(HERE, 'README.md'), join(OUT, 'README.md'));
const { version } = JSON.parse(readFileSync(join(HERE, '../../package.json'), 'utf8'));
writeFileSync(join(OUT, 'package.json'), `${JSON.stringify({ ...JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf8')), version }, undefined, 2)}\n`);
