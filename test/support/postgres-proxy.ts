/**
 * A proxy in front of Postgres that can cut a connection at an exact point of the protocol.
 * Arrives: what a client sends. Leaves: the same, unless `decide` says otherwise. It exists to prove
 * what holds when a process or its connection dies before, or just after, its COMMIT took effect.
 */
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

/** What a client is about to tell the server. `text` is the SQL of a query or a parse, the statement's name of a bind. */
export interface ProxyEvent {
  /** Counts the connections from 1 in the order of their arrival. */
  connection: number;
  kind: 'query' | 'parse' | 'bind' | 'copyDone' | 'copyData';
  text?: string;
  /** Of a bind, the parameters as text. */
  values?: (string | null)[];
}

/**
 * forward: as if there were no proxy. cut: the server never sees this message, and both sides lose the connection.
 * forward-then-cut: the server carries it out to its end, and the client loses the connection without having heard of it.
 * hang: the server never sees it, and nobody tells the client.
 */
export type Decision = 'forward' | 'cut' | 'forward-then-cut' | 'hang';

export interface PostgresProxy {
  /** The target's URL by way of the proxy. */
  url: string;
  /** Cuts all connections. */
  close(): Promise<void>;
}

const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
const KINDS: Record<string, ProxyEvent['kind'] | undefined> = { Q: 'query', P: 'parse', B: 'bind', c: 'copyDone', d: 'copyData' };
/** Messages that the server answers with a ReadyForQuery: Query, Sync, FunctionCall. */
const AWAITS_READY = new Set(['Q', 'S', 'F']);

/** Listens on a free port of 127.0.0.1 and asks `decide`, in order, for each message of every client. TLS is declined. */
export async function startPostgresProxy(targetUrl: string, hooks: { decide(event: ProxyEvent): Decision }): Promise<PostgresProxy> {
  const target = new URL(targetUrl);
  const open = new Set<Socket>();
  let connections = 0;
  const server = createServer((client) => {
    const backend = connect(Number(target.port || 5432), target.hostname);
    for (const socket of [client, backend]) {
      socket.setNoDelay(); // message by message, Nagle's algorithm would wait for an acknowledgement each time
      open.add(socket.once('close', () => open.delete(socket)));
    }
    const number = ++connections;
    relay(client, backend, (kind, message) => hooks.decide({ connection: number, kind, ...contentOf(kind, message) }));
  });
  await new Promise<void>((done, fail) => server.once('error', fail).listen(0, '127.0.0.1', done));

  const url = new URL(targetUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const socket of open) socket.destroy();
      }),
  };
}

function relay(client: Socket, backend: Socket, decide: (kind: ProxyEvent['kind'], message: Buffer) => Decision): void {
  let phase: 'startup' | 'running' | 'draining' | 'cut' = 'startup';
  let awaited = 0; // answers up to ReadyForQuery that the server still owes
  const cut = (): void => {
    phase = 'cut';
    client.destroy();
    backend.destroy();
  };

  const startup = (message: Buffer): void => {
    const code = message.readInt32BE(4);
    if (code === SSL_REQUEST || code === GSS_REQUEST) {
      client.write('N');
      return;
    }
    if (code !== CANCEL_REQUEST) awaited = 1;
    phase = 'running';
    backend.write(message);
  };

  const typed = (type: string, message: Buffer): void => {
    const kind = KINDS[type];
    const decision = kind === undefined || phase === 'draining' ? 'forward' : decide(kind, message);
    if (decision === 'hang') return;
    if (decision === 'cut') return cut();
    if (decision === 'forward-then-cut') phase = 'draining';
    if (AWAITS_READY.has(type)) awaited++;
    backend.write(message);
  };

  const fromClient = splitter((message) => {
    if (phase !== 'cut') typed(String.fromCharCode(message[0]!), message);
  });
  const startupFromClient = startupSplitter(startup, () => phase === 'startup', fromClient);
  const fromBackend = splitter((message) => {
    if (message[0] === 0x5a) awaited--; // 'Z', ReadyForQuery
    if (phase === 'running') client.write(message);
    // A COPY has come to its end as far as it can, 'G': the server waits for rows, and the client has not heard that it may send them.
    if (phase === 'draining' && (message[0] === 0x47 || (awaited === 0 && message[0] === 0x5a))) cut();
  });

  pump(client, backend, startupFromClient);
  pump(backend, client, fromBackend);
}

/** Reads one side message by message, no faster than the other side takes them; what ends one side ends the other. */
function pump(from: Socket, to: Socket, take: (chunk: Buffer) => void): void {
  from.on('data', (chunk: Buffer) => {
    take(chunk);
    if (to.writableNeedDrain) {
      from.pause();
      to.once('drain', () => from.resume());
    }
  });
  from.on('error', () => to.destroy());
  from.on('end', () => to.end());
  from.on('close', () => to.end());
}

/** Cuts a stream into its messages: a type byte, then a length that counts itself. */
function splitter(take: (message: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length - at >= 5) {
      const end = at + 1 + rest.readInt32BE(at + 1);
      if (end > rest.length) break;
      take(rest.subarray(at, end));
      at = end;
    }
    rest = rest.subarray(at);
  };
}

/** A connection begins with messages that have no type byte; once they are over, everything goes to `next`. */
function startupSplitter(take: (message: Buffer) => void, going: () => boolean, next: (chunk: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    if (!going()) return next(chunk);
    rest = Buffer.concat([rest, chunk]);
    while (going() && rest.length >= 8 && rest.length >= rest.readInt32BE(0)) {
      const end = rest.readInt32BE(0);
      const message = rest.subarray(0, end);
      rest = rest.subarray(end);
      take(message);
    }
    if (!going() && rest.length > 0) next(rest);
  };
}

function contentOf(kind: ProxyEvent['kind'], message: Buffer): Pick<ProxyEvent, 'text' | 'values'> {
  const body = message.subarray(5);
  if (kind === 'query') return { text: body.toString('utf8', 0, body.length - 1) };
  if (kind !== 'parse' && kind !== 'bind') return {};
  // A parse begins with the statement's name, a bind with the portal's: what matters comes after.
  const from = body.indexOf(0) + 1;
  const to = body.indexOf(0, from);
  const text = body.toString('utf8', from, to);
  return kind === 'parse' ? { text } : { text, values: parameters(body.subarray(to + 1)) };
}

/** The parameters of a bind, after a list of their formats: each with its length, -1 for null. */
function parameters(rest: Buffer): (string | null)[] {
  let at = 2 + 2 * rest.readInt16BE(0);
  const count = rest.readInt16BE(at);
  at += 2;
  return Array.from({ length: count }, () => {
    const length = rest.readInt32BE(at);
    const value = length < 0 ? null : rest.toString('utf8', at + 4, at + 4 + length);
    at += 4 + Math.max(0, length);
    return value;
  });
}
