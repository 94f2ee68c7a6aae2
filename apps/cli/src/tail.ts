/** Shows what arrives for a deployment as it arrives, so that somebody who has just sent an event sees it, or why it was refused. */
import { checkDeploymentId, type Registration } from '@foothold/adoption';
import { Tail, type Arrived, type ArrivedEvent, type Log } from '@foothold/event-log';
import { errorText, isTransient } from '@foothold/platform';
import { type Command } from 'commander';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { printable } from './printable.js';
import { asUsage, inSession, withTenant, WrongUsage } from './session.js';

/** Between two looks. */
const LOOK_MS = 400;
/** After so long without anything, it says what to check. */
const QUIET_MS = 10_000;
/** What happened longer ago than this when it was received is shown with its own time. */
const LATE_MICROS = 60_000_000;

interface Flags {
  tenant: string;
  json?: boolean;
  /** Microseconds before now. */
  since?: number;
}

export function addTailCommand(program: Command): void {
  withTenant(program.command('tail <deployment>'))
    .description('show what arrives for a deployment as it arrives, and what is refused and why; Ctrl-C ends it')
    .option('--since <span>', 'begin with what was received in this span before now: 90s, 10m, 2h or 3d', span)
    .action(async (deployment: string, flags: Flags) => {
      await asUsage((field) => field, () => checkDeploymentId('deployment', deployment));
      const ending = new AbortController();
      const end = () => ending.abort();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
      try {
        await inSession(({ log }) => show(log, deployment, flags, ending.signal));
      } finally {
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end);
      }
    });
}

async function show(log: Log, deployment: string, { tenant, json, since }: Flags, signal: AbortSignal): Promise<void> {
  const tail = await Tail.open(log.database, tenant, deployment, since === undefined ? undefined : Date.now() * 1000 - since);
  let zone = await timeZoneOf(log, tenant, deployment);
  note(
    zone === undefined
      ? `tenant "${tenant}" has no deployment "${deployment}": until it is registered (foothold deployment register ${deployment} --tenant ${tenant}) its events are quarantined, and shown here as such. Waiting; Ctrl-C ends this`
      : `waiting for events of ${deployment} (times are those of ${zone}); Ctrl-C ends this`,
  );
  let quietSince: number | undefined = Date.now();
  let troubled = false;
  while (!signal.aborted) {
    try {
      const arrived = await tail.look();
      if (troubled) note('the database answers again');
      troubled = false;
      if (arrived.length > 0) quietSince = undefined;
      if (zone === undefined && arrived.some(({ outcome }) => outcome === 'stored')) zone = await timeZoneOf(log, tenant, deployment);
      await say(arrived.map((one) => (json ? JSON.stringify(jsonOf(one)) : lineOf(one, zone ?? 'UTC'))));
    } catch (error) {
      if (!isTransient(error)) throw error;
      if (!troubled) note(`the database does not answer, trying again: ${errorText(error)}`);
      troubled = true;
    }
    if (quietSince !== undefined && Date.now() - quietSince > QUIET_MS) {
      quietSince = undefined;
      note(whatToCheck(tenant, deployment, zone !== undefined));
    }
    if (!tail.behind || troubled) await pause(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function timeZoneOf({ identities }: Log, tenant: string, deployment: string): Promise<string | undefined> {
  await identities.learnDeployments([{ tenant, deployment }]);
  return (identities.deployment(tenant, deployment)?.registration as Registration | undefined)?.timeZone;
}

const note = (text: string): void => void process.stderr.write(printable(`${text}\n`));

async function say(lines: string[]): Promise<void> {
  if (lines.length > 0 && !process.stdout.write(printable(`${lines.join('\n')}\n`))) await once(process.stdout, 'drain');
}

export function whatToCheck(tenant: string, deployment: string, registered: boolean): string {
  return [
    `nothing has come in ${QUIET_MS / 1000} s. Check`,
    ...(registered ? [] : [`  that the deployment is registered: foothold deployment register ${deployment} --tenant ${tenant}`]),
    `  that the host sends deployment "${deployment}", with a key of tenant "${tenant}" that counts: foothold key list --tenant ${tenant}`,
    '  that it is no event sent before: one that is repeated under its id is counted once, and not shown again',
    '  that the processes run, and what they stand on: foothold doctor',
    'Still waiting.',
  ].join('\n');
}

/** One line for people: when it was received, what it is, whose, about what, and what it says. */
export function lineOf(arrived: Arrived, zone: string): string {
  const received = clock(arrived.received, zone);
  if (arrived.outcome !== 'stored') {
    const { outcome, type, field, reason, fix } = arrived;
    return `${received}  ${outcome.toUpperCase().padEnd(20)} ${type ?? '(no type)'}  ${field}: ${reason}. ${fix}`.replace(/[\t\n]/g, ' ');
  }
  const { type, person, actor, time, skewMs } = arrived;
  const { invocation, task, ...facts } = factsOf(arrived);
  const said = Object.entries(invocation === undefined || task === undefined ? facts : { task, ...facts }).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  if (actor !== null) said.push(`by ${actor}`);
  if (skewMs !== null) said.push(`clock ${Math.round(Math.abs(skewMs) / 1000)} s ${skewMs > 0 ? 'behind' : 'ahead'}`);
  if (Math.abs(arrived.received - time) > LATE_MICROS) said.push(`happened ${clock(time, zone)}`);
  return [`${received}  ${type.padEnd(20)} ${person ?? '-'}`, invocation ?? task, said.join(' ')].filter(Boolean).join('  ').replace(/[\t\n]/g, ' ');
}

/** The same for programs. */
export function jsonOf(arrived: Arrived): object {
  const received = iso(arrived.received);
  if (arrived.outcome === 'stored') return { ...arrived, received, time: iso(arrived.time), data: factsOf(arrived) };
  return { ...arrived, received };
}

/** What an event says, but for a person's own words. */
function factsOf({ data }: ArrivedEvent): Record<string, unknown> {
  return 'comment' in data ? { ...data, comment: '(not shown)' } : data;
}

const iso = (micros: number): string => new Date(Math.floor(micros / 1000)).toISOString();

/** YYYY-MM-DD HH:MM:SS in a time zone, which is how Swedes write it. */
const clock = (micros: number, timeZone: string): string => new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(micros / 1000);

const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Microseconds of a span of time as people write it. */
function span(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count === undefined) throw new WrongUsage('--since', `"${text}" is no span of time`, 'write for instance 90s, 10m, 2h or 3d');
  return Number(count) * SECONDS[unit!]! * 1_000_000;
}
