/**
 * Every metric's answers over nine months of 5,000 people, beside the same with a tenth of the events by the same people on the same days:
 * an answer should cost people and days, not events. Asked as the API asks, the answer written out as JSON; the databases are warm.
 */
import { ask, CATALOGUE, DEFAULT_REGISTRATION, importRoster, understand, usageProjection } from '../../dist/libs/adoption/src/index.js';
import { markEndSeen, openLog, prepare, project, USAGE_SHARDS } from '../../dist/libs/event-log/src/index.js';
import { openBenchDatabase, store, verified } from './servers.mjs';
import { DEPLOYMENT, NINE_MONTHS, nineMonths, pseudonymsOf } from './workload.mjs';

const FEWER = 10;
/** Events that one invocation a person and day comes to, about. */
const A_MILLION = 1_000_000;
const [TEAMS, ROLES] = [250, 5];
const [OF_A_WINDOW, OF_NINE_MONTHS] = [100, 20];
/** The least time that may be wanted of them, in milliseconds. */
const WANTED = { '28 days': 50, 'nine months': 1_000 };
const DAY_MS = 86_400_000;

export async function queries({ server, events, say }) {
  const perDay = Math.max(FEWER, Math.round(events / A_MILLION));
  const times = [];
  for (const invocations of [perDay / FEWER, perDay]) {
    const { database, keyCheck, close } = await openBenchDatabase(server, `queries_${invocations}`.replace('.', '_'), { ...DEFAULT_REGISTRATION, country: 'NO', handoff: '2026-02-02' });
    try {
      const log = openLog(database, keyCheck);
      await fill(log, invocations, say);
      times.push(await measure(log, say));
    } finally {
      await close();
    }
  }
  const [fewer, all] = times;
  return all.map(({ name, span, p99 }, i) => ({ name: `${name}, ${span}, of a tenth of the events`, ours: p99, limit: fewer[i].p99, ratio: p99 / fewer[i].p99, unit: 'ms', wanted: WANTED[span] }));
}

export async function fill(log, perDay, say) {
  const { database } = log;
  const people = new Map(pseudonymsOf(NINE_MONTHS.people).map((pseudonym, n) => [pseudonym, [{ from: NINE_MONTHS.first, to: null, team: `team-${n % TEAMS}`, role: `role-${n % ROLES}`, leave: false }]]));
  await importRoster(log, { tenant: 'bench', deployments: null }, DEPLOYMENT, people, false, Date.now() * 1000);
  const { origin, stored } = await store(log, nineMonths(perDay), (line) => say(`queries: ${line}`));
  await verified(database, stored);
  await markEndSeen(database, origin, stored, new Date().toISOString());
  await prepare(database, usageProjection);
  for (let shard = 0; shard < USAGE_SHARDS; shard++) while ((await project(log, usageProjection, shard)).behind);
  await database.query('vacuum analyze');
  const [{ days }] = await database.query('select count(*)::int as days from person_day_sum');
  say(`queries: ${stored} events of ${people.size} people, ${days} days on which one of them used it`);
}

export async function measure(log, say, only = CATALOGUE.map(({ id }) => id)) {
  const found = [];
  const [first, last] = [NINE_MONTHS.first, NINE_MONTHS.last].map((day) => Date.parse(day) / DAY_MS);
  for (const { id, grains } of CATALOGUE.filter(({ id }) => only.includes(id))) {
    const windows = Array.from({ length: OF_A_WINDOW }, (_, i) => last - 28 - ((i * 37) % (last - first - 28)));
    const coarse = grains.includes('all') ? 'all' : grains.includes('week') ? 'week' : grains[0];
    found.push({ name: id, span: '28 days', ...(await timesOf(log, windows.map((from) => ({ metric: id, grain: coarse, from: text(from), to: text(from + 27) })))) });
    found.push({ name: `${id} by ${grains[0]}`, span: 'nine months', ...(await timesOf(log, Array.from({ length: OF_NINE_MONTHS }, () => ({ metric: id, grain: grains[0], from: text(first), to: text(last) })))) });
    for (const { name, span, p50, p99 } of found.slice(-2)) say(`queries: ${name}, ${span}: half within ${p50.toFixed(1)} ms, 99 of 100 within ${p99.toFixed(1)} ms`);
  }
  return found;
}

async function timesOf(log, questions) {
  const times = [];
  for (const asked of [questions[0], ...questions]) {
    const began = performance.now();
    const prepared = await ask(log, { tenant: 'bench', deployments: null }, DEPLOYMENT, understand(asked));
    JSON.stringify(await prepared.answer());
    times.push(performance.now() - began);
  }
  times.shift(); // the first reads from disk
  times.sort((one, other) => one - other);
  const at = (share) => times[Math.ceil(share * times.length) - 1];
  return { p50: at(0.5), p99: at(0.99) };
}

const text = (day) => new Date(day * DAY_MS).toISOString().slice(0, 10);
