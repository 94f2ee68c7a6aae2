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
 */
import { type Refusal, type UsageEvent } from '@foothold/contract';
import { measuring, type PoolClient } from '@foothold/platform';
import { copyInto, typedRows, type ColumnType, type Value } from './copy.js';
import { type Log } from './identities.js';
import { type Stretch } from './origin.js';
import { USAGE_SHARDS } from './schema.js';

/** One record of an origin: an event for a tenant, or why there is none. */
export type Arrival = { tenant: string; event: UsageEvent; /** Of a trace that its sender sampled. */ traceparent?: string; /** How far its host's clock was behind; of a collector that measured it. */ skewMs?: number } | { refusal: Refusal };

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
  actor: 'int8', time: 'timestamptz', received: 'timestamptz', origin: 'int4', data: 'json', skew_ms: 'int8',
};

/** Of how many stored events one append remembers which trace they belong to. */
const MARKED = 32;

interface Numbered {
  event: UsageEvent;
  traceparent: string | undefined;
  skewMs: number | null;
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
 */
export async function append(log: Log, arrivals: Arrival[], stretch: Stretch): Promise<Outcome> {
  const began = performance.now();
  const refusals: Refusal[] = [];
  const numbered = await number(log, arrivals, refusals);
  for (;;) {
    try {
      const outcome = await log.database.transaction((client) => write(client, numbered, refusals, stretch, log.probes > 0));
      if (outcome.stored < numbered.length) log.probes = PROBES;
      else if (log.probes > 0) log.probes--;
      measure(arrivals, outcome, began);
      return outcome;
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

async function number(log: Log, arrivals: Arrival[], refusals: Refusal[]): Promise<Numbered[]> {
  const { identities } = log;
  const events: Extract<Arrival, { event: UsageEvent }>[] = [];
  for (const arrival of arrivals) {
    if ('refusal' in arrival) refusals.push(arrival.refusal);
    else events.push(arrival);
  }
  await identities.learnDeployments(unknownDeployments(log, events));
  const numbered: Numbered[] = [];
  for (const { tenant, event, traceparent, skewMs = null } of events) {
    const known = identities.deployment(tenant, event.deployment);
    if (known) numbered.push({ event, traceparent, skewMs, tenant, tenantNumber: known.tenant, shard: shardOf(tenant, event.deployment, event.person), source: 0, deployment: known.deployment, person: null, actor: null });
    else refusals.push(unregistered(tenant, event));
  }
  while (!nameAll(log, numbered)) await learnNames(log, numbered);
  return numbered;
}

function unknownDeployments({ identities }: Log, events: { tenant: string; event: UsageEvent }[]): { tenant: string; deployment: string }[] {
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

async function write(client: PoolClient, numbered: Numbered[], refusals: Refusal[], stretch: Stretch, probing: boolean): Promise<Outcome> {
  const fenced = await client.query({ name: 'append-fence', text: FENCE, values: [stretch.origin, stretch.from, stretch.next, stretch.voids, stretch.mark, stretch.markOffset] });
  if (fenced.rowCount !== 1) throw new Fenced(stretch);

  const shards = [...new Set(numbered.map((item) => item.shard))];
  const heads = new Map<number, number>();
  let received = 0;
  for (const [shard, position, at] of await typedRows(client, LOCK_HEADS, [shards], 'append-heads')) {
    heads.set(shard as number, position as number);
    received = Math.max(received, at as number);
  }

  const fresh = new Map<string, Numbered>();
  const letters = [...refusals];
  const stored = probing ? await probe(client, numbered) : new Map<string, string>();
  let duplicate = 0;
  for (const item of numbered) {
    const key = `${item.event.id}${item.source}`;
    const twin = stored.get(key) ?? bodyOf(fresh.get(key));
    if (twin === undefined) fresh.set(key, item);
    else if (twin === bodyOf(item)) duplicate++;
    else letters.push(conflict(item));
  }

  if (fresh.size > 0) {
    const marks: Mark[] = [];
    await copyInto(client, 'event', EVENT_COLUMNS, rowsOf(fresh.values(), heads, received, stretch.origin, marks));
    if (marks.length > 0) await client.query(MARK, [marks.map(({ shard }) => shard), marks.map(({ position }) => position), marks.map(({ traceparent }) => traceparent)]);
    await client.query({ name: 'append-move', text: MOVE_HEADS, values: [[...heads.keys()], [...heads.values()], micros(received)] });
  }
  await bury(client, letters, stretch.origin);
  const quarantined = letters.filter((letter) => letter.kind === 'quarantined').length;
  const outcome = { stored: fresh.size, duplicate, rejected: letters.length - quarantined, quarantined };
  await client.query({ name: 'append-count', text: COUNT, values: [stretch.origin, outcome.stored, outcome.duplicate, outcome.rejected, outcome.quarantined] });
  return outcome;
}

/** An event's place in the log, and the trace it belongs to: for the projector's spans, which take it out again. */
interface Mark {
  shard: number;
  position: number;
  traceparent: string;
}

/** The rows of these events, numbered on from the heads, which move along; marks are added to `marks`. */
function* rowsOf(items: Iterable<Numbered>, heads: Map<number, number>, received: number, origin: number, marks: Mark[]): Generator<Value[]> {
  const row: Value[] = new Array(13);
  for (const { event, traceparent, skewMs, shard, source, deployment, person, actor } of items) {
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
const BURY = `insert into dead_letter (origin, received, kind, tenant, deployment, source, type, id, field, reason, fix, payload)
  select $1, clock_timestamp(), * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[])`;

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

async function bury(client: PoolClient, letters: Refusal[], origin: number): Promise<void> {
  if (letters.length === 0) return;
  const column = (field: keyof Refusal) => letters.map((letter) => letter[field]);
  await client.query(BURY, [
    origin, column('kind'), column('tenant'), column('deployment'), column('source'), column('type'), column('id'),
    column('field'), column('reason'), column('fix'), column('payload'),
  ]);
}

function unregistered(tenant: string, event: UsageEvent): Refusal {
  return letter(tenant, event, 'deployment', `no deployment "${event.deployment}" is registered for tenant "${tenant}"`,
    `register it (foothold deployment register ${event.deployment} --tenant ${tenant}) and send the event again`);
}

function conflict(item: Numbered): Refusal {
  return letter(item.tenant, item.event, 'id', 'this source has sent another event with the same id',
    'give every event an id of its own; repeat an id only to repeat the very same event');
}

function letter(tenant: string, event: UsageEvent, field: string, reason: string, fix: string): Refusal {
  const { data, ...envelope } = event;
  return {
    kind: 'quarantined', field, reason, fix, tenant, deployment: event.deployment, source: event.source, type: event.type, id: event.id,
    payload: JSON.stringify({ ...envelope, data: JSON.parse(data) as unknown }),
  };
}

/** Integer microseconds since 1970 as text Postgres reads without rounding. */
function micros(value: number): string {
  const seconds = Math.floor(value / 1_000_000);
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(value - seconds * 1_000_000).padStart(6, '0')}Z`;
}
