/** How a process starts and stops: one Nest module, signals, one exit code. */
import { WrongInput } from '@foothold/contract';
import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type Logger } from 'pino';
import { openPseudonymiser, Pseudonymiser, readConfig, type Config } from './config.js';
import { Database, openDatabase, type Migration } from './database.js';
import { openEmbeddedPostgres } from './embedded-postgres.js';
import { errorText } from './errors.js';
import { openLogger, startTracing } from './telemetry.js';

export const CONFIG = Symbol('Config');
export const LOGGER = Symbol('Logger');
/** Called by a part that cannot go on: stops the process with exit code 1. */
export const FATAL = Symbol('Fatal');
export type Fatal = (error: unknown) => void;

export interface Platform {
  config: Config;
  logger: Logger;
  database: Database;
  pseudonymiser: Pseudonymiser;
}

/** Opens the configured database, or the embedded one where none is configured, with its schema up to date; `close` gives both back. */
export async function openPlatformDatabase(config: Config, application: string, migrations: Migration[]): Promise<{ database: Database; close: () => Promise<void> }> {
  const embedded = config.DATABASE_URL ? null : await openEmbeddedPostgres(config.FOOTHOLD_HOME);
  const database = await openDatabase({ url: config.DATABASE_URL ?? embedded!.url, migrations, application });
  return {
    database,
    close: async () => {
      await database.close();
      await embedded?.close();
    },
  };
}

@Module({})
class PlatformModule {
  static of(platform: Platform, fatal: Fatal): DynamicModule {
    const providers = [
      { provide: CONFIG, useValue: platform.config },
      { provide: LOGGER, useValue: platform.logger },
      { provide: Database, useValue: platform.database },
      { provide: Pseudonymiser, useValue: platform.pseudonymiser },
      { provide: FATAL, useValue: fatal },
    ];
    return { module: PlatformModule, global: true, providers, exports: providers.map(({ provide }) => provide) };
  }
}

/**
 * Runs these modules in this process until SIGTERM or SIGINT (exit code 0), or until one of them cannot go on (1).
 * Wrong configuration ends it with code 1 and a line that names the variable.
 */
export async function runProcess(name: string, modules: Type<unknown>[], migrations: Migration[]): Promise<void> {
  let logger = openLogger(name, 'info');
  let stop: (code: number) => Promise<void> = async (code) => process.exit(code);
  let stopping = false;
  const end = (code: number) => {
    if (stopping) return;
    stopping = true;
    // Whatever hangs while closing must not keep a stopped process alive.
    setTimeout(() => process.exit(code), 10_000).unref();
    stop(code).then(
      () => process.exit(code),
      () => process.exit(1),
    );
  };
  const fatal: Fatal = (error) => {
    if (error instanceof WrongInput) logger.fatal({ field: error.field, fix: error.fix }, error.message);
    else logger.fatal({ stack: error instanceof Error ? error.stack : undefined }, 'cannot go on: %s', errorText(error));
    end(1);
  };
  process.once('SIGTERM', () => end(0));
  process.once('SIGINT', () => end(0));
  process.once('uncaughtException', fatal);
  process.once('unhandledRejection', fatal);
  try {
    const config = readConfig(process.env);
    logger = openLogger(name, config.FOOTHOLD_LOG_LEVEL);
    const stopTracing = startTracing(name, config);
    const { database, close } = await openPlatformDatabase(config, `foothold ${name}`, migrations);
    await database.migrate();
    const platform: Platform = { config, logger, database, pseudonymiser: openPseudonymiser(config) };
    @Module({ imports: [PlatformModule.of(platform, fatal), ...modules] })
    class ProcessModule {}
    const app = await NestFactory.createApplicationContext(ProcessModule, { logger: false, abortOnError: false });
    stop = async () => {
      await app.close();
      await close();
      await stopTracing();
    };
    logger.info('%s is running', name);
  } catch (error) {
    fatal(error);
  }
}
