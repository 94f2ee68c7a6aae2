/** The read tables, and the roster, which is written with its facts. All can be thrown away and folded anew from the log. Migrations expand, and contract a version later at the earliest (see Migration). */
import { type Migration } from '@foothold/platform';
import { NUMBERS, OF_INITIATIVE, SUMS, WEEK_COUNTERS } from './person-day.js';
import { reportingMigrations } from './reporting/schema.js';

/** Of person_day as it was first made. */
const FIRST = [
  'invocations', 'shown', 'accepted', 'overridden', 'undecided', 'dismissed', 'navigated', 'stopped', 'timed_out', 'worked_around',
  'active_accepted', 'active_overridden', 'tasks', 'tasks_used', 'tasks_consulted', 'tasks_conflicting',
];
const columns = (names: readonly string[], type: string, condition = ' not null') => names.map((name) => `${name} ${type}${condition}`).join(', ');

export const adoptionMigrations: Migration[] = [
  {
    name: 'Usage1790000000002',
    sql: `
create table invocation (
  shard smallint not null, deployment int not null, person bigint not null, invocation text not null,
  day date not null, first_at timestamptz not null,
  started_at timestamptz, started_by text, task text, task_kind text, surface text, initiative text, started_model text, started_release text,
  shown_at timestamptz, shown_by text, options int, first_ms float8, latency_ms float8, confidence float8, shown_model text, shown_release text,
  decided_at timestamptz, decided_by text, decision text, option int, changed float8, reason text, dwell_ms float8, actor bigint,
  withdrawn_at timestamptz, withdrawn_by text, abandoned_at timestamptz, abandoned_by text, cause text,
  failed_at timestamptz, failed_by text, error text, status text not null, revised_at timestamptz not null,
  primary key (shard, deployment, person, invocation)
);
create index invocation_undecided on invocation (deployment, shown_at) where status = 'undecided';
comment on table invocation is 'one row an invocation, merged from its events in any order';

create table task (
  shard smallint not null, deployment int not null, person bigint not null, task text not null,
  completed_at timestamptz, completed_by text, day date, task_kind text, flag boolean, duration_ms float8,
  named int not null, used int not null, consulted int not null, aided text not null, revised_at timestamptz not null,
  primary key (shard, deployment, person, task)
);
comment on table task is 'one row a task: done with the AI''s help or not';

create table person_day (
  shard smallint not null, deployment int not null, person bigint not null, day date not null,
  task_kind text not null, surface text not null, initiative text not null, model text not null, release text not null, reason text not null,
  revised_at timestamptz not null,
  ${columns(FIRST, 'int')},
  primary key (shard, deployment, person, day, task_kind, surface, initiative, model, release, reason)
);
create index person_day_range on person_day (deployment, day);
comment on table person_day is 'what a person''s work with the AI came to on a local day, by dimensions; empty text where a dimension was not given';
`,
  },
  {
    name: 'FutureClamp1790000000009',
    sql: `
alter table invocation add column decided_day date;
comment on column invocation.decided_day is 'local day on which the decision counts: that of its receipt where it claims a later one; null in rows folded before this was kept';
`,
  },
  {
    name: 'Roster1790000000010',
    sql: `
create table roster (
  deployment int not null, person bigint not null, from_day date not null, to_day date,
  team text not null, role text not null, on_leave boolean not null, revised_at timestamptz not null,
  primary key (deployment, person, on_leave, from_day)
);
create index roster_range on roster (deployment, from_day);
comment on table roster is 'who is enabled in a deployment, and who is on leave, from when to when: one row a period of a person, written in the transaction of its fact';
comment on column roster.deployment is 'its number in the log';
comment on column roster.person is 'surrogate number, the same as of the person''s events';
comment on column roster.from_day is 'first local day of the period';
comment on column roster.to_day is 'last local day of the period, included; null: until further notice';
comment on column roster.team is 'code of the team; empty text where none was given';
comment on column roster.role is 'code of the role; empty text where none was given';
comment on column roster.on_leave is 'whether the period is a leave, which lies over the periods in which the person is enabled';
comment on column roster.revised_at is 'when the fact that the row comes from was recorded';
`,
  },
  {
    name: 'Quality1790000000011',
    sql: `
alter table invocation add column rechecks text, add column truth_at timestamptz, add column truth_by text,
  add column ai_right boolean, add column first_right boolean, add column final_right boolean, add column sampled_with float8;
comment on column invocation.rechecks is 'by horizon in days, of the recheck that stands: after how many days, when, by what, and how much was kept';
alter table person_day ${[...NUMBERS.filter((name) => !FIRST.includes(name)).map((name) => `${name} int`), ...SUMS.map((name) => `${name} bigint`)].map((column) => `add column ${column}`).join(', ')};

create table person_day_sum (
  shard smallint not null, deployment int not null, person bigint not null, day date not null, revised_at timestamptz not null,
  ${columns(NUMBERS, 'int')}, ${columns(SUMS, 'bigint')}, ${columns(OF_INITIATIVE, 'int')},
  primary key (shard, deployment, person, day)
);
create index person_day_sum_range on person_day_sum (deployment, day);
comment on table person_day_sum is 'person_day without dimensions';

create table person_week (
  shard smallint not null, deployment int not null, person bigint not null, week date not null, task_kind text not null, ${columns(WEEK_COUNTERS, 'int')},
  primary key (shard, deployment, person, week, task_kind)
);
create index person_week_range on person_week (deployment, week);
comment on table person_week is 'activity and completed tasks of a person''s ISO week, by kind of task; a week is named by its Monday';

create table decision_time (
  shard smallint not null, deployment int not null, day date not null, task_kind text not null, decision text not null, bucket int not null, n int not null,
  primary key (shard, deployment, day, task_kind, decision, bucket)
);
comment on table decision_time is 'how long decisions took, of nobody in particular: counts in buckets of milliseconds, whose bounds grow by 51/49';

create table confidence (
  shard smallint not null, deployment int not null, day date not null, task_kind text not null, model text not null, release text not null,
  against text not null, bin int not null, n int not null, so int not null, stated bigint not null, squared bigint not null,
  primary key (shard, deployment, day, task_kind, model, release, against, bin)
);
comment on table confidence is 'what came of stated confidence, of nobody in particular: by thousandths of it, how many, how many came true, and its sums in billionths';

create table day_revision (
  shard smallint not null, deployment int not null, day date not null, revised_at timestamptz not null, revisions bigint not null,
  primary key (shard, deployment, day)
);
create index day_revision_range on day_revision (deployment, day);
comment on table day_revision is 'when what is counted on a local day was last changed, and how often anything was';
`,
  },
  {
    // Answers read these tables, and where the version before has folded they are empty until its tables have been folded anew and
    // changed places: a bridge until then. What that version did not count is not in it, nor what it folds meanwhile.
    name: 'PersonDays1790000000012',
    sql: `
create index person_day_sum_person on person_day_sum (deployment, person, day) include (active_accepted, active_overridden, active_voluntary, tasks);
create index person_day_overridden on person_day (deployment, day) include (person, reason, overridden) where overridden > 0;

insert into person_day_sum (shard, deployment, person, day, revised_at, ${[...NUMBERS, ...SUMS, ...OF_INITIATIVE].join(', ')})
  select shard, deployment, person, day, max(revised_at), ${[...NUMBERS, ...SUMS].map((name) => `coalesce(sum(${name}), 0)`).join(', ')},
         coalesce(sum(active_accepted + active_overridden) filter (where initiative = 'person'), 0), ${['person', 'automatic', 'mandated'].map((kind) => `coalesce(sum(invocations) filter (where initiative = '${kind}'), 0)`).join(', ')}
    from person_day where not exists (select from person_day_sum) group by shard, deployment, person, day;

insert into person_week (shard, deployment, person, week, task_kind, ${WEEK_COUNTERS.join(', ')})
  select shard, deployment, person, date_trunc('week', day)::date, task_kind, sum(active_accepted + active_overridden), sum(active_accepted),
         coalesce(sum(active_accepted + active_overridden) filter (where initiative = 'person'), 0), sum(tasks)
    from person_day where not exists (select from person_week) group by shard, deployment, person, date_trunc('week', day), task_kind
  having sum(active_accepted + active_overridden + tasks) > 0;

insert into day_revision (shard, deployment, day, revised_at, revisions)
  select shard, deployment, day, max(revised_at), count(*) from person_day where not exists (select from day_revision) group by shard, deployment, day;
`,
  },
  {
    name: 'Feed1790000000014',
    sql: `
create table feed_day (
  shard smallint not null, deployment int not null, day date not null, source text not null, revised_at timestamptz not null,
  events bigint not null, late bigint not null, heartbeats bigint not null, dropped bigint not null,
  primary key (deployment, day, source, shard)
);
comment on table feed_day is 'what a source sent of a local day, and what it says was dropped; every stored event counts, on the day of its time';

create table feed_session (
  shard smallint not null, deployment int not null, source text not null, session text not null, day date not null, n bigint not null, greatest bigint not null,
  primary key (deployment, source, session, day, shard)
);
create index feed_session_range on feed_session (deployment, day);
comment on table feed_session is 'how many events of a session of the SDK came on a local day, and how far its counter had got: what the sequences lack was lost';

create table feed_total (
  shard smallint not null, deployment int not null, kind text not null, from_at timestamptz not null, to_at timestamptz not null,
  from_day date not null, to_day date not null, count bigint not null, told_at timestamptz not null, told_by text not null, revised_at timestamptz not null,
  primary key (deployment, kind, from_at, to_at, shard)
);
comment on table feed_total is 'how many tasks or invocations the system of record counted in a span: what it said last';

create table feed_arrival (
  shard smallint not null, deployment int not null, kind text not null, quarter timestamptz not null, n int not null,
  primary key (deployment, kind, quarter, shard)
);
comment on table feed_arrival is 'how many tasks were completed, or invocations began, in a quarter of an hour';
`,
  },
  ...reportingMigrations,
];
