/** The one place where an error becomes an HTTP status: problem+json (RFC 9457). */
import { Conflicting, Forbidden, Unauthenticated, Unknown, WrongInput } from '@foothold/contract';
import { Catch, HttpException, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { type FastifyReply } from 'fastify';
import { type Logger } from 'pino';
import { SETTINGS } from './config.js';
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

const FAULT = new Problem(500, 'Something is wrong here', { reason: 'a fault on our side; the log says more', fix: 'try again, and tell whoever runs Foothold if it stays' });

/** What is answered for any error. Of a bug nothing is told but that it was one. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof WrongInput) {
    if (Object.hasOwn(SETTINGS, error.field)) return FAULT; // what a setting is wrong with is no fault of who asks, and not for them to read
    const { field, reason, fix } = error;
    const [, status, title] = STATUSES.find(([type]) => error instanceof type)!;
    return new Problem(status, title, { field, reason, fix }, status === 401 ? { 'www-authenticate': 'Bearer' } : {});
  }
  if (isTransient(error)) return new Problem(503, 'Not available at the moment', { reason: 'the database does not answer', fix: 'try again later' }, { 'retry-after': String(RETRY_SECONDS) });
  // Fastify's and Nest's own: a route that is not there, a body that cannot be read, one too large.
  const { statusCode, code = '' } = (error ?? {}) as { statusCode?: number; code?: string };
  const status = error instanceof HttpException ? error.getStatus() : Number(statusCode ?? 500);
  if (status === 404) return new Problem(404, 'Not found', { reason: 'there is nothing at this path', fix: 'see /openapi.json for what there is' });
  if (status === 413) return new Problem(413, 'Too large', { field: 'body', reason: 'larger than this path takes', fix: 'send less at once' });
  if (status === 414) return new Problem(414, 'Too long', { field: 'path', reason: 'a part of it is longer than any name here', fix: 'see /openapi.json for what there is' });
  if (status === 415) return wrongContentType('what /openapi.json says of this path');
  if (code === 'FST_ERR_BAD_URL') return new Problem(400, 'Wrong input', { field: 'path', reason: 'cannot be decoded', fix: 'write percent signs as %25 and other characters in UTF-8' });
  if (status === 400) return new Problem(400, 'Wrong input', { field: 'body', reason: 'cannot be read as JSON', fix: 'send one JSON value, whole, in UTF-8' });
  if (status > 400 && status < 500) return new Problem(status, 'Wrong input', { reason: 'the request cannot be read', fix: 'see /openapi.json for its form' });
  return FAULT;
}

/** The path is there, for other methods. */
export function methodNotAllowed(allowed: string): Problem {
  return new Problem(405, 'Method not allowed', { field: 'method', reason: 'there is something at this path, for another method', fix: `use ${allowed}` }, { allow: allowed });
}

export function notAcceptable(choices: string): Problem {
  return new Problem(406, 'Not acceptable', { field: 'accept', reason: 'none of the media types it names can be given', fix: `accept ${choices}` });
}

/** @param header in which the request says what it expects */
export function preconditionFailed(header: string, reason: string, fix: string): Problem {
  return new Problem(412, 'Changed meanwhile', { field: header, reason, fix });
}

export function wrongContentType(choices: string): Problem {
  return new Problem(415, 'Wrong content type', { field: 'content-type', reason: 'not one this path reads', fix: `send ${choices}` });
}

/** What Node's HTTP server could not read, so that no path was ever asked. */
export function unreadable(error: { code?: string }): Problem {
  if (error.code === 'HPE_HEADER_OVERFLOW') return new Problem(431, 'Headers too large', { field: 'headers', reason: 'larger than is read', fix: 'send less in headers' });
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Problem(408, 'Too slow', { reason: 'the request did not come whole in time', fix: 'send it again' });
  return new Problem(400, 'Wrong input', { reason: 'this is no HTTP', fix: 'send an HTTP/1.1 request' });
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

export function send(reply: FastifyReply, problem: Problem): void {
  void reply.code(problem.status).headers({ 'cache-control': 'no-store', ...problem.headers }).type(PROBLEM).send(bodyOf(problem));
}

export const PROBLEM = 'application/problem+json';

export function bodyOf({ status, title, members }: Problem): string {
  const { reason, ...more } = members;
  return JSON.stringify({ type: 'about:blank', title, status, ...(reason === undefined ? {} : { detail: reason }), ...more });
}
