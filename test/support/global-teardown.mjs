/** Stops what global-setup.mjs started and removes its data. */
import { rm } from 'node:fs/promises';

export default async function globalTeardown() {
  const stopped = await Promise.allSettled((globalThis.footholdTestServers ?? []).map((stop) => stop()));
  for (const directory of globalThis.footholdTestDirectories ?? []) await rm(directory, { recursive: true, force: true });
  const failed = stopped.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}
