import { openLog, type KeyCheck } from '@foothold/event-log';
import { Database, Health, Pseudonymiser, Sealer } from '@foothold/platform';
import { Inject, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { COMMANDS } from './commands.js';
import { ExplorerController } from './explorer.controller.js';
import { KEY_CHECK, LOG } from './log.js';
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
  constructor(@Inject(Health) health: Health, @Inject(Database) database: Database) {
    health.need('read tables', () => database.query('select from person_day limit 1'));
  }
}
