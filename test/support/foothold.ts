/** The command line: built and as a process of its own, as people run it, or from its sources in this process, which is quicker. */
import { spawn, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';

const CLI = resolve(import.meta.dirname, '../../apps/cli/bin/foothold.mjs');
/** What runs the processes, without the command line around it: a signal to it is a signal to them. */
export const STANDALONE = resolve(import.meta.dirname, '../../dist/apps/standalone/src/main.js');

export interface Ended {
  /** Null where a signal ended it. */
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  process: ChildProcess;
  /** What it has written so far. */
  said: { stdout: string; stderr: string };
  ended: Promise<Ended>;
}

/** Nothing of the environment the tests run in but what a program needs to start. */
const PLAIN = { PATH: process.env['PATH'], HOME: process.env['HOME'] };

/** Starts `foothold ...args` with these settings and no other. */
export function startFoothold(args: string[], settings: Record<string, string>, program = CLI): Running {
  const child = spawn(process.execPath, [program, ...args], { env: { ...PLAIN, ...settings }, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) child[stream]!.setEncoding('utf8').on('data', (text: string) => (said[stream] += text));
  const ended = new Promise<Ended>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => done({ code, ...said }));
  });
  return { process: child, said, ended };
}

/** Runs `foothold ...args` to its end. */
export function foothold(args: string[], settings: Record<string, string>): Promise<Ended> {
  return startFoothold(args, settings).ended;
}

/** Runs many, as many at once as two cores bear, and gives what became of each, in order. */
export async function footholds(runs: { args: string[]; settings: Record<string, string> }[]): Promise<Ended[]> {
  const results: Ended[] = [];
  let next = 0;
  const work = async () => {
    for (let i = next++; i < runs.length; i = next++) results[i] = await foothold(runs[i]!.args, runs[i]!.settings);
  };
  await Promise.all([work(), work(), work()]);
  return results;
}

/** Runs one command with --json and gives its answer. @throws Error with its exit code and stderr where it does not end with 0 */
export async function answered<Answer>(settings: Record<string, string>, args: string[]): Promise<Answer> {
  const { code, stdout, stderr } = await foothold([...args, '--json'], settings);
  if (code !== 0) throw new Error(`foothold ${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as Answer;
}

/** Runs `foothold ...args` in this process; for commands that start no other. One at a time: it borrows stdout, stderr and the environment. */
export async function footholdHere(args: string[], settings: Record<string, string>): Promise<Ended> {
  const { run } = await import('../../apps/cli/src/cli.js');
  const { env, exitCode } = process;
  const write = { stdout: process.stdout.write, stderr: process.stderr.write };
  const said = { stdout: '', stderr: '' };
  try {
    process.env = { ...settings };
    process.exitCode = undefined;
    for (const stream of ['stdout', 'stderr'] as const) {
      process[stream].write = (text: string | Uint8Array) => {
        said[stream] += String(text);
        return true;
      };
    }
    await run(args, 'test');
    return { code: Number(process.exitCode ?? 0), ...said };
  } finally {
    Object.assign(process.stdout, { write: write.stdout });
    Object.assign(process.stderr, { write: write.stderr });
    process.env = env;
    process.exitCode = exitCode;
  }
}
