/**
 * From Kafka to read tables, beside a consumer of the same topic that only parses. The topic is full before either
 * starts; both are timed from the moment they join their group, ours until every event is folded. Ours runs as two
 * processes (recorder, projector) with validation, fsync and default tracing on.
 */
import kafkajs from 'kafkajs';
import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { lag } from '../../dist/libs/event-log/src/index.js';
import { KEY, openBenchDatabase, perSecond, verified } from './servers.mjs';
import { usage } from './workload.mjs';

const PARTITIONS = 4;
const PRODUCE = 5_000;
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

export async function pipeline({ server, broker, events, say }) {
  const { database, url, close } = await openBenchDatabase(server, 'pipeline');
  try {
    const prefix = `bench${process.pid}`;
    const topic = `${prefix}.usage.v1`;
    const expected = await fill(broker, topic, events, say);
    const parseOnly = async () => JSON.parse((await promisify(execFile)(process.execPath, [path('parse-only.mjs'), broker.brokers.join(','), topic, String(events)])).stdout).seconds;
    const before = await parseOnly();
    say(`pipeline: parse-only ${perSecond(events, before)} events/s; now recorder and projector`);
    const ours = await run(database, { url, broker, prefix, events, say });
    await verified(database, events);
    await folded(database, expected);
    const after = await parseOnly();
    say(`pipeline: parse-only again ${perSecond(events, after)} events/s`);
    const limit = (before + after) / 2;
    return [{ name: 'pipeline, of parse-only', ours: perSecond(events, ours), limit: perSecond(events, limit), ratio: limit / ours, unit: 'events/s' }];
  } finally {
    await close();
  }
}

/** Fills the topic; returns what the read tables must come to. */
async function fill(broker, topic, events, say) {
  const kafka = new kafkajs.Kafka({ clientId: 'bench', brokers: broker.brokers, logLevel: kafkajs.logLevel.ERROR });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: PARTITIONS }] });
  await admin.disconnect();
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  const expected = { invocations: new Set(), tasks: new Set(), accepted: 0, overridden: 0 };
  let messages = [];
  let sent = 0;
  const send = async () => {
    await producer.send({ topic, acks: -1, messages });
    sent += messages.length;
    messages = [];
    if (sent % 50_000 === 0) say(`pipeline: ${sent} events in the topic`);
  };
  for (const event of usage(events)) {
    if (event.data.invocation) expected.invocations.add(event.data.invocation);
    if (event.type === 'foothold.task.completed.v1') expected.tasks.add(event.data.task);
    if (event.type === 'foothold.result.accepted.v1') expected.accepted++;
    if (event.type === 'foothold.result.overridden.v1') expected.overridden++;
    messages.push({
      key: `${event.deployment}/${event.subject}`, value: JSON.stringify(event),
      headers: { 'content-type': 'application/cloudevents+json', tenant: 'bench', traceparent: `00-${event.id.replace(/-/g, '')}-00f067aa0ba902b7-00` },
    });
    if (messages.length === PRODUCE) await send();
  }
  if (messages.length > 0) await send();
  await producer.disconnect();
  return { invocations: expected.invocations.size, tasks: expected.tasks.size, accepted: expected.accepted, overridden: expected.overridden };
}

async function run(database, { url, broker, prefix, events, say }) {
  const env = { ...process.env, DATABASE_URL: url, KAFKA_BROKERS: broker.brokers.join(','), KAFKA_PREFIX: prefix, FOOTHOLD_PSEUDONYM_KEY: KEY };
  const start = (role) => spawn(process.execPath, [path('../../apps/cli/bin/foothold.mjs'), 'serve', '--roles', role], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const projector = start('projector');
  const recorder = start('recorder');
  const ended = [projector, recorder].map((child) => new Promise((resolve) => child.once('exit', resolve)));
  try {
    await saying(projector, 'is running');
    const joined = await saying(recorder, 'joined');
    let recorded = 0;
    for (let last = 0; ; ) {
      const { folded: done, behind } = await lag(database, 'usage');
      if (recorded === 0 && done + behind >= events) say(`pipeline: recorded after ${(recorded = (Date.now() - joined) / 1000)} s, ${done} events folded by then`);
      if (done >= events) return (Date.now() - joined) / 1000;
      if (done - last > 50_000) say(`pipeline: ${(last = done)} events folded`);
      if ([projector, recorder].some((child) => child.exitCode !== null)) throw new Error('a process has ended');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    projector.kill();
    recorder.kill();
    await Promise.all(ended);
  }
}

/** The time in the log line that says so, in milliseconds since 1970. */
function saying(child, text) {
  return new Promise((resolve, reject) => {
    const lines = [];
    createInterface({ input: child.stderr }).on('line', (line) => {
      lines.push(line);
      if (line.includes(text)) resolve(Date.parse(JSON.parse(line).time));
    });
    child.once('exit', () => reject(new Error(`ended before it said "${text}":\n${lines.join('\n')}`)));
  });
}

async function folded(database, expected) {
  const [found] = await database.query(
    `select (select count(*)::int from invocation) as invocations, (select count(*)::int from task where completed_at is not null) as tasks,
            (select sum(accepted)::int from person_day) as accepted, (select sum(overridden)::int from person_day) as overridden`,
  );
  for (const [name, count] of Object.entries(expected)) if (found[name] !== count) throw new Error(`${found[name]} ${name} in the read tables, not ${count}`);
}
