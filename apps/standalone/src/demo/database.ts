/** The demo's own database: the embedded Postgres in a folder of its own, so that nobody's real one is touched. */
import { WrongInput } from '@foothold/contract';
import { openPlatformDatabase, readConfig } from '@foothold/platform';
import { join } from 'node:path';

const EMPTYING = 'demo, emptying';

/** The environment in which the demo runs: on a database of its own, without Kafka. */
export function demoEnvironment(env: Record<string, string | undefined>): Record<string, string | undefined> {
  return { ...env, FOOTHOLD_HOME: join(readConfig(env).FOOTHOLD_HOME, 'demo'), DATABASE_URL: undefined, KAFKA_BROKERS: undefined };
}

/** Empties the database. @throws WrongInput where a program works with it */
export async function empty(environment: Record<string, string | undefined>): Promise<void> {
  const { database, close } = await openPlatformDatabase(readConfig(environment), EMPTYING, []);
  try {
    const others = await database.query(
      `select from pg_stat_activity where datname = current_database() and application_name like 'foothold %' and application_name not in ('foothold keeper', $1)`,
      [EMPTYING],
    );
    if (others.length > 0) throw new WrongInput('--fresh', 'the demo, or a command on its database, is running', 'end it, or leave --fresh out');
    await database.query('drop schema if exists reporting_v1 cascade');
    await database.query('drop schema public cascade');
    await database.query('create schema public');
  } finally {
    await close();
  }
}
