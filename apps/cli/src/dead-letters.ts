/** `foothold dead-letters`: what was refused or kept for later, one of them whole, and how they leave: into the log after all, or expired. */
import { DEPLOYMENT, Unknown } from '@foothold/contract';
import { countLetters, deadLetter, deadLetters, expireAfter, redrive, type LetterChoice, type LetterView, type Log, type Redriven } from '@foothold/event-log';
import { letterDays } from '@foothold/platform';
import { type Command } from 'commander';
import { catchUp } from './catch-up.js';
import { progressBar } from './progress.js';
import { inSession, say, withTenant, WrongUsage } from './session.js';


interface Flags {
  tenant: string;
  json?: boolean;
}

export function addDeadLetterCommands(program: Command): void {
  const letters = program.command('dead-letters').description('events that were not stored');

  withTenant(letters.command('list'))
    .description('what was refused or kept for later, why, and what to do')
    .action(async (flags: Flags) => {
      const found = await inSession(({ log }) => deadLetters(log.database, flags.tenant));
      say(flags.json, found, () =>
        found.length === 0
          ? 'no dead letters'
          : found.map(({ id, kind, field, reason, fix, count, firstSeen, lastSeen }) => `${count} ${kind}, ${firstSeen} to ${lastSeen}, the latest is ${id}\n  ${field}: ${reason}\n  ${fix}`).join('\n'),
      );
    });

  withTenant(letters.command('show <id>'))
    .description('one of them whole, with what is kept of the event (people as pseudonyms)')
    .action(async (text: string, flags: Flags) => {
      const id = letterId('id', text);
      const found = await inSession(async ({ log }) => deadLetter(log, flags.tenant, id));
      if (!found) throw new Unknown('id', `tenant "${flags.tenant}" has no dead letter ${id}`, 'see their ids: foothold dead-letters list');
      say(flags.json, found, () => proseOf(found));
    });

  withTenant(letters.command('redrive'))
    .description('judge letters anew that keep their event, and store those that pass now: all of the tenant, or those chosen')
    .option('--id <id>', 'only this one', (text) => letterId('--id', text))
    .option('--field <field>', 'only those refused for this field')
    .option('--deployment <id>', 'only those of this deployment', deploymentName)
    .option('--kind <kind>', 'only those rejected, or those quarantined', kindOf)
    .action(async ({ json, ...choice }: Flags & LetterChoice) => {
      const done = await inSession(({ log }) => redriveShown(log, choice));
      say(json, done, () => {
        const { redriven, stored, duplicate, rejected, quarantined } = done;
        return `${redriven} redriven: ${stored} stored, ${duplicate} had been stored before; refused again: ${rejected} rejected, ${quarantined} quarantined`;
      });
    });

  withTenant(letters.command('expire'))
    .description('delete those that have been kept for their time; the ledger goes on counting them')
    .option('--older-than <days>', 'how many days they are kept (default: FOOTHOLD_DEAD_LETTER_DAYS)', daysOf)
    .action(async (flags: Flags & { olderThan?: number }) => {
      const gone = await inSession(async ({ log, config }) => {
        const days = flags.olderThan ?? config.FOOTHOLD_DEAD_LETTER_DAYS;
        return expireAfter(log, days, flags.tenant);
      });
      say(flags.json, gone, () => `expired: ${gone.rejected} rejected, ${gone.quarantined} quarantined`);
    });
}

/** Redrives these letters where somebody may watch, and says so where some could not be opened. */
async function redriveShown(log: Log, choice: LetterChoice): Promise<Redriven> {
  const bar = progressBar('redriving', await countLetters(log, choice));
  const done = await redrive(log, choice, { progress: (count) => bar?.update(count) }).finally(() => bar?.stop());
  tellUnopened(done.kept);
  if (choice.id != null && done.redriven + done.rejected + done.quarantined + done.kept === 0) {
    throw new Unknown('--id', `tenant "${choice.tenant}" has no dead letter ${choice.id} that keeps its event`, 'see what is kept of it: foothold dead-letters show ID');
  }
  if (done.redriven > 0) await catchUp(log);
  return done;
}

/** Says on stderr how many letters this process could not open. */
export function tellUnopened(kept: number): void {
  if (kept > 0) process.stderr.write(`${kept} left alone: they were sealed under another key than this process holds. Use the FOOTHOLD_PSEUDONYM_KEY (or the FOOTHOLD_HOME with its pseudonym.key) of whoever received them\n`);
}

function proseOf(view: LetterView): string {
  const { origin, group, kept } = view;
  const lines: [string, string | null][] = [
    ['kind', view.kind], ['field', view.field], ['reason', view.reason], ['fix', view.fix],
    ['deployment', view.deployment], ['source', view.source], ['type', view.type], ['event', view.event],
    ['received', view.received], ['origin', `${origin.name}[${origin.part}] (${origin.kind})`],
    ['like it', `${group.count}, ${group.firstSeen} to ${group.lastSeen}`],
    ['kept', kept === 'readable' ? JSON.stringify(view.payload, null, 2) : kept === 'nothing' ? 'nothing of the event' : 'the event, sealed under another key than this process holds'],
  ];
  return lines.map(([name, value]) => `${name.padEnd(10)}  ${value ?? 'not given, or not valid'}`).join('\n');
}

function letterId(field: string, text: string): string {
  if (!/^[1-9]\d{0,17}$/.test(text)) throw new WrongUsage(field, `a text of ${text.length} characters that is no letter's id`, 'use the number that foothold dead-letters list shows');
  return text;
}

function deploymentName(text: string): string {
  if (!DEPLOYMENT.test(text)) throw new WrongUsage('--deployment', `a text of ${text.length} characters that is no deployment's id`, 'use 1 to 64 letters, digits, ., _ and -');
  return text;
}

function kindOf(text: string): string {
  if (text !== 'rejected' && text !== 'quarantined') throw new WrongUsage('--kind', 'there is none of this name', 'use rejected or quarantined');
  return text;
}

function daysOf(text: string): number {
  const days = letterDays(text);
  if (days === undefined) throw new WrongUsage('--older-than', `"${text}" is no number of days`, 'write a whole number from 1 to 3650');
  return days;
}
