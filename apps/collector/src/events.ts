/**
 * POST /v1/events: HTTP in, Kafka (or the log) out.
 *
 * What arrives: one CloudEvent or a batch, with a key. What leaves: 202 once everything is durable, with the events that
 * were refused; a single event that was refused is 422. Next is the recorder, or the projector where there is no Kafka.
 *
 *   onRequest   who sends: nobody's body is read before that is known
 *   parser      bytes up to the limit, no further
 *   handler     unpack, sift, sink, answer
 *
 * It is a route of the server itself, not of a controller: Nest reads bodies before it asks anybody.
 */
import { BATCH_BYTES } from '@foothold/contract';
import { currentTraceparent, inSpan, Problem, type Keys, type Logger, type Pseudonymiser } from '@foothold/platform';
import { metrics } from '@opentelemetry/api';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { BATCH, eventsOf, formOf, isPacked, SINGLE, tooLarge } from './body.js';
import { senderOf, type Sender } from './sender.js';
import { sift, type Sifted, type ToldRefusal } from './sift.js';
import { NotDurable, type Kept, type Sink } from './sink.js';

export const PATH = '/v1/events';
const RETRY_SECONDS = 5;
/** Browsers ask again whether they may send after so long; the last request of a page that is left has no time for it. */
const PREFLIGHT_SECONDS = 7_200;
const HEADERS = 'authorization, content-type, content-encoding, foothold-person, traceparent';
/** Batches of the SDK and of hosts: 1 to 1,000. */
const SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

export interface Answer {
  accepted: number;
  refused: ToldRefusal[];
}

export interface CollectorParts {
  keys: Keys;
  pseudonymiser: Pseudonymiser;
  logger: Logger;
  sink: () => Sink;
}

const SENDER = Symbol('Sender');
type Request = FastifyRequest & { [SENDER]?: Sender };

export function serveEvents(server: FastifyInstance, parts: CollectorParts): void {
  const meter = metrics.getMeter('foothold');
  const events = meter.createCounter('collector.events', { description: 'events by what became of them' });
  const sizes = meter.createHistogram('collector.batch.size', { description: 'events in a request', advice: { explicitBucketBoundaries: SIZES } });
  const count = ({ kept, refused }: Sifted): void => {
    sizes.record(kept.length);
    const passed = kept.filter((item) => 'event' in item).length;
    for (const [outcome, found] of [['accepted', passed], ['rejected', refused.length], ['quarantined', kept.length - passed - refused.length]] as const) if (found > 0) events.add(found, { outcome });
  };

  server.addContentTypeParser([SINGLE, BATCH], { parseAs: 'buffer', bodyLimit: BATCH_BYTES }, (_, body, done) => done(null, body));

  server.options(PATH, async (request, reply) => {
    const { origin } = request.headers;
    if (origin !== undefined && (await parts.keys.allowOrigin(origin))) {
      allow(reply, origin);
      void reply.headers({ 'access-control-allow-methods': 'POST', 'access-control-allow-headers': HEADERS, 'access-control-max-age': String(PREFLIGHT_SECONDS) });
    }
    return reply.code(204).header('allow', 'OPTIONS, POST').send();
  });

  server.post(PATH, {
    bodyLimit: BATCH_BYTES,
    errorHandler: (error) => {
      throw error.statusCode === 413 ? tooLarge() : error;
    },
    onRequest: async (request: Request, reply) => {
      const { origin, 'content-type': type, 'content-encoding': encoding } = request.headers;
      if (origin !== undefined && (await parts.keys.allowOrigin(origin))) allow(reply, origin);
      request[SENDER] = await senderOf(request.headers, parts.keys, Date.now());
      formOf(type);
      isPacked(encoding);
    },
    handler: async (request: Request, reply): Promise<Answer> => {
      const sender = request[SENDER]!;
      const { 'content-type': type, 'content-encoding': encoding, traceparent } = request.headers;
      const { values, batch, short } = await eventsOf(request.body as Buffer, formOf(type), isPacked(encoding));
      const sifted = await sift(values, short, sender, Date.now() * 1000, (tenant, person) => parts.pseudonymiser.pseudonym(tenant, person));
      const { kept, refused } = sifted;
      await inSpan('collect', { events: kept.length, refused: refused.length }, tracesOf(traceparent, kept), () => keep(parts.sink(), sender.tenant, kept));
      count(sifted);
      if (!batch && refused.length > 0) {
        const [{ field, reason, fix }] = refused as [ToldRefusal];
        throw new Problem(422, 'Event refused', { field, reason, fix, accepted: 0, refused });
      }
      void reply.code(202).header('cache-control', 'no-store');
      return { accepted: kept.length - refused.length, refused };
    },
  });
}

async function keep(sink: Sink, tenant: string, kept: Kept[]): Promise<void> {
  const here = currentTraceparent();
  try {
    // What carries no trace of its own is of this request's.
    if (kept.length > 0) await sink.take(tenant, kept.map((item) => ('event' in item && item.traceparent === undefined ? { ...item, traceparent: here } : item)));
  } catch (error) {
    if (!(error instanceof NotDurable)) throw error;
    throw new Problem(503, 'Not available at the moment', { reason: error.message, fix: 'send the same again, with the same ids: nothing is counted twice' }, { 'retry-after': String(RETRY_SECONDS) });
  }
}

function* tracesOf(traceparent: string | string[] | undefined, kept: Kept[]): Generator<string | undefined> {
  yield traceparent as string | undefined;
  for (const item of kept) if ('event' in item) yield item.traceparent;
}

function allow(reply: FastifyReply, origin: string): void {
  void reply.headers({ 'access-control-allow-origin': origin, 'access-control-expose-headers': 'retry-after', vary: 'origin' });
}
