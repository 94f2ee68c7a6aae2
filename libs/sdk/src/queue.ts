/** Events that wait to be sent. They stay here until they are settled, so that whoever keeps them elsewhere needs only another `Queue`. */

export interface Entry {
  /** Counts up with every entry: says which were there before a moment. */
  serial: number;
  id: string;
  /** `foothold.result.shown.v1` */
  type: string;
  /** The event as JSON; the same on every attempt, but for `senttime`, which is put in when it is sent. */
  text: string;
  /** Of the text in UTF-8, with what sending puts to it. */
  bytes: number;
  /** With a publishable key: in whose name it was reported, where the host named somebody. The event itself names nobody. */
  person?: string | undefined;
  /** Of a heartbeat: how many events it confesses as dropped, by reason. */
  confesses?: Record<string, number>;
}

export interface Queue {
  readonly size: number;
  /** The entry that waits longest. */
  readonly first: Entry | undefined;
  /**
   * Adds an entry; false where there is no room.
   * @param always for heartbeats: what is full must still be told
   */
  offer(entry: Entry, always?: boolean): boolean;
  /** The entries that wait longest: at least one, where there is any, and then no more than so many with so many bytes together. */
  head(events: number, bytes: number): Entry[];
  /** Takes settled entries out, given in the order they came; gives back those that were still here. */
  settle(entries: Entry[]): Entry[];
}

/** In memory, bounded in number and bytes. Entries leave mostly at the front, where it costs nothing. */
export class MemoryQueue implements Queue {
  private entries: Entry[] = [];
  /** How many at the front of `entries` are gone already. */
  private gone = 0;
  private bytes = 0;

  constructor(
    private readonly mostEvents: number,
    private readonly mostBytes: number,
  ) {}

  get size(): number {
    return this.entries.length - this.gone;
  }

  get first(): Entry | undefined {
    return this.entries[this.gone];
  }

  offer(entry: Entry, always = false): boolean {
    if (!always && (this.size >= this.mostEvents || this.bytes + entry.bytes > this.mostBytes)) return false;
    this.entries.push(entry);
    this.bytes += entry.bytes;
    return true;
  }

  head(events: number, bytes: number): Entry[] {
    let sum = 0;
    let end = this.gone;
    while (end < this.entries.length && end - this.gone < events) {
      sum += this.entries[end]!.bytes;
      if (sum > bytes && end > this.gone) break;
      end++;
    }
    return this.entries.slice(this.gone, end);
  }

  settle(entries: Entry[]): Entry[] {
    if (entries.length === 0) return [];
    const leaving = new Set(entries);
    const found: Entry[] = [];
    // Two requests with the same entries may be under way: a page that is left sends once more what may not have arrived.
    // Serials grow along the queue by one or more, so that the last of them lies no further in than this.
    const span = this.size === 0 ? 0 : Math.max(0, entries.at(-1)!.serial - this.first!.serial + 1);
    const until = Math.min(this.entries.length, this.gone + span);
    const staying: Entry[] = [];
    for (let i = this.gone; i < until; i++) (leaving.has(this.entries[i]!) ? found : staying).push(this.entries[i]!);
    for (const entry of found) this.bytes -= entry.bytes;
    this.gone = until - staying.length;
    for (const [i, entry] of staying.entries()) this.entries[this.gone + i] = entry;
    if (this.gone > 1_000 && this.gone * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.gone);
      this.gone = 0;
    }
    return found;
  }
}
