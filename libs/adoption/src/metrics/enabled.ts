/** The people who may use it, and which of them do: everything that counts the roster as of a day. */
import { GRAINS, type Dimension } from '@foothold/contract';
import { kaplanMeier, medianSurvival, type Lives } from '@foothold/statistics';
import { dayText } from '../local-day.js';
import { countAsOf, covers, enabledSpans, hasRoster, KIND_ROWS, KINDS, lookedAt, WINDOWED, type CountedPeople } from './as-of.js';
import { groupOf, groups, type Counted } from './cut.js';
import { LEAST_PEOPLE, type Asking, type Figure, type Metric } from './metric.js';
import { shareOfPeople, UNKNOWN } from './ratio.js';

const OF_ROSTER: readonly Dimension[] = ['team', 'role'];
/** Of every variant, where there is no roster to count. */
const NO_ROSTER = { ...UNKNOWN, denominator: null, people: 0 };
const WITHOUT = 'There is no roster: who may use it is not known. Import one: foothold roster import.';

export const enabled: Metric = {
  declaration: {
    id: 'adoption.enabled',
    question: 'How many people may use it?',
    formula: 'people on the roster and not on leave, on that day',
    unit: 'people',
    variants: {
      enabled: 'on the roster and not on leave', on_leave: 'on the roster and on leave',
      matched: 'enabled, and named by any event that was counted: the others never asked it anything, or the roster knows them by another id than the events do',
    },
    grains: ['day', 'week'],
    dimensions: OF_ROSTER,
    minimum: LEAST_PEOPLE,
    watchOut: 'People join, leave and move: each day has its own roster, and a week shows its last day. A roster whose ids are not those of the events looks like a roster of people who never use it: see matched.',
    version: 1,
  },
  behind: null,
  async figures(asking) {
    const values: unknown[] = [];
    const group = asking.by.map((dimension) => `${dimension}, `).join('');
    const stretches = `
      with seen as materialized (select distinct person from person_day where deployment = $${values.push(asking.subject.deployment)}),
           enabled as materialized (${enabledSpans(asking, values)})
      select 'enabled' as variant, ${group}lower(span) as since, upper(span) as until from enabled
      union all select 'matched', ${group}lower(span), upper(span) from enabled join seen using (person)
      union all select 'on_leave', ${group}lower(span), upper(span) from (${enabledSpans(asking, values, true)}) absent`;
    const counted = await countAsOf(asking, stretches, values, ['enabled', 'on_leave', 'matched']);
    return counted.flatMap(({ variant, by, people }) => people.flatMap((count, period): Figure[] =>
      by.length > 0 && count === 0 ? [] : [{ period, by, variant, value: count, numerator: count, denominator: null, low: null, high: null, people: count }]));
  },
};

export const rate: Metric = {
  declaration: {
    id: 'adoption.rate',
    question: 'How many of those who may use it do?',
    formula: 'people enabled on a day and active in the window that ends with it / people enabled on that day',
    unit: 'ratio',
    variants: WINDOWED,
    grains: ['day', 'week'],
    dimensions: OF_ROSTER,
    minimum: LEAST_PEOPLE,
    watchOut: 'Who used it and is on leave or gone on that day is not counted. A day alone is low where work is not daily: 7 days are the headline. Where use is mandated or automatic, judge by accepted.',
    version: 1,
  },
  behind: null,
  async figures(asking) {
    const variants = Object.keys(WINDOWED);
    if (!(await hasRoster(asking))) return withoutRoster(asking, variants);
    const values: unknown[] = [];
    const group = asking.by.map((dimension) => `${dimension}, `).join('');
    const { from, to } = lookedAt(asking);
    const stretches = `
      with enabled as materialized (${enabledSpans(asking, values)}),
           active as (select distinct k.kind, d.person, d.day from person_day d ${KIND_ROWS}
                       where d.deployment = $${values.push(asking.subject.deployment)} and d.day between $${values.push(dayText(from))}::date and $${values.push(dayText(to))}::date and k.so),
           cover as (${covers('')})
      select 'enabled' as variant, ${group}lower(span) as since, upper(span) as until from enabled
      union all
      select variant, ${group}lower(span * daterange(since, until)), upper(span * daterange(since, until))
        from cover join enabled using (person) where span && daterange(since, until)`;
    return shares(asking, await countAsOf(asking, stretches, values, [...variants, 'enabled']), variants);
  },
};

const FIRST_USE = 'days_to_first_use';

export const activated: Metric = {
  declaration: {
    id: 'adoption.activated',
    question: 'How many of those who may use it have ever done so?',
    formula: 'people enabled on a day who were active on it or before / people enabled on that day',
    unit: 'ratio',
    variants: {
      any: 'ever accepted or overrode a result', accepted: 'ever accepted a result', voluntary: 'ever decided on a result of their own initiative',
      [FIRST_USE]: 'days from the first day on the roster until half of the people had used it, by Kaplan-Meier: those who have not yet count for as long as they could have',
    },
    grains: GRAINS,
    dimensions: OF_ROSTER,
    minimum: LEAST_PEOPLE,
    watchOut: 'Who never used it stays in the denominator. Once is not use: see habit. A roster whose ids are not those of the events looks like nobody ever began: the notes say how many ids match.',
    version: 1,
  },
  behind: null,
  async figures(asking) {
    const variants = Object.keys(KINDS);
    if (!(await hasRoster(asking))) return withoutRoster(asking, [...variants, FIRST_USE]);
    const values: unknown[] = [];
    const group = asking.by.map((dimension) => `${dimension}, `).join('');
    const stretches = `
      with enabled as materialized (${enabledSpans(asking, values)}),
           first as (select k.kind, d.person, min(d.day) as day from person_day d ${KIND_ROWS} where d.deployment = $${values.push(asking.subject.deployment)} and k.so group by k.kind, d.person)
      select 'enabled' as variant, ${group}lower(span) as since, upper(span) as until from enabled
      union all select kind, ${group}greatest(lower(span), day), upper(span) from first join enabled using (person) where upper(span) > day`;
    const [counted, lives] = [await countAsOf(asking, stretches, values, [...variants, 'enabled']), await firstUse(asking)];
    await noteMatched(asking);
    return [...shares(asking, counted, variants), ...lives];
  },
};

/** The median time to first use of those enabled on each period's last day. */
async function firstUse(asking: Asking): Promise<Figure[]> {
  const { by, periods, subject } = asking;
  const names = ['period', ...by].join(', ');
  const found = await asking.query<Counted>(
    `with asked as (select * from unnest($2::date[]) with ordinality a(day, period)),
          begun as (select person, min(from_day) as since from roster where deployment = $1 and not on_leave group by person),
          first as (select d.person, min(d.day) as day from person_day d where d.deployment = $1 and ${KINDS['any']} group by d.person)
     select ${names}, time, ended, count(*)::int as people
       from (select ${names}, coalesce(f.day <= a.day, false) as ended, case when f.day <= a.day then greatest(f.day - b.since, 0) else a.day - b.since end as time
       from (select a.period - 1 as period, a.day, r.* from asked a join roster r on r.deployment = $1 and not r.on_leave and r.from_day <= a.day and (r.to_day is null or a.day <= r.to_day)) a
       join begun b using (person) left join first f using (person)
      where not exists (select from roster l where l.deployment = $1 and l.person = a.person and l.on_leave and l.from_day <= a.day and (l.to_day is null or a.day <= l.to_day))) life
      group by ${names}, time, ended`,
    [subject.deployment, periods.map(({ to }) => dayText(to))],
  );
  const cells = new Map<string, { row: Counted; lives: Lives[] }>();
  for (const row of found) {
    const label = JSON.stringify([row['period'], ...groupOf(row, by)]);
    const cell = cells.get(label) ?? { row, lives: [] };
    const [people, ended] = [Number(row['people']), row['ended'] as unknown as boolean];
    cell.lives.push({ time: Number(row['time']), ended: ended ? people : 0, censored: ended ? 0 : people });
    cells.set(label, cell);
  }
  const lives = new Map([...cells.values()].map((cell) => [cell.row, cell.lives]));
  return [...groups(asking, [...lives.keys()])].map(({ period, by: values, row }): Figure => {
    const own = row === undefined ? [] : lives.get(row)!;
    const { median, low, high } = medianSurvival(kaplanMeier(own));
    const [ended, people] = [own.reduce((sum, one) => sum + one.ended, 0), own.reduce((sum, one) => sum + one.ended + one.censored, 0)];
    return { period, by: values, variant: FIRST_USE, value: median, numerator: ended, denominator: people, low, high, people };
  });
}

/** Says how far roster and events name the same people, as of the last day that is asked for. */
async function noteMatched(asking: Asking): Promise<void> {
  const last = asking.periods.at(-1)!.to;
  const now = Object.fromEntries((await enabled.figures({ ...asking, by: [], periods: [{ from: last, to: last }] })).map(({ variant, value }) => [variant, value]));
  asking.notes.push(`${now['matched']} of the ${now['enabled']} people enabled on ${dayText(last)} are named by events`);
}

/** Counts as shares of those enabled on the same day. */
function shares({ by: dimensions, periods }: Asking, counted: CountedPeople[], variants: readonly string[]): Figure[] {
  const of = new Map(counted.map(({ variant, by, people }) => [JSON.stringify([variant, ...by]), people]));
  const figures: Figure[] = [];
  for (const { by, people } of counted.filter(({ variant }) => variant === 'enabled')) for (const period of periods.keys()) {
    const whole = people[period]!;
    if (dimensions.length > 0 && whole === 0) continue;
    for (const variant of variants) {
      const part = of.get(JSON.stringify([variant, ...by]))?.[period] ?? 0;
      figures.push({ period, by, variant, ...shareOfPeople(part, whole) });
    }
  }
  return figures;
}

function withoutRoster({ by, periods, notes }: Asking, variants: readonly string[]): Figure[] {
  notes.push(WITHOUT);
  return by.length > 0 ? [] : periods.flatMap((_, period) => variants.map((variant): Figure => ({ period, by: [], variant, ...NO_ROSTER })));
}
