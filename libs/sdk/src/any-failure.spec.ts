/** Whatever fails in whatever order: every call is delivered, or confessed by a heartbeat that is. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isHeartbeat, startSdk } from '../../../test/support/sdk.js';
import { accepted, type Reaction, type Sent } from '../../../test/support/virtual-machine.js';

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000_007);

/** What may happen to a request. What is `lost` was kept, but the sender does not hear of it. */
type Fate = 'fine' | 'lost' | 'no connection' | 'no answer' | 'too large' | 'busy' | 'broken' | 'unauthorised' | 'rejected';
const FATES: Fate[] = ['fine', 'lost', 'no connection', 'no answer', 'too large', 'busy', 'broken', 'unauthorised', 'rejected'];

type Step = { calls: number; wrong: number } | { pass: number } | 'flush';

const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ calls: fc.integer({ min: 0, max: 40 }), wrong: fc.integer({ min: 0, max: 2 }) }) },
    { weight: 4, arbitrary: fc.record({ pass: fc.integer({ min: 0, max: 90_000 }) }) },
    { weight: 1, arbitrary: fc.constant('flush' as const) },
  ),
  { maxLength: 20 },
);
const options = fc.record({ queueEvents: fc.integer({ min: 1, max: 60 }), batchEvents: fc.integer({ min: 1, max: 30 }), batchBytes: fc.integer({ min: 300, max: 20_000 }), heartbeatMs: fc.integer({ min: 500, max: 60_000 }) });

/** Keeps what arrives, as a real collector does, and lets requests meet their fates in turn; then all is well. */
class Kept {
  readonly ids = new Set<unknown>();
  readonly heartbeats = new Map<unknown, Record<string, number>>();
  private readonly fates: Fate[];

  /** @param refuses some events, the same each time they are sent */
  constructor(
    fates: Fate[],
    private readonly refuses: (event: Record<string, unknown>) => boolean,
  ) {
    this.fates = [...fates];
  }

  react = ({ events }: Sent): Reaction => {
    const fate = this.fates.shift() ?? 'fine';
    switch (fate) {
      case 'fine':
      case 'lost': {
        const refused = events.flatMap((event, index) => (this.refuses(event) ? [{ index, kind: 'rejected', field: 'time', reason: 'x', fix: 'y' }] : []));
        this.keep(events.filter((_, i) => refused.every(({ index }) => index !== i)));
        return fate === 'fine' ? accepted(events.length, refused) : 'no answer';
      }
      case 'too large':
        return { status: 413 };
      case 'busy':
        return { status: 503, headers: { 'retry-after': '3' } };
      case 'broken':
        return { status: 502, body: '<html>' };
      case 'unauthorised':
        return { status: 401 };
      case 'rejected':
        return { status: 400 };
      default:
        return fate;
    }
  };

  get confessed(): number {
    return [...this.heartbeats.values()].flatMap((dropped) => Object.values(dropped)).reduce((sum, count) => sum + count, 0);
  }

  private keep(events: Sent['events']): void {
    for (const event of events) {
      if (isHeartbeat(event)) this.heartbeats.set(event['id'], (event['data'] as { dropped: Record<string, number> }).dropped);
      else this.ids.add(event['id']);
    }
  }
}

describe('whatever fails', () => {
  const run = async (tuning: object, fates: Fate[], choosy: boolean, script: Step[], how: 'shutdown' | 'time') => {
    // An SDK that ends does not make heartbeats for ever.
    const kept = new Kept(fates, (event) => choosy && /[0-7]$/.test(event['id'] as string) && !(how === 'shutdown' && isHeartbeat(event)));
    const { machine, foothold } = startSdk(tuning, kept.react);
    let calls = 0;
    const call = (task: string) => (calls++, foothold.task({ task, taskKind: 'triage' }));
    for (const step of script) {
      if (step === 'flush') await machine.passUntil(foothold.flush(3_000));
      else if ('pass' in step) await machine.pass(step.pass);
      else {
        for (let i = 0; i < step.calls; i++) call(`t-${i}`);
        for (let i = 0; i < step.wrong; i++) call('not an id');
      }
    }
    if (how === 'shutdown') await machine.passUntil(foothold.shutdown(600_000));
    await machine.pass(3_600_000);
    return { kept, calls, stats: foothold.stats(), machine };
  };

  it(`nothing is lost in silence and nothing is confessed twice (SEED=${SEED})`, async () => {
    const property = fc.asyncProperty(options, fc.array(fc.constantFrom(...FATES), { maxLength: 25 }), fc.boolean(), steps, fc.constantFrom('shutdown' as const, 'time' as const), async (tuning, fates, choosy, script, how) => {
      const { kept, calls, stats, machine } = await run(tuning, fates, choosy, script, how);
      const dropped = Object.values(stats.dropped).reduce((sum, count) => sum + count, 0);
      expect(stats.queued).toBe(0);
      expect(stats.delivered + dropped).toBe(calls);
      expect(kept.confessed).toBe(dropped);
      // What was kept while its answer was lost may be rejected when it is sent again: it is then both.
      expect(kept.ids.size).toBeGreaterThanOrEqual(stats.delivered);
      if (!fates.includes('lost')) expect(kept.ids.size).toBe(stats.delivered);
      expect(machine.idle).toBe(true);
    });
    await fc.assert(property, { seed: SEED, numRuns: 300 });
  });
});
