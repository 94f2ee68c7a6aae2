import { usageProjection } from '@foothold/adoption';
import { openLog } from '@foothold/event-log';
import { Database, FATAL, Health, LOGGER, type Fatal, type Logger } from '@foothold/platform';
import { Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PATIENCE_MS, Projector } from './projector.js';

@Module({})
export class ProjectorModule implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly projector: Projector;

  constructor(@Inject(Database) database: Database, @Inject(Health) health: Health, @Inject(LOGGER) logger: Logger, @Inject(FATAL) fatal: Fatal) {
    this.projector = new Projector(openLog(database), usageProjection, logger, fatal, health.part('projector', PATIENCE_MS));
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.projector.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.projector.stop();
  }
}
