/** An SDK on a virtual machine, and what specs ask of what it sent. */
import { type FootholdOptions } from '../../libs/sdk/src/options.js';
import { Reporter } from '../../libs/sdk/src/reporter.js';
import { Session } from '../../libs/sdk/src/session.js';
import { type Warning } from '../../libs/sdk/src/warnings.js';
import { accepted, VirtualMachine, type Reaction, type Sent } from './virtual-machine.js';

export function startSdk(options: Partial<FootholdOptions> = {}, collector?: VirtualMachine['collector'], machine = new VirtualMachine()) {
  if (collector) machine.collector = collector;
  const warnings: Warning[] = [];
  const session = new Session({ url: 'https://collector.example/', key: 'fhw_k', deployment: 'claims', onWarning: (warning) => warnings.push(warning), ...options }, machine);
  const foothold = new Reporter(session, 'jane');
  const report = (count = 1) => {
    for (let i = 0; i < count; i++) foothold.task({ task: `t-${i}`, taskKind: 'triage' });
  };
  return { machine, foothold, session, report, warnings, kinds: () => warnings.map(({ kind }) => kind) };
}

/** Each request in turn gets the next reaction; those after the last are accepted. */
export const inTurn = (...reactions: Reaction[]): VirtualMachine['collector'] => ({ events }) => reactions.shift() ?? accepted(events.length);

export const idsOf = ({ events }: Sent) => events.map((event) => event['id']);
export const isHeartbeat = (event: Record<string, unknown>) => event['type'] === 'foothold.sdk.reported.v1';
/** What every heartbeat said, as often as it was sent. */
export const heartbeatsOf = (machine: VirtualMachine) => machine.sent.flatMap(({ events }) => events).filter(isHeartbeat).map(({ data }) => data as { queued: number; dropped: Record<string, number> });
