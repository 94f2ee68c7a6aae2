/**
 * The demo once its process runs: registers the deployment, lets the organisation work, waits until all of it is counted,
 * and asks. What arrives: the running process and a plan. What leaves: what to show. Next is `figures.ts`.
 */
import { DEFAULT_REGISTRATION, registerDeployment, usageProjection } from '@foothold/adoption';
import { type Answer } from '@foothold/contract';
import { completeThrough, lag, openLog, verify, type Log } from '@foothold/event-log';
import { Keys, type KeyKind, type Platform } from '@foothold/platform';
import { SingleBar } from 'cli-progress';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { before } from '../front.js';
import { figuresText, readFigures, type Ask } from './figures.js';
import { deploymentOf } from './flags.js';
import { outlineOf, type Plan } from './organisation.js';
import { type Word, type Work } from './organisation-thread.js';
import { type Place } from './sending.js';

const TENANT = 'local';
const LOOK_MS = 100;
/** The key to ask with is shown, and is of no use when the demo is forgotten. */
const KEY_MS = 7 * 86_400_000;

/** Says how long each part took. */
export class Timing {
  private readonly began = performance.now();
  private last = this.began;

  constructor(private readonly say: (line: string) => void) {}

  took(what: string): void {
    const now = performance.now();
    this.say(`${seconds(now - this.last)}  ${what}`);
    this.last = now;
  }

  total(): void {
    this.say(`${seconds(performance.now() - this.began)}  in all`);
  }
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1).padStart(6)} s`;

/** @returns the figures, and how to ask further. */
export async function play(platform: Platform, url: string, plan: Plan, timing: Timing): Promise<string> {
  const { database, pseudonymiser, sealer, config } = platform;
  const keyCheck = (tenant: string) => pseudonymiser.check(tenant);
  const log = openLog(database, keyCheck, sealer);
  const keys = new Keys(database);
  const deployment = deploymentOf(plan);
  const { pilotStart, handoff, taskKinds } = outlineOf(plan);
  const registration = { ...DEFAULT_REGISTRATION, timeZone: 'Europe/Oslo', country: 'NO', taskKinds, pilotStart, handoff };
  await registerDeployment(log, keyCheck, TENANT, deployment, registration, Date.now() * 1000);

  const [write, read] = [await keyFor(keys, 'write', deployment), await keyFor(keys, 'read', deployment)];
  const known = (await verify(database)).duplicate;
  await work(plan, { url, key: write.key, deployment }, timing);
  await keys.revoke(TENANT, write.id);

  await counted(log);
  const again = (await verify(database)).duplicate - known;
  timing.took(`folded into what questions are asked of${again > 0 ? `; ${count(again)} events were known from before and counted once` : ''}`);

  const figures = await readFigures(askerOf(url, read.key, deployment), handoff, plan.end);
  timing.took('questions answered');
  return `${figuresText(figures)}\n\n${further(url, read.key, deployment, handoff, config.FOOTHOLD_HOME)}`;
}

const count = (number: number): string => number.toLocaleString('en');

const keyFor = (keys: Keys, kind: KeyKind, deployment: string): ReturnType<Keys['create']> =>
  keys.create({ tenant: TENANT, kind, deployments: [deployment], origins: null, note: 'npm run demo', expiresAt: Date.now() + KEY_MS });

/** Lets the organisation do its work and report it. @throws Error where an event did not arrive */
async function work(plan: Plan, place: Place, timing: Timing): Promise<void> {
  const thread = new Worker(new URL('./organisation-thread.js', import.meta.url), { workerData: { plan, place } satisfies Work });
  let bar: SingleBar | undefined;
  let trouble = '';
  let calls = 0;
  try {
    const began = { at: 0 };
    const sent = await new Promise<Extract<Word, { is: 'sent' }>>((resolve, reject) => {
      thread.once('error', reject);
      thread.once('exit', () => reject(new Error('the organisation ended before its work was sent')));
      thread.on('message', (word: Word) => {
        if (word.is === 'begun') {
          calls = word.calls;
          began.at = performance.now();
          timing.took(`${count(word.people)} people worked for ${plan.weeks} weeks, which makes ${count(calls)} events`);
          bar = progressBar('sending', calls);
        } else if (word.is === 'settled') bar?.increment(word.more);
        else if (word.is === 'trouble') trouble = word.what;
        else resolve(word);
      });
    });
    bar?.stop();
    bar = undefined;
    const lost = Object.entries(sent.dropped).map(([reason, lostCount]) => `${count(lostCount!)} ${reason}`);
    if (sent.delivered !== calls || lost.length > 0) throw new Error(`of ${count(calls)} events ${count(sent.delivered)} arrived (${lost.join(', ')}). ${trouble}`);
    const rate = Math.round((calls / (performance.now() - began.at)) * 1000);
    timing.took(`all of them sent through the SDK and acknowledged, ${count(rate)} a second`);
  } finally {
    bar?.stop();
    await thread.terminate();
  }
}

/** Waits until answers hold everything that has arrived so far. */
async function counted({ database }: Log): Promise<void> {
  const now = Date.now() * 1000;
  let { behind } = await lag(database, usageProjection.name);
  const bar = progressBar('folding', behind);
  try {
    const total = behind;
    for (;;) {
      const complete = await completeThrough(database, TENANT, usageProjection.name);
      if (complete !== null && complete > now && behind === 0) return;
      await pause(LOOK_MS);
      ({ behind } = await lag(database, usageProjection.name));
      bar?.update(Math.max(0, total - behind));
    }
  } finally {
    bar?.stop();
  }
}

function askerOf(url: string, key: string, deployment: string): Ask {
  return async (metric, question) => {
    const response = await fetch(`${url}/v1/deployments/${deployment}/metrics/${metric}?${new URLSearchParams(question)}`, { headers: { authorization: `Bearer ${key}` } });
    if (!response.ok) throw new Error(`the API answered ${response.status} when asked for ${metric}: ${await response.text()}`);
    return (await response.json()) as Answer;
  };
}

function further(url: string, key: string, deployment: string, handoff: string, home: string): string {
  const foothold = `${before({ ...(process.env['DATABASE_URL'] ? { DATABASE_URL: '' } : {}), FOOTHOLD_HOME: home })}npx foothold`;
  return [
    `Explore it: ${url}/explorer (Authorize with the read key ${key}, which ends in a week)`,
    'Ask further, while it runs or later:',
    `  ${foothold} metrics --list`,
    `  ${foothold} metrics ${deployment} trust.override --from ${handoff} --grain week --by task_kind`,
    `  ${foothold} verify`,
  ].join('\n');
}

function progressBar(what: string, total: number): SingleBar | undefined {
  if (!process.stderr.isTTY || total === 0) return undefined;
  const bar = new SingleBar({ format: `${what} {bar} {percentage} % | {eta_formatted} left`, stream: process.stderr, hideCursor: true });
  bar.start(total, 0);
  return bar;
}
