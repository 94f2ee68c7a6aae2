/**
 * A backend drafts an offer on Monday and hears on Thursday, from another system, that it was sent. In between only the
 * token is kept, beside the draft; the process that hears of it need not be the one that drafted.
 */
import { changed, type Foothold } from '@foothold/sdk';

export interface Draft {
  text: string;
  /** Names the invocation; the host keeps it where it keeps the draft. */
  token: string;
}

export async function draftOffer(foothold: Foothold, seller: string, deal: string, write: () => Promise<string>): Promise<Draft> {
  const drafting = foothold.as(seller).invocation({ task: deal, taskKind: 'offer', surface: 'in-workflow', initiative: 'person' });
  const text = await write();
  drafting.shown();
  return { text, token: drafting.token };
}

/** What the sales system tells when an offer has gone out; it may tell it twice. */
export interface OfferSent {
  id: string;
  at: Date;
  text: string;
}

export function offerSent(foothold: Foothold, draft: Draft, sent: OfferSent): void {
  // The host's own id makes a message that is told twice count once.
  foothold.resume(draft.token).accepted({ id: `sales:${sent.id}`, time: sent.at, changed: changed(draft.text, sent.text) });
}

/** A month later: how much of what was sent still stands in the contract? */
export function offerSigned(foothold: Foothold, draft: Draft, sent: OfferSent, contract: string): void {
  foothold.resume(draft.token).rechecked({ id: `sales:${sent.id}:signed`, kept: 1 - changed(sent.text, contract), afterDays: 30 });
}
