/**
 * A collector in this process, for the specs of the SDK: what arrives it checks with the real boundary and keeps; before
 * that it fails in whatever way it was told to.
 */
import { checkEvent } from '@foothold/contract';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface StoredEvent {
  specversion: string;
  id: string;
  source: string;
  type: string;
  subject?: string;
  time: string;
  deployment: string;
  sequence: string;
  senttime: string;
  traceparent?: string;
  data: Record<string, unknown>;
}

/** Of one request. */
export interface Arrival {
  headers: IncomingMessage['headers'];
  bytes: number;
  events: StoredEvent[];
}

/** How a request fails: with an answer; kept, but the answer is lost; broken off unread; never answered. */
export type Failure = { status: number; headers?: Record<string, string>; body?: string } | 'answer lost' | 'reset' | 'no answer';

export class CollectorStub {
  readonly arrivals: Arrival[] = [];
  /** Everything that was kept, as often as it was sent. */
  readonly stored: StoredEvent[] = [];
  /** What the boundary found wrong, as `field: reason`. */
  readonly refusals: string[] = [];
  /** Says how the next request fails; undefined where it does not. */
  fail: (arrival: Arrival) => Failure | undefined = () => undefined;
  private readonly server = createServer((request, response) => void this.receive(request, response));
  private readonly waiting: { enough: () => boolean; resolve: () => void }[] = [];

  static async start(): Promise<CollectorStub> {
    const stub = new CollectorStub();
    await new Promise<void>((resolve) => stub.server.listen(0, '127.0.0.1', resolve));
    return stub;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The next requests fail in this order; those after them do not. */
  failNext(...failures: Failure[]): void {
    this.fail = () => failures.shift();
  }

  /** Once each, in the order they first came, without heartbeats. */
  get events(): StoredEvent[] {
    return this.distinct.filter((event) => event.type !== 'foothold.sdk.reported.v1');
  }

  get heartbeats(): StoredEvent[] {
    return this.distinct.filter((event) => event.type === 'foothold.sdk.reported.v1');
  }

  /** What all heartbeats together confess, by reason. */
  get confessed(): Record<string, number> {
    const sum: Record<string, number> = {};
    for (const { data } of this.heartbeats) for (const [reason, count] of Object.entries(data['dropped'] as Record<string, number>)) sum[reason] = (sum[reason] ?? 0) + count;
    return sum;
  }

  /** [`result.shown`, who, data without the invocation's id] of each event: what a spec wants to see of a story. */
  get story(): [string, string | undefined, Record<string, unknown>][] {
    return this.events.map(({ type, subject, data: { invocation: _, ...data } }) => [type.slice('foothold.'.length, -'.v1'.length), subject, data]);
  }

  /** Once enough has arrived. */
  until(enough: () => boolean): Promise<void> {
    return enough() ? Promise.resolve() : new Promise((resolve) => this.waiting.push({ enough, resolve }));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private get distinct(): StoredEvent[] {
    return [...new Map(this.stored.map((event) => [event.id, event])).values()];
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on('error', () => undefined);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // the client went away
    }
    const body = Buffer.concat(chunks);
    const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString();
    const arrival: Arrival = { headers: request.headers, bytes: body.length, events: JSON.parse(text) as StoredEvent[] };
    this.arrivals.push(arrival);
    const failure = this.fail(arrival);
    if (failure === undefined || failure === 'answer lost') {
      const refused = this.keep(arrival.events);
      if (failure) request.socket.destroy();
      else response.writeHead(202, { 'content-type': 'application/json' }).end(JSON.stringify({ accepted: arrival.events.length - refused.length, refused }));
    } else if (failure === 'reset') request.socket.destroy();
    else if (failure !== 'no answer') response.writeHead(failure.status, { 'content-type': 'application/problem+json', ...failure.headers }).end(failure.body ?? '{}');
    for (const { enough, resolve } of this.waiting) if (enough()) resolve();
  }

  private keep(events: StoredEvent[]): { index: number; kind: string; field: string; reason: string; fix: string }[] {
    return events.flatMap((event, index) => {
      const verdict = checkEvent(event, 'acme', Date.now() * 1000, { pseudonymise: () => 'a'.repeat(64), subjects: 'raw', allowsComments: () => true });
      if (verdict.outcome === 'accepted') {
        this.stored.push(event);
        return [];
      }
      const { kind, field, reason, fix } = verdict.refusal;
      this.refusals.push(`${field}: ${reason}`);
      return [{ index, kind, field, reason, fix }];
    });
  }
}
