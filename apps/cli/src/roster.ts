/**
 * The roster of a deployment from a file. What arrives: a table as people keep it. What leaves: facts about people under
 * the pseudonyms of their events; the names stay in the file. Next is importRoster (see libs/adoption).
 */
import { faultText, importRoster, readRoster, ROSTER_BYTES, WrongRoster, type ImportedRoster } from '@foothold/adoption';
import { WrongInput } from '@foothold/contract';
import { type Command } from 'commander';
import { bytesOf } from './file.js';
import { progressBar } from './progress.js';
import { inSession, say, withTenant } from './session.js';

interface Flags {
  tenant: string;
  json?: boolean;
  complete?: boolean;
}

/** Reading, pseudonymising, recording. */
const STEPS = 3;
/** Under this share the people of the file are hardly those of the events. */
const JOINED = 0.5;

export function addRosterCommand(program: Command): void {
  withTenant(program.command('roster').description('who is enabled, in which team and role, from when to when').command('import <deployment> <file>'))
    .description('read a roster from CSV, a line a period: person,team,role,from,to,leave (days as YYYY-MM-DD, both included; no to: until further notice). It says everything about the people it names')
    .option('--complete', 'it names everybody: who is not in it is taken off')
    .action(async (deployment: string, file: string, flags: Flags) => {
      const bar = progressBar('importing', STEPS);
      const done = await importFile(deployment, file, flags, () => bar?.increment()).finally(() => bar?.stop());
      say(flags.json, { deployment, ...done }, () => proseOf(done));
    });
}

async function importFile(deployment: string, file: string, { tenant, complete = false }: Flags, step: () => void): Promise<ImportedRoster> {
  const named = understood(await bytesOf(file, ROSTER_BYTES, 'name a file with a roster as CSV'));
  step();
  return inSession(async ({ log, pseudonymiser }) => {
    const people = new Map([...named].map(([person, periods]) => [pseudonymiser.pseudonym(tenant, person), periods]));
    step();
    const done = await importRoster(log, { tenant, deployments: null }, deployment, people, complete, Date.now() * 1000);
    step();
    return done;
  });
}

/** The faults of a file go to stderr line by line: people mend them one by one. */
function understood(bytes: Buffer): ReturnType<typeof readRoster> {
  try {
    return readRoster(bytes);
  } catch (error) {
    if (!(error instanceof WrongRoster)) throw error;
    for (const fault of error.faults) process.stderr.write(`${faultText(fault)}\n`);
    throw new WrongInput('file', `${error.count} ${error.count === 1 ? 'fault' : 'faults'}, told above; nothing was imported`, error.fix);
  }
}

function proseOf({ version, people, added, changed, unchanged, removed, matched }: ImportedRoster): string {
  const percent = (share: number | null) => (share === null ? 'of too few people to say how many' : `${Math.round(share * 100)} %`);
  const lines = [
    `${people} people on the roster: ${added} added, ${changed} changed, ${unchanged} unchanged, ${removed} removed (version ${version})`,
    `on the roster and in the events: ${percent(matched.roster)}; of those active in the last 28 days on the roster: ${percent(matched.active)}`,
  ];
  if ([matched.roster, matched.active].some((share) => share !== null && share < JOINED)) {
    lines.push('WARNING: ids do not join. Fewer than half are the same people: does the file name each person exactly as the events do (as `subject`)?');
  }
  return lines.join('\n');
}
