/**
 * Rows that are counts: what a page of events adds to them, and how that is settled with what the table holds.
 * A row in which nothing is left to count is not kept.
 */
import { keyOf, type Store, type Table } from '@foothold/event-log';

export class Counts<Row extends Record<Counter, number>, Counter extends keyof Row & string, Cell> {
  /** By key, what this page adds. */
  private readonly rows = new Map<string, Row>();

  /**
   * @param counters those of the row's columns that are added up; of all others the page's last word holds
   * @param empty the row of a cell in which nothing is counted; its key columns are the cell's
   * @param greatest columns of which the greatest is kept: of these nothing is taken back
   */
  constructor(
    private readonly table: Table<Row>,
    private readonly counters: readonly Counter[],
    private readonly empty: (cell: Cell) => Row,
    private readonly greatest: readonly (keyof Row & string)[] = [],
  ) {}

  /** The row of a cell, to add to. */
  at(cell: Cell): Row {
    const key = keyOf(this.table, cell as unknown as Row);
    let row = this.rows.get(key);
    if (!row) this.rows.set(key, (row = this.empty(cell)));
    return row;
  }

  values(): Iterable<Row> {
    return this.rows.values();
  }

  /** Adds the page to the table. */
  async settle(store: Store): Promise<void> {
    const { rows, counters, greatest, table } = this;
    for (const [key, old] of await store.take(table, rows.values())) {
      const row = rows.get(key)!;
      for (const counter of counters) (row as Record<Counter, number>)[counter] += old[counter];
      for (const column of greatest) if (old[column] > row[column]) row[column] = old[column];
    }
    for (const [key, row] of rows) if (counters.every((counter) => row[counter] === 0)) rows.delete(key);
    await store.put(table, rows.values());
  }
}
