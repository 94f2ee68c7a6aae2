/**
 * From what a handler gives to an HTTP answer: JSON or CSV, with a tag by which whoever asks again learns that nothing
 * has changed without anything being computed. One span a request.
 */
import { inSpan, notAcceptable } from '@foothold/platform';
import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { firstValueFrom, from, type Observable } from 'rxjs';
import { csvOf, type Table } from './csv.js';
import { holds, preferred, tagOf } from './negotiation.js';
import { OPERATION, type Operation } from './operations.js';

/** What a handler gives. */
export interface Given<Body = unknown> {
  /** Another text whenever the body may be another; left out, the body itself tells. */
  stamp?: string;
  body: Body | (() => Promise<Body>);
  table?: (body: Body) => Table;
  status?: 200 | 201;
  headers?: Record<string, string>;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const CSV_TYPE = 'text/csv; charset=utf-8; header=present';

@Injectable()
export class Answering implements NestInterceptor {
  constructor(@Inject(Reflector) private readonly reflector: Reflector) {}

  intercept(context: ExecutionContext, next: CallHandler<Given>): Observable<string | undefined> {
    const operation = this.reflector.get<Operation>(OPERATION, context.getHandler());
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return from(
      inSpan(`api ${operation.id}`, { 'http.request.method': request.method, 'http.route': operation.path }, [request.headers.traceparent as string | undefined], async (span) => {
        const csv = asCsv(request, operation.csv);
        const text = await give(request, reply, csv, await firstValueFrom(next.handle()));
        span.setAttribute('http.response.status_code', reply.statusCode);
        return text;
      }),
    );
  }
}

function asCsv(request: FastifyRequest, possible: boolean): boolean {
  const { format } = request.query as { format?: string };
  if (format !== undefined) return format === 'csv';
  const given = possible ? ['application/json', 'text/csv'] : ['application/json'];
  const type = preferred(request.headers.accept, given);
  if (type === undefined) throw notAcceptable(given.join(' or '));
  return type === 'text/csv';
}

async function give<Body>(request: FastifyRequest, reply: FastifyReply, csv: boolean, given: Given<Body>): Promise<string | undefined> {
  const { body, table, stamp, status = 200, headers = {} } = given;
  const write = async (): Promise<string> => {
    const value = typeof body === 'function' ? await (body as () => Promise<Body>)() : body;
    return csv ? csvOf(table!(value)) : JSON.stringify(value);
  };
  // Made of what somebody may see with this key only: nobody between may keep it, and whoever keeps it asks again.
  void reply.headers({ ...headers, 'cache-control': 'private, no-cache', vary: 'Authorization, Accept' }).type(csv ? CSV_TYPE : JSON_TYPE);
  if (request.method === 'POST' || request.method === 'PUT') {
    void reply.code(status);
    return write();
  }
  const written = stamp === undefined ? await write() : null;
  const tag = tagOf(csv ? 'csv ' : 'json ', written ?? stamp!);
  void reply.header('etag', tag);
  if (holds(request.headers['if-none-match'], tag)) {
    void reply.code(304).removeHeader('content-type');
    return undefined;
  }
  void reply.code(200);
  return written ?? write();
}
