/**
 * The collector and the API, asked some thousands of times what their document allows and what it does not: every answer is
 * one that the document tells of. What is checked, and what instead where a schema cannot say it, is in test/openapi.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Keys, type KeyKind } from '@foothold/platform';
import { freshDatabase, type FreshDatabase } from './support/database.js';
import { openSchemathesis, trySchema } from './support/schemathesis.js';
import { KEY, openTestLog } from './support/recording.js';
import { startServing, type Serving } from './support/serving.js';

const SEED = Number(process.env.SEED ?? 20260101);

interface Operation {
  requestBody?: { content: Record<string, { example: Record<string, unknown> }> };
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
}

let python: string;
let database: FreshDatabase;
let server: Serving;
let keys: Record<'read' | 'write', string>;

beforeAll(async () => {
  python = await openSchemathesis();
  database = await freshDatabase();
  server = await startServing('collector,projector,api', { DATABASE_URL: database.url, FOOTHOLD_PSEUDONYM_KEY: KEY });
  const log = await openTestLog(database.url);
  const create = async (kind: KeyKind) => (await new Keys(log.database).create({ tenant: 'local', kind, deployments: null, origins: null, note: null, expiresAt: null })).key;
  keys = { read: await create('read'), write: await create('write') };
  await log.database.close();
}, 300_000);

afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

const ask = (path: string, key: string, more: RequestInit = {}) => fetch(`${server.url}${path}`, { ...more, headers: { authorization: `Bearer ${key}`, ...(more.headers as Record<string, string>) } });
const send = (path: string, type: string, body: object) => ask(path, keys.write, { method: 'POST', headers: { 'content-type': type }, body: JSON.stringify(body) });

/** Sends the examples of the document, so that there is something to answer with: a deployment, an event, and one that is refused. */
async function fill({ paths }: Document): Promise<void> {
  const example = (path: string, type: string) => paths[path]!['post']!.requestBody!.content[type]!.example;
  const event = 'application/cloudevents+json';
  const answers = [
    await send('/v1/deployments', 'application/json', example('/v1/deployments', 'application/json')),
    await send('/v1/events', event, example('/v1/events', event)),
    await send('/v1/events', event, { ...example('/v1/events', event), id: 'refused', time: 'soon' }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([201, 202, 422]);
  expect(await (await ask('/v1/dead-letters', keys.read)).json()).toMatchObject([{ field: 'time', count: 1 }]);
}

it('answers whatever it is asked as /openapi.json says', async () => {
  const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as Document;
  const operations = Object.values(document.paths).flatMap((methods) => Object.keys(methods)).length;
  await fill(document);

  const begun = Date.now();
  const { code, report } = await trySchema(python, server.url, document, keys, SEED);
  // A body may be a batch of 1,001 events.
  const readable = report.split('\n').map((line) => line.slice(0, 1_000)).join('\n');
  if (code !== 0) throw new Error(`SEED=${SEED}: schemathesis ended with ${code}\n${readable}`);

  const figure = (pattern: RegExp) => Number(pattern.exec(report)?.[1]);
  const requests = figure(/^ {2}(\d+) generated, \1 passed/m);
  process.stderr.write(`openapi: SEED=${SEED}, ${operations} operations, ${requests} requests in ${Math.round((Date.now() - begun) / 1000)} s\n`);
  expect({ selected: figure(/Selected: (\d+)\//), tested: figure(/Tested: (\d+)/) }).toEqual({ selected: operations, tested: operations });
  expect(requests).toBeGreaterThan(3_000);
  expect(server.log()).not.toContain('"level":50');
}, 300_000);
