/** The event log: append, change, read, project, rebuild. It knows no metric. */
export { append, Fenced, shardOf, type Arrival, type Outcome } from './append.js';
export { change, factsOf, openTenant, requireKeys, strangeTenant, stream, streams, tenants, VersionConflict, type Along, type Fact, type Stream } from './change.js';
export { copyInto, encoded, type ColumnType, type Value } from './copy.js';
export { openLog, type KeyCheck, type Log } from './identities.js';
export { Direct, NotInTime, openDirect, type DirectOptions } from './direct.js';
export { deadLetters, verify, type Ledger, type LetterGroup } from './ledger.js';
export { deadLetter, tallyLetters, type LetterCounts, type LetterTally, type LetterView } from './letters.js';
export { completeThrough, databaseTime, finishOrigin, finishSilent, kafkaOrigins, markEndSeen, openOrigin, openReadings, readings, type KafkaOrigin, type Origin, type Stretch } from './origin.js';
export { keyOf, lag, prepare, project, type AnyTable, type Progress, type Projection, type Store, type Table } from './project.js';
export { read, type LoggedEvent } from './read.js';
export { adoptVersion, rebuild, type Rebuilt, type RebuildOptions } from './rebuild.js';
export { lastReading, openDirectOrigins, reach, staleNumbering, strayCheckpoints } from './recovery.js';
export { countLetters, expireAfter, expireLetters, redrive, redriveWaiting, sweepLetters, type LetterChoice, type Pace, type Redriven } from './redrive.js';
export { eventLogMigrations, LIFECYCLE_SHARD, USAGE_SHARDS } from './schema.js';
export { skewedSources, type SkewedSource } from './skew.js';
export { Tail, type Arrived, type ArrivedEvent, type ArrivedLetter } from './tail.js';
