/** How brokers and this process show each other who they are: TLS and SASL, from the configuration to what kafkajs takes. */
import { WrongInput } from '@foothold/contract';
import { type KafkaConfig, type Mechanism as OwnMechanism } from 'kafkajs';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type ConnectionOptions } from 'node:tls';
import { type Logger } from 'pino';
import { type Config } from './config.js';
import { TokenSource } from './kafka-token.js';

export const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const;
export type Mechanism = (typeof MECHANISMS)[number];

const FILES = ['KAFKA_CA_FILE', 'KAFKA_CERT_FILE', 'KAFKA_KEY_FILE'] as const;
const PASSWORD = ['KAFKA_USERNAME', 'KAFKA_PASSWORD'] as const;
const TOKEN = ['KAFKA_OAUTH_TOKEN_URL', 'KAFKA_OAUTH_CLIENT_ID', 'KAFKA_OAUTH_CLIENT_SECRET'] as const;

/** @throws WrongInput naming the variable, where settings contradict each other or one of several is missing. */
export function checkKafkaSecurity(config: Config): void {
  if (!config.KAFKA_TLS) for (const name of FILES) if (config[name]) throw new WrongInput(name, 'is set, but KAFKA_TLS is not true', 'set KAFKA_TLS=true, or leave it out');
  for (const [name, other] of [['KAFKA_CERT_FILE', 'KAFKA_KEY_FILE'], ['KAFKA_KEY_FILE', 'KAFKA_CERT_FILE']] as const) {
    if (config[other] && !config[name]) throw new WrongInput(name, `is not set, but ${other} is`, 'set both, or neither');
  }
  const mechanism = config.KAFKA_SASL_MECHANISM;
  const needed: readonly (keyof Config)[] = mechanism === null ? [] : mechanism === 'OAUTHBEARER' ? TOKEN : PASSWORD;
  for (const name of [...PASSWORD, ...TOKEN, 'KAFKA_OAUTH_SCOPE'] as const) {
    if (needed.includes(name) && !config[name]) throw new WrongInput(name, `is not set, but ${mechanism} needs it`, `set it, or another KAFKA_SASL_MECHANISM`);
    if (!config[name] || needed.includes(name) || (name === 'KAFKA_OAUTH_SCOPE' && mechanism === 'OAUTHBEARER')) continue;
    throw new WrongInput(name, mechanism ? `is set, but ${mechanism} has no use for it` : 'is set, but no mechanism that would use it', 'leave it out, or set KAFKA_SASL_MECHANISM to one that uses it');
  }
}

/**
 * What kafkajs is told about TLS and SASL. Certificates and keys are read now: a process takes new ones up when it is started anew.
 * @throws WrongInput naming the variable of a file that cannot be read or does not hold what it should
 */
export function kafkaSecurity(config: Config, logger: Logger): Pick<KafkaConfig, 'ssl' | 'sasl'> {
  const ssl = config.KAFKA_TLS ? tlsOf(config) : undefined;
  const mechanism = config.KAFKA_SASL_MECHANISM;
  if (mechanism === null) return { ssl };
  if (!ssl) logger.warn('%s without KAFKA_TLS: whoever can listen between this process and the brokers sees what is sent, and may act in its name', mechanism);
  if (mechanism === 'OAUTHBEARER') return { ssl, sasl: bearer(new TokenSource(config)) };
  const [username, password] = [config.KAFKA_USERNAME!, config.KAFKA_PASSWORD!];
  return { ssl, sasl: { mechanism: mechanism.toLowerCase() as 'plain', username, password } };
}

function tlsOf(config: Config): ConnectionOptions {
  const [ca, cert, key] = FILES.map((name) => contents(config, name));
  certificatesIn('KAFKA_CA_FILE', ca);
  const [client] = certificatesIn('KAFKA_CERT_FILE', cert);
  try {
    createSecureContext({ key });
  } catch {
    throw new WrongInput('KAFKA_KEY_FILE', 'holds no private key in PEM that can be read', 'name the file that begins with -----BEGIN PRIVATE KEY-----, without a passphrase');
  }
  try {
    createSecureContext({ cert, key });
  } catch {
    throw new WrongInput('KAFKA_KEY_FILE', 'is not the key of the certificate in KAFKA_CERT_FILE', 'name the key that the certificate was made for, and put that certificate first in its file');
  }
  if (client && Date.parse(client.validTo) < Date.now()) throw new WrongInput('KAFKA_CERT_FILE', `its certificate has expired on ${new Date(client.validTo).toISOString()}`, 'renew it');
  return { ca, cert, key };
}

function contents(config: Config, name: (typeof FILES)[number]): string | undefined {
  const path = config[name];
  try {
    return path === null ? undefined : readFileSync(path, 'utf8');
  } catch (error) {
    throw new WrongInput(name, `the file cannot be read (${(error as { code?: string }).code})`, 'name a file that this process may read');
  }
}

/** Node passes over whatever is no certificate without a word. */
function certificatesIn(name: string, pem: string | undefined): X509Certificate[] {
  try {
    const found = (pem?.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []).map((block) => new X509Certificate(block));
    if (pem === undefined || found.length > 0) return found;
  } catch {
    // said below
  }
  throw new WrongInput(name, 'holds no certificate in PEM that can be read', 'name the file that begins with -----BEGIN CERTIFICATE-----');
}

/** kafkajs' own OAUTHBEARER takes a refused token for accepted: Kafka answers it with a text, and fails the request after. */
function bearer(tokens: TokenSource): OwnMechanism {
  return {
    mechanism: 'oauthbearer',
    authenticationProvider: ({ saslAuthenticate }) => ({
      authenticate: async () => {
        const message = Buffer.from(`n,,\x01auth=Bearer ${await tokens.current()}\x01\x01`);
        const request = { encode: () => sized(message) };
        const response = { decode: (answer: Buffer) => answer, parse: (answer: Buffer) => answer.length - SIZE };
        if ((await saslAuthenticate({ request, response }))! > 0) {
          tokens.forget();
          throw new WrongInput('KAFKA_OAUTH_TOKEN_URL', 'the broker does not accept the tokens it gives', 'see the broker’s log: audience, issuer, KAFKA_OAUTH_SCOPE and clocks must be those it expects');
        }
      },
    }),
  };
}

/** Kafka's texts come behind their length. */
const SIZE = 4;

function sized(bytes: Buffer): Buffer {
  const size = Buffer.alloc(SIZE);
  size.writeInt32BE(bytes.length);
  return Buffer.concat([size, bytes]);
}

/** [what kafkajs says, the setting, the reason, what to do] */
const REFUSED: [RegExp, keyof Config, string, string][] = [
  [/self.signed certificate|unable to (get|verify)/i, 'KAFKA_CA_FILE', 'does not hold the authority that signed the broker’s certificate', 'set it to the file of that authority’s certificate, in PEM'],
  [/does not match certificate's altnames/i, 'KAFKA_BROKERS', 'names a broker otherwise than its certificate does', 'use a name that the certificate holds, or have one made for this name'],
  [/certificate has expired|certificate is not yet valid/i, 'KAFKA_BROKERS', 'names a broker whose certificate has expired or does not hold yet', 'renew it, or set the clock right'],
  [/wrong version number|before secure TLS connection was established|packet length too long/i, 'KAFKA_TLS', 'is true, but the broker speaks no TLS at this address', 'use the port of its TLS listener, or set KAFKA_TLS=false'],
  [/alert (number (42|43|46|48|116)|certificate required|bad certificate|unknown ca|certificate unknown|handshake failure)/i, 'KAFKA_CERT_FILE', 'is no client certificate that the broker accepts', 'set it and KAFKA_KEY_FILE to one signed by an authority that the broker trusts'],
  [/SASL \S+ mechanism is not supported|not support the requested SASL mechanism/i, 'KAFKA_SASL_MECHANISM', 'is none that the broker offers at this address', 'choose one of those its listener has enabled'],
  [/not valid given the current SASL state/i, 'KAFKA_SASL_MECHANISM', 'is set, but the broker asks nobody at this address who they are', 'use the port of a listener with SASL, or leave the mechanism and what belongs to it out'],
  // A connection that broke meanwhile is no refusal.
  [/SASL (PLAIN|SCRAM \S+) authentication failed(?!.*(closed|connection|timed? ?out))/i, 'KAFKA_PASSWORD', 'is not accepted by the broker for KAFKA_USERNAME', 'set the user and password that the broker knows for this mechanism'],
];

/** The setting that the brokers refuse, where an error of kafkajs shows which. */
export function settingRefused(error: unknown): WrongInput | undefined {
  for (let inner = error, depth = 0; inner instanceof Error && depth < 5; inner = inner.cause, depth++) {
    if (inner instanceof WrongInput) return inner;
    const { message } = inner;
    const found = REFUSED.find(([said]) => said.test(message));
    if (found) return new WrongInput(found[1], found[2], found[3]);
  }
  return undefined;
}
