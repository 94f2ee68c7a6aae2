/** Known bugs to plant, one at a time. */

/** Each edit is [file, text that occurs once, what stands there instead]. */
export const MUTANTS = [
  {
    name: 'a dropped tie-break: of events at the same time, whichever arrives first wins',
    edits: [['libs/adoption/src/invocation.ts', 'return time < otherTime || (time === otherTime && by < otherBy);', 'return time < otherTime;']],
  },
  {
    name: 'a lost withdrawal: one that arrives before its decision is forgotten',
    edits: [['libs/adoption/src/invocation.ts', `case 'decision.withdrawn':\n      if (`, `case 'decision.withdrawn':\n      if (row.decided_at !== null && (`],
      ['libs/adoption/src/invocation.ts', 'before(row.withdrawn_at, row.withdrawn_by!, time, by)) {', 'before(row.withdrawn_at, row.withdrawn_by!, time, by))) {']],
  },
  {
    name: 'a double-counted redelivery: nobody asks whether an id is stored already',
    edits: [
      ['libs/event-log/src/append.ts', 'const stored = probing ? await probe(client, numbered) : new Map<string, string>();', 'const stored = new Map<string, string>();'],
      ['libs/event-log/src/schema.ts', 'create unique index event_identity', 'create index event_identity'],
    ],
  },
  {
    name: 'a UTC day where a local one belongs',
    edits: [['libs/adoption/src/local-day.ts', 'return Math.floor((micros + (offset ?? this.offsetAt(Math.floor(micros / SECOND) * SECOND))) / DAY_MICROS);', 'return Math.floor(micros / DAY_MICROS);']],
  },
];
