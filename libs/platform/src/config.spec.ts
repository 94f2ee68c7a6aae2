import { describe, expect, it } from '@jest/globals';
import { WrongInput } from '@foothold/contract';
import { readConfig, SETTINGS } from './config.js';

const SECRET = 's3cretX';
const KEY = 'ab'.repeat(32);

/** [variable, what, value, part of the fix] */
const WRONG: [string, string, string, string][] = [
  ['DATABASE_URL', 'another database', `mysql://root:${SECRET}@db/foothold`, 'postgres://user:password@host:5432/database'],
  ['DATABASE_URL', 'no address', SECRET, 'postgres://user:password@host:5432/database'],
  ['DATABASE_URL', 'no database', `postgres://u:${SECRET}@db`, 'postgres://user:password@host:5432/database'],
  ['DATABASE_URL', 'white space before it', ` postgres://u:${SECRET}@db/foothold`, 'postgres://user:password@host:5432/database'],
  ['DATABASE_URL', 'a percent sign in the password', `postgres://u:%ZZ${SECRET}@db/foothold`, 'with %40 and the like'],
  ['DATABASE_URL', 'a slash in the password', `postgres://u:a/${SECRET}@db:5432/foothold`, 'with %40 and the like'],
  ['DATABASE_URL', 'a port that is no number', `postgres://u:${SECRET}@db:abc/foothold`, 'postgres://user:password@host:5432/database'],
  ['DATABASE_URL', 'a port that no host has', `postgres://u:${SECRET}@db:65536/foothold`, 'postgres://user:password@host:5432/database'],
  ['FOOTHOLD_HOME', 'a NUL', `${SECRET}\0`, 'name a folder'],
  ['FOOTHOLD_PSEUDONYM_KEY', 'too short', SECRET, 'openssl rand -hex 32'],
  ['FOOTHOLD_PSEUDONYM_KEY', 'too long', `${KEY}ab`, 'openssl rand -hex 32'],
  ['FOOTHOLD_PSEUDONYM_KEY', 'another letter', `${SECRET}${'a'.repeat(57)}`, 'openssl rand -hex 32'],
  ['FOOTHOLD_PSEUDONYM_KEY', 'a line feed at its end', `${KEY}\n`, 'openssl rand -hex 32'],
  ['FOOTHOLD_PSEUDONYM_KEY', 'a placeholder nobody replaced', `\${${SECRET}}`, 'openssl rand -hex 32'],
  ['FOOTHOLD_DEAD_LETTER_DAYS', 'a word', SECRET, 'from 1 to 3650'],
  ['FOOTHOLD_DEAD_LETTER_DAYS', 'less than none', '-1', 'from 1 to 3650'],
  ['FOOTHOLD_DEAD_LETTER_DAYS', 'more than ten years', '3651', 'from 1 to 3650'],
  ['FOOTHOLD_DEAD_LETTER_DAYS', 'a fraction', '1.5', 'from 1 to 3650'],
  ['FOOTHOLD_DEAD_LETTER_DAYS', 'a unit', '90d', 'from 1 to 3650'],
  ['KAFKA_BROKERS', 'no port', SECRET, 'kafka-1:9092,kafka-2:9092'],
  ['KAFKA_BROKERS', 'an address', `kafka:9092,kafka://u:${SECRET}@kafka:9092`, 'kafka-1:9092,kafka-2:9092'],
  ['KAFKA_BROKERS', 'a port that no host has', `${SECRET}:65536`, 'kafka-1:9092,kafka-2:9092'],
  ['KAFKA_BROKERS', 'port nought', `[::1]:0,${SECRET}:1`, 'kafka-1:9092,kafka-2:9092'],
  ['KAFKA_BROKERS', 'one missing', `${SECRET}:1,,b:2`, 'kafka-1:9092,kafka-2:9092'],
  ['KAFKA_BROKERS', 'white space within', `${SECRET} kafka:9092`, 'kafka-1:9092,kafka-2:9092'],
  ['FOOTHOLD_HOST', 'a path', `${SECRET}/x`, 'IP address or host name'],
  ['FOOTHOLD_HOST', 'too long', SECRET.repeat(40), 'IP address or host name'],
  ['FOOTHOLD_PORT', 'a word', SECRET, 'from 0 to 65535'],
  ['FOOTHOLD_PORT', 'too high', '65536', 'from 0 to 65535'],
  ['FOOTHOLD_PORT', 'negative', '-1', 'from 0 to 65535'],
  ['FOOTHOLD_PORT', 'a fraction', '80.5', 'from 0 to 65535'],
  ['FOOTHOLD_PORT', 'a list', '7070,7071', 'from 0 to 65535'],
  ['KAFKA_PREFIX', 'a dot', `${SECRET.toLowerCase()}.eu`, 'without dots'],
  ['KAFKA_PREFIX', 'capitals', SECRET, '1-63 of a-z'],
  ['KAFKA_PREFIX', 'too long', SECRET.toLowerCase().repeat(10), '1-63 of a-z'],
  ['KAFKA_PREFIX', 'a hyphen first', `-${SECRET.toLowerCase()}`, '1-63 of a-z'],
  ['KAFKA_TLS', 'a word', SECRET, 'true or false'],
  ['KAFKA_TLS', 'capitals', 'TRUE', 'true or false'],
  ['KAFKA_CA_FILE', 'a NUL', `${SECRET}\0`, 'name a file'],
  ['KAFKA_CA_FILE', 'without TLS', `/${SECRET}`, 'KAFKA_TLS=true'],
  ['KAFKA_CERT_FILE', 'a NUL', `${SECRET}\0`, 'name a file'],
  ['KAFKA_CERT_FILE', 'without TLS', `/${SECRET}`, 'KAFKA_TLS=true'],
  ['KAFKA_KEY_FILE', 'a NUL', `${SECRET}\0`, 'name a file'],
  ['KAFKA_KEY_FILE', 'without TLS', `/${SECRET}`, 'KAFKA_TLS=true'],
  ['KAFKA_SASL_MECHANISM', 'unknown', SECRET, 'PLAIN, SCRAM-SHA-256'],
  ['KAFKA_SASL_MECHANISM', 'small letters', 'plain', 'PLAIN, SCRAM-SHA-256'],
  ['KAFKA_USERNAME', 'without a mechanism', SECRET, 'KAFKA_SASL_MECHANISM'],
  ['KAFKA_USERNAME', 'a line feed', `${SECRET}\n`, 'without one'],
  ['FOOTHOLD_REPORTING_PASSWORD', 'a line feed', `${SECRET}\n`, 'without one'],
  ['KAFKA_PASSWORD', 'without a mechanism', SECRET, 'KAFKA_SASL_MECHANISM'],
  ['KAFKA_PASSWORD', 'a line feed', `${SECRET}\n`, 'without one'],
  ['KAFKA_OAUTH_TOKEN_URL', 'no address', SECRET, 'https://login.example/oauth/token'],
  ['KAFKA_OAUTH_TOKEN_URL', 'without a mechanism', `https://${SECRET}`, 'KAFKA_SASL_MECHANISM'],
  ['KAFKA_OAUTH_CLIENT_ID', 'without a mechanism', SECRET, 'KAFKA_SASL_MECHANISM'],
  ['KAFKA_OAUTH_CLIENT_SECRET', 'without a mechanism', SECRET, 'KAFKA_SASL_MECHANISM'],
  ['KAFKA_OAUTH_CLIENT_SECRET', 'a NUL', `${SECRET}\0`, 'without one'],
  ['KAFKA_OAUTH_SCOPE', 'without a mechanism', SECRET, 'KAFKA_SASL_MECHANISM'],
  ['FOOTHOLD_LOG_LEVEL', 'unknown', SECRET, 'debug, info, warn or error'],
  ['FOOTHOLD_LOG_LEVEL', 'capitals', 'DEBUG', 'debug, info, warn or error'],
  ['FOOTHOLD_LOG_LEVEL', 'a number', '30', 'debug, info, warn or error'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'no address', SECRET, 'http://localhost:4318'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'another protocol', `grpc://${SECRET}:4317`, 'http://localhost:4318'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'half an address', `http://u:${SECRET}@:x`, 'http://localhost:4318'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'white space within', `http://collector ${SECRET}`, 'http://localhost:4318'],
  ['OTEL_TRACES_SAMPLER_ARG', 'a word', SECRET, '0.1 for a tenth'],
  ['OTEL_TRACES_SAMPLER_ARG', 'more than all', '1.01', '0.1 for a tenth'],
  ['OTEL_TRACES_SAMPLER_ARG', 'less than none', '-0.1', '0.1 for a tenth'],
  ['OTEL_TRACES_SAMPLER_ARG', 'a percentage', '10%', '0.1 for a tenth'],
  ['OTEL_TRACES_SAMPLER_ARG', 'a comma', '0,1', '0.1 for a tenth'],
  ['OTEL_TRACES_SAMPLER_ARG', 'in another way', '1e-3', '0.1 for a tenth'],
];

const PLAIN = { KAFKA_SASL_MECHANISM: 'PLAIN', KAFKA_USERNAME: 'u', KAFKA_PASSWORD: SECRET };
const OAUTH = { KAFKA_SASL_MECHANISM: 'OAUTHBEARER', KAFKA_OAUTH_TOKEN_URL: 'https://x/token', KAFKA_OAUTH_CLIENT_ID: 'c', KAFKA_OAUTH_CLIENT_SECRET: SECRET };

/** [the variable that is named, what, the settings, part of the reason] */
const CONTRADICTORY: [string, string, Record<string, string>, string][] = [
  ['KAFKA_CA_FILE', 'TLS is off', { KAFKA_TLS: 'false', KAFKA_CA_FILE: '/ca.pem' }, 'KAFKA_TLS is not true'],
  ['KAFKA_KEY_FILE', 'a certificate alone', { KAFKA_TLS: 'true', KAFKA_CERT_FILE: '/cert.pem' }, 'is not set, but KAFKA_CERT_FILE is'],
  ['KAFKA_CERT_FILE', 'a key alone', { KAFKA_TLS: 'true', KAFKA_KEY_FILE: '/key.pem' }, 'is not set, but KAFKA_KEY_FILE is'],
  ['KAFKA_USERNAME', 'nobody', { ...PLAIN, KAFKA_USERNAME: '' }, 'is not set, but PLAIN needs it'],
  ['KAFKA_PASSWORD', 'no password', { ...PLAIN, KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512', KAFKA_PASSWORD: '' }, 'is not set, but SCRAM-SHA-512 needs it'],
  ['KAFKA_OAUTH_CLIENT_ID', 'a client with a password', { ...PLAIN, KAFKA_OAUTH_CLIENT_ID: 'c' }, 'is set, but PLAIN has no use for it'],
  ['KAFKA_PASSWORD', 'a password with tokens', { ...OAUTH, KAFKA_PASSWORD: SECRET }, 'is set, but OAUTHBEARER has no use for it'],
  ['KAFKA_OAUTH_TOKEN_URL', 'nowhere to ask', { ...OAUTH, KAFKA_OAUTH_TOKEN_URL: '' }, 'is not set, but OAUTHBEARER needs it'],
  ['KAFKA_OAUTH_CLIENT_SECRET', 'no secret', { ...OAUTH, KAFKA_OAUTH_CLIENT_SECRET: '' }, 'is not set, but OAUTHBEARER needs it'],
];

describe('the configuration', () => {
  it.each(CONTRADICTORY)('%s: %s', (field, _what, settings, reason) => {
    const read = () => readConfig(settings);
    expect(read).toThrow(WrongInput);
    expect(read).toThrow(expect.objectContaining({ field, reason: expect.stringContaining(reason) }));
    expect(read).not.toThrow(expect.objectContaining({ message: expect.stringContaining(SECRET) }));
  });

  it.each(WRONG)('%s: %s', (name, _what, value, fix) => {
    const read = () => readConfig({ [name]: value });
    expect(read).toThrow(WrongInput);
    expect(read).toThrow(expect.objectContaining({ field: name, fix: expect.stringContaining(fix) }));
    expect(read).not.toThrow(expect.objectContaining({ message: expect.stringContaining(value) }));
    expect(read).not.toThrow(expect.objectContaining({ message: expect.stringMatching(new RegExp(SECRET, 'i')) }));
  });

  it('tries every setting there is', () => {
    expect(new Set(WRONG.map(([name]) => name))).toEqual(new Set(Object.keys(SETTINGS)));
  });

  it('takes what is right, and nothing for what is left out or empty', () => {
    const empty = Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, '']));
    expect(readConfig(empty)).toEqual(readConfig({}));
    expect(readConfig({})).toMatchObject({ DATABASE_URL: null, FOOTHOLD_PSEUDONYM_KEY: null, KAFKA_BROKERS: [], KAFKA_PREFIX: 'foothold', FOOTHOLD_HOST: '127.0.0.1', FOOTHOLD_PORT: null, FOOTHOLD_LOG_LEVEL: 'info', OTEL_EXPORTER_OTLP_ENDPOINT: null, OTEL_TRACES_SAMPLER_ARG: 0.1 });
    expect(readConfig({})).toMatchObject({ KAFKA_TLS: false, KAFKA_CA_FILE: null, KAFKA_SASL_MECHANISM: null, KAFKA_PASSWORD: null });
    expect(readConfig({ ...PLAIN, KAFKA_TLS: 'true', KAFKA_CA_FILE: '/ca.pem', KAFKA_CERT_FILE: '/c.pem', KAFKA_KEY_FILE: '/k.pem' })).toMatchObject({ ...PLAIN, KAFKA_TLS: true, KAFKA_KEY_FILE: '/k.pem' });
    expect(readConfig(OAUTH)).toMatchObject({ ...OAUTH, KAFKA_TLS: false, KAFKA_OAUTH_SCOPE: null });
    expect([undefined, '1', '3650'].map((days) => readConfig({ FOOTHOLD_DEAD_LETTER_DAYS: days }).FOOTHOLD_DEAD_LETTER_DAYS)).toEqual([90, 1, 3_650]);
    expect(['0', '1', '1.0', '0.005', '.25'].map((ratio) => readConfig({ OTEL_TRACES_SAMPLER_ARG: ratio }).OTEL_TRACES_SAMPLER_ARG)).toEqual([0, 1, 1, 0.005, 0.25]);
    expect(readConfig({ DATABASE_URL: 'postgresql://u:a%40b%2F%25@[::1]:5432/db?sslmode=require', FOOTHOLD_PSEUDONYM_KEY: KEY.toUpperCase(), KAFKA_BROKERS: 'a.b:9092, [::1]:65535', OTEL_EXPORTER_OTLP_ENDPOINT: 'https://x/otlp' })).toMatchObject({
      DATABASE_URL: 'postgresql://u:a%40b%2F%25@[::1]:5432/db?sslmode=require', FOOTHOLD_PSEUDONYM_KEY: Buffer.from(KEY, 'hex'), KAFKA_BROKERS: ['a.b:9092', '[::1]:65535'], OTEL_EXPORTER_OTLP_ENDPOINT: 'https://x/otlp',
    });
  });
});
