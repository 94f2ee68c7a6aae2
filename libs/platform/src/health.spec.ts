/** Health by a frozen clock: who beats lives, who does not is told by name; what does not answer, or too late, is not ready. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Health } from './health.js';

let now: number;
let health: Health;

beforeEach(() => {
  now = 1_000_000;
  health = new Health(undefined, () => now);
});

describe('liveness', () => {
  it('is there where nothing has to beat', () => expect(health.live()).toEqual({ ok: true, checks: [] }));

  it('lasts as long as a part may be silent, from its start and from each beat', () => {
    const beat = health.part('folding', 5_000);
    now += 5_000;
    expect(health.live()).toEqual({ ok: true, checks: [{ name: 'folding', ok: true, detail: 'last progress 5.0 s ago, 5 s allowed' }] });
    now += 1;
    expect(health.live().ok).toBe(false);
    beat();
    expect(health.live()).toEqual({ ok: true, checks: [{ name: 'folding', ok: true, detail: 'last progress 0.0 s ago, 5 s allowed' }] });
    now += 5_001;
    expect(health.live()).toEqual({ ok: false, checks: [{ name: 'folding', ok: false, detail: 'last progress 5.0 s ago, 5 s allowed' }] });
  });

  it('ends with any part, whatever the others do', () => {
    const beat = health.part('reading', 1_000);
    health.part('folding', 2_000);
    now += 2_001;
    beat();
    expect(health.live()).toMatchObject({ ok: false, checks: [{ name: 'reading', ok: true }, { name: 'folding', ok: false }] });
  });
});

describe('readiness', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('is there where everything answers, silent parts or not', async () => {
    health.part('folding', 1);
    health.need('database', () => Promise.resolve([]));
    now += 10;
    expect(await health.ready()).toEqual({ ok: true, checks: [{ name: 'database', ok: true, detail: 'answers' }] });
  });

  it('ends with what refuses, whose words are kept to the log', async () => {
    health.need('database', () => Promise.resolve([]));
    health.need('kafka', () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.7:9092')));
    expect(await health.ready()).toEqual({ ok: false, checks: [{ name: 'database', ok: true, detail: 'answers' }, { name: 'kafka', ok: false, detail: 'does not answer; the log says why' }] });
  });

  it('tells the log why, once for as long as it lasts, and that it is over', async () => {
    const told: string[] = [];
    const telling = new Health((text) => told.push(text));
    let away = true;
    telling.need('kafka', async () => {
      if (away) throw new Error('connect ECONNREFUSED 10.0.0.7:9092');
    });
    for (let i = 0; i < 3; i++) expect((await telling.ready()).ok).toBe(false);
    away = false;
    for (let i = 0; i < 2; i++) expect((await telling.ready()).ok).toBe(true);
    expect(told).toEqual(['not ready: kafka does not answer: connect ECONNREFUSED 10.0.0.7:9092', 'kafka answers again']);
  });

  it('waits three seconds for what hangs, for all of it together', async () => {
    for (const name of ['database', 'kafka']) health.need(name, () => new Promise(() => undefined));
    const answered = jest.fn();
    const asked = health.ready().then(answered);
    await jest.advanceTimersByTimeAsync(2_999);
    expect(answered).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    await asked;
    expect(answered).toHaveBeenCalledWith(expect.objectContaining({ ok: false, checks: [expect.objectContaining({ name: 'database', ok: false }), expect.objectContaining({ name: 'kafka', ok: false })] }));
    expect(jest.getTimerCount()).toBe(0);
  });
});
