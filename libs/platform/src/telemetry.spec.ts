/** What is sampled, which trace a log line names, and gauges whose value somebody has to be asked for. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { readConfig } from './config.js';
import { askedGauge, askedGauges, currentTraceparent, inSpan, measuring, metricsText, openLogger, startTelemetry } from './telemetry.js';

const SAMPLED = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const UNSAMPLED = SAMPLED.replace(/01$/, '00');
const spans = new InMemorySpanExporter();
/** Made before metrics are started, as by a file that is imported. */
const counted = measuring((meter) => meter.createCounter('spec.counted'));
let stop: () => Promise<void>;

beforeAll(() => {
  stop = startTelemetry('spec', readConfig({ OTEL_TRACES_SAMPLER_ARG: '0' }), [new SimpleSpanProcessor(spans)]);
});
afterAll(() => stop());
beforeEach(() => spans.reset());

const nothing = () => Promise.resolve();
const shown = async (name: string) => new RegExp(`^foothold_${name}(?:\\{.*\\})? (.*)$`, 'm').exec(await metricsText())?.[1];

describe('spans', () => {
  it('are those of traces that their senders sampled', async () => {
    await inSpan('mine', {}, [], nothing);
    await inSpan('theirs', {}, [UNSAMPLED, undefined, 'nonsense'], nothing);
    await inSpan('sampled', {}, [UNSAMPLED, SAMPLED], nothing);
    expect(spans.getFinishedSpans().map(({ name, parentSpanContext }) => [name, parentSpanContext?.traceId, parentSpanContext?.spanId])).toEqual([['sampled', SAMPLED.slice(3, 35), SAMPLED.slice(36, 52)]]);
  });
});

describe('log lines', () => {
  it('name the trace they belong to', async () => {
    const lines: Record<string, unknown>[] = [];
    const logger = openLogger('spec', 'info', { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
    logger.info('before');
    await inSpan('work', {}, [SAMPLED], async () => {
      await nothing();
      logger.info('within');
    });
    let mine = '';
    await inSpan('work', {}, [], async () => {
      mine = currentTraceparent()!;
      await nothing();
      logger.warn('of no trace that is sampled');
    });
    expect(lines.map(({ msg, trace }) => [msg, trace])).toEqual([['before', undefined], ['within', SAMPLED.slice(3, 35)], ['of no trace that is sampled', mine.slice(3, 35)]]);
  });
});

describe('metrics', () => {
  it('count from their first use on', async () => {
    counted().add(2);
    counted().add(3);
    expect(await shown('spec_counted_total')).toBe('5');
  });

  it('ask for a gauge at most every 5 s, and show an answer for 30 s', async () => {
    let now = 0;
    let asked = 0;
    let answer: () => Promise<number> = () => Promise.resolve(asked);
    askedGauge('spec.asked', {}, async () => {
      asked++;
      return [{ value: await answer() }];
    }, () => now);
    const at = (ms: number) => ((now = ms), shown('spec_asked'));
    expect([await at(0), await at(4_999), await at(5_000), await at(9_999)]).toEqual(['1', '1', '2', '2']);
    answer = () => Promise.reject(new Error('away'));
    expect([await at(10_000), await at(35_000), await at(35_001), asked]).toEqual(['2', '2', 'NaN', 4]);
    answer = () => Promise.resolve(7);
    expect([await at(39_999), await at(40_000)]).toEqual(['NaN', '7']);
  });

  it('ask once for what several gauges show', async () => {
    let asked = 0;
    const one = (name: string, of: number) => ({ name, options: {}, read: (answer: number) => [{ value: answer * of }] });
    askedGauges([one('spec.once', 1), one('spec.twice', 2), one('spec.thrice', 3)], () => Promise.resolve(++asked), () => 0);
    expect([await shown('spec_once'), await shown('spec_twice'), await shown('spec_thrice'), asked]).toEqual(['1', '2', '3', 1]);
  });

  it('do not wait for an answer that does not come, nor ask again meanwhile', async () => {
    let now = 0;
    let asked = 0;
    let answer!: (value: { value: number }[]) => void;
    askedGauge('spec.hanging', {}, () => {
      asked++;
      return new Promise((resolve) => (answer = resolve));
    }, () => now);
    const began = Date.now();
    expect(await shown('spec_hanging')).toBeUndefined();
    expect(Date.now() - began).toBeLessThan(3_000);
    now = 60_000;
    expect([await shown('spec_hanging'), asked]).toEqual([undefined, 1]);
    answer([{ value: 3 }]);
    expect([await shown('spec_hanging'), asked]).toEqual(['3', 1]);
  });
});
