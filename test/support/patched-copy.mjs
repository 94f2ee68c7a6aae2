/** A copy of the sources with something changed in it: what plants known bugs to see that they are found. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Does `work` in a copy of the tree, which goes with its end.
 * @param {[file: string, from: string, to: string][]} edits each text must occur once
 * @template T
 * @param {(copy: string) => T} work
 */
export function inPatchedCopy(edits, work) {
  const copy = mkdtempSync(join(tmpdir(), 'foothold-patched-'));
  try {
    cpSync(ROOT, copy, { recursive: true, filter: (path) => !['node_modules', '.git', '.foothold'].includes(basename(path)) });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    for (const [file, from, to] of edits) {
      const path = join(copy, file);
      const text = readFileSync(path, 'utf8');
      if (text.split(from).length !== 2) throw new Error(`${file} holds "${from}" ${text.split(from).length - 1} times: the patch must be written anew`);
      writeFileSync(path, text.replace(from, () => to));
    }
    return work(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
