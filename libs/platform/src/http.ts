/**
 * HTTP for any process: the server, and what every one answers: /health/live, /health/ready, /metrics; what a path that
 * is there says to a method it does not take; how long each request took.
 */
import { metrics } from '@opentelemetry/api';
import { Controller, Get, Inject, Res } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { STATUS_CODES } from 'node:http';
import { type Socket } from 'node:net';
import { Health, type Report } from './health.js';
import { bodyOf, methodNotAllowed, PROBLEM, problemOf, send, unreadable } from './problem.js';
import { metricsText } from './telemetry.js';

/** How long a client may take to send a request whole: a slow one must not hold a connection for ever. */
const REQUEST_MS = 30_000;
const IDLE_MS = 65_000;
/** What a path takes that does not say otherwise. */
const BODY_BYTES = 64 * 1024;
/** Characters of one part of a path; longer ones are refused before anybody looks at them. */
const PART_CHARACTERS = 256;
/** Seconds, as OpenTelemetry's conventions for HTTP advise. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

export function openHttp(): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: IDLE_MS,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: PART_CHARACTERS },
    frameworkErrors: (error: unknown, _request: FastifyRequest, reply: FastifyReply) => send(reply, problemOf(error)),
    clientErrorHandler: refuse,
  });
  answerOtherMethods(adapter);
  measure(adapter);
  return adapter;
}

/** OPTIONS tells the methods of a path, any other method it does not take is refused; before a body is read, after whoever answers preflights. */
function answerOtherMethods(adapter: FastifyAdapter): void {
  const server = adapter.getInstance();
  const routes: { path: RegExp; method: string }[] = [];
  server.addHook('onRoute', ({ url, method }) => {
    const path = new RegExp(`^${url.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/:[^/]+/g, '[^/]+')}/?$`);
    for (const one of [method].flat()) routes.push({ path, method: one });
  });
  server.addHook('preParsing', async (request, reply) => {
    if (!request.is404) return;
    const path = request.url.split('?', 1)[0]!;
    const methods = new Set(routes.filter((route) => route.path.test(path)).map(({ method }) => method));
    if (methods.size === 0) return;
    const allowed = [...methods.add('OPTIONS')].sort().join(', ');
    if (request.method === 'OPTIONS') void reply.code(204).header('allow', allowed).send();
    else send(reply, methodNotAllowed(allowed));
    return reply; // sent: nothing is parsed any more
  });
}

/** By method, route and status only: never by tenant, deployment or person. */
function measure(adapter: FastifyAdapter): void {
  const duration = metrics.getMeter('foothold').createHistogram('http.server.request.duration', {
    unit: 's', description: 'how long a request took, from its headers to the end of the answer', advice: { explicitBucketBoundaries: BUCKETS },
  });
  adapter.getInstance().addHook('onResponse', (request, reply, done) => {
    const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
    const method = request.is404 ? 'other' : request.method;
    duration.record(reply.elapsedTime / 1000, { 'http.request.method': method, 'http.route': route, 'http.response.status_code': reply.statusCode });
    done();
  });
}

/** Answers what never became a request. */
function refuse(error: Error & { code?: string }, socket: Socket): void {
  if (error.code !== 'ECONNRESET' && socket.writable) {
    const problem = unreadable(error);
    const body = bodyOf(problem);
    socket.write(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\nContent-Type: ${PROBLEM}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
  }
  socket.destroySoon();
}

@Controller()
export class HealthController {
  constructor(@Inject(Health) private readonly health: Health) {}

  @Get('health/live')
  live(@Res({ passthrough: true }) reply: FastifyReply): Report {
    return answer(reply, this.health.live());
  }

  @Get('health/ready')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Report> {
    return answer(reply, await this.health.ready());
  }

  @Get('metrics')
  async metrics(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    void reply.type('text/plain; version=0.0.4; charset=utf-8');
    return metricsText();
  }
}

function answer(reply: FastifyReply, report: Report): Report {
  void reply.code(report.ok ? 200 : 503).header('cache-control', 'no-store');
  return report;
}
