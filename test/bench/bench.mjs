/** `npm run bench -- NAME... [--events N] [--json]`: ours, the limit and their ratio, all from one run. */
import { parseArgs } from 'node:util';
import { append } from './append.mjs';
import { collector } from './collector.mjs';
import { pipeline } from './pipeline.mjs';
import { queries } from './queries.mjs';
import { rebuild } from './rebuild.mjs';
import { sdk } from './sdk.mjs';
import { startBroker, startPostgres } from './servers.mjs';

const BENCHES = { pipeline, append, sdk, collector, rebuild, queries };
/** Events where no other number is asked for. */
const EVENTS = { queries: 10_000_000 };
const FEW = 400_000;
const WITH_KAFKA = ['pipeline', 'collector'];

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'boolean' }, events: { type: 'string' } } });
const names = positionals.length > 0 ? positionals : Object.keys(BENCHES);
const unknown = names.find((name) => !BENCHES[name]);
const asked = values.events === undefined ? undefined : Number(values.events);
if (unknown || (asked !== undefined && !(asked >= 10_000))) {
  process.stderr.write(`${unknown ? `there is no bench "${unknown}"` : '--events: at least 10000'}\nusage: npm run bench -- [${Object.keys(BENCHES).join('] [')}] [--events ${FEW}] [--json]\n`);
  process.exit(2);
}
const say = (line) => process.stderr.write(`${line}\n`);

const broker = names.some((name) => WITH_KAFKA.includes(name)) ? await startBroker() : undefined;
try {
  const rows = [];
  for (const name of names) {
    const server = await startPostgres(); // each its own: what one leaves to vacuum is not the next one's cost
    try {
      rows.push(...(await BENCHES[name]({ server, broker, events: asked ?? EVENTS[name] ?? FEW, say })));
    } finally {
      await server.stop();
    }
  }
  if (values.json) console.log(JSON.stringify({ bench: names.join(' '), rows }));
  else for (const { name, ours, limit, ratio, unit, wanted } of rows) console.log(`${name.padEnd(52)} ${round(ours).padStart(8)} of ${round(limit).padStart(8)} ${unit}${ratio === null ? '' : `, ratio ${ratio.toFixed(3)}`}${wanted === undefined ? '' : `, wanted under ${wanted} ${unit}`}`);
} finally {
  await broker?.stop();
}

function round(value) {
  return String(Number.isInteger(value) ? value : Number(value.toFixed(2)));
}
