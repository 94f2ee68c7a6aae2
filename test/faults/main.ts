/**
 * `npm run faults`: schedules one after the other, each from a seed of its own, and the sum of them.
 * Arrives: flags. Leaves: the sum on stdout, exit code 1 where anything was lost, doubled or wrong. What was run is kept in
 * a file, so that an interrupted run goes on.
 */
import { createHash, randomInt } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { seeded } from '../support/seeded.js';
import { runSchedule, type Result } from './run.js';
import { drawPlan, KINDS } from './schedule.js';
import { startServers } from './servers.js';

const ROOT = resolve(import.meta.dirname, '../..');
const USAGE = `usage: npm run faults -- [--schedules 200] [--seed N] [--only SCHEDULE_SEED] [--state FILE] [--until-wrong] [--json]

  --schedules N      how many (default 200)
  --seed N           from which the schedules' seeds are drawn (default: a random one, printed)
  --only SEED        one schedule again
  --state FILE       where what was run is kept (default .foothold/faults-SEED.json)
  --until-wrong      end with the first schedule that finds something
  --json             the sum as JSON
`;

interface State {
  /** Of the program that was run. */
  built: string;
  results: Result[];
}

const flags = readFlags();
const say = (text: string) => process.stderr.write(`${text}\n`);
const seed = flags.seed ?? randomInt(2 ** 31);
const draw = seeded(seed);
const seeds = flags.only === undefined ? Array.from({ length: flags.schedules }, () => draw.below(2 ** 31)) : [flags.only];
const file = flags.only === undefined ? (flags.state ?? join(ROOT, `.foothold/faults-${seed}.json`)) : undefined;
const logs = join(ROOT, '.foothold/faults-logs');

const state = await readState();
if (flags.only === undefined) say(`seed ${seed}: ${seeds.length} schedules, ${state.results.length} of them run already; again with --seed ${seed}`);
if (state.results.length < seeds.length) {
  const servers = await startServers();
  // A fleet kills its processes when this one ends, and guards stop the servers.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  try {
    for (const [i, one] of seeds.entries()) {
      if (i < state.results.length) continue;
      const result = await runSchedule(servers, drawPlan(one), logs);
      state.results.push(result);
      await writeState();
      tell(i, result);
      if (flags.untilWrong && result.wrong.length > 0) break;
    }
  } finally {
    await servers.stop();
  }
}
sum(state.results);
// A client of kafkajs that lost its broker in the middle of a question asks for ever.
process.exit();

function tell(i: number, { seed: of, seconds, kafka, faults, acknowledged, wrong, story, spent }: Result): void {
  const width = 20;
  const done = Math.round(((i + 1) / seeds.length) * width);
  const kinds = Object.entries(faults).map(([kind, count]) => (count > 1 ? `${count} ${kind}` : kind)).join(', ');
  say(`[${'='.repeat(done).padEnd(width)}] ${i + 1}/${seeds.length}  seed ${of}  ${seconds.toFixed(1)} s  ${acknowledged} acknowledged${kafka ? '' : ', no Kafka'}: ${kinds}`);
  if (flags.only !== undefined || wrong.length > 0) say(`${story.join('\n')}\n  seconds: ${Object.entries(spent).map(([what, s]) => `${what} ${s.toFixed(1)}`).join(', ')}`);
  if (wrong.length > 0) say(`WRONG, again with --only ${of}; logs in ${join(logs, String(of))}\n${wrong.slice(0, 12).map((text) => `  - ${text.slice(0, 1_500)}`).join('\n')}`);
}

function sum(results: Result[]): void {
  const total = (field: 'acknowledged' | 'lost' | 'doubled' | 'sent' | 'refusals' | 'seconds') => results.reduce((all, result) => all + result[field], 0);
  const faults = Object.fromEntries(KINDS.map((kind) => [kind, results.reduce((all, result) => all + (result.faults[kind] ?? 0), 0)]));
  const wrong = results.filter((result) => result.wrong.length > 0).map((result) => ({ seed: result.seed, wrong: result.wrong }));
  const answer = { seed, schedules: results.length, faults, sent: total('sent'), acknowledged: total('acknowledged'), refusals: total('refusals'), lost: total('lost'), doubled: total('doubled'), wrong, seconds: Math.round(total('seconds')) };
  process.exitCode = wrong.length === 0 ? 0 : 1;
  if (flags.json) return void process.stdout.write(`${JSON.stringify(answer)}\n`);
  const lines = Object.entries(faults).map(([kind, count]) => `${String(count).padStart(6)}  ${kind}`);
  process.stdout.write(`${answer.schedules} schedules of seed ${seed} in ${(answer.seconds / 60).toFixed(1)} minutes, ${Object.values(faults).reduce((one, other) => one + other, 0)} faults\n${lines.join('\n')}
${answer.sent} events sent, ${answer.acknowledged} acknowledged, ${answer.refusals} requests refused for a while
${answer.lost} lost, ${answer.doubled} doubled, ${wrong.length} schedules in which something was wrong${wrong.length > 0 ? `: ${wrong.map((one) => one.seed).join(', ')}` : ''}\n`);
}

async function readState(): Promise<State> {
  const built = await hashOfBuilt();
  const before = file && (await readFile(file, 'utf8').catch(() => undefined));
  if (!before) return { built, results: [] };
  const found = JSON.parse(before) as State;
  if (found.built === built) return { built, results: found.results.slice(0, seeds.length) };
  say(`${file} is of another build: beginning anew`);
  return { built, results: [] };
}

async function writeState(): Promise<void> {
  if (!file) return;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, JSON.stringify(state));
  await rename(`${file}.new`, file);
}

/** Of what runs and what judges. */
async function hashOfBuilt(): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of ['dist', 'test/faults', 'test/support']) {
    const names = (await readdir(join(ROOT, folder), { recursive: true })).filter((name) => /\.(js|mjs|ts)$/.test(name)).sort();
    for (const name of names) hash.update(name).update(await readFile(join(ROOT, folder, name)));
  }
  return hash.digest('hex');
}

function readFlags() {
  try {
    const { values } = parseArgs({ options: { schedules: { type: 'string', default: '200' }, seed: { type: 'string' }, only: { type: 'string' }, state: { type: 'string' }, 'until-wrong': { type: 'boolean' }, json: { type: 'boolean' } } });
    const number = (name: 'schedules' | 'seed' | 'only') => {
      const text = values[name];
      if (text !== undefined && !/^\d{1,10}$/.test(text)) throw new Error(`--${name}: give a number from 0`);
      return text === undefined ? undefined : Number(text);
    };
    return { schedules: number('schedules')!, seed: number('seed'), only: number('only'), state: values.state, untilWrong: values['until-wrong'] ?? false, json: values.json ?? false };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
}
