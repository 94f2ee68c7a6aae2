/** `npm run demo`, with a smaller organisation: what it prints is what the simulated people did, counted here without Foothold. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { dayOf, textOf } from '../apps/standalone/src/demo/calendar.js';
import { type InvocationCall } from '../apps/standalone/src/demo/calls.js';
import { NINE_MONTHS, simulate, type Organisation } from '../apps/standalone/src/demo/organisation.js';
import { answered, startFoothold, type Ended } from './support/foothold.js';

const DEMO = resolve(import.meta.dirname, '../dist/apps/standalone/src/demo.js');
const PLAN = { ...NINE_MONTHS, people: 30, weeks: 15 };
const FLAGS = ['--people', '30', '--weeks', '15'];
const DEPLOYMENT = 'nordlys-30-people-15-weeks';

let home: string;
let neighbour: Server;
let first: Ended;

const run = (args: string[], settings: Record<string, string> = {}) => startFoothold(args, { FOOTHOLD_HOME: home, ...settings }, DEMO).ended;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'foothold-demo-'));
  await chmod(home, 0o755); // as root Postgres runs as another user
  neighbour = createServer().listen(0, '127.0.0.1');
  await once(neighbour, 'listening');
  first = await run([...FLAGS, '--exit'], { FOOTHOLD_PORT: String((neighbour.address() as AddressInfo).port) });
});

afterAll(async () => {
  neighbour.close();
  await rm(home, { recursive: true });
});

const oslo = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Oslo' });
const localDay = (at: number) => dayOf(oslo.format(at));
const count = (number: number) => number.toLocaleString('en');

/** The headline numbers of the days since the handoff. */
function countedHere({ calls, handoff }: Organisation) {
  const from = dayOf(handoff);
  const stories = new Map<string, InvocationCall[]>();
  for (const call of calls) if ('invocation' in call) stories.set(call.invocation, [...(stories.get(call.invocation) ?? []), call]);
  const tasksNamed = new Set<string>();
  const tasksUsed = new Set<string>();
  const people = new Map<number, Set<string>>();
  const reasons = new Map<string, number>();
  const sum = { shown: 0, accepted: 0, overridden: 0, tasks: 0, used: 0 };
  for (const story of stories.values()) {
    const started = story.find((call) => call.call === 'invocation')!;
    if (started.facts.task !== undefined) tasksNamed.add(started.facts.task);
    let decision: Extract<InvocationCall, { call: 'accepted' | 'overridden' }> | undefined;
    for (const call of story) {
      if (call.call === 'accepted' || call.call === 'overridden') decision = call;
      if (call.call === 'withdrawn') decision = undefined;
    }
    if (decision) {
      if (started.facts.task !== undefined) tasksUsed.add(started.facts.task);
      const week = Math.floor((localDay(decision.at) - from) / 7);
      const who = decision.facts.actor ?? decision.person;
      people.set(week, (people.get(week) ?? new Set()).add(who));
    }
    if (localDay(started.at) < from) continue;
    if (story.some(({ call }) => ['shown', 'accepted', 'overridden', 'abandoned'].includes(call))) sum.shown++;
    if (decision) sum[decision.call]++;
    if (decision?.call === 'overridden' && decision.facts.reason) reasons.set(decision.facts.reason, (reasons.get(decision.facts.reason) ?? 0) + 1);
  }
  for (const call of calls) {
    if (call.call !== 'task' || localDay(call.at) < from) continue;
    sum.tasks++;
    // The host's own flag counts where no invocation names the task.
    if (tasksUsed.has(call.facts.task) || (call.facts.aided === true && !tasksNamed.has(call.facts.task))) sum.used++;
  }
  const weeks = Array.from({ length: PLAN.weeks - 6 }, (_, week) => ({ from: textOf(from + 7 * week), people: people.get(week)?.size ?? 0 }));
  return { ...sum, weeks, reasons };
}

/** What a line of the headlines says, by its first word. */
const line = (stdout: string, word: string) => stdout.split('\n').find((text) => text.startsWith(`  ${word} `)) ?? '';
const figuresOf = ({ stdout }: Ended) => stdout.slice(0, stdout.indexOf('Explore it'));

describe('the demo', () => {
  it('ends with 0, and says how long each part took and that it took another port', () => {
    expect(first).toMatchObject({ code: 0 });
    expect(first.stderr).toMatch(/^Port \d+ is taken by another program; the demo takes any that is free\.\n/);
    const parts = ['database and services run at http', 'people worked for 15 weeks', 'all of them sent through the SDK and acknowledged', 'folded into what questions are asked of', 'questions answered', 'in all'];
    for (const part of parts) expect(first.stderr).toMatch(new RegExp(`^ +\\d+\\.\\d s  .*${part}`, 'm'));
  });

  it('prints the headline numbers of what the people did', () => {
    const here = countedHere(simulate(PLAN));
    const decided = here.accepted + here.overridden;
    const best = here.weeks.reduce((one, other) => (other.people > one.people ? other : one));
    const [reason, given] = [...here.reasons].reduce((one, other) => (other[1] > one[1] ? other : one));
    const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(1)} %`;
    expect(here.shown).toBeGreaterThan(300);
    expect(line(first.stdout, 'people')).toBe(`  people       ${here.weeks.at(-1)!.people} used it in the last week, ${best.people} in the best one, that of ${best.from}`);
    expect(line(first.stdout, 'coverage')).toContain(`${percent(here.used, here.tasks)} of the work it could help with was done with it (${count(here.used)} of ${count(here.tasks)};`);
    expect(line(first.stdout, 'acceptance')).toContain(`${percent(here.accepted, here.shown)} of the results it showed were accepted (${count(here.accepted)} of ${count(here.shown)};`);
    expect(line(first.stdout, 'override')).toContain(`${percent(here.overridden, decided)} of decisions went against it (${count(here.overridden)} of ${count(decided)};`);
    expect(line(first.stdout, 'override')).toContain(`most given reason: ${reason} (${count(given)})`);
    expect(line(first.stdout, 'abandonment')).toContain(`${percent(here.shown - decided, here.shown)} of its results were left lying (${count(here.shown - decided)} of ${count(here.shown)};`);
  });

  it('draws both plots, and says how to ask further', async () => {
    expect(first.stdout).toContain('\nPeople who used it, a week\n');
    expect(first.stdout).toContain('\nOf its tasks, done with the AI  ○ discharge-letter   ● referral-triage\n');
    expect(first.stdout).toMatch(/http:\/\/127\.0\.0\.1:\d+\/explorer \(Authorize with the read key fhr_[\w-]{43},/);
    expect(first.stdout).not.toContain('fhw_');
    const asked = new RegExp(`^  FOOTHOLD_HOME=(\\S+) npx foothold (metrics ${DEPLOYMENT} .*)$`, 'm').exec(first.stdout)!;
    const { rows } = await answered<{ rows: unknown[] }>({ FOOTHOLD_HOME: asked[1]! }, asked[2]!.split(' '));
    expect(rows.length).toBeGreaterThan(0);
  });

  it('a second time counts nothing twice', async () => {
    const second = await run([...FLAGS, '--exit'], { FOOTHOLD_PORT: '0' });
    expect(second).toMatchObject({ code: 0 });
    expect(figuresOf(second)).toBe(figuresOf(first));
    expect(second.stderr).toContain(`${count(simulate(PLAN).calls.length)} events were known from before and counted once`);
  });

  it.each([[['--people', 'many']], [['--weeks', '2']], [['--fast']]])('wrong usage %j ends with 2 and words', async (args) => {
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^npm run demo: .*\n\nnpm run demo \[-- FLAGS\]/);
    expect(stderr).toContain(args[0]);
  });
});
