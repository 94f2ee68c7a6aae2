/**
 * Names to numbers. Tenants, sources, deployments and people are stored once and known in the log by number;
 * numbers never change, so a process may remember those it has seen committed.
 * People are numbered in a statement of their own before the append's transaction: a number remembered from
 * a transaction that rolled back would point at nobody, and two long transactions inserting people would deadlock.
 */
import { WrongInput } from '@foothold/contract';
import { type Database, type PoolClient, type Sealer } from '@foothold/platform';

/** How many people one process remembers; past it, all are looked up again. */
const REMEMBERED_PEOPLE = 500_000;

export interface DeploymentIdentity {
  deployment: number;
  tenant: number;
  id: string;
  /** The registration as its command wrote it; the log does not look inside. */
  registration: unknown;
}

export class Identities {
  private readonly tenants = new Map<string, number>();
  private readonly deployments = new ByTenant<string, DeploymentIdentity>();
  private readonly deploymentsByNumber = new Map<number, DeploymentIdentity>();
  private readonly sources = new ByTenant<number, number>();
  private readonly sourceNames = new Map<number, string>();
  private people = new ByTenant<number, number>();

  constructor(
    private readonly database: Database,
    private readonly keyCheck?: KeyCheck,
  ) {}

  tenant(name: string): number | undefined {
    return this.tenants.get(name);
  }

  deployment(tenant: string, id: string): DeploymentIdentity | undefined {
    return this.deployments.get(tenant, id);
  }

  source(tenant: number, name: string): number | undefined {
    return this.sources.get(tenant, name);
  }

  person(tenant: number, pseudonym: string): number | undefined {
    return this.people.get(tenant, pseudonym);
  }

  sourceName(source: number): string {
    return this.sourceNames.get(source)!;
  }

  deploymentOf(number: number): DeploymentIdentity {
    return this.deploymentsByNumber.get(number)!;
  }

  /** Learns the deployments of these (tenant, id) pairs that are registered by now; the others stay unknown and are asked for again next time. */
  async learnDeployments(pairs: Iterable<{ tenant: string; deployment: string }>): Promise<void> {
    const missing = new Map<string, { tenant: string; deployment: string }>();
    for (const pair of pairs) {
      if (!this.deployments.get(pair.tenant, pair.deployment)) missing.set(`${pair.tenant}/${pair.deployment}`, pair);
    }
    if (missing.size === 0) return;
    const wanted = [...missing.values()];
    this.remember(
      await this.database.query(
        `select t.name, t.key_check, d.deployment, d.tenant, d.id, d.registration
           from unnest($1::text[], $2::text[]) as w(name, id)
           join tenant t using (name) left join deployment d on d.tenant = t.tenant and d.id = w.id`,
        [wanted.map((pair) => pair.tenant), wanted.map((pair) => pair.deployment)],
      ),
    );
  }

  /** Learns deployments by number, for readers of the log: on the connection they hold, since to wait for a second one could be for ever. */
  async learnDeploymentNumbers(client: PoolClient, numbers: Iterable<number>): Promise<void> {
    const missing = [...new Set(numbers)].filter((number) => !this.deploymentsByNumber.has(number));
    if (missing.length === 0) return;
    const { rows } = await client.query<DeploymentIdentity & { name: string; key_check: Buffer }>(
      `select t.name, t.key_check, d.deployment, d.tenant, d.id, d.registration
         from deployment d join tenant t using (tenant) where d.deployment = any($1)`,
      [missing],
    );
    this.remember(rows);
  }

  /** Numbers these sources, making those that are new. */
  async learnSources(unknown: { tenant: number; name: string }[]): Promise<void> {
    const wanted = [...unknown].sort((a, b) => a.tenant - b.tenant || (a.name < b.name ? -1 : 1));
    const values = [wanted.map((pair) => pair.tenant), wanted.map((pair) => pair.name)];
    await this.database.query(
      `insert into source (tenant, name) select distinct * from unnest($1::int[], $2::text[]) on conflict do nothing`,
      values,
    );
    const rows = await this.database.query<{ source: number; tenant: number; name: string }>(
      `select distinct s.* from source s join unnest($1::int[], $2::text[]) as w(tenant, name) using (tenant, name)`,
      values,
    );
    for (const row of rows) this.sources.set(row.tenant, row.name, row.source);
  }

  /** Learns sources by number, for readers of the log, on the connection they hold. */
  async learnSourceNumbers(client: PoolClient, numbers: Iterable<number>): Promise<void> {
    const missing = [...new Set(numbers)].filter((number) => !this.sourceNames.has(number));
    if (missing.length === 0) return;
    const { rows } = await client.query<{ source: number; name: string }>('select source, name from source where source = any($1)', [missing]);
    for (const row of rows) this.sourceNames.set(row.source, row.name);
  }

  /** Numbers these people (64 hex digits), making those that are new. May forget others, so ask for all of a batch until none is unknown. */
  async learnPeople(unknown: { tenant: number; pseudonym: string }[]): Promise<void> {
    if (this.people.size + unknown.length > REMEMBERED_PEOPLE) this.people = new ByTenant();
    const missing = new Map(unknown.map((pair) => [`${pair.tenant}/${pair.pseudonym}`, pair]));
    await this.findPeople(missing);
    if (missing.size === 0) return;
    const rest = [...missing.values()];
    await this.database.query(
      `insert into person (tenant, pseudonym)
       select tenant, decode(pseudonym, 'hex') from unnest($1::int[], $2::text[]) as w(tenant, pseudonym)
        order by tenant, pseudonym on conflict do nothing`,
      [rest.map((pair) => pair.tenant), rest.map((pair) => pair.pseudonym)],
    );
    await this.findPeople(missing);
  }

  /** Takes those who have a number out of `missing`. */
  private async findPeople(missing: Map<string, { tenant: number; pseudonym: string }>): Promise<void> {
    const pairs = [...missing.values()];
    const rows = await this.database.query<{ person: string; tenant: number; pseudonym: string }>(
      `select p.person, p.tenant, w.pseudonym from unnest($1::int[], $2::text[]) as w(tenant, pseudonym)
         join person p on p.tenant = w.tenant and p.pseudonym = decode(w.pseudonym, 'hex')`,
      [pairs.map((pair) => pair.tenant), pairs.map((pair) => pair.pseudonym)],
    );
    for (const row of rows) {
      this.people.set(row.tenant, row.pseudonym, Number(row.person));
      missing.delete(`${row.tenant}/${row.pseudonym}`);
    }
  }

  /** Of a tenant whose key this process does not hold it learns nothing; its dead letters too would name strangers. */
  private remember(rows: ((DeploymentIdentity | { deployment: null }) & { name: string; key_check: Buffer })[]): void {
    for (const row of rows) {
      if (this.keyCheck && !this.keyCheck(row.name).equals(row.key_check)) throw wrongKey(row.name);
      if (row.deployment === null) continue;
      const identity = { deployment: row.deployment, tenant: row.tenant, id: row.id, registration: row.registration };
      this.tenants.set(row.name, row.tenant);
      this.deployments.set(row.name, row.id, identity);
      this.deploymentsByNumber.set(row.deployment, identity);
    }
  }
}

/** Values by tenant and name: on the hot path a joined key for each look would cost more than the look. */
class ByTenant<Tenant, Value> {
  private readonly values = new Map<Tenant, Map<string, Value>>();
  size = 0;

  get(tenant: Tenant, name: string): Value | undefined {
    return this.values.get(tenant)?.get(name);
  }

  set(tenant: Tenant, name: string, value: Value): void {
    let ours = this.values.get(tenant);
    if (!ours) this.values.set(tenant, (ours = new Map()));
    if (!ours.has(name)) this.size++;
    ours.set(name, value);
  }
}

/** What proves which pseudonym key a process holds for a tenant. */
export type KeyCheck = (tenant: string) => Buffer;

/** With another key the same people would be counted as others. */
export function wrongKey(tenant: string): WrongInput {
  return new WrongInput('FOOTHOLD_PSEUDONYM_KEY', `is not the key under which the people of tenant "${tenant}" were pseudonymised`, 'use the key (or the FOOTHOLD_HOME with its pseudonym.key) of the process that registered the tenant');
}

/** What every part of the log works on: a database, the numbers this process has learnt, and how it closes what it keeps. */
export interface Log {
  database: Database;
  identities: Identities;
  /** Null for those who only read. */
  sealer: Sealer | null;
  /** How many appends still ask whether their ids are known (see append). */
  probes: number;
  /** By shard, a head this process has seen committed: a lower one shows that the database was set back (see append). */
  heads: Map<number, number>;
}

/**
 * The log in `database`, whose migrations have been run. A writer gives its `keyCheck`: it can then append nothing for a
 * tenant whose key it does not hold; and its `sealer`, which closes what dead letters keep.
 */
export function openLog(database: Database): Log;
export function openLog(database: Database, keyCheck: KeyCheck, sealer: Sealer): Log;
export function openLog(database: Database, keyCheck?: KeyCheck, sealer: Sealer | null = null): Log {
  return { database, identities: new Identities(database, keyCheck), sealer, probes: 1, heads: new Map() };
}
