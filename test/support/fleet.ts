/**
 * Recorders and projectors as processes of their own, each behind a proxy of its own, so that one can be killed at an
 * exact point of its talk with Postgres. What was killed is started again at once, as a supervisor would.
 */
import { startPostgresProxy, type Decision, type PostgresProxy, type ProxyEvent } from './postgres-proxy.js';
import { startFoothold, STANDALONE, type Running } from './foothold.js';

export type Role = 'recorder' | 'projector';

/** Offsets that one append takes from a Kafka partition. */
export interface Stretch {
  origin: number;
  from: number;
  next: number;
}

/**
 * What a process is about to tell Postgres.
 * commit: COMMIT, after it has copied rows. another-stretch: that it takes the next stretch of the batch it is at, which
 * proves that it has heard of the COMMIT of `stretch`, the one before, and has not told Kafka of it.
 */
export interface Moment {
  kind: 'commit' | 'another-stretch';
  worker: Worker;
  /** Of a recorder. */
  stretch?: Stretch;
}

/** Records appended in one transaction: a batch is cut into stretches of this, and Kafka hears of it at its end. */
export const STRETCH = 5_000;

/** One process and its successors. */
export class Worker {
  private program: Running | undefined;
  private killed = false;
  private ended = false;
  private proxy: PostgresProxy | undefined;
  private transactions = new Map<number, { copied: boolean; stretch?: Stretch }>();
  private committed: Stretch | undefined;
  /** Settles when the last process has ended for good. */
  private over: Promise<void> = Promise.resolve();

  constructor(
    readonly role: Role,
    readonly number: number,
    private readonly fleet: Fleet,
  ) {}

  get name(): string {
    return `${this.role} ${this.number}`;
  }

  get lives(): boolean {
    return this.program !== undefined && !this.killed && !this.ended;
  }

  async start(databaseUrl: string, environment: Record<string, string>): Promise<void> {
    this.proxy = await startPostgresProxy(databaseUrl, { decide: (event) => this.decide(event) });
    this.over = this.live({ ...environment, DATABASE_URL: this.proxy.url }).catch((error: unknown) => this.fleet.fail(error as Error));
  }

  private async live(environment: Record<string, string>): Promise<void> {
    while (!this.fleet.stopping) {
      this.program = startFoothold(['--roles', this.role], environment, STANDALONE);
      this.killed = this.ended = false;
      this.transactions.clear();
      this.committed = undefined;
      const { code, stderr } = await this.program.ended;
      this.ended = true;
      const asked = this.killed ? code === null : this.fleet.stopping && code === 0;
      if (!asked) throw new Error(`${this.name} ended by itself with ${code ?? 'a signal'}:\n${stderr.slice(-8_000)}`);
    }
  }

  /** Like the end of a machine's power: nothing in the process runs any more when this returns. */
  kill(): void {
    if (!this.lives) throw new Error(`${this.name} does not run`);
    this.killed = true;
    this.program!.process.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    if (this.lives) this.program!.process.kill();
    await this.over;
    await this.proxy?.close();
  }

  private decide(event: ProxyEvent): Decision {
    if (this.killed) return 'forward'; // what it had said on other connections
    if (event.kind === 'query' && event.text === 'START TRANSACTION') this.transactions.set(event.connection, { copied: false });
    const transaction = this.transactions.get(event.connection);
    if (!transaction) return 'forward';
    if (event.kind === 'copyDone') transaction.copied = true;
    if (event.kind === 'bind' && event.text === 'append-fence') {
      const [origin, from, next] = event.values!.map(Number);
      transaction.stretch = { origin: origin!, from: from!, next: next! };
      const before = this.committed;
      this.committed = undefined;
      if (before && before.next - before.from === STRETCH && before.origin === origin && before.next === from) return this.fleet.trap({ kind: 'another-stretch', worker: this, stretch: before });
    }
    if (event.kind === 'query' && event.text === 'COMMIT') {
      this.transactions.delete(event.connection);
      this.committed = transaction.stretch;
      if (transaction.copied) return this.fleet.trap({ kind: 'commit', worker: this, stretch: transaction.stretch });
    }
    return 'forward';
  }
}

export class Fleet {
  readonly workers: Worker[];
  /** Asked at each moment of every process; it may kill. */
  trap: (moment: Moment) => Decision = () => 'forward';
  /** Rejects when a process ends that nobody killed. */
  readonly failed: Promise<never>;
  fail!: (error: Error) => void;
  stopping = false;

  constructor(roles: Role[]) {
    this.failed = new Promise<never>((_, reject) => (this.fail = reject));
    this.failed.catch(() => undefined); // whoever waits for something races against it
    this.workers = roles.map((role, i) => new Worker(role, roles.slice(0, i + 1).filter((other) => other === role).length, this));
  }

  async start(databaseUrl: string, environment: Record<string, string>): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.start(databaseUrl, environment)));
  }

  /** Stops every process cleanly. @throws Error where one does not end with code 0, or has ended by itself before */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.workers.map((worker) => worker.stop()));
    await Promise.race([this.failed, Promise.resolve()]);
  }
}
