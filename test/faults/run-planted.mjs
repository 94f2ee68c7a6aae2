/**
 * `npm run test:planted [-- N...]`: plants known faults, one at a time, in a copy of the sources, builds it, and runs
 * schedules on it until one finds the fault. One that is not found within 50, or not by what it breaks, fails the run.
 */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { inPatchedCopy } from '../support/patched-copy.mjs';
import { PLANTED } from './planted.mjs';

const SCHEDULES = 50;
/** How many schedules must pass where nothing is planted. */
const CONTROL = 3;

const chosen = process.argv.slice(2).map(Number);
const planted = chosen.length > 0 ? chosen.map((n) => PLANTED[n - 1]) : PLANTED;
const seed = Number(process.env.FAULTS_SEED ?? randomInt(2 ** 31));
process.stderr.write(`FAULTS_SEED=${seed}\n`);

const control = found([], CONTROL);
if (control.wrong.length > 0) throw new Error(`schedules fail where nothing is planted: whatever they say of faults means nothing: ${control.wrong[0].wrong.join('\n')}`);
let missed = 0;
for (const { name, seen, edits } of planted) {
  process.stderr.write(`planting ${name} ...\n`);
  const { schedules, wrong } = found(edits, SCHEDULES);
  const by = wrong[0]?.wrong.find((text) => seen.test(text));
  if (!by) missed++;
  const otherwise = wrong.length > 0 ? `NOT CAUGHT for what it is, but: ${wrong[0].wrong[0]}` : 'NOT CAUGHT';
  console.log(`${by ? `caught by schedule ${schedules}` : `${otherwise} (${schedules} schedules)`}: ${name}${by ? `\n    ${by.split('\n').find((line) => seen.test(line)).slice(0, 300)}` : ''}`);
}
console.log(`${planted.length - missed} of ${planted.length} planted faults caught`);
process.exitCode = missed === 0 ? 0 : 1;

/** What schedules find in the sources with these edits. */
function found(edits, schedules) {
  return inPatchedCopy(edits, (cwd) => {
    run(cwd, 'npm', ['run', 'build', '--silent']);
    return JSON.parse(run(cwd, process.execPath, ['test/faults/faults.mjs', '--schedules', String(schedules), '--seed', String(seed), '--until-wrong', '--json']));
  });
}

function run(cwd, command, args) {
  const { stdout, status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', maxBuffer: 1 << 28 });
  if (error || (status !== 0 && stdout === '')) throw error ?? new Error(`${command} ${args.join(' ')} ended with ${status}`);
  return stdout;
}
