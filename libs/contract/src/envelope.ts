/**
 * What surrounds the data of a usage event: the CloudEvents 1.0 attributes Foothold knows. Any other attribute is
 * refused, since nobody can say what it holds.
 */
import Type from 'typebox';
import { text } from './forms.js';

/** Most bytes of one event as JSON in UTF-8. */
export const EVENT_BYTES = 32 * 1024;
/** Most events in one batch. */
export const BATCH_EVENTS = 1000;
/** Most bytes of one batch. */
export const BATCH_BYTES = 4 * 1024 * 1024;

/** The attributes every event may have; whether `subject` must be there, `type` and `data` depend on the event. */
export const ATTRIBUTES = {
  specversion: Type.Literal('1.0', { description: 'The version of CloudEvents.' }),
  id: text('eventId', 'Names the event within its source and stays the same when it is sent again: a UUIDv7, or any name of the host such as erp:4711:2.'),
  source: text('source', 'The host application.'),
  type: Type.String({ description: 'Which usage event this is, in which version: foothold.<name>.v<version>.' }),
  subject: Type.Optional(text('person', 'The person it is about, as the host knows them; an event about an invocation names the person whose invocation it is. Becomes a pseudonym before anything is stored.')),
  time: text('dateTime', 'When it happened; kept to the microsecond.'),
  datacontenttype: Type.Optional(text('mediaType', 'The form of data, which is always JSON.')),
  dataschema: Type.Optional(text('schemaUri', 'Where the schema of data can be found; nothing reads it.')),
  deployment: text('deployment', 'The AI system in use there that it is about, under the id it is registered with.'),
  sequence: Type.Optional(text('sequence', 'Counts up by one within a session of the SDK, so that a gap shows what was lost.')),
  senttime: Type.Optional(text('dateTime', 'When it was sent, by the clock that gave time.')),
  traceparent: Type.Optional(text('traceparent', 'The trace of the work that reported it.')),
};

/** An event with any data. */
export const Envelope = Type.Object({ ...ATTRIBUTES, data: Type.Object({}, { description: 'What happened.' }) }, { additionalProperties: false });
