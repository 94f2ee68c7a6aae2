/**
 * Takes every member out of a consumer group, as the broker does with one that was silent for a session: whoever is alive
 * joins again at its next heartbeat, whoever is not holds its partitions no longer. kafkajs cannot speak for others, so
 * this says LeaveGroup (version 0) for each.
 */
import { type Admin } from 'kafkajs';
import { connect } from 'node:net';

const LEAVE_GROUP = 13;

export async function evictAll(admin: Admin, broker: string, group: string): Promise<void> {
  const { groups } = await admin.describeGroups([group]);
  const members = groups[0]?.members.map(({ memberId }) => memberId) ?? [];
  await Promise.all(members.map((member) => leave(broker, group, member)));
}

function leave(broker: string, group: string, member: string): Promise<void> {
  const [host, port] = broker.split(':');
  const body = Buffer.concat([Buffer.from([0, LEAVE_GROUP, 0, 0, 0, 0, 0, 1]), text('faults'), text(group), text(member)]);
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.length);
  return new Promise((done, fail) => {
    const socket = connect(Number(port), host);
    socket.setTimeout(5_000, () => socket.destroy(new Error('the broker did not answer LeaveGroup')));
    socket.once('error', fail);
    socket.once('data', () => {
      socket.destroy();
      done();
    });
    socket.write(Buffer.concat([size, body]));
  });
}

function text(value: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeInt16BE(value.length);
  return Buffer.concat([length, Buffer.from(value, 'utf8')]);
}
