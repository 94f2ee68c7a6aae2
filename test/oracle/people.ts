/** The oracle's people: who may use it, who does, how often, who comes and goes, on whom it rests, and why that changed. */
import { dayOfMonth, dayNumber, mondayOf } from './days.js';
import { type Activity, type Dimensions, type World } from './facts.js';
import { median } from './kaplan-meier.js';
import { bucketsOf, count, peopleOf, ratio, rowsAt, rowsOf, share, unrostered, type Bucket, type Figure, type Grouped, type OracleRow, type Question } from './rows.js';

const KINDS = ['any', 'accepted', 'voluntary'] as const;
type Kind = (typeof KINDS)[number];
const isOf = (kind: Kind) => (one: Activity): boolean => kind === 'any' || one[kind];

/** Somebody of the roster on a day. */
type Member = Grouped & { onLeave: boolean };

/** Who are on the roster on a day, on leave or not, under their team and role of it. */
function rosteredOn(world: World, day: number): Member[] {
  return [...(world.roster?.keys() ?? [])].flatMap((person) => {
    const { rostered, enabled, team, role } = world.standing(person, day);
    return rostered ? [{ person, dimensions: { team, role }, onLeave: !enabled }] : [];
  });
}
export const enabledOn = (world: World, day: number): Member[] => rosteredOn(world, day).filter((one) => !one.onLeave);

/** The first day of any enabled period, leave or not. */
export function firstRostered(world: World, person: string): number | null {
  const days = (world.roster?.get(person) ?? []).filter((period) => !period.leave).map((period) => dayNumber(period.from));
  return days.length === 0 ? null : Math.min(...days);
}

export function firstActive(world: World, person: string): number | null {
  const days = world.activities.filter((one) => one.person === person).map((one) => one.day);
  return days.length === 0 ? null : Math.min(...days);
}

export function enabledPeople(world: World, question: Question): OracleRow[] {
  const counted = new Set(world.counted.map((fact) => fact.person));
  return rowsAt(bucketsOf(question, world.counted), question, ({ to }) => rosteredOn(world, to), (members) => {
    const enabled = members.filter((one) => !one.onLeave);
    return [
      count('enabled', enabled.length),
      count('on_leave', members.length - enabled.length),
      count('matched', enabled.filter((one) => counted.has(one.person)).length),
    ];
  });
}

export function shareActivated(world: World, question: Question): OracleRow[] {
  return rowsAt(bucketsOf(question, world.counted), question, ({ to }) => enabledOn(world, to), (members, { to }) => {
    if (world.roster === null) return unrostered([...KINDS, 'days_to_first_use']);
    const figures = KINDS.map((kind) => {
      const active = new Set(world.activities.filter((one) => one.day <= to && isOf(kind)(one)).map((one) => one.person));
      return share(kind, members.filter((one) => active.has(one.person)).length, members.length);
    });
    const lives = members.map(({ person }) => {
      const began = firstRostered(world, person) ?? to;
      const used = firstActive(world, person);
      return used !== null && used <= to ? { time: Math.max(0, used - began), ended: true } : { time: to - began, ended: false };
    });
    const ended = lives.filter((life) => life.ended).length;
    return [...figures, { variant: 'days_to_first_use', value: median(lives), numerator: ended, denominator: members.length, people: members.length }];
  });
}

export function activeOfEnabled(world: World, question: Question): OracleRow[] {
  const variants = KINDS.flatMap((kind) => [1, 7, 28].map((days) => ({ kind, days, variant: days === 1 ? kind : `${kind}_${String(days)}` })));
  return rowsAt(bucketsOf(question, world.counted), question, ({ to }) => enabledOn(world, to), (members, { to }) => {
    if (world.roster === null) return unrostered(variants.map((one) => one.variant));
    return variants.map(({ kind, days, variant }) => {
      const active = new Set(within(world, { from: to - days + 1, to }).filter(isOf(kind)).map((one) => one.person));
      return share(variant, members.filter((one) => active.has(one.person)).length, members.length);
    });
  });
}

const within = ({ activities }: World, { from, to }: Bucket): Activity[] => activities.filter((one) => one.day >= from && one.day <= to);
const daysOf = ({ from, to }: Bucket): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

export function stickiness(world: World, question: Question): OracleRow[] {
  const gather = ({ to }: Bucket): Activity[] => within(world, { from: to - 27, to });
  return rowsAt(bucketsOf(question, world.counted), question, gather, (active, { to }) => {
    const everyDay = daysOf({ from: to - 27, to });
    const people = peopleOf(active);
    const mean = (variant: string, days: number[]): Figure => {
      const shares = people.map((person) => new Set(active.filter((one) => one.person === person && days.includes(one.day)).map((one) => one.day)).size / days.length);
      const sum = days.length === 0 ? null : shares.reduce((so, one) => so + one, 0);
      return { variant, value: people.length === 0 || sum === null ? null : sum / people.length, numerator: sum, denominator: people.length, people: people.length };
    };
    return [mean('all_days', everyDay), mean('working_days', everyDay.filter(world.isWorkingDay))];
  });
}

export function growth(world: World, question: Question): OracleRow[] {
  const whole = bucketsOf(question, world.counted).filter(({ from, to }) =>
    question.grain === 'week' ? from === mondayOf(from) && to - from === 6 : dayOfMonth(from) === 1 && dayOfMonth(to + 1) === 1);
  return whole.flatMap((bucket) => {
    const { from, to } = bucket;
    const before = question.grain === 'week' ? from - 7 : from - lengthOfMonth(from - 1);
    const then = { from: before, to: from - 1 };
    const gather = (): Grouped[] => peopleOf(within(world, { from: before, to })).map((person) => ({ person, dimensions: teamAndRole(world, person, to) }));
    const [active, previous] = [bucket, then].map((span) => new Set(peopleOf(within(world, span)))) as [Set<string>, Set<string>];
    const ever = new Set(world.activities.filter((one) => one.day < from).map((one) => one.person));
    return rowsAt([bucket], question, gather, (members) => {
      const here = members.map((one) => one.person);
      const a = here.filter((person) => active.has(person));
      const retained = a.filter((person) => previous.has(person)).length;
      const fresh = a.filter((person) => !ever.has(person)).length;
      const resurrected = a.length - retained - fresh;
      const was = here.filter((person) => previous.has(person)).length;
      const churned = was - retained;
      const counts = (variant: string, value: number, people: number): Figure => ({ variant, value, numerator: value, denominator: null, people });
      return [
        counts('active', a.length, a.length), counts('retained', retained, a.length), counts('new', fresh, a.length),
        counts('resurrected', resurrected, a.length), counts('churned', churned, was),
        { variant: 'quick_ratio', value: churned === 0 ? null : (fresh + resurrected) / churned, numerator: fresh + resurrected, denominator: churned, people: here.length },
      ];
    });
  });
}

const lengthOfMonth = (lastDay: number): number => dayOfMonth(lastDay);
export function teamAndRole(world: World, person: string, day: number): Dimensions {
  const { team, role } = world.standing(person, day);
  return { team, role };
}

/** Enabled on any day of it; without a roster, with anything counted in it. */
function peopleIn(world: World, bucket: Bucket): string[] {
  if (world.roster === null) return peopleOf(world.counted.filter(({ day }) => day >= bucket.from && day <= bucket.to));
  return [...world.roster.keys()].filter((person) => daysOf(bucket).some((day) => world.standing(person, day).enabled));
}

const decidedIn = (world: World, { from, to }: Bucket) => world.invocations.filter((one) => one.decision !== null && one.day >= from && one.day <= to);

export function concentration(world: World, question: Question): OracleRow[] {
  const gather = (bucket: Bucket): Grouped[] => peopleIn(world, bucket).map((person) => ({ person, dimensions: {} }));
  return rowsAt(bucketsOf(question, world.counted), question, gather, (members, bucket) => {
    const decided = decidedIn(world, bucket);
    const amounts = members.map(({ person }) => decided.filter((one) => one.person === person).length).sort((a, b) => b - a);
    const n = amounts.length;
    const total = amounts.reduce((so, one) => so + one, 0);
    // The plain definition: the mean difference of all ordered pairs, over twice the mean, with n/(n-1).
    const differences = amounts.flatMap((one) => amounts.map((other) => Math.abs(one - other))).reduce((so, one) => so + one, 0);
    const gini = n < 2 || total === 0 ? null : (differences / (n * n) / (2 * (total / n))) * (n / (n - 1));
    const top = amounts.slice(0, Math.ceil(n / 5)).reduce((so, one) => so + one, 0);
    return [
      { variant: 'gini', value: gini, numerator: null, denominator: total, people: n },
      { variant: 'top_20', value: total === 0 ? null : top / total, numerator: top, denominator: total, people: n },
    ];
  });
}

const FACTORS = ['people', 'tasks_per_person', 'coverage', 'results_per_aided_task', 'decided_per_shown'] as const;

export function changeOf(world: World, question: Question): OracleRow[] {
  return rowsAt(bucketsOf(question, world.counted), question, () => [], (_, bucket) => {
    const length = bucket.to - bucket.from + 1;
    const [after, before] = [bucket, { from: bucket.from - length, to: bucket.from - 1 }].map((span) => factorsOf(world, span)) as [Factors, Factors];
    const counted = world.counted.filter(({ day }) => day >= bucket.from && day <= bucket.to).map((fact) => fact.person);
    const people = new Set([...counted, ...(world.roster === null ? [] : peopleIn(world, bucket))]).size;
    const holds = [after, before].every(({ factors, decisions }) => Math.abs(product(factors.map((one) => one ?? 0)) - decisions) < 1e-9);
    // What has no value in one period did not move; see the product's own account of Shapley's value.
    const was = before.factors.map((one, i) => one ?? after.factors[i] ?? 0);
    const is = after.factors.map((one, i) => one ?? before.factors[i] ?? 0);
    const contributions = shapley(was, is);
    return [
      ...FACTORS.map((variant, i): Figure => ({ variant, value: holds ? contributions[i]! : null, numerator: after.factors[i]!, denominator: before.factors[i]!, people })),
      { variant: 'decisions', value: after.decisions - before.decisions, numerator: after.decisions, denominator: before.decisions, people },
    ];
  });
}

interface Factors { factors: (number | null)[]; decisions: number }
function factorsOf(world: World, span: Bucket): Factors {
  const inside = ({ day }: { day: number }): boolean => day >= span.from && day <= span.to;
  const people = peopleIn(world, span).length;
  const tasks = world.tasks.filter((task) => task.eligible && inside(task));
  const used = tasks.filter((task) => task.state === 'used').length;
  const shown = world.invocations.filter((one) => one.shownAt !== null && inside(one)).length;
  const decisions = decidedIn(world, span).length;
  const over = (some: number, all: number): number | null => (all === 0 ? null : some / all);
  return { factors: [people, over(tasks.length, people), over(used, tasks.length), over(shown, used), over(decisions, shown)], decisions };
}

const product = (factors: number[]): number => factors.reduce((so, one) => so * one, 1);

/** The mean, over every order in which the factors can move, of the change that each makes when it moves. */
function shapley(before: number[], after: number[]): number[] {
  const sums = before.map(() => 0);
  const orders = permutations(before.map((_, i) => i));
  for (const order of orders) {
    const now = [...before];
    for (const i of order) {
      const was = product(now);
      now[i] = after[i]!;
      sums[i]! += product(now) - was;
    }
  }
  return sums.map((sum) => sum / orders.length);
}

function permutations(items: number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((first) => permutations(items.filter((item) => item !== first)).map((rest) => [first, ...rest]));
}

export function initiative(world: World, question: Question): OracleRow[] {
  return rowsOf(bucketsOf(question, world.counted), world.invocations, question, (facts) => [
    ...['person', 'automatic', 'mandated'].map((name) => ratio(name, facts, (one) => one.dimensions['initiative'] === name)),
    ratio('unknown', facts, (one) => !one.started),
  ]);
}

