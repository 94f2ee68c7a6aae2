/**
 * The wire between two processes, with what may happen to wires.
 * Arrives: connections. Leaves: the same bytes to the target, late, in part, or not at all. What a fault did to
 * connections is counted: one that met none has not taken place.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * open: as if it were not there. frozen: half-open, nothing passes and nobody is told. deaf: what the server answers is
 * lost, what it is asked arrives. shut: connections are refused.
 */
export type LinkState = 'open' | 'frozen' | 'deaf' | 'shut';

interface Pair {
  client: Socket;
  server: Socket;
}

export class Link {
  /** Where connections go; it may change, the port that others know does not. */
  target = 0;
  /** Milliseconds that every piece takes, each way. */
  latencyMs = 0;
  /** Answers that went nowhere. */
  lost = 0;
  private state: LinkState = 'open';
  /** Settles when the state is another one. */
  private changed = new Signal();
  private readonly pairs = new Set<Pair>();
  private readonly server: Server;

  private constructor() {
    this.server = createServer((client) => this.join(client));
  }

  static async listen(target = 0): Promise<Link> {
    const link = new Link();
    link.target = target;
    await new Promise<void>((done, fail) => link.server.once('error', fail).listen(0, '127.0.0.1', done));
    return link;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.pairs.size;
  }

  /** @returns how many connections it met */
  set(state: LinkState): number {
    const met = this.pairs.size;
    this.state = state;
    this.changed.give();
    this.changed = new Signal();
    if (state === 'shut') this.reset();
    return met;
  }

  /** Ends every connection as a machine does that knows nothing of it: both sides are told by a RST. @returns how many */
  reset(): number {
    const met = this.pairs.size;
    for (const { client, server } of this.pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    return met;
  }

  /** As it was in the beginning. Connections that were frozen or lost bytes are reset: they are good for nothing. */
  heal(): void {
    if (this.state === 'frozen' || this.state === 'deaf') this.reset();
    this.set('open');
    this.latencyMs = 0;
  }

  async close(): Promise<void> {
    const closed = new Promise((done) => this.server.close(done));
    this.reset();
    await closed;
  }

  private join(client: Socket): void {
    if (this.state === 'shut' || this.target === 0) return void client.resetAndDestroy();
    const server = connect(this.target, '127.0.0.1');
    const pair = { client, server };
    this.pairs.add(pair);
    this.carry(pair, client, server);
    this.carry(pair, server, client);
  }

  private carry(pair: Pair, from: Socket, to: Socket): void {
    from.setNoDelay();
    let last: Promise<void> = Promise.resolve(); // pieces never overtake one another
    const pass = (what: () => void) => {
      if (this.state === 'deaf' && from === pair.server) return void this.lost++;
      const due = Date.now() + this.latencyMs;
      last = last.then(async () => {
        if (due > Date.now()) await sleep(due - Date.now());
        while (this.state === 'frozen') await this.changed.given;
        what();
      });
    };
    from.on('data', (chunk: Buffer) => pass(() => void (to.destroyed || to.write(chunk))));
    from.on('end', () => pass(() => void (to.destroyed || to.end())));
    from.on('error', () => undefined);
    from.on('close', (failed) => {
      this.pairs.delete(pair);
      if (failed) to.resetAndDestroy();
      else to.end();
    });
  }
}

class Signal {
  give!: () => void;
  readonly given = new Promise<void>((resolve) => (this.give = resolve));
}
