/**
 * What the SDK costs a host, beside a loop that fetches batches it had as JSON before the clock started; and what becomes of
 * its calls in a tight loop, paced, and through an outage of the collector. Every host is a process of its own, against one
 * real collector that appends to the log. What the SDK says of itself does not count: stored and confessed are what the log
 * holds, events and heartbeats.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { verify } from '../../dist/libs/event-log/src/index.js';
import { Keys } from '../../dist/libs/platform/src/index.js';
import { KEY, openBenchDatabase, startCollector } from './servers.mjs';

const CALLS = 100_000;
const OUTAGE_MS = 30_000;
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

export async function sdk({ server, say }) {
  const { database, url, close } = await openBenchDatabase(server, 'sdk');
  let collector;
  try {
    const settings = { DATABASE_URL: url, FOOTHOLD_PSEUDONYM_KEY: KEY };
    collector = await startCollector(settings);
    const { key } = await new Keys(database).create({ tenant: 'bench', kind: 'write', deployments: null, origins: null, note: null, expiresAt: null });
    const at = collector.at;
    const host = async (how, meanwhile) => {
      const done = await run([how, at, key, String(CALLS)], meanwhile);
      say(`sdk: ${how}: ${done.delivered} delivered by its own word, ${done.cpuSeconds.toFixed(2)} s of CPU, ${done.peakMB.toFixed(0)} MB, ${done.seconds.toFixed(1)} s`);
      return done;
    };
    const ours = async (how, meanwhile) => {
      const done = await host(how, meanwhile);
      const kept = await inLog(database, `urn:bench:${how}`);
      const lost = CALLS - kept.stored - kept.confessed;
      say(`sdk: ${how}: ${CALLS} made, ${kept.stored} stored, ${kept.confessed} confessed, ${lost} lost, ${kept.doubled} doubled`);
      return { ...done, ...kept, lost };
    };
    const floor = await host('floor');
    const tight = await ours('tight');
    const paced = await ours('paced', async () => {
      await pause(5_000);
      const { port } = new URL(at);
      await collector.stop();
      say(`sdk: the collector is away for ${OUTAGE_MS / 1000} s`);
      await pause(OUTAGE_MS);
      collector = await startCollector(settings, port);
    });
    const ledger = await verify(database);
    if (!ledger.balanced) throw new Error(`the ledger says otherwise: ${JSON.stringify(ledger.problems)}`);
    const row = (name, ours, limit, unit) => ({ name: `sdk, ${name}`, ours, limit, ratio: limit === 0 ? null : ours / limit, unit });
    const fates = (name, { stored, confessed, lost, doubled }) => [
      row(`${name}: stored`, stored, CALLS, 'calls'),
      row(`${name}: confessed`, confessed, 0, 'calls'),
      row(`${name}: lost`, lost, 0, 'calls'),
      row(`${name}: doubled`, doubled, 0, 'events'),
    ];
    return [
      ...fates('tight loop', tight),
      row('tight loop: CPU, beside the floor', tight.cpuSeconds, floor.cpuSeconds, 's per 100,000 calls'),
      row('tight loop: peak memory, beside the floor', tight.peakMB, floor.peakMB, 'MB'),
      ...fates('paced, outage of 30 s', paced),
      row('paced, outage of 30 s: peak memory, beside the floor', paced.peakMB, floor.peakMB, 'MB'),
    ];
  } finally {
    await collector?.stop();
    await close();
  }
}

/**
 * What the log holds of one host: calls with an event, calls that heartbeats confess as dropped, events beyond one a call.
 * A call whose answer was lost and that was then given up is both stored and confessed, and makes `lost` smaller by one.
 */
async function inLog(database, source) {
  const [{ stored, events }] = await database.query(
    `select count(distinct data->>'task')::int as stored, count(*)::int as events from event join source using (source) where name = $1 and type <> 'sdk.reported'`, [source]);
  const [{ confessed }] = await database.query(
    `select coalesce(sum(dropped.value::int), 0)::int as confessed from event join source using (source), jsonb_each_text(data::jsonb->'dropped') as dropped where name = $1 and type = 'sdk.reported'`, [source]);
  return { stored, confessed, doubled: events - stored };
}

/** Runs one host to its end, `meanwhile` beside it. */
async function run(args, meanwhile = async () => undefined) {
  const child = spawn(process.execPath, [path('sdk-calls.mjs'), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  await lines.next();
  child.stdin.write('begin\n');
  const [{ value }] = await Promise.all([lines.next(), meanwhile()]);
  if (value === undefined) throw new Error(`the host ended without a word: ${args[0]}`);
  return JSON.parse(value);
}
