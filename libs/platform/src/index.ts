/** The only place that knows infrastructure: boot, configuration, Postgres, Kafka, telemetry. */
export { AnsweredRequests, type Claim } from './answered.js';
export { openApplication, openPlatformDatabase, PORT, runProcess, type Front, type Platform } from './boot.js';
export { undecodable } from './compression.js';
export { letterDays, readConfig, SETTINGS, type Config } from './config.js';
export { Database, DatabaseReplaced, isLockedOut, isTransient, LOCK_MS, openDatabase, untilLocked, type DatabaseOptions, type Migration, type PoolClient } from './database.js';
export { Health } from './health.js';
export { Keys, type AccessKey, type KeyKind, type ListedKey, type NewKey } from './keys.js';
export { openEmbeddedPostgres } from './embedded-postgres.js';
export { errorText } from './errors.js';
export { deadLettersTopic, isMisnamedUsage, isSource, openKafka, originName, retireStatement, skipStatement, startAnewStatement, TENANT, tenantTopic, usageTopic, usageTopicOf } from './kafka.js';
export { notAcceptable, preconditionFailed, Problem, problemOf, send, wrongContentType } from './problem.js';
export { openPseudonymiser, openSealer, Pseudonymiser, Sealer } from './secret.js';
export { askedGauge, askedGauges, currentTraceparent, inSpan, isSampled, measuring, openLogger, spanOf, startTelemetry } from './telemetry.js';
export { CONFIG, FATAL, LOGGER, type Fatal } from './tokens.js';
export { type Logger } from 'pino';
