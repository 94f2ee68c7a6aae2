/**
 * Whether what is counted can be believed: what the feed says of itself, and what it is held against. It is of nobody in
 * particular; since it tells of days, these are laid together as those of other figures are, until people are behind them.
 */
import { GRAINS } from '@foothold/contract';
import { dayText } from '../local-day.js';
import { anybody } from './behind.js';
import { periodOf } from './bucket.js';
import { completeness, type Completeness } from './completeness.js';
import { cut, groups, type Counted } from './cut.js';
import { LEAST_PEOPLE, type Asking, type Figure, type Metric } from './metric.js';

export const health: Metric = {
  declaration: {
    id: 'telemetry.health',
    question: 'Does everything arrive that happens?',
    formula: 'what sources report of themselves, gaps in the sequences of their events, and the control totals of the system of record against what arrived of them',
    unit: 'ratio',
    variants: {
      heartbeats: 'a number: reports of the SDK',
      sources: 'a number: sources of which any event was stored',
      gaps: 'events that sequences say were sent and that are not stored / all of these',
      dropped: 'a number: events that the SDK says it had to drop',
      tasks_complete: 'completed tasks that arrived / those that the system of record counted, in its spans that lie wholly in these days',
      invocations_complete: 'invocations that arrived / those that the system of record counted, likewise',
      unmatched: 'invocations of whose start no event told / invocations',
      conflicts: 'completed tasks where the host’s own flag says otherwise than the invocations do / completed tasks',
      late: 'events received more than 24 hours after their time / events stored',
    },
    grains: GRAINS,
    dimensions: [],
    minimum: LEAST_PEOPLE,
    watchOut: 'A feed that is silent has no gaps: look at heartbeats, sources and control totals first. A gap may still be filled by what comes late; one at the end of a session shows only in control totals. Unmatched and conflicts are of the days of invocations and tasks, all else of the days of events.',
    version: 1,
  },
  behind: { '': anybody },
  feed: true,
  async figures(asking) {
    const feed = await feedDays(asking);
    const gaps = await gapsOf(asking);
    const people = await personDays(asking);
    const tasks = await completeness(asking, 'tasks', asking.periods);
    const invocations = await completeness(asking, 'invocations', asking.periods);
    return asking.periods.flatMap((_, period): Figure[] => {
      const [of, who] = [feed[period]!, people[period]!];
      const number = (variant: string, value: number) => ({ variant, value, numerator: value, denominator: null });
      const share = (variant: string, numerator: number, denominator: number) => ({ variant, value: denominator === 0 ? null : numerator / denominator, numerator, denominator });
      const complete = (variant: string, { arrived, counted: all }: Completeness) => share(variant, arrived, all);
      const { n, missing } = gaps[period]!;
      return [
        number('heartbeats', of('heartbeats')), number('sources', of('sources')), share('gaps', missing, n + missing), number('dropped', of('dropped')),
        complete('tasks_complete', tasks[period]!), complete('invocations_complete', invocations[period]!),
        share('unmatched', who('unmatched'), who('invocations')), share('conflicts', who('conflicting'), who('tasks')), share('late', of('late'), of('events')),
      ].map((figure) => ({ period, by: [], ...figure, low: null, high: null, people: who('people') }));
    });
  },
};

/** By period, what a name was counted as; 0 where nothing was. */
type Sums = ((name: string) => number)[];
const sumsOf = (asking: Asking, found: Counted[]): Sums => [...groups(asking, found)].map(({ row }) => (name) => Number(row?.[name] ?? 0));

async function feedDays(asking: Asking): Promise<Sums> {
  const values: unknown[] = [];
  const { names, columns, from } = cut(asking, 'feed_day d', values);
  return sumsOf(asking, await asking.query<Counted>(
    `select ${names}, sum(events)::float8 as events, sum(late)::float8 as late, sum(heartbeats)::float8 as heartbeats, sum(dropped)::float8 as dropped, count(distinct source)::float8 as sources
       from (select ${columns}, d.* ${from}) d group by ${names}`, values));
}

async function personDays(asking: Asking): Promise<Sums> {
  const values: unknown[] = [];
  const { names, columns, from } = cut(asking, 'person_day_sum d', values);
  return sumsOf(asking, await asking.query<Counted>(
    `select ${names}, count(distinct person)::float8 as people, sum(invocations)::float8 as invocations, sum(unmatched)::float8 as unmatched, sum(tasks)::float8 as tasks, sum(tasks_conflicting)::float8 as conflicting
       from (select ${columns}, d.person, d.invocations, d.unmatched, d.tasks, d.tasks_conflicting ${from}) d group by ${names}`, values));
}

/** By period, events with a sequence, and those that sequences lack. */
async function gapsOf({ query, subject, periods }: Asking): Promise<{ n: number; missing: number }[]> {
  const found = periods.map(() => ({ n: 0, missing: 0 }));
  const at = periodOf(periods);
  const days = await query<{ day: number; n: number; missing: number }>(GAPS, [subject.deployment, dayText(periods[0]!.from), dayText(periods.at(-1)!.to)]);
  for (const { day, n, missing } of days) {
    const of = found[at(day) ?? -1]; // days between the periods are not asked for
    if (!of) continue;
    of.n += n;
    of.missing += missing;
  }
  return found;
}

/** A session's events lie in the shards of their people. It goes on from the greatest counter of any earlier day. */
const GAPS = `
with own as (
  select source, session, day, sum(n) as n, max(greatest) as top from feed_session
   where deployment = $1 and day between $2::date and $3::date group by source, session, day
), before as (
  select o.source, o.session, coalesce((select max(s.greatest) from feed_session s
         where s.deployment = $1 and s.source = o.source and s.session = o.session and s.day < $2::date), 0) as top
    from (select distinct source, session from own) o
), counted as (
  select o.day, o.n, greatest(0, o.top - greatest(b.top, max(o.top) over (partition by source, session order by o.day rows between unbounded preceding and 1 preceding))) as expected
    from own o join before b using (source, session)
)
select (day - '1970-01-01'::date)::int as day, sum(n)::float8 as n, sum(greatest(0, expected - n))::float8 as missing from counted group by day`;
