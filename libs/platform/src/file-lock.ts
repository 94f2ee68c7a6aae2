/** One process at a time, without anything but a file system: for what is done once per directory, such as starting its Postgres. */
import { randomUUID } from 'node:crypto';
import { link, open, readFile, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const HEARTBEAT_MS = 2_000;
/** A holder that has not touched its lock for so long is gone, even if its process id lives on as another process. */
const STALE_MS = 30_000;

/** Tokens of the locks that this process holds or is about to take. */
const ours = new Set<string>();

/**
 * Runs `work` while holding the lock file `path`, and waits for other holders first. A lock whose holder died is taken over.
 * @throws Error naming the file and its holder when the lock is not had within `timeoutMs`
 */
export async function withFileLock<T>(path: string, work: () => Promise<T>, timeoutMs = 120_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  const token = randomUUID();
  while (!(await tryTake(path, token))) {
    if (Date.now() > deadline) {
      const holder = await holderOf(path);
      throw new Error(`${path} is held by process ${holder?.pid ?? 'unknown'} for more than ${timeoutMs / 1000} s: end that process, or delete the file if it is none of Foothold's`);
    }
    if (await isStale(path)) await breakLock(path);
    else await sleep(20 + Math.random() * 30);
  }

  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, HEARTBEAT_MS).unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    if ((await holderOf(path))?.token === token) await rm(path, { force: true });
    ours.delete(token);
  }
}

/** Linking a file that is already written means that a lock is never seen without its holder's name. */
async function tryTake(path: string, token: string): Promise<boolean> {
  const mine = `${path}.${token}`;
  await writeFile(mine, `${process.pid} ${token}\n`);
  try {
    ours.add(token);
    await link(mine, path);
    return true;
  } catch (error) {
    ours.delete(token);
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(mine);
  }
}

async function isStale(path: string): Promise<boolean> {
  const holder = await holderOf(path);
  if (holder === undefined) return false; // released just now
  if (holder.pid === process.pid) return !ours.has(holder.token); // left by an earlier process that had our id, as in containers
  if (!isAlive(holder.pid)) return true;
  const touched = await stat(path).then((file) => file.mtimeMs).catch(() => Date.now());
  return Date.now() - touched > STALE_MS;
}

/**
 * Removes a stale lock. Only the one who made the breaker's file may remove, and looks again first: otherwise
 * two who saw the same stale lock could each remove one, the second of which is the first one's new lock.
 */
async function breakLock(path: string): Promise<void> {
  const breaker = `${path}.break`;
  const file = await open(breaker, 'wx').catch(() => undefined);
  if (file === undefined) {
    const since = await stat(breaker).then((found) => found.mtimeMs).catch(() => Date.now());
    if (Date.now() - since > STALE_MS) await rm(breaker, { force: true });
    await sleep(20);
    return;
  }
  try {
    if (await isStale(path)) await rm(path, { force: true });
  } finally {
    await file.close();
    await rm(breaker, { force: true });
  }
}

async function holderOf(path: string): Promise<{ pid: number; token: string } | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const [pid, token = ''] = text.trim().split(' ');
  return { pid: Number(pid), token };
}

/** Whether a process with this id exists, ours or another user's. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
