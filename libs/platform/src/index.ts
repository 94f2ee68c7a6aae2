/** The only place that knows infrastructure: boot, configuration, Postgres, Kafka, telemetry. */
export { CONFIG, FATAL, LOGGER, openPlatformDatabase, runProcess, type Fatal } from './boot.js';
export { openPseudonymiser, Pseudonymiser, readConfig, SETTINGS, type Config } from './config.js';
export { Database, isTransient, openDatabase, type DatabaseOptions, type Migration, type PoolClient } from './database.js';
export { openEmbeddedPostgres } from './embedded-postgres.js';
export { errorText } from './errors.js';
export { openKafka, TENANT, tenantTopic, usageTopic, usageTopicOf } from './kafka.js';
export { inSpan, linkTo, openLogger, startTracing } from './telemetry.js';
export { type Link } from '@opentelemetry/api';
export { type Logger } from 'pino';
