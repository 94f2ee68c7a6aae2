/**
 * Event log in, read tables out.
 *
 * What arrives: the shards of the log, wherever their checkpoints lag. What leaves: rows of the read tables and moved
 * checkpoints. Next is whoever asks for a metric. Several projectors share the shards: each takes those that no other
 * has leased at the moment.
 */
import { prepare, project, USAGE_SHARDS, type Log, type Projection } from '@foothold/event-log';
import { inSpan, isTransient, type Fatal, type Logger } from '@foothold/platform';

/** Shards folded at the same time: enough to keep folding while Postgres writes. */
const AT_ONCE = 2;
const IDLE_MS = 250;
/** How long the database may be away. */
const PATIENCE_MS = 5 * 60_000;

export class Projector {
  private stopping = false;
  private running: Promise<void>[] = [];
  private queue: number[] = [];

  constructor(
    private readonly log: Log,
    private readonly projection: Projection,
    private readonly logger: Logger,
    private readonly fatal: Fatal,
  ) {}

  async start(): Promise<void> {
    await prepare(this.log.database, this.projection);
    this.running = Array.from({ length: AT_ONCE }, () => this.work());
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.allSettled(this.running);
  }

  /** Takes shard after shard; rests when a whole round folded nothing. */
  private async work(): Promise<void> {
    let troubledSince = 0;
    for (let idle = 0; !this.stopping; ) {
      const shard = this.nextShard();
      try {
        const folded = await this.foldAll(shard);
        troubledSince = 0;
        idle = folded > 0 ? 0 : idle + 1;
      } catch (error) {
        troubledSince ||= Date.now();
        if (!isTransient(error) || Date.now() - troubledSince > PATIENCE_MS) return this.fatal(error);
        this.logger.warn('the database does not answer, trying again: %s', (error as Error).message);
        idle = USAGE_SHARDS;
      }
      if (idle >= USAGE_SHARDS / AT_ONCE) await new Promise<void>((resolve) => setTimeout(resolve, IDLE_MS * (0.5 + Math.random())));
    }
  }

  private async foldAll(shard: number): Promise<number> {
    let folded = 0;
    for (let behind = true; behind && !this.stopping; ) {
      const progress = await inSpan('project', { shard }, [], (span) =>
        project(this.log, this.projection, shard).then((done) => {
          if (done !== 'leased') span.setAttribute('folded', done.folded);
          return done;
        }),
      );
      if (progress === 'leased') break;
      folded += progress.folded;
      behind = progress.behind;
    }
    return folded;
  }

  private nextShard(): number {
    if (this.queue.length === 0) this.queue = Array.from({ length: USAGE_SHARDS }, (_, shard) => shard);
    return this.queue.shift()!;
  }
}
