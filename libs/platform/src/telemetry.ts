/** Logs, spans and metrics. A span and a record of each metric a batch, never one an event; no metric is told by tenant, deployment, person or topic. */
import { context, metrics, trace, TraceFlags, type Attributes, type Context, type Link, type Meter, type MetricOptions, type Span, type SpanContext } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, NodeTracerProvider, ParentBasedSampler, TraceIdRatioBasedSampler, type SpanProcessor } from '@opentelemetry/sdk-trace-node';
import pino, { type DestinationStream, type Logger } from 'pino';
import { type Config } from './config.js';

/** Structured lines on stderr, with the trace they belong to. Never a subject, a payload or a secret. */
export function openLogger(process: string, level: string, to: DestinationStream = pino.destination(2)): Logger {
  return pino(
    {
      level,
      base: { process },
      timestamp: pino.stdTimeFunctions.isoTime,
      mixin: () => {
        const span = trace.getSpan(context.active())?.spanContext();
        return span ? { trace: span.traceId } : {};
      },
    },
    to,
  );
}

const prometheus = new PrometheusExporter({ preventServerStart: true });

/** Starts spans and metrics of this process; `spanProcessors` take the spans. The result flushes and stops them. */
export function startTelemetry(process: string, config: Config, spanProcessors: SpanProcessor[] = exporters(config)): () => Promise<void> {
  const resource = resourceFromAttributes({ 'service.name': `foothold-${process}` });
  const spans = new NodeTracerProvider({
    resource,
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(config.OTEL_TRACES_SAMPLER_ARG) }),
    spanProcessors,
  });
  spans.register();
  const meters = new MeterProvider({ resource, readers: [prometheus] });
  metrics.setGlobalMeterProvider(meters);
  return async () => {
    await Promise.all([spans.shutdown(), meters.shutdown()]);
  };
}

function exporters({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }: Config): SpanProcessor[] {
  return endpoint === null ? [] : [new BatchSpanProcessor(new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` }))];
}

/** Instruments, made at their first use: those made before a process has started its metrics count nothing. */
export function measuring<Instruments>(make: (meter: Meter) => Instruments): () => Instruments {
  let made: Instruments | undefined;
  return () => (made ??= make(metrics.getMeter('foothold')));
}

/** What a gauge shows, of what. */
export interface Reading {
  value: number;
  attributes?: Attributes;
}

/** An answer is asked for no more often, however often it is scraped. */
const FRESH_MS = 5_000;
/** How long a scrape waits for an answer, and how old the one it shows may be: NaN is better than a figure from before an outage. */
const ANSWER_MS = 1_000;
const OLD_MS = 30_000;

/** A gauge whose value somebody else has to be asked for: a scrape is no load on them, and none of theirs holds it up. */
export function askedGauge(name: string, options: MetricOptions, ask: () => Promise<Reading[]>, now: () => number = Date.now): void {
  askedGauges([{ name, options, read: (readings) => readings }], ask, now);
}

/** Such a gauge among several that show one answer. */
export interface AskedGauge<Answer> {
  name: string;
  options: MetricOptions;
  read: (answer: Answer) => Reading[];
}

/** Several of which the same answer says what they show: it is asked for once. */
export function askedGauges<Answer>(gauges: readonly AskedGauge<Answer>[], ask: () => Promise<Answer>, now: () => number = Date.now): void {
  let asking: Promise<void> | undefined;
  let askedAt = -Infinity;
  let known: { answer: Answer; at: number } | undefined;
  const look = async (): Promise<void> => {
    askedAt = now();
    known = await ask().then((answer) => ({ answer, at: now() }), () => known); // whoever does not answer is told of in the log and by /health/ready
    asking = undefined;
  };
  for (const { name, options, read } of gauges) metrics.getMeter('foothold').createObservableGauge(name, options).addCallback(async (result) => {
    if (!asking && now() - askedAt >= FRESH_MS) asking = look();
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([asking, new Promise((resolve) => (timer = setTimeout(resolve, ANSWER_MS)))]);
    clearTimeout(timer);
    const old = known !== undefined && now() - known.at > OLD_MS;
    // Left out, the gauge would go on showing its last value.
    for (const { value, attributes } of known ? read(known.answer) : []) result.observe(old ? NaN : value, attributes);
  });
}

/** This process's metrics as Prometheus reads them. */
export async function metricsText(): Promise<string> {
  const { resourceMetrics } = await prometheus.collect();
  return new PrometheusSerializer('foothold').serialize(resourceMetrics);
}

/** Traces that one batch's span goes on with or links to, at most. */
const TRACES = 32;

/**
 * Runs a batch's work in a span. It goes on with the first sampled trace that the batch's records carry, so that one trace
 * leads from a host's call to the read tables, and links to the others.
 * @param carried W3C traceparents, as they came
 */
export async function inSpan<T>(name: string, attributes: Attributes, carried: Iterable<string | undefined>, work: (span: Span) => Promise<T>): Promise<T> {
  const { parent, links } = placeAmong(carried);
  return trace.getTracer('foothold').startActiveSpan(name, { attributes, links }, parent, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      span.recordException(error as Error);
      throw error;
    } finally {
      span.end();
    }
  });
}

/** The span of work that was done, for whoever learns only then which traces it belongs to. `began`: milliseconds since 1970. */
export function spanOf(name: string, attributes: Attributes, carried: Iterable<string | undefined>, began: number): void {
  const { parent, links } = placeAmong(carried);
  trace.getTracer('foothold').startSpan(name, { attributes, links, startTime: began }, parent).end();
}

function placeAmong(carried: Iterable<string | undefined>): { parent: Context; links: Link[] } {
  const found = new Map<string, SpanContext>();
  for (const traceparent of carried) {
    if (!isSampled(traceparent)) continue;
    const [, traceId, spanId] = traceparent.split('-') as [string, string, string];
    if (!found.has(traceId)) found.set(traceId, { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true });
    if (found.size === TRACES) break;
  }
  const [first, ...others] = found.values();
  return { parent: first ? trace.setSpanContext(context.active(), first) : context.active(), links: others.map((one) => ({ context: one })) };
}

/** Whether a text is a W3C traceparent that its sender sampled. */
export function isSampled(traceparent: string | undefined): traceparent is string {
  return traceparent !== undefined && /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/.test(traceparent);
}

/** The traceparent of the span this runs in; undefined outside of one. */
export function currentTraceparent(): string | undefined {
  const span = trace.getSpan(context.active())?.spanContext();
  return span && `00-${span.traceId}-${span.spanId}-0${span.traceFlags & TraceFlags.SAMPLED}`;
}
