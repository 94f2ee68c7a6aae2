/** Stops a Postgres whose starter ends without a word. */
import { spawn } from 'node:child_process';

/**
 * An interrupted run (Ctrl-C, kill -9) has no teardown and the server in `home` belongs to no process: a shell waits for
 * the end of a pipe that only this process holds. A Kafka is guarded likewise by startKafka.
 */
export function stopWithThisProcess(home) {
  const script = 'read -r _; kill -INT "$(head -n 1 "$0/postgres/postmaster.pid")"; sleep 2; rm -rf "$0"';
  const guard = spawn('/bin/sh', ['-c', script, home], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  guard.on('error', () => undefined);
  guard.unref();
  guard.stdin.unref();
  return guard;
}
