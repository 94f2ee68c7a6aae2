import { type Command } from 'commander';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

/** The processes run in apps/standalone, a program of its own: signals go through to it, and its exit code is ours. */
const STANDALONE = fileURLToPath(new URL('../../standalone/src/main.js', import.meta.url));

/** A batch outlives a young generation of the usual size: copying it about cost recorder and projector a tenth of their time. */
const NODE_FLAGS = ['--enable-source-maps', '--min-semi-space-size=64', '--max-semi-space-size=64'];

export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description('run the processes, several in one: collector (HTTP to Kafka, or to the log without it), recorder (Kafka to log), projector (log to read tables), sentinel (what time brings about), api (questions over HTTP)')
    .option('--roles <list>', 'which, separated by commas (default: every one; without KAFKA_BROKERS all but the recorder)')
    .option('--json', 'accepted as on every command; the log lines on stderr are JSON anyway')
    .action(async ({ roles }: { roles?: string }) => {
      // In a session of its own: Ctrl-C would otherwise reach it twice, from the terminal and through us, and twice means at once.
      const child = spawn(process.execPath, [...NODE_FLAGS, STANDALONE, ...(roles === undefined ? [] : ['--roles', roles])], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], detached: true });
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
      process.on('SIGHUP', () => child.kill('SIGTERM'));
      process.exitCode = await new Promise<number>((resolve, reject) => {
        child.once('error', reject);
        child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
      });
    });
}
