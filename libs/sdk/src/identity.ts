/** Names made up here: ids of events and invocations, traces, and the session's first number. */

/** Fills an array with random bytes: `crypto.getRandomValues`. */
export type Randomness = (bytes: Uint8Array) => void;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Gives random bytes from a pool: asking the system for a few at a time costs more than the whole call. */
class Pool {
  private readonly bytes = new Uint8Array(4_096);
  private at = this.bytes.length;

  constructor(private readonly fill: Randomness) {}

  next(): number {
    if (this.at === this.bytes.length) {
      this.fill(this.bytes);
      this.at = 0;
    }
    return this.bytes[this.at++]!;
  }

  hex(bytes: number): string {
    let text = '';
    for (let i = 0; i < bytes; i++) text += HEX[this.next()];
    return text;
  }
}

export class Names {
  private readonly pool: Pool;
  private millisecond = 0;
  private counter = 0;

  constructor(fill: Randomness) {
    this.pool = new Pool(fill);
  }

  /**
   * A UUIDv7. One that is made later is greater, also within a millisecond and where the clock goes back: events of the
   * same time keep the order of their calls.
   * @param now milliseconds since 1970
   */
  uuid(now: number): string {
    if (now > this.millisecond) {
      this.millisecond = now;
      this.counter = this.pool.next() << 2;
    } else if (++this.counter > 0xfff) {
      this.millisecond++;
      this.counter = 0;
    }
    const time = this.millisecond.toString(16).padStart(12, '0');
    const variant = HEX[(this.pool.next() & 0x3f) | 0x80]!;
    return `${time.slice(0, 8)}-${time.slice(8)}-7${this.counter.toString(16).padStart(3, '0')}-${variant}${this.pool.hex(1)}-${this.pool.hex(6)}`;
  }

  /**
   * A W3C traceparent of a new trace. Its id decides whether it is sampled, as OpenTelemetry's consistent sampling does.
   * @param share of traces to sample, 0 to 1
   */
  traceparent(share: number): string {
    const trace = `${this.pool.hex(15)}01`;
    const chance = parseInt(trace.slice(18, 31), 16) / 16 ** 13;
    return `00-${trace}-${this.pool.hex(7)}01-${chance >= 1 - share ? '01' : '00'}`;
  }

  /** Eight digits that tell this session from others. */
  session(): string {
    return String(parseInt(this.pool.hex(6), 16) % 1e8).padStart(8, '0');
  }
}
