/** Access keys from the command line: made here, shown once, listed without themselves, ended. */
import { DEPLOYMENT, parseDay } from '@foothold/contract';
import { Keys, type KeyKind, type NewKey } from '@foothold/platform';
import { type Command } from 'commander';
import { inSession, say, table, withTenant, WrongUsage } from './session.js';

const KINDS: Record<KeyKind, string> = {
  write: 'secret, for backends that send events',
  publishable: 'for browsers that send events: the person comes from a token your backend signs',
  read: 'for those who ask',
};
const DAY_MS = 86_400_000;

interface Flags {
  tenant: string;
  json?: boolean;
  kind: string;
  deployments?: string;
  origins?: string;
  expires?: string;
  note?: string;
}

export function addKeyCommands(program: Command): void {
  const key = program.command('key').description('access keys: who may send events, and who may ask');

  withTenant(key.command('create'))
    .description('make a key; it is shown this once and kept nowhere')
    .requiredOption('--kind <kind>', Object.entries(KINDS).map(([kind, meaning]) => `${kind} (${meaning})`).join(', '))
    .option('--deployments <list>', 'the only deployments it is for, separated by commas (default: every one)')
    .option('--origins <list>', 'of a publishable key: the only web origins it may be used from, separated by commas (default: any)')
    .option('--expires <day>', 'YYYY-MM-DD: the day (UTC) from whose beginning it no longer counts (default: never)')
    .option('--note <text>', 'what it is for, for whoever reads the list')
    .action(async (flags: Flags) => {
      const wanted = wantedKey(flags, Date.now());
      const { id, key: made, personSecret } = await inSession(({ log }) => new Keys(log.database).create(wanted));
      const { expiresAt, ...settings } = wanted;
      say(flags.json, { id, key: made, ...(personSecret ? { personSecret } : {}), ...settings, expires: expiresAt === null ? null : new Date(expiresAt).toISOString() }, () =>
        [
          `key ${id}: ${made}`,
          ...(personSecret ? [`person secret: ${personSecret} (for your backend alone: it signs who the person is)`] : []),
          'Keep it now: it cannot be shown again.',
        ].join('\n'),
      );
    });

  withTenant(key.command('list'))
    .description('the keys of a tenant, those that ended too; never themselves')
    .action(async (flags: { tenant: string; json?: boolean }) => {
      const keys = await inSession(({ log }) => new Keys(log.database).list(flags.tenant));
      say(flags.json, keys, () =>
        keys.length === 0
          ? 'no keys'
          : table([
              ['id', 'kind', 'key', 'deployments', 'origins', 'created', 'expires', 'revoked', 'note'],
              ...keys.map(({ id, kind, hint, deployments, origins, created, expires, revoked, note }) =>
                [id, kind, hint, deployments?.join(',') ?? 'every', origins?.join(',') ?? (kind === 'publishable' ? 'any' : ''), created, expires ?? 'never', revoked ?? '', note ?? '']),
            ]),
      );
    });

  withTenant(key.command('revoke <id>'))
    .description('end a key; processes notice within 2 seconds')
    .action(async (text: string, flags: { tenant: string; json?: boolean }) => {
      if (!/^[1-9]\d{0,8}$/.test(text)) throw new WrongUsage('id', `a text of ${text.length} characters that is no key's number`, 'see the numbers with: foothold key list');
      const id = Number(text);
      await inSession(({ log }) => new Keys(log.database).revoke(flags.tenant, id));
      say(flags.json, { id, tenant: flags.tenant, revoked: true }, () => `key ${id} counts no longer`);
    });
}

/** @throws WrongUsage naming the flag. */
function wantedKey({ tenant, kind, deployments, origins, expires, note }: Flags, now: number): NewKey {
  if (!Object.hasOwn(KINDS, kind)) throw new WrongUsage('--kind', `"${kind}" is no kind of key`, `choose one of ${Object.keys(KINDS).join(', ')}`);
  if (origins !== undefined && kind !== 'publishable') throw new WrongUsage('--origins', `a ${kind} key is secret and has no place in a web page`, 'leave it out, or make a publishable key');
  if (note !== undefined && !/^[^\0-\x1f\x7f]{1,200}$/.test(note)) throw new WrongUsage('--note', `a text of ${note.length} characters that is no note`, 'write 1 to 200 characters on one line');
  return {
    tenant,
    kind: kind as KeyKind,
    deployments: listed('--deployments', deployments, (id) => DEPLOYMENT.test(id), 'is no deployment’s id', 'use 1-64 letters, digits, ., _ and - for each, separated by commas'),
    origins: listed('--origins', origins, isOrigin, 'is no web origin', 'write each as browsers send it, such as https://app.example.com or http://localhost:3000; leave the flag out for any'),
    note: note ?? null,
    expiresAt: expires === undefined ? null : endOf(expires, now),
  };
}

function listed(flag: string, text: string | undefined, fits: (entry: string) => boolean, what: string, fix: string): string[] | null {
  if (text === undefined) return null;
  const entries = text.split(',').map((entry) => entry.trim());
  const wrong = entries.findIndex((entry) => !fits(entry));
  if (wrong >= 0) throw new WrongUsage(flag, `entry ${wrong + 1} ${what}`, fix);
  return [...new Set(entries)];
}

/** Scheme, host and port alone, written as browsers write them. */
function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

function endOf(text: string, now: number): number {
  const day = text.length === 10 ? parseDay(text) : undefined;
  if (day === undefined) throw new WrongUsage('--expires', `"${text}" is no day`, 'write it as YYYY-MM-DD');
  if (day * DAY_MS <= now) throw new WrongUsage('--expires', `${text} has come already`, 'name a day to come');
  return day * DAY_MS;
}
