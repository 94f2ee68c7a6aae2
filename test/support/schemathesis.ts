/**
 * schemathesis (a program in Python, from PyPI): makes requests of an OpenAPI document and holds the answers to it.
 * What it needs is installed once, into a folder of the user's cache; whoever comes after finds it there.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const FOLDER = resolve(import.meta.dirname, '../openapi');
const REQUIREMENTS = join(FOLDER, 'requirements.txt');
/** Nothing of the environment the tests run in but what Python needs to start and pip to reach its index. */
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'SSL_CERT_FILE', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy', 'PIP_INDEX_URL', 'PIP_CERT', 'PIP_CONFIG_FILE'];
const PLAIN = { ...Object.fromEntries(PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))), PYTHONDONTWRITEBYTECODE: '1', NO_COLOR: '1' };

export interface Trial {
  /** 0 where nothing was found. */
  code: number;
  /** What it told, as people read it. */
  report: string;
}

/** Gives the Python that has it, installed first where it is not. @throws Error saying what is missing and how to get it */
export async function openSchemathesis(): Promise<string> {
  const python = process.env['PYTHON'] ?? 'python3';
  const version = await run(python, ['-c', 'import sys; assert sys.version_info >= (3, 11); import ensurepip, venv; print(sys.version, sys.executable)']);
  if (version.code !== 0) throw new Error(`this spec needs Python 3.11 or later with venv, and ${python} is not that: apt-get install python3 python3-venv, or set PYTHON to where one is\n${version.report}`);
  const name = `schemathesis-${createHash('sha256').update(version.report).update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 16)}`;
  const home = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'foothold-tests', name);
  const installed = join(home, 'bin/python');
  if (!existsSync(installed)) await install(python, home);
  return installed;
}

/** Beside its place and then into it as a whole: an interrupted one, or another run's, is never taken for a finished one. */
async function install(python: string, home: string): Promise<void> {
  await mkdir(dirname(home), { recursive: true });
  const unfinished = await mkdtemp(`${home}-`);
  try {
    for (const [program, args] of [[python, ['-m', 'venv', unfinished]], [join(unfinished, 'bin/python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', REQUIREMENTS]]] as const) {
      const { code, report } = await run(program, args);
      if (code !== 0) throw new Error(`schemathesis could not be installed: ${program} ${args.join(' ')} ended with ${code}\n${report}`);
    }
    await rename(unfinished, home);
  } catch (error) {
    if (!existsSync(home)) throw error; // else another run has installed it meanwhile
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/**
 * Tries out what answers at `url` as its document says, with the configuration in test/openapi.
 * @param keys texts of a read and a write key
 */
export async function trySchema(python: string, url: string, document: object, keys: { read: string; write: string }, seed: number): Promise<Trial> {
  const folder = await mkdtemp(join(tmpdir(), 'foothold-openapi-'));
  try {
    const file = join(folder, 'openapi.json'); // asked for by its address, it would not try that address
    await writeFile(file, JSON.stringify(document));
    const settings = { FOOTHOLD_READ_KEY: keys.read, FOOTHOLD_WRITE_KEY: keys.write, OPENAPI_CHECKS: join(FOLDER, 'checks.py') };
    return await run(python, ['-m', 'schemathesis.cli', '--config-file', join(FOLDER, 'schemathesis.toml'), 'run', file, '--url', url, '--seed', String(seed)], settings);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function run(program: string, args: readonly string[], settings: Record<string, string> = {}): Promise<Trial> {
  return new Promise((done) => {
    execFile(program, args, { env: { ...PLAIN, ...settings }, maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, report: stdout + stderr + (typeof error?.code === 'string' ? error.message : '') });
    });
  });
}
