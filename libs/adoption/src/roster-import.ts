/**
 * A roster into the log, and into the table that metrics join.
 *
 * What arrives: each person's periods under their pseudonym. What leaves: in one transaction, a fact `roster.changed` for
 * each person whose periods change and their rows in the table `roster`; and how far the roster and the events name the
 * same people. The rows are the fold of the facts: rebuildRoster makes them anew.
 */
import { change, copyInto, factsOf, VersionConflict, type ColumnType, type Fact, type Log, type Value } from '@foothold/event-log';
import { deploymentOf, keptOf, undisturbed, type Deployment, type Viewer } from './deployments.js';
import { dayNumber, dayText, timeZone } from './local-day.js';
import { type Query } from './metrics/metric.js';
import { leastPeople } from './metrics/told.js';
import { decideRoster, foldRoster, type Period, type Roster } from './roster.js';

const FACT = 'roster.changed';

const ACTIVE_DAYS = 28;

export interface ImportedRoster {
  /** The version the deployment is at now. */
  version: number;
  /** Who have any period now, and what the import did. */
  people: number;
  added: number;
  changed: number;
  unchanged: number;
  removed: number;
  matched: Matched;
}

/** Shares, 0 to 1, of two digits; null: of too few people. */
export interface Matched {
  /** Of the people of the roster, those whom any event counted so far names. */
  roster: number | null;
  /** Of the people active in the last 28 local days, those who are on the roster. */
  active: number | null;
}

/**
 * Imports a roster (see decideRoster); the same again adds no fact. `now` in microseconds since 1970.
 * @param people by pseudonym, their periods in order
 * @param expected the version the deployment must be at; undefined: any
 * @throws VersionConflict where it is at another; Unknown as deploymentOf; WrongInput where the tenant's people are under another key
 */
export async function importRoster(log: Log, viewer: Viewer, id: string, people: Roster<string>, complete: boolean, now: number, expected?: number): Promise<ImportedRoster> {
  return undisturbed(expected, async () => {
    const deployment = await deploymentOf(log, viewer, id);
    const { version } = deployment;
    if (expected !== undefined && expected !== version) throw new VersionConflict(id, expected, version);
    const wanted = await numbered(log, viewer.tenant, id, people);
    const current = await rosterOf((sql, values) => log.database.query(sql, values), deployment.deployment);
    const { changes, ...counts } = decideRoster(current, wanted, complete);
    const done = { ...counts, version: version + changes.length, people: current.size + counts.added - counts.removed };
    if (changes.length > 0) await record(log, viewer.tenant, deployment, changes, now);
    return { ...done, matched: await matchedOf(log, deployment, now) };
  });
}

/** People by their number in the log, making those that are new. */
async function numbered(log: Log, tenant: string, id: string, people: Roster<string>): Promise<Map<number, readonly Period[]>> {
  const { identities } = log;
  await identities.learnDeployments([{ tenant, deployment: id }]);
  const number = identities.tenant(tenant)!;
  await identities.learnPeople([...people.keys()].map((pseudonym) => ({ tenant: number, pseudonym })));
  return new Map([...people].map(([pseudonym, periods]) => [identities.person(number, pseudonym)!, periods]));
}

async function record(log: Log, tenant: string, stands: Deployment, changes: { person: number; periods: readonly Period[] }[], now: number): Promise<void> {
  const facts = changes.map(({ person, periods }): Fact => ({ type: FACT, time: now, person, data: { periods } satisfies RosterChanged }));
  await change(log, tenant, stands.id, stands.version, facts, keptOf(stands), async (client, { deployment, received }) => {
    await client.query(FORGET, [deployment, changes.map(({ person }) => person)]);
    await copyInto(client, 'roster', COLUMNS, rowsOf(deployment, changes.map((one) => ({ ...one, received }))));
  });
}

/** The fact, about a person. */
interface RosterChanged {
  /** Everything there is now, in order; none: the person is taken off. */
  periods: readonly Period[];
}

const FORGET = 'delete from roster where deployment = $1 and person = any($2::int8[])';

/** In the order of the values of rowsOf. */
const COLUMNS: Record<string, ColumnType> = {
  deployment: 'int4', person: 'int8', from_day: 'date', to_day: 'date', team: 'text', role: 'text', on_leave: 'bool', revised_at: 'timestamptz',
};

function* rowsOf(deployment: number, people: Iterable<{ person: number; periods: readonly Period[]; received: number }>): Generator<Value[]> {
  for (const { person, periods, received } of people) for (const { from, to, team, role, leave } of periods) {
    yield [deployment, person, dayNumber(from)!, to === null ? null : dayNumber(to)!, team, role, leave, received];
  }
}

/** The people on the roster of a deployment (by its number), by their number, with their periods in order. */
export async function rosterOf(query: Query, deployment: number): Promise<Map<number, Period[]>> {
  const roster = new Map<number, Period[]>();
  for (const { person, ...period } of await query<Period & { person: number }>(ROSTER, [deployment])) {
    const periods = roster.get(person);
    if (periods) periods.push(period);
    else roster.set(person, [period]);
  }
  return roster;
}

const ROSTER = `select person::float8 as person, team, role, to_char(from_day, 'YYYY-MM-DD') as "from", to_char(to_day, 'YYYY-MM-DD') as "to", on_leave as leave
  from roster where deployment = $1 order by person, on_leave, from_day`;

/**
 * Folds the roster of a deployment anew from its facts, in place of the rows that are there.
 * @returns how many rows there were that are gone, and are now that were not there
 */
export async function rebuildRoster(log: Log, viewer: Viewer, id: string): Promise<{ people: number; differences: number }> {
  const { deployment } = await deploymentOf(log, viewer, id);
  return log.database.transaction(async (client) => {
    const query: Query = async <Row>(sql: string, values: unknown[]) => (await client.query(sql, values)).rows as Row[];
    await query('select from deployment where deployment = $1 for update', [deployment]); // no fact is added meanwhile
    const facts = await factsOf<RosterChanged>(query, deployment, FACT);
    const stamps = new Map(facts.map(({ person, received }) => [person!, received]));
    const folded = foldRoster(facts.map(({ person, data }) => ({ person: person!, periods: data.periods })));
    const rows = async () => new Set((await query<{ row: string }>(ROWS, [deployment])).map(({ row }) => row));
    const before = await rows();
    await query('delete from roster where deployment = $1', [deployment]);
    await copyInto(client, 'roster', COLUMNS, rowsOf(deployment, [...folded].map(([person, periods]) => ({ person, periods, received: stamps.get(person)! }))));
    const after = await rows();
    const differences = [...before].filter((row) => !after.has(row)).length + [...after].filter((row) => !before.has(row)).length;
    return { people: folded.size, differences };
  });
}

const ROWS = 'select roster::text as row from roster where deployment = $1';

async function matchedOf(log: Log, stands: Deployment, now: number): Promise<Matched> {
  const { deployment, registration } = stands;
  const today = timeZone(registration.timeZone).dayOf(now);
  const [found] = await log.database.query<Counted>(MATCHED, [deployment, dayText(today - ACTIVE_DAYS + 1), dayText(today)]);
  const { people, seen, active, enabled } = found!;
  const least = leastPeople(stands); // shares of fewer would tell what one of them does
  const share = (part: number, whole: number): number | null => (whole < least ? null : Math.round((100 * part) / whole) / 100);
  return { roster: share(seen, people), active: share(enabled, active) };
}

interface Counted {
  people: number;
  seen: number;
  active: number;
  enabled: number;
}

const MATCHED = `
  with listed as materialized (select distinct person from roster where deployment = $1),
       seen as materialized (select distinct person from person_day where deployment = $1),
       active as materialized (select distinct person from person_day where deployment = $1 and day between $2 and $3 and active_accepted + active_overridden > 0)
  select (select count(*) from listed)::int as people, (select count(*) from listed join seen using (person))::int as seen,
         (select count(*) from active)::int as active, (select count(*) from active join listed using (person))::int as enabled`;
