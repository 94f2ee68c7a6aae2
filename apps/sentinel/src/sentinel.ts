/**
 * The clock: what must happen because time has passed, and not because an event came.
 *
 * What arrives: the time, and what the read tables say. What leaves: facts in the log, by the jobs of this process, each
 * of which runs as often as it says. Next is whoever reads those facts: the metrics, first of all.
 *
 * Any number of sentinels may run. They take turns: a job does its work in steps, and a step holds a lock that ends
 * with its transaction, so that nobody who was killed or stalled can keep it. It spares work done twice and nothing more:
 * a step must be safe to repeat, and to be done by two at once.
 */
import { type Query } from '@foothold/adoption';
import { type Database, errorText, isTransient, type Fatal, type Logger } from '@foothold/platform';
import { setTimeout as pause } from 'node:timers/promises';

/** How long the database may be away, or silent. */
export const PATIENCE_MS = 5 * 60_000;
/** How often it is looked whether a job is due. */
const TICK_MS = 1_000;
const FIRST_RETRY_MS = 1_000;
/** The turn, as Postgres names it. */
const TURN = 7_066_082;

/** What a job works with. */
export interface Turn {
  /** Does a step while no other sentinel does one, in a transaction of its own; 'elsewhere' where another does one now, or this process is to stop. */
  step<T>(work: (query: Query) => Promise<T>): Promise<T | 'elsewhere'>;
  /** For work that several sentinels may do at once, in transactions of its own: to be called while it gets on, */
  beat(): void;
  /** and aborted when this process is to stop. */
  signal: AbortSignal;
}

export interface Job {
  name: string;
  /** From the beginning of a run to that of the next. */
  everyMs: number;
  run(turn: Turn): Promise<void>;
}

interface Due {
  job: Job;
  at: number;
  /** Since when it has failed, and how often. */
  troubledSince: number;
  failures: number;
}

export class Sentinel {
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly jobs: readonly Job[],
    private readonly logger: Logger,
    private readonly fatal: Fatal,
    /** Called with each step, and each run that came to its end. */
    private readonly beat: () => void = () => undefined,
    /** Milliseconds, by a clock that nobody sets. */
    private readonly now: () => number = () => performance.now(),
    private readonly tickMs = TICK_MS,
  ) {}

  start(): void {
    this.running = this.rounds();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async rounds(): Promise<void> {
    const { signal } = this.stopping;
    const all = this.jobs.map((job): Due => ({ job, at: this.now(), troubledSince: 0, failures: 0 }));
    while (!signal.aborted) {
      for (const due of all) if (!signal.aborted && due.at <= this.now() && !(await this.run(due))) return;
      await pause(this.tickMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** @returns whether this process can go on */
  private async run(due: Due): Promise<boolean> {
    const began = this.now();
    try {
      await due.job.run({ step: (work) => this.step(work), beat: this.beat, signal: this.stopping.signal });
      this.beat();
      Object.assign(due, { at: began + due.job.everyMs, troubledSince: 0, failures: 0 });
      return true;
    } catch (error) {
      due.troubledSince ||= began;
      if (!isTransient(error) || began - due.troubledSince > PATIENCE_MS) {
        this.fatal(error);
        return false;
      }
      due.at = this.now() + Math.min(due.job.everyMs, FIRST_RETRY_MS * 2 ** due.failures++);
      this.logger.warn({ job: due.job.name }, 'could not be done, trying again: %s', errorText(error));
      return true;
    }
  }

  private async step<T>(work: (query: Query) => Promise<T>): Promise<T | 'elsewhere'> {
    if (this.stopping.signal.aborted) return 'elsewhere';
    return this.database.transaction(async (client) => {
      const { rows } = await client.query<{ ours: boolean }>('select pg_try_advisory_xact_lock($1) as ours', [TURN]);
      if (!rows[0]!.ours) return 'elsewhere';
      const result = await work(async <Row>(sql: string, values: unknown[]) => (await client.query(sql, values)).rows as Row[]);
      this.beat();
      return result;
    });
  }
}
