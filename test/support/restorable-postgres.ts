/** A Postgres of a spec's own that archives its log, is backed up while it runs, dies, and is restored to a moment, on the same address. */
import { execFile } from 'node:child_process';
import { appendFile, chmod, chown, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openEmbeddedPostgres } from '@foothold/platform';
import pg from 'pg';
import { until } from './recording.js';

const run = promisify(execFile);

export interface RestorablePostgres {
  url: string;
  ask<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]>;
  /** Copies the data directory of the running server, as pg_basebackup does, which does not come with npm's Postgres. */
  backUp(): Promise<void>;
  /** Names this moment, so that it can be restored to without a clock; its log is archived when this returns. */
  nameMoment(name: string): Promise<void>;
  /** As when the power fails and the disk with it: nothing of the data directory is used again. */
  die(): Promise<void>;
  /** Puts the backup in its place and starts it, with these lines in its configuration. */
  restore(settings: string): Promise<void>;
  drop(): Promise<void>;
}

/** @param settings lines as in postgresql.conf; ARCHIVE in them and in those of `restore` is the folder for the archived log */
export async function startRestorablePostgres(settings: string): Promise<RestorablePostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'foothold-restore-'));
  await chmod(folder, 0o755); // as root the server runs as another user, who has to get in
  const [home, base, archive] = [join(folder, 'home'), join(folder, 'base'), join(folder, 'archive')];
  const data = join(home, 'postgres');
  await mkdir(archive);
  await chmod(archive, 0o777);
  const filled = (lines: string) => lines.replaceAll('ARCHIVE', archive);

  let server = await openEmbeddedPostgres(home);
  await appendConfiguration(filled(settings));
  await server.close();
  server = await openEmbeddedPostgres(home);
  const { url } = server;

  async function appendConfiguration(lines: string): Promise<void> {
    await appendFile(join(data, 'postgresql.auto.conf'), `${lines}\n`);
  }
  async function ask<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> {
    return connected((client) => client.query<Row>(sql).then(({ rows }) => rows));
  }
  async function connected<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client(url);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }
  /** As the server's own files are. */
  async function place(path: string, content: string): Promise<void> {
    await writeFile(path, content, { mode: 0o600 });
    const { uid, gid } = await stat(join(path, '..', 'PG_VERSION'));
    await chown(path, uid, gid);
  }

  return {
    url,
    ask,
    backUp: () =>
      connected(async (client) => {
        await client.query(`select pg_backup_start('base', fast => true)`);
        await run('cp', ['-a', data, base]);
        const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop()');
        for (const file of ['postmaster.pid', 'postmaster.opts', 'pg_wal']) await rm(join(base, file), { recursive: true });
        await run('cp', ['-a', join(base, 'pg_xact'), join(base, 'pg_wal')]); // for its owner and mode
        await run('find', [join(base, 'pg_wal'), '-mindepth', '1', '-delete']);
        await place(join(base, 'backup_label'), rows[0]!.labelfile);
      }),
    async nameMoment(name) {
      const [row] = await ask<{ wal: string }>(`select pg_walfile_name(pg_create_restore_point('${name}')) as wal`);
      await ask('select pg_switch_wal()');
      await until(`${row!.wal} is archived`, async () => (await ask<{ done: boolean }>(`select last_archived_wal >= '${row!.wal}' as done from pg_stat_archiver`))[0]!.done);
    },
    async die() {
      const pid = Number((await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')[0]);
      await server.close(); // or it would be started again; it stays, for the processes have it open
      process.kill(pid, 'SIGQUIT');
      await until('the server is gone', () => !lives(pid));
      await rename(data, `${data}.lost`);
    },
    async restore(lines) {
      await run('cp', ['-a', base, data]);
      await place(join(data, 'recovery.signal'), '');
      await appendConfiguration(filled(lines));
      server = await openEmbeddedPostgres(home);
      if (server.url !== url) throw new Error('the restored server has another address');
    },
    async drop() {
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
