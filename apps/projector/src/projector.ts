/**
 * Event log in, read tables out.
 *
 * What arrives: the shards of the log, wherever their checkpoints lag. What leaves: rows of the read tables and moved
 * checkpoints. Next is whoever asks for a metric. Several projectors share the shards: each takes those that no other
 * has leased at the moment.
 *
 *   folding ──the tables are of an older version──▶ rebuilding beside them, while older projectors go on ──▶ folding
 *      └─────── of a newer version ──▶ idle: newer projectors fold
 */
import { WrongInput } from '@foothold/contract';
import { adoptVersion, finishSilent, lag, prepare, project, tallyLetters, USAGE_SHARDS, type LetterCounts, type Log, type Projection } from '@foothold/event-log';
import { askedGauge, askedGauges, isTransient, spanOf, type Fatal, type Logger } from '@foothold/platform';
import { setTimeout as pause } from 'node:timers/promises';

/** Shards folded at the same time: enough to keep folding while Postgres writes. */
const AT_ONCE = 2;
/**
 * A round through all shards begins this long after the one before, give or take a quarter. Pages that have gathered
 * some events cost a fraction of as many small ones, and rows that several of them touch are written once.
 */
const ROUND_MS = 1_000;
/** How often origins are looked for whose processes ended without a word, and after how long a silence they are such. */
const LEFTOVERS_MS = 15_000;
const SILENCE_MS = 60_000;
/** After how long a rebuild that was refused is tried again. */
const REFUSED_MS = 60_000;
/** How long the database may be away, or silent. */
export const PATIENCE_MS = 5 * 60_000;

export class Projector {
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  /** Whether the tables were found to be of another version of the fold, and whether they are a newer one's. */
  private otherVersion = false;
  private idle = false;

  constructor(
    private readonly log: Log,
    private readonly projection: Projection,
    private readonly logger: Logger,
    private readonly fatal: Fatal,
    /** Called with each round that came to its end, and each page on the way. */
    private readonly beat: () => void = () => undefined,
  ) {
    const { database } = log;
    askedGauge('projector.lag', { description: 'events in the log that are not folded yet, by whichever projector', unit: '{event}' }, async () => [{ value: (await lag(database, projection.name)).behind }]);
    const byKind = (counts: LetterCounts) => Object.entries(counts).map(([kind, value]) => ({ value, attributes: { kind } }));
    askedGauges([
      { name: 'dead.letters', options: { description: 'dead letters that lie there, by kind' }, read: ({ lying }) => byKind(lying) },
      { name: 'dead.letters.expired', options: { description: 'dead letters that were kept for their time and deleted, by kind; ever, by whichever process' }, read: ({ expired }) => byKind(expired) },
      { name: 'dead.letters.redriven', options: { description: 'dead letters that went into the log after all, or were found there; ever, by whichever process' }, read: ({ redriven }) => [{ value: redriven }] },
    ], () => tallyLetters(database));
  }

  async start(): Promise<void> {
    await prepare(this.log.database, this.projection);
    this.running = this.rounds();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async rounds(): Promise<void> {
    const { signal } = this.stopping;
    let tidiedAt = -Infinity;
    for (let troubledSince = 0; !signal.aborted; ) {
      const next = performance.now() + ROUND_MS * (0.75 + 0.5 * Math.random());
      try {
        await this.round();
        if (this.otherVersion) await this.settleVersion();
        if (performance.now() - tidiedAt >= LEFTOVERS_MS) {
          await finishSilent(this.log.database, SILENCE_MS);
          tidiedAt = performance.now();
        }
        this.beat();
        troubledSince = 0;
      } catch (error) {
        if (signal.aborted) return;
        troubledSince ||= performance.now();
        if (!isTransient(error) || performance.now() - troubledSince > PATIENCE_MS) return this.fatal(error);
        this.logger.warn('the database does not answer, trying again: %s', (error as Error).message);
      }
      await pause(Math.max(0, next - performance.now()), undefined, { signal }).catch(() => undefined);
    }
  }

  /** Folds every shard that nobody else has leased up to its head. */
  private async round(): Promise<void> {
    const shards = Array.from({ length: USAGE_SHARDS }, (_, shard) => shard);
    const work = async () => {
      for (let shard = shards.shift(); shard !== undefined; shard = shards.shift()) await this.foldAll(shard);
    };
    const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
    const failed = ended.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  private async foldAll(shard: number): Promise<void> {
    for (let behind = true; behind && !this.stopping.signal.aborted; ) {
      const began = Date.now();
      const done = await project(this.log, this.projection, shard);
      if (done === 'other version') this.otherVersion = true;
      if (typeof done === 'string') return;
      behind = done.behind;
      if (done.folded === 0) continue;
      this.beat();
      spanOf('project', { shard, folded: done.folded }, done.traceparents, began);
    }
  }

  /** Has tables of an older version rebuilt; leaves those of a newer one alone. */
  private async settleVersion(): Promise<void> {
    this.otherVersion = false;
    const { log, projection, logger } = this;
    if (!this.idle) logger.info({ projection: projection.name, version: projection.version }, 'the read tables are of another version of the fold: those of an older one are rebuilt, and until they are swapped in figures are as it left them');
    const { signal } = this.stopping;
    const live = await adoptVersion(log, projection, { signal, progress: this.beat }).catch(async (error: unknown) => {
      if (!(error instanceof WrongInput)) throw error;
      // Figures stand still until somebody mends it; what is recorded in this process must not.
      logger.error({ field: error.field, fix: error.fix }, 'the read tables could not be rebuilt: %s', error.reason);
      await pause(REFUSED_MS, undefined, { signal });
      return 0;
    });
    if (live > projection.version && !this.idle) logger.warn({ live, ours: projection.version }, 'a newer Foothold folds the read tables: this projector leaves them to it; upgrade it too');
    this.idle = live > projection.version;
  }
}
