/**
 * Whether this process makes progress and can do its work: what /health/live and /health/ready answer.
 * Liveness means progress: a part that goes round (a poll, a fold, a mark) beats each time it comes round, and one that
 * has been silent for too long makes the process worth restarting, though it still answers HTTP.
 */
import { errorText } from './errors.js';

export interface Report {
  ok: boolean;
  checks: { name: string; ok: boolean; detail: string }[];
}

interface Part {
  name: string;
  silenceMs: number;
  beatAt: number;
}

/** How long a readiness check may take. */
const READY_MS = 3_000;

export class Health {
  private readonly parts: Part[] = [];
  private readonly needs: { name: string; check: () => Promise<unknown> }[] = [];
  private readonly failing = new Set<string>();

  /** @param warn told why a need does not answer, and that it does again; once each time that changes */
  constructor(
    private readonly warn: (text: string) => void = () => undefined,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Adds a part that must beat at least every `silenceMs`; the result is its beat. */
  part(name: string, silenceMs: number): () => void {
    const part = { name, silenceMs, beatAt: this.now() };
    this.parts.push(part);
    return () => void (part.beatAt = this.now());
  }

  /** Adds what must answer before this process can do its work; `check` rejects while it does not. */
  need(name: string, check: () => Promise<unknown>): void {
    this.needs.push({ name, check });
  }

  live(): Report {
    return reportOf(
      this.parts.map(({ name, silenceMs, beatAt }) => {
        const silent = this.now() - beatAt;
        return { name, ok: silent <= silenceMs, detail: `last progress ${(silent / 1000).toFixed(1)} s ago, ${silenceMs / 1000} s allowed` };
      }),
    );
  }

  async ready(): Promise<Report> {
    return reportOf(
      await Promise.all(
        this.needs.map(async ({ name, check }) => {
          let timer: NodeJS.Timeout | undefined;
          try {
            await Promise.race([check(), new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`no answer within ${READY_MS / 1000} s`)), READY_MS)))]);
            if (this.failing.delete(name)) this.warn(`${name} answers again`);
            return { name, ok: true, detail: 'answers' };
          } catch (error) {
            if (!this.failing.has(name)) this.warn(`not ready: ${name} does not answer: ${errorText(error)}`);
            this.failing.add(name);
            return { name, ok: false, detail: 'does not answer; the log says why' }; // an error's text may hold addresses
          } finally {
            clearTimeout(timer);
          }
        }),
      ),
    );
  }
}

const reportOf = (checks: Report['checks']): Report => ({ ok: checks.every(({ ok }) => ok), checks });
