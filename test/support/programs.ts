/** The built programs, run as an operator runs them: real processes, told what to do by their environment alone. */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const STANDALONE = join(ROOT, 'dist/apps/standalone/src/main.js');
const CLI = join(ROOT, 'apps/cli/bin/foothold.mjs');

export type Environment = Record<string, string>;

export interface Program {
  /** Settles when the process has ended, whoever ended it. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Sends a signal, SIGTERM by default; none where it has ended. */
  kill(signal?: NodeJS.Signals): void;
  /** The last of what it wrote. */
  output(): string;
}

/** Starts the processes of these roles in one. @throws Error where nothing has been built */
export function startRoles(roles: string, environment: Environment): Program {
  if (!existsSync(STANDALONE)) throw new Error(`${STANDALONE} is missing: npm run build`);
  const child = spawn(process.execPath, [STANDALONE, '--roles', roles], { env: clean(environment), stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-8_000)));
  return {
    ended: new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code, signal }));
    }),
    kill: (signal) => void child.kill(signal),
    output: () => output,
  };
}

/** Runs a command of the CLI to its end. */
export function foothold(args: string[], environment: Environment): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], { env: clean(environment), maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr });
    });
  });
}

/** Nothing of the tests' own environment reaches a program but where to find things. */
const clean = (environment: Environment): Environment => ({ PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...environment });
