/**
 * At night a batch triages the day's claims into a queue that clerks work off. Nobody has seen anything yet: the batch
 * tells only how much waits. What a clerk opens was asked for by the software, so its initiative is automatic.
 */
import { type Foothold } from '@foothold/sdk';

export interface Claim {
  id: string;
  suggested: string;
  confidence: number;
}

export function batchDone(foothold: Foothold, day: string, waiting: Claim[]): void {
  foothold.queue({ id: `batch:${day}`, taskKind: 'claim-triage', items: waiting.length });
}

export function claimOpened(foothold: Foothold, clerk: string, claim: Claim): (filed: string) => void {
  const desk = foothold.as(clerk);
  const triage = desk.invocation({ task: claim.id, taskKind: 'claim-triage', surface: 'in-workflow', initiative: 'automatic' });
  triage.shown({ confidence: claim.confidence });

  return (filed) => {
    if (filed === claim.suggested) triage.accepted();
    else triage.overridden({ reason: 'other-category' });
    desk.task({ task: claim.id, taskKind: 'claim-triage' });
  };
}

/** The claims system counts for itself, so that events which went missing show. */
export function dayClosed(foothold: Foothold, day: string, filed: number): void {
  foothold.feed({ id: `claims:${day}`, kind: 'tasks', from: day, to: day, count: filed });
}
