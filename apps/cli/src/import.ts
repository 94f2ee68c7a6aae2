/**
 * A file of CloudEvents, one a line, into the log: through the same boundary and the same append as everything else.
 * A reading of a file is an origin whose offsets are its lines, so an interrupted import goes on where it stopped, and
 * two imports of one file at once cannot count a line twice.
 */
import { DEFAULT_REGISTRATION, registerDeployment, usageProjection } from '@foothold/adoption';
import { checkMessage, EVENT_BYTES, tooLong, WrongInput, type BoundaryOptions } from '@foothold/contract';
import { adoptVersion, append, Fenced, finishOrigin, lag, openOrigin, prepare, project, readings, USAGE_SHARDS, type Arrival, type Log, type Outcome } from '@foothold/event-log';
import { type Command } from 'commander';
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
    .option('--register', 'register the deployments it meets with the defaults')
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
      await registerDeployment(session.log, session.keyCheck, tenant, deployment, DEFAULT_REGISTRATION, receivedAt);
      process.stderr.write(`registered ${deployment} with the defaults (time zone UTC, every task kind eligible)\n`);
    }
  }
  return arrivals;
}

const isBlank = (bytes: Buffer): boolean => bytes.length < 64 && bytes.toString().trim() === '';

const otherVersion = () => new WrongInput('database', 'a newer Foothold folds its read tables: the events are in the log, and its projector will fold them', 'import with the newer Foothold');

/** Folds what is in the log and not yet in the read tables; waits for shards another projector has leased. */
async function catchUp(log: Log): Promise<void> {
  await prepare(log.database, usageProjection);
  let rebuilding: ReturnType<typeof progressBar>;
  const live = await adoptVersion(log, usageProjection, {
    progress: (folded, of) => {
      rebuilding ??= progressBar('rebuilding the read tables for this version', of);
      rebuilding?.setTotal(of);
      rebuilding?.update(folded);
    },
  }).finally(() => rebuilding?.stop());
  if (live > usageProjection.version) throw otherVersion();
  const { behind } = await lag(log.database, usageProjection.name);
  const bar = progressBar('folding', behind);
  try {
    for (let left = Array.from({ length: USAGE_SHARDS }, (_, shard) => shard); left.length > 0; ) {
      const waiting: number[] = [];
      for (const shard of left) {
        const progress = await project(log, usageProjection, shard);
        if (progress === 'other version') throw otherVersion();
        if (progress === 'leased' || progress.behind) waiting.push(shard);
        if (progress !== 'leased') bar?.increment(progress.folded);
      }
      if (waiting.length === left.length) await new Promise<void>((resolve) => setTimeout(resolve, 50));
      left = waiting;
    }
  } finally {
    bar?.stop();
  }
}
