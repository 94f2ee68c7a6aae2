import { createRequire } from 'node:module';
import { run } from './cli.js';

// A reader that has seen enough (head, a closed pager) is no fault of ours or theirs.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

const { version } = createRequire(import.meta.url)('../../../../package.json') as { version: string };
await run(process.argv.slice(2), version);
