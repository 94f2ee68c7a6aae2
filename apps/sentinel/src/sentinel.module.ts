import { openLog, type KeyCheck } from '@foothold/event-log';
import { CONFIG, Database, FATAL, Health, LOGGER, Pseudonymiser, Sealer, type Config, type Fatal, type Logger } from '@foothold/platform';
import { Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { learningOf } from './learn-windows.js';
import { PATIENCE_MS, Sentinel } from './sentinel.js';
import { tellingOf } from './tell-cells.js';
import { expiringOf, sweepingOf } from './tend-letters.js';

@Module({})
export class SentinelModule implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly sentinel: Sentinel;

  constructor(
    @Inject(Database) database: Database, @Inject(CONFIG) config: Config, @Inject(Pseudonymiser) pseudonymiser: Pseudonymiser, @Inject(Sealer) sealer: Sealer,
    @Inject(Health) health: Health, @Inject(LOGGER) logger: Logger, @Inject(FATAL) fatal: Fatal,
  ) {
    const keyCheck: KeyCheck = (tenant) => pseudonymiser.check(tenant);
    const log = openLog(database, keyCheck, sealer);
    const jobs = [learningOf(log), sweepingOf(log, keyCheck, logger), expiringOf(log, config.FOOTHOLD_DEAD_LETTER_DAYS, logger), tellingOf(log, logger)];
    this.sentinel = new Sentinel(database, jobs, logger, fatal, health.part('sentinel', PATIENCE_MS));
  }

  onApplicationBootstrap(): void {
    this.sentinel.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.sentinel.stop();
  }
}
