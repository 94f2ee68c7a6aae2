/** TLS, SASL and client certificates against a real Kafka, whose authority is made here; and what is said where they do not fit. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WrongInput } from '@foothold/contract';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { ownKafka } from '../../../test/support/kafka.js';
import { readConfig } from './config.js';
import { openKafka } from './kafka.js';

const [USER, SECRET, WRONG] = ['foothold', 's3cret, with = and ü', 'wr0ng'];
const SCRAM_SECRET = 's3cret';
let folder: string;
let kafka: Awaited<ReturnType<typeof ownKafka>>;
let endpoint: Server;
let ca: Record<string, string>;
/** What the token endpoint answers, and how often it was asked. */
let answer: { status: number; body: unknown };
let asked: { authorization?: string; body: string }[] = [];

const at = (file: string) => join(folder, file);
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });

function authority(name: string): void {
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-days', '2');
}

function certificate(name: string, signer: string): void {
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
  writeFileSync(at('names'), 'subjectAltName=IP:127.0.0.1');
  openssl('x509', '-req', '-in', `${name}.csr`, '-CA', `${signer}.pem`, '-CAkey', `${signer}.key`, '-out', `${name}.pem`, '-days', '2', '-extfile', 'names');
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'foothold-tls-'));
  authority('authority');
  authority('stranger');
  certificate('broker', 'authority');
  certificate('client', 'authority');
  certificate('foreign', 'stranger');
  writeFileSync(at('broker.all'), readFileSync(at('broker.key'), 'utf8') + readFileSync(at('broker.pem'), 'utf8'));
  ca = { KAFKA_TLS: 'true', KAFKA_CA_FILE: at('authority.pem') };
  const tls = { 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': at('broker.all'), 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': at('authority.pem') };
  const module = (name: string, options = '') => `org.apache.kafka.common.security.${name} required${options};`;
  const sasl = {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    'plain.sasl.jaas.config': module('plain.PlainLoginModule', ` user_${USER}="${SECRET}"`).replace('ü', '\\u00fc'),
    'scram-sha-256.sasl.jaas.config': module('scram.ScramLoginModule'),
    'scram-sha-512.sasl.jaas.config': module('scram.ScramLoginModule'),
    'oauthbearer.sasl.jaas.config': module('oauthbearer.OAuthBearerLoginModule', ' unsecuredLoginStringClaim_sub="broker"'),
  };
  kafka = await ownKafka({
    more: [
      { name: 'PASSWORDS', protocol: 'SASL_SSL', properties: { ...tls, ...sasl } },
      { name: 'ONLYPLAIN', protocol: 'SASL_SSL', properties: { ...tls, ...sasl, 'sasl.enabled.mechanisms': 'PLAIN' } },
      { name: 'CERTIFICATES', protocol: 'SSL', properties: { ...tls, 'ssl.client.auth': 'required' } },
    ],
    scram: { [USER]: SCRAM_SECRET },
  });
  endpoint = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      asked.push({ authorization: request.headers.authorization, body });
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  await kafka?.stop();
  await new Promise((resolve) => endpoint.close(resolve));
  rmSync(folder, { recursive: true });
});

/** Connects as a process would and asks for the topics; gives what was logged. */
async function reach(listener: string, settings: Record<string, string>): Promise<string> {
  const lines: string[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
  const address = listener === 'OPEN' ? kafka.brokers[0]! : kafka.listeners[listener]!;
  const admin = openKafka(readConfig({ KAFKA_BROKERS: address, ...settings }), 'spec', logger, 1).admin();
  try {
    await admin.connect();
    expect(await admin.listTopics()).toEqual([]);
  } finally {
    await admin.disconnect();
  }
  return lines.join('');
}

async function refusal(listener: string, settings: Record<string, string>): Promise<WrongInput> {
  const error: unknown = await reach(listener, settings).then(() => undefined, (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(WrongInput);
  expect(String((error as Error).stack)).not.toMatch(/s3cret|wr0ng/);
  return error as WrongInput;
}

const password = (mechanism: string, secret: string) => ({ ...ca, KAFKA_SASL_MECHANISM: mechanism, KAFKA_USERNAME: USER, KAFKA_PASSWORD: secret });
const tokens = () => ({ ...ca, KAFKA_SASL_MECHANISM: 'OAUTHBEARER', KAFKA_OAUTH_TOKEN_URL: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/token`, KAFKA_OAUTH_CLIENT_ID: 'a:b', KAFKA_OAUTH_CLIENT_SECRET: 's3cret+/', KAFKA_OAUTH_SCOPE: 'kafka' });

/** A token as the broker's validator for development takes it: without a signature. */
function unsigned(lifeSeconds: number): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  return `${part({ alg: 'none' })}.${part({ sub: USER, iat: now - 1, exp: now + lifeSeconds })}.`;
}

describe('lets in', () => {
  it.each([['PLAIN', SECRET], ['SCRAM-SHA-256', SCRAM_SECRET], ['SCRAM-SHA-512', SCRAM_SECRET]])('%s over TLS with an authority of our own', async (mechanism, secret) => {
    expect(await reach('PASSWORDS', password(mechanism, secret))).not.toContain('s3cret');
  });

  it('a client certificate', async () => {
    await reach('CERTIFICATES', { ...ca, KAFKA_CERT_FILE: at('client.pem'), KAFKA_KEY_FILE: at('client.key') });
  });

  it('a token, asked for with the client\'s credentials once for several connections', async () => {
    answer = { status: 200, body: { access_token: unsigned(60), expires_in: 60, token_type: 'Bearer' } };
    asked = [];
    const logger = pino({ level: 'silent' });
    const client = openKafka(readConfig({ KAFKA_BROKERS: kafka.listeners['PASSWORDS'], ...tokens() }), 'spec', logger);
    const admins = [client.admin(), client.admin()];
    await Promise.all(admins.map((admin) => admin.connect()));
    expect(await admins[1]!.listTopics()).toEqual([]);
    await Promise.all(admins.map((admin) => admin.disconnect()));
    expect(asked).toEqual([{ authorization: `Basic ${Buffer.from('a%3Ab:s3cret%2B%2F').toString('base64')}`, body: 'grant_type=client_credentials&scope=kafka' }]);
  });
});

describe('names the setting', () => {
  it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])('%s: a wrong password', async (mechanism) => {
    expect(await refusal('PASSWORDS', password(mechanism, WRONG))).toMatchObject({ field: 'KAFKA_PASSWORD', fix: expect.stringContaining('user and password') });
  });

  it('a mechanism the broker does not offer', async () => {
    expect(await refusal('ONLYPLAIN', password('SCRAM-SHA-512', SCRAM_SECRET))).toMatchObject({ field: 'KAFKA_SASL_MECHANISM' });
  });

  it('TLS that does not fit, and SASL where there is none', async () => {
    const plain = password('PLAIN', SECRET);
    const foreign = { ...ca, KAFKA_CERT_FILE: at('foreign.pem'), KAFKA_KEY_FILE: at('foreign.key') };
    const wrong: [what: string, field: string, listener: string, settings: Record<string, string>][] = [
      ['another authority', 'KAFKA_CA_FILE', 'PASSWORDS', { ...plain, KAFKA_CA_FILE: at('stranger.pem') }],
      ['no authority', 'KAFKA_CA_FILE', 'PASSWORDS', { ...plain, KAFKA_CA_FILE: '' }],
      ['a name that the certificate does not hold', 'KAFKA_BROKERS', 'PASSWORDS', { ...plain, KAFKA_BROKERS: kafka.listeners['PASSWORDS']!.replace('127.0.0.1', 'localhost') }],
      ['no TLS there', 'KAFKA_TLS', 'OPEN', ca],
      ['nobody asked', 'KAFKA_SASL_MECHANISM', 'OPEN', { ...plain, KAFKA_TLS: 'false', KAFKA_CA_FILE: '' }],
      ['no client certificate', 'KAFKA_CERT_FILE', 'CERTIFICATES', ca],
      ['a client certificate that a stranger signed', 'KAFKA_CERT_FILE', 'CERTIFICATES', foreign],
    ];
    const found = await Promise.all(wrong.map(async ([what, , listener, settings]) => [what, (await refusal(listener, settings)).field]));
    expect(found).toEqual(wrong.map(([what, field]) => [what, field]));
  });

  it('files that are missing or hold something else', async () => {
    const client = { ...ca, KAFKA_CERT_FILE: at('client.pem'), KAFKA_KEY_FILE: at('client.key') };
    expect(await refusal('CERTIFICATES', { ...client, KAFKA_CA_FILE: at('nowhere.pem') })).toMatchObject({ field: 'KAFKA_CA_FILE', reason: expect.stringContaining('ENOENT') });
    expect(await refusal('CERTIFICATES', { ...client, KAFKA_CA_FILE: at('client.key') })).toMatchObject({ field: 'KAFKA_CA_FILE', reason: expect.stringContaining('no certificate') });
    expect(await refusal('CERTIFICATES', { ...client, KAFKA_KEY_FILE: at('client.pem') })).toMatchObject({ field: 'KAFKA_KEY_FILE', reason: expect.stringContaining('no private key') });
    expect(await refusal('CERTIFICATES', { ...client, KAFKA_KEY_FILE: at('broker.key') })).toMatchObject({ field: 'KAFKA_KEY_FILE', reason: expect.stringContaining('not the key') });
  });

  it('a token the broker does not accept', async () => {
    answer = { status: 200, body: { access_token: unsigned(-60), expires_in: 60 } };
    expect(await refusal('PASSWORDS', tokens())).toMatchObject({ field: 'KAFKA_OAUTH_TOKEN_URL', reason: expect.stringContaining('does not accept') });
  });

  it.each([
    ['KAFKA_OAUTH_CLIENT_SECRET', 401, { error: 'invalid_client' }],
    ['KAFKA_OAUTH_SCOPE', 400, { error: 'invalid_scope' }],
    ['KAFKA_OAUTH_TOKEN_URL', 404, 'nothing here'],
    ['KAFKA_OAUTH_TOKEN_URL', 302, {}],
    ['KAFKA_OAUTH_TOKEN_URL', 200, { token: 's3cret' }],
  ])('%s: the endpoint answers %d', async (field, status, body) => {
    answer = { status, body };
    expect(await refusal('PASSWORDS', tokens())).toMatchObject({ field });
  });

  it('an endpoint that is down is no wrong setting: it is asked again, and the log says so', async () => {
    answer = { status: 503, body: {} };
    asked = [];
    await expect(reach('PASSWORDS', tokens())).rejects.toThrow(/KAFKA_OAUTH_TOKEN_URL does not answer \(status 503\)/);
    expect(asked.length).toBeGreaterThan(1);
  });
});
