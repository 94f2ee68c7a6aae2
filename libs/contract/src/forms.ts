/**
 * The forms text takes in an event, each as a pattern for machines and in words for people.
 * The patterns keep to what regular expressions of every language read alike: the published schemas carry them.
 */
import Type from 'typebox';

const DATE = '\\d{4}-\\d\\d-\\d\\d';
/** The years a microsecond can be counted in exactly: 1685 to 2254. */
const YEAR = '(168[5-9]|169\\d|1[7-9]\\d\\d|2[01]\\d\\d|22[0-4]\\d|225[0-4])';
const TIME = '[Tt]\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?([Zz]|[+-]\\d\\d:\\d\\d)';
const DAY = `${YEAR}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])`;
const HOUR = '([01]\\d|2[0-3])';
const TIME_OF_DAY = `[Tt]${HOUR}:[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?([Zz]|[+-]${HOUR}:[0-5]\\d)`;

export const FORMS = {
  /** For grouping by, from a list the host keeps. Neither a sentence nor an e-mail address fits. */
  code: { pattern: '^[A-Za-z0-9][A-Za-z0-9._:/+-]{0,127}$', words: 'a code of 1 to 128 letters, digits and . _ : / + - that begins with a letter or digit' },
  /** The host's own name of a thing. */
  id: { pattern: '^[!-?A-~]{1,128}$', words: 'an id of 1 to 128 visible ASCII characters without @' },
  /** A local day. */
  day: { pattern: `^${DAY}$`, words: 'a day as YYYY-MM-DD such as 2026-01-31' },
  country: { pattern: '^[A-Z]{2}$', words: 'two capital letters such as NO' },
  locale: { pattern: '^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,7}$', words: 'a BCP 47 tag such as nb-NO or en-GB' },
  timeZone: { pattern: '^[A-Za-z][A-Za-z0-9._/+-]{0,63}$', words: 'an IANA time zone such as Europe/Oslo or UTC' },
  /** Where a span begins or ends. */
  moment: { pattern: `^${DATE}(${TIME})?$`, words: 'a day such as 2026-01-05, or a date-time with offset such as 2026-01-05T09:30:00Z' },
  /** A person as the host knows them; never stored. */
  person: { pattern: '^[^\\x00-\\x1F\\x7F]{1,256}$', words: 'the person as the host knows them: a string of 1 to 256 characters without control characters' },
  eventId: { pattern: '^[^\\x00-\\x1F\\x7F]{1,128}$', words: 'a UUIDv7, or any text of 1 to 128 characters without control characters that is unique within the source' },
  source: { pattern: '^[!-?A-~]{1,256}$', words: 'a URI reference of 1 to 256 visible ASCII characters without @ such as urn:acme:erp' },
  schemaUri: { pattern: '^[!-~]{1,512}$', words: 'a URI of 1 to 512 visible ASCII characters' },
  dateTime: { pattern: `^${DATE}${TIME}$`, words: 'an RFC 3339 date-time with Z or an offset such as 2026-01-05T09:30:00.123Z' },
  mediaType: { pattern: '^application/json(; ?charset=(utf-8|UTF-8))?$', words: 'application/json' },
  deployment: { pattern: '^[A-Za-z0-9._-]{1,64}$', words: 'the id of a deployment: 1 to 64 letters, digits, ., _ and -' },
  sequence: { pattern: '^[0-9]{1,20}$', words: 'a string of 1 to 20 digits' },
  traceparent: { pattern: '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$', words: 'a W3C traceparent such as 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
} as const;

/** What names an event within its source. */
export const EVENT_ID = new RegExp(FORMS.eventId.pattern, 'u');
/**
 * Times are read after their form is checked, so the form need not keep out an hour 25, and events are many. Hosts who check
 * with the published schemas do not read: these patterns stand there instead, and leave only such days as February 30.
 */
export const PUBLISHED = new Map<unknown, string>([
  [FORMS.moment.pattern, `^${DAY}(${TIME_OF_DAY})?$`],
  [FORMS.dateTime.pattern, `^${DAY}${TIME_OF_DAY}$`],
]);

/** A person as the host knows them. */
export const PERSON = new RegExp(FORMS.person.pattern, 'u');
/** What a deployment may be called. */
export const DEPLOYMENT = new RegExp(FORMS.deployment.pattern);
/** What a kind of task, a reason, a model may be called. */
export const CODE = new RegExp(FORMS.code.pattern);

/** A string of a form; `description` says what it means here. */
export const text = (form: keyof typeof FORMS, description: string) => Type.String({ pattern: FORMS[form].pattern, description });
