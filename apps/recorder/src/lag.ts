/**
 * How many records wait in Kafka for this recorder.
 * What arrives: how far each partition was recorded. What leaves: the gauge `recorder.lag`, when somebody scrapes it.
 */
import { askedGauge } from '@foothold/platform';
import { type Broker } from './broker.js';

export class Lag {
  /** By topic and partition; kept while the database is away, when nobody could say it and the lag matters most. */
  private readonly recorded = new Map<string, number>();

  constructor(
    private readonly broker: Broker,
    private readonly assigned: () => Record<string, number[]>,
  ) {
    askedGauge('recorder.lag', { description: 'records in the partitions this process reads that are not recorded yet', unit: '{record}' }, async () => [{ value: await this.waiting() }]);
  }

  /** `next`: the offset after the last one recorded. */
  note({ topic, part, next }: { topic: string; part: number; next: number }): void {
    this.recorded.set(`${topic}/${part}`, next);
  }

  private async waiting(): Promise<number> {
    let waiting = 0;
    for (const [topic, parts] of Object.entries(this.assigned())) {
      const bounds = await this.broker.bounds(topic);
      for (const part of parts) {
        const [bound, next] = [bounds.get(part), this.recorded.get(`${topic}/${part}`)];
        if (!bound || next === undefined) throw new Error('not known yet');
        waiting += Math.max(0, bound.high - next);
      }
    }
    return waiting;
  }
}
