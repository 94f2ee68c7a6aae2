/**
 * The tables of the log. `event` is the truth: 16 usage shards (0-15) and one of lifecycle facts (16),
 * each numbered without holes from its row in `head`. Everything else here is how the log is written to
 * (origin, dead_letter), named by (tenant, source, deployment, person) and read from (checkpoint).
 * Migrations expand, and contract a version later at the earliest (see Migration).
 */
import { type Migration } from '@foothold/platform';

/** Usage shards, fixed at installation: the shard of an event is stored with it, so this never changes. */
export const USAGE_SHARDS = 16;
/** SQL that gives a moment as text: ISO, to the millisecond. */
export const isoText = (moment: string): string => `to_char(${moment} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
/** The shard of lifecycle facts. */
export const LIFECYCLE_SHARD = 16;

export const eventLogMigrations: Migration[] = [
  {
    name: 'EventLog1790000000001',
    sql: `
create table tenant (
  tenant int generated always as identity primary key,
  name text not null unique,
  key_check bytea not null
);
comment on column tenant.key_check is 'proves that a process holds the tenant''s pseudonym key, without holding it';

create table source (
  source int generated always as identity primary key,
  tenant int not null references tenant,
  name text not null,
  unique (tenant, name)
);

create table deployment (
  deployment int generated always as identity primary key,
  tenant int not null references tenant,
  id text not null,
  version int not null,
  registration json not null,
  unique (tenant, id)
);
comment on column deployment.version is 'of its stream of lifecycle facts';

create table person (
  person bigint generated always as identity primary key,
  tenant int not null references tenant,
  pseudonym bytea not null,
  unique (tenant, pseudonym)
);
comment on table person is 'the only place where a surrogate number meets a pseudonym: erasing a row forgets the person';

create table head (
  shard smallint primary key,
  position bigint not null,
  received timestamptz not null
);
insert into head select shard, 0, 'epoch' from generate_series(0, ${LIFECYCLE_SHARD}) shard;

create table origin (
  origin int generated always as identity primary key,
  kind text not null check (kind in ('kafka', 'file')),
  name text not null,
  part int not null,
  tenant text,
  first_offset bigint not null,
  next_offset bigint not null,
  void_offsets bigint not null default 0,
  mark text,
  mark_offset bigint,
  stored bigint not null default 0,
  duplicate bigint not null default 0,
  rejected bigint not null default 0,
  quarantined bigint not null default 0,
  opened_at timestamptz not null default clock_timestamp(),
  end_seen_at timestamptz,
  finished boolean not null default false,
  unique (name, part)
);
comment on table origin is 'one row a Kafka partition or a reading of a file: the fence that lets each of its records in once, and the ledger of what became of them';
comment on column origin.mark is 'fingerprint of the record at mark_offset, the last one taken: another record there means another topic or file';

create table event (
  shard smallint not null,
  position bigint not null,
  id uuid not null,
  source int not null,
  type text not null,
  deployment int not null,
  person bigint,
  actor bigint,
  time timestamptz not null,
  received timestamptz not null,
  origin int,
  version int,
  data json not null,
  primary key (shard, position)
);
create unique index event_identity on event (id, source);
create unique index event_stream on event (deployment, version) where version is not null;
comment on column event.version is 'place in the deployment''s stream, of lifecycle facts only';

create function event_is_append_only() returns trigger language plpgsql as $$
begin raise exception 'the event log is append-only'; end $$;
create trigger event_is_append_only before update or delete or truncate on event
  for each statement execute function event_is_append_only();

create table dead_letter (
  dead_letter bigint generated always as identity primary key,
  origin int not null references origin,
  kind text not null check (kind in ('rejected', 'quarantined')),
  tenant text, deployment text, source text, type text, id text,
  field text not null,
  reason text not null,
  fix text not null,
  payload text,
  received timestamptz not null
);
create index dead_letter_group on dead_letter (tenant, kind, field);

create table checkpoint (
  projection text not null,
  shard smallint not null,
  position bigint not null,
  seen jsonb not null default '{}',
  primary key (projection, shard)
);
comment on column checkpoint.seen is 'by origin, the last moment up to which this shard holds all that had arrived there';
`,
  },
  {
    name: 'DirectOrigins1790000000004',
    contracts: 'the check of kind is replaced by one that allows more',
    sql: `
alter table origin drop constraint origin_kind_check, add constraint origin_kind_check check (kind in ('kafka', 'file', 'direct'));
comment on table origin is 'one row a Kafka partition, a reading of a file or a process that hands records over directly: the fence that lets each of its records in once, and the ledger of what became of them';
`,
  },
  {
    name: 'TraceMarks1790000000005',
    sql: `
create unlogged table trace_mark (
  shard smallint not null,
  position bigint not null,
  traceparent text not null
);
create index trace_mark_place on trace_mark (shard, position);
comment on table trace_mark is 'which trace some of the events that are not folded yet belong to; taken out when they are folded, and no loss when it is';
`,
  },
  {
    name: 'ProjectionVersions1790000000006',
    sql: `
alter table checkpoint add column version int not null default 1;
comment on column checkpoint.version is 'of the fold that wrote the projection''s tables: no other version folds into them';
`,
  },
  {
    name: 'DeadLetters1790000000007',
    sql: `
alter table dead_letter add column sealed bytea;
comment on column dead_letter.sealed is 'the event as CloudEvent, with pseudonyms, encrypted under a key of its tenant; null where nothing of it may be kept';
comment on column dead_letter.payload is 'the event where a process of an earlier version wrote it; sealed, and emptied here, at the next sweep';
create index dead_letter_plain on dead_letter (dead_letter) where payload is not null;
create index dead_letter_waiting on dead_letter (tenant, field, deployment, dead_letter) where kind = 'quarantined';
create index dead_letter_received on dead_letter (received);
alter table origin
  add column redriven bigint not null default 0,
  add column expired_rejected bigint not null default 0,
  add column expired_quarantined bigint not null default 0;
comment on column origin.redriven is 'letters that were judged anew and went into the log, or were found there; counted as stored and duplicate since';
comment on column origin.expired_rejected is 'of those counted as rejected, letters that were kept for their time and deleted';
comment on column origin.expired_quarantined is 'of those counted as quarantined, letters that were kept for their time and deleted';
`,
  },
  {
    name: 'ClockSkew1790000000008',
    sql: `
alter table event add column skew_ms bigint;
comment on column event.skew_ms is 'by how many milliseconds the clock of the host was behind the collector''s when it sent this (negative: ahead), where that was more than two minutes; evidence only, nothing is corrected by it';
`,
  },
  {
    name: 'Sequence1790000000013',
    sql: `
alter table event add column sequence text;
comment on column event.sequence is 'digits by which the SDK counts the events of a session, so that gaps show; no part of the event''s identity, and null where it was not sent or not kept yet';
`,
  },
];
