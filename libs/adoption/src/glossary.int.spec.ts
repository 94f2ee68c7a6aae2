/**
 * The examples of the glossary: a story goes through the boundary, the log and the fold, every metric is asked, and what it
 * says is what stands in glossary-examples.ts and on the page. `npm run glossary` writes both.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { checkMessage } from '@foothold/contract';
import { append, openOrigin, type Arrival, type Log } from '@foothold/event-log';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { PEOPLE, STORY, storyEvents } from '../../../test/fixtures/eight-people.js';
import { foldAll, openTestLog, pseudonymiser } from '../../../test/support/recording.js';
import { deploymentOf, registerDeployment } from './deployments.js';
import { EXAMPLES, type Example } from './glossary-examples.js';
import { glossaryPage } from './glossary.js';
import { prepareAnswer } from './metrics/answer.js';
import { CATALOGUE } from './metrics/catalogue.js';
import { type MetricDeclaration } from './metrics/metric.js';
import { understand } from './metrics/question.js';
import { DEFAULT_REGISTRATION } from './registration.js';
import { importRoster } from './roster-import.js';

const WRITES = process.env['GLOSSARY'] === 'write';
const EXAMPLES_FILE = join(import.meta.dirname, 'glossary-examples.ts');
const PAGE_FILE = join(import.meta.dirname, '../glossary.md');
const TENANT = 'acme';
const VIEWER = { tenant: TENANT, deployments: null };

let fresh: FreshDatabase;
let log: Log;
beforeAll(async () => {
  fresh = await freshDatabase();
  log = await openTestLog(fresh.url);
  await registerDeployment(log, (tenant) => pseudonymiser.check(tenant), TENANT, STORY.deployment, { ...DEFAULT_REGISTRATION, sandbox: true }, STORY.told);
  const people = Object.entries(PEOPLE).map(([person, { team, from, to }]) => [pseudonymiser.pseudonym(TENANT, person), [{ team, role: 'clerk', from, to, leave: false }]] as const);
  await importRoster(log, VIEWER, STORY.deployment, new Map(people), true, STORY.told);
  const arrivals = storyEvents().map((text): Arrival => {
    const verdict = checkMessage(text, TENANT, STORY.told, { pseudonymise: (of, person) => pseudonymiser.pseudonym(of, person), subjects: 'raw' });
    if (verdict.outcome === 'refused') throw new Error(`${verdict.refusal.field}: ${verdict.refusal.reason}`);
    return { tenant: TENANT, event: verdict.event };
  });
  const { origin } = await openOrigin(log.database, { kind: 'file', name: 'eight-people', part: 0, tenant: TENANT, firstOffset: 0 });
  expect(await append(log, arrivals, { origin, from: 0, next: arrivals.length, voids: 0, mark: null, markOffset: null })).toMatchObject({ stored: arrivals.length });
  await foldAll(log);
});
afterAll(async () => {
  await log?.database.close();
  await fresh?.drop();
});

/** All of the story where a metric takes it whole, its last quarter where it compares with before, else its last week. */
async function exampleOf({ id, grains }: MetricDeclaration): Promise<Example> {
  const grain = grains.includes('all') ? 'all' : 'week';
  const range = { from: id === 'adoption.decomposition' ? STORY.lastQuarter : grain === 'all' ? STORY.from : STORY.lastWeek, to: STORY.to };
  const deployment = await deploymentOf(log, VIEWER, STORY.deployment);
  const { rows } = await (await prepareAnswer((sql, values) => log.database.query(sql, values), { ...deployment, completeThrough: STORY.told }, understand({ metric: id, grain, ...range }))).answer();
  const rounded = (value: number | null) => (value === null ? null : Math.round(value * 1e4) / 1e4);
  return {
    from: rows[0]!.from, to: rows.at(-1)!.to,
    figures: rows.map(({ variant, value, numerator, denominator, low, high, people }) => ({ variant, value: rounded(value), numerator: rounded(numerator), denominator: rounded(denominator), low: rounded(low), high: rounded(high), people: people! })),
  };
}

/** As the sources write it. */
const literal = (figure: object): string => `{ ${Object.entries(figure).map(([name, value]) => `${name}: ${typeof value === 'string' ? `'${value}'` : String(value)}`).join(', ')} }`;
const written = (examples: Record<string, Example>): string =>
  Object.entries(examples).map(([id, { from, to, figures }]) => `  '${id}': {\n    from: '${from}', to: '${to}',\n    figures: [\n${figures.map((figure) => `      ${literal(figure)},\n`).join('')}    ],\n  },\n`).join('');

it('is what the story comes to, of every metric and every variant of it, and the page says the same', async () => {
  const examples: Record<string, Example> = {};
  for (const metric of CATALOGUE) examples[metric.id] = await exampleOf(metric);
  if (WRITES) {
    writeFileSync(EXAMPLES_FILE, readFileSync(EXAMPLES_FILE, 'utf8').replace(/(EXAMPLES: Record<string, Example> = \{)[^]*$/, `$1\n${written(examples)}};\n`));
    writeFileSync(PAGE_FILE, glossaryPage(examples));
  }
  for (const { id, variants } of CATALOGUE) {
    const { figures } = examples[id]!;
    expect({ id, lacking: Object.keys(variants).filter((variant) => !figures.some((figure) => figure.variant === variant)) }).toEqual({ id, lacking: [] });
    expect({ id, known: figures.some(({ value }) => value !== null) }).toEqual({ id, known: true });
  }
  if (!WRITES) expect(EXAMPLES).toEqual(examples);
  expect(readFileSync(PAGE_FILE, 'utf8')).toBe(glossaryPage(examples));
});
