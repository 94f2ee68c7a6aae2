/**
 * What `npm start` does for a newcomer: a deployment to try things out with, a first key to send and one to ask with, and
 * the next three things to type. What arrives: the running process. What leaves: words. Next is the person who reads them.
 */
import { DEFAULT_REGISTRATION, registerDeployment } from '@foothold/adoption';
import { Conflicting } from '@foothold/contract';
import { openLog } from '@foothold/event-log';
import { deadLettersTopic, Keys, usageTopic, type KeyKind, type Platform } from '@foothold/platform';
import { randomUUID } from 'node:crypto';
import { before, quoted } from './front.js';

const TENANT = 'local';
const DEPLOYMENT = 'try-me';
/** Settings without which a command in another terminal would not find the same database, and that may hold secrets. */
const ALSO_NEEDED = ['DATABASE_URL', 'FOOTHOLD_PSEUDONYM_KEY'];

export async function welcome({ database, pseudonymiser, sealer, config, health }: Platform, url: string, env: Record<string, string | undefined>): Promise<string> {
  const keyCheck = (tenant: string) => pseudonymiser.check(tenant);
  await registerDeployment(openLog(database, keyCheck, sealer), keyCheck, TENANT, DEPLOYMENT, { ...DEFAULT_REGISTRATION, sandbox: true }, Date.now() * 1000).catch((error: unknown) => {
    if (!(error instanceof Conflicting)) throw error; // somebody made it theirs: it is left as it is
  });
  const keys = await firstKeys(new Keys(database));
  const missing = config.KAFKA_BROKERS.length > 0 && !(await health.ready()).ok ? kafkaWords(config.KAFKA_PREFIX) : '';
  return `Foothold runs at ${url}\n\n${missing}${keysText(keys)}\n\n${nextThree(url, keys.write, env)}\n\nThe API can be explored at ${url}/explorer. Ctrl-C ends it; what came in stays.\n`;
}

type FirstKeys = Partial<Record<KeyKind, string>>;

/** Makes a key of each kind of which there never was one: what somebody has revoked is not made again. */
async function firstKeys(keys: Keys): Promise<FirstKeys> {
  const there = new Set((await keys.list(TENANT)).map(({ kind }) => kind));
  const made: FirstKeys = {};
  for (const kind of ['write', 'read'] as const) {
    if (!there.has(kind)) made[kind] = (await keys.create({ tenant: TENANT, kind, deployments: null, origins: null, note: 'made at the first npm start', expiresAt: null })).key;
  }
  return made;
}

function keysText({ write, read }: FirstKeys): string {
  const rows = [...(write ? [`  to send events   ${write}`] : []), ...(read ? [`  to ask           ${read}`] : [])];
  const another = 'npx foothold key create --kind write (or read)';
  if (rows.length === 0) return `There are keys already (npx foothold key list); each was shown once, when it was made.\nAnother one: ${another}`;
  return `Your first keys, for tenant ${TENANT}. Keep them now: they cannot be shown again.\n${rows.join('\n')}\nAnother one: ${another}`;
}

function nextThree(url: string, key: string | undefined, env: Record<string, string | undefined>): string {
  const home = env['FOOTHOLD_HOME'] ? before({ FOOTHOLD_HOME: env['FOOTHOLD_HOME'] }) : '';
  const also = ALSO_NEEDED.filter((name) => env[name]);
  const where = `in another terminal, in this folder${also.length > 0 ? `, with the same ${also.join(' and ')}` : ''}`;
  return [
    `The next three things to type, ${where}:`,
    '',
    `  ${curl(url, key ?? 'YOUR_WRITE_KEY')}`,
    `  ${home}npx foothold tail ${DEPLOYMENT} --since 10m`,
    `  ${home}npx foothold metrics ${DEPLOYMENT} adoption.active_people --grain day`,
    '',
    'The first tells that a person took what an AI had suggested; the second shows it, and what else arrives, until Ctrl-C.',
  ].join('\n');
}

/** One event, whole: a person accepted a result as it was, now. */
function curl(url: string, key: string): string {
  const event = {
    specversion: '1.0', id: randomUUID(), source: 'urn:try-me', type: 'foothold.result.accepted.v1', subject: 'me', time: new Date().toISOString(),
    deployment: DEPLOYMENT, data: { invocation: randomUUID().slice(0, 8), changed: 0 },
  };
  return `curl -sS ${quoted(`${url}/v1/events`)} -H 'Authorization: Bearer ${key}' -H 'Content-Type: application/cloudevents+json' -d ${quoted(JSON.stringify(event))}`;
}

function kafkaWords(prefix: string): string {
  return `Kafka, or one of the topics ${usageTopic(prefix)} and ${deadLettersTopic(prefix)}, is not there yet: until it is, events are answered with 503.\n\n`;
}
