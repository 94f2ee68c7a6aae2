/** What the SDK has to say to whoever runs the host: never thrown, never with a person or a key in it. */

/**
 * `invalid-options`, `invalid-argument`, `unknown-field`, `token` (nothing to resume from), `other-person` (with a
 * person token, whoever speaks for somebody else): a call to mend. `queue-full`, `refused`, `rejected`, `too-large`,
 * `shutdown`: events dropped. `unreachable`, `unauthorised`, `misaddressed` (somebody answers who is no collector),
 * `person-token`: events wait. `sdk-error`: a bug.
 */
export type WarningKind =
  | 'invalid-options' | 'invalid-argument' | 'unknown-field' | 'token' | 'other-person'
  | 'queue-full' | 'refused' | 'rejected' | 'too-large' | 'shutdown'
  | 'unreachable' | 'unauthorised' | 'misaddressed' | 'person-token' | 'sdk-error';

export interface Warning {
  kind: WarningKind;
  /** The call or option at fault, where there is one: `accepted.changed`. */
  at?: string;
  message: string;
}

export class Warnings {
  private readonly said = new Set<string>();

  /** @param tell the host's own hook, called every time; without one the console hears once of each kind and place */
  constructor(private readonly tell: ((warning: Warning) => void) | undefined) {}

  say(kind: WarningKind, message: string, at?: string): void {
    quietly(() => {
      if (this.tell) return this.tell(at === undefined ? { kind, message } : { kind, at, message });
      const key = `${kind} ${at}`;
      if (this.said.has(key) || this.said.size >= 100) return;
      this.said.add(key);
      console.warn(`foothold: ${message}`);
    });
  }
}

/** Calls a hook of the host's. What it throws, or rejects with, is the host's, and must not come back through a call of ours. */
export function quietly<T>(hook: () => T): T | undefined {
  try {
    const result = hook();
    if (typeof result === 'object' && result !== null) Promise.resolve(result).catch(() => undefined);
    return result;
  } catch {
    return undefined;
  }
}
