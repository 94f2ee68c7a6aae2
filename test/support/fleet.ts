/**
 * The processes that write, each behind a proxy of its own, so that one can be killed or stopped at an exact point of
 * its talk with Postgres. What has ended is started again at once, as a supervisor would.
 */
import { startPostgresProxy, type Decision, type PostgresProxy, type ProxyEvent } from './postgres-proxy.js';
import { startFoothold, STANDALONE, type Ended, type Running } from './foothold.js';

export type Role = 'collector' | 'recorder' | 'projector' | 'sentinel';

/** Offsets that one append takes from a Kafka partition. */
export interface Stretch {
  origin: number;
  from: number;
  next: number;
}

/**
 * What a process is about to tell Postgres.
 * begin: that a transaction begins. commit: COMMIT, after it has copied rows. another-stretch: that it takes the next stretch of the batch it is at, which
 * proves that it has heard of the COMMIT of `stretch`, the one before, and has not told Kafka of it.
 */
export interface Moment {
  kind: 'begin' | 'commit' | 'another-stretch';
  worker: Worker;
  /** Of a recorder. */
  stretch?: Stretch;
}

/** Records appended in one transaction: a batch is cut into stretches of this, and Kafka hears of it at its end. */
export const STRETCH = 5_000;

/** The settings of a process; asked anew for each start where they are a function. */
export type Environment = Record<string, string> | (() => Record<string, string>);

/** One process and its successors. */
export class Worker {
  /** What those said that have ended, the last one last. */
  readonly said: string[] = [];
  private program: Running | undefined;
  private killed = false;
  private ended = false;
  private leaving = false;
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

  get pid(): number {
    return this.program!.process.pid!;
  }

  /** What the present process has said so far. */
  get says(): string {
    return this.program?.said.stderr ?? '';
  }

  /** Where the present process listens, once it does. */
  get url(): string | undefined {
    return this.lives ? /"url":"([^"]+)"/.exec(this.says)?.[1] : undefined;
  }

  async start(databaseUrl: string, environment: Environment): Promise<void> {
    this.proxy = await startPostgresProxy(databaseUrl, { decide: (event) => this.decide(event) });
    this.over = this.live(environment).catch((error: unknown) => this.fleet.fail(error as Error));
  }

  private async live(environment: Environment): Promise<void> {
    while (!this.isOver) {
      const settings = typeof environment === 'function' ? environment() : environment;
      this.program = startFoothold(['--roles', this.role], { ...settings, DATABASE_URL: this.proxy!.url }, STANDALONE);
      this.killed = this.ended = false;
      this.transactions.clear();
      this.committed = undefined;
      const ended = await this.program.ended;
      this.ended = true;
      this.said.push(ended.stderr);
      const asked = this.killed ? ended.code === null : this.isOver && ended.code === 0;
      if (asked) continue;
      if (!this.fleet.excuses(this, ended)) throw new Error(`${this.name} ended by itself with ${ended.code ?? 'a signal'}:\n${ended.stderr.slice(-8_000)}`);
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS)); // or it would be started a hundred times while what it needs is away
    }
  }

  private get isOver(): boolean {
    return this.leaving || this.fleet.stopping;
  }

  /** Like the end of a machine's power: nothing in the process runs any more when this returns. */
  kill(): void {
    if (!this.lives) throw new Error(`${this.name} does not run`);
    this.killed = true;
    this.program!.process.kill('SIGKILL');
  }

  /** SIGSTOP, SIGCONT and whatever else it outlives. */
  signal(signal: NodeJS.Signals): void {
    if (!this.lives) throw new Error(`${this.name} does not run`);
    this.program!.process.kill(signal);
  }

  /** Asks it to end, for good. */
  async stop(): Promise<void> {
    this.leaving = true;
    if (this.lives) this.program!.process.kill();
    await this.over;
    await this.proxy?.close();
  }

  private decide(event: ProxyEvent): Decision {
    if (this.killed) return 'forward'; // what it had said on other connections
    if (event.kind === 'query' && event.text === 'START TRANSACTION') {
      this.transactions.set(event.connection, { copied: false });
      return this.fleet.trap({ kind: 'begin', worker: this });
    }
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

/** Before a process is started again that has ended by itself. */
const AGAIN_MS = 300;

export class Fleet {
  readonly workers: Worker[];
  /** Whether a process may have ended by itself. */
  excuses: (worker: Worker, ended: Ended) => boolean = () => false;
  /** Asked at each moment of every process; it may kill. */
  trap: (moment: Moment) => Decision = () => 'forward';
  /** Rejects when a process ends that nobody killed. */
  readonly failed: Promise<never>;
  fail!: (error: Error) => void;
  stopping = false;

  constructor(roles: Role[]) {
    this.failed = new Promise<never>((_, reject) => (this.fail = reject));
    this.failed.catch(() => undefined); // whoever waits for something races against it
    this.workers = [];
    for (const role of roles) this.add(role);
    process.once('exit', this.killAll);
  }

  /** Whoever started them ends before it could stop them. */
  private readonly killAll = (): void => {
    for (const worker of this.workers) if (worker.lives) worker.kill();
  };

  /** One more, to be started. */
  add(role: Role): Worker {
    const worker = new Worker(role, 1 + this.workers.filter((other) => other.role === role).length, this);
    this.workers.push(worker);
    return worker;
  }

  async start(databaseUrl: string, environment: Environment): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.start(databaseUrl, environment)));
  }

  /** Stops every process cleanly. @throws Error where one does not end with code 0, or has ended by itself before */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.workers.map((worker) => worker.stop()));
    process.off('exit', this.killAll);
    await Promise.race([this.failed, Promise.resolve()]);
  }
}
