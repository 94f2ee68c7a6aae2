/** What the SDK stands on, in Node and in browsers: clocks, chance, timers, the network. Specs put their own in its place. */

/** As much of a fetch response as is read. */
export interface Answer {
  status: number;
  headers: { get(name: string): string | null };
  text(): Promise<string>;
}

export interface Request {
  method: 'POST';
  headers: Record<string, string>;
  body: string | Uint8Array;
  signal?: AbortSignal;
  /** The request may outlive the page. */
  keepalive?: boolean;
}

export interface Machine {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds that never go back. */
  monotonic(): number;
  /** Fills an array with random bytes that nobody can foretell. */
  randomBytes(bytes: Uint8Array): void;
  /** From 0 up to, not including, 1. */
  random(): number;
  /**
   * Runs something later; what it returns stops that.
   * @param holds whether the process must not end before; otherwise waiting keeps nobody alive
   */
  after(milliseconds: number, run: () => void, holds?: boolean): () => void;
  /** Runs something whenever the process is about to end by itself; what it returns stops that. Left out where nobody tells of it. */
  beforeEnd?(run: () => void): () => void;
  fetch(url: string, request: Request): Promise<Answer>;
  /** Left out where there is nothing to compress with. */
  gzip?(text: string): Promise<Uint8Array>;
  /** What events say they come from where the host does not say it. */
  source(deployment: string): string;
  /** Whether anybody can read the source and the key here. */
  inBrowser: boolean;
  defaults: { queueEvents: number; queueBytes: number };
}
