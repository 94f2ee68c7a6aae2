/**
 * `npm run faults -- ...`: makes one program of the harness's TypeScript and runs it. What of ours it uses comes from dist,
 * as built, so that it judges by what it runs.
 */
import { build } from 'esbuild';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = resolve(import.meta.dirname, '../..');
const PROGRAM = join(ROOT, '.foothold/faults/main.mjs');

const ours = {
  name: 'sources where they lie',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@foothold\// }, ({ path }) => ({ path: pathToFileURL(join(ROOT, 'dist/libs', path.slice(10), 'src/index.js')).href, external: true }));
    // A file finds its neighbours where it lies, not where the program was written to.
    onLoad({ filter: /\.(ts|mjs)$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replaceAll('import.meta.dirname', JSON.stringify(dirname(path))),
      loader: path.endsWith('.ts') ? 'ts' : 'js',
    }));
  },
};

await build({
  entryPoints: [join(import.meta.dirname, 'main.ts')], outfile: PROGRAM, bundle: true, packages: 'external', platform: 'node', format: 'esm', target: 'node20', sourcemap: 'inline', logLevel: 'warning', plugins: [ours],
});
await import(pathToFileURL(PROGRAM).href);
