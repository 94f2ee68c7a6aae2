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
  ['FOOTHOLD_LOG_LEVEL', 'unknown', SECRET, 'debug, info, warn or error'],
  ['FOOTHOLD_LOG_LEVEL', 'capitals', 'DEBUG', 'debug, info, warn or error'],
  ['FOOTHOLD_LOG_LEVEL', 'a number', '30', 'debug, info, warn or error'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'no address', SECRET, 'http://localhost:4318'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'another protocol', `grpc://${SECRET}:4317`, 'http://localhost:4318'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'half an address', `http://u:${SECRET}@:x`, 'http://localhost:4318'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'white space within', `http://collector ${SECRET}`, 'http://localhost:4318'],
];

describe('the configuration', () => {
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
    expect(readConfig({})).toMatchObject({ DATABASE_URL: null, FOOTHOLD_PSEUDONYM_KEY: null, KAFKA_BROKERS: [], KAFKA_PREFIX: 'foothold', FOOTHOLD_HOST: '127.0.0.1', FOOTHOLD_PORT: null, FOOTHOLD_LOG_LEVEL: 'info', OTEL_EXPORTER_OTLP_ENDPOINT: null });
    expect(readConfig({ DATABASE_URL: 'postgresql://u:a%40b%2F%25@[::1]:5432/db?sslmode=require', FOOTHOLD_PSEUDONYM_KEY: KEY.toUpperCase(), KAFKA_BROKERS: 'a.b:9092, [::1]:65535', OTEL_EXPORTER_OTLP_ENDPOINT: 'https://x/otlp' })).toMatchObject({
      DATABASE_URL: 'postgresql://u:a%40b%2F%25@[::1]:5432/db?sslmode=require', FOOTHOLD_PSEUDONYM_KEY: Buffer.from(KEY, 'hex'), KAFKA_BROKERS: ['a.b:9092', '[::1]:65535'], OTEL_EXPORTER_OTLP_ENDPOINT: 'https://x/otlp',
    });
  });
});
