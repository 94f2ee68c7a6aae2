/** Refusals between processes: how the collector writes down what it refused, and how the recorder reads it. */
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { type Refusal } from './boundary.js';
import { EVENT_BYTES } from './envelope.js';
import { DEPLOYMENT, EVENT_ID, FORMS } from './forms.js';
import { identityOf } from './identity.js';
import { UNSTORABLE } from './rules.js';
import { readType } from './versions.js';

const SOURCE = new RegExp(FORMS.source.pattern);

const matching = (value: unknown, form: RegExp): string | null => (typeof value === 'string' && form.test(value) ? value : null);

/**
 * The refusal of an event for what is wrong with it, naming it only where what names it is well-formed.
 * @param event whatever was sent
 * @param payload what of it is kept, with pseudonyms for people; null where it may hold personal data
 */
export function refusalOf(event: unknown, tenant: string, kind: Refusal['kind'], { field, reason, fix }: Pick<Refusal, 'field' | 'reason' | 'fix'>, payload: string | null = null): Refusal {
  const { deployment, source, type, id } = (typeof event === 'object' && event !== null ? event : {}) as Record<string, unknown>;
  const knownSource = matching(source, SOURCE);
  const knownId = matching(id, EVENT_ID);
  return {
    kind,
    field,
    reason,
    fix,
    tenant,
    deployment: matching(deployment, DEPLOYMENT),
    source: knownSource,
    type: typeof type === 'string' && readType(type).kind !== 'unknown' ? type : null,
    id: knownSource === null || knownId === null || UNSTORABLE.test(knownId) ? null : identityOf(knownSource, knownId),
    payload,
  };
}

/** A refusal as it rests, in a topic or a table: nobody reads what is kept of the event without the tenant's key. */
export interface SealedRefusal extends Omit<Refusal, 'payload'> {
  /** null where nothing of the event may be kept. */
  sealed: Buffer | null;
}

/** @param seal closes a text of a tenant */
export function sealedRefusal({ payload, ...refusal }: Refusal, seal: (tenant: string, payload: string) => Buffer): SealedRefusal {
  return { ...refusal, sealed: payload === null || refusal.tenant === null ? null : seal(refusal.tenant, payload) };
}

/** Room for words and the event, whose numbers may take five times as long to write as they came, sealed and in base64. */
const REFUSAL_BYTES = 8 * EVENT_BYTES;
const WORDS = Type.String({ minLength: 1, maxLength: 2_000 });
const orNull = (pattern: string) => Type.Union([Type.String({ pattern }), Type.Null()]);
const written = Compile(
  Type.Object(
    {
      kind: Type.Enum(['rejected', 'quarantined']), field: WORDS, reason: WORDS, fix: WORDS,
      deployment: orNull(FORMS.deployment.pattern), source: orNull(FORMS.source.pattern), type: orNull('^[a-z.]{1,64}v[0-9]{1,6}$'),
      id: orNull('^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'), payload: Type.Union([Type.String(), Type.Null()]),
    },
    { additionalProperties: false },
  ),
);

const SEALED = 'sealed:';

/** What a payload's text seals; null where it is the payload itself, as the version before this one wrote it. */
export function sealedIn(text: string): Buffer | null {
  return text.startsWith(SEALED) ? Buffer.from(text.slice(SEALED.length), 'base64') : null;
}

/** A refusal as the collector writes it to the topic of dead letters; its tenant goes beside it. */
export function writtenRefusal({ tenant: _, sealed, ...refusal }: SealedRefusal): string {
  // In the field that had the payload itself: a recorder of the version before, in the middle of an upgrade, takes it too.
  return JSON.stringify({ ...refusal, payload: sealed && `${SEALED}${sealed.toString('base64')}` });
}

/** Reads what `writtenRefusal` wrote, in this version or the one before; what somebody else wrote there is a refusal of its own. */
export function readRefusal(bytes: Uint8Array, tenant: string): Refusal | SealedRefusal {
  const foreign = (reason: string) => refusalOf(undefined, tenant, 'rejected', { field: 'value', reason, fix: 'only the collector writes this topic; send events to it, or to <prefix>.usage.<tenant>.v1' });
  if (bytes.length > REFUSAL_BYTES) return foreign(`${bytes.length} bytes, more than a refusal has`);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  try {
    const value: unknown = JSON.parse(text);
    if (written.Check(value) && !UNSTORABLE.test(text) && !UNSTORABLE.test(`${value.field}${value.reason}${value.fix}${value.payload}`)) {
      const { payload, ...refusal } = value;
      const sealed = payload === null ? null : sealedIn(payload);
      return sealed ? { ...refusal, tenant, sealed } : { ...value, tenant };
    }
  } catch {
    // told below
  }
  return foreign(`${bytes.length} bytes that are no refusal`);
}
