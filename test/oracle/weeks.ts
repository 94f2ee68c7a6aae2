/** The oracle's weeks: in which of them people could have used it, whether they did, and how long they go on. */
import { mondayOf } from './days.js';
import { type Dimensions, type World } from './facts.js';
import { curveAt, median, type Life } from './kaplan-meier.js';
import { enabledOn, firstActive, firstRostered, teamAndRole } from './people.js';
import { bucketsOf, peopleOf, rowsAt, share, unrostered, type Figure, type Grouped, type OracleRow, type Question } from './rows.js';

const isOver = ({ lastWhole }: World, monday: number): boolean => lastWhole !== null && monday + 6 <= lastWhole;
const workingDays = (world: World, monday: number): number[] => [0, 1, 2, 3, 4, 5, 6].map((i) => monday + i).filter(world.isWorkingDay);

/** The Monday of the handoff's week, else of the week of the first day on which anything is counted. */
function startOf(world: World): number | null {
  if (world.handoff !== null) return mondayOf(world.handoff);
  const days = world.counted.map((fact) => fact.day);
  return days.length === 0 ? null : mondayOf(days.reduce((least, day) => Math.min(least, day)));
}

/** Whether tasks tell who is exposed, or the roster. */
export function countsTasks(world: World): boolean {
  const start = startOf(world);
  return start !== null && world.tasks.some((task) => task.eligible && task.day < start + 70);
}

/** Weeks that are over in which the person could have used it, in order, by their Mondays. */
export function exposedWeeks(world: World, person: string): number[] {
  let weeks: number[] = [];
  if (countsTasks(world)) {
    weeks = world.tasks.filter((task) => task.eligible && task.person === person).map((task) => mondayOf(task.day));
  } else {
    const first = firstRostered(world, person);
    for (let week = mondayOf(first ?? 0); first !== null && isOver(world, week); week += 7) {
      if (workingDays(world, week).some((day) => world.standing(person, day).enabled)) weeks.push(week);
    }
  }
  return ascending(weeks.filter((week) => isOver(world, week)));
}

/** Weeks that are over in which the person was active. */
function activeWeeks(world: World, person: string): number[] {
  return ascending(world.activities.filter((one) => one.person === person).map((one) => mondayOf(one.day)).filter((week) => isOver(world, week)));
}

const ascending = (weeks: number[]): number[] => [...new Set(weeks)].sort((a, b) => a - b);

const HABITS = ['new', 'habitual', 'occasional', 'tried', 'lapsed', 'never'];

function habitOf(world: World, person: string, day: number): string {
  const exposed = exposedWeeks(world, person).filter((week) => week + 6 <= day);
  if (exposed.length < 4) return 'new';
  const last = exposed.slice(-12);
  const active = activeWeeks(world, person);
  const part = last.filter((week) => active.includes(week)).length / last.length;
  if (part >= 0.75) return 'habitual';
  if (part >= 0.25) return 'occasional';
  if (part > 0) return 'tried';
  const first = firstActive(world, person);
  return first !== null && first <= day ? 'lapsed' : 'never';
}

export function habit(world: World, question: Question): OracleRow[] {
  return rowsAt(bucketsOf(question, world.counted), question, ({ to }) => judgedOn(world, to), (members, { to }) => {
    const habits = members.map(({ person }) => habitOf(world, person, to));
    return HABITS.map((name) => share(name, habits.filter((one) => one === name).length, members.length));
  });
}

/** Who are enabled on a day; without a roster, who had an exposed week up to it. */
function judgedOn(world: World, day: number): Grouped[] {
  if (world.roster !== null) return enabledOn(world, day);
  const people = peopleOf(world.counted).filter((person) => exposedWeeks(world, person).some((week) => week + 6 <= day));
  return people.map((person) => ({ person, dimensions: teamAndRole(world, person, day) }));
}

export function reach(world: World, question: Question): OracleRow[] {
  const inTeams = (day: number): Grouped[] => enabledOn(world, day).filter((one) => one.dimensions['team'] !== null);
  return rowsAt(bucketsOf(question, world.counted), question, ({ to }) => inTeams(to), (members, { to }) => {
    if (world.roster === null) return unrostered(['all']);
    const teamsOf = (some: Grouped[]): number => new Set(some.map((one) => one.dimensions['team'])).size;
    const numerator = teamsOf(members.filter((one) => habitOf(world, one.person, to) === 'habitual'));
    const denominator = teamsOf(members);
    return [{ variant: 'all', value: denominator === 0 ? null : numerator / denominator, numerator, denominator, people: members.length }];
  });
}

/** A person of a cohort in one week since they began; `week` is its Monday. */
type Cell = Grouped & { since: 'enabled' | 'used'; began: number; week: number };

export function retention(world: World, question: Question): OracleRow[] {
  const indexes = question.by.includes('week') ? Array.from({ length: 27 }, (_, i) => i) : [26];
  const everybody = [...new Set([...peopleOf(world.activities), ...(world.roster?.keys() ?? [])])];
  const active = new Map(everybody.map((person) => [person, activeWeeks(world, person)]));
  const cells = everybody.flatMap((person) => beginnings(world, person).flatMap(({ since, day }) => indexes.map((index) => {
    const dimensions: Dimensions = { ...teamAndRole(world, person, day), week: String(index) };
    return { person, since, began: day, week: mondayOf(day) + 7 * index, dimensions };
  })));
  return rowsAt(bucketsOf(question, world.counted), question, ({ from, to }) => cells.filter((cell) => cell.began >= from && cell.began <= to && counts(world, cell)), (here) =>
    (['enabled', 'used'] as const).flatMap((since): Figure[] => {
      if (since === 'enabled' && world.roster === null) return unrostered(['enabled_bracket', 'enabled_week', 'enabled_unbounded']);
      const own = here.filter((cell) => cell.since === since);
      const of = (variant: string, holds: (cell: Cell, weeks: number[]) => boolean): Figure =>
        share(`${since}_${variant}`, own.filter((cell) => holds(cell, active.get(cell.person)!)).length, own.length);
      return [
        of('bracket', (cell, weeks) => bracket(world, cell).some((week) => weeks.includes(week))),
        of('week', (cell, weeks) => weeks.includes(cell.week)),
        of('unbounded', (cell, weeks) => weeks.some((week) => week >= cell.week)),
      ];
    }));
}

function beginnings(world: World, person: string): { since: Cell['since']; day: number }[] {
  const enabled = firstRostered(world, person);
  const used = firstActive(world, person);
  return [
    ...(enabled === null ? [] : [{ since: 'enabled' as const, day: world.handoff === null ? enabled : Math.max(enabled, world.handoff) }]),
    ...(used === null ? [] : [{ since: 'used' as const, day: used }]),
  ];
}

/** Whether the week is over, and the person, where there is a roster, still on it on its last day. */
const counts = (world: World, cell: Cell): boolean => isOver(world, cell.week) && (world.roster === null || world.standing(cell.person, cell.week + 6).rostered);

/** The last four weeks up to the cell's, since the person began, that are not closed. */
function bracket(world: World, { began, week }: Cell): number[] {
  const open: number[] = [];
  for (let one = week; one >= mondayOf(began) && open.length < 4; one -= 7) if (workingDays(world, one).length > 0) open.push(one);
  return open;
}

export function survival(world: World, question: Question): OracleRow[] {
  const byWeek = question.by.includes('week');
  return bucketsOf(question, world.counted).flatMap((bucket) => {
    const lives = peopleOf(world.activities).flatMap((person) => {
      const first = firstActive(world, person)!;
      return first >= bucket.from && first <= bucket.to && isOver(world, mondayOf(first)) ? [{ person, ...lifeOf(world, person) }] : [];
    });
    const longest = Math.max(0, ...lives.map((life) => life.time));
    const people = lives.length;
    const figuresAt = (weeks: number): Figure[] => {
      const at = curveAt(lives, weeks);
      const unseen = people === 0 || (weeks > longest && at.survival > 0);
      const numerator = lives.filter((life) => life.ended && life.time <= weeks).length;
      return [
        { variant: 'survival', value: unseen ? null : at.survival, numerator, denominator: people, people },
        { variant: 'standard_error', value: unseen ? null : at.standardError, numerator, denominator: people, people },
      ];
    };
    const gather = (): Grouped[] => lives.flatMap(({ person }) => (byWeek ? Array.from({ length: 26 }, (_, i) => String(i + 1)) : ['26']).map((week) => ({ person, dimensions: { week } })));
    return rowsAt([bucket], question, gather, (members) => {
      if (byWeek) return figuresAt(Number(members[0]!.dimensions['week']));
      const ended = lives.filter((life) => life.ended).length;
      return [...figuresAt(26), { variant: 'median', value: median(lives), numerator: ended, denominator: people, people }];
    });
  });
}

/** Of somebody whose first active week is over. */
export function lifeOf(world: World, person: string): Life {
  const active = activeWeeks(world, person);
  const exposed = exposedWeeks(world, person);
  const isLast = (week: number, next: number | undefined): boolean => exposed.filter((one) => one > week && (next === undefined || one < next)).length >= 4;
  const end = active.find((week, i) => isLast(week, active[i + 1]));
  const last = end ?? active.at(-1)!;
  const time = ascending([...active, ...exposed]).filter((week) => week >= active[0]! && week <= last).length;
  return { time, ended: end !== undefined };
}
