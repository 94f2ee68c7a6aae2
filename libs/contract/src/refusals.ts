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

/** Room for an event, its repetition as pseudonyms, and words. */
const REFUSAL_BYTES = 2 * EVENT_BYTES;
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

/** A refusal as the collector writes it to the topic of dead letters; its tenant goes beside it. */
export function writtenRefusal({ tenant: _, ...refusal }: Refusal): string {
  return JSON.stringify(refusal);
}

/** Reads what `writtenRefusal` wrote; what somebody else wrote there is a refusal of its own. */
export function readRefusal(bytes: Uint8Array, tenant: string): Refusal {
  const foreign = (reason: string) => refusalOf(undefined, tenant, 'rejected', { field: 'value', reason, fix: 'only the collector writes this topic; send events to it, or to <prefix>.usage.<tenant>.v1' });
  if (bytes.length > REFUSAL_BYTES) return foreign(`${bytes.length} bytes, more than a refusal has`);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  try {
    const value: unknown = JSON.parse(text);
    if (written.Check(value) && !UNSTORABLE.test(text) && !UNSTORABLE.test(`${value.field}${value.reason}${value.fix}${value.payload}`)) return { ...value, tenant };
  } catch {
    // told below
  }
  return foreign(`${bytes.length} bytes that are no refusal`);
}
