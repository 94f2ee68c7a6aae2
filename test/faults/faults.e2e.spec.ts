/**
 * A short sample of what `npm run faults` does at length: a few schedules that have every kind of fault among them.
 * The seed is printed; FAULTS_SEED repeats it.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomInt } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSchedule, type Result } from './run.js';
import { drawPlan, drawSample, KINDS } from './schedule.js';
import { startServers, type Servers } from './servers.js';

const SEED = Number(process.env.FAULTS_SEED ?? randomInt(2 ** 31));
const plans = drawSample(SEED);

describe(`schedules of faults, FAULTS_SEED=${SEED}`, () => {
  const results: Result[] = [];
  let servers: Servers;

  beforeAll(async () => {
    process.stdout.write(`FAULTS_SEED=${SEED}\n`);
    servers = await startServers();
  });

  afterAll(() => servers?.stop());

  it.each(plans)('seed $seed: nothing is lost, nothing doubled', async (plan) => {
    const result = await runSchedule(servers, plan, await mkdtemp(join(tmpdir(), 'foothold-faults-logs-')));
    results.push(result);
    process.stdout.write(`${result.story.join('\n')}\n  ${result.seconds.toFixed(1)} s, ${result.acknowledged} of ${result.sent} acknowledged\n`);
    expect(result.wrong).toEqual([]);
    expect(result).toMatchObject({ lost: 0, doubled: 0 });
    expect(result.acknowledged).toBeGreaterThan(200);
  }, 400_000);

  it('had every kind of fault', () => {
    const happened = new Set(results.flatMap(({ faults }) => Object.keys(faults)));
    expect(KINDS.filter((kind) => !happened.has(kind))).toEqual([]);
  });
});

describe('a schedule', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(drawPlan(7)).toEqual(drawPlan(7));
    expect(drawPlan(7)).not.toEqual(drawPlan(8));
  });
});
