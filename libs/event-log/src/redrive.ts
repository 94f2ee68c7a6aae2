/**
 * How dead letters leave: into the log after all, or because they were kept for their time.
 *
 * What arrives: a choice of letters. What leaves: their events in the log, by the same way as any other, with the counts of
 * the origin they once came from moved by exactly one each; letters that are refused again stay, with their new reason.
 *
 *   read     letters that keep something, opened, and judged at the boundary as at the moment they were received
 *   take     their rows, locked: what another redrive, sweep or expiry has at this moment is left to it
 *   origins  the rows of the ledger, locked in ascending order, before any head
 *   write    as for an append: heads, probe, COPY
 *   close    letters go or take their new reason, counts move; COMMIT
 *
 * All of a batch is one transaction, so nothing is half whenever it ends.
 */
import { checkEvent, checkMessage, readType, timeText, type BoundaryOptions, type Refusal, type UsageEvent, type Verdict } from '@foothold/contract';
import { type PoolClient } from '@foothold/platform';
import { number, retried, write, type Incoming, type Outcome } from './append.js';
import { requireKeys } from './change.js';
import { type KeyCheck, type Log } from './identities.js';
import { closed, conflict, opened, parsed, unregistered, UNREGISTERED, type KeptPayload, type LetterCounts } from './letters.js';
import { databaseTime } from './origin.js';

/** Most letters in one transaction, which holds the rows of their origins for some ten milliseconds. */
const BATCH = 500;
const DAY_MS = 86_400_000;

/** Which letters of a tenant; what is left out or null chooses nothing. */
export interface LetterChoice {
  tenant: string;
  id?: string | null | undefined;
  kind?: 'rejected' | 'quarantined' | null | undefined;
  field?: string | null | undefined;
  deployment?: string | null | undefined;
  type?: string | null | undefined;
}

/** What became of letters that were judged anew. */
export interface Redriven extends Outcome {
  /** Those that are dead letters no more: stored, or found to be stored already. `rejected` and `quarantined` were refused again, and stay. */
  redriven: number;
  /** Those that could not be opened with this process's key, and were left alone. */
  kept: number;
}

export interface Pace {
  /** Told how many letters were looked at so far. */
  progress?: (done: number) => void;
  /** Ends it between two batches. */
  signal?: AbortSignal;
  /** No batch begins after so many letters. */
  most?: number;
}

/** How long work that nobody waits for goes on. */
export interface Tending {
  /** Called with each batch that is done. */
  beat?: () => void;
  /** Ends it between two batches. */
  signal?: AbortSignal;
}

/** How many letters a choice finds that keep something to be judged anew. */
export async function countLetters(log: Log, choice: LetterChoice): Promise<number> {
  const [row] = await log.database.query<{ count: number }>(`select count(*)::float8 as count from dead_letter where ${CHOSEN}`, valuesOf(choice, '0'));
  return row!.count;
}

/** Judges the chosen letters that keep something anew, each once, and moves those that pass into the log. */
export async function redrive(log: Log, choice: LetterChoice, { progress, signal, most = Infinity }: Pace = {}): Promise<Redriven> {
  const total = nothing();
  let after = '0';
  for (let done = 0, count = BATCH; count === BATCH && done < most && !signal?.aborted; ) {
    const letters = await log.database.query<Kept>(LETTERS, valuesOf(choice, after));
    const outcome = letters.length > 0 ? await redriveBatch(log, letters) : nothing();
    add(total, outcome);
    count = letters.length;
    after = letters.at(-1)?.letter ?? after;
    progress?.((done += count));
  }
  return total;
}

/** What had been refused for want of a registration: judged anew once there is one. */
export function redriveWaiting(log: Log, tenant: string, deployment: string, pace?: Pace): Promise<Redriven> {
  return redrive(log, { tenant, deployment, kind: 'quarantined', field: UNREGISTERED }, pace);
}

/**
 * Looks after all letters: seals what an earlier version kept open, and redrives what waited for a deployment that is
 * registered by now, or for a version of an event that this program knows.
 * @returns what became of those that were judged anew, and how many were sealed
 * @throws WrongInput where this process does not hold the key of every tenant
 */
export async function sweepLetters(log: Log, keyCheck: KeyCheck, tending: Tending = {}): Promise<Redriven & { sealed: number }> {
  await requireKeys(log.database, keyCheck);
  const total = { ...nothing(), sealed: await sealPlain(log, tending) };
  const versions = await log.database.query<{ tenant: string; type: string }>(VERSIONS);
  const choices: LetterChoice[] = [
    ...(await log.database.query<{ tenant: string; deployment: string }>(REGISTERED)).map((found) => ({ ...found, kind: 'quarantined' as const, field: UNREGISTERED })),
    ...versions.filter(({ type }) => readType(type).kind === 'known').map((found) => ({ ...found, kind: 'quarantined' as const, field: 'type' })),
  ];
  for (const choice of choices) {
    add(total, await redrive(log, choice, { ...tending, progress: () => tending.beat?.() }));
  }
  return total;
}

/** Deletes the letters that were received more than so many days ago, by the database's clock (see expireLetters). */
export async function expireAfter(log: Log, days: number, tenant: string | null = null, tending: Tending = {}): Promise<LetterCounts> {
  return expireLetters(log, new Date((await databaseTime(log.database)) - days * DAY_MS).toISOString(), tenant, tending);
}

/**
 * Deletes the letters that were received before a moment (ISO), oldest first; the ledger counts them as expired.
 * @param tenant whose, with those that name none; null: everybody's
 * @returns how many, by kind
 */
export async function expireLetters(log: Log, before: string, tenant: string | null = null, { beat, signal }: Tending = {}): Promise<LetterCounts> {
  const total = { rejected: 0, quarantined: 0 };
  for (let count = BATCH; count === BATCH && !signal?.aborted; ) {
    const gone = await retried(log, async (client) => {
      const { rows } = await client.query<Taken>(OLD, [before, tenant]);
      await lockOrigins(client, rows);
      await client.query(EXPIRE, [rows.map(({ letter }) => letter)]);
      return rows;
    });
    for (const { kind } of gone) total[kind]++;
    beat?.();
    count = gone.length;
  }
  return total;
}

interface Kept extends KeptPayload {
  /** Its number, as text: it may be beyond what a number holds. */
  letter: string;
  origin: number;
  tenant: string;
  /** The identity under which the log would know the event. */
  id: string | null;
  /** Integer microseconds since 1970. */
  received: number;
}

interface Taken {
  letter: string;
  origin: number;
  kind: 'rejected' | 'quarantined';
}

type Fate = 'stored' | 'duplicate' | Refusal;

async function redriveBatch(log: Log, letters: Kept[]): Promise<Redriven> {
  const outcome = nothing();
  const refused = new Map<string, Refusal>();
  const letterOf = new Map<UsageEvent, Kept>();
  const events: Incoming[] = [];
  for (const kept of letters) {
    const verdict = judge(log, kept);
    if (verdict === undefined) outcome.kept++;
    else if (verdict.outcome === 'refused') refused.set(kept.letter, verdict.refusal);
    else {
      // The kept event's own id may be the identity already, of which another must not be made.
      const event = kept.id === null ? verdict.event : { ...verdict.event, id: kept.id };
      letterOf.set(event, kept);
      events.push({ tenant: kept.tenant, event });
    }
  }
  const idOf = (event: UsageEvent) => letterOf.get(event)!.letter;
  const { numbered, strangers } = await number(log, events, (event) => letterOf.get(event)!.origin);
  for (const stranger of strangers) refused.set(idOf(stranger.event), unregistered(stranger));

  const fates = await retried(log, async (client, heads) => {
    const { rows: taken } = await client.query<Taken>(TAKE, [[...refused.keys(), ...[...letterOf.values()].map(({ letter }) => letter)]]);
    await lockOrigins(client, taken);
    const ours = new Set(taken.map(({ letter }) => letter));
    const { stored, duplicates, conflicts } = await write(client, log, numbered.filter(({ event }) => ours.has(idOf(event))), heads, true);
    const fateOf = new Map<string, Fate>(refused);
    for (const { event } of stored) fateOf.set(idOf(event), 'stored');
    for (const { event } of duplicates) fateOf.set(idOf(event), 'duplicate');
    for (const item of conflicts) fateOf.set(idOf(item.event), conflict(item));
    const moved = taken.map((letter) => ({ ...letter, fate: fateOf.get(letter.letter)! }));
    await close(client, moved);
    return moved.map(({ fate }) => fate);
  });
  for (const fate of fates) {
    if (typeof fate === 'string') outcome.redriven++;
    outcome[typeof fate === 'string' ? fate : fate.kind]++;
  }
  return outcome;
}

/** Undefined for what cannot be opened. Whatever was kept gets a verdict: a letter that threw would hold up all behind it. */
function judge(log: Log, kept: Kept): Verdict | undefined {
  const payload = opened(log, kept);
  if (typeof payload !== 'string') return undefined;
  const options: BoundaryOptions = { subjects: 'pseudonyms', pseudonymise: (_, person) => person };
  const value = parsed(payload);
  // Not by its bytes: with pseudonyms for people an event may have become longer than any may come.
  return value === undefined ? checkMessage(payload, kept.tenant, kept.received, options) : checkEvent(wireForm(value), kept.tenant, kept.received, options);
}

/** Before letters were sealed, those that the log itself wrote kept its own form of the event, which is no CloudEvent and whose time is a number. */
function wireForm(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || 'specversion' in value || !('time' in value) || !Number.isSafeInteger(value.time)) return value;
  const { type, time, person, actor, data, ...rest } = value as Omit<UsageEvent, 'data'> & { data: object };
  return {
    ...rest, specversion: '1.0', type: `foothold.${type}.v1`, time: timeText(time),
    ...(person === null ? {} : { subject: person }), data: actor === null ? data : { ...data, actor },
  };
}

/** Takes leave of the letters that are stored, gives the others their new reason, and moves the counts of their origins. */
async function close(client: PoolClient, moved: (Taken & { fate: Fate })[]): Promise<void> {
  const gone = moved.filter(({ fate }) => typeof fate === 'string');
  const again = moved.filter((letter): letter is Taken & { fate: Refusal } => typeof letter.fate !== 'string');
  const column = (field: keyof Refusal) => again.map(({ fate }) => fate[field]);
  if (gone.length > 0) await client.query('delete from dead_letter where dead_letter = any($1::bigint[])', [gone.map(({ letter }) => letter)]);
  if (again.length > 0) await client.query(REFUSE, [again.map(({ letter }) => letter), column('kind'), column('field'), column('reason'), column('fix'), again.map(({ fate }) => fate.payload !== null)]);

  const counts = new Map<number, Outcome & { redriven: number }>();
  for (const { origin, kind, fate } of moved) {
    const of = counts.get(origin) ?? { stored: 0, duplicate: 0, rejected: 0, quarantined: 0, redriven: 0 };
    counts.set(origin, of);
    of[kind]--;
    of[typeof fate === 'string' ? fate : fate.kind]++;
    if (typeof fate === 'string') of.redriven++;
  }
  const all = [...counts.values()];
  await client.query(MOVE, [[...counts.keys()], ...(['stored', 'duplicate', 'rejected', 'quarantined', 'redriven'] as const).map((field) => all.map((of) => of[field]))]);
}

async function sealPlain(log: Log, { beat, signal }: Tending): Promise<number> {
  let total = 0;
  for (let count = BATCH; count === BATCH && !signal?.aborted; total += count) {
    count = await log.database.transaction(async (client) => {
      const { rows } = await client.query<{ letter: string; tenant: string; payload: string }>(PLAIN);
      await client.query(SEAL, [rows.map(({ letter }) => letter), rows.map(({ tenant, payload }) => closed(log, tenant, payload))]);
      return rows.length;
    });
    beat?.();
  }
  return total;
}

/** Before any head, and in one order: see `write`. */
async function lockOrigins(client: PoolClient, taken: Taken[]): Promise<void> {
  await client.query('select from origin where origin = any($1) order by origin for no key update', [[...new Set(taken.map(({ origin }) => origin))]]);
}

const nothing = (): Redriven => ({ redriven: 0, stored: 0, duplicate: 0, rejected: 0, quarantined: 0, kept: 0 });

function add(total: Redriven, outcome: Redriven): void {
  for (const field of Object.keys(outcome) as (keyof Redriven)[]) total[field] += outcome[field];
}

const valuesOf = ({ tenant, id, kind, field, deployment, type }: LetterChoice, after: string): unknown[] => [tenant, after, id ?? null, kind ?? null, field ?? null, deployment ?? null, type ?? null];
const CHOSEN = `tenant = $1 and dead_letter > $2 and (sealed is not null or payload is not null)
   and ($3::bigint is null or dead_letter = $3) and ($4::text is null or kind = $4) and ($5::text is null or field = $5)
   and ($6::text is null or deployment = $6) and ($7::text is null or type = $7)`;
const LETTERS = `select dead_letter::text as letter, origin, tenant, id, (extract(epoch from received) * 1000000)::float8 as received, sealed, payload
  from dead_letter where ${CHOSEN} order by dead_letter limit ${BATCH}`;
const TAKE = `select dead_letter::text as letter, origin, kind from dead_letter where dead_letter = any($1::bigint[]) order by dead_letter for update skip locked`;
const REFUSE = `update dead_letter set kind = r.kind, field = r.field, reason = r.reason, fix = r.fix,
         sealed = case when r.keeps then sealed end, payload = case when r.keeps then payload end
  from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bool[]) as r(letter, kind, field, reason, fix, keeps) where dead_letter = r.letter`;
const MOVE = `update origin set stored = origin.stored + m.stored, duplicate = origin.duplicate + m.duplicate, rejected = origin.rejected + m.rejected,
         quarantined = origin.quarantined + m.quarantined, redriven = origin.redriven + m.redriven
  from unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) as m(origin, stored, duplicate, rejected, quarantined, redriven)
 where origin.origin = m.origin`;

const REGISTERED = `select t.name as tenant, d.id as deployment from deployment d join tenant t using (tenant)
 where exists (select from dead_letter l where l.kind = 'quarantined' and l.field = '${UNREGISTERED}' and l.tenant = t.name and l.deployment = d.id
                and (l.sealed is not null or l.payload is not null))`;
const VERSIONS = `select distinct tenant, type from dead_letter
 where kind = 'quarantined' and field = 'type' and type is not null and tenant is not null and (sealed is not null or payload is not null)`;

const PLAIN = `select dead_letter::text as letter, tenant, payload from dead_letter where payload is not null and tenant is not null limit ${BATCH} for update skip locked`;
const SEAL = `update dead_letter set sealed = s.sealed, payload = null from unnest($1::bigint[], $2::bytea[]) as s(letter, sealed) where dead_letter = s.letter`;

const OLD = `select dead_letter::text as letter, origin, kind from dead_letter
  where received < $1::timestamptz and ($2::text is null or tenant = $2 or tenant is null) order by received limit ${BATCH} for update skip locked`;
const EXPIRE = `
with gone as (delete from dead_letter where dead_letter = any($1::bigint[]) returning origin, kind),
counted as (select origin, count(*) filter (where kind = 'rejected') as rejected, count(*) filter (where kind = 'quarantined') as quarantined from gone group by origin)
update origin set expired_rejected = expired_rejected + c.rejected, expired_quarantined = expired_quarantined + c.quarantined
  from counted c where origin.origin = c.origin`;
