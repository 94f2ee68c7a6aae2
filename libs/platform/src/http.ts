/** HTTP for any process: the server, and what every one answers: /health/live, /health/ready, /metrics. */
import { Controller, Get, Inject, Res } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { type FastifyReply } from 'fastify';
import { Health, type Report } from './health.js';
import { metricsText } from './telemetry.js';

/** How long a client may take to send a request whole: a slow one must not hold a connection for ever. */
const REQUEST_MS = 30_000;
const IDLE_MS = 65_000;
/** What a path takes that does not say otherwise. */
const BODY_BYTES = 64 * 1024;

export function openHttp(): FastifyAdapter {
  return new FastifyAdapter({ bodyLimit: BODY_BYTES, requestTimeout: REQUEST_MS, keepAliveTimeout: IDLE_MS, forceCloseConnections: 'idle', exposeHeadRoutes: true, routerOptions: { ignoreTrailingSlash: true } });
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
