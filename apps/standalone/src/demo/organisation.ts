/**
 * A health organisation that does not exist, and nine months of its work: what `npm run demo` sends. Everything is drawn
 * from a seed, so the same plan gives the same calls, to the id, on every machine.
 *
 * What arrives: a plan. What leaves: calls on the SDK in the order of their times. Next is `sending.ts`.
 */
import { isHoliday, isWeekend, osloTime, textOf, dayOf, weekdayOf } from './calendar.js';
import { type Call, type DeploymentCall } from './calls.js';
import { Chance } from './chance.js';
import { HANDOFF_WEEK, hire, TEAMS, type Person, type Span, type TaskKind } from './people.js';
import { workOf } from './work.js';

export interface Plan {
  seed: number;
  people: number;
  /** Whole weeks, the pilot's six among them. */
  weeks: number;
  /** The last day, a Sunday: YYYY-MM-DD. */
  end: string;
}

/** The last Sunday is the one on which summer time ends. */
export const NINE_MONTHS: Plan = { seed: 2026, people: 300, weeks: 39, end: '2026-10-25' };
export const FEWEST_WEEKS = HANDOFF_WEEK + 1;

export interface Organisation {
  people: Person[];
  /** YYYY-MM-DD */
  pilotStart: string;
  handoff: string;
  taskKinds: TaskKind[];
  calls: Call[];
}

/** What is known of the plan's deployment before anybody works. */
export function outlineOf(plan: Plan): Pick<Organisation, 'pilotStart' | 'handoff' | 'taskKinds'> {
  const { first } = spanOf(plan);
  return { pilotStart: textOf(first), handoff: textOf(first + 7 * HANDOFF_WEEK), taskKinds: [...new Set(TEAMS.map(({ taskKind }) => taskKind))].sort() };
}

function spanOf({ weeks, end }: Plan): Span {
  const last = dayOf(end);
  return { first: last + 1 - 7 * weeks, last };
}

export function simulate(plan: Plan): Organisation {
  const span = spanOf(plan);
  const seed = `${plan.seed}/${plan.people}/${plan.weeks}/${plan.end}`;
  const people = hire(seed, plan.people, span);
  const seniors = people.filter(({ team, role }) => team.id === 'surgery' && role === 'physician');
  const outline = outlineOf(plan);
  const ended = osloTime(span.last + 1, 0);
  const done = people.flatMap((person) => workOf(person, seniors.length > 0 ? seniors : [person], span, seed)).filter(({ at }) => at < ended).sort(inTime);
  const calls = [...done, ...counted(done, people, outline.taskKinds, span, new Chance(seed, 'deployment'))].sort(inTime);
  return { people, ...outline, calls };
}

const inTime = (one: Call, other: Call): number => one.at - other.at || (one.id < other.id ? -1 : 1);

/** What the organisation's own systems count: what waits, control totals, outcomes, and the model's own score. */
function counted(done: Call[], people: Person[], taskKinds: TaskKind[], span: Span, chance: Chance): DeploymentCall[] {
  const calls: DeploymentCall[] = [];
  const say = (call: DeploymentCall extends infer Kind ? (Kind extends unknown ? Omit<Kind, 'id'> : never) : never) => void calls.push({ ...call, id: chance.uuid(call.at) } as DeploymentCall);
  const teamOf = new Map(people.map(({ id, team }) => [id, team.id]));
  let next = 0;
  let week = new Week();
  for (let day = span.first; day <= span.last; day++) {
    if (!isWeekend(day) && !isHoliday(day)) {
      for (const taskKind of taskKinds) say({ call: 'queue', at: osloTime(day, 7 * 60), facts: { taskKind, items: Math.max(0, Math.round(chance.normal(people.length * 0.5, people.length * 0.12))) } });
    }
    const ends = osloTime(day + 1, 0);
    const totals = { tasks: 0, invocations: 0 };
    for (; next < done.length && done[next]!.at < ends; next++) {
      const call = done[next]!;
      if (call.call === 'task') totals.tasks++;
      if (call.call === 'invocation') totals.invocations++;
      if ('person' in call) week.count(call, teamOf.get(call.person)!);
    }
    const [text, night] = [textOf(day), osloTime(day + 1, 120)];
    if (day === span.last) continue; // it is still to be counted
    for (const kind of ['tasks', 'invocations'] as const) say({ call: 'feed', at: night, facts: { kind, from: text, to: text, count: totals[kind] } });
    if (weekdayOf(day) === 6) {
      const from = textOf(day - 6);
      for (const { id } of TEAMS) for (const outcome of week.outcome(id, chance)) say({ call: 'outcome', at: night, facts: { outcome: 'days-to-decision', from, to: text, team: id, ...outcome } });
      say({ call: 'modelScore', at: night, facts: { measure: 'auc', from, to: text, value: Math.round(chance.normal(0.884, 0.004) * 1000) / 1000, count: 200 } });
      week = new Week();
    }
  }
  return calls;
}

/** One week's tasks by team, and how many of them the AI was asked about: the more, the sooner work is decided. */
class Week {
  private readonly tasks = new Map<string, number>();
  private readonly asked = new Map<string, Set<string>>();

  count(call: Call, team: string): void {
    if (call.call === 'task') this.tasks.set(team, (this.tasks.get(team) ?? 0) + 1);
    if (call.call !== 'invocation' || call.facts.task === undefined) return;
    const known = this.asked.get(team);
    if (known) known.add(call.facts.task);
    else this.asked.set(team, new Set([call.facts.task]));
  }

  /** At most one. */
  outcome(team: string, chance: Chance): { value: number; count: number; sd: number }[] {
    const count = this.tasks.get(team) ?? 0;
    if (count === 0) return [];
    const share = (this.asked.get(team)?.size ?? 0) / count;
    return [{ value: Math.round((9.5 - 4 * share + chance.normal(0, 3 / Math.sqrt(count))) * 100) / 100, count, sd: 3 }];
  }
}
