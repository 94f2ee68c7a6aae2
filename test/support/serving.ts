/** A process of Foothold that is asked over HTTP, built and as it is run, on a port of its own. */
import { STANDALONE, startFoothold } from './foothold.js';
import { until } from './recording.js';

export interface Serving {
  url: string;
  /** What it has logged so far. */
  log(): string;
  /** @throws Error with its log where it does not end as it should */
  stop(): Promise<void>;
}

/** Starts these roles, of this version or of another's program, and waits until they listen. */
export async function startServing(roles: string, settings: Record<string, string>, program = STANDALONE): Promise<Serving> {
  const running = startFoothold(['--roles', roles], { FOOTHOLD_PORT: '0', ...settings }, program);
  const log = () => running.said.stdout + running.said.stderr;
  const address = () => /"url":"(http:[^"]+)"/.exec(log())?.[1];
  let over = false;
  void running.ended.then(() => (over = true));
  await until(`${roles} listen`, () => over || address() !== undefined, () => `: ${log()}`);
  if (over) throw new Error(`${roles} ended at once: ${log()}`);
  return {
    url: address()!,
    log,
    stop: async () => {
      running.process.kill();
      const { code } = await running.ended;
      if (code !== 0) throw new Error(`${roles} ended with ${code ?? 'a signal'}: ${log().slice(-8_000)}`);
    },
  };
}
