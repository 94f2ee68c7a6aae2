import { SingleBar } from 'cli-progress';

/** A bar on stderr for work of so many parts, where somebody watches. Stop it. */
export function progressBar(what: string, total: number): SingleBar | undefined {
  if (!process.stderr.isTTY || total === 0) return undefined;
  const bar = new SingleBar({ format: `${what} {bar} {percentage} % | {eta_formatted} left`, stream: process.stderr, hideCursor: true });
  bar.start(total, 0);
  return bar;
}
