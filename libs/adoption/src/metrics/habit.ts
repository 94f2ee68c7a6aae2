/** Whether using it has become a habit, and in how many teams it has for anybody. */
import { hasRoster } from './as-of.js';
import { groups, type Counted } from './cut.js';
import { LEAST_PEOPLE, type Asking, type Figure, type Metric } from './metric.js';
import { shareOfPeople, UNKNOWN } from './ratio.js';
import { enabledAtEnds, firstUse, personWeeks, type PersonWeeks } from './weeks.js';

const HABITS = {
  new: 'fewer than four weeks in which they could have', habitual: 'active in three of four of them or more', occasional: 'in one of four or more',
  tried: 'in fewer, but not in none', lapsed: 'in none, though active before', never: 'never active',
};
type Habit = keyof typeof HABITS;
/** Weeks that are looked back over, and fewest of them to judge by. */
const [LOOKED_BACK, FEWEST] = [12, 4];

export const habit: Metric = {
  declaration: {
    id: 'adoption.habit',
    question: 'Has it become a habit?',
    formula: 'people by the share of their last 12 exposed weeks in which they were active / people enabled on that day; a week is exposed in which they completed a task it could be used for, or, where no tasks are reported, were enabled on a working day',
    unit: 'ratio',
    variants: HABITS,
    grains: ['week', 'all'],
    dimensions: ['team', 'role'],
    minimum: LEAST_PEOPLE,
    watchOut: 'Weeks are each person’s own: holidays and leave do not count against anybody. Only weeks that are over count, so today’s is not in it. Without a roster, of people who had such a week: who never did anything is not in it.',
    version: 1,
  },
  behind: null,
  async figures(asking) {
    const cells = (await habits(asking)).flatMap((people, period) => {
      const counts = new Map<string, Counted>();
      for (const person of people) {
        const by = asking.by.map((dimension) => person[dimension as 'team' | 'role']);
        const label = by.join('\u0001');
        let cell = counts.get(label);
        if (!cell) counts.set(label, (cell = { period, ...Object.fromEntries(asking.by.map((dimension, i) => [dimension, by[i]!])), people: 0 }));
        cell['people'] = Number(cell['people']) + 1;
        cell[person.habit] = Number(cell[person.habit] ?? 0) + 1;
      }
      return [...counts.values()];
    });
    return [...groups(asking, cells)].flatMap(({ period, by, row }) => Object.keys(HABITS).map((variant): Figure => {
      return { period, by, variant, ...shareOfPeople(Number(row?.[variant] ?? 0), Number(row?.['people'] ?? 0)) };
    }));
  },
};

export const reach: Metric = {
  declaration: {
    id: 'adoption.reach',
    question: 'In how many teams is it a habit of anybody?',
    formula: 'teams with at least one person for whom it is a habit / teams with a person enabled on that day',
    unit: 'ratio',
    variants: { all: 'teams with anybody habitual' },
    grains: ['week', 'all'],
    dimensions: [],
    minimum: LEAST_PEOPLE,
    watchOut: 'One person is enough for a team: read it with adoption.concentration. Teams are those of the roster.',
    version: 1,
  },
  behind: null,
  async figures(asking) {
    if (!(await hasRoster(asking))) return asking.periods.map((_, period): Figure => ({ ...UNKNOWN, period, by: [], variant: 'all', denominator: null, people: 0 }));
    return (await habits(asking)).map((people, period): Figure => {
      const inTeam = people.filter(({ team }) => team !== '');
      const teams = new Set(inTeam.map(({ team }) => team)).size;
      const reached = new Set(inTeam.filter(({ habit: of }) => of === 'habitual').map(({ team }) => team)).size;
      return { period, by: [], variant: 'all', value: teams === 0 ? null : reached / teams, numerator: reached, denominator: teams, low: null, high: null, people: inTeam.length };
    });
  },
};

interface Judged {
  team: string;
  role: string;
  habit: Habit;
}

/** By period, everybody who is counted as of its last day. */
async function habits(asking: Asking): Promise<Judged[][]> {
  const [weeks, first] = [await personWeeks(asking), await firstUse(asking)];
  const enabled = (await hasRoster(asking)) ? await enabledAtEnds(asking) : null;
  return asking.periods.map(({ to }, period) => {
    const until = to - 6; // the last Monday whose week ends by then
    const people = enabled?.[period] ?? [...weeks].filter(([, { exposed }]) => exposed.length > 0 && exposed[0]! <= until).map(([person]) => ({ person, team: '', role: '' }));
    return people.map(({ person, team, role }) => ({ team, role, habit: habitOf(weeks.get(person), until, (first.get(person) ?? Infinity) <= to) }));
  });
}

/** @param ever whether they were active by the day it is judged on, in a week that is over or not */
function habitOf(weeks: PersonWeeks | undefined, until: number, ever: boolean): Habit {
  const { active, exposed } = weeks ?? { active: [], exposed: [] };
  let last = active.length - 1;
  while (last >= 0 && active[last]! > until) last--;
  let [looked, both] = [0, 0];
  for (let i = exposed.length - 1; i >= 0 && looked < LOOKED_BACK; i--) {
    const week = exposed[i]!;
    if (week > until) continue;
    looked++;
    while (last >= 0 && active[last]! > week) last--;
    if (last >= 0 && active[last] === week) both++;
  }
  if (looked < FEWEST) return 'new';
  const used = both / looked;
  if (used >= 0.75) return 'habitual';
  if (used >= 0.25) return 'occasional';
  if (used > 0) return 'tried';
  return ever ? 'lapsed' : 'never';
}
