import { DIMENSIONS, GRAINS, WrongInput } from '@foothold/contract';
import { describe, expect, it } from '@jest/globals';
import { dayNumber } from '../local-day.js';
import { CATALOGUE } from './catalogue.js';
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
});
