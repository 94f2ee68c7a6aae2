/**
 * Every cell that may be told of a deployment, into the tables that the views of `reporting_v1` read.
 *
 * What arrives: a deployment. What leaves: its rows in reporting_cell and reporting_note, each an answer's to a question that
 * anybody may ask over the API, asked in the same way. Nothing is decided here about who may see what, so SQL tells nothing
 * that the API does not. Next are the views (schema.ts); who calls is the sentinel, or `foothold reporting refresh`.
 *
 * A deployment is in one of these states:
 *
 *   untold    it has no row in reporting_deployment, or one without told_at. Its cells are told as soon as anybody looks.
 *   told      its cells stand, and told_of says what they follow from. It stays so while time only goes on within a local day, and
 *             while it is not known up to when everything has arrived.
 *   due       something that was told of it is another now: a local day is over, something was decided about it, its roster or a
 *             decision window changed (all of these move its version), its tables were folded by another version, or this
 *             program knows more of metrics than the one that told them. It is told at once.
 *   revised   days that were told were revised, and nothing else. It is told REVISED_MS after it was told last.
 *   telling   somebody has claimed it and asks. The claim moves on with every metric, and ends CLAIM_MS after the last one, so
 *             that whoever was killed holds up nobody for longer. The cells from before stand and are read meanwhile.
 *
 * telling ends in told, by one transaction that takes the old cells out and puts the new ones in, with what they follow from:
 * a reader sees the old ones or the new ones, whole, and a crash before its commit leaves the old ones. What they follow from was
 * read before the first question, so whatever changes meanwhile makes the deployment due again. Two who tell at once (a claim
 * ran out under somebody who was only slow, or a person did not wait for it) do no harm: whoever began first, or knows less of
 * metrics, leaves the other's cells alone.
 */
import { WrongInput, type Answer } from '@foothold/contract';
import { copyInto, type ColumnType, type Log, type Value } from '@foothold/event-log';
import { subjectOf } from '../deployments.js';
import { dayNumber, dayText, timeZone } from '../local-day.js';
import { prepareAnswer } from '../metrics/answer.js';
import { holdFor } from '../metrics/held.js';
import { CATALOGUE } from '../metrics/catalogue.js';
import { type MetricDeclaration, type Query, type Subject } from '../metrics/metric.js';
import { understand, type Question } from '../metrics/question.js';
import { leastPeople } from '../metrics/told.js';
import { usageProjection } from '../usage.js';
import { DIMENSION_COLUMNS } from './schema.js';

/**
 * How long after it was told a deployment of which days were revised is told again. Results of yesterday are decided all day
 * long, and a telling of a large deployment asks some hundred questions, which take minutes: on the hour they cost little, and
 * whoever looks at a dashboard of weeks misses nothing.
 */
export const REVISED_MS = 3_600_000;
/** Longer than any metric takes, shorter than anybody would wait for cells that a killed process did not tell. */
const CLAIM_MS = 10 * 60_000;
/** Of a program's metrics: grows with every metric and every new definition. */
const DEFINITIONS = CATALOGUE.reduce((sum, { version }) => sum + version, 0);

/** What was told. */
export interface ToldCells {
  deployment: string;
  /** Answers, and the rows in them. */
  answers: number;
  cells: number;
  /** Of the cells, those without their figures. */
  hidden: number;
}

export interface TellingOptions {
  /** Also where nothing has changed, and whoever else may be telling it. */
  anyway?: boolean;
  /** Called after each question, which is one of so many; what it gives is waited for, and what it throws ends the telling. */
  pace?: (done: number, of: number) => void | Promise<void>;
}

/**
 * Tells the cells of a deployment where they are to be told anew.
 * @returns 'stands' where nothing has changed that would make a difference, 'elsewhere' where somebody else tells them
 * @throws Unknown where the tenant has no such deployment
 */
export async function tellCells(log: Log, tenant: string, id: string, { anyway = false, pace }: TellingOptions = {}): Promise<ToldCells | 'stands' | 'elsewhere'> {
  const query: Query = (sql, values) => log.database.query(sql, values);
  const subject = await subjectOf(log, { tenant, deployments: null }, id);
  const follows = await followsFrom(query, subject);
  const [known] = await query<Known>(KNOWN, [tenant, id]);
  if (!anyway && known && !isDue(known, follows)) return 'stands';
  const [claimed] = await query<{ at: number }>(CLAIM, [tenant, id, CLAIM_MS, anyway]);
  if (!claimed) return 'elsewhere';
  try {
    const asked = CATALOGUE.map(questionsOf);
    const of = asked.flat().length;
    const answers: [Question, Answer][] = [];
    let done = 0;
    for (const questions of asked) {
      const remembered = remembering(query);
      for (const question of questions) {
        const answer = await answerTo(remembered, subject, question);
        if (answer) answers.push([question, answer]);
        await pace?.(++done, of);
      }
      await query(HOLD, [tenant, id, CLAIM_MS]);
    }
    const isReplaced = await replace(log, tenant, id, { subject, follows, answers, toldAt: claimed.at });
    const rows = answers.flatMap(([, answer]) => answer.rows);
    return isReplaced ? { deployment: id, answers: answers.length, cells: rows.length, hidden: rows.filter(({ suppressed }) => suppressed).length } : 'elsewhere';
  } finally {
    await query(RELEASE, [tenant, id]).catch(() => undefined); // else it runs out
  }
}

/** Each grain as a whole, and by each single dimension the grains of the grid. Two dimensions are asked of the API. */
export function questionsOf({ id, grains, dimensions }: MetricDeclaration): Question[] {
  return [
    ...grains.map((grain) => understand({ metric: id, grain })),
    ...dimensions.flatMap((by) => grains.filter((grain) => grain === 'week' || grain === 'all').map((grain) => understand({ metric: id, grain, by }))),
  ];
}

/**
 * The same, asking for the same rows once. Questions about a metric read mostly the same: what decides which cells are hidden is
 * asked for again with every grain. Measured on the demo's organisation, 2,209 statements are left of 9,726, and 40 s of 137.
 */
function remembering(query: Query): Query {
  const known = new Map<string, Promise<unknown[]>>();
  const once: Query = <Row>(sql: string, values: unknown[]) => {
    const label = JSON.stringify([sql, values]);
    const rows = known.get(label) ?? query(sql, values);
    known.set(label, rows);
    return rows as Promise<Row[]>;
  };
  holdFor(once, query);
  return once;
}

/** Null where the question is refused: nobody is told this of this deployment. */
async function answerTo(query: Query, subject: Subject, question: Question): Promise<Answer | null> {
  try {
    return await (await prepareAnswer(query, subject, question)).answer();
  } catch (error) {
    if (error instanceof WrongInput) return null;
    throw error;
  }
}

/** What cells follow from, as far as it makes a difference. */
interface Follows {
  /** The last local day that is over, since 1970; null: not known. */
  over: number | null;
  /** The deployment's version, and the folds that wrote and read the tables. */
  decided: string;
  /** How often, and when last, anything was changed on the days that are told of. */
  revised: string;
}

async function followsFrom(query: Query, subject: Subject): Promise<Follows> {
  const { completeThrough, registration } = subject;
  const over = completeThrough === null ? null : timeZone(registration.timeZone).dayOf(completeThrough) - 1;
  // Of the day that is not over only a sandbox is told.
  const until = leastPeople(subject) === 1 || over === null ? null : dayText(over);
  const [found] = await query<{ folded: number | null; revised: string }>(REVISED, [subject.deployment, usageProjection.name, until]);
  return { over, decided: JSON.stringify([subject.version, found!.folded, usageProjection.version]), revised: found!.revised };
}

const REVISED = `select (select min(version) from checkpoint where projection = $2) as folded,
    (select concat_ws(' ', sum(revisions), max(revised_at)) from day_revision where deployment = $1 and ($3::date is null or day <= $3)) as revised`;

interface Known {
  definitions: number;
  toldOf: string | null;
  /** Milliseconds since it was told; null: it has not been. */
  age: number | null;
}
const KNOWN = `select definitions, told_of as "toldOf", (extract(epoch from clock_timestamp() - told_at) * 1000)::float8 as age
  from reporting_deployment join tenant using (tenant) where name = $1 and deployment = $2`;

function isDue({ definitions, toldOf, age }: Known, { over, decided, revised }: Follows): boolean {
  if (definitions > DEFINITIONS) return false; // a newer program tells it
  if (toldOf === null || age === null || definitions < DEFINITIONS) return true;
  const told = JSON.parse(toldOf) as Follows;
  // For moments, while a new origin begins, it is not known up to when all is there, and little would be told: what was told stands.
  if (told.over !== null && (over === null || over < told.over)) return false;
  return told.decided !== decided || told.over !== over || (told.revised !== revised && age >= REVISED_MS);
}

/** @returns when the telling began, in microseconds since 1970, by the clock of the database; no row where somebody else has claimed it. */
const CLAIM = `insert into reporting_deployment as d (tenant, deployment, claimed_until)
  select tenant, $2, clock_timestamp() + $3 * interval '1 millisecond' from tenant where name = $1
  on conflict (tenant, deployment) do update set claimed_until = excluded.claimed_until where $4 or d.claimed_until is null or d.claimed_until < clock_timestamp()
  returning (extract(epoch from clock_timestamp()) * 1000000)::float8 as at`;
const OURS = 'tenant = (select tenant from tenant where name = $1) and deployment = $2';
const HOLD = `update reporting_deployment set claimed_until = clock_timestamp() + $3 * interval '1 millisecond' where ${OURS}`;
const RELEASE = `update reporting_deployment set claimed_until = null where ${OURS}`;

interface Telling {
  subject: Subject;
  follows: Follows;
  answers: readonly (readonly [Question, Answer])[];
  /** Microseconds since 1970. */
  toldAt: number;
}

/** @returns false where somebody who began later, or knows more, has told the cells meanwhile */
async function replace(log: Log, tenant: string, id: string, { subject, follows, answers, toldAt }: Telling): Promise<boolean> {
  return log.database.transaction(async (client) => {
    const { registration, version, completeThrough } = subject;
    const { rows: [row] } = await client.query<{ tenant: number }>(STAND, [
      tenant, id, DEFINITIONS, JSON.stringify(follows), toldAt,
      registration.timeZone, registration.country, registration.pilotStart, registration.handoff, registration.target, registration.sandbox, leastPeople(subject), version, completeThrough,
    ]);
    if (!row) return false;
    for (const table of ['reporting_cell', 'reporting_note']) await client.query(`delete from ${table} where tenant = $1 and deployment = $2`, [row.tenant, id]);
    const place: Value[] = [row.tenant, id, registration.sandbox];
    await copyInto(client, 'reporting_cell', CELL, cellsOf(place, answers, toldAt));
    await copyInto(client, 'reporting_note', NOTE, notesOf(place, answers, toldAt));
    return true;
  });
}

const STAND = `update reporting_deployment set definitions = $3, told_of = $4, told_at = to_timestamp($5::float8 / 1000000), claimed_until = null,
    time_zone = $6, country = $7, pilot_start = $8, handoff = $9, target = $10, sandbox = $11, least_people = $12, version = $13, complete_through = to_timestamp($14::float8 / 1000000)
  where ${OURS} and definitions <= $3 and (told_at is null or told_at <= to_timestamp($5::float8 / 1000000)) returning tenant`;

/** In the order of the values of cellsOf. */
const CELL: Record<string, ColumnType> = {
  tenant: 'int4', deployment: 'text', sandbox: 'bool', grain: 'text', by_dimension: 'text', metric: 'text', version: 'int4', unit: 'text', complete_through: 'timestamptz', revised_at: 'timestamptz', told_at: 'timestamptz',
  variant: 'text', from_day: 'date', to_day: 'date', value: 'float8', numerator: 'float8', denominator: 'float8', low: 'float8', high: 'float8', people: 'int4', suppressed: 'bool',
  ...Object.fromEntries(Object.values(DIMENSION_COLUMNS).map(({ column }) => [column, 'text' as const])),
};
const DIMENSIONS = Object.keys(DIMENSION_COLUMNS) as (keyof typeof DIMENSION_COLUMNS)[];

function* cellsOf(place: readonly Value[], answers: Telling['answers'], toldAt: number): Generator<Value[]> {
  for (const [{ grain, by }, { metric, version, unit, completeThrough, revisedAt, rows }] of answers) {
    const head: Value[] = [...place, grain, by[0] ?? null, metric, version, unit, micros(completeThrough), micros(revisedAt), toldAt];
    for (const row of rows) {
      yield [...head, row.variant, dayNumber(row.from)!, dayNumber(row.to)!, row.value, row.numerator, row.denominator, row.low, row.high, row.people, row.suppressed, ...DIMENSIONS.map((dimension) => row.by[dimension] ?? null)];
    }
  }
}

/** In the order of the values of notesOf. */
const NOTE: Record<string, ColumnType> = { tenant: 'int4', deployment: 'text', sandbox: 'bool', grain: 'text', by_dimension: 'text', metric: 'text', place: 'int4', note: 'text', told_at: 'timestamptz' };

function* notesOf(place: readonly Value[], answers: Telling['answers'], toldAt: number): Generator<Value[]> {
  for (const [{ grain, by, metric }, { notes }] of answers) for (const [nth, note] of notes.entries()) yield [...place, grain, by[0] ?? null, metric.id, nth, note, toldAt];
}

const micros = (moment: string | null): number | null => (moment === null ? null : Date.parse(moment) * 1000);
