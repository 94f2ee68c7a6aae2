import { openLog } from '@foothold/event-log';
import { CONFIG, Database, FATAL, Health, LOGGER, Pseudonymiser, Sealer, type Config, type Fatal, type Logger } from '@foothold/platform';
import { Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PACE, Recorder } from './recorder.js';

@Module({})
export class RecorderModule implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly recorder: Recorder;

  constructor(
    @Inject(CONFIG) config: Config,
    @Inject(Database) database: Database,
    @Inject(Pseudonymiser) pseudonymiser: Pseudonymiser,
    @Inject(Sealer) sealer: Sealer,
    @Inject(Health) health: Health,
    @Inject(LOGGER) logger: Logger,
    @Inject(FATAL) fatal: Fatal,
  ) {
    this.recorder = new Recorder(config, openLog(database, (tenant) => pseudonymiser.check(tenant), sealer), pseudonymiser, logger, fatal, health.part('recorder', PACE.patienceMs));
    health.need('kafka', () => this.recorder.ready());
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.recorder.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.recorder.stop();
  }
}
