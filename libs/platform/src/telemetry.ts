/** Logs, spans and metrics. A span a batch, never a span an event; a tenth of traces is sampled unless the sender decided. */
import { context, metrics, trace, TraceFlags, type Attributes, type Link, type Span } from '@opentelemetry/api';
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

/** Runs a batch's work in a span, linked to the traces its records carry. */
export async function inSpan<T>(name: string, attributes: Attributes, links: Link[], work: (span: Span) => Promise<T>): Promise<T> {
  return trace.getTracer('foothold').startActiveSpan(name, { attributes, links }, async (span) => {
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

/** A link to the trace of a W3C traceparent, where its sender sampled it. */
export function linkTo(traceparent: string | undefined): Link | undefined {
  const found = traceparent && /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec(traceparent);
  return found ? { context: { traceId: found[1]!, spanId: found[2]!, traceFlags: TraceFlags.SAMPLED, isRemote: true } } : undefined;
}
