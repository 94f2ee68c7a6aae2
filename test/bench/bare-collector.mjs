/** The least a collector could be: parses a batch and waits for Kafka's acknowledgement. Arguments: brokers, topic. Says its port. */
import kafkajs from 'kafkajs';
import { createServer } from 'node:http';

const [brokers, topic] = process.argv.slice(2);
const kafka = new kafkajs.Kafka({ clientId: 'bare', brokers: brokers.split(','), logLevel: kafkajs.logLevel.ERROR });
const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
await producer.connect();

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    const events = JSON.parse(Buffer.concat(chunks).toString());
    const messages = events.map((event) => ({ key: `${event.deployment}/${event.subject}`, value: JSON.stringify(event), headers: { 'content-type': 'application/cloudevents+json', tenant: 'bench' } }));
    await producer.send({ topic, acks: -1, messages });
    response.writeHead(202, { 'content-type': 'application/json' }).end(JSON.stringify({ accepted: events.length, refused: [] }));
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
