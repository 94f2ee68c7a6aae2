/** From the collector straight into the log, where there is no Kafka. Next is `append`. */
import { NotInTime, openDirect, type Arrival, type Direct, type Log } from '@foothold/event-log';
import { isSampled, type Fatal, type Logger } from '@foothold/platform';
import { NotDurable, type Kept, type Sink } from './sink.js';

function arrivalOf(tenant: string, item: Kept): Arrival {
  if ('refusal' in item) return item;
  const { event, traceparent, skewMs } = item;
  return { tenant, event, ...(isSampled(traceparent) ? { traceparent } : {}), ...(skewMs === undefined ? {} : { skewMs }) };
}

export class DirectSink implements Sink {
  private constructor(private readonly direct: Direct) {}

  static async open(log: Log, beat: () => void, logger: Logger, fatal: Fatal): Promise<DirectSink> {
    return new DirectSink(await openDirect(log, { beat, fatal, warn: (error) => logger.warn('the database does not answer, trying again: %s', (error as Error).message) }));
  }

  async take(tenant: string, items: Kept[]): Promise<void> {
    try {
      await this.direct.hand(items.map((item) => arrivalOf(tenant, item)));
    } catch (error) {
      throw error instanceof NotInTime ? new NotDurable('the database did not take it in time') : error;
    }
  }

  close(): Promise<void> {
    return this.direct.close();
  }
}
