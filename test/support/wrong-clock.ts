/** The clock of this process, set wrong for as long as something takes; `realNow` goes on telling the time. */
const Real = Date;

export const realNow = (): number => Real.now();

export async function underClock<T>(hoursAhead: number, work: () => Promise<T>): Promise<T> {
  const now = () => Real.now() + hoursAhead * 3_600_000;
  class Wrong extends Real {
    constructor(...given: unknown[]) {
      super(...((given.length === 0 ? [now()] : given) as [number]));
    }
    static override now = now;
  }
  globalThis.Date = Wrong as DateConstructor;
  try {
    return await work();
  } finally {
    globalThis.Date = Real;
  }
}
