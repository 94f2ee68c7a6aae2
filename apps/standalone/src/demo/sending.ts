/**
 * Sends what the simulated organisation did, as its applications would have: through the SDK, each person in their own
 * name. What arrives: calls. What leaves: events on their way to the collector, under ids and times of their own, so that
 * sending them again counts nothing twice. Next is the collector.
 */
import { Foothold, type Invocation } from '@foothold/sdk';
import { type Call, type DeploymentCall, type InvocationCall, type PersonCall } from './calls.js';

/** Sessions of the SDK at work at the same time: each sends one request at a time. */
const SESSIONS = 3;
/** Calls made before waiting for those before them: two such stretches fit into the SDK's queue several times over. */
const STRETCH = 2_000;
const PATIENCE_MS = 120_000;

export interface Place {
  url: string;
  /** A write key. */
  key: string;
  deployment: string;
}

export interface Sent {
  delivered: number;
  /** By reason; empty where nothing was. */
  dropped: Partial<Record<string, number>>;
}

/**
 * Makes the calls in the order of each person's.
 * @param progress is told how many more have been delivered, dropped or refused
 * @param trouble is told of what the SDK warns of
 */
export async function send(calls: readonly Call[], place: Place, progress: (settled: number) => void, trouble: (what: string) => void): Promise<Sent> {
  const shares: Call[][] = Array.from({ length: SESSIONS }, () => []);
  for (const call of calls) shares['person' in call ? Number(call.person.slice(2)) % SESSIONS : 0]!.push(call);
  const sent = await Promise.all(shares.map((share) => sendShare(share, place, progress, trouble)));
  const total: Sent = { delivered: 0, dropped: {} };
  for (const { delivered, dropped } of sent) {
    total.delivered += delivered;
    for (const [reason, count] of Object.entries(dropped)) total.dropped[reason] = (total.dropped[reason] ?? 0) + count!;
  }
  return total;
}

async function sendShare(calls: Call[], place: Place, progress: (settled: number) => void, trouble: (what: string) => void): Promise<Sent> {
  const foothold = new Foothold({ ...place, source: 'urn:nordlys:workplace', onWarning: ({ message }) => trouble(message) });
  const handles = new Map<string, Invocation>();
  let before = Promise.resolve(true);
  let [settled, told] = [0, 0];
  const tell = () => {
    const { delivered, dropped } = foothold.stats();
    settled = Object.values(dropped).reduce((sum, count) => sum + count, delivered);
    progress(settled - told);
    told = settled;
  };
  for (let at = 0; at < calls.length; at += STRETCH) {
    for (const call of calls.slice(at, at + STRETCH)) make(call, foothold, handles);
    const waiting = foothold.flush(PATIENCE_MS);
    await before;
    tell();
    before = waiting;
  }
  await foothold.shutdown(PATIENCE_MS);
  tell();
  const { delivered, dropped } = foothold.stats();
  return { delivered, dropped };
}

function make(call: Call, foothold: Foothold, handles: Map<string, Invocation>): void {
  if ('invocation' in call) ofInvocation(call, foothold, handles);
  else if ('person' in call) ofPerson(call, foothold);
  else ofDeployment(call, foothold);
}

function ofInvocation(call: InvocationCall, foothold: Foothold, handles: Map<string, Invocation>): void {
  const { person, invocation, id, at: time } = call;
  if (call.call === 'invocation') {
    handles.set(invocation, foothold.as(person).invocation({ ...call.facts, id: invocation, eventId: id, time }));
    return;
  }
  const handle = handles.get(invocation)!;
  switch (call.call) {
    case 'shown': return handle.shown({ ...call.facts, id, time });
    case 'accepted': return handle.accepted({ ...call.facts, id, time });
    case 'overridden': return handle.overridden({ ...call.facts, id, time });
    case 'withdrawn': return handle.withdrawn({ ...call.facts, id, time });
    case 'rechecked': return handle.rechecked({ ...call.facts, id, time });
    case 'abandoned': return handle.abandoned(call.facts.cause, { id, time });
    case 'failed': return handle.failed(call.facts.error, { id, time });
  }
}

function ofPerson(call: PersonCall, foothold: Foothold): void {
  const { person, id, at: time } = call;
  const view = foothold.as(person);
  switch (call.call) {
    case 'task': return view.task({ ...call.facts, id, time });
    case 'feedback': return view.feedback({ ...call.facts, id, time });
    case 'truth': return view.truth({ ...call.facts, id, time });
  }
}

function ofDeployment(call: DeploymentCall, foothold: Foothold): void {
  const { id, at: time } = call;
  switch (call.call) {
    case 'queue': return foothold.queue({ ...call.facts, id, time });
    case 'feed': return foothold.feed({ ...call.facts, id, time });
    case 'outcome': return foothold.outcome({ ...call.facts, id, time });
    case 'modelScore': return foothold.modelScore({ ...call.facts, id, time });
  }
}
