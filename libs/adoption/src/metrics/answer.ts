/**
 * The answer to a question about a deployment, from the read tables.
 * What arrives: an understood question and a way to query the read tables. What leaves: rows, each with its
 * numerator, denominator, interval and people. Next is whoever shows them: CLI, API, dashboard.
 */
import { WrongInput, type Answer, type AnswerRow, type Grain } from '@foothold/contract';
import { dayNumber, dayText, timeZone } from '../local-day.js';
import { usageProjection } from '../usage.js';
import { bucketOf, buckets } from './bucket.js';
import { METRICS } from './catalogue.js';
import { Held } from './held.js';
import { type Asking, type Period, type Query, type Subject } from './metric.js';
import { type Question } from './question.js';
import { leastPeople, refuseTooFine, shown, tell } from './told.js';

/** Days a question may span: ten years, so that no answer outgrows memory. */
const LONGEST = 3_660;

/** A question about a deployment, understood and ready to be answered. */
export interface Prepared {
  /** Another text whenever the answer may be another, so that whoever holds one can tell whether it still holds. */
  stamp: string;
  answer(): Promise<Answer>;
}

/**
 * Prepares the answer to a question: in a sandbox just what is counted, else what may be told of it.
 * The stamp names the question, the definition, how far everything is complete, the version of the deployment, and the days
 * that the answer reads: how often anything on them was changed, and when last. It is read first, so an answer is never older
 * than it.
 * @throws WrongInput where the range is too long, or the question finer than may be told.
 */
export async function prepareAnswer(query: Query, subject: Subject, question: Question): Promise<Prepared> {
  const { metric, grain, by } = question;
  const [extent] = await query<Extent>(EXTENT, [subject.deployment, usageProjection.name]);
  const notes = extent!.folded !== null && extent!.folded < usageProjection.version ? [BEING_FOLDED] : [];
  const of = METRICS.find(({ declaration }) => declaration.id === metric.id)!;
  const { figures, whole } = of;
  const isSandbox = leastPeople(subject) === 1;
  if (isSandbox) notes.push(SANDBOX);
  else {
    if (of.needs === 'dwellTimes' && !subject.agreement?.dwellTimes) throw new WrongInput('metric', `${metric.id} is not told of this deployment: it profiles attention`, AGREE);
    refuseTooFine({ by, grain, metric: of });
  }
  const to = question.to ?? (extent!.last !== null && whole ? endOf(subject, grain, extent!.last) : extent!.last);
  // One device whose clock was reset to 1970 must not make every question about all there is too long.
  const first = extent!.first === null || to === null ? extent!.first : Math.max(extent!.first, to - LONGEST + 1);
  const from = question.from ?? (first !== null && whole && grain !== 'all' ? Math.max(bucketOf(grain, first).from, to! - LONGEST + 1) : first);
  const head = { metric: metric.id, version: metric.version, unit: metric.unit, completeThrough: iso(subject.completeThrough) };
  const stamp = [subject.deployment, metric.id, metric.version, grain, ...by, from, to, subject.version, subject.completeThrough, extent!.folded];
  if (from === null || to === null || from > to) return { stamp: JSON.stringify(stamp), answer: async () => ({ ...head, revisedAt: null, notes, rows: [] }) };
  const days = to - from + 1;
  if (days > LONGEST) throw new WrongInput('from', `${days} days lie between ${dayText(from)} and ${dayText(to)}`, `ask for ${LONGEST} days at most`);

  const read = await query<Read>(READ, [subject.deployment]);
  const range = { from, to };
  const feed = of.feed ? (await query<FeedRead>(READ_FEED, [subject.deployment, dayText(from), dayText(to)]))[0]! : null;
  const last = isSandbox ? to : Math.max(to, extent!.last ?? to); // what is told of a day may wait for days after it
  return {
    stamp: JSON.stringify([...stamp, read.reduce((sum, { revisions }) => sum + revisions, 0), latest(read), ...(feed ? [feed.revisions, feed.latest] : [])]),
    answer: async () => {
      const held = new Held(query, subject, new Map(read.map((day) => [day.day, `${extent!.folded} ${day.revisions} ${day.revised}`])));
      const asking: Asking = { query, subject, held, grain, by, periods: buckets({ grain, ...range }), notes: [...notes] };
      const rows = isSandbox ? (await figures(asking)).map((figure) => shown(asking, asking.periods, figure, false))
        : extent!.first === null ? [] : await tell({ ...asking, metric: of, range, open: { from: question.from === null, to: question.to === null }, first: extent!.first });
      const days = isSandbox ? range : hull(rows);
      if (of.remarks && days) asking.notes.push(...(await of.remarks(asking, days)));
      const revised = latest([...read.filter(({ day }) => day >= from && day <= last), ...(feed?.revised == null ? [] : [{ revised: feed.revised }])]);
      return { ...head, revisedAt: iso(revised), notes: [...new Set(asking.notes)], rows };
    },
  };
}

/** The last day of the bucket of a day, where it is over; else that day. */
function endOf({ registration, completeThrough }: Subject, grain: Grain, day: number): number {
  if (grain === 'all' || completeThrough === null) return day;
  const { to } = bucketOf(grain, day);
  return to < timeZone(registration.timeZone).dayOf(completeThrough) ? to : day;
}

/** From the first to the last day of the rows that tell anything. */
function hull(rows: readonly AnswerRow[]): Period | null {
  const told = rows.filter(({ suppressed }) => !suppressed);
  if (told.length === 0) return null;
  return { from: Math.min(...told.map(({ from }) => dayNumber(from)!)), to: Math.max(...told.map(({ to }) => dayNumber(to)!)) };
}

interface Extent {
  /** Local days since 1970 on which anything is counted; null: on none. */
  first: number | null;
  last: number | null;
  /** The version of the fold that wrote the read tables; null: nothing has. */
  folded: number | null;
}

const EXTENT = `select (min(day) - '1970-01-01'::date)::int as first, (max(day) - '1970-01-01'::date)::int as last,
    (select min(version) from checkpoint where projection = $2) as folded from person_day_sum where deployment = $1`;

const SANDBOX = 'A sandbox, for trying things out: figures of single people are shown.';

const AGREE = 'tell it once it was agreed with those it is about: foothold deployment agree DEPLOYMENT --people N --dwell-times';

const BEING_FOLDED = 'The log is being folded anew by a newer version: until then nothing is said of what the version before did not count.';

/** How often anything of a day was changed, and when last. */
interface Read {
  /** Since 1970. */
  day: number;
  revisions: number;
  /** Microseconds since 1970. */
  revised: number;
}

/** Of all days: what people did before a range decides who is new in it, and what is told of a day may wait for days after it. */
const READ = `select (day - '1970-01-01'::date)::int as day, sum(revisions)::float8 as revisions, extract(epoch from max(revised_at))::float8 * 1000000 as revised
  from day_revision where deployment = $1 group by day`;

const latest = (days: readonly Pick<Read, 'revised'>[]): number | null => days.reduce<number | null>((last, { revised }) => Math.max(last ?? 0, revised), null);

interface FeedRead {
  /** Microseconds since 1970; null: nothing of these days. */
  revised: number | null;
  revisions: string | null;
  latest: string | null;
}

/** The same of the feed. Of all days: a session goes on from earlier ones, and a control total may come at any time. */
const READ_FEED = `
select (select extract(epoch from greatest(max(d.revised_at) filter (where d.day between $2::date and $3::date),
          (select max(revised_at) from feed_total where deployment = $1 and from_day >= $2::date and to_day <= $3::date)))::float8 * 1000000) as revised,
       sum(events)::text as revisions, extract(epoch from max(revised_at))::text as latest
  from feed_day d where deployment = $1`;

const iso = (micros: number | null): string | null => (micros === null ? null : new Date(Math.floor(micros / 1000)).toISOString());
