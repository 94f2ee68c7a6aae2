/**
 * The document at /openapi.json: OpenAPI 3.1, made of the operations that requests are checked against, and of the event
 * schemas that the boundary checks events against. It covers the whole way in and out: POST /v1/events too, which the
 * collector answers.
 */
import { BATCH_BYTES, BATCH_EVENTS, EVENT_NAMES, HealthReport, jsonSchema, ProblemShape, typeOf } from '@foothold/contract';
import { type KeyKind } from '@foothold/platform';
import { type TSchema } from 'typebox';
import { OPERATIONS, type Operation } from './operations.js';
import { EVENT_EXAMPLE, named, SCHEMAS } from './schemas.js';

type Json = Record<string, unknown>;

const SECURITY: Record<KeyKind, string> = { read: 'readKey', write: 'writeKey', publishable: 'publishableKey' };
const ref = (section: string, name: string): Json => ({ $ref: `#/components/${section}/${name}` });

/** Every problem that operations answer, by status. */
const PROBLEMS: Record<number, [name: string, description: string]> = {
  400: ['WrongInput', 'A parameter or field is wrong; `field` says which, `fix` what to send.'],
  401: ['NotAuthenticated', 'There is no key, or none that counts.'],
  403: ['NotAllowed', 'The key may not do this.'],
  404: ['NotFound', 'There is nothing of that name for this key.'],
  406: ['NotAcceptable', 'None of the media types that the header Accept names can be given.'],
  409: ['Contradiction', 'It contradicts what stands already, or the same request (by its Idempotency-Key) is being done at this moment.'],
  412: ['Changed', 'The deployment is at another version than If-Match says: see what stands, and decide anew.'],
  413: ['TooLarge', 'The body is larger than is taken.'],
  414: ['TooLong', 'A part of the path is longer than any name here.'],
  415: ['WrongContentType', 'The body is of a media type that is not read here.'],
  422: ['Refused', 'The event can be read and was refused; `refused` says why. Of a command: its Idempotency-Key came with another request before.'],
  500: ['Fault', 'A fault on our side.'],
  503: ['NotAvailable', 'Not possible at the moment; Retry-After says when to try again.'],
};
/** What any operation may answer, through no fault of who asks. */
const FAULTS = [500, 503];

export function openApi(): Json {
  const paths: Record<string, Json> = {};
  for (const operation of Object.values(OPERATIONS)) (paths[operation.path] ??= {})[operation.method.toLowerCase()] = described(operation);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Foothold',
      version: '1.0.0',
      summary: 'Shows, from evidence, whether a deployed AI system is really used, trusted and useful.',
      description: 'Events go in with a write or publishable key, questions are answered to a read key. Every error is `application/problem+json` with the field and the fix. Unknown parameters and fields are refused. Answers carry an ETag: send it as If-None-Match and get 304 where nothing has changed, not even how far the answer is complete.',
    },
    servers: [{ url: '/' }],
    tags: [
      { name: 'Events', description: 'What happened, and what became of it.' }, { name: 'Deployments', description: 'The AI systems that are watched.' },
      { name: 'Questions', description: 'What the metrics say.' }, { name: 'Operation', description: 'For whoever runs it; without a key.' },
    ],
    paths: { '/v1/events': { post: EVENTS }, ...paths, ...OPERATION },
    components: {
      schemas: { ...Object.fromEntries(SCHEMAS.map(([name, schema]) => [name, named(schema, false)])), Problem: named(ProblemShape), HealthReport: named(HealthReport), ...eventSchemas() },
      responses: Object.fromEntries(Object.entries(PROBLEMS).map(([status, [name, description]]) => [name, problemResponse(Number(status), description)])),
      headers: HEADERS,
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

function described({ id, path, tag, summary, description, keys, parameters, query, body, file, answer, conditional, csv, statuses, method, examples }: Operation): Json {
  const content = {
    'application/json': { schema: named(answer), example: examples.answer },
    ...(csv ? { 'text/csv': { schema: { type: 'string', description: 'RFC 4180 with a header line; texts that a spreadsheet would take for formulas begin with an apostrophe.' } } } : {}),
  };
  const problems = [400, 401, 403, 406, ...(path.includes('{') ? [414] : []), ...(body ? [409, 413, 415, 422] : []), ...FAULTS];
  const responses: Record<string, Json> = {};
  for (const [status, meaning] of Object.entries(statuses)) {
    if (Number(status) < 300) responses[status] = { description: meaning, headers: headersOf(method, Number(status), id, csv), content };
    else responses[status] = ref('responses', PROBLEMS[Number(status)]![0]);
  }
  if (method === 'GET') responses['304'] = { description: 'Nothing has changed since the answer that If-None-Match names.', headers: headersOf(method, 304, id, false) };
  for (const status of problems) responses[status] = ref('responses', PROBLEMS[status]![0]);
  return {
    operationId: id, tags: [tag], summary, description,
    security: keys.map((kind) => ({ [SECURITY[kind]]: [] })),
    parameters: [...parametersOf('path', parameters, examples.parameters), ...parametersOf('query', query, examples.query), ...(conditional ? [IF_MATCH] : []), ...(body ? [IDEMPOTENCY_KEY] : [])],
    ...(body ? { requestBody: { required: true, content: { 'application/json': { schema: named(body), example: examples.body }, ...(file ? { [file.type]: { schema: { type: 'string', description: file.description }, example: file.example } } : {}) } } } : {}),
    responses,
  };
}

function parametersOf(place: 'path' | 'query', { properties, required }: Operation['query'], examples: Json = {}): Json[] {
  return Object.entries(properties as Record<string, TSchema>).map(([name, schema]) => {
    const { description, ...rest } = schema as TSchema & { description?: string; type?: string };
    const list = rest.type === 'array' ? { style: 'form', explode: false } : {};
    return { name, in: place, required: place === 'path' || ((required ?? []) as string[]).includes(name), description, ...list, schema: rest, ...(name in examples ? { example: examples[name] } : {}) };
  });
}

const IF_MATCH: Json = {
  name: 'If-Match', in: 'header', required: false, description: 'The version of the deployment that this was decided on, in quotes; left out: any, and the last to decide wins.', schema: { type: 'string', pattern: '^"[0-9]{1,9}"$' },
};

const IDEMPOTENCY_KEY: Json = {
  name: 'Idempotency-Key', in: 'header', required: false, schema: { type: 'string', pattern: '^[!-~]{1,255}$' },
  description: 'Made once for this request, such as a UUID: sent again with the same request within 24 hours, it is done once and answered the same. Errors are not remembered.',
};

const HEADERS: Record<string, Json> = {
  ETag: { description: 'Names this answer; another one whenever it may be another.', schema: { type: 'string', pattern: '^"[A-Za-z0-9_-]+"$' } },
  'Cache-Control': { description: 'Only whoever asked may keep it, and asks again before using it.', schema: { type: 'string', const: 'private, no-cache' } },
  Vary: { description: 'What else the answer depends on.', schema: { type: 'string' } },
  'Content-Disposition': { description: 'Of CSV: what the file is called.', schema: { type: 'string', pattern: '^attachment; filename="[A-Za-z0-9._-]+[.]csv"$' } },
  'Idempotency-Replayed': { description: 'There where this was answered before, to the same request with the same Idempotency-Key.', schema: { type: 'string', const: 'true' } },
  Location: { description: 'Where the deployment can be found.', schema: { type: 'string', pattern: '^/v1/deployments/[A-Za-z0-9._-]{1,64}$' } },
  Link: { description: 'Where there may be more: the next groups, rel="next".', schema: { type: 'string' } },
  'WWW-Authenticate': { description: 'How to authenticate.', schema: { type: 'string', const: 'Bearer' } },
  'Retry-After': { description: 'Seconds after which to try again.', schema: { type: 'string', pattern: '^[0-9]+$' } },
};

function headersOf(method: string, status: number, id: string, csv: boolean): Json {
  const names = ['Cache-Control', 'Vary', ...(method === 'GET' ? ['ETag'] : ['Idempotency-Replayed', ...(id === 'registerDeployment' ? ['Location'] : [])]), ...(id === 'listDeadLetters' && status === 200 ? ['Link'] : []), ...(csv ? ['Content-Disposition'] : [])];
  return Object.fromEntries(names.map((name) => [name, ref('headers', name)]));
}

function problemResponse(status: number, description: string): Json {
  const header = { 401: 'WWW-Authenticate', 503: 'Retry-After' }[status];
  const example = status === 400 ? { type: 'about:blank', title: 'Wrong input', status, detail: 'a string of 6 characters: not of the form it must have', field: 'from', fix: 'send a day as YYYY-MM-DD such as 2026-01-31, or leave the field out' } : undefined;
  return {
    description,
    ...(header ? { headers: { [header]: ref('headers', header) } } : {}),
    content: { 'application/problem+json': { schema: ref('schemas', 'Problem'), ...(example ? { example } : {}) } },
  };
}

const SECURITY_SCHEMES: Json = {
  readKey: { type: 'http', scheme: 'bearer', bearerFormat: 'fhr_…', description: 'A read key, for questions. Made with `foothold key create`.' },
  writeKey: { type: 'http', scheme: 'bearer', bearerFormat: 'fhw_…', description: 'A write key, for backends: secret. It sends events and registers deployments, and reads nothing.' },
  publishableKey: { type: 'http', scheme: 'bearer', bearerFormat: 'fhp_…', description: 'A publishable key, for browsers. It sends events about the person whom the person token names, and does nothing else.' },
  personToken: { type: 'apiKey', in: 'header', name: 'Foothold-Person', description: 'Who the person is, signed by the host’s backend: a compact JWT (EdDSA) with the claims sub, iat, exp (at most an hour after iat) and, if it is for one only, deployment.' },
};

function eventSchemas(): Json {
  const types = EVENT_NAMES.map((name) => [typeOf(name), name] as const);
  const schemas = Object.fromEntries(types.map(([type, name]) => {
    const parts = Object.entries(jsonSchema(name)).filter(([keyword]) => keyword !== '$schema' && keyword !== '$id'); // here it is named by its place
    return [type, Object.fromEntries(parts)];
  }));
  return {
    ...schemas,
    UsageEvent: {
      description: 'A usage event: a CloudEvent 1.0 in JSON. With a publishable key `subject` and `actor` are left out: the person token says who it is.',
      oneOf: types.map(([type]) => ref('schemas', type)),
      discriminator: { propertyName: 'type', mapping: Object.fromEntries(types.map(([type]) => [type, `#/components/schemas/${type}`])) },
    },
    Accepted: {
      type: 'object', description: 'What became of the events.', required: ['accepted', 'refused'],
      properties: { accepted: { type: 'integer', minimum: 0, description: 'How many are kept; those that may become valid later are among them.' }, refused: { type: 'array', description: 'Those that were refused.', items: ref('schemas', 'RefusedEvent') } },
    },
    RefusedEvent: {
      type: 'object', description: 'An event that can never become valid.', required: ['index', 'kind', 'field', 'reason', 'fix'],
      properties: {
        index: { type: 'integer', minimum: 0, description: 'Its place in the batch.' }, kind: { type: 'string', const: 'rejected', description: 'Refused for good.' },
        field: { type: 'string', description: 'What is wrong.' }, reason: { type: 'string', description: 'What is wrong with it; never the value.' }, fix: { type: 'string', description: 'What to do.' },
      },
    },
  };
}

/** What the collector answers. */
const EVENTS: Json = {
  operationId: 'sendEvents', tags: ['Events'], summary: 'Send usage events',
  description: `One event, or a batch of at most ${BATCH_EVENTS} events and ${BATCH_BYTES / 1024 / 1024} MB; content-encoding gzip is read. 202 is answered when they are durable, and not before: where it is not, send the same again, with the same ids, and nothing is counted twice.`,
  security: [{ writeKey: [] }, { publishableKey: [], personToken: [] }, { publishableKey: [] }],
  requestBody: {
    required: true,
    content: {
      'application/cloudevents+json': { schema: ref('schemas', 'UsageEvent'), example: EVENT_EXAMPLE },
      'application/cloudevents-batch+json': { schema: { type: 'array', maxItems: BATCH_EVENTS, items: ref('schemas', 'UsageEvent') }, example: [EVENT_EXAMPLE] },
    },
  },
  responses: {
    202: { description: 'Durable, but for those in `refused`.', content: { 'application/json': { schema: ref('schemas', 'Accepted'), example: { accepted: 1, refused: [] } } } },
    ...Object.fromEntries([400, 401, 403, 413, 415, 422, ...FAULTS].map((status) => [status, ref('responses', PROBLEMS[status]![0])])),
  },
};

const report = (description: string): Json => ({ description, content: { 'application/json': { schema: ref('schemas', 'HealthReport') } } });
const shown = (summary: string, operationId: string, responses: Json): Json => ({ get: { operationId, tags: ['Operation'], summary, security: [], responses } });

/** What every process answers, and this document. */
const OPERATION: Record<string, Json> = {
  '/health/live': shown('Does it make progress?', 'healthLive', { 200: report('It does.'), 503: report('A part of it has stood still for too long: restart it.') }),
  '/health/ready': shown('Can it do its work?', 'healthReady', { 200: report('It can.'), 503: report('What it needs does not answer.') }),
  '/metrics': shown('Its own metrics, for Prometheus', 'ownMetrics', { 200: { description: 'In the text format.', content: { 'text/plain': { schema: { type: 'string' } } } } }),
  '/openapi.json': shown('This document', 'openApi', { 200: { description: 'OpenAPI 3.1.', content: { 'application/json': { schema: { type: 'object' } } } }, 304: { description: 'Nothing has changed since the answer that If-None-Match names.' } }),
};
