/** The one place where an error becomes an HTTP status: problem+json (RFC 9457). */
import { Conflicting, Forbidden, Unauthenticated, Unknown, WrongInput } from '@foothold/contract';
import { Catch, HttpException, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { type FastifyReply } from 'fastify';
import { type Logger } from 'pino';
import { isTransient } from './database.js';
import { errorText } from './errors.js';
import { LOGGER } from './tokens.js';

/** An error whose status only the HTTP side of a process can know, such as a body too large or an event refused. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    /** Says what, in a few words that are the same each time. */
    readonly title: string,
    /** Says what exactly: `field`, `reason` and `fix` as everywhere, and whatever else helps. */
    readonly members: { field?: string; reason?: string; fix?: string; [more: string]: unknown } = {},
    readonly headers: Record<string, string> = {},
  ) {
    super(title);
    this.name = 'Problem';
  }
}

/** Of the most particular class first. */
const STATUSES: [type: abstract new (...args: never[]) => WrongInput, status: number, title: string][] = [
  [Unauthenticated, 401, 'Not authenticated'],
  [Forbidden, 403, 'Not allowed'],
  [Unknown, 404, 'Not found'],
  [Conflicting, 409, 'Contradicts what stands'],
  [WrongInput, 400, 'Wrong input'],
];

const RETRY_SECONDS = 5;

/** What is answered for any error. Of a bug nothing is told but that it was one. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof WrongInput) {
    const { field, reason, fix } = error;
    const [, status, title] = STATUSES.find(([type]) => error instanceof type)!;
    return new Problem(status, title, { field, reason, fix }, status === 401 ? { 'www-authenticate': 'Bearer' } : {});
  }
  if (isTransient(error)) return new Problem(503, 'Not available at the moment', { reason: 'the database does not answer', fix: 'try again later' }, { 'retry-after': String(RETRY_SECONDS) });
  // Fastify's and Nest's own: a route that is not there, a body that cannot be read, one too large.
  const status = error instanceof HttpException ? error.getStatus() : Number((error as { statusCode?: number })?.statusCode ?? 500);
  if (status === 404) return new Problem(404, 'Not found', { reason: 'there is nothing at this path for this method', fix: 'see /openapi.json for what there is' });
  if (status === 413) return new Problem(413, 'Too large', { field: 'body', reason: 'larger than this path takes', fix: 'send less at once' });
  if (status === 415) return new Problem(415, 'Wrong content type', { field: 'content-type', reason: 'not one this path reads', fix: 'see /openapi.json for what it reads' });
  if (status >= 400 && status < 500) return new Problem(status, 'Wrong input', { reason: 'the request cannot be read', fix: 'see /openapi.json for its form' });
  return new Problem(500, 'Something is wrong here', { reason: 'a fault on our side; the log says more', fix: 'try again, and tell whoever runs Foothold if it stays' });
}

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const problem = problemOf(error);
    if (problem.status === 500) this.logger.error({ stack: error instanceof Error ? error.stack : undefined }, 'a request failed: %s', errorText(error));
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (!reply.sent) send(reply, problem);
  }
}

export function send(reply: FastifyReply, { status, title, members, headers }: Problem): void {
  const { reason, ...more } = members;
  void reply.code(status).headers(headers).type('application/problem+json').send(JSON.stringify({ type: 'about:blank', title, status, ...(reason === undefined ? {} : { detail: reason }), ...more }));
}
