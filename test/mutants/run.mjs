/**
 * Plants known bugs, one at a time, in a copy of the sources, and sees that the random histories catch each of them.
 * A mutant that survives, or a patch that no longer fits the sources, fails the run.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inPatchedCopy } from '../support/patched-copy.mjs';
import { MUTANTS } from './mutants.mjs';

const SPECS = ['test/any-order.int.spec.ts', 'test/oracle/agreement.int.spec.ts'];

if (await caught([])) throw new Error('the specs fail without a mutant: whatever they say of mutants means nothing');
let survived = 0;
for (const { name, edits } of MUTANTS) {
  const started = Date.now();
  process.stderr.write(`planting ${name} ...\n`);
  const failed = await caught(edits);
  if (!failed) survived++;
  console.log(`${failed ? 'caught  ' : 'SURVIVED'}  ${name} (${Math.round((Date.now() - started) / 1000)} s)`);
}
console.log(`${MUTANTS.length - survived} of ${MUTANTS.length} mutants caught`);
process.exitCode = survived === 0 ? 0 : 1;

/** Runs the specs on patched sources; true where at least one test of every run failed for what it asserts. */
async function caught(edits) {
  return inPatchedCopy(edits, (copy) => {
    const report = join(copy, 'report.json');
    const { stderr } = spawnSync(process.execPath, ['node_modules/jest/bin/jest.js', ...SPECS, '--json', `--outputFile=${report}`, '--silent'], {
      cwd: copy, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '--experimental-vm-modules' },
    });
    if (!existsSync(report)) throw new Error(`jest did not run:\n${stderr}`);
    const { numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(report, 'utf8'));
    if (numRuntimeErrorTestSuites > 0) throw new Error('the patched sources do not run: the mutant must be written anew');
    return numFailedTests > 0;
  });
}
