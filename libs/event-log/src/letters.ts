/**
 * Dead letters: what could not be stored, why, and what of it is kept, which nobody reads without the tenant's key.
 *
 * What arrives: refusals of the boundary, sealed where another process wrote them, and events that the log itself does not
 * take. What leaves: rows of `dead_letter`, opened again for people who look at one and for `redrive`, who is next.
 */
import { cloudEventOf, sealedIn, sealedRefusal, type Refusal, type SealedRefusal, type UsageEvent } from '@foothold/contract';
import { type Database, type PoolClient, type Sealer } from '@foothold/platform';
import { type Incoming, type Numbered } from './append.js';
import { type Log } from './identities.js';
import { type LetterGroup } from './ledger.js';
import { isoText } from './schema.js';

/** A refusal as it comes in: sealed already by who wrote it to a topic, or not yet. */
export type Letter = Refusal | SealedRefusal;

/** Letters as they are written. */
export function sealed(log: Log, letters: Letter[]): SealedRefusal[] {
  return letters.map((letter) => ('sealed' in letter ? letter : sealedRefusal(letter, (tenant, payload) => sealerOf(log).seal(tenant, payload))));
}

function sealerOf({ sealer }: Log): Sealer {
  if (!sealer) throw new Error('a log that was opened without a sealer neither keeps an event nor opens one');
  return sealer;
}

/** What a row keeps: `payload` only where a process of an earlier version wrote it. */
export interface KeptPayload {
  tenant: string | null;
  sealed: Buffer | null;
  payload: string | null;
}

/** The kept event as JSON; null where nothing was kept, undefined where it was sealed under another key. */
export function opened(log: Log, { tenant, sealed: column, payload }: KeptPayload): string | null | undefined {
  const inside = column ?? (payload === null ? null : sealedIn(payload));
  if (inside === null || tenant === null) return payload;
  return sealerOf(log).open(tenant, inside) ?? undefined;
}

/** A kept event; undefined for what is no JSON, which only a stranger can have written. */
export function parsed(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    return undefined;
  }
}

/** A row's payload of an earlier version, closed. */
export function closed(log: Log, tenant: string, payload: string): Buffer {
  return sealedIn(payload) ?? sealerOf(log).seal(tenant, payload);
}

/** Writes letters down at the origin they came from. */
export async function bury(client: PoolClient, letters: SealedRefusal[], origin: number): Promise<void> {
  if (letters.length === 0) return;
  const column = (field: keyof SealedRefusal) => letters.map((letter) => letter[field]);
  await client.query(BURY, [
    origin, column('kind'), column('tenant'), column('deployment'), column('source'), column('type'), column('id'),
    column('field'), column('reason'), column('fix'), column('sealed'),
  ]);
}

const BURY = `insert into dead_letter (origin, received, kind, tenant, deployment, source, type, id, field, reason, fix, sealed)
  select $1, clock_timestamp(), * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bytea[])`;

export function unregistered({ tenant, event }: Pick<Incoming, 'tenant' | 'event'>): Refusal {
  return letter(tenant, event, UNREGISTERED, `no deployment "${event.deployment}" is registered for tenant "${tenant}"`,
    `register it (foothold deployment register ${event.deployment} --tenant ${tenant}): what waits for it is stored then`);
}

/** The field that a letter names which waits for its deployment. */
export const UNREGISTERED = 'deployment';

export function conflict({ tenant, event }: Pick<Numbered, 'tenant' | 'event'>): Refusal {
  return letter(tenant, event, 'id', 'this source has sent another event with the same id',
    'give every event an id of its own; repeat an id only to repeat the very same event');
}

function letter(tenant: string, event: UsageEvent, field: string, reason: string, fix: string): Refusal {
  return {
    kind: 'quarantined', field, reason, fix, tenant, deployment: event.deployment, source: event.source, type: event.type, id: event.id,
    payload: cloudEventOf(event),
  };
}

/** One letter with all there is to know about it. Times are ISO. */
export interface LetterView extends Omit<LetterGroup, 'count' | 'firstSeen' | 'lastSeen'> {
  tenant: string | null;
  deployment: string | null;
  source: string | null;
  type: string | null;
  /** The identity under which the log would know the event. */
  event: string | null;
  received: string;
  origin: { kind: string; name: string; part: number };
  /** Of the letters with the same fault. */
  group: { count: number; firstSeen: string; lastSeen: string };
  /** Whether something of the event is kept, and can be read with this process's key. */
  kept: 'nothing' | 'readable' | 'under another key';
  payload: unknown;
}

/** One of a tenant's letters, or of those that name none; undefined where there is no such letter. */
export async function deadLetter(log: Log, tenant: string, id: string): Promise<LetterView | undefined> {
  const [row] = await log.database.query<Omit<LetterView, 'kept' | 'payload'> & { sealed: Buffer | null; payload: string | null }>(LETTER, [tenant, id]);
  if (!row) return undefined;
  const { sealed: column, payload: plain, ...view } = row;
  const payload = opened(log, { tenant: view.tenant, sealed: column, payload: plain });
  const kept = payload === undefined ? 'under another key' : payload === null ? 'nothing' : 'readable';
  return { ...view, kept, payload: typeof payload === 'string' ? (parsed(payload) ?? payload) : null };
}

const LETTER = `
select dead_letter::text as id, l.kind, l.field, l.reason, l.fix, l.tenant, l.deployment, l.source, l.type, l.id as event, ${isoText('l.received')} as received,
       json_build_object('kind', o.kind, 'name', o.name, 'part', o.part) as origin, g.seen as group, l.sealed, l.payload
  from dead_letter l join origin o using (origin)
  cross join lateral (
    select json_build_object('count', count(*), 'firstSeen', ${isoText('min(s.received)')}, 'lastSeen', ${isoText('max(s.received)')}) as seen from dead_letter s
     where s.tenant is not distinct from l.tenant and (s.kind, s.field, s.reason, s.fix) = (l.kind, l.field, l.reason, l.fix)) g
 where dead_letter = $2 and (l.tenant = $1 or l.tenant is null)`;

export type LetterCounts = Record<LetterGroup['kind'], number>;

/** What lies there, and what became of the rest, of whichever tenant, as the ledger counts them. */
export interface LetterTally {
  lying: LetterCounts;
  expired: LetterCounts;
  redriven: number;
}

export async function tallyLetters(database: Database): Promise<LetterTally> {
  const [row] = await database.query<{ tally: LetterTally }>(TALLY);
  return row!.tally;
}

const TALLY = `
select json_build_object(
    'lying', json_build_object('rejected', coalesce(sum(rejected - expired_rejected), 0), 'quarantined', coalesce(sum(quarantined - expired_quarantined), 0)),
    'expired', json_build_object('rejected', coalesce(sum(expired_rejected), 0), 'quarantined', coalesce(sum(expired_quarantined), 0)),
    'redriven', coalesce(sum(redriven), 0)) as tally
  from origin`;
