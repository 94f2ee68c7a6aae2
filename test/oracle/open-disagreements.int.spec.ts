/**
 * Where the product and the oracle are known to differ, each by its smallest history. Each of these passes while they
 * differ; once they agree it fails, and is then to be taken out here and in open-disagreements.ts.
 */
import { shardOf } from '@foothold/event-log';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DEPLOYMENT, openSides, recorded, written } from './both-sides.js';
import { type Period } from './facts.js';
import { pseudonym, type LongHistory } from './long-history.js';
import { type HistoryEvent, type Question } from './oracle.js';
import { accepted, at, shown, started } from './oracle-fixture.js';

let sides: Awaited<ReturnType<typeof openSides>>;

beforeAll(async () => {
  sides = await openSides();
});

afterAll(() => sides?.close());

let tenants = 0;
const nextTenant = (): string => `open-${String(tenants + 1)}`;

/** The days of a row are those of its question, where nothing else is at stake. */
const undated = (row: string): string => row.replace(/^\S+ \S+ /, '');

/** The rows that only one of them gives, without their days. */
async function rowsOfOneOnly(told: HistoryEvent[], question: Partial<Question>, more: Partial<LongHistory> = {}) {
  const tenant = nextTenant();
  tenants += 1;
  const events = told.map(({ id, source, type, time, person, actor, data }) => ({
    specversion: '1.0', id: `own:${id}`, source: `urn:host:${source}`, type: `foothold.${type}.v1`, time: new Date(time / 1_000).toISOString(), deployment: DEPLOYMENT,
    subject: pseudonym(person), data: { ...data, ...(actor === null ? {} : { actor: pseudonym(actor) }) },
  }));
  const history: LongHistory = { timeZone: 'UTC', taskKinds: null, handoff: null, roster: {}, closures: [], completeThrough: at('2024-12-31T00:00:00Z'), ...more, events };
  const { worked, answered } = await recorded(sides.database, tenant, history);
  const asked: Question = { deployment: DEPLOYMENT, metric: '', grain: 'all', by: [], completeThrough: history.completeThrough, ...question };
  const expected = worked(asked);
  const [product, oracle] = [written(await answered(asked), expected), written(expected, expected)];
  return { oracle: oracle.filter((row) => !product.includes(row)).map(undated), product: product.filter((row) => !oracle.includes(row)).map(undated) };
}

const use = (id: string, when: string, person = 'ann', actor: string | null = null): HistoryEvent[] =>
  [started(id, when, { person, data: { surface: 'in-workflow', initiative: 'person' } }), shown(id, when, { person }), accepted(id, when, { person, actor })];
const period = (from: string, to: string | null, team: string): Period => ({ team, role: '', from, to, leave: false });
const rostered = (...people: [string, ...Period[]][]): Record<string, Period[]> => Object.fromEntries(people.map(([person, ...periods]) => [pseudonym(person), periods]));
const lying = (id: string, when: string): HistoryEvent[] => use(id, when).slice(0, 2);
const withoutRole = { roster: rostered(['ann', period('2024-03-01', '2024-03-13', 'north')]), completeThrough: at('2024-03-14T12:00:00Z') };

describe('the small histories themselves', () => {
  test('are compared: on plain use both agree', async () => {
    expect(await rowsOfOneOnly(use('1', '03-04 09:00'), { metric: 'adoption.active_people', grain: 'day' })).toEqual({ oracle: [], product: [] });
  });
});

describe('open', () => {
  // Of no team until the 10th, on no roster from the 11th, a result accepted in each: one person without a team.
  test('somebody without a team and somebody without a roster are one and the same', async () => {
    const found = await rowsOfOneOnly([...use('1', '03-04 09:00'), ...use('2', '03-14 09:00')], { metric: 'trust.acceptance', by: ['team'] }, { roster: rostered(['ann', period('2024-03-01', '2024-03-10', '')]) });
    expect(found).toEqual({
      oracle: ['decided team=: 1 = 2 / 2, 1 people', 'people team=: 1 = 1 / 1, 1 people', 'people_shown team=: 1 = 1 / 1, 1 people', 'shown team=: 1 = 2 / 2, 1 people'],
      product: ['decided team=: 1 = 2 / 2, 2 people', 'people team=: 1 = 2 / 2, 2 people', 'people_shown team=: 1 = 2 / 2, 2 people', 'shown team=: 1 = 2 / 2, 2 people'],
    });
  });

  // Of no role until the 13th and off the roster on the 14th, ann leaves two results lying, one each day, both pending: of 2 shown, 2.
  test('what somebody without a role leaves lying is counted once', async () => {
    const found = await rowsOfOneOnly([...lying('1', '03-13 13:00'), ...lying('2', '03-14 09:00')], { metric: 'trust.abandonment', by: ['role'] }, withoutRole);
    expect(found.oracle).toContain('pending role=: 1 = 2 / 2, 1 people');
    expect(found.product).toContain('pending role=: 1 = 4 / 4, 4 people');
  });

  // One lying since the 4th, and on the 14th three that are pending: an answer, not an error.
  test('what somebody without a role leaves lying has an answer', async () => {
    const told = [...lying('1', '03-04 13:00'), ...lying('2', '03-14 07:00'), ...lying('3', '03-14 08:00'), ...lying('4', '03-14 09:00')];
    await expect(rowsOfOneOnly(told, { metric: 'trust.abandonment', by: ['role'] }, withoutRole)).rejects.toThrow('sumX is out of its range: -2');
  });

  // Ann decides on her own result and on one of somebody whose events lie in another shard, on one day: 1 of 28 days, 1 of 20.
  test('a day on which somebody decided for others too is one day', async () => {
    const shard = (person: string): number => shardOf(nextTenant(), DEPLOYMENT, pseudonym(person));
    const other = Array.from({ length: 100 }, (_, i) => `other ${String(i)}`).find((name) => shard(name) !== shard('ann'))!;
    const found = await rowsOfOneOnly([...use('1', '03-04 09:00'), ...use('2', '03-04 10:00', other, 'ann')], { metric: 'adoption.stickiness', grain: 'day' });
    expect(found).toEqual({
      oracle: ['all_days : 0.0357143 = 0.0357143 / 1, 1 people', 'working_days : 0.05 = 0.05 / 1, 1 people'],
      product: ['all_days : 0.0714286 = 0.0714286 / 1, 1 people', 'working_days : 0.1 = 0.1 / 1, 1 people'],
    });
  });

  // Nine exposed weeks over by then without activity; first active on Tuesday 12 March, in the week that is not over: lapsed.
  test('who began in the week that is not yet over was active before', async () => {
    const more = { roster: rostered(['ann', period('2024-01-01', null, 'north')]), completeThrough: at('2024-03-14T12:00:00Z') };
    const found = await rowsOfOneOnly(use('1', '03-12 09:00'), { metric: 'adoption.habit', from: '2024-03-01', to: '2024-03-14' }, more);
    expect(found).toEqual({
      oracle: ['lapsed : 1 0.2065493..1 = 1 / 1, 1 people', 'never : 0 0..0.7934507 = 0 / 1, 1 people'],
      product: ['lapsed : 0 0..0.7934507 = 0 / 1, 1 people', 'never : 1 0.2065493..1 = 1 / 1, 1 people'],
    });
  });

  // Counted from Wednesday 10 January to Monday 4 March: whole are the weeks from 15 January to 3 March, and February.
  test.each(['week', 'month'] as const)('of all there is, the first and the last %s are cut', async (grain) => {
    const found = await rowsOfOneOnly([...use('1', '01-10 09:00'), ...use('2', '03-04 09:00')], { metric: 'adoption.growth', grain });
    expect(found.oracle).toEqual([]);
    expect(found.product.filter((row) => row.startsWith('active'))).toEqual(['active : 1 = 1 / null, 1 people', 'active : 1 = 1 / null, 1 people']);
  });

  // Bob is on the roster, and did nothing; ann is not, and decided.
  test('decisions of people beside the roster are of people too', async () => {
    const found = await rowsOfOneOnly(use('1', '03-04 09:00'), { metric: 'adoption.decomposition' }, { roster: rostered(['bob', period('2024-01-01', null, 'north')]) });
    expect(found.oracle).toContain('decisions : 1 = 1 / 0, 2 people');
    expect(found.product).toContain('decisions : 1 = 1 / 0, 1 people');
  });

  test('where there is no working day the denominator is who was active', async () => {
    const closures = [{ from: '2024-01-01', to: '2024-03-31', reason: 'strike' }];
    const found = await rowsOfOneOnly(use('1', '03-04 09:00'), { metric: 'adoption.stickiness', grain: 'day' }, { closures });
    expect(found).toEqual({ oracle: ['working_days : null = null / 1, 1 people'], product: ['working_days : null = 0 / 0, 0 people'] });
  });

  test('without a roster nothing is known of those enabled, nor of teams', async () => {
    const [one, none] = ['null = null / null, 0 people', 'null = 0 / 0, 0 people'];
    const rows = (text: string): string[] => ['enabled_bracket', 'enabled_unbounded', 'enabled_week'].map((variant) => `${variant} : ${text}`);
    expect(await rowsOfOneOnly(use('1', '03-04 09:00'), { metric: 'adoption.retention' })).toEqual({ oracle: rows(one), product: rows(none) });
    expect(await rowsOfOneOnly(use('1', '03-04 09:00'), { metric: 'adoption.reach' })).toEqual({ oracle: [`all : ${one}`], product: [`all : ${none}`] });
  });

  // Of no team: one who is active, none who churned.
  test('by a dimension, what counts nobody has no row', async () => {
    const found = await rowsOfOneOnly(use('1', '03-05 09:00'), { metric: 'adoption.growth', grain: 'week', by: ['team'], from: '2024-03-04', to: '2024-03-10' });
    expect(found).toEqual({ oracle: [], product: ['churned team=: 0 = 0 / null, 0 people'] });
  });
});
