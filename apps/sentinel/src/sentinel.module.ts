import { openLog } from '@foothold/event-log';
import { Database, FATAL, Health, LOGGER, type Fatal, type Logger } from '@foothold/platform';
import { Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { learningOf } from './learn-windows.js';
import { PATIENCE_MS, Sentinel } from './sentinel.js';

@Module({})
export class SentinelModule implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly sentinel: Sentinel;

  constructor(@Inject(Database) database: Database, @Inject(Health) health: Health, @Inject(LOGGER) logger: Logger, @Inject(FATAL) fatal: Fatal) {
    this.sentinel = new Sentinel(database, [learningOf(openLog(database))], logger, fatal, health.part('sentinel', PATIENCE_MS));
  }

  onApplicationBootstrap(): void {
    this.sentinel.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.sentinel.stop();
  }
}
