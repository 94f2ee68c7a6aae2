/**
 * A real PostgreSQL in a directory, shared by every process that opens it.
 * Arrives: a home directory. Leaves: the URL of a running server; the last one to close stops it.
 * The server is started with initdb and pg_ctl and belongs to no process, so a command, a service
 * and a test may come and go in any order and see the same data. Should it end while somebody has it open, it is started
 * again, where it was: the others' connections come back to it.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { access, appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WrongInput } from '@foothold/contract';
import pg from 'pg';
import { isAlive, withFileLock } from './file-lock.js';
import { accountToRunAs, findBinaries, giveTo, requireTraversable, runProgram, type Account, type Binaries } from './postgres-binaries.js';

/** A handle on the shared server. */
export interface EmbeddedPostgres {
  /** Of the database `foothold`; the user is its owner and a superuser. */
  url: string;
  /** Leaves the server: it stops when no other connection is open, else it stays for the others. Close your own pools first. */
  close(): Promise<void>;
}

const NAME = 'foothold';
/** How every handle's own connection shows in pg_stat_activity; while it is open, nobody else's close stops the server. */
const KEEPER = 'foothold keeper';
const START_ATTEMPTS = 4;
const ANSWER_TIMEOUT_MS = 60_000;
const AGAIN_MS = 1_000;

const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=100',
  'shared_buffers=256MB',
  'timezone=UTC',
  'log_timezone=UTC',
];

/** What there is in a home, and who may run it. */
interface Home {
  binaries: Binaries;
  account: Account | undefined;
  root: string;
  data: string;
  log: string;
  password: string;
  lock: string;
  /** The file with the port the server was last started on. */
  port: string;
}

/**
 * Joins the server of `home`, or starts it (and makes it, the first time).
 * @throws Error saying what stands in the way: no binaries, a directory PostgreSQL's user may not enter, a server that does not start
 */
export async function openEmbeddedPostgres(home: string): Promise<EmbeddedPostgres> {
  const place = await prepareHome(home);
  let closed: Promise<void> | undefined;
  const { url, keeper } = await joinServer(place);
  let kept = Promise.resolve(keep(keeper));

  function keep(client: pg.Client): pg.Client {
    client.once('end', () => {
      if (!closed) kept = again();
    });
    return client;
  }
  async function again(): Promise<pg.Client> {
    for (let last = keeper; ; ) {
      if (closed) return last;
      try {
        // Another folder may stand there now, or none: an empty database must not take the place of what somebody has open.
        await access(join(place.data, 'PG_VERSION'));
        return keep((last = (await joinServer(place)).keeper));
      } catch {
        await sleep(AGAIN_MS, undefined, { ref: false }); // whoever uses it hears of it from their own connection
      }
    }
  }
  return { url, close: () => (closed ??= kept.then((client) => leave(place, client))) };
}

/** Finds the server running or starts it, and connects before the lock is given back, so that a close elsewhere sees us. */
async function joinServer(place: Home): Promise<{ url: string; keeper: pg.Client }> {
  const joined = await withFileLock(place.lock, async () => {
    await makeDataDirectory(place);
    const port = (await runningPort(place)) ?? (await start(place));
    await ensureDatabase(place, port);
    const url = await urlOf(place, port, NAME);
    return { url, keeper: await connect(url) };
  });
  holdProcess(joined.keeper, false); // a program that forgets to close still ends
  return joined;
}

async function prepareHome(home: string): Promise<Home> {
  const root = resolve(home);
  const binaries = await findBinaries();
  const account = await accountToRunAs();
  await mkdir(root, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new WrongInput('FOOTHOLD_HOME', `the folder cannot be made (${error.code})`, 'name a folder in which this process may write, or set DATABASE_URL to a Postgres of your own');
  });
  await requireTraversable(account, root, `allow it (chmod o+x), or set FOOTHOLD_HOME to a directory outside it, such as /var/lib/foothold`);
  await requireTraversable(account, join(binaries.initdb, '..'), 'install Foothold outside it, run it as another user than root, or set DATABASE_URL');
  return {
    binaries,
    account,
    root,
    data: join(root, 'postgres'),
    log: join(root, 'postgres.log'),
    password: join(root, 'postgres.password'),
    lock: join(root, 'postgres.lock'),
    port: join(root, 'postgres.port'),
  };
}

/** Makes the data directory under another name and renames it, so that a half-made one is never taken for a whole. */
async function makeDataDirectory(place: Home): Promise<void> {
  if (await exists(join(place.data, 'PG_VERSION'))) return;
  const fresh = `${place.data}.new`;
  await rm(fresh, { recursive: true, force: true });
  await rm(place.password, { force: true });
  await mkdir(fresh, { mode: 0o700 });
  await giveTo(place.account, fresh);
  await writeFile(place.password, randomBytes(24).toString('hex'), { mode: 0o600 });
  await giveTo(place.account, place.password); // initdb reads it

  const settings = SETTINGS.flatMap((setting) => ['-c', setting]);
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const identity = ['--username', NAME, '--auth=scram-sha-256', '--pwfile', place.password];
  const made = await runProgram(place.binaries, 'initdb', ['-D', fresh, ...identity, ...locale, ...settings], place.account);
  if (made.code !== 0) throw new Error(`initdb could not make ${place.data}:\n${lastLines(made.text)}`);
  await rename(fresh, place.data);
}

/** The port of the server that runs on our data directory, once it answers; undefined when none runs. */
async function runningPort(place: Home): Promise<number | undefined> {
  const deadline = Date.now() + ANSWER_TIMEOUT_MS;
  let problem = 'no port yet';
  for (;;) {
    const seen = await postmaster(place);
    if (seen === undefined) return undefined;
    if (seen.port !== undefined) {
      try {
        await (await connect(await urlOf(place, seen.port, 'postgres'))).end();
        return seen.port;
      } catch (error) {
        problem = (error as Error).message; // starting up, or on its way out
      }
    }
    if (Date.now() > deadline) {
      throw new Error(`a PostgreSQL runs on ${place.data} (process ${seen.pid}) but does not let us in: ${problem}. See ${place.log}; if it hangs, end that process`);
    }
    await sleep(100);
  }
}

/** What postmaster.pid says, if the process it names is a living PostgreSQL; a left-over is removed. */
async function postmaster(place: Home): Promise<{ pid: number; port?: number } | undefined> {
  const path = join(place.data, 'postmaster.pid');
  const lines = (await readFile(path, 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  if (!(pid > 0)) return undefined;
  if (!isAlive(pid) || !(await isPostgres(pid))) {
    await rm(path, { force: true }); // PostgreSQL itself would refuse to start when another program has that process id now
    return undefined;
  }
  return { pid, port: lines[3] ? Number(lines[3]) : undefined };
}

/** Without /proc the living process is believed; one that has ended and not been reaped ('Z') is not alive. */
async function isPostgres(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return status === undefined || /^\d+ \(postgres\) [^Z]/.test(status);
}

async function start(place: Home): Promise<number> {
  await appendFile(place.log, '', { mode: 0o640 });
  await giveTo(place.account, place.log);
  let problem = '';
  let wanted = await lastPort(place);
  for (let attempt = 1; attempt <= START_ATTEMPTS; attempt++) {
    const port = await freePort(wanted);
    const started = await runProgram(place.binaries, 'pg_ctl', ['start', '-w', '-t', '60', '-D', place.data, '-l', place.log, '-o', `-p ${port}`], place.account);
    if (started.code === 0) {
      await writeFile(place.port, String(port));
      return port;
    }
    problem = `${lastLines(started.text)}\n${place.log} ends with:\n${lastLines(await readFile(place.log, 'utf8'))}`;
    // Another program took the port meanwhile, or backends of a killed server are still leaving.
    if (!/Address already in use|pre-existing shared memory/.test(problem)) break;
    if (/Address already in use/.test(problem)) wanted = undefined;
    await sleep(500 * attempt);
  }
  throw new Error(`PostgreSQL does not start on ${place.data}: ${problem}`);
}

async function ensureDatabase(place: Home, port: number): Promise<void> {
  const client = await connect(await urlOf(place, port, 'postgres'));
  try {
    const there = await client.query('select from pg_database where datname = $1', [NAME]);
    if (there.rowCount === 0) await client.query(`create database ${NAME}`);
  } finally {
    await client.end();
  }
}

/** Ends our own connection, and the server with it if nobody else has one. */
async function leave(place: Home, keeper: pg.Client): Promise<void> {
  await withFileLock(place.lock, async () => {
    holdProcess(keeper, true);
    await keeper.end().catch(() => undefined);
    const seen = await postmaster(place);
    if (seen?.port === undefined) return;
    if (await inUse(await urlOf(place, seen.port, 'postgres'))) return;
    const stopped = await runProgram(place.binaries, 'pg_ctl', ['stop', '-w', '-t', '60', '-m', 'fast', '-D', place.data], place.account);
    if (stopped.code !== 0 && (await postmaster(place))) throw new Error(`PostgreSQL on ${place.data} does not stop: ${lastLines(stopped.text)}`);
  });
}

async function inUse(url: string): Promise<boolean> {
  const client = await connect(url);
  try {
    for (let look = 1; look <= 10; look++) {
      const others = await client.query(`select from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`);
      if (others.rowCount === 0) return false;
      await sleep(50); // a backend takes a moment to notice that its client has left
    }
    return true;
  } finally {
    await client.end();
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, ssl: false, application_name: KEEPER, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined); // the server went away: whoever uses it hears of it from their own connection
  await client.connect();
  return client;
}

/** Whether an open connection keeps the process from ending. (pg has these methods, its types do not.) */
function holdProcess(client: pg.Client, hold: boolean): void {
  const holder = client as pg.Client & { ref(): void; unref(): void };
  if (hold) holder.ref();
  else holder.unref();
}

async function urlOf(place: Home, port: number, database: string): Promise<string> {
  const password = await readFile(place.password, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${place.password} cannot be read (${error.code}): it belongs to the database in ${place.data}; run as the user who made it, or set FOOTHOLD_HOME to another directory`);
  });
  return `postgres://${NAME}:${password.trim()}@127.0.0.1:${port}/${database}`;
}

/** Where it ran before: whoever still has it open looks for it there. */
async function lastPort(place: Home): Promise<number | undefined> {
  const port = Number(await readFile(place.port, 'utf8').catch(() => ''));
  return port > 0 && port < 65_536 ? port : undefined;
}

/** The wanted port where it is free, or a free one below 32768, where the system takes no ports for outgoing connections. */
async function freePort(wanted?: number): Promise<number> {
  for (let port = wanted ?? randomPort(); ; port = randomPort()) {
    const free = await new Promise<boolean>((done) => {
      const probe = createServer()
        .once('error', () => done(false))
        .listen(port, '127.0.0.1', () => probe.close(() => done(true)));
    });
    if (free) return port;
  }
}

const randomPort = (): number => randomInt(20_000, 32_000);

const exists = (path: string): Promise<boolean> => access(path).then(() => true, () => false);

const lastLines = (text: string): string => text.trim().split('\n').slice(-10).join('\n');
