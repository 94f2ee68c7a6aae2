/** Logs, spans and metrics. A span a batch, never a span an event; a tenth of traces is sampled unless the sender decided. */
import { context, metrics, trace, TraceFlags, type Attributes, type Context, type Link, type Span, type SpanContext } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, NodeTracerProvider, ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-node';
import pino, { type Logger } from 'pino';
import { type Config } from './config.js';

/** Structured lines on stderr, with the trace they belong to. Never a subject, a payload or a secret. */
export function openLogger(process: string, level: string): Logger {
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
    pino.destination(2),
  );
}

const prometheus = new PrometheusExporter({ preventServerStart: true });

/** Starts spans and metrics of this process; the result flushes and stops them. */
export function startTelemetry(process: string, config: Config): () => Promise<void> {
  const resource = resourceFromAttributes({ 'service.name': `foothold-${process}` });
  const spans = new NodeTracerProvider({
    resource,
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.1) }),
    spanProcessors: config.OTEL_EXPORTER_OTLP_ENDPOINT
      ? [new BatchSpanProcessor(new OTLPTraceExporter({ url: `${config.OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/$/, '')}/v1/traces` }))]
      : [],
  });
  spans.register();
  const meters = new MeterProvider({ resource, readers: [prometheus] });
  metrics.setGlobalMeterProvider(meters);
  return async () => {
    await Promise.all([spans.shutdown(), meters.shutdown()]);
  };
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
