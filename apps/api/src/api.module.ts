import { ROSTER_BYTES } from '@foothold/adoption';
import { openLog, type KeyCheck } from '@foothold/event-log';
import { Database, Health, Pseudonymiser, Sealer } from '@foothold/platform';
import { Inject, Module } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CqrsModule } from '@nestjs/cqrs';
import { type FastifyInstance } from 'fastify';
import { routeOf } from './asked.js';
import { COMMANDS } from './commands.js';
import { ExplorerController } from './explorer.controller.js';
import { KEY_CHECK, LOG } from './log.js';
import { CSV, ROSTER_PATH } from './operations.js';
import { QUESTIONS } from './questions.js';
import { V1Controller } from './v1.controller.js';

@Module({
  imports: [CqrsModule.forRoot()],
  controllers: [V1Controller, ExplorerController],
  providers: [
    { provide: KEY_CHECK, inject: [Pseudonymiser], useFactory: (pseudonymiser: Pseudonymiser): KeyCheck => (tenant) => pseudonymiser.check(tenant) },
    { provide: LOG, inject: [Database, KEY_CHECK, Sealer], useFactory: (database: Database, keyCheck: KeyCheck, sealer: Sealer) => openLog(database, keyCheck, sealer) },
    ...QUESTIONS,
    ...COMMANDS,
  ],
})
export class ApiModule {
  constructor(@Inject(Health) health: Health, @Inject(Database) database: Database, @Inject(HttpAdapterHost) { httpAdapter }: HttpAdapterHost) {
    const server = httpAdapter.getInstance<FastifyInstance>();
    server.addHook('onRoute', (route) => {
      if (route.url === routeOf(ROSTER_PATH)) route.bodyLimit = ROSTER_BYTES;
    });
    server.addContentTypeParser(CSV, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    health.need('read tables', () => database.query('select from person_day limit 1'));
  }
}
