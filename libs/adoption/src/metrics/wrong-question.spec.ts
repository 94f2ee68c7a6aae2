import { describe, expect, it } from '@jest/globals';
import { WrongInput } from '@foothold/contract';
import { DEFAULT_REGISTRATION } from '../registration.js';
import { prepareAnswer } from './answer.js';
import { CATALOGUE } from './catalogue.js';
import { type Query, type Subject } from './metric.js';
import { understand, type Asked, type Question } from './question.js';

const coverage = (more: Partial<Asked> = {}): Asked => ({ metric: 'adoption.coverage', ...more });

describe('a question', () => {
  it.each<[string, Asked, string, string, string]>([
    ['an unknown metric', { metric: 'adoption.use' }, 'metric', '"adoption.use"', 'adoption.enabled, adoption.activated'],
    ['no metric', { metric: '' }, 'metric', '""', 'choose one of adoption.enabled'],
    ['a method’s name', { metric: 'toString' }, 'metric', '"toString"', 'choose one of'],
    ['a metric in capitals', { metric: 'Adoption.Coverage' }, 'metric', '"Adoption.Coverage"', 'choose one of'],
    ['an unknown grain', coverage({ grain: 'quarter' }), 'grain', '"quarter" is no grain', 'day, week, month, all'],
    ['an empty grain', coverage({ grain: '' }), 'grain', '"" is no grain', 'day, week, month, all'],
    ['SQL for a grain', coverage({ grain: "day', now()); --" }), 'grain', 'is no grain', 'day, week, month, all'],
    ['a grain the metric does not have', { metric: 'adoption.active_people', grain: 'all' }, 'grain', 'has no grain all', 'choose one of day, week'],
    ['a day that does not exist', coverage({ from: '2026-02-29' }), 'from', '"2026-02-29" is no day', 'YYYY-MM-DD'],
    ['a month', coverage({ from: '2026-02' }), 'from', '"2026-02" is no day', 'YYYY-MM-DD'],
    ['a day without noughts', coverage({ to: '2026-2-1' }), 'to', '"2026-2-1" is no day', 'YYYY-MM-DD'],
    ['a day written the other way round', coverage({ to: '01-02-2026' }), 'to', 'is no day', 'YYYY-MM-DD'],
    ['an hour', coverage({ to: '2026-02-01T00:00:00Z' }), 'to', 'is no day', 'YYYY-MM-DD'],
    ['an empty day', coverage({ from: '' }), 'from', '"" is no day', 'YYYY-MM-DD'],
    ['year nought', coverage({ from: '0000-01-01' }), 'from', 'is no day', 'YYYY-MM-DD'],
    ['a day no event can be of', coverage({ to: '9999-12-31' }), 'to', 'is no day', 'YYYY-MM-DD'],
    ['other digits', coverage({ to: '２０２６-01-01' }), 'to', 'is no day', 'YYYY-MM-DD'],
    ['a line feed', coverage({ to: '2026-01-01\n' }), 'to', 'is no day', 'YYYY-MM-DD'],
    ['from after to', coverage({ from: '2026-02-02', to: '2026-02-01' }), 'from', '2026-02-02 is after 2026-02-01', 'the earlier day as from'],
    ['an unknown dimension', coverage({ by: 'colour' }), 'by', 'no dimension "colour"', 'choose from team, role, task_kind'],
    ['a dimension the metric does not have', coverage({ by: 'task_kind,model' }), 'by', 'adoption.coverage has no dimension "model"', 'choose from team, role, task_kind'],
    ['a dimension of a metric that has none', { metric: 'adoption.reach', by: 'team' }, 'by', 'adoption.reach has no dimension "team"', 'ask without by'],
    ['a column that tells people apart', { metric: 'trust.acceptance', by: 'person' }, 'by', 'no dimension "person"', 'choose from team, role, task_kind, surface'],
    ['SQL for a dimension', { metric: 'trust.acceptance', by: 'model; drop table event' }, 'by', 'no dimension "model; drop table event"', 'choose from team, role, task_kind, surface'],
    ['nothing between two dimensions', { metric: 'trust.acceptance', by: 'model,,surface' }, 'by', 'no dimension ""', 'choose from team, role, task_kind, surface'],
    ['a dimension twice', { metric: 'trust.acceptance', by: 'model, model' }, 'by', 'named twice', 'once'],
  ])('%s is refused', (_what, asked, field, reason, fix) => {
    const ask = () => understand(asked);
    expect(ask).toThrow(WrongInput);
    expect(ask).toThrow(expect.objectContaining({ field, reason: expect.stringContaining(reason), fix: expect.stringContaining(fix) }));
  });

  it('takes what the catalogue offers, all of it', () => {
    for (const { id, grains, dimensions } of CATALOGUE) {
      for (const grain of grains) expect(understand({ metric: id, grain, by: dimensions.join(', '), from: '2024-02-29', to: '2024-02-29' })).toMatchObject({ grain, by: dimensions, from: 19_782, to: 19_782 });
      expect(understand({ metric: id, by: '' })).toMatchObject({ from: null, to: null, by: [] });
    }
  });
});

const answer = async (query: Query, subject: Subject, question: Question) => (await prepareAnswer(query, subject, question)).answer();

describe('an answer', () => {
  const subject: Subject = { deployment: 1, version: 1, registration: DEFAULT_REGISTRATION, closures: [], agreement: { people: 5, dwellTimes: true }, completeThrough: null };
  const told: string[] = [];
  /** Read tables that hold days `first` to `last` and nothing else. */
  const holding = (first: number | null, last: number | null): Query => async (sql) => {
    told.push(sql);
    return [{ first, last, folded: null, at: null }] as never[];
  };

  it.each(CATALOGUE.map(({ id }) => id))('%s about nothing is empty', async (metric) => {
    await expect(answer(holding(null, null), subject, understand({ metric }))).resolves.toMatchObject({ metric, completeThrough: null, revisedAt: null, rows: [] });
    await expect(answer(holding(20_000, 20_010), subject, understand({ metric, to: '2024-01-01' }))).resolves.toMatchObject({ rows: [] });
  });

  it.each(CATALOGUE.map(({ id }) => id))('%s about centuries is refused before the database is asked', async (metric) => {
    for (const [query, asked] of [[holding(20_458, 20_458), { from: '1700-01-01' }], [holding(null, null), { from: '1700-01-01', to: '2254-12-31' }]] as const) {
      told.length = 0;
      await expect(answer(query, subject, understand({ metric, ...asked }))).rejects.toMatchObject({ name: 'WrongInput', field: 'from', fix: expect.stringContaining('3660 days at most') });
      expect(told).toHaveLength(1);
    }
  });
});
