/** The class of an error, as a code. Its message may hold anything, so it is never looked at. */

/** What classes and codes look like in every runtime: one word, `ECONNRESET`, `TimeoutError`, `rate_limit_exceeded`. */
const WORD = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/;
const UNKNOWN = 'unclassified';

/**
 * The code of an error or of what caused it (`ECONNREFUSED`), else its name (`AbortError`); of a string, itself where it
 * is one word. `unclassified` for everything else. Never throws.
 */
export function classOf(error: unknown): string {
  try {
    if (typeof error === 'string') return WORD.test(error) ? error : UNKNOWN;
    if (typeof error !== 'object' || error === null) return UNKNOWN;
    const { code, name, cause } = error as { code?: unknown; name?: unknown; cause?: { code?: unknown } | null };
    return [code, cause?.code, name].find((word): word is string => typeof word === 'string' && WORD.test(word)) ?? UNKNOWN;
  } catch {
    return UNKNOWN;
  }
}
