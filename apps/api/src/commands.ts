/** What can be done, on the command bus. */
import { registerDeployment, type Registration, type Viewer } from '@foothold/adoption';
import { Forbidden } from '@foothold/contract';
import { redriveWaiting, type KeyCheck, type Log } from '@foothold/event-log';
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { KEY_CHECK, LOG } from './log.js';

/** Letters that a registration redrives while somebody waits for its answer; the sweep takes the rest. */
const AT_ONCE = 5_000;

export class RegisterDeployment extends Command<{ version: number; isNew: boolean; redriven: number }> {
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
  async execute({ viewer, deployment, wanted }: RegisterDeployment): Promise<{ version: number; isNew: boolean; redriven: number }> {
    if (viewer.deployments && !viewer.deployments.includes(deployment)) throw new Forbidden('deployment', 'the key is not for this deployment', 'use a deployment that the key is for, or another key');
    const registered = await registerDeployment(this.log, this.keyCheck, viewer.tenant, deployment, wanted, Date.now() * 1000);
    const { redriven } = await redriveWaiting(this.log, viewer.tenant, deployment, { most: AT_ONCE });
    return { ...registered, redriven };
  }
}

export const COMMANDS = [RegisterDeploymentHandler];
