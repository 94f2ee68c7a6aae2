/** What had to be dropped, by reason, and how much of that no heartbeat has told yet. */

/**
 * `invalid-argument` a call that makes no event; `other-person` in the name of somebody else than the person of the person
 * token; `missing-token`, `malformed-token` a call on a handle that was resumed from nothing or from junk; `not-configured`
 * options that name no collector; `queue-full` more than fits; `refused` by the collector, event by event; `rejected` by the
 * collector, a whole batch; `too-large` a single event it finds too long; `shutdown` after or at the end; `sdk-error` a bug
 * here, or an argument that throws when it is read.
 */
export type DropReason = 'invalid-argument' | 'other-person' | 'missing-token' | 'malformed-token' | 'not-configured' | 'queue-full' | 'refused' | 'rejected' | 'too-large' | 'shutdown' | 'sdk-error';

export type DropCounts = Partial<Record<DropReason, number>>;

/** How it stands with what was reported since the start; heartbeats not counted. */
export interface Stats {
  /** Events that wait. */
  queued: number;
  /** Events the collector has. */
  delivered: number;
  /** Events dropped, by reason. */
  dropped: DropCounts;
}

export class Drops {
  readonly totals: DropCounts = {};
  private untold: DropCounts = {};

  count(reason: DropReason, events = 1): void {
    this.totals[reason] = (this.totals[reason] ?? 0) + events;
    this.untold[reason] = (this.untold[reason] ?? 0) + events;
  }

  get anyUntold(): boolean {
    return Object.keys(this.untold).length > 0;
  }

  /** What the next heartbeat tells. It is untold no longer, unless it comes back: so no two heartbeats tell the same. */
  take(): DropCounts {
    const taken = this.untold;
    this.untold = {};
    return taken;
  }

  /** The heartbeat that told this will never arrive. */
  giveBack(counts: DropCounts): void {
    for (const reason in counts) this.untold[reason as DropReason] = (this.untold[reason as DropReason] ?? 0) + counts[reason as DropReason]!;
  }
}
