/**
 * The collector beside a bare server of node:http that parses the same JSON and waits for the same acknowledgement of Kafka,
 * without checks, keys, pseudonyms, limits or spans. Both are processes of their own; the same client sends both the same
 * batches of 100 over as many connections, in turn; what is in the topic is counted afterwards.
 */
import kafkajs from 'kafkajs';
import { spawn } from 'node:child_process';
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Keys } from '../../dist/libs/platform/src/index.js';
import { KEY, openBenchDatabase, perSecond, startCollector } from './servers.mjs';
import { usage } from './workload.mjs';

const BATCH = 100;
const CONNECTIONS = 16;
const ROUNDS = 3;
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

export async function collector({ server, broker, events, say }) {
  const { database, url, close } = await openBenchDatabase(server, 'collector');
  const prefix = `benchc${process.pid}`;
  const topics = { ours: `${prefix}.usage.v1`, refused: `${prefix}.dead-letters.v1`, bare: `${prefix}.bare` };
  const kafka = new kafkajs.Kafka({ clientId: 'bench', brokers: broker.brokers, logLevel: kafkajs.logLevel.ERROR });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: Object.values(topics).map((topic) => ({ topic, numPartitions: 4 })) });
  const bare = spawn(process.execPath, [path('bare-collector.mjs'), broker.brokers.join(','), topics.bare], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ours = await startCollector({ DATABASE_URL: url, KAFKA_BROKERS: broker.brokers.join(','), KAFKA_PREFIX: prefix, FOOTHOLD_PSEUDONYM_KEY: KEY });
  try {
    const { key } = await new Keys(database).create({ tenant: 'bench', kind: 'write', deployments: null, origins: null, note: null, expiresAt: null });
    const [port] = await new Promise((found) => createInterface(bare.stdout).once('line', (line) => found([line])));
    const all = [...usage(events)];
    const bodies = Array.from({ length: Math.ceil(events / BATCH) }, (_, i) => JSON.stringify(all.slice(i * BATCH, (i + 1) * BATCH)));
    const targets = { bare: `http://127.0.0.1:${port}/v1/events`, ours: `${ours.at}/v1/events` };
    const part = Math.ceil(bodies.length / (ROUNDS + 1));
    const seconds = { bare: 0, ours: 0 };
    for (let round = 0; round <= ROUNDS; round++) {
      const some = bodies.slice(round * part, (round + 1) * part);
      for (const name of round % 2 === 0 ? ['bare', 'ours'] : ['ours', 'bare']) {
        const took = await sendAll(targets[name], key, some);
        if (round > 0) seconds[name] += took; // the first round warms both
        say(`collector: round ${round}${round === 0 ? ' (not counted)' : ''}, ${name}: ${perSecond(some.length * BATCH, took)} events/s`);
      }
    }
    const count = async (topic) => (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0);
    const kept = { ours: await count(topics.ours), refused: await count(topics.refused), bare: await count(topics.bare) };
    if (kept.ours !== events || kept.bare !== events || kept.refused !== 0) throw new Error(`not every event is in its topic: ${JSON.stringify(kept)}`);
    const counted = (bodies.length - part) * BATCH;
    const [one, other] = [perSecond(counted, seconds.ours), perSecond(counted, seconds.bare)];
    return [{ name: 'collector, of a bare server', ours: one, limit: other, ratio: seconds.bare / seconds.ours, unit: 'events/s' }];
  } finally {
    bare.kill();
    await ours.stop();
    await admin.disconnect();
    await close();
  }
}

/** Sends every body once over keep-alive connections; seconds from the first to the last answer. */
async function sendAll(target, key, bodies) {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents-batch+json' };
  const post = (body) =>
    new Promise((done, failed) => {
      const sent = request(target, { method: 'POST', agent, headers: { ...headers, 'content-length': Buffer.byteLength(body) } }, (response) => {
        response.resume();
        response.once('end', () => (response.statusCode === 202 ? done() : failed(new Error(`answered ${response.statusCode}`))));
      });
      sent.once('error', failed);
      sent.end(body);
    });
  const began = performance.now();
  let next = 0;
  const work = async () => {
    while (next < bodies.length) await post(bodies[next++]);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
  agent.destroy();
  return (performance.now() - began) / 1000;
}
