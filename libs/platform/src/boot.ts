/** How a process starts and stops: one Nest module, signals, one exit code. */
import { WrongInput } from '@foothold/contract';
import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Logger } from 'pino';
import { answeredMigrations } from './answered.js';
import { readConfig, type Config } from './config.js';
import { Database, openDatabase, type DatabaseOptions, type Migration } from './database.js';
import { openEmbeddedPostgres } from './embedded-postgres.js';
import { errorText } from './errors.js';
import { Health } from './health.js';
import { HealthController, openHttp } from './http.js';
import { keyMigrations, Keys } from './keys.js';
import { ProblemFilter } from './problem.js';
import { openPseudonymiser, openSealer, Pseudonymiser, Sealer } from './secret.js';
import { openLogger, startTelemetry } from './telemetry.js';
import { CONFIG, FATAL, LOGGER, type Fatal } from './tokens.js';

/** Where collector and api listen unless told otherwise. */
export const PORT = 7070;

/** How long a process that was told to stop may take, and the requests it is answering then. */
const STOP_MS = 10_000;
const ANSWER_MS = 6_000;

export interface Platform {
  config: Config;
  logger: Logger;
  database: Database;
  pseudonymiser: Pseudonymiser;
  sealer: Sealer;
  health: Health;
}

/** Opens the configured database, or the embedded one where none is configured, with its schema up to date; `close` gives both back. */
export async function openPlatformDatabase(config: Config, application: string, migrations: Migration[], replaced?: DatabaseOptions['replaced']): Promise<{ database: Database; close: () => Promise<void> }> {
  const embedded = config.DATABASE_URL ? null : await openEmbeddedPostgres(config.FOOTHOLD_HOME);
  const database = await openDatabase({ url: config.DATABASE_URL ?? embedded!.url, migrations: [...migrations, ...keyMigrations, ...answeredMigrations], application, ...(replaced && { replaced }) });
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
      { provide: Sealer, useValue: platform.sealer },
      { provide: Health, useValue: platform.health },
      { provide: Keys, useValue: new Keys(platform.database) },
      { provide: FATAL, useValue: fatal },
    ];
    return { module: PlatformModule, global: true, controllers: [HealthController], providers: [...providers, { provide: APP_FILTER, useClass: ProblemFilter }], exports: providers.map(({ provide }) => provide) };
  }
}

/** The application of these modules, ready to listen: what runProcess runs, and what specs ask. */
export async function openApplication(platform: Platform, modules: Type<unknown>[], fatal: Fatal): Promise<NestFastifyApplication> {
  return NestFactory.create<NestFastifyApplication>(processModule(platform, modules, fatal), openHttp(), OPTIONS);
}

const OPTIONS = { logger: false, abortOnError: false } as const;

function processModule(platform: Platform, modules: Type<unknown>[], fatal: Fatal): Type<unknown> {
  @Module({ imports: [PlatformModule.of(platform, fatal), ...modules] })
  class ProcessModule {}
  return ProcessModule;
}

/** One process: what it is called, its modules, the schema they need, and whether it is one that is asked over HTTP. */
export interface Process {
  name: string;
  modules: Type<unknown>[];
  migrations: Migration[];
  /** Listens on FOOTHOLD_PORT or the default; others only where FOOTHOLD_PORT is set. */
  listens: boolean;
  /** Settings in place of the environment's. */
  environment?: Record<string, string | undefined>;
  /** Of a program that people start and watch. */
  front?: Front;
}

/** What a program that people watch does once its process runs; it is they who are told, in words, beside the log. */
export interface Front {
  /** Called once the process answers at `url`; its result says whether the process is to end then. */
  begun(platform: Platform, url: string): Promise<'serve' | 'end'>;
  /** Told that the process ends, as it was asked to. */
  ending(): void;
  /** Told why the process cannot go on, in place of the log. */
  failed(error: unknown): void;
}

/**
 * Runs these modules in this process until SIGTERM or SIGINT (exit code 0; 130 where a front had not done its part), or until
 * one of them cannot go on (1). Wrong configuration ends it with code 1 and a line that names the variable.
 */
export async function runProcess({ name, modules, migrations, listens, environment = process.env, front }: Process): Promise<void> {
  let logger = openLogger(name, 'info');
  let stop: (code: number) => Promise<void> = async (code) => process.exit(code);
  let stopping = false;
  const end = (code: number) => {
    if (stopping) return;
    stopping = true;
    // Whatever hangs while closing must not keep a stopped process alive.
    setTimeout(() => {
      logger.error('not everything could be closed within %d s', STOP_MS / 1000);
      process.exit(code || 1);
    }, STOP_MS).unref();
    stop(code).then(
      () => process.exit(code),
      () => process.exit(1),
    );
  };
  let begun = !front;
  const asked = () => {
    if (!stopping) front?.ending();
    end(begun ? 0 : 130);
  };
  const fatal: Fatal = (error) => {
    // What a front was doing fails when the process is stopped under it.
    if (front && stopping) return;
    if (front) front.failed(error);
    else if (error instanceof WrongInput) logger.fatal({ field: error.field, fix: error.fix }, error.message);
    else logger.fatal({ stack: error instanceof Error ? error.stack : undefined }, 'cannot go on: %s', errorText(error));
    end(1);
  };
  process.once('SIGTERM', asked);
  process.once('SIGINT', asked);
  process.once('uncaughtException', fatal);
  process.once('unhandledRejection', fatal);
  try {
    const config = readConfig(environment);
    logger = openLogger(name, config.FOOTHOLD_LOG_LEVEL);
    const stopTelemetry = startTelemetry(name, config);
    const { database, close } = await openPlatformDatabase(config, `foothold ${name}`, migrations, fatal);
    await database.migrate();
    const health = new Health((text) => logger.warn(text));
    health.need('database', () => database.query('select 1'));
    const platform: Platform = { config, logger, database, pseudonymiser: openPseudonymiser(config), sealer: openSealer(config), health };
    const port = config.FOOTHOLD_PORT ?? (listens ? PORT : null);
    const server = port === null ? null : await openApplication(platform, modules, fatal);
    const app = server ?? (await NestFactory.createApplicationContext(processModule(platform, modules, fatal), OPTIONS));
    stop = async () => {
      // A request that came whole is answered by then; one that never does must not keep the rest from being closed.
      const late = setTimeout(() => void server?.getHttpServer().closeAllConnections(), ANSWER_MS);
      await app.close();
      clearTimeout(late);
      await close();
      await stopTelemetry();
    };
    if (server) {
      await listen(server, config.FOOTHOLD_HOST, port!);
      logger.info({ url: await server.getUrl() }, 'listening');
    }
    logger.info('%s is running', name);
    if (!front || !server) return;
    const then = await front.begun(platform, await server.getUrl());
    begun = true;
    if (then === 'end') end(0);
  } catch (error) {
    fatal(error);
  }
}

async function listen(app: NestFastifyApplication, host: string, port: number): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'EADDRINUSE') throw new WrongInput('FOOTHOLD_PORT', `port ${port} is taken by another program`, 'stop that one, or set another port; 0 takes any that is free');
    if (code === 'EACCES') throw new WrongInput('FOOTHOLD_PORT', `port ${port} is not this user's to take`, 'set a port above 1023');
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') throw new WrongInput('FOOTHOLD_HOST', 'is no address of this machine', 'set 127.0.0.1, or 0.0.0.0 for every address it has');
    throw error;
  }
}
