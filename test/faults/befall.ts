/**
 * Carries out the faults of a plan.
 * Arrives: a world at work, and a fault. Leaves: what shows that it took place; a fault that met nothing is an error, for a
 * run would claim what it did not do.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Worker } from '../support/fleet.js';
import { foothold } from '../support/foothold.js';
import { UNREGISTERED } from '../support/usage-load.js';
import { type Link } from './link.js';
import { type Hosts } from './load.js';
import { type Fault, type Kind } from './schedule.js';
import { ask, SECRET, TENANT } from './servers.js';
import { type World } from './world.js';

const LATE_ZONE = 'Europe/Helsinki';

type Doing = (world: World, fault: Fault, hosts: Hosts) => Promise<string>;

/** Does the thing. @returns what shows it @throws Error where it met nothing */
export async function befall(world: World, fault: Fault, hosts: Hosts): Promise<string> {
  return world.excused(() => DOINGS[fault.kind](world, fault, hosts));
}

const DOINGS: Record<Kind, Doing> = {
  'process killed': async (world, { role, which }) => kill(world, await living(world.worker(role, which))),
  'process killed at COMMIT': async (world, { role, which, decision }) => {
    let left = which % 3;
    const { worker, pid } = await world.trap<{ worker: Worker; pid: number }>(({ kind, worker }, done) => {
      if (kind !== 'commit' || worker.role !== role || left-- > 0) return undefined;
      const { pid } = worker;
      worker.kill();
      done({ worker, pid });
      return decision;
    });
    return `${worker.name}, COMMIT ${decision === 'cut' ? 'not sent' : 'carried out'}, ${await dead(world, worker, pid)}`;
  },
  'COMMIT that is not heard of': async (world, { role, which }) => {
    let left = which % 3;
    const worker = await world.trap<Worker>(({ kind, worker }, done) => {
      if (kind !== 'commit' || worker.role !== role || left-- > 0) return undefined;
      done(worker);
      return 'forward-then-cut';
    });
    return worker.name;
  },
  'process stopped, and going on': (world, { role, which, ms }) => stopFor(world.worker(role, which), ms),
  'process stopped past its leases': (world, { role, which, ms }) => stopFor(world.worker(role, which), ms),
  'recorder stopped while another takes over': async (world) => {
    for (let attempt = 1; attempt <= 3; attempt++) {
      // Its transaction has begun, nothing is locked yet, and it holds a batch that somebody else will take.
      const worker = await world.trap<Worker>(({ kind, worker }, done) => {
        if (kind !== 'begin' || worker.role !== 'recorder') return undefined;
        worker.signal('SIGSTOP');
        done(worker);
        return 'forward';
      });
      const { pid } = worker;
      await world.evict();
      const lasted = await staysStopped(worker, pid, 3_500); // two heartbeats and a fetch of the others
      if (lasted) return `${worker.name}, process ${pid}, with a transaction begun`;
    }
    throw new Error('each that was stopped ended of something else meanwhile');
  },
  'backends terminated': async (world, { which }) => {
    const sql = `select pg_terminate_backend(pid) as ended from (select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
      and application_name like 'foothold %' order by hashtext(pid::text || $1) limit $2) chosen`;
    let ended = 0;
    await until(async () => {
      ended += (await ask<{ ended: boolean }>(world.url, sql, [String(which), 1 + which])).filter((row) => row.ended).length;
      return ended > 0;
    }, 'a backend');
    return `${ended} backends`;
  },
  'wire to Postgres late': (world, fault) => late(world, fault, (worker) => world.databaseLinks.get(worker)!),
  'wire to Postgres reset': (world, fault) => reset(world, fault, (worker) => world.databaseLinks.get(worker)!),
  'wire to Postgres half-open': (world, fault) => halfOpen(world, fault, (worker) => world.databaseLinks.get(worker)!),
  'wire to Kafka late': (world, fault) => late(world, fault, (worker) => world.kafkaLink(worker)),
  'wire to Kafka reset': (world, fault) => reset(world, fault, (worker) => world.kafkaLink(worker)),
  'wire to Kafka half-open': (world, fault) => halfOpen(world, fault, (worker) => world.kafkaLink(worker)),
  'wire from the client late': (world, fault) => late(world, fault, (worker) => world.clientLinks.get(worker)!),
  'wire from the client reset': (world, fault) => reset(world, fault, (worker) => world.clientLinks.get(worker)!),
  'wire from the client half-open': (world, fault) => halfOpen(world, fault, (worker) => world.clientLinks.get(worker)!),
  'acknowledgements lost': async (world, { which }) => {
    const link = world.clientLinks.get(world.worker('collector', which))!;
    const before = link.lost;
    // Another fault of the same wire may mend it meanwhile.
    await until(() => link.set('deaf') >= 0 && link.lost > before, 'an answer to lose').finally(() => link.heal());
    return `${link.lost - before} answers did not arrive`;
  },
  'recorder joins and leaves': async (world, { ms }) => {
    const worker = world.fleet.add('recorder');
    await world.launch(worker);
    await until(() => worker.says.includes('joined the group'), `${worker.name} to join`);
    await sleep(ms);
    await worker.stop();
    return `${worker.name} joined, stayed ${ms} ms and left`;
  },
  'clock set': async (world, { role, which }) => {
    const worker = await living(world.worker(role, which));
    await until(() => /is running/.test(worker.says), `${worker.name} to run`);
    worker.signal('SIGUSR2');
    await until(() => worker.says.includes('the clock was set'), `the clock of ${worker.name}`);
    return worker.name;
  },
  'process started under another clock': async (world, { role, which, ms }) => {
    const worker = await living(world.worker(role, which));
    const hours = (ms % 2 === 0 ? 1 : -1) * (1 + (ms % 7));
    world.clocks.set(worker, hours * 3_600_000);
    return `${await kill(world, worker)}, ${hours} hours`;
  },
  'sent again': async (_, { which }, hosts) => {
    await until(() => hosts.sent.some(({ acks }) => acks > 0), 'an acknowledgement');
    const records = await hosts.again(0.1 + which / 10);
    return need(records > 0, `${records} records`);
  },
  'deployment registered late': async (world) => {
    const settings = { DATABASE_URL: world.url, FOOTHOLD_PSEUDONYM_KEY: SECRET };
    const register = () => foothold(['deployment', 'register', UNREGISTERED, '--tenant', TENANT, '--time-zone', LATE_ZONE, '--json'], settings);
    let said = await register();
    await until(async () => said.code === 0 || (said = await register()).code === 0, `${UNREGISTERED} to be registered`);
    world.deployments[UNREGISTERED] = LATE_ZONE;
    return `${(JSON.parse(said.stdout) as { redriven: number }).redriven} events had waited for it`;
  },
  'Kafka killed': (world, { ms }) => restartKafka(world, ms, 'SIGKILL'),
  'Kafka stopped': (world, { ms }) => restartKafka(world, ms, 'SIGTERM'),
  'Postgres killed': (world, { ms }) => restartPostgres(world, ms, 'SIGQUIT'),
  'Postgres stopped': (world, { ms }) => restartPostgres(world, ms, 'SIGINT'),
  'way on from the collector shut until it refuses': async (world, { which }, hosts) => {
    const worker = world.worker('collector', which);
    const link = world.plan.kafka ? world.kafkaLink(worker) : world.databaseLinks.get(worker)!;
    const before = hosts.refusals;
    // Another fault may open it again, or end the collector, which would not come back while it is shut.
    for (let attempt = 1; attempt <= 3 && hosts.refusals === before; attempt++) {
      await until(() => worker.url !== undefined, `${worker.name} to listen`);
      await until(() => link.set('shut') >= 0 && hosts.refusals > before, 'a 503', 9_000).catch(() => undefined);
      link.heal();
    }
    return need(hosts.refusals > before, `${hosts.refusals - before} answers with 503`);
  },
  'topic made anew': async (world, { which }, hosts) => {
    const { foreign } = world.topics;
    await untilRecorded(world, foreign);
    await world.admin.deleteTopics({ topics: [foreign] });
    await until(async () => !(await world.admin.listTopics()).includes(foreign), 'the topic to go');
    await world.createTopics([foreign]);
    const records = await hosts.fill(which * 60);
    await until(async () => (await world.followAdvice()).length > 0, 'a recorder to say that the topic is another one');
    return `${records} records in the new one, the advice followed`;
  },
};

async function kill(world: World, worker: Worker): Promise<string> {
  const { pid } = worker;
  worker.kill();
  return `${worker.name}, ${await dead(world, worker, pid)}`;
}

/** Sees that the process is gone; of a recorder Kafka is told, mostly: it would wait for a session of ten seconds. */
async function dead(world: World, worker: Worker, pid: number): Promise<string> {
  await until(async () => ['Z', undefined].includes(await stateOf(pid)), `process ${pid} to end`);
  if (worker.role === 'recorder') await world.evict();
  return `process ${pid} gone`;
}

async function stopFor(worker: Worker, ms: number): Promise<string> {
  for (let attempt = 1; attempt <= 3; attempt++) {
    await living(worker);
    const { pid } = worker;
    worker.signal('SIGSTOP');
    if (await staysStopped(worker, pid, ms)) return `${worker.name}, process ${pid} stopped for ${ms} ms`;
  }
  throw new Error(`each ${worker.name} ended of something else while it was stopped`);
}

/** Lets a process that was told to stop stay so, and go on. @returns whether it was stopped, and nothing else befell it */
async function staysStopped(worker: Worker, pid: number, ms: number): Promise<boolean> {
  const stopped = await until(async () => (await stateOf(pid)) === 'T', `process ${pid} to stop`, 2_000).then(() => true, () => false);
  await sleep(ms);
  const lasts = stopped && worker.lives && worker.pid === pid && (await stateOf(pid)) === 'T';
  if (worker.lives && worker.pid === pid) worker.signal('SIGCONT');
  return lasts;
}

async function late(world: World, { role, which, ms }: Fault, linkOf: (worker: Worker) => Link): Promise<string> {
  const link = linkOf(world.worker(role, which));
  await until(() => link.connections > 0, 'a connection');
  link.latencyMs = 5 + (ms % 60);
  await sleep(ms);
  link.latencyMs = 0;
  return `${world.worker(role, which).name}, ${5 + (ms % 60)} ms`;
}

async function reset(world: World, { role, which }: Fault, linkOf: (worker: Worker) => Link): Promise<string> {
  const link = linkOf(world.worker(role, which));
  let met = 0;
  await until(() => (met = link.reset()) > 0, 'a connection');
  return `${world.worker(role, which).name}, ${met} connections`;
}

async function halfOpen(world: World, { role, which, ms }: Fault, linkOf: (worker: Worker) => Link): Promise<string> {
  const link = linkOf(world.worker(role, which));
  await until(() => link.connections > 0, 'a connection');
  const met = link.set('frozen');
  await sleep(ms);
  link.heal();
  return `${world.worker(role, which).name}, ${met} connections for ${ms} ms`;
}

async function restartKafka(world: World, ms: number, signal: NodeJS.Signals): Promise<string> {
  const { kafka } = world.servers;
  const { pid } = kafka;
  await kafka.kill(signal);
  await sleep(ms);
  await kafka.restart();
  return need(kafka.pid !== pid, `process ${pid} gone, ${kafka.pid} in its place`);
}

/** Whoever holds the embedded Postgres open starts it again. */
async function restartPostgres(world: World, ms: number, signal: NodeJS.Signals): Promise<string> {
  const pid = await world.servers.postmaster();
  const links = [...world.databaseLinks.values()];
  process.kill(pid, signal);
  await until(async () => (await stateOf(pid)) === undefined, `process ${pid} to end`);
  for (const link of links) link.set('shut');
  await sleep(ms);
  for (const link of links) link.heal();
  await ask(world.url, 'select');
  const now = await world.servers.postmaster();
  return need(now !== pid, `process ${pid} gone, ${now} in its place`);
}

async function untilRecorded(world: World, topic: string): Promise<void> {
  await until(async () => {
    const ends = await world.admin.fetchTopicOffsets(topic);
    const rows = await ask<{ next: number }>(world.url, `select coalesce(sum(next_offset), 0)::int as next from origin where name like '%/' || $1 and not finished`, [topic]);
    return rows[0]!.next === ends.reduce((sum, { high }) => sum + Number(high), 0);
  }, `${topic} to be recorded`);
}

async function living(worker: Worker): Promise<Worker> {
  await until(() => worker.lives, `${worker.name} to run`);
  return worker;
}

/** R, S, T and so on of /proc; undefined where there is no such process. */
async function stateOf(pid: number): Promise<string | undefined> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return status && /^\d+ \(.*\) (\S)/.exec(status)?.[1];
}

function need(took: boolean, evidence: string): string {
  if (!took) throw new Error(`it did not take place: ${evidence}`);
  return evidence;
}

/** A deadline ends what hangs: a slow machine is no fault. */
export async function until(reached: () => boolean | Promise<boolean>, what: string, ms = 75_000): Promise<void> {
  for (const deadline = Date.now() + ms; !(await reached()); ) {
    if (Date.now() > deadline) throw new Error(`waited ${ms / 1000} s in vain for ${what}`);
    await sleep(15);
  }
}
