/** What every command works in: the database, the log and the keys, opened for its duration. */
import { adoptionMigrations } from '@foothold/adoption';
import { Unknown, WrongInput } from '@foothold/contract';
import { eventLogMigrations, openLog, type KeyCheck, type Log } from '@foothold/event-log';
import { openPlatformDatabase, openPseudonymiser, openSealer, readConfig, TENANT, type Config, type Pseudonymiser } from '@foothold/platform';
import { type Command } from 'commander';
import { printable } from './printable.js';

/** A flag or argument that cannot be meant: exit code 2. */
export class WrongUsage extends Error {
  constructor(field: string, reason: string, fix: string) {
    super(`${field}: ${reason}. ${fix}`);
    this.name = 'WrongUsage';
  }
}

export interface Session {
  config: Config;
  log: Log;
  pseudonymiser: Pseudonymiser;
  keyCheck: KeyCheck;
}

export const MIGRATIONS = [...eventLogMigrations, ...adoptionMigrations];

/** Opens the configured database with its schema up to date, does the work and closes, whatever happens. */
export async function inSession<T>(work: (session: Session) => Promise<T>): Promise<T> {
  const config = readConfig(process.env);
  const { database, close } = await openPlatformDatabase(config, 'foothold cli', MIGRATIONS);
  try {
    await database.migrate();
    const pseudonymiser = openPseudonymiser(config);
    const keyCheck: KeyCheck = (tenant) => pseudonymiser.check(tenant);
    return await work({ config, log: openLog(database, keyCheck, openSealer(config)), pseudonymiser, keyCheck });
  } finally {
    await close();
  }
}

/** Adds the flags every command about a tenant has. */
export function withTenant(command: Command): Command {
  return command.option('--tenant <name>', 'the organisation', tenantName, 'local').option('--json', 'answer as JSON');
}

function tenantName(text: string): string {
  if (!TENANT.test(text)) throw new WrongUsage('--tenant', `a text of ${text.length} characters that is no tenant's name`, 'use 1-63 of a-z, 0-9, _ and -, beginning with a letter or digit');
  return text;
}

/** Turns what is wrong with a question into wrong usage of the flag that asked it; what is not there is no wrong usage. */
export async function asUsage<T>(flag: (field: string) => string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WrongInput && !(error instanceof Unknown)) throw new WrongUsage(flag(error.field), error.reason, error.fix);
    throw error;
  }
}

/** Writes the answer, as JSON or as people read it. */
export function say(json: boolean | undefined, answer: unknown, prose: () => string): void {
  process.stdout.write(printable(json ? `${JSON.stringify(answer)}\n` : `${prose()}\n`));
}

/** Columns of text, aligned; numbers to the right. */
export function table(rows: (string | number)[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  return rows
    .map((row) => row.map((cell, column) => (typeof cell === 'number' ? String(cell).padStart(widths[column]!) : String(cell).padEnd(widths[column]!))).join('  ').trimEnd())
    .join('\n');
}
