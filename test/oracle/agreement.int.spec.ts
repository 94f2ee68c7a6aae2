/** The metrics that the oracle knows, on random histories, as the read tables answer it and as the oracle works it out from the events alone. */
import { adoptionMigrations, CATALOGUE, DEFAULT_REGISTRATION, prepareAnswer, understand, usageProjection } from '@foothold/adoption';
import { checkMessage, RESULT_DIMENSIONS, type UsageEvent } from '@foothold/contract';
import { append, change, eventLogMigrations, openLog, openOrigin, openTenant, prepare, project, USAGE_SHARDS, type Log } from '@foothold/event-log';
import { openDatabase, type Database } from '@foothold/platform';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { freshDatabase, type FreshDatabase } from '../support/database.js';
import { sealer } from '../support/event-log.js';
import { histories } from '../support/history.js';
import { answer as oracle, METRICS, type OracleRow, type Question } from './oracle.js';

const HISTORIES = 60;
const SEED = Number(process.env['ANY_ORDER_SEED'] ?? randomBytes(4).readUInt32LE());
const RECEIVED_AT = Date.UTC(2027, 1, 1) * 1000;
/** Those that the oracle works out. */
const KNOWN = CATALOGUE.filter(({ id }) => (METRICS as readonly string[]).includes(id));
const keyCheck = () => Buffer.from('one key for all');

let fresh: FreshDatabase;
let database: Database;

beforeAll(async () => {
  fresh = await freshDatabase();
  database = await openDatabase({ url: fresh.url, application: 'agreement', migrations: [...eventLogMigrations, ...adoptionMigrations] });
  await database.migrate();
  await prepare(database, usageProjection);
  console.info(`seed ${SEED}: repeat with ANY_ORDER_SEED=${SEED}`);
});

afterAll(async () => {
  await database?.close();
  await fresh?.drop();
});

/** A question at random: metric, grain and cut that the metric has, a range or none, a moment up to which all is in or none. */
const asked = fc
  .constantFrom(...KNOWN)
  .chain((metric) =>
    fc.record({
      metric: fc.constant(metric.id as Question['metric']),
      grain: fc.constantFrom(...metric.grains),
      by: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 3, arbitrary: fc.subarray(RESULT_DIMENSIONS.filter((dimension) => metric.dimensions.includes(dimension)), { minLength: 1, maxLength: metric.dimensions.includes('surface') ? 2 : 1 }) }),
      range: fc.option(fc.constantFrom(['2026-03-28', '2026-03-30'], ['2026-03-05', '2026-04-20'], ['2025-12-29', '2026-01-04']), { nil: undefined }),
      completeThrough: fc.option(fc.constantFrom('2026-03-29T01:00:00Z', '2026-03-31T12:00:00Z', '2026-04-02T10:00:00.5Z', '2027-02-01T00:00:00Z').map((at) => Date.parse(at) * 1000), { freq: 5 }),
    }),
  );

test(`${KNOWN.length} metrics agree with the oracle on ${HISTORIES} histories`, async () => {
  let run = 0;
  const compared: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(histories(120), fc.array(asked, { minLength: 12, maxLength: 12 }), async (history, questions) => {
      const tenant = `t-${++run}`;
      const log = openLog(database, keyCheck, sealer);
      await openTenant(log, tenant, keyCheck);
      const registrations = history.deployments.map((deployment) => ({ ...DEFAULT_REGISTRATION, ...deployment }));
      for (const registration of registrations) await change(log, tenant, registration.id, 0, [{ type: 'deployment.registered', time: RECEIVED_AT, data: registration }], registration);
      const events = history.events.map((event) => {
        const verdict = checkMessage(JSON.stringify(event), tenant, RECEIVED_AT, { pseudonymise: (_, person) => person, subjects: 'pseudonyms' });
        if (verdict.outcome === 'refused') throw new Error(verdict.refusal.reason);
        return verdict.event;
      });
      await record(log, tenant, events);
      const told = events.map((event) => ({ ...event, person: event.person ?? '', data: JSON.parse(event.data) as Record<string, unknown> }));

      for (const registration of registrations) {
        const identity = log.identities.deployment(tenant, registration.id) ?? (await learnt(log, tenant, registration.id));
        for (const { metric, grain, by, range, completeThrough } of questions) {
          const question = understand({ metric, grain, by: by.join(','), from: range?.[0], to: range?.[1] });
          const prepared = await prepareAnswer((sql, values) => database.query(sql, values), { deployment: identity.deployment, version: 1, registration: { ...registration, sandbox: true }, closures: [], completeThrough }, question);
          const found = await prepared.answer();
          // Left out, a range is all there is of the deployment, whichever metric is asked for.
          const extent = range ?? (await extentOf(identity.deployment));
          const expected = extent ? oracle(told, registrations, { deployment: registration.id, metric, grain, by: by as Question['by'], from: extent[0]!, to: extent[1]!, completeThrough }) : [];
          expect({ metric, grain, by, range, completeThrough, rows: comparable(found.rows) }).toEqual({ metric, grain, by, range, completeThrough, rows: comparable(expected) });
          for (const row of expected) if (row.numerator) compared[`${metric}.${row.variant}`] = (compared[`${metric}.${row.variant}`] ?? 0) + 1;
        }
      }
    }),
    { numRuns: HISTORIES, seed: SEED, endOnFailure: true },
  );
  console.info(`rows that counted something, by variant: ${JSON.stringify(compared, null, 1)}`);
  for (const { id, variants } of KNOWN) for (const variant of Object.keys(variants)) expect({ [`${id}.${variant}`]: compared[`${id}.${variant}`] ?? 0 }).not.toEqual({ [`${id}.${variant}`]: 0 });
}, 600_000);

async function record(log: Log, tenant: string, events: UsageEvent[]): Promise<void> {
  const { origin } = await openOrigin(database, { kind: 'file', name: tenant, part: 0, tenant, firstOffset: 0 });
  await append(log, events.map((event) => ({ tenant, event })), { origin, from: 0, next: events.length, voids: 0, mark: null, markOffset: null });
  for (let shard = 0; shard < USAGE_SHARDS; shard++) await project(log, usageProjection, shard);
}

async function learnt(log: Log, tenant: string, deployment: string) {
  await log.identities.learnDeployments([{ tenant, deployment }]);
  return log.identities.deployment(tenant, deployment)!;
}

async function extentOf(deployment: number): Promise<string[] | null> {
  const [row] = await database.query<{ first: string | null; last: string }>('select min(day)::text as first, max(day)::text as last from person_day where deployment = $1', [deployment]);
  return row!.first === null ? null : [row!.first, row!.last];
}

/** Rows in one order, figures to nine digits. */
function comparable(rows: (Omit<OracleRow, 'people'> & { people: number | null })[]): string[] {
  const figure = (value: number | null) => (value === null ? 'null' : value.toFixed(9));
  return rows
    .map(({ from, to, by, variant, value, numerator, denominator, people }) =>
      `${from} ${to} ${variant} ${Object.entries(by).sort().map((pair) => pair.join('=')).join(' ')}: ${figure(value)} = ${figure(numerator)} / ${figure(denominator)}, ${people} people`)
    .sort();
}
