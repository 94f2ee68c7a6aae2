/**
 * From what a handler gives to an HTTP answer: JSON or CSV, with a tag by which whoever asks again learns that nothing
 * has changed without anything being computed. One span a request.
 */
import { csvForm, csvOf, WrongInput, type CsvForm, type Table } from '@foothold/contract';
import { inSpan, notAcceptable } from '@foothold/platform';
import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { firstValueFrom, from, type Observable } from 'rxjs';
import { holds, preferred, tagOf } from './negotiation.js';
import { OPERATION, type Operation } from './operations.js';

/** What a handler gives. */
export interface Given<Body = unknown> {
  /** Another text whenever the body may be another; left out, the body itself tells. */
  stamp?: string;
  body: Body | (() => Promise<Body>);
  /** As CSV: its rows, and what a file of them is called. */
  csv?: { table: (body: Body) => Table; file: string };
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
        const form = asCsv(request, operation.csv);
        const text = await give(request, reply, form, await firstValueFrom(next.handle()));
        span.setAttribute('http.response.status_code', reply.statusCode);
        return text;
      }),
    );
  }
}

/** The form of CSV that is asked for; null: JSON is. */
function asCsv(request: FastifyRequest, possible: boolean): CsvForm | null {
  const { format, locale } = request.query as { format?: string; locale?: string };
  const given = possible ? ['application/json', 'text/csv'] : ['application/json'];
  const type = format === undefined ? preferred(request.headers.accept, given) : format === 'csv' ? 'text/csv' : 'application/json';
  if (type === undefined) throw notAcceptable(given.join(' or '));
  if (type === 'text/csv') return csvForm(locale);
  if (locale !== undefined) throw new WrongInput('locale', 'JSON is the same in every locale', 'ask for CSV with format=csv, or leave it out');
  return null;
}

async function give<Body>(request: FastifyRequest, reply: FastifyReply, form: CsvForm | null, given: Given<Body>): Promise<string | undefined> {
  const { body, csv, stamp, status = 200, headers = {} } = given;
  const write = async (): Promise<string> => {
    const value = typeof body === 'function' ? await (body as () => Promise<Body>)() : body;
    return form ? csvOf(csv!.table(value), form) : JSON.stringify(value);
  };
  // Made of what somebody may see with this key only: nobody between may keep it, and whoever keeps it asks again.
  void reply.headers({ ...headers, 'cache-control': 'private, no-cache', vary: 'Authorization, Accept' }).type(form ? CSV_TYPE : JSON_TYPE);
  if (form) void reply.header('content-disposition', `attachment; filename="${csv!.file}.csv"`);
  if (request.method === 'POST' || request.method === 'PUT') {
    void reply.code(status);
    return write();
  }
  const written = stamp === undefined ? await write() : null;
  const tag = tagOf(form ? `csv ${form.separator}${form.decimal} ` : 'json ', written ?? stamp!);
  void reply.header('etag', tag);
  if (holds(request.headers['if-none-match'], tag)) {
    void reply.code(304).removeHeader('content-type').removeHeader('content-disposition');
    return undefined;
  }
  void reply.code(200);
  return written ?? write();
}
