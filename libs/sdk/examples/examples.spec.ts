/** The worked examples run, and tell what they say they tell. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Foothold } from '@foothold/sdk';
import { CollectorStub } from '../../../test/support/collector-stub.js';
import { draftOffer, offerSent, offerSigned } from './accepted-days-later.js';
import { decided, opened, prepare } from './agent-approval.js';
import { suggestReply, type Editor } from './browser-suggestion.js';
import { underwrite, yearClosed } from './mandated-use.js';
import { answer, type Window } from './streamed-chat.js';
import { batchDone, claimOpened, dayClosed } from './work-queue.js';

const LATENCY = { latencyMs: expect.any(Number) };
const DWELL = { dwellMs: expect.any(Number) };

let collector: CollectorStub;
let foothold: Foothold;

beforeEach(async () => {
  collector = await CollectorStub.start();
  foothold = new Foothold({ url: collector.url, key: 'fhw_example', deployment: 'claims', person: 'jane' });
});

afterEach(async () => {
  await foothold.shutdown();
  await collector.close();
});

/** What arrived, once everything has; every event passed the real boundary, and nothing was dropped. */
async function story(): Promise<CollectorStub['story']> {
  await foothold.flush();
  expect(collector.refusals).toEqual([]);
  expect(foothold.stats().dropped).toEqual({});
  return collector.story;
}

const invocationsOf = () => new Set(collector.events.map(({ data }) => data['invocation']).filter(Boolean));

describe('a suggestion in a browser', () => {
  const letter = { id: 'letter-7', text: 'Where is my parcel?' };
  const editor = (choice: Awaited<ReturnType<Editor['choose']>>, undo: boolean): Editor => ({ choose: () => Promise.resolve(choice), onUndo: (run) => (undo ? run() : undefined) });

  it('is accepted with a change, and taken back', async () => {
    let headers: Record<string, string> = {};
    await suggestReply(foothold, letter, (_, sent) => ((headers = sent), Promise.resolve(['Soon.', 'Tomorrow.', 'Sorry!'])), editor({ option: 1, sent: 'Tomorrow!' }, true));
    expect(await story()).toEqual([
      ['invocation.started', 'jane', { task: 'letter-7', taskKind: 'reply', surface: 'in-workflow', initiative: 'person' }],
      ['result.shown', 'jane', { options: 3, ...LATENCY }],
      ['result.accepted', 'jane', { option: 1, changed: 1 / 9, ...DWELL }],
      ['decision.withdrawn', 'jane', {}],
      ['task.completed', 'jane', { task: 'letter-7', taskKind: 'reply' }],
    ]);
    expect(invocationsOf().size).toBe(1);
    expect(headers).toEqual({ 'foothold-invocation': expect.stringMatching(/^[\w-]+$/), traceparent: collector.events[0]!.traceparent });
  });

  it('is dismissed', async () => {
    await suggestReply(foothold, letter, () => Promise.resolve(['Soon.']), editor(undefined, false));
    expect((await story()).at(-1)).toEqual(['result.abandoned', 'jane', { cause: 'dismissed' }]);
  });

  it('fails, and its message stays where it is', async () => {
    const failure = Object.assign(new Error('no quota left for jane@acme.example'), { code: 'insufficient_quota' });
    await expect(suggestReply(foothold, letter, () => Promise.reject(failure), editor(undefined, false))).rejects.toBe(failure);
    expect((await story()).at(-1)).toEqual(['invocation.failed', 'jane', { error: 'insufficient_quota' }]);
  });
});

describe('a streamed chat', () => {
  async function* parts(): AsyncGenerator<string> {
    yield 'It ';
    yield await Promise.resolve('depends.');
  }
  const window = (next: Awaited<ReturnType<Window['whatNext']>>, stopped = false): Window => ({ show: () => undefined, stopped: () => stopped, whatNext: () => Promise.resolve(next) });

  it('tells when the first part could be seen, and of a copied answer nothing more', async () => {
    await answer(foothold, parts(), window('copied'));
    expect((await story()).slice(1)).toEqual([
      ['result.shown', 'jane', { firstMs: expect.any(Number), ...LATENCY }],
      ['result.accepted', 'jane', DWELL],
    ]);
  });

  it('is stopped', async () => {
    await answer(foothold, parts(), window('left', true));
    expect((await story()).slice(1)).toEqual([['result.abandoned', 'jane', { cause: 'stopped' }]]);
  });

  it('is left with a thumb down', async () => {
    await answer(foothold, parts(), window('thumbs-down'));
    expect((await story()).slice(2)).toEqual([
      ['feedback.given', 'jane', { score: -1 }],
      ['result.abandoned', 'jane', { cause: 'navigated' }],
    ]);
    expect(invocationsOf().size).toBe(1);
  });
});

describe('a backend that learns of acceptance days later', () => {
  it('goes on from the token, in another process, and counts a message told twice once', async () => {
    const draft = await draftOffer(foothold, 'seller-9', 'deal-1', () => Promise.resolve('We offer 10 for 5.'));
    await foothold.flush();
    const sent = { id: '4711', at: new Date(Date.now() - 60_000), text: 'We offer 10 for 6.' };
    const other = new Foothold({ url: collector.url, key: 'fhw_example', deployment: 'claims' });
    offerSent(other, draft, sent);
    offerSent(other, draft, sent);
    offerSigned(other, draft, sent, 'We offer 10 for 6.');
    expect(await other.shutdown()).toBe(true);
    expect((await story()).slice(2)).toEqual([
      ['result.accepted', 'seller-9', { changed: 1 / 18 }],
      ['result.rechecked', 'seller-9', { kept: 1, afterDays: 30 }],
    ]);
    expect(collector.events[2]).toMatchObject({ id: 'sales:4711', time: sent.at.toISOString() });
    expect(invocationsOf().size).toBe(1);
  });
});

describe('an agent whose result another person approves', () => {
  it('is the requester’s invocation and the approver’s decision', async () => {
    const proposal = await prepare(foothold, 'rita', () => Promise.resolve('ACME Ltd'));
    opened(foothold, proposal);
    decided(foothold, proposal, 'adam', 'wrong-payee');
    expect(await story()).toEqual([
      ['invocation.started', 'rita', { taskKind: 'payment', surface: 'in-workflow', initiative: 'person' }],
      ['result.shown', 'rita', { options: 1 }],
      ['result.overridden', 'rita', { actor: 'adam', reason: 'wrong-payee' }],
    ]);
  });
});

describe('a batch that fills a work queue', () => {
  it('tells what waits, then what each clerk does with it, then the system’s own count', async () => {
    const claims = [{ id: 'c-1', suggested: 'water', confidence: 0.9 }, { id: 'c-2', suggested: 'fire', confidence: 0.4 }];
    batchDone(foothold, '2026-01-05', claims);
    claimOpened(foothold, 'kim', claims[0]!)('water');
    claimOpened(foothold, 'lee', claims[1]!)('theft');
    dayClosed(foothold, '2026-01-05', 2);
    const begun = (task: string) => ({ task, taskKind: 'claim-triage', surface: 'in-workflow', initiative: 'automatic' });
    expect(await story()).toEqual([
      ['queue.filled', undefined, { taskKind: 'claim-triage', items: 2 }],
      ['invocation.started', 'kim', begun('c-1')],
      ['result.shown', 'kim', { confidence: 0.9, ...LATENCY }],
      ['result.accepted', 'kim', DWELL],
      ['task.completed', 'kim', { task: 'c-1', taskKind: 'claim-triage' }],
      ['invocation.started', 'lee', begun('c-2')],
      ['result.shown', 'lee', { confidence: 0.4, ...LATENCY }],
      ['result.overridden', 'lee', { reason: 'other-category', ...DWELL }],
      ['task.completed', 'lee', { task: 'c-2', taskKind: 'claim-triage' }],
      ['feed.counted', undefined, { kind: 'tasks', from: '2026-01-05', to: '2026-01-05', count: 2 }],
    ]);
  });
});

describe('mandated use', () => {
  it('tells of input, score and decision, and beside them of outcome and model', async () => {
    const application = { id: 'a-1', fields: { age: '40', smoker: null } };
    await underwrite(foothold, 'uma', application, () => Promise.resolve({ advice: 'decline', confidence: 0.7, model: 'risk-3' }), () => Promise.resolve('accept'));
    yearClosed(foothold, 2025, { ratio: 0.61, cases: 900 }, 0.83);
    expect(await story()).toEqual([
      ['invocation.started', 'uma', { task: 'a-1', taskKind: 'underwriting', surface: 'in-workflow', initiative: 'mandated', release: '2026.2', input: { profile: 'web-form', fields: 2, missing: 1, unknown: 0, malformed: 0 } }],
      ['result.shown', 'uma', { confidence: 0.7, model: 'risk-3', ...LATENCY }],
      ['result.overridden', 'uma', { reason: 'local-knowledge', ...DWELL }],
      ['task.completed', 'uma', { task: 'a-1', taskKind: 'underwriting', aided: true }],
      ['outcome.measured', undefined, { outcome: 'loss-ratio', from: '2025-01-01', to: '2025-12-31', value: 0.61, count: 900 }],
      ['model.scored', undefined, { measure: 'auc', from: '2025-01-01', to: '2025-12-31', value: 0.83, count: 900 }],
    ]);
  });
});
