/** Both sides of a comparison: a history taken in by the product and worked out by the oracle, and their rows made comparable. */
import { adoptionMigrations, DEFAULT_REGISTRATION, importRoster, prepareAnswer, understand, usageProjection } from '@foothold/adoption';
import { checkMessage } from '@foothold/contract';
import { append, change, eventLogMigrations, openLog, openOrigin, openTenant, prepare, project, USAGE_SHARDS } from '@foothold/event-log';
import { openDatabase, type Database } from '@foothold/platform';
import { freshDatabase } from '../support/database.js';
import { sealer } from '../support/event-log.js';
import { type HostEvent } from '../support/history.js';
import { dayName } from './days.js';
import { worldOf } from './facts.js';
import { type LongHistory } from './long-history.js';
import { answerOf, type OracleRow, type Question } from './oracle.js';

const RECEIVED_AT = Date.UTC(2027, 1, 1) * 1000;
export const DEPLOYMENT = 'long';
const keyCheck = () => Buffer.from('one key for all');

/** A database of its own, ready for histories. */
export async function openSides(): Promise<{ database: Database; close(): Promise<void> }> {
  const fresh = await freshDatabase();
  const database = await openDatabase({ url: fresh.url, application: 'oracle', migrations: [...eventLogMigrations, ...adoptionMigrations] });
  await database.migrate();
  await prepare(database, usageProjection);
  const close = async (): Promise<void> => {
    await database.close();
    await fresh.drop();
  };
  return { database, close };
}

/** Takes the history in, and gives both sides: the oracle's facts, and the product's answers. */
export async function recorded(database: Database, tenant: string, history: LongHistory) {
  const { handoff, timeZone, taskKinds, roster, closures, completeThrough } = history;
  const registration = { ...DEFAULT_REGISTRATION, timeZone, taskKinds, handoff, sandbox: true };
  const id = DEPLOYMENT;
  const log = openLog(database, keyCheck, sealer);
  await openTenant(log, tenant, keyCheck);
  await change(log, tenant, id, 0, [{ type: 'deployment.registered', time: RECEIVED_AT, data: registration }], registration);
  const events = history.events.map((event) => understood(event, tenant));
  const { origin } = await openOrigin(database, { kind: 'file', name: tenant, part: 0, tenant, firstOffset: 0 });
  await append(log, events.map((event) => ({ tenant, event })), { origin, from: 0, next: events.length, voids: 0, mark: null, markOffset: null });
  for (let shard = 0; shard < USAGE_SHARDS; shard++) await project(log, usageProjection, shard);
  await importRoster(log, { tenant, deployments: null }, id, new Map(Object.entries(roster)), true, RECEIVED_AT);

  const told = events.map((event) => ({ ...event, person: event.person ?? '', data: JSON.parse(event.data) as Record<string, unknown> }));
  const world = worldOf(told, { id, timeZone, taskKinds, handoff, roster, closures }, completeThrough);
  await log.identities.learnDeployments([{ tenant, deployment: id }]);
  const { deployment } = log.identities.deployment(tenant, id)!;
  const days = world.counted.map((fact) => fact.day).sort((a, b) => a - b);
  /** Left out, a range is all there is of the deployment, whichever metric is asked for. */
  const extent = days.length === 0 ? {} : { from: dayName(days[0]!), to: dayName(days.at(-1)!) };
  const worked = (question: Question): OracleRow[] => answerOf(world, question.from === undefined ? { ...question, ...extent } : question).map(toMillisecond);
  const answered = async ({ metric, grain, by, from, to }: Question) => {
    const asked = understand({ metric, grain, by: by.join(','), from, to });
    const prepared = await prepareAnswer((sql, values) => database.query(sql, values), { deployment, version: 1, registration, closures, completeThrough }, asked);
    return (await prepared.answer()).rows;
  };
  return { world, worked, answered };
}

/** The catalogue's times that are shorter than a millisecond count as 0. */
const toMillisecond = (row: OracleRow): OracleRow => (/^p\d+$/.test(row.variant) && row.value !== null && row.value < 1 ? { ...row, value: 0 } : row);

function understood(event: HostEvent, tenant: string) {
  const verdict = checkMessage(JSON.stringify(event), tenant, RECEIVED_AT, { pseudonymise: (_, person) => person, subjects: 'pseudonyms' });
  if (verdict.outcome === 'refused') throw new Error(verdict.refusal.reason);
  return verdict.event;
}

export type Row = Pick<OracleRow, 'from' | 'to' | 'by' | 'variant' | 'value' | 'numerator' | 'denominator' | 'low' | 'high'> & { people: number | null };

/** Rows in one order, figures to seven digits; intervals and values only where the oracle says one, times within 2 % of its. */
export function written(rows: readonly Row[], expected: readonly OracleRow[]): string[] {
  const said = new Map(expected.map((row) => [keyOf(row), row]));
  return rows.map((row) => {
    const own = said.get(keyOf(row));
    const tolerance = /^p\d+$/.test(row.variant) ? 0.02 * (own?.value ?? 0) : 0;
    const figure = (name: 'value' | 'numerator' | 'denominator' | 'low' | 'high'): string => figured(row[name] ?? null, own?.[name] ?? null, name === 'value' ? tolerance : 0);
    const value = Number.isNaN(own?.value) ? 'not worked out' : figure('value');
    const interval = own?.low === undefined ? '' : ` ${figure('low')}..${figure('high')}`;
    return `${keyOf(row)}: ${value}${interval} = ${figure('numerator')} / ${figure('denominator')}, ${String(row.people)} people`;
  }).sort();
}

const keyOf = ({ from, to, by, variant }: Row): string => `${from} ${to} ${variant} ${Object.entries(by).sort().map((pair) => pair.join('=')).join(' ')}`;

/** What is as good as the oracle's figure is written as that. */
function figured(value: number | null, own: number | null, tolerance: number): string {
  if (value === null) return 'null';
  return String(Number((own !== null && Math.abs(value - own) <= tolerance + 1e-8 ? own : value).toFixed(7)));
}
