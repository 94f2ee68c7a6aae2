/** What can be done, on the command bus. */
import { decideOn, importRoster, registerDeployment, type Change, type Deployment, type ImportedRoster, type Period, type Registered, type Registration, type Viewer } from '@foothold/adoption';
import { Forbidden } from '@foothold/contract';
import { redriveWaiting, VersionConflict, type KeyCheck, type Log } from '@foothold/event-log';
import { preconditionFailed, Pseudonymiser } from '@foothold/platform';
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { KEY_CHECK, LOG } from './log.js';

/** Letters that a registration redrives while somebody waits for its answer; the sweep takes the rest. */
const AT_ONCE = 5_000;

export class RegisterDeployment extends Command<Registered & { redriven: number }> {
  constructor(readonly viewer: Viewer, readonly deployment: string, readonly wanted: Registration) {
    super();
  }
}

@CommandHandler(RegisterDeployment)
export class RegisterDeploymentHandler implements ICommandHandler<RegisterDeployment> {
  constructor(
    @Inject(LOG) private readonly log: Log,
    @Inject(KEY_CHECK) private readonly keyCheck: KeyCheck,
  ) {}

  /** @throws Forbidden where the key is for other deployments; what else registerDeployment throws. */
  async execute({ viewer, deployment, wanted }: RegisterDeployment): Promise<Registered & { redriven: number }> {
    if (viewer.deployments && !viewer.deployments.includes(deployment)) throw new Forbidden('deployment', 'the key is not for this deployment', 'use a deployment that the key is for, or another key');
    const registered = await registerDeployment(this.log, this.keyCheck, viewer.tenant, deployment, wanted, Date.now() * 1000);
    const { redriven } = await redriveWaiting(this.log, viewer.tenant, deployment, { most: AT_ONCE });
    return { ...registered, redriven };
  }
}

/** Decides something about a deployment; `expected` is the version it must be at, undefined: any. */
export class Decide extends Command<{ deployment: Deployment; changed: boolean }> {
  constructor(readonly viewer: Viewer, readonly deployment: string, readonly expected: number | undefined, readonly decide: (stands: Deployment) => Change | null) {
    super();
  }
}

@CommandHandler(Decide)
export class DecideHandler implements ICommandHandler<Decide> {
  constructor(@Inject(LOG) private readonly log: Log) {}

  execute({ viewer, deployment, expected, decide }: Decide): Promise<{ deployment: Deployment; changed: boolean }> {
    return atVersion(decideOn(this.log, viewer, deployment, Date.now() * 1000, expected, decide));
  }
}

/** Imports a roster; people as the host knows them. */
export class ImportRoster extends Command<ImportedRoster> {
  constructor(readonly viewer: Viewer, readonly deployment: string, readonly expected: number | undefined, readonly people: ReadonlyMap<string, readonly Period[]>, readonly complete: boolean) {
    super();
  }
}

@CommandHandler(ImportRoster)
export class ImportRosterHandler implements ICommandHandler<ImportRoster> {
  constructor(
    @Inject(LOG) private readonly log: Log,
    @Inject(Pseudonymiser) private readonly pseudonymiser: Pseudonymiser,
  ) {}

  execute({ viewer, deployment, expected, people, complete }: ImportRoster): Promise<ImportedRoster> {
    const pseudonyms = new Map([...people].map(([person, periods]) => [this.pseudonymiser.pseudonym(viewer.tenant, person), periods]));
    return atVersion(importRoster(this.log, viewer, deployment, pseudonyms, complete, Date.now() * 1000, expected));
  }
}

async function atVersion<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    if (!(error instanceof VersionConflict)) throw error;
    throw preconditionFailed('if-match', `the deployment is at version ${error.actual}, not ${error.expected}`, 'see what stands, decide anew, and send the version it has then');
  });
}

export const COMMANDS = [RegisterDeploymentHandler, DecideHandler, ImportRosterHandler];
