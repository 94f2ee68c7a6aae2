/** Faults to plant in our own code, one at a time: each breaks one promise, and the schedules must see it. */

/**
 * Each edit is [file, text that occurs once, what stands there instead]. `seen` is what a schedule says that has found
 * this fault and no other: one that only fails to start proves nothing.
 */
export const PLANTED = [
  {
    name: 'commit before append: the fence moves in a transaction of its own, before the events are stored',
    seen: /acknowledged and is not in the log|accounted for|Kafka holds|dead letters, of at least/,
    edits: [
      ['libs/event-log/src/append.ts', `    const fenced = await client.query({ name: 'append-fence', text: FENCE, values: [origin, stretch.from, stretch.next, stretch.voids, stretch.mark, stretch.markOffset] });
    if (fenced.rowCount !== 1) throw new Fenced(stretch);
`, ''],
      ['libs/event-log/src/append.ts', `  const outcome = await retried(log, async (client, heads) => {
`, `  const fenced = await log.database.transaction((client) => client.query({ name: 'append-fence', text: FENCE, values: [origin, stretch.from, stretch.next, stretch.voids, stretch.mark, stretch.markOffset] }));
  if (fenced.rowCount !== 1) throw new Fenced(stretch);
  const outcome = await retried(log, async (client, heads) => {
`],
    ],
  },
  {
    // The other way round, rows before the checkpoint, does no harm that could be seen: a page that is folded twice gives the same rows.
    name: 'checkpoint outside the transaction: it is committed before the rows that it counts',
    seen: /are not those of a fold from the beginning|expected|(invocation|task|person_day)_pkey/,
    edits: [
      ['libs/event-log/src/project.ts', '(page = await foldPage(log, client, projection, shard, Number(checkpoint.position)))', '(page = await read(log, client, shard, Number(checkpoint.position), projection.page))'],
      ['libs/event-log/src/project.ts', '  if (page.length > 0) measure(page, began);\n', '  if (page.length > 0) await log.database.transaction((client) => foldPage(log, client, projection, shard, page[0]!.position - 1, undefined, page.length));\n  if (page.length > 0) measure(page, began);\n'],
    ],
  },
  {
    name: 'fence ignored: whoever comes second takes the stretch as well',
    seen: /ledger does not balance|Kafka holds/,
    edits: [['libs/event-log/src/append.ts', 'where origin = $1 and next_offset = $2 and not finished', 'where origin = $1 and $2::bigint is not null and not finished']],
  },
  {
    name: 'head row unlocked: two writers number from the same position',
    seen: /event_pkey|shard \d+: head at/,
    edits: [['libs/event-log/src/append.ts', 'where shard = any($1) order by shard for update`', 'where shard = any($1) order by shard`']],
  },
  {
    name: 'projector without a lease: two fold the same page',
    seen: /(invocation|task|person_day)_pkey|are not those of a fold from the beginning|expected/,
    edits: [['libs/event-log/src/project.ts', 'from checkpoint where projection = $1 and shard = $2 for update skip locked`', 'from checkpoint where projection = $1 and shard = $2`']],
  },
];
