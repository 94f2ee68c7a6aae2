/**
 * The tables of told cells, and the views of schema `reporting_v1` that analysts read.
 *
 * What arrives: the declarations of metrics and the shapes of answers, which every comment is made of. What leaves: migrations.
 * Next are tell-cells.ts, which fills the tables, and whoever reads the views with SQL.
 *
 * SQL tells nothing that the API does not: what may be told of few people is decided before a row is written, a hidden figure
 * is not in the tables, and no view reads any other table. A view runs with its owner's rights and gives a role the rows of the
 * one tenant that it is bound to (reporting_reader). That holds against whoever writes the rest of the statement: every view
 * reads one table, filtered first (security_barrier) by a tenant that the planner does not know beforehand, with an index that
 * begins with it, and of no column are statistics kept, so that no plan, estimate or notice speaks of another tenant's rows;
 * how many there are in all, a plan may.
 *
 * Views are additive only: names, order and types of columns stay, new ones come at the end, test/reporting-schema.int.spec.ts
 * holds the schema to its snapshot. Whenever it changes, the migration of the views takes the next number in place of its own,
 * and all views are made anew; their tables gain columns by migrations of their own, before it.
 */
import { Answer, AnswerRow, DeploymentView, Metric, type Dimension, type Grain } from '@foothold/contract';
import { type Migration } from '@foothold/platform';
import { CATALOGUE } from '../metrics/catalogue.js';

/** By dimension, the column of its values and what they are; new ones come last. */
export const DIMENSION_COLUMNS: Record<Dimension, { column: string; says: string }> = {
  team: { column: 'team', says: 'Team of the person on that day, by the roster' },
  role: { column: 'role', says: 'Role of the person on that day, by the roster' },
  task_kind: { column: 'task_kind', says: 'Kind of task' },
  surface: { column: 'surface', says: 'Where the AI was used: in-workflow, side-tool or export' },
  initiative: { column: 'initiative', says: 'Whose initiative it was: person, automatic or mandated' },
  model: { column: 'model', says: 'Model, as the host names it' },
  release: { column: 'release', says: 'Release, as the host names it' },
  stage: { column: 'stage', says: 'Pilot, before the day of the handoff, or production' },
  handoff_week: { column: 'handoff_week', says: 'Weeks since the week of the handoff, as a number: -1 is the last before it' },
  week: { column: 'own_week', says: 'Weeks since the week in which the person began, as a number; cut by it, `by` is week' },
};

/** The table of a grain, by what an analyst calls it. */
const VIEWS: Record<Grain, { view: string; says: string }> = {
  day: { view: 'metric_day', says: 'Figures of local days, or of several together where fewer would be of too few people.' },
  week: { view: 'metric_week', says: 'Figures of ISO weeks, or of several together where one would be of too few people.' },
  month: { view: 'metric_month', says: 'Figures of calendar months, or of the days of them that can be told.' },
  all: { view: 'metric_period', says: 'Figures of all there is, or, by a dimension, of the largest periods of the grid of 4, 4 and 5 weeks that are over: each row says from when to when it is.' },
};

interface Column {
  name: string;
  /** What it is in the view's table. */
  from: string;
  comment: string;
}

interface View {
  name: string;
  comment: string;
  columns: Column[];
  /** Its table, and which rows of it. */
  source: string;
}

const ROW = AnswerRow.properties;
const HEAD = Answer.properties;
/** What the contract says of a field; of one that may be null, what it says of the rest. */
function said(field: object): string {
  const { description, anyOf } = field as { description?: string; anyOf?: { description?: string }[] };
  return (description ?? anyOf?.[0]?.description)!;
}
const as = (name: string, comment: string, from = name): Column => ({ name, from, comment });

const DEPLOYMENT = as('deployment', 'Id of the deployment: one AI system in use.');
const SANDBOX = as('sandbox', 'Whether it is a deployment for trying things out, of which figures of single people are shown.');
const BY = as('by', 'The one dimension that the row is cut by, whose column holds its value; null: by none. Never add up rows of different cuts: they count the same things. Rows of people (unit people) are never to be added up.', 'by_dimension');
const TOLD_AT = as('told_at', 'When Foothold wrote what is told of this deployment, all of it at once. What comes in later is told once another local day is over, or soon after.');

const figures = (grain: Grain): View => {
  const { view, says } = VIEWS[grain];
  const metrics = CATALOGUE.filter(({ grains }) => grains.includes(grain)).map(({ id }) => id);
  return {
    name: view,
    comment: `${says} One row a deployment, metric, variant, stretch of days and value of a dimension; the same cells as API and command line tell. Metrics: ${metrics.join(', ')}.`,
    source: `reporting_cell where grain = '${grain}'`,
    columns: [
      DEPLOYMENT, SANDBOX,
      as('metric', `${said(HEAD.metric)} What it asks, how it is computed and how it is misread is in the view metric.`),
      as('version', said(HEAD.version)),
      as('unit', said(HEAD.unit)),
      as('variant', `${said(ROW.variant)} What it counts is in the view metric; of trust.override, reasons of overrides are variants too.`),
      ...(grain === 'week' ? [as('week', 'The Monday of the ISO week in which the row begins.', `date_trunc('week', from_day::timestamp)::date`)] : []),
      as('from_day', said(ROW.from)),
      as('to_day', said(ROW.to)),
      BY,
      ...(['value', 'numerator', 'denominator', 'low', 'high', 'people', 'suppressed'] as const).map((name) => as(name, said(ROW[name]))),
      as('complete_through', said(HEAD.completeThrough)),
      as('revised_at', 'When the latest event that changed a day of all there is arrived; null: none did.'),
      TOLD_AT,
      ...Object.entries(DIMENSION_COLUMNS).map(([dimension, { column, says: what }]) => as(column, `${what}; null where the row is not cut by it (\`by\` is not ${dimension}), or cut by it and no value was given.`)),
    ],
  };
};

const DECLARED = Metric.properties;
const text = (words: string): string => `'${words.replaceAll("'", "''")}'`;

const ALL_VIEWS: View[] = [
  ...(Object.keys(VIEWS) as Grain[]).map(figures),
  {
    name: 'metric',
    comment: 'The catalogue: what each metric asks, how it is computed and how it is misread. One row a metric and variant.',
    source: `(values ${CATALOGUE.flatMap(({ id, version, unit, question, formula, variants, grains, dimensions, minimum, watchOut }) =>
      Object.entries(variants).map(([variant, meaning]) => `(${[id, variant, meaning].map(text).join(', ')}, ${version}, ${[unit, question, formula, grains.join(', '), dimensions.join(', '), watchOut].map(text).join(', ')}, ${minimum})`)).join(',\n')
    }) declared (metric, variant, meaning, version, unit, question, formula, grains, dimensions, watch_out, minimum) where true`,
    columns: [
      as('metric', said(DECLARED.id)), as('variant', 'Name of the variant.'), as('meaning', 'What the variant counts.'), as('version', said(DECLARED.version)), as('unit', said(DECLARED.unit)),
      as('question', said(DECLARED.question)), as('formula', said(DECLARED.formula)), as('grains', `${said(DECLARED.grains)} With commas between.`), as('dimensions', `${said(DECLARED.dimensions)} With commas between.`),
      as('watch_out', said(DECLARED.watchOut)), as('minimum', said(DECLARED.minimum)),
    ],
  },
  {
    name: 'deployment',
    comment: 'The deployments of which anything is told, as they stood then. One row each.',
    source: 'reporting_deployment where told_at is not null',
    columns: [
      DEPLOYMENT,
      as('time_zone', said(DeploymentView.properties.timeZone)),
      as('country', 'ISO 3166-1 alpha-2, of the working calendar; null: none.'),
      as('pilot_start', 'First local day of the pilot; null: none was declared.'),
      as('handoff', 'Local day of the handoff; null: it was not handed off.'),
      as('target', said(DeploymentView.properties.target)),
      SANDBOX,
      as('least_people', 'Fewest people that a figure is told of: 5, more where that was agreed, 1 in a sandbox.'),
      as('version', said(DeploymentView.properties.version)),
      as('complete_through', said(HEAD.completeThrough)),
      TOLD_AT,
    ],
  },
  {
    name: 'answer_note',
    comment: 'What must be known to read figures: what was left out, and how many. One row a note of an answer, which is all rows of one deployment, metric, grain and `by`.',
    source: 'reporting_note where true',
    columns: [
      DEPLOYMENT, SANDBOX, as('metric', said(HEAD.metric)),
      as('grain', 'How the answer is cut into rows: day (view metric_day), week (metric_week), month (metric_month) or all (metric_period).'),
      BY, as('note', 'What must be known, in words.'), TOLD_AT,
    ],
  },
];

/** Who asks is bound to this tenant; a subquery, so that the planner knows no tenant when it looks for a plan. */
const TENANT = '(select r.tenant from reporting_reader r where r.role = current_user)';

const viewSql = ({ name, comment, columns, source }: View): string => [
  `create or replace view reporting_v1.${name} with (security_barrier) as select ${columns.map((column) => (column.from === column.name ? `"${column.name}"` : `${column.from} as "${column.name}"`)).join(', ')}
     from ${source} and ${name === 'metric' ? `exists ${TENANT}` : `tenant = ${TENANT}`};`,
  `comment on view reporting_v1.${name} is ${text(comment)};`,
  ...columns.map((column) => `comment on column reporting_v1.${name}."${column.name}" is ${text(column.comment)};`),
].join('\n');

export const reportingMigrations: Migration[] = [
  {
    name: 'ReportingTables1790000000021',
    sql: `
create table reporting_reader (
  role name primary key,
  tenant int not null references tenant,
  bound_at timestamptz not null default clock_timestamp()
);
comment on table reporting_reader is 'which tenant a database role that reads the views of reporting_v1 is bound to: it sees no other';

create table reporting_deployment (
  tenant int not null references tenant, deployment text not null,
  time_zone text, country text, pilot_start date, handoff date, target float8, sandbox boolean, least_people int, version int, complete_through timestamptz,
  definitions int not null default 0, told_of text, told_at timestamptz, claimed_until timestamptz,
  primary key (tenant, deployment)
);
comment on table reporting_deployment is 'the deployments whose cells are told: what they were told of, and who tells them now';
comment on column reporting_deployment.definitions is 'of the program that told the cells, the versions of its metrics added up: one that knows less leaves them alone';
comment on column reporting_deployment.told_of is 'what the cells follow from, as far as it makes a difference: they are told anew where it is another';
comment on column reporting_deployment.told_at is 'when the cells began to be asked for; null: none have been told';
comment on column reporting_deployment.claimed_until is 'until when somebody is telling them; null: nobody is';

create table reporting_cell (
  tenant int not null, deployment text not null, sandbox boolean not null, grain text not null, by_dimension text,
  metric text not null, version int not null, unit text not null, variant text not null, from_day date not null, to_day date not null,
  value float8, numerator float8, denominator float8, low float8, high float8, people int, suppressed boolean not null,
  complete_through timestamptz, revised_at timestamptz, told_at timestamptz not null,
  team text, role text, task_kind text, surface text, initiative text, model text, release text, stage text, handoff_week text, own_week text
);
create index reporting_cell_place on reporting_cell (tenant, deployment, grain, metric);
comment on table reporting_cell is 'every cell that is told, as rows of answers: small groups are hidden before a row is written';

create table reporting_note (
  tenant int not null, deployment text not null, sandbox boolean not null, grain text not null, by_dimension text, metric text not null, place int not null, note text not null, told_at timestamptz not null
);
create index reporting_note_place on reporting_note (tenant, deployment, grain, metric);
comment on table reporting_note is 'the notes of the answers whose rows are the cells';

do $$
declare one record;
begin
  for one in select attrelid::regclass as of, attname from pg_attribute where attrelid in ('reporting_cell'::regclass, 'reporting_note'::regclass, 'reporting_deployment'::regclass) and attnum > 0 loop
    execute format('alter table %s alter column %I set statistics 0', one.of, one.attname);
  end loop;
end $$;
`,
  },
  {
    name: 'ReportingViews1790000000022',
    sql: `
do $$
begin
  if to_regnamespace('reporting_v1') is null then
    if not has_database_privilege(current_database(), 'create') then
      raise exception 'DATABASE_URL: its role may not create the schema reporting_v1. Let it (grant create on database % to %), or make the schema and let it have it (create schema reporting_v1 authorization %)', quote_ident(current_database()), quote_ident(current_user), quote_ident(current_user);
    end if;
    create schema reporting_v1;
  end if;
end $$;
comment on schema reporting_v1 is 'What Foothold tells, as tidy views: the same cells as API and command line. Views and columns are added, none is changed or taken away.';
${ALL_VIEWS.map(viewSql).join('\n')}
do $$
declare reader name;
begin
  for reader in select r.role from reporting_reader r join pg_roles on rolname = r.role loop
    execute format('grant select on all tables in schema reporting_v1 to %I', reader);
  end loop;
end $$;
`,
  },
];
