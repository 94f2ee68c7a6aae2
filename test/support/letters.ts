/** Rows of dead letters as they read once what they keep is opened. */
import { type Sealer } from '@foothold/platform';

/** Rows of `dead_letter` with the payload in place of what is sealed. @throws Error for what was sealed otherwise, or not at all */
export function opened(rows: Record<string, unknown>[], sealer: Sealer): (Record<string, unknown> & { payload: string | null })[] {
  return rows.map(({ sealed, ...row }) => {
    if (row['payload']) throw new Error(`letter ${String(row['dead_letter'])} keeps its payload open`);
    if (sealed === null) return { ...row, payload: null };
    const payload = sealer.open(row['tenant'] as string, sealed as Buffer);
    if (payload === null) throw new Error(`letter ${String(row['dead_letter'])} was sealed under another key`);
    return { ...row, payload };
  });
}
