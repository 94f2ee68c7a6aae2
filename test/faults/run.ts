/**
 * One schedule from its beginning to its verdict: start, send, befall, come to rest, judge.
 * Arrives: servers and a plan. Leaves: what happened and whether everything is as it must be.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { befall, until } from './befall.js';
import { Hosts } from './load.js';
import { judge, type Verdict } from './oracle.js';
import { planText, type Kind, type Plan } from './schedule.js';
import { ask, type Servers } from './servers.js';
import { World } from './world.js';

export interface Result extends Verdict {
  seed: number;
  kafka: boolean;
  seconds: number;
  /** How often a kind took place. */
  faults: Partial<Record<Kind, number>>;
  sent: number;
  /** How often a collector answered that it cannot take anything at the moment. */
  refusals: number;
  /** What the plan was and how it went, for people. */
  story: string[];
  /** How long each part took, in seconds. */
  spent: Record<string, number>;
}

/** @param logs where the processes' logs are left when something is wrong */
export async function runSchedule(servers: Servers, plan: Plan, logs: string): Promise<Result> {
  const began = Date.now();
  const result: Result = { seed: plan.seed, kafka: plan.kafka, seconds: 0, faults: {}, sent: 0, acknowledged: 0, lost: 0, doubled: 0, refusals: 0, wrong: [], story: [planText(plan)], spent: {} };
  let since = began;
  const spent = (what: string) => {
    result.spent[what] = (Date.now() - since) / 1000;
    since = Date.now();
  };
  const world = await World.open(servers, plan, `faults_${plan.seed}`);
  const hosts = new Hosts(plan, { urls: () => world.urls(), key: servers.key, kafka: servers.client, topic: plan.kafka ? world.topics.foreign : undefined });
  spent('start');
  const disturbed = disturb(world, hosts, result, spent);
  try {
    const removed = await Promise.race([world.fleet.failed, disturbed]);
    const { wrong, ...counts } = await judge(world.url, world.deployments, hosts.sent, plan.kafka ? removed + (await held(world)) : null);
    Object.assign(result, counts);
    result.wrong.push(...wrong);
    spent('judge');
  } catch (error) {
    result.wrong.push((error as Error).stack ?? String(error));
  }
  result.sent = hosts.sent.length;
  result.refusals = hosts.refusals;
  result.wrong.push(...hosts.wrong);
  await hosts.close().catch(() => undefined);
  await Promise.race([disturbed.catch(() => undefined), sleep(30_000, undefined, { ref: false })]); // what is still happening would befall the next schedule
  const said = world.logs();
  if (result.wrong.length > 0) result.wrong.push(...errorsIn(said));
  await world.close().catch((error: unknown) => result.wrong.push(`at the end: ${(error as Error).message}`));
  spent('stop');
  if (world.ended.length > 0) result.story.push(...world.ended.map((text) => `  ended, started again: ${text}`));
  result.seconds = (Date.now() - began) / 1000;
  if (result.wrong.length > 0) await keep(join(logs, String(plan.seed)), { ...said, story: [...result.story, ...result.wrong].join('\n') });
  return result;
}

/** Sends, and lets the faults happen meanwhile; then waits until everything has come to rest. @returns how many records were in topics that are gone */
async function disturb(world: World, hosts: Hosts, result: Result, spent: (what: string) => void): Promise<number> {
  const began = Date.now();
  let pending = 0;
  let removed = 0;
  const happen = async (fault: Plan['faults'][number]) => {
    await until(() => Date.now() - began >= fault.at, 'its time', fault.at + 75_000);
    try {
      const evidence = await befall(world, fault, hosts);
      result.faults[fault.kind] = (result.faults[fault.kind] ?? 0) + 1;
      result.story.push(`  at ${((Date.now() - began) / 1000).toFixed(1)} s: ${fault.kind}: ${evidence}`);
    } catch (error) {
      result.wrong.push(`${fault.kind}, planned at ${fault.at} ms: ${(error as Error).message}`);
    } finally {
      pending--;
    }
  };
  const last = world.plan.faults.filter(({ kind }) => kind === 'topic made anew');
  const during = world.plan.faults.filter((fault) => !last.includes(fault));
  pending = during.length;
  const happening = Promise.all(during.map(happen));
  await hosts.send();
  spent('send');
  await Promise.all([hosts.sendRest(() => pending > 0), happening]);
  world.heal();
  for (const fault of last) {
    removed += await held(world, [world.topics.foreign]);
    await happen(fault);
  }
  spent('befall');
  await rest(world);
  spent('rest');
  return removed;
}

/** Until all that Kafka holds is recorded, all that is recorded is folded, and nothing waits any more for a deployment that is registered. */
async function rest(world: World): Promise<void> {
  let left = '';
  await until(async () => {
    const [row] = await ask<{ taken: number; behind: number; waiting: number }>(
      world.url,
      `select (select coalesce(sum(next_offset - first_offset), 0)::int from origin where kind = 'kafka' and not finished) as taken,
              (select sum(h.position - coalesce(c.position, 0))::int from head h left join checkpoint c on c.shard = h.shard and c.projection = 'usage' where h.shard < 16) as behind,
              (select count(*)::int from dead_letter l join deployment d on d.id = l.deployment where l.field = 'deployment') as waiting`,
    );
    const there = world.plan.kafka ? await held(world) : 0;
    left = `${there - row!.taken} records are not recorded, ${row!.behind} events not folded, ${row!.waiting} dead letters wait`;
    return row!.behind === 0 && row!.taken === there && row!.waiting === 0;
  }, 'everything to come to rest', 90_000).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}: ${left}`);
  });
}

/** How many records Kafka holds of this schedule's. */
async function held(world: World, topics = Object.values(world.topics)): Promise<number> {
  const ends = await Promise.all(topics.map((topic) => world.admin.fetchTopicOffsets(topic)));
  return ends.flat().reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
}

/** What processes said of faults on their own side, the first of each. */
function errorsIn(said: Record<string, string>): string[] {
  return Object.entries(said).flatMap(([name, text]) => {
    const line = text.split('\n').find((one) => /"level":(50|60)/.test(one));
    return line === undefined ? [] : [`${name} said: ${line.slice(0, 800)}`];
  });
}

async function keep(folder: string, files: Record<string, string>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, `${name}.log`), text);
}
