/**
 * Somebody who asks for everything that there is, day after day, remembers it, and knows who did something when and where, only
 * not how much: whether they can work out what fewer people did than may be told apart. Subtracting teams, weeks, months,
 * ranges, grains, dimensions and yesterday's answers are all combinations of sums, and a solver tries every one, of all that is
 * told together.
 */
import { DEFAULT_REGISTRATION, prepareAnswer, understand, type Asked } from '@foothold/adoption';
import { type AnswerRow } from '@foothold/contract';
import { type Database } from '@foothold/platform';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomInt } from 'node:crypto';
import { freshDatabase, type FreshDatabase } from '../support/database.js';
import { openTestLog } from '../support/recording.js';
import { seeded } from '../support/seeded.js';
import { recovered, type Fact } from './solver.js';

const SEED = Number(process.env['ATTACK_SEED'] ?? randomInt(2 ** 31));
const DEPLOYMENTS = Number(process.env['ATTACKS'] ?? 3);
const ENOUGH = 5;
const DAY_MS = 86_400_000;
const KINDS = ['letter', 'triage'];
const SURFACES = ['in-workflow', 'side-tool'];

let fresh: FreshDatabase;
let database: Database;
beforeAll(async () => {
  console.info(`attacks: repeat with ATTACK_SEED=${SEED}; more with ATTACKS=20`);
  fresh = await freshDatabase();
  ({ database } = await openTestLog(fresh.url));
});
afterAll(async () => {
  await database?.close();
  await fresh?.drop();
});

interface Shown extends Fact {
  day: string;
  team: string | null;
  role: string | null;
  task_kind: string;
  surface: string;
  stage: string;
}
interface World {
  deployment: number;
  handoff: string;
  days: string[];
  facts: Shown[];
}

const dayAfter = (first: string, days: number): string => new Date(Date.parse(first) + days * DAY_MS).toISOString().slice(0, 10);

/** Few people in teams of three to nine, who come and go; some work on Saturdays, hardly anybody around Christmas. */
async function world(deployment: number): Promise<World> {
  const { below, chance } = randomness(SEED + deployment);
  const first = dayAfter('2026-10-05', below(7));
  const days = Array.from({ length: 7 * (9 + below(10)) }, (_, i) => dayAfter(first, i));
  const handoff = days[7 + below(40)]!;
  const people = Array.from({ length: 12 + below(16) }, (_, person) => ({ person, eager: 0.05 + below(70) / 100, team: `team-${below(100) < 55 ? 0 : 1 + below(4)}`, role: below(4) === 0 ? 'lead' : null, moves: chance(0.15) ? days[below(days.length)]! : null }));
  const facts: Shown[] = [];
  for (const day of days) {
    const [weekday, quiet] = [new Date(day).getUTCDay(), day >= '2026-12-21' && day <= '2027-01-03'];
    for (const { person, eager, team, role, moves } of people) {
      if (!chance(eager * (weekday % 6 === 0 ? 0.1 : 1) * (quiet ? 0.15 : 1))) continue;
      for (const task_kind of KINDS) for (const surface of SURFACES) {
        if (chance(task_kind === 'letter' ? 0.6 : 0.25) && chance(surface === 'in-workflow' ? 0.9 : 0.2)) {
          facts.push({ person, day, team: moves !== null && day >= moves ? 'team-new' : team, role, task_kind, surface, stage: day < handoff ? 'pilot' : 'production' });
        }
      }
    }
  }
  const shown = facts.map(() => 1 + below(5));
  await database.query(
    `insert into person_day (shard, deployment, person, day, task_kind, surface, initiative, model, release, reason, revised_at, ${COUNTED})
     select 0, $1, person, day, task_kind, surface, '', '', '', '', '2027-06-01', ${COUNTED.split(', ').map((counter) => (counter === 'shown' ? 'shown' : '0')).join(', ')}
       from unnest($2::int8[], $3::date[], $4::text[], $5::text[], $6::int4[]) r(person, day, task_kind, surface, shown)`,
    [deployment, facts.map(({ person }) => person), facts.map(({ day }) => day), facts.map(({ task_kind }) => task_kind), facts.map(({ surface }) => surface), shown]);
  const [{ sums }] = (await database.query<{ sums: string }>(`select string_agg(case when column_name in (${COUNTED.split(', ').map((name) => `'${name}'`).join(', ')}) then format('sum(%I)', column_name) else '0' end, ', ' order by ordinal_position) as sums
     from information_schema.columns where table_name = 'person_day_sum' and ordinal_position > 5`)) as [{ sums: string }];
  await database.query(`insert into person_day_sum select shard, deployment, person, day, max(revised_at), ${sums} from person_day where deployment = $1 group by shard, deployment, person, day`, [deployment]);
  await database.query(`insert into day_revision select shard, deployment, day, max(revised_at), count(*) from person_day where deployment = $1 group by shard, deployment, day`, [deployment]);
  for (const { person, team, role, moves } of people) {
    const enable = (of: string, from: string, to: string | null) => database.query(`insert into roster values ($1, $2, $3, $4, $5, $6, false, '2026-06-01')`, [deployment, person, from, to, of, role ?? '']);
    await enable(team, '2026-01-01', moves === null ? null : dayAfter(moves, -1));
    if (moves !== null) await enable('team-new', moves, null);
  }
  return { deployment, handoff, days, facts };
}

const COUNTED = 'invocations, shown, accepted, overridden, undecided, dismissed, navigated, stopped, timed_out, worked_around, active_accepted, active_overridden, tasks, tasks_used, tasks_consulted, tasks_conflicting';

/** A sum that was told: of which days and of which values of dimensions. */
type Told = Pick<AnswerRow, 'from' | 'to' | 'by' | 'denominator'>;

/** Everything that is told of results shown on a morning. */
async function everything({ deployment, handoff, days }: World, morning: string, sandbox: boolean, below: (limit: number) => number): Promise<AnswerRow[]> {
  const rows: AnswerRow[] = [];
  const range = (): Pick<Asked, 'from' | 'to'> => {
    const [one, other] = [below(days.length), below(days.length)];
    return { from: days[Math.min(one, other)], to: days[Math.max(one, other)] };
  };
  const monday = new Date(morning).getUTCDay() === 1;
  const cuts = ['', ...(monday ? ['team', 'role', 'task_kind', 'surface', 'stage', 'handoff_week', 'task_kind,team', 'role,task_kind', 'task_kind,surface', 'stage,team', 'stage,task_kind'] : [])];
  for (const by of cuts) for (const grain of by === '' ? ['day', 'week', 'month', 'all'] : by.includes(',') ? ['all'] : ['week', 'all']) for (const asked of [{}, range()]) {
    const subject = { deployment, version: 1, registration: { ...DEFAULT_REGISTRATION, handoff, sandbox }, closures: [], completeThrough: Date.parse(`${morning}T05:00:00Z`) * 1000 };
    const question = understand({ metric: 'trust.acceptance', grain, by, ...asked });
    const answer = await (await prepareAnswer((sql, values) => database.query(sql, values), subject, question)).answer();
    rows.push(...answer.rows.filter(({ variant }) => variant === 'shown'));
  }
  return rows;
}

const weeksSince = (handoff: string, day: string): string => {
  const monday = (of: string) => Math.floor((Date.parse(of) / DAY_MS + 3) / 7);
  return String(monday(day) - monday(handoff));
};

function sumsOf({ facts, handoff }: World, told: readonly Told[]): number[][] {
  return told.map(({ from, to, by }) => facts.flatMap((fact, i) => {
    const isIn = fact.day >= from && fact.day <= to && Object.entries(by).every(([dimension, value]) => (dimension === 'handoff_week' ? weeksSince(handoff, fact.day) : fact[dimension as 'team']) === value);
    return isIn ? [i] : [];
  }));
}

const labelOf = ({ from, to, by }: Told): string => JSON.stringify([from, to, by]);

/** Whoever asks on these mornings, and remembers. What was told once must stand. */
async function attack(of: World, mornings: readonly string[], sandbox = false): Promise<{ told: Map<string, AnswerRow>; hidden: number }> {
  const { below } = randomness(SEED + 1_000 + of.deployment);
  const told = new Map<string, AnswerRow>();
  let hidden = 0;
  for (const morning of mornings) for (const row of await everything(of, morning, sandbox, below)) {
    if (row.suppressed) hidden++;
    else {
      const before = told.get(labelOf(row));
      if (before) expect([labelOf(row), row.denominator]).toEqual([labelOf(row), before.denominator]);
      told.set(labelOf(row), row);
    }
  }
  return { told, hidden };
}

function randomness(seed: number) {
  const { below, next } = seeded(seed);
  return { below, chance: (share: number) => next() < share };
}

describe.each(Array.from({ length: DEPLOYMENTS }, (_, i) => i + 1))('deployment %i', (deployment) => {
  it('nobody is recovered, and without hiding, or with hiding of small cells only, many are', async () => {
    const of = await world(deployment);
    const { told, hidden } = await attack(of, [...of.days.slice(1), dayAfter(of.days.at(-1)!, 1)]);
    const sums = [...told.values()].filter(({ people }) => people! > 0);
    const groups = recovered(of.facts, sumsOf(of, sums), ENOUGH);
    const people = new Set(of.facts.map(({ person }) => person)).size;
    console.info(`deployment ${deployment}: ${people} people, ${of.facts.length} facts; ${sums.length} sums told, ${hidden} times one was hidden; ${groups.length} groups recovered`);
    for (const { people: behind } of sums) expect(behind).toBeGreaterThanOrEqual(ENOUGH);
    expect(groups).toEqual([]);
    expect(sums.length).toBeGreaterThan(60);

    const bare = [...(await attack(of, of.days.filter((day) => new Date(day).getUTCDay() === 1).slice(-2), true)).told.values()].filter(({ people: behind }) => behind! > 0);
    const onlySmall = bare.filter(({ people: behind }) => behind! >= ENOUGH);
    const [all, some] = [recovered(of.facts, sumsOf(of, bare), ENOUGH).length, recovered(of.facts, sumsOf(of, onlySmall), ENOUGH).length];
    console.info(`deployment ${deployment}: ${all} groups recovered without hiding, ${some} where only cells of few people are hidden`);
    expect(all).toBeGreaterThan(0);
    expect(some).toBeGreaterThan(0);
  }, 600_000);
});
