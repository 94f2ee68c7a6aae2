/** `npm run bench -- NAME... [--events N] [--json]`: ours, the limit and their ratio, all from one run. */
import { parseArgs } from 'node:util';
import { append } from './append.mjs';
import { pipeline } from './pipeline.mjs';
import { startBroker, startPostgres } from './servers.mjs';

const BENCHES = { pipeline, append };

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'boolean' }, events: { type: 'string', default: '400000' } } });
const names = positionals.length > 0 ? positionals : Object.keys(BENCHES);
const unknown = names.find((name) => !BENCHES[name]);
const events = Number(values.events);
if (unknown || !(events >= 10_000)) {
  process.stderr.write(`${unknown ? `there is no bench "${unknown}"` : '--events: at least 10000'}\nusage: npm run bench -- [${Object.keys(BENCHES).join('] [')}] [--events 400000] [--json]\n`);
  process.exit(2);
}
const say = (line) => process.stderr.write(`${line}\n`);

const broker = names.includes('pipeline') ? await startBroker() : undefined;
try {
  const rows = [];
  for (const name of names) {
    const server = await startPostgres(); // each its own: what one leaves to vacuum is not the next one's cost
    try {
      rows.push(...(await BENCHES[name]({ server, broker, events, say })));
    } finally {
      await server.stop();
    }
  }
  if (values.json) console.log(JSON.stringify({ bench: names.join(' '), rows }));
  else for (const { name, ours, limit, ratio, unit } of rows) console.log(`${name.padEnd(26)} ${String(ours).padStart(8)} of ${String(limit).padStart(8)} ${unit}, ratio ${ratio.toFixed(3)}`);
} finally {
  await broker?.stop();
}
