/**
 * Distinct active people on a day and in the 7 and 28 days that end with it. Each active day of a person covers the
 * days up to the end of its window or to their next active day; counting where covers begin and end
 * gives every window of every day in one pass over person-days.
 */
import { type Query, type Range, type Row } from './answer.js';
import { buckets } from './bucket.js';
import { dayText } from '../local-day.js';

const CONDITIONS: Record<string, string> = {
  any: 'active_accepted + active_overridden > 0',
  accepted: 'active_accepted > 0',
  voluntary: `active_accepted + active_overridden > 0 and initiative = 'person'`,
};
const WINDOWS = [1, 7, 28];

export async function activePeopleRows(query: Query, range: Range): Promise<Row[]> {
  const rows: Row[] = [];
  const wanted = buckets(range);
  const by = range.by.map((dimension) => `${dimension}, `).join('');
  for (const [kind, condition] of Object.entries(CONDITIONS)) {
    const edges = await query<Record<string, string | number>>(
      `with active as (
         select distinct ${by}person, day from person_day
          where deployment = $1 and day between $2::date - ${Math.max(...WINDOWS) - 1} and $3::date and ${condition}
       ), cover as (
         select ${by}days, day, least(day + days, lead(day) over (partition by ${by}days, person order by day)) as until
           from active cross join unnest(array[${WINDOWS.join(', ')}]) as days
       )
       select ${by}days, (at - '1970-01-01'::date)::int as day, sum(step)::int as step
         from (select ${by}days, day as at, 1 as step from cover union all select ${by}days, until, -1 from cover) edge
        group by ${by}days, at order by ${by}days, at`,
      [range.deployment, range.fromText, range.toText],
    );
    for (const [label, { values, steps }] of groups(range, edges)) {
      const days = Number(label.slice(0, label.indexOf('\u0001')));
      const variant = days === 1 ? kind : `${kind}_${days}`;
      let people = 0;
      let next = 0;
      for (const bucket of wanted) {
        for (; next < steps.length && steps[next]!.day <= bucket.lastDay; next++) people += steps[next]!.step;
        if (range.by.length > 0 && people === 0) continue;
        const from = range.grain === 'day' ? dayText(bucket.lastDay) : bucket.from;
        rows.push({ from, to: bucket.to, by: values, variant, value: people, numerator: people, denominator: null, low: null, high: null, people });
      }
    }
  }
  return rows;
}

/** Edges by window and dimension values; every window is there even where nobody was active. */
function groups(range: Range, edges: Record<string, string | number>[]) {
  const found = new Map<string, { values: Record<string, string | null>; steps: { day: number; step: number }[] }>();
  if (range.by.length === 0) for (const days of WINDOWS) found.set(`${days}\u0001`, { values: {}, steps: [] });
  for (const edge of edges) {
    const label = `${edge['days']}\u0001${range.by.map((dimension) => edge[dimension]).join('\u0001')}`;
    let group = found.get(label);
    if (!group) found.set(label, (group = { values: Object.fromEntries(range.by.map((dimension) => [dimension, (edge[dimension] as string) || null])), steps: [] }));
    group.steps.push({ day: Number(edge['day']), step: Number(edge['step']) });
  }
  return found;
}
