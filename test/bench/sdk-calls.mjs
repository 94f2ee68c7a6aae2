/**
 * One host process for the bench of the SDK. Arguments: how (tight, paced, floor), the collector's url, a write key, how many
 * calls. Says `ready`, begins at a line of stdin, and ends with one line of JSON: what became of the calls, and what it cost.
 */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Foothold } from '../../dist/libs/sdk/package/node.js';
import { DEPLOYMENT, usage } from './workload.mjs';

const [how, url, key, text] = process.argv.slice(2);
const calls = Number(text);
/** Calls a second where they are paced: an outage of 30 s is in the middle of them. */
const PACE = 2_500;

const tell = { tight, paced, floor }[how];
const prepared = how === 'floor' ? bodies() : undefined;
process.stdout.write('ready\n');
await once(process.stdin, 'data');
const began = { at: performance.now(), cpu: process.cpuUsage() };
const { delivered, dropped } = await tell();
const { user, system } = process.cpuUsage(began.cpu);
console.log(JSON.stringify({ delivered, dropped, seconds: (performance.now() - began.at) / 1000, cpuSeconds: (user + system) / 1e6, peakMB: process.resourceUsage().maxRSS / 1024 }));
process.exit();

async function tight() {
  const foothold = open();
  for (let n = 0; n < calls; n++) call(foothold, n);
  return end(foothold);
}

async function paced() {
  const foothold = open();
  const slice = PACE / 50;
  for (let n = 0, next = performance.now(); n < calls; next += 20) {
    for (let i = 0; i < slice && n < calls; i++) call(foothold, n++);
    await pause(Math.max(0, next + 20 - performance.now()));
  }
  return end(foothold);
}

function open() {
  return new Foothold({ url, key, deployment: DEPLOYMENT, source: `urn:bench:${how}`, queueEvents: calls + 1_000, queueBytes: 1e9, onWarning: () => undefined });
}

function call(foothold, n) {
  foothold.as(`person-${n % 2_000}`).task({ task: `${how}-${n}`, taskKind: 'triage', durationMs: 60_000 });
}

async function end(foothold) {
  await foothold.shutdown(120_000);
  const { delivered, dropped } = foothold.stats();
  return { delivered, dropped };
}

/** What the floor sends: batches of the SDK's size, as text, made before the clock starts. */
function bodies() {
  const events = [...usage(calls)].map((event) => ({ ...event, source: 'urn:bench:floor' }));
  return Array.from({ length: Math.ceil(calls / 500) }, (_, i) => JSON.stringify(events.slice(i * 500, (i + 1) * 500)));
}

/** The least a host could do: fetch, one batch after the other. */
async function floor() {
  let delivered = 0;
  for (const body of prepared) {
    const response = await fetch(`${url}/v1/events`, { method: 'POST', body, headers: { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents-batch+json' } });
    if (response.status !== 202) throw new Error(`the floor got ${response.status}: ${await response.text()}`);
    delivered += (await response.json()).accepted;
  }
  return { delivered, dropped: {} };
}
