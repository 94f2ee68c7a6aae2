/**
 * The SDK in a real Chromium, from a page on another origin, against a real collector: what a person does arrives in the
 * log under their pseudonym, and what anybody else could send with what a page shows is refused.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { verify, type Ledger, type Log } from '@foothold/event-log';
import { Keys, type KeyKind } from '@foothold/platform';
import { personToken, type Foothold, type Warning } from '@foothold/sdk';
import { createPrivateKey, randomBytes, sign } from 'node:crypto';
import { type Browser, type Page } from 'playwright-core';
import { openChromium } from './support/chromium.js';
import { freshDatabase, type FreshDatabase } from './support/database.js';
import { KEY, openTestLog, pseudonymiser, registerDeployment, until } from './support/recording.js';
import { startServing, type Serving } from './support/serving.js';
import { startWebHost, type WebHost } from './support/web-host.js';

const TENANT = 'local';
const DEPLOYMENT = 'claims';
const JANE = 'jane.doe@acme.example';

interface Row {
  type: string;
  pseudonym: string | null;
  data: Record<string, unknown>;
}
/** What the collector answered to a request of the page. */
interface Answer {
  status: number;
  field: string | undefined;
}
interface Preflight {
  asks: string | undefined;
  status: number;
  allowed: string | undefined;
}
interface Opened {
  page: Page;
  answers: Answer[];
  preflights: Preflight[];
}
type InPage = { foothold: Foothold; warnings: Warning[] };

let browser: Browser;
let database: FreshDatabase;
let log: Log;
let keys: Keys;
let collector: Serving;
/** The page's own, and that of somebody else. */
let host: WebHost;
let other: WebHost;
/** For pages of `host`, and for those of `other`. */
let ours: { key: string; personSecret: string };
let theirs: { key: string; personSecret: string };
let opened: Opened | undefined;

const create = (kind: KeyKind, origins: string[] | null = null) => keys.create({ tenant: TENANT, kind, deployments: [DEPLOYMENT], origins, note: null, expiresAt: null });
const publishable = async (origin: string) => (await create('publishable', [origin])) as { id: number; key: string; personSecret: string };

beforeAll(async () => {
  browser = await openChromium();
  [host, other] = [await startWebHost(), await startWebHost()];
  database = await freshDatabase();
  collector = await startServing('collector,projector', { DATABASE_URL: database.url, FOOTHOLD_PSEUDONYM_KEY: KEY });
  log = await openTestLog(database.url);
  keys = new Keys(log.database);
  await registerDeployment(log, TENANT, DEPLOYMENT);
  ours = await publishable(host.origin);
  theirs = await publishable(other.origin);
});

beforeEach(() => {
  host.options = { url: collector.url, key: ours.key, deployment: DEPLOYMENT, heartbeatMs: 500 };
  host.token = () => personToken({ secret: ours.personSecret, person: JANE, deployment: DEPLOYMENT });
});

afterEach(async () => {
  await opened?.page.context().close();
  opened = undefined;
});

afterAll(async () => {
  await browser?.close();
  await Promise.all([host?.close(), other?.close()]);
  await log?.database.close();
  await collector?.stop();
  await database?.drop();
});

/** Opens a page in a profile of its own, in which nothing is cached. */
async function open(url = host.origin): Promise<Opened> {
  const page = await (await browser.newContext()).newPage();
  const answers: Answer[] = [];
  page.on('response', (response) => {
    if (!response.url().startsWith(collector.url)) return;
    response.json().then(({ field }: { field?: string }) => answers.push({ status: response.status(), field }), () => undefined); // the page was left
  });
  const preflights = await preflightsOf(page);
  opened = { page, answers, preflights };
  await page.goto(url);
  await page.waitForFunction(() => 'foothold' in globalThis);
  return opened;
}

/** What a browser asks before it sends to another origin is no request of the page: only its debugger tells of it. */
async function preflightsOf(page: Page): Promise<Preflight[]> {
  const session = await page.context().newCDPSession(page);
  const asked = new Map<string, string | undefined>();
  const preflights: Preflight[] = [];
  session.on('Network.requestWillBeSent', ({ requestId, request: { method, headers } }) => void asked.set(requestId, `${method} ${headers['Access-Control-Request-Method']}`));
  session.on('Network.responseReceived', ({ requestId, type, response }) => {
    if (type === 'Preflight') preflights.push({ asks: asked.get(requestId), status: response.status, allowed: response.headers['access-control-allow-origin'] });
  });
  await session.send('Network.enable');
  return preflights;
}

/** Everything stored, in the order of the names of what happened. */
const rows = () => log.database.query<Row>(`select type, encode(pseudonym, 'hex') as pseudonym, data from event left join person using (person) where shard < 16 order by type, received`);
const ofType = async (type: string) => (await rows()).filter((row) => row.type === type);
const stored = (type: string, count = 1) => until(`${count} ${type} stored`, async () => (await ofType(type)).length === count, () => `; the collector answered ${JSON.stringify(opened?.answers)}`);

/** A token as only somebody could sign it who lets it begin when they like. */
function signed(secret: string, claims: object): string {
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encoded({ alg: 'EdDSA', typ: 'JWT' })}.${encoded(claims)}`;
  const seed = Buffer.from(secret.slice('fhs_'.length), 'base64url');
  const key = createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]), format: 'der', type: 'pkcs8' });
  return `${text}.${sign(null, Buffer.from(text), key).toString('base64url')}`;
}

it('reports what the person of the token did, its undo and a heartbeat', async () => {
  const { page, answers, preflights } = await open();
  const settled = await page.evaluate(async () => {
    const { foothold } = globalThis as unknown as InPage;
    const suggestion = foothold.invocation({ id: 'i-1', task: 'letter-1', taskKind: 'reply', surface: 'in-workflow', initiative: 'person' });
    suggestion.shown({ options: 3 });
    suggestion.accepted({ option: 1, changed: 0.25 });
    suggestion.withdrawn();
    const first = await foothold.flush();
    foothold.task({ task: 'letter-1', taskKind: 'reply' });
    return [first, await foothold.flush()];
  });
  expect(settled).toEqual([true, true]);
  await stored('sdk.reported');

  const found = await rows();
  const jane = pseudonymiser.pseudonym(TENANT, JANE);
  expect(found.filter(({ type }) => type !== 'sdk.reported')).toEqual([
    { type: 'decision.withdrawn', pseudonym: jane, data: { invocation: 'i-1' } },
    { type: 'invocation.started', pseudonym: jane, data: { invocation: 'i-1', task: 'letter-1', taskKind: 'reply', surface: 'in-workflow', initiative: 'person' } },
    { type: 'result.accepted', pseudonym: jane, data: { invocation: 'i-1', option: 1, changed: 0.25, dwellMs: expect.any(Number) } },
    { type: 'result.shown', pseudonym: jane, data: { invocation: 'i-1', options: 3, latencyMs: expect.any(Number) } },
    { type: 'task.completed', pseudonym: jane, data: { task: 'letter-1', taskKind: 'reply' } },
  ]);
  expect(await ofType('sdk.reported')).toEqual([{ type: 'sdk.reported', pseudonym: null, data: { queued: expect.any(Number), dropped: {}, sdk: expect.any(String), version: expect.any(String) } }]);
  expect(await verify(log.database)).toMatchObject({ balanced: true, received: 6, stored: 6, rejected: 0, quarantined: 0 });

  expect(answers.length).toBeGreaterThan(1);
  expect(answers).toEqual(answers.map(() => ({ status: 202 })));
  expect(preflights).toEqual([{ asks: 'OPTIONS POST', status: 204, allowed: host.origin }]); // once, before the first
  expect(await page.evaluate(() => (globalThis as unknown as InPage).warnings)).toEqual([]);
});

it('sends what waits when the page is left', async () => {
  host.options = { ...host.options, flushAfterMs: 3_600_000, heartbeatMs: 86_400_000 };
  const { page } = await open();
  await page.evaluate(() => {
    const { foothold } = globalThis as unknown as InPage;
    foothold.feedback({ score: 0.5 });
    return foothold.flush();
  });
  await stored('feedback.given');
  await page.evaluate(() => {
    const suggestion = (globalThis as unknown as InPage).foothold.invocation({ id: 'i-2', surface: 'in-workflow', initiative: 'person' });
    suggestion.shown();
    suggestion.abandoned('navigated');
  });
  expect(await ofType('result.abandoned')).toEqual([]);
  await page.goto('about:blank');
  await stored('result.abandoned');
  expect(await ofType('result.abandoned')).toEqual([{ type: 'result.abandoned', pseudonym: pseudonymiser.pseudonym(TENANT, JANE), data: { invocation: 'i-2', cause: 'navigated' } }]);
  expect((await ofType('invocation.started')).length).toBe(2);
  expect((await ofType('result.shown')).length).toBe(2);
});

describe('is refused, and leaves nothing behind:', () => {
  let before: Ledger;
  beforeEach(async () => {
    before = await verify(log.database);
    host.options = { ...host.options, heartbeatMs: 86_400_000 };
  });
  afterEach(async () => {
    expect(await verify(log.database)).toEqual(before);
  });

  /** Reports, and waits until the page has warned of it. */
  async function warned({ page, answers }: Opened, kind: Warning['kind']): Promise<string> {
    await page.evaluate(() => (globalThis as unknown as InPage).foothold.feedback({ score: -1 }));
    const said = () => page.evaluate(() => (globalThis as unknown as InPage).warnings);
    let warning: Warning | undefined;
    await until(`a warning of ${kind}`, async () => (warning = (await said()).find((one) => one.kind === kind)) !== undefined, () => `; the collector answered ${JSON.stringify(answers)}`);
    return warning!.message;
  }

  const seconds = () => Math.floor(Date.now() / 1000);
  const refusals: [what: string, arrange: () => string | void | Promise<string | void>, status: number, field: string, why: string][] = [
    ['a forged token', () => void (host.token = () => personToken({ secret: `fhs_${randomBytes(32).toString('base64url')}`, person: JANE })), 401, 'foothold-person', 'not signed with the person secret of this key'],
    ['a foreign token, of another key', () => void (host.token = () => personToken({ secret: theirs.personSecret, person: JANE })), 401, 'foothold-person', 'not signed with the person secret of this key'],
    ['an expired token', () => void (host.token = () => signed(ours.personSecret, { sub: JANE, iat: seconds() - 1_000, exp: seconds() - 100 })), 401, 'foothold-person', 'expired'],
    ['a person without a token', () => {
      host.options = { ...host.options, person: JANE };
      host.token = null;
    }, 401, 'foothold-person', 'missing'],
    ['a token for another deployment', () => void (host.token = () => personToken({ secret: ours.personSecret, person: JANE, deployment: 'desk' })), 403, 'foothold-person', 'for a deployment that the key is not for'],
    ['a page of an origin that the key is not for', () => {
      other.options = host.options;
      other.token = host.token;
      return other.origin;
    }, 403, 'origin', 'not for pages of this origin'],
    ['a write key in a page', async () => void (host.options = { ...host.options, key: (await create('write')).key }), 403, 'origin', 'a write key was sent from a web page'],
    ['a revoked key', async () => {
      const { id, key, personSecret } = await publishable(host.origin);
      await keys.revoke(TENANT, id);
      host.options = { ...host.options, key };
      host.token = () => personToken({ secret: personSecret, person: JANE });
    }, 401, 'authorization', 'revoked'],
  ];
  it.each(refusals)('%s', async (_, arrange, status, field, why) => {
    const origin = await arrange();
    const there = await open(origin ?? host.origin);
    const message = await warned(there, 'unauthorised');
    expect(message).toContain(`the collector answered ${status}: `);
    expect(message).toContain(why);
    await until('the answers are read', () => there.answers.length > 0);
    expect(there.answers).toEqual(there.answers.map(() => ({ status, field })));
    expect(there.preflights).toEqual([{ asks: 'OPTIONS POST', status: 204, allowed: origin ?? host.origin }]);
  });

  it('a page of an origin that no key is for, whose browser sends nothing after it has asked', async () => {
    const there = await open(host.origin.replace('127.0.0.1', 'localhost'));
    expect(await warned(there, 'unreachable')).toContain('no connection');
    expect(there.answers).toEqual([]);
    expect(there.preflights[0]).toEqual({ asks: 'OPTIONS POST', status: 204, allowed: undefined });
  });
});
