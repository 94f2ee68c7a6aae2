/**
 * What must be in the log and the read tables, from the hosts' own list; written from the promises, not from what keeps them.
 * Arrives: what was sent and acknowledged, and a world that has come to rest. Leaves: what is lost, doubled or wrong.
 *
 * - An acknowledged event is in the log exactly once, with one of the bodies that were sent under its id; one that was not
 *   acknowledged may be there, once. Nothing is there that was never sent, or that cannot be taken.
 * - Refusals have no identity: a record that is refused counts each time it comes. So of each that was acknowledged there
 *   are at least as many dead letters as acknowledgements, and at most as many as copies may have arrived.
 * - Of several bodies under one id one is stored, whichever came first; each of the others is a letter each time it comes.
 * - received is what Kafka holds; the ledger adds up; the tables equal those of a fold of the log from its beginning, and
 *   their figures those of a second opinion that knows neither.
 */
import { adoptionMigrations, CATALOGUE, DEFAULT_REGISTRATION, prepareAnswer, understand } from '@foothold/adoption';
import { identityOf } from '@foothold/contract';
import { eventLogMigrations } from '@foothold/event-log';
import { openDatabase } from '@foothold/platform';
import { answer as secondOpinion, METRICS, type HistoryEvent } from '../oracle/oracle.js';
import { foothold } from '../support/foothold.js';
import { type Sent } from './load.js';
import { ask, pseudonymiser, SECRET, TENANT } from './servers.js';

export interface Verdict {
  acknowledged: number;
  lost: number;
  doubled: number;
  /** In words, whatever is not as it must be. */
  wrong: string[];
}

/** A body as it must be in the log, and what is known of the records that carried it. */
interface Body extends HistoryEvent {
  text: string;
  /** Nothing stands against it but another body under its id. */
  storable: boolean;
  acks: number;
  copies: number;
}

/**
 * @param deployments those registered by the end, with their time zones: what was sent for another waits
 * @param received how many records Kafka holds of this schedule's; null where there is no Kafka
 */
export async function judge(url: string, deployments: Record<string, string>, sent: Sent[], received: number | null): Promise<Verdict> {
  const verdict: Verdict = { acknowledged: sent.filter(({ acks }) => acks > 0).length, lost: 0, doubled: 0, wrong: [] };
  const bodies = bodiesOf(sent, deployments);
  const logged = await loggedEvents(url);
  judgeLog(verdict, bodies, logged);
  await judgeLetters(verdict, url, bodies, sent);
  await judgeLedger(verdict, url, received, sent);
  await judgeTables(verdict, url, deployments, logged);
  return verdict;
}

function bodiesOf(sent: Sent[], deployments: Record<string, string>): Map<string, Body[]> {
  const byId = new Map<string, Body[]>();
  for (const { value, fate, acks, copies } of sent) {
    const event = readable(value);
    if (!event) continue;
    const found = byId.get(event.id) ?? [];
    byId.set(event.id, found);
    const text = textOf(event);
    const same = found.find((body) => body.text === text);
    if (same) Object.assign(same, { acks: same.acks + acks, copies: same.copies + copies });
    else found.push({ ...event, text, storable: fate !== 'rejected' && event.deployment in deployments && !event.type.endsWith('.v2'), acks, copies });
  }
  return byId;
}

function readable(value: string | null): HistoryEvent | undefined {
  try {
    const { id, source, type, subject, time, deployment, data } = JSON.parse(value!) as Record<string, string> & { data: Record<string, unknown> };
    const { actor, ...rest } = data;
    const pseudonym = (person: unknown) => pseudonymiser.pseudonym(TENANT, person as string);
    return {
      id: identityOf(source!, id!), source: source!, type: type!.replace(/^foothold\./, '').replace(/\.v1$/, ''), time: Date.parse(time!) * 1000,
      deployment: deployment!, person: pseudonym(subject), actor: actor === undefined ? null : pseudonym(actor), data: rest,
    };
  } catch {
    return undefined;
  }
}

const textOf = ({ source, type, time, deployment, person, actor, data }: HistoryEvent): string =>
  JSON.stringify([source, type, time, deployment, person, actor, Object.entries(data).sort(([one], [other]) => (one < other ? -1 : 1))]);

async function loggedEvents(url: string): Promise<HistoryEvent[]> {
  const rows = await ask<Omit<HistoryEvent, 'time'> & { time: string }>(
    url,
    `select e.id::text, s.name as source, e.type, (extract(epoch from e.time) * 1000000)::bigint::text as time, d.id as deployment,
            encode(p.pseudonym, 'hex') as person, encode(a.pseudonym, 'hex') as actor, e.data
       from event e join source s using (source) join deployment d using (deployment) left join person p on p.person = e.person left join person a on a.person = e.actor
      where e.shard < 16`,
  );
  return rows.map((row) => ({ ...row, time: Number(row.time) }));
}

function judgeLog(verdict: Verdict, bodies: Map<string, Body[]>, logged: HistoryEvent[]): void {
  if (logged.length === 0) verdict.wrong.push('the log is empty');
  const times = new Map<string, number>();
  for (const event of logged) {
    times.set(event.id, (times.get(event.id) ?? 0) + 1);
    const sent = bodies.get(event.id);
    const body = sent?.find(({ text }) => text === textOf(event));
    if (!sent) verdict.wrong.push(`${event.id} is in the log, and nobody sent it`);
    else if (!body) verdict.wrong.push(`${event.id} is in the log with a body that nobody sent: ${textOf(event)}`);
    else if (!body.storable) verdict.wrong.push(`${event.id} is in the log, and cannot be taken`);
  }
  const { wrong } = verdict;
  for (const [id, count] of times) {
    if (count === 1) continue;
    verdict.doubled += count - 1;
    wrong.push(`${id} is in the log ${count} times`);
  }
  for (const [id, sent] of bodies) {
    if (times.has(id) || !sent.some(({ storable, acks }) => storable && acks > 0)) continue;
    verdict.lost++;
    wrong.push(`${id} was acknowledged and is not in the log`);
  }
}

async function judgeLetters(verdict: Verdict, url: string, bodies: Map<string, Body[]>, sent: Sent[]): Promise<void> {
  const letters = await ask<{ kind: string; id: string | null; field: string; count: number }>(url, 'select kind, id, field, count(*)::int as count from dead_letter group by kind, id, field');
  const check = (what: string, found: number, least: number, most: number) => {
    verdict.lost += Math.max(0, least - found);
    verdict.doubled += Math.max(0, found - most);
    if (found < least || found > most) verdict.wrong.push(`${what}: ${found} dead letters, of at least ${least} and at most ${most}`);
  };
  const poison = sent.filter(({ value }) => readable(value) === undefined);
  const sum = (of: { acks: number; copies: number }[], field: 'acks' | 'copies') => of.reduce((total, one) => total + one[field], 0);
  check('what nobody can read', letters.filter(({ id }) => id === null).reduce((total, { count }) => total + count, 0), sum(poison, 'acks'), sum(poison, 'copies'));
  const known = new Map(letters.filter(({ id }) => id !== null).map((letter) => [letter.id!, 0]));
  for (const { id, count } of letters) if (id !== null) known.set(id, known.get(id)! + count);
  for (const [id, count] of known) if (!bodies.has(id)) verdict.wrong.push(`${count} dead letters of ${id}, which nobody sent`);
  for (const [id, all] of bodies) {
    const bad = all.filter((body) => !body.storable);
    const storable = all.filter((body) => body.storable);
    // Of those that could be stored, one body is. Which one is not known: the others are letters, whichever they are.
    const kept = (field: 'acks' | 'copies', pick: (...values: number[]) => number) => (storable.length > 1 ? sum(storable, field) - pick(...storable.map((body) => body[field])) : 0);
    check(id, known.get(id) ?? 0, sum(bad, 'acks') + kept('acks', Math.max), sum(bad, 'copies') + kept('copies', Math.min));
  }
}

async function judgeLedger(verdict: Verdict, url: string, received: number | null, sent: Sent[]): Promise<void> {
  const { stdout, stderr } = await foothold(['verify', '--json'], { DATABASE_URL: url, FOOTHOLD_PSEUDONYM_KEY: SECRET });
  if (stdout === '') throw new Error(`foothold verify: ${stderr}`);
  const ledger = JSON.parse(stdout) as { balanced: boolean; received: number; problems: string[] };
  if (!ledger.balanced) verdict.wrong.push(`the ledger does not balance: ${ledger.problems.join('; ')}`);
  if (received !== null && ledger.received !== received) {
    verdict.wrong.push(`${ledger.received} received, Kafka holds ${received}`);
    if (ledger.received < received) verdict.lost += received - ledger.received;
    else verdict.doubled += ledger.received - received;
  }
  const [least, most] = [sent.reduce((sum, { acks }) => sum + acks, 0), sent.reduce((sum, { copies }) => sum + copies, 0)];
  if (ledger.received < least || ledger.received > most) verdict.wrong.push(`${ledger.received} received, between ${least} and ${most} were sent`);
}

async function judgeTables(verdict: Verdict, url: string, deployments: Record<string, string>, logged: HistoryEvent[]): Promise<void> {
  const { stdout, stderr } = await foothold(['rebuild', '--json'], { DATABASE_URL: url, FOOTHOLD_PSEUDONYM_KEY: SECRET });
  if (stdout === '') throw new Error(`foothold rebuild: ${stderr}`);
  // What is asked is answered by the tables that a rebuild has left: where they differ from live, live's.
  const { differences } = JSON.parse(stdout) as { differences: Record<string, number> };
  for (const [table, rows] of Object.entries(differences)) if (rows > 0) verdict.wrong.push(`${rows} rows of ${table} are not those of a fold from the beginning`);
  const database = await openDatabase({ url, migrations: [...eventLogMigrations, ...adoptionMigrations], application: 'faults' });
  try {
    for (const [id, timeZone] of Object.entries(deployments)) {
      if (!logged.some((event) => event.deployment === id && event.type.startsWith('result.'))) continue; // a load of some hundred events may have none for one
      const registration = { ...DEFAULT_REGISTRATION, id, timeZone, sandbox: true }; // everything is compared, however few people are behind it
      const [{ deployment }] = (await database.query<{ deployment: number }>('select deployment from deployment where id = $1', [id])) as [{ deployment: number }];
      for (const metric of METRICS) {
        const grain = CATALOGUE.find(({ id: known }) => known === metric)!.grains[0]!;
        const [range] = await database.query<{ from: string; to: string }>('select min(day)::text as from, max(day)::text as to from person_day where deployment = $1', [deployment]);
        if (!range?.from) {
          verdict.wrong.push(`the tables hold nothing of ${id}`);
          break;
        }
        const question = understand({ metric, grain, by: '', ...range });
        const found = await (await prepareAnswer((sql, values) => database.query(sql, values), { deployment, version: 1, registration, closures: [], completeThrough: null }, question)).answer();
        const expected = secondOpinion(logged, [registration], { deployment: id, metric, grain, by: [], ...range, completeThrough: null });
        compareFigures(verdict, `${metric} of ${id}`, found.rows, expected);
      }
    }
  } finally {
    await database.close();
  }
}

interface Figure {
  from: string;
  variant: string;
  numerator: number | null;
  denominator: number | null;
  people: number | null;
}

/** Where a figure is higher than it should be something was counted twice, where lower something was not counted. */
function compareFigures(verdict: Verdict, what: string, found: Figure[], expected: Figure[]): void {
  const keyed = (rows: Figure[]) => new Map(rows.map((row) => [`${row.from} ${row.variant}`, row]));
  const [ours, theirs] = [keyed(found), keyed(expected)];
  for (const key of new Set([...ours.keys(), ...theirs.keys()])) {
    const [one, other] = [ours.get(key), theirs.get(key)];
    const told = (row: Figure | undefined) => (row ? `${row.numerator?.toFixed(6)} of ${row.denominator}, ${row.people} people` : 'nothing');
    if (told(one) === told(other)) continue;
    verdict.wrong.push(`${what}, ${key}: ${told(one)}, expected ${told(other)}`);
    const more = (one?.denominator ?? one?.numerator ?? 0) - (other?.denominator ?? other?.numerator ?? 0);
    if (more > 0) verdict.doubled += more;
    else verdict.lost -= more;
  }
}
