/**
 * The one way into the log, for every writer.
 *
 * What arrives: events that passed the boundary, refusals of those that did not, and the stretch of the
 * origin (a Kafka partition, a file) they came from. What leaves: rows of `event`, dead letters, the ledger
 * and the moved fence, all in one transaction or none. Next is `read`, for the projector.
 *
 *   fence   compare-and-set of the origin's next offset: whoever comes second writes nothing
 *   heads   the rows of the shards concerned, locked in ascending order, so writers queue
 *   probe   which of these ids are stored already: same body is a duplicate, another body a conflict
 *   COPY    what is new, numbered from the heads; a lock held to the commit makes position order commit order
 *   close   heads, dead letters and counters move; COMMIT
 *
 * Most batches hold nothing that is stored already, and asking costs a fifth of the append. So a writer that has met
 * nothing known for a while leaves the probe out: the unique index on (id, source) then stops the COPY of a known id,
 * nothing of the transaction stays, and the batch is written again with the probe. The index also stops the second of
 * two writers with the same id in different shards (a conflict in the person), who both missed it in their probes. Two
 * who wait there for each other, each for an id the other has written, are a deadlock; the one Postgres picks starts
 * over likewise.
 *
 * Numbers of people are remembered, so a database set back to before they were given must not be written to: a head lower
 * than one this process has seen committed shows that, at no cost, where the new connections have not (see openDatabase).
 *
 * `redrive` comes this way too, with letters in place of a stretch: `number`, `write` and `retried` are for both.
 */
import { timeText, type UsageEvent } from '@foothold/contract';
import { DatabaseReplaced, measuring, type PoolClient } from '@foothold/platform';
import { copyInto, typedRows, type ColumnType, type Value } from './copy.js';
import { type Log } from './identities.js';
import { bury, conflict, sealed, unregistered, type Letter } from './letters.js';
import { type Stretch } from './origin.js';
import { USAGE_SHARDS } from './schema.js';

/** One record of an origin: an event for a tenant, or why there is none. */
export type Arrival = { tenant: string; event: UsageEvent; /** Of a trace that its sender sampled. */ traceparent?: string; /** How far its host's clock was behind; of a collector that measured it. */ skewMs?: number } | { refusal: Letter };

/** What became of the records of one append. */
export interface Outcome {
  stored: number;
  duplicate: number;
  rejected: number;
  quarantined: number;
}

/** Somebody else has taken this stretch of the origin: nothing was written. */
export class Fenced extends Error {
  constructor(readonly stretch: Stretch) {
    super(`offset ${stretch.from} of origin ${stretch.origin} was taken by another reader`);
    this.name = 'Fenced';
  }
}

const DEADLOCK = '40P01';

const EVENT_COLUMNS: Record<string, ColumnType> = {
  shard: 'int2', position: 'int8', id: 'uuid', source: 'int4', type: 'text', deployment: 'int4', person: 'int8',
  actor: 'int8', time: 'timestamptz', received: 'timestamptz', origin: 'int4', data: 'json', skew_ms: 'int8', sequence: 'text',
};

/** Of how many stored events one append remembers which trace they belong to. */
const MARKED = 32;

/** An event on its way into the log. */
export type Incoming = Extract<Arrival, { event: UsageEvent }>;

export interface Numbered {
  event: UsageEvent;
  traceparent: string | undefined;
  skewMs: number | null;
  origin: number;
  tenant: string;
  tenantNumber: number;
  shard: number;
  source: number;
  deployment: number;
  person: number | null;
  actor: number | null;
}

/** Of appends that were heard to end; the ledger counts the others too. */
const measured = measuring((meter) => ({
  events: meter.createCounter('append.events', { description: 'records by what became of them' }),
  size: meter.createHistogram('append.size', { description: 'records in an append', advice: { explicitBucketBoundaries: [1, 10, 50, 100, 500, 1_000, 2_500, 5_000] } }),
  duration: meter.createHistogram('append.duration', { unit: 's', description: 'how long an append took, to its commit', advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] } }),
}));

function measure(arrivals: Arrival[], outcome: Outcome, began: number): void {
  const { events, size, duration } = measured();
  for (const [what, count] of Object.entries(outcome)) if (count > 0) events.add(count, { outcome: what });
  size.record(arrivals.length);
  duration.record((performance.now() - began) / 1000);
}

/**
 * Appends what a stretch of an origin held, once.
 * @throws Fenced when the stretch was taken already.
 * @throws DatabaseReplaced when the log holds less than this process has seen in it.
 */
export async function append(log: Log, arrivals: Arrival[], stretch: Stretch): Promise<Outcome> {
  const began = performance.now();
  const { origin } = stretch;
  const refusals: Letter[] = [];
  const events: Incoming[] = [];
  for (const arrival of arrivals) {
    if ('refusal' in arrival) refusals.push(arrival.refusal);
    else events.push(arrival);
  }
  const { numbered, strangers } = await number(log, events, () => origin);
  for (const stranger of strangers) refusals.push(unregistered(stranger));
  const letters = sealed(log, refusals);
  const outcome = await retried(log, async (client, heads) => {
    const fenced = await client.query({ name: 'append-fence', text: FENCE, values: [origin, stretch.from, stretch.next, stretch.voids, stretch.mark, stretch.markOffset] });
    if (fenced.rowCount !== 1) throw new Fenced(stretch);
    const { stored, duplicates, conflicts } = await write(client, log, numbered, heads, log.probes > 0);
    const buried = [...letters, ...sealed(log, conflicts.map(conflict))];
    await bury(client, buried, origin);
    const quarantined = buried.filter((letter) => letter.kind === 'quarantined').length;
    const counted = { stored: stored.length, duplicate: duplicates.length, rejected: buried.length - quarantined, quarantined };
    await client.query({ name: 'append-count', text: COUNT, values: [origin, counted.stored, counted.duplicate, counted.rejected, counted.quarantined] });
    return counted;
  });
  if (outcome.stored < numbered.length) log.probes = PROBES;
  else if (log.probes > 0) log.probes--;
  measure(arrivals, outcome, began);
  return outcome;
}

/**
 * Runs `work` in a transaction; once more, with the probe, where another writer came first or waited crosswise. It is given
 * what takes the positions that shards will be at once this is committed.
 */
export async function retried<T>(log: Log, work: (client: PoolClient, heads: Map<number, number>) => Promise<T>): Promise<T> {
  for (;;) {
    try {
      const heads = new Map<number, number>();
      const result = await log.database.transaction((client) => work(client, heads));
      for (const [shard, position] of heads) log.heads.set(shard, position);
      return result;
    } catch (error) {
      const { code, constraint } = error as { code?: string; constraint?: string };
      if (constraint !== 'event_identity' && code !== DEADLOCK) throw error;
      log.probes = PROBES;
    }
  }
}

/** Batches without a known id before a writer leaves the probe out. */
const PROBES = 16;

/** The shard of a person's story: FNV-1a (32 bit) over tenant, deployment and pseudonym. Named in the design, never to change. */
export function shardOf(tenant: string, deployment: string, person: string | null): number {
  const text = `${tenant}/${deployment}/${person ?? ''}`;
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % USAGE_SHARDS;
}

/** Gives events the numbers that the log knows them by, and the origins they are counted at; `strangers` are those whose deployment nobody has registered. */
export async function number(log: Log, events: Incoming[], originOf: (event: UsageEvent) => number): Promise<{ numbered: Numbered[]; strangers: Incoming[] }> {
  const { identities } = log;
  await identities.learnDeployments(unknownDeployments(log, events));
  const numbered: Numbered[] = [];
  const strangers: Incoming[] = [];
  for (const incoming of events) {
    const { tenant, event, traceparent, skewMs = null } = incoming;
    const known = identities.deployment(tenant, event.deployment);
    if (known) numbered.push({ event, traceparent, skewMs, origin: originOf(event), tenant, tenantNumber: known.tenant, shard: shardOf(tenant, event.deployment, event.person), source: 0, deployment: known.deployment, person: null, actor: null });
    else strangers.push(incoming);
  }
  while (!nameAll(log, numbered)) await learnNames(log, numbered);
  return { numbered, strangers };
}

function unknownDeployments({ identities }: Log, events: Incoming[]): { tenant: string; deployment: string }[] {
  return events.filter(({ tenant, event }) => !identities.deployment(tenant, event.deployment)).map(({ tenant, event }) => ({ tenant, deployment: event.deployment }));
}

/** Gives every event the numbers of its source and people; false where one of them is not known yet. */
function nameAll({ identities }: Log, numbered: Numbered[]): boolean {
  for (const item of numbered) {
    const { event, tenantNumber } = item;
    const source = identities.source(tenantNumber, event.source);
    const person = event.person === null ? null : identities.person(tenantNumber, event.person);
    const actor = event.actor === null ? null : identities.person(tenantNumber, event.actor);
    if (source === undefined || person === undefined || actor === undefined) return false;
    item.source = source;
    item.person = person;
    item.actor = actor;
  }
  return true;
}

async function learnNames({ identities }: Log, numbered: Numbered[]): Promise<void> {
  const sources: { tenant: number; name: string }[] = [];
  const people: { tenant: number; pseudonym: string }[] = [];
  for (const { tenantNumber: tenant, event } of numbered) {
    if (identities.source(tenant, event.source) === undefined) sources.push({ tenant, name: event.source });
    for (const pseudonym of [event.person, event.actor]) {
      if (pseudonym !== null && identities.person(tenant, pseudonym) === undefined) people.push({ tenant, pseudonym });
    }
  }
  if (sources.length > 0) await identities.learnSources(sources);
  if (people.length > 0) await identities.learnPeople(people);
}

/** What became of events that were written: each is in one of the three. */
export interface Written {
  stored: Numbered[];
  duplicates: Numbered[];
  conflicts: Numbered[];
}

/**
 * Stores those of these events that the log does not hold. The rows of their origins must be locked in ascending order by
 * then: who locks heads first and waits for an origin would meet an append that does the reverse.
 * @param heads takes the positions the shards will be at once this is committed
 */
export async function write(client: PoolClient, log: Log, numbered: Numbered[], heads: Map<number, number>, probing: boolean): Promise<Written> {
  const shards = [...new Set(numbered.map((item) => item.shard))];
  let received = 0;
  for (const [shard, position, at] of await typedRows(client, LOCK_HEADS, [shards], 'append-heads')) {
    const seen = log.heads.get(shard as number) ?? 0;
    if ((position as number) < seen) throw new DatabaseReplaced(`shard ${shard} ended at ${seen}, it ends at ${position}`);
    heads.set(shard as number, position as number);
    received = Math.max(received, at as number);
  }

  const fresh = new Map<string, Numbered>();
  const stored = probing ? await probe(client, numbered) : new Map<string, string>();
  const duplicates: Numbered[] = [];
  const conflicts: Numbered[] = [];
  for (const item of numbered) {
    const key = `${item.event.id}${item.source}`;
    const twin = stored.get(key) ?? bodyOf(fresh.get(key));
    if (twin === undefined) fresh.set(key, item);
    else if (twin === bodyOf(item)) duplicates.push(item);
    else conflicts.push(item);
  }

  if (fresh.size > 0) {
    const marks: Mark[] = [];
    await copyInto(client, 'event', EVENT_COLUMNS, rowsOf(fresh.values(), heads, received, marks));
    if (marks.length > 0) await client.query(MARK, [marks.map(({ shard }) => shard), marks.map(({ position }) => position), marks.map(({ traceparent }) => traceparent)]);
    await client.query({ name: 'append-move', text: MOVE_HEADS, values: [[...heads.keys()], [...heads.values()], timeText(received)] });
  }
  return { stored: [...fresh.values()], duplicates, conflicts };
}

/** An event's place in the log, and the trace it belongs to: for the projector's spans, which take it out again. */
interface Mark {
  shard: number;
  position: number;
  traceparent: string;
}

/** The rows of these events, numbered on from the heads, which move along; marks are added to `marks`. */
function* rowsOf(items: Iterable<Numbered>, heads: Map<number, number>, received: number, marks: Mark[]): Generator<Value[]> {
  const row: Value[] = new Array(14);
  for (const { event, traceparent, skewMs, origin, shard, source, deployment, person, actor } of items) {
    const position = heads.get(shard)! + 1;
    heads.set(shard, position);
    if (traceparent !== undefined && marks.length < MARKED) marks.push({ shard, position, traceparent });
    row[0] = shard;
    row[1] = position;
    row[2] = event.id;
    row[3] = source;
    row[4] = event.type;
    row[5] = deployment;
    row[6] = person;
    row[7] = actor;
    row[8] = event.time;
    row[9] = received;
    row[10] = origin;
    row[11] = event.data;
    row[12] = skewMs;
    row[13] = event.sequence ?? null;
    yield row;
  }
}

const FENCE = `update origin set next_offset = $3, void_offsets = void_offsets + $4, mark = coalesce($5, mark),
  mark_offset = coalesce($6, mark_offset) where origin = $1 and next_offset = $2 and not finished`;
/** The stamp is the shard's own clock: it never runs backwards, so the latest stamp in a shard is its greatest. */
const LOCK_HEADS = `select shard, position, greatest(received, clock_timestamp()) from head where shard = any($1) order by shard for update`;
const MOVE_HEADS = `update head set position = m.position, received = $3::timestamptz
  from unnest($1::int2[], $2::int8[]) as m(shard, position) where head.shard = m.shard`;
const MARK = `insert into trace_mark (shard, position, traceparent) select * from unnest($1::int2[], $2::int8[], $3::text[])`;
const PROBE = `select id, source, type, deployment, person, actor, time, data from event where id = any($1::uuid[])`;
const COUNT = `update origin set stored = stored + $2, duplicate = duplicate + $3, rejected = rejected + $4,
  quarantined = quarantined + $5 where origin = $1`;

/** Bodies of the ids among these that are stored, by id and source. */
async function probe(client: PoolClient, numbered: Numbered[]): Promise<Map<string, string>> {
  const bodies = new Map<string, string>();
  if (numbered.length === 0) return bodies;
  const rows = await typedRows(client, PROBE, [numbered.map((item) => item.event.id)], 'append-probe');
  for (const [id, source, type, deployment, person, actor, time, data] of rows) {
    bodies.set(`${id}${source}`, body(type, deployment, person, actor, time, data));
  }
  return bodies;
}

/** What makes two events with one id the same: type, deployment, subject, actor, time and data; never where or when they came in. */
function bodyOf(item: Numbered): string;
function bodyOf(item: Numbered | undefined): string | undefined;
function bodyOf(item: Numbered | undefined): string | undefined {
  return item && body(item.event.type, item.deployment, item.person, item.actor, item.event.time, item.event.data);
}

const body = (...parts: (Value | undefined)[]): string => parts.join('\n');
