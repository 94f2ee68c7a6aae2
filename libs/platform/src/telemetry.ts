/** Logs and spans. A span a batch, never a span an event; a tenth of traces is sampled unless the sender decided. */
import { context, trace, TraceFlags, type Attributes, type Link, type Span } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
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

/** Starts tracing for this process; the result flushes and stops it. */
export function startTracing(process: string, config: Config): () => Promise<void> {
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': `foothold-${process}` }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.1) }),
    spanProcessors: config.OTEL_EXPORTER_OTLP_ENDPOINT
      ? [new BatchSpanProcessor(new OTLPTraceExporter({ url: `${config.OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/$/, '')}/v1/traces` }))]
      : [],
  });
  provider.register();
  return () => provider.shutdown();
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
