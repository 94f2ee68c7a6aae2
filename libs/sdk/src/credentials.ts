/**
 * The person token a browser sends beside its publishable key. The host's function is asked for one, asked again shortly
 * before that one expires, and once more where the collector does not take it.
 *
 * Events carry no person of their own, so a token of somebody else would give them to somebody else: it is not used. And
 * what is reported in somebody else's name (by a view, by a resumed handle) must not go with the token of this one.
 */
import { type Machine } from './machine.js';
import { type PersonTokenSource } from './options.js';
import { unpacked } from './token.js';

/** Before a token expires by this much, another is fetched. */
const MARGIN_MS = 30_000;

/** The host gave no token that can be used; `message` says why, and nothing of the token. */
export class NoPersonToken extends Error {}

export class PersonTokens {
  /** The token to send now, where one is at hand. */
  current: string | undefined;
  /** Whose events these are, as soon as a token says so. */
  person: string | undefined;
  /** By the machine's monotonic clock: clocks of browsers are often wrong, but a second lasts a second. */
  private renewAt = Infinity;

  constructor(
    private readonly source: PersonTokenSource,
    private readonly machine: Machine,
    private readonly timeoutMs: number,
  ) {
    if (typeof source === 'string') [this.current, this.person] = [source, claimsOf(source).sub];
  }

  /**
   * @param signal gives up waiting for the host
   * @throws NoPersonToken where the host's function throws, takes too long, or gives what cannot be used
   */
  async get(signal: AbortSignal): Promise<string> {
    if (this.current !== undefined && this.machine.monotonic() < this.renewAt) return this.current;
    const token = await this.ask(signal);
    const { sub, iat, exp } = claimsOf(token);
    if (this.person !== undefined && sub !== this.person) throw new NoPersonToken('personToken gave a token of another person: make a Foothold for each person who logs in, and shut down the one before');
    this.person = sub;
    const lifeMs = (exp - iat) * 1000;
    this.renewAt = Number.isFinite(lifeMs) ? this.machine.monotonic() + Math.max(lifeMs - MARGIN_MS, lifeMs / 2) : Infinity;
    return (this.current = token);
  }

  /** The collector did not take the token. @returns whether another can be had */
  forget(): boolean {
    if (typeof this.source === 'string') return false;
    this.current = undefined;
    return true;
  }

  private async ask(signal: AbortSignal): Promise<string> {
    const { source } = this;
    if (typeof source === 'string') return source;
    let stop = () => {};
    const late = new Promise<never>((_, reject) => {
      const giveUp = () => reject(new NoPersonToken(`personToken gave nothing within ${this.timeoutMs} ms`));
      const stopTimer = this.machine.after(this.timeoutMs, giveUp);
      signal.addEventListener('abort', giveUp);
      stop = () => (stopTimer(), signal.removeEventListener('abort', giveUp));
    });
    try {
      const token = await Promise.race([Promise.resolve().then(source), late]);
      if (typeof token === 'string' && /^[!-~]+$/.test(token)) return token;
    } catch (error) {
      if (error instanceof NoPersonToken) throw error;
      throw new NoPersonToken('personToken failed');
    } finally {
      stop();
    }
    throw new NoPersonToken('personToken gave no token');
  }
}

/** What a token says of itself; nothing here relies on it being true. */
function claimsOf(token: string): { sub?: string | undefined; iat: number; exp: number } {
  try {
    const claims = unpacked(token.split('.')[1]!) as Record<string, unknown>;
    return { sub: typeof claims['sub'] === 'string' ? claims['sub'] : undefined, iat: Number(claims['iat']), exp: Number(claims['exp']) };
  } catch {
    return { iat: NaN, exp: NaN };
  }
}
