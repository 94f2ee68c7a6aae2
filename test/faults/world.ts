/**
 * One schedule's processes, topics and database, and the wires between them.
 * Arrives: servers and a plan. Leaves: processes that run, whom `faults` befall. What ends by itself without a reason that
 * a fault gave it is an error of ours.
 */
import { type Admin } from 'kafkajs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Fleet, type Moment, type Role, type Worker } from '../support/fleet.js';
import { type Decision } from '../support/postgres-proxy.js';
import { evictAll } from './evict.js';
import { Link } from './link.js';
import { type Plan } from './schedule.js';
import { ask, SECRET, TENANT, type Servers } from './servers.js';
import { DEPLOYMENTS } from '../support/usage-load.js';

const CLOCK = pathToFileURL(join(import.meta.dirname, 'clock.mjs')).href;
/** A stalled process keeps its leases for so long; the setting of the address, where a shift takes seconds, not minutes. */
const LEASE_MS = 5_000;
/** How long after a fault a process may end of it: clients try again for a while. */
const AFTERMATH_MS = 60_000;
const JUMP_MS = 200_000;
/**
 * What a process says when it ends because somebody it needs is away, or because a topic is another one. kafkajs gives up where
 * no broker names a coordinator, and trips over the metadata it has not got where its first connection is cut.
 */
const AWAY = /cannot be reached|does not answer|KafkaJS|Connection|ECONN|EPIPE|closed|timeout|terminat|shutting down|starting up|not yet accepting|recovery mode|find group coordinator|property 'brokers' of/i;
const ANEW = /the topic was made anew/;
const MADE_ANEW = /update origin set name = name \|\| ' until ' \|\| now\(\), finished = true where name = '[^']+'/;

/** What a process said last, without the stack: names in it would excuse a bug. */
function messageOf(line: string): string {
  try {
    return (JSON.parse(line) as { msg: string }).msg;
  } catch {
    return line;
  }
}

export class World {
  readonly fleet: Fleet;
  readonly prefix: string;
  readonly topics: { usage: string; refusals: string; foreign: string };
  readonly databaseLinks = new Map<Worker, Link>();
  readonly clientLinks = new Map<Worker, Link>();
  readonly clocks = new Map<Worker, number>();
  /** What is registered by now, with its time zone. */
  readonly deployments: Record<string, string> = { ...DEPLOYMENTS };
  /** What ended by itself and was started again. */
  readonly ended: string[] = [];
  /** Faults that are happening, and until when a process may end of one that is over. */
  private happening = 0;
  private excusedUntil = 0;
  private traps: ((moment: Moment) => Decision | undefined)[] = [];

  private constructor(
    readonly servers: Servers,
    readonly plan: Plan,
    readonly name: string,
    readonly url: string,
    readonly admin: Admin,
  ) {
    this.prefix = name.replaceAll('_', '-');
    this.topics = { usage: `${this.prefix}.usage.v1`, refusals: `${this.prefix}.dead-letters.v1`, foreign: `${this.prefix}.usage.${TENANT}.v1` };
    this.fleet = new Fleet(plan.processes);
    this.fleet.excuses = (worker, { code, stderr }) => {
      const why = stderr.split('\n').filter((line) => line.includes('"level":60')).at(-1) ?? stderr.slice(-2_000);
      const expected = AWAY.test(messageOf(why)) || (ANEW.test(why) && plan.faults.some(({ kind }) => kind === 'topic made anew'));
      if (code !== 1 || !expected || (this.happening === 0 && Date.now() > this.excusedUntil)) return false;
      this.ended.push(`${worker.name}: ${why.slice(0, 300)}`);
      return true;
    };
    this.fleet.trap = (moment) => {
      for (const trap of this.traps) {
        const decision = trap(moment);
        if (decision) return decision;
      }
      return 'forward';
    };
  }

  static async open(servers: Servers, plan: Plan, name: string): Promise<World> {
    const admin = servers.client.admin({ retry: { retries: 8, initialRetryTime: 100 } });
    const url = await servers.database(name);
    const world = new World(servers, plan, name, url, admin);
    if (plan.kafka) {
      await admin.connect();
      await world.createTopics(Object.values(world.topics));
    }
    for (const worker of world.fleet.workers) await world.launch(worker);
    const deadline = Date.now() + 75_000;
    while (world.collectors.some(({ url: at }) => at === undefined)) {
      if (Date.now() > deadline) throw new Error('the collectors do not listen');
      await Promise.race([sleep(20), world.fleet.failed]);
    }
    return world;
  }

  get collectors(): Worker[] {
    return this.fleet.workers.filter(({ role }) => role === 'collector');
  }

  /** Where hosts send, by wires that follow a collector from one process to the next. */
  urls(): string[] {
    for (const [worker, link] of this.clientLinks) if (worker.url) link.target = Number(new URL(worker.url).port);
    return [...this.clientLinks.values()].map(({ port }) => `http://127.0.0.1:${port}`);
  }

  worker(role: Role, which: number): Worker {
    const all = this.fleet.workers.filter((worker) => worker.role === role);
    return all[which % all.length]!;
  }

  /** The wire of a collector or recorder to Kafka. */
  kafkaLink(worker: Worker): Link {
    return this.servers.kafkaLinks[worker.role === 'collector' ? 0 : worker.number]!;
  }

  async launch(worker: Worker): Promise<void> {
    const link = await Link.listen(Number(new URL(this.url).port));
    this.databaseLinks.set(worker, link);
    if (worker.role === 'collector') this.clientLinks.set(worker, await Link.listen());
    const url = Object.assign(new URL(this.url), { port: String(link.port) });
    url.searchParams.set('options', `-c idle_in_transaction_session_timeout=${LEASE_MS}`);
    await worker.start(url.href, () => ({
      FOOTHOLD_PSEUDONYM_KEY: SECRET, KAFKA_PREFIX: this.prefix, FOOTHOLD_LOG_LEVEL: 'debug',
      NODE_OPTIONS: `--import=${CLOCK}`, FAULTS_CLOCK_MS: String(this.clocks.get(worker) ?? 0), FAULTS_JUMP_MS: String(JUMP_MS),
      ...(worker.role === 'collector' ? { FOOTHOLD_PORT: '0' } : {}),
      ...(this.plan.kafka && (worker.role === 'collector' || worker.role === 'recorder') ? { KAFKA_BROKERS: `127.0.0.1:${this.kafkaLink(worker).port}` } : {}),
    }));
  }

  /** From now until some time after `work` has ended, processes may end of what it does. */
  async excused<T>(work: () => Promise<T>): Promise<T> {
    this.happening++;
    try {
      return await work();
    } finally {
      this.happening--;
      this.excusedUntil = Date.now() + AFTERMATH_MS;
    }
  }

  /** At the next moment that `wanted` names, does what it says. @returns once that was */
  async trap<T>(take: (moment: Moment, done: (value: T) => void) => Decision | undefined): Promise<T> {
    return new Promise((resolve) => {
      const trap = (moment: Moment) => {
        const decision = take(moment, (value) => {
          this.traps = this.traps.filter((other) => other !== trap);
          resolve(value);
        });
        return decision;
      };
      this.traps.push(trap);
    });
  }

  /** Tells Kafka now of a recorder that is gone, as it would find out after its session; the living join again. While Kafka is away it finds out by itself. */
  async evict(): Promise<void> {
    await evictAll(this.admin, this.servers.kafka.brokers[0]!, `${this.prefix}.recorder`).catch(() => undefined);
  }

  async createTopics(topics: string[]): Promise<void> {
    await this.admin.createTopics({ topics: topics.map((topic) => ({ topic, numPartitions: this.plan.partitions })), waitForLeaders: false });
  }

  /** What an operator does who reads what a recorder says: the statement that it prints. @returns how often one was printed */
  async followAdvice(): Promise<string[]> {
    const found = new Set(this.fleet.workers.flatMap(({ said }) => said.flatMap((text) => MADE_ANEW.exec(text)?.[0] ?? [])));
    for (const statement of found) await ask(this.url, `${statement} and not finished`);
    return [...found];
  }

  /** Nothing is out of order any more but what has to mend itself. */
  heal(): void {
    for (const link of [...this.databaseLinks.values(), ...this.clientLinks.values(), ...this.servers.kafkaLinks]) link.heal();
    for (const worker of this.fleet.workers) if (worker.lives) worker.signal('SIGCONT');
  }

  /** What every process said, for whoever must find out. */
  logs(): Record<string, string> {
    return Object.fromEntries(this.fleet.workers.map((worker) => [worker.name.replace(' ', '-'), [...worker.said, worker.lives ? worker.says : ''].join('\n--- ended ---\n')]));
  }

  async close(): Promise<void> {
    this.heal();
    try {
      await this.fleet.stop();
    } finally {
      for (const link of [...this.databaseLinks.values(), ...this.clientLinks.values()]) await link.close();
      if (this.plan.kafka) {
        await this.admin.deleteTopics({ topics: Object.values(this.topics) }).catch(() => undefined); // the run's Kafka goes anyway
        await this.admin.disconnect();
      }
      await this.servers.drop(this.name);
    }
  }
}
