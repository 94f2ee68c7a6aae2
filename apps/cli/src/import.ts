/**
 * A file of CloudEvents, one a line, into the log: through the same boundary and the same append as everything else.
 * A reading of a file is an origin whose offsets are its lines, so an interrupted import goes on where it stopped, and
 * two imports of one file at once cannot count a line twice.
 */
import { DEFAULT_REGISTRATION, registerDeployment } from '@foothold/adoption';
import { checkMessage, EVENT_BYTES, tooLong, WrongInput, type BoundaryOptions } from '@foothold/contract';
import { append, Fenced, finishOrigin, openOrigin, readings, requireKeys, type Arrival, type Outcome } from '@foothold/event-log';
import { type Command } from 'commander';
import { catchUp } from './catch-up.js';
import { digestOf, sizeOf } from './file.js';
import { linesOf, type Line } from './lines.js';
import { progressBar } from './progress.js';
import { inSession, say, withTenant, type Session } from './session.js';

const STRETCH = 5_000;

interface Flags {
  tenant: string;
  json?: boolean;
  register?: boolean;
}

export function addImportCommand(program: Command): void {
  withTenant(program.command('import <file>'))
    .description('read usage events (CloudEvents, one a line) from a file; goes on where an interrupted import stopped')
    .option('--register', 'register the deployments it meets with the defaults, as sandboxes: for trying things out')
    .action(async (file: string, flags: Flags) => {
      const size = await sizeOf(file);
      const total = await inSession((session) => importFile(session, file, size, flags));
      say(flags.json, total, () => {
        const { received, stored, duplicate, rejected, quarantined } = total;
        const refused = rejected + quarantined > 0 ? '\nWhat was refused, and how to mend it: foothold dead-letters list' : '';
        return `${received} lines: ${stored} stored, ${duplicate} had been stored before, ${rejected} rejected, ${quarantined} quarantined${refused}`;
      });
    });
}

async function importFile(session: Session, file: string, size: number, flags: Flags): Promise<Outcome & { received: number }> {
  await requireKeys(session.log.database, session.keyCheck); // before a reading is opened, which would hold the tenant's answers
  const content = `${flags.tenant}/${await digestOf(file)}`;
  const { finished, open } = await readings(session.log.database, content);
  const name = open ?? `${content}#${finished + 1}`;
  const origin = await openOrigin(session.log.database, { kind: 'file', name, part: 0, tenant: flags.tenant, firstOffset: 0 });
  if (origin.nextOffset > 0) process.stderr.write(`going on after line ${origin.nextOffset}\n`);

  const total = { received: 0, stored: 0, duplicate: 0, rejected: 0, quarantined: 0 };
  const bar = progressBar('reading', size);
  let next = origin.nextOffset;
  let batch: Line[] = [];
  const record = async () => {
    const last = batch.at(-1)!;
    const arrivals = await arrivalsOf(session, batch, flags);
    const stretch = { origin: origin.origin, from: next, next: last.number + 1, voids: batch.length - arrivals.length, mark: null, markOffset: null };
    const outcome = await append(session.log, arrivals, stretch);
    next = stretch.next;
    total.received += arrivals.length;
    for (const field of ['stored', 'duplicate', 'rejected', 'quarantined'] as const) total[field] += outcome[field];
    bar?.update(last.end);
    batch = [];
  };
  try {
    for await (const line of linesOf(file)) {
      if (line.number < next) continue;
      batch.push(line);
      if (batch.length === STRETCH) await record();
    }
    if (batch.length > 0) await record();
    await finishOrigin(session.log.database, origin.origin);
  } catch (error) {
    if (error instanceof Fenced) throw new WrongInput('file', 'another import of this file is running', 'wait for it to end; nothing was counted twice');
    throw error;
  } finally {
    bar?.stop();
  }
  await catchUp(session.log);
  return total;
}

/** What the lines hold; blank ones hold nothing. */
async function arrivalsOf(session: Session, lines: Line[], { tenant, register }: Flags): Promise<Arrival[]> {
  const receivedAt = Date.now() * 1000;
  const boundary: BoundaryOptions = { pseudonymise: (of, person) => session.pseudonymiser.pseudonym(of, person), subjects: 'raw' };
  const arrivals: Arrival[] = [];
  const deployments = new Set<string>();
  for (const { bytes, length } of lines) {
    if (isBlank(bytes)) continue;
    const verdict = length > EVENT_BYTES ? tooLong(length, tenant) : checkMessage(bytes, tenant, receivedAt, boundary);
    if (verdict.outcome === 'accepted') {
      arrivals.push({ tenant, event: verdict.event });
      deployments.add(verdict.event.deployment);
    } else arrivals.push({ refusal: verdict.refusal });
  }
  if (register) {
    const { identities } = session.log;
    await identities.learnDeployments([...deployments].map((deployment) => ({ tenant, deployment })));
    for (const deployment of deployments) {
      if (identities.deployment(tenant, deployment)) continue;
      await registerDeployment(session.log, session.keyCheck, tenant, deployment, { ...DEFAULT_REGISTRATION, sandbox: true }, receivedAt);
      process.stderr.write(`registered ${deployment} as a sandbox, for trying things out (time zone UTC, every task kind eligible, figures of single people shown)\n`);
    }
  }
  return arrivals;
}

const isBlank = (bytes: Buffer): boolean => bytes.length < 64 && bytes.toString().trim() === '';
