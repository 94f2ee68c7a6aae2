import { databaseTime, openLog, requireKeys, type KeyCheck } from '@foothold/event-log';
import { CONFIG, Database, FATAL, Health, Keys, LOGGER, Pseudonymiser, Sealer, type Config, type Fatal, type Logger } from '@foothold/platform';
import { Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type FastifyInstance } from 'fastify';
import { DirectSink } from './direct-sink.js';
import { serveEvents } from './events.js';
import { KafkaSink } from './kafka-sink.js';
import { NotDurable, type Sink } from './sink.js';

/** The direct way in goes round at least every second, the database's outages apart. */
const SILENCE_MS = 30_000;

@Module({})
export class CollectorModule implements OnApplicationBootstrap, OnApplicationShutdown {
  private sink: Sink | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Database) private readonly database: Database,
    @Inject(Pseudonymiser) private readonly pseudonymiser: Pseudonymiser,
    @Inject(Sealer) private readonly sealer: Sealer,
    @Inject(Health) private readonly health: Health,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(FATAL) private readonly fatal: Fatal,
    @Inject(Keys) keys: Keys,
    @Inject(HttpAdapterHost) { httpAdapter }: HttpAdapterHost,
  ) {
    serveEvents(httpAdapter.getInstance<FastifyInstance>(), {
      keys, pseudonymiser, logger,
      sink: () => {
        if (!this.sink) throw new NotDurable('this process is starting');
        return this.sink;
      },
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    const keyCheck: KeyCheck = (tenant) => this.pseudonymiser.check(tenant);
    await requireKeys(this.database, keyCheck);
    this.health.need('pseudonym key', () => requireKeys(this.database, keyCheck)); // a tenant may be made under another one later
    if (this.config.KAFKA_BROKERS.length > 0) {
      const sink = new KafkaSink(this.config, this.sealer, this.logger, () => databaseTime(this.database));
      this.health.need('topics', () => sink.ready());
      this.sink = sink;
    } else {
      const log = openLog(this.database, keyCheck, this.sealer);
      this.sink = await DirectSink.open(log, this.health.part('direct way in', SILENCE_MS), this.logger, this.fatal);
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.sink?.close();
  }
}
