import { WrongInput } from '@foothold/contract';
import { describe, expect, it } from '@jest/globals';
import { dayNumber } from '../local-day.js';
import { CATALOGUE, DIMENSIONS, GRAINS } from './catalogue.js';
import { understand, type Asked } from './question.js';

const refused = (asked: Asked): WrongInput => {
  try {
    understand(asked);
  } catch (error) {
    if (error instanceof WrongInput) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(asked)} was understood`);
};

describe('a question', () => {
  it('left open asks for all there is, in one stretch where the metric can be answered so', () => {
    expect(understand({ metric: 'trust.acceptance' })).toEqual({ metric: CATALOGUE.find(({ id }) => id === 'trust.acceptance'), grain: 'all', from: null, to: null, by: [] });
    expect(understand({ metric: 'adoption.active_people' })).toMatchObject({ grain: 'day', from: null, to: null, by: [] });
  });

  it('is understood in full', () => {
    expect(understand({ metric: 'trust.override', grain: 'week', from: '2026-01-31', to: '2026-02-01', by: 'surface, model' })).toMatchObject({
      metric: { id: 'trust.override' }, grain: 'week', from: dayNumber('2026-01-31'), to: dayNumber('2026-02-01'), by: ['surface', 'model'],
    });
    expect(understand({ metric: 'trust.override', from: '2026-01-31', to: '2026-01-31', by: '' })).toMatchObject({ from: 20_484, to: 20_484, by: [] });
    expect(understand({ metric: 'trust.override', from: '2026-01-31' })).toMatchObject({ from: 20_484, to: null });
    expect(understand({ metric: 'trust.override', to: '2026-01-31' })).toMatchObject({ from: null, to: 20_484 });
  });

  it('may ask every metric for each of its grains and dimensions, and for no other', () => {
    for (const metric of CATALOGUE) {
      for (const grain of GRAINS) {
        if (metric.grains.includes(grain)) expect(understand({ metric: metric.id, grain }).grain).toBe(grain);
        else expect(refused({ metric: metric.id, grain }).field).toBe('grain');
      }
      for (const by of DIMENSIONS) {
        if (metric.dimensions.includes(by)) expect(understand({ metric: metric.id, by }).by).toEqual([by]);
        else expect(refused({ metric: metric.id, by }).field).toBe('by');
      }
    }
  });

  const metric = 'trust.acceptance';
  it.each<[Asked, string, RegExp]>([
    [{ metric: 'trust' }, 'metric', /there is no metric "trust"\. choose one of adoption\.active_people, adoption\.coverage, trust\.acceptance/],
    [{ metric: '' }, 'metric', /there is no metric ""/],
    [{ metric, grain: 'quarter' }, 'grain', /"quarter" is no grain\. choose one of day, week, month, all/],
    [{ metric, grain: 'toString' }, 'grain', /no grain/],
    [{ metric: 'adoption.active_people', grain: 'month' }, 'grain', /month.*choose one of day, week/],
    [{ metric, from: '2026-02-30' }, 'from', /"2026-02-30" is no day\. write a day as YYYY-MM-DD/],
    [{ metric, to: 'yesterday' }, 'to', /"yesterday" is no day/],
    [{ metric, from: '' }, 'from', /"" is no day/],
    [{ metric, from: '2026-02-02', to: '2026-02-01' }, 'from', /2026-02-02 is after 2026-02-01/],
    [{ metric, by: 'team' }, 'by', /trust\.acceptance has no dimension "team"\. choose from task_kind, surface, initiative, model, release/],
    [{ metric, by: 'surface,' }, 'by', /no dimension ""/],
    [{ metric, by: 'surface,surface' }, 'by', /named twice/],
    [{ metric: 'adoption.coverage', by: 'surface' }, 'by', /adoption\.coverage has no dimension "surface"\. choose from task_kind/],
  ])('%j is refused, naming %s, what is wrong and what may be asked', (asked, field, message) => {
    const error = refused(asked);
    expect(error.field).toBe(field);
    expect(error.message).toMatch(message);
    expect(error.fix).not.toBe('');
  });
});
