/** An agent prepares a payment for whoever asked; somebody else has to approve what it prepared. */
import { type Foothold } from '@foothold/sdk';

export interface Proposal {
  payee: string;
  /** Names the invocation; it travels with the proposal through the approval. */
  token: string;
}

export async function prepare(foothold: Foothold, requester: string, work: () => Promise<string>): Promise<Proposal> {
  // One invocation, however many models the agent calls on its way.
  const run = foothold.as(requester).invocation({ taskKind: 'payment', surface: 'in-workflow', initiative: 'person' });
  try {
    const payee = await work();
    return { payee, token: run.token };
  } catch (error) {
    run.failed(error);
    throw error;
  }
}

export function opened(foothold: Foothold, proposal: Proposal): void {
  foothold.resume(proposal.token).shown({ options: 1 });
}

/** The invocation stays the requester's; the decision is the approver's. */
export function decided(foothold: Foothold, proposal: Proposal, approver: string, verdict: 'approve' | 'wrong-payee'): void {
  const run = foothold.resume(proposal.token);
  if (verdict === 'approve') run.accepted({ actor: approver });
  else run.overridden({ actor: approver, reason: verdict });
}
