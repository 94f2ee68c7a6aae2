/** What no reader of the topic can beat: kafkajs, the recorder's fetch settings, JSON.parse, nothing else. Prints {"events","seconds"}. */
import kafkajs from 'kafkajs';

const [brokers, topic, events] = process.argv.slice(2);
const consumer = new kafkajs.Kafka({ clientId: 'parse-only', brokers: brokers.split(','), logLevel: kafkajs.logLevel.ERROR }).consumer({
  groupId: `parse-only-${process.pid}`, sessionTimeout: 30_000, maxBytesPerPartition: 4 * 1024 * 1024, maxWaitTimeInMs: 200,
});
let joined;
let parsed = 0;
let types = 0;
consumer.on(consumer.events.GROUP_JOIN, () => (joined = process.hrtime.bigint()));
await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
const done = new Promise((resolve) => {
  void consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
      for (const message of batch.messages) if (JSON.parse(message.value.toString()).type) types++;
      parsed += batch.messages.length;
      resolveOffset(batch.lastOffset());
      await heartbeat();
      if (parsed >= Number(events)) resolve();
    },
  });
});
await done;
const seconds = Number(process.hrtime.bigint() - joined) / 1e9;
if (types !== Number(events)) throw new Error(`${types} events parsed, not ${events}`);
console.log(JSON.stringify({ events: parsed, seconds }));
await consumer.disconnect();
