/** What is configured from outside: every environment variable Foothold reads, with its meaning, default and check. */
import { WrongInput } from '@foothold/contract';
import { resolve } from 'node:path';
import { checkKafkaSecurity, MECHANISMS, type Mechanism } from './kafka-security.js';

interface Setting<T> {
  meaning: string;
  /** As the README's table shows it. */
  default: string;
  read(text: string | undefined): T;
}

/** Says what is wrong with a value without repeating it: settings hold secrets. */
class Unfit extends Error {
  constructor(
    readonly reason: string,
    readonly fix: string,
  ) {
    super(reason);
  }
}

const text = (fallback: string, pattern: RegExp, fix: string) => (given: string | undefined): string => {
  if (given === undefined || given === '') return fallback;
  if (!pattern.test(given)) throw new Unfit(`a text of ${given.length} characters that does not fit`, fix);
  return given;
};

/** Whether a text can be taken apart as a URL, percent signs and all: drivers do so, with an error that names no setting. */
function isAddress(given: string): boolean {
  try {
    decodeURI(given);
    return URL.canParse(given);
  } catch {
    return false;
  }
}

const file = (given: string | undefined): string | null => {
  if (given?.includes('\0')) throw new Unfit('holds a NUL character', 'name a file');
  return given ? resolve(given) : null;
};

/** Secrets that come out of files bring line feeds along, which brokers then call wrong. */
const credential = (given: string | undefined): string | null => {
  if (given && /\p{Cc}/u.test(given)) throw new Unfit('holds a line feed or another control character', 'write it without one');
  return given || null;
};

const httpAddress = (example: string) => (given: string | undefined): string | null => {
  if (!given) return null;
  if (!/^https?:\/\/\S+$/.test(given) || !isAddress(given)) throw new Unfit('is no http address', `write for instance ${example}`);
  return given;
};

/** How many days a text says that dead letters are kept; undefined where it says none that may be. */
export function letterDays(given: string): number | undefined {
  return /^[1-9]\d{0,3}$/.test(given) && Number(given) <= 3_650 ? Number(given) : undefined;
}

const isPort = (digits: string): boolean => Number(digits) >= 1 && Number(digits) <= 65_535;

export const SETTINGS = {
  DATABASE_URL: {
    meaning: 'the Postgres (14 or newer) that holds log and read tables',
    default: 'an embedded Postgres in FOOTHOLD_HOME',
    read: (given) => {
      if (!given) return null;
      if (!/^postgres(ql)?:\/\/[^/]+\/.+/.test(given) || !isAddress(given)) {
        throw new Unfit('is no Postgres address', 'write postgres://user:password@host:5432/database, with %40 and the like for @ / : % in the password');
      }
      return given;
    },
  } as Setting<string | null>,
  FOOTHOLD_HOME: {
    meaning: 'the folder of the embedded Postgres and of the pseudonym key',
    default: '.foothold',
    read: (given) => {
      if (given?.includes('\0')) throw new Unfit('holds a NUL character', 'name a folder');
      return resolve(given || '.foothold');
    },
  } as Setting<string>,
  FOOTHOLD_PSEUDONYM_KEY: {
    meaning: 'the secret (64 hex digits) under which people are pseudonymised; every process and host needs the same, and losing it splits everybody in two',
    default: 'made once and kept in FOOTHOLD_HOME/pseudonym.key',
    read: (given) => {
      if (!given) return null;
      if (!/^[0-9a-f]{64}$/i.test(given)) throw new Unfit(`is a text of ${given.length} characters, not 64 hex digits`, 'make one with: openssl rand -hex 32');
      return Buffer.from(given, 'hex');
    },
  } as Setting<Buffer | null>,
  FOOTHOLD_DEAD_LETTER_DAYS: {
    meaning: 'how many days a dead letter is kept before it expires: 1 to 3650',
    default: '90',
    read: (given) => {
      if (!given) return 90;
      const days = letterDays(given);
      if (days === undefined) throw new Unfit('is no number of days', 'write a whole number from 1 to 3650');
      return days;
    },
  } as Setting<number>,
  FOOTHOLD_REPORTING_PASSWORD: {
    meaning: 'the password of the role that `foothold reporting grant` makes, where there is none of its name',
    default: 'what comes on stdin',
    read: credential,
  } as Setting<string | null>,
  KAFKA_BROKERS: {
    meaning: 'host:port of Kafka brokers, separated by commas; the recorder needs it',
    default: 'none',
    read: (given) => {
      if (!given) return [];
      const brokers = given.split(',').map((broker) => broker.trim());
      const wrong = brokers.findIndex((broker) => !/^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}$/.test(broker) || !isPort(broker.slice(broker.lastIndexOf(':') + 1)));
      if (wrong >= 0) throw new Unfit(`entry ${wrong + 1} is not host:port`, 'write for instance kafka-1:9092,kafka-2:9092');
      return brokers;
    },
  } as Setting<string[]>,
  KAFKA_PREFIX: {
    meaning: 'what the names of Foothold’s topics and consumer groups begin with',
    default: 'foothold',
    read: text('foothold', /^[a-z0-9][a-z0-9_-]{0,62}$/, 'use 1-63 of a-z, 0-9, _ and -, without dots'),
  } as Setting<string>,
  KAFKA_TLS: {
    meaning: 'whether the brokers are reached over TLS: true or false',
    default: 'false',
    read: (given) => {
      if (given && given !== 'true' && given !== 'false') throw new Unfit('is neither true nor false', 'write true or false');
      return given === 'true';
    },
  } as Setting<boolean>,
  KAFKA_CA_FILE: { meaning: 'the file (PEM) of the authorities that may have signed the brokers’ certificates', default: 'those that Node trusts', read: file } as Setting<string | null>,
  KAFKA_CERT_FILE: { meaning: 'the file (PEM) of the client certificate that brokers may ask for, with its chain', default: 'none', read: file } as Setting<string | null>,
  KAFKA_KEY_FILE: { meaning: 'the file (PEM, without a passphrase) of the client certificate’s private key', default: 'none', read: file } as Setting<string | null>,
  KAFKA_SASL_MECHANISM: {
    meaning: `how this process shows the brokers who it is: ${MECHANISMS.join(', ')}`,
    default: 'it does not',
    read: (given) => {
      if (given && !MECHANISMS.includes(given as Mechanism)) throw new Unfit('is none that is known', `choose ${MECHANISMS.join(', ')}`);
      return (given || null) as Mechanism | null;
    },
  } as Setting<Mechanism | null>,
  KAFKA_USERNAME: { meaning: 'the user, for PLAIN and SCRAM', default: 'none', read: credential } as Setting<string | null>,
  KAFKA_PASSWORD: { meaning: 'the user’s password', default: 'none', read: credential } as Setting<string | null>,
  KAFKA_OAUTH_TOKEN_URL: { meaning: 'where OAUTHBEARER’s tokens are had with client credentials', default: 'none', read: httpAddress('https://login.example/oauth/token') } as Setting<string | null>,
  KAFKA_OAUTH_CLIENT_ID: { meaning: 'the client that asks there', default: 'none', read: credential } as Setting<string | null>,
  KAFKA_OAUTH_CLIENT_SECRET: { meaning: 'the client’s secret', default: 'none', read: credential } as Setting<string | null>,
  KAFKA_OAUTH_SCOPE: { meaning: 'the scope it asks for', default: 'none', read: credential } as Setting<string | null>,
  FOOTHOLD_HOST: {
    meaning: 'the address this process listens on for HTTP; 0.0.0.0 for every one of the machine',
    default: '127.0.0.1',
    read: text('127.0.0.1', /^[0-9A-Za-z:.-]{1,253}$/, 'write an IP address or host name of this machine'),
  } as Setting<string>,
  FOOTHOLD_PORT: {
    meaning: 'the port this process listens on for HTTP (events, questions, /health/live, /health/ready, /metrics); 0 for any that is free',
    default: '7070 for collector and api; recorder, projector and sentinel alone listen only where it is set',
    read: (given) => {
      if (!given) return null;
      if (!/^\d{1,5}$/.test(given) || Number(given) > 65_535) throw new Unfit('is no port', 'write a number from 0 to 65535');
      return Number(given);
    },
  } as Setting<number | null>,
  FOOTHOLD_LOG_LEVEL: {
    meaning: 'how much the processes say: debug, info, warn or error',
    default: 'info',
    read: text('info', /^(debug|info|warn|error)$/, 'choose debug, info, warn or error'),
  } as Setting<string>,
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    meaning: 'where spans are sent (OTLP over HTTP); a span a batch is made in any case',
    default: 'nowhere',
    read: httpAddress('http://localhost:4318'),
  } as Setting<string | null>,
  OTEL_TRACES_SAMPLER_ARG: {
    meaning: 'how many of the traces that begin here are sampled, from 0 to 1; a trace that came along keeps what its sender decided',
    default: '0.1',
    read: (given) => {
      if (!given) return 0.1;
      if (!/^(0?\.\d+|[01](\.0*)?)$/.test(given)) throw new Unfit('is no number from 0 to 1', 'write for instance 0.1 for a tenth');
      return Number(given);
    },
  } as Setting<number>,
};

export type Config = { [name in keyof typeof SETTINGS]: ReturnType<(typeof SETTINGS)[name]['read']> };

/**
 * Reads the configuration.
 * @throws WrongInput naming the variable and the fix, never its value.
 */
export function readConfig(env: Record<string, string | undefined>): Config {
  const config: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(SETTINGS)) {
    try {
      config[name] = setting.read(env[name]);
    } catch (error) {
      if (error instanceof Unfit) throw new WrongInput(name, error.reason, error.fix);
      throw error;
    }
  }
  checkKafkaSecurity(config as Config);
  return config as Config;
}
