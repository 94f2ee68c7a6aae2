/** How dead letters leave: judged anew as on the day they came, stored by the way of all events, one count moved for each; or expired. */
import { checkEvent, type Refusal, type UsageEvent } from '@foothold/contract';
import { Sealer } from '@foothold/platform';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { event as eventNow, freshLog, id, keyOf, MOMENT, person, sealer, TENANTS, type Source } from '../../../test/support/event-log.js';
import { opened } from '../../../test/support/letters.js';
import { until } from '../../../test/support/recording.js';
import { change, countLetters, deadLetter, deadLetters, expireLetters, openLog, redrive, redriveWaiting, shardOf, sweepLetters, tallyLetters, verify, type Arrival } from './index.js';

const under = freshLog();
const [TENANT] = TENANTS as [string];
const LATE = 'triage';
/** Long before any letter is received here, by whatever clock: redriven as on the day it came, an event must not lie ahead of that. */
const event = (number: number, changes: Partial<UsageEvent> = {}): UsageEvent => eventNow(number, { time: Date.UTC(2026, 0, 5) * 1000 + number, ...changes });
const arrival = (number: number, changes: Partial<UsageEvent> = {}, tenant = TENANT): Arrival => ({ tenant, event: event(number, changes) });
const NOBODY = { person: null, type: 'queue.filled' as const, data: '{"items":3,"taskKind":"letter"}' };
const OTHER = { data: '{"invocation":"other"}' };
let source: Source;

beforeEach(async () => {
  source = await under.origin();
});

const register = (deployment = LATE) => change(under.log, TENANT, deployment, 0, [{ type: 'deployment.registered', time: MOMENT, data: {} }], { timeZone: 'UTC' });
const waiting = (number: number, changes: Partial<UsageEvent> = {}): Arrival => arrival(number, { deployment: LATE, ...changes });
const outcome = (changes: object) => ({ redriven: 0, stored: 0, duplicate: 0, rejected: 0, quarantined: 0, kept: 0, ...changes });
const letters = () => under.rows('select * from dead_letter order by dead_letter');
/** The ledger of one origin. */
const ledgerOf = async (name = 'cluster/topic') => {
  const { problems, sources } = await verify(under.database);
  expect(problems).toEqual([]);
  const { received, stored, duplicate, rejected, quarantined } = sources.find((found) => found.name === name)!;
  return { received, stored, duplicate, rejected, quarantined };
};

/** An event on the wire, refused by the boundary as the collector's would. */
function refused(number: number, changes: Record<string, unknown>, data: Record<string, unknown> = {}): { refusal: Refusal } {
  const value = {
    specversion: '1.0', id: `erp:${number}`, source: 'erp', type: 'foothold.result.shown.v1', subject: person('one'), time: '2026-01-05T09:30:00Z', deployment: 'claims', ...changes,
    data: { invocation: `i-${number}`, ...data },
  };
  const verdict = checkEvent(value, TENANT, MOMENT, { subjects: 'pseudonyms', pseudonymise: (_, name) => name });
  if (verdict.outcome === 'accepted') throw new Error('it passed');
  return { refusal: verdict.refusal };
}

describe('a redrive', () => {
  it('leaves an event whose time a host wrote as a number as it is: it is no form of the log’s', async () => {
    await source.append([refused(1, { time: 1_767_605_400_000 })]);
    const before = await letters();
    expect(before).toMatchObject([{ kind: 'rejected', field: 'time' }]);
    expect(await redrive(under.log, { tenant: TENANT })).toEqual(outcome({ rejected: 1 }));
    expect(await letters()).toEqual(before);
  });

  it('stores what waited for its deployment under the origin it came from, and moves one count for each', async () => {
    const other = await under.origin('cluster/other');
    const actor = person('two');
    await source.append([waiting(1, { actor, type: 'result.accepted' }), waiting(2, { ...NOBODY, sequence: '00000042000000000007' }), arrival(3)]);
    await other.append([waiting(4), waiting(1, { actor, type: 'result.accepted' })]);
    expect(await redriveWaiting(under.log, TENANT, LATE)).toEqual(outcome({ quarantined: 4 })); // nobody has registered it
    await register();
    expect(await redriveWaiting(under.log, TENANT, LATE)).toEqual(outcome({ redriven: 4, stored: 3, duplicate: 1 }));
    expect(await letters()).toEqual([]);
    expect(await ledgerOf()).toEqual({ received: 3, stored: 3, duplicate: 0, rejected: 0, quarantined: 0 });
    expect(await ledgerOf('cluster/other')).toEqual({ received: 2, stored: 1, duplicate: 1, rejected: 0, quarantined: 0 });
    const stored = await under.rows(
      `select e.id, e.shard, e.origin, s.name as source, type, encode(p.pseudonym, 'hex') as person, encode(a.pseudonym, 'hex') as actor, (extract(epoch from time) * 1000000)::text as time, data::text as data
         from event e join source s using (source) join deployment d on d.deployment = e.deployment and d.id = $1
         left join person p using (person) left join person a on a.person = e.actor where shard < 16 order by e.id`, [LATE],
    );
    const expected = (number: number, changes: Partial<UsageEvent>, origin: number) => {
      const { id: identity, source: name, type, person: of, actor: by, time, data } = event(number, changes);
      return { id: identity, shard: shardOf(TENANT, LATE, of), origin, source: name, type, person: of, actor: by, time: `${time}.000000`, data };
    };
    expect(stored).toEqual([
      expected(1, { actor, type: 'result.accepted' }, source.number), expected(2, NOBODY, source.number), expected(4, {}, other.number),
    ]);
    expect(await under.rows('select position, sequence from event where shard < 16 and sequence is not null')).toEqual([{ position: expect.anything(), sequence: '00000042000000000007' }]);
    expect(await redrive(under.log, { tenant: TENANT })).toEqual(outcome({}));
    expect(await tallyLetters(under.database)).toEqual({ lying: { rejected: 0, quarantined: 0 }, expired: { rejected: 0, quarantined: 0 }, redriven: 4 });
  });

  it('knows an event again by the id that its host gave it', async () => {
    const value = (deployment: string) => ({ specversion: '1.0', id: 'erp:4711:2', source: 'erp', type: 'foothold.result.shown.v1', subject: person('one'), time: '2026-01-05T09:30:00Z', deployment, data: { invocation: 'i-1' } });
    const verdict = checkEvent(value(LATE), TENANT, MOMENT, { subjects: 'pseudonyms', pseudonymise: (_, name) => name });
    if (verdict.outcome === 'refused') throw new Error(verdict.refusal.reason);
    await source.append([{ tenant: TENANT, event: verdict.event }]);
    await register();
    expect(await source.append([{ tenant: TENANT, event: verdict.event }])).toMatchObject({ stored: 1 });
    expect(await redrive(under.log, { tenant: TENANT })).toEqual(outcome({ redriven: 1, duplicate: 1 }));
    expect(await ledgerOf()).toEqual({ received: 2, stored: 1, duplicate: 1, rejected: 0, quarantined: 0 });
  });

  it('leaves a conflict quarantined, each time', async () => {
    await source.append([arrival(1), arrival(1, OTHER)]);
    const before = await letters();
    for (let again = 0; again < 2; again++) expect(await redrive(under.log, { tenant: TENANT })).toEqual(outcome({ quarantined: 1 }));
    expect(await letters()).toEqual(before);
    expect(await ledgerOf()).toEqual({ received: 2, stored: 1, duplicate: 0, rejected: 0, quarantined: 1 });
  });

  it('says anew why it is refused: what waited for a deployment turns out to be a conflict', async () => {
    await source.append([waiting(1), arrival(1)]);
    await register();
    expect(await redriveWaiting(under.log, TENANT, LATE)).toEqual(outcome({ quarantined: 1 }));
    expect(await letters()).toMatchObject([{ kind: 'quarantined', field: 'id', reason: 'this source has sent another event with the same id' }]);
    expect(await redriveWaiting(under.log, TENANT, LATE)).toEqual(outcome({}));
    expect(await ledgerOf()).toEqual({ received: 2, stored: 1, duplicate: 0, rejected: 0, quarantined: 1 });
  });

  it('judges a letter as on the day it came', async () => {
    await source.append([refused(1, { time: '2099-01-01T00:00:00Z' })]);
    expect(await redrive(under.log, { tenant: TENANT })).toEqual(outcome({ rejected: 1 }));
    await under.rows(`update dead_letter set received = '2098-12-31T12:00:00Z'`);
    expect(await redrive(under.log, { tenant: TENANT })).toEqual(outcome({ redriven: 1, stored: 1 }));
    expect(await ledgerOf()).toEqual({ received: 1, stored: 1, duplicate: 0, rejected: 0, quarantined: 0 });
  });

  it('takes the letters that were chosen, and no tenant but its own', async () => {
    await source.append([waiting(1), waiting(2, { deployment: 'other' }), arrival(3), arrival(3, OTHER), refused(4, {}, { confidence: 7 }), arrival(5, { deployment: LATE }, TENANTS[1]), refused(6, { subject: 'jane' })]);
    expect(await countLetters(under.log, { tenant: TENANT })).toBe(4); // of the personal one nothing is kept
    const [first] = await letters() as { dead_letter: string }[];
    expect(await redrive(under.log, { tenant: TENANT, kind: 'rejected' })).toEqual(outcome({ rejected: 1 }));
    expect(await redrive(under.log, { tenant: TENANT, field: 'id' })).toEqual(outcome({ quarantined: 1 }));
    expect(await redrive(under.log, { tenant: TENANT, deployment: 'other' })).toEqual(outcome({ quarantined: 1 }));
    expect(await redrive(under.log, { tenant: TENANTS[1]!, id: first!.dead_letter })).toEqual(outcome({}));
    await register();
    expect(await redrive(under.log, { tenant: TENANT })).toEqual(outcome({ redriven: 1, stored: 1, rejected: 1, quarantined: 2 }));
    expect(await ledgerOf()).toMatchObject({ received: 7, stored: 2, rejected: 2, quarantined: 3 });
  });

  it('goes through more than one batch, tells how far it is, and stops where it was told to', async () => {
    await source.append(Array.from({ length: 1_203 }, (_, n) => waiting(n, { person: person(n % 40) })));
    await register();
    const seen: number[] = [];
    expect(await redriveWaiting(under.log, TENANT, LATE, { most: 400, progress: (done) => seen.push(done) })).toEqual(outcome({ redriven: 500, stored: 500 }));
    expect(await redriveWaiting(under.log, TENANT, LATE, { signal: AbortSignal.abort() })).toEqual(outcome({}));
    expect(await redriveWaiting(under.log, TENANT, LATE, { progress: (done) => seen.push(done) })).toEqual(outcome({ redriven: 703, stored: 703 }));
    expect(seen).toEqual([500, 500, 703]);
    expect(await ledgerOf()).toMatchObject({ received: 1_203, stored: 1_203, quarantined: 0 });
  });

  it('leaves alone and counts what was sealed under another key', async () => {
    await source.append([waiting(1), waiting(2)], openLog(under.database, keyOf('right'), new Sealer(Buffer.alloc(32, 9))));
    await source.append([waiting(3)]);
    await register();
    const before = await letters();
    expect(await redriveWaiting(under.log, TENANT, LATE)).toEqual(outcome({ redriven: 1, stored: 1, kept: 2 }));
    expect(await letters()).toEqual(before.slice(0, 2));
    expect(await deadLetter(under.log, TENANT, (before[0] as { dead_letter: string }).dead_letter)).toMatchObject({ kept: 'under another key', payload: null });
    expect(await ledgerOf()).toEqual({ received: 3, stored: 1, duplicate: 0, rejected: 0, quarantined: 2 });
  });

  it('opens no letter that was taken to another tenant', async () => {
    await source.append([waiting(1)]);
    await register();
    await under.rows(`update dead_letter set tenant = $1`, [TENANTS[1]]);
    expect(await redrive(under.log, { tenant: TENANTS[1]! })).toEqual(outcome({ kept: 1 }));
  });

  it('keeps nothing of a letter that turns out to hold what may not be kept', async () => {
    await source.append([refused(1, {}, { confidence: 7 })]);
    const value = { specversion: '1.0', id: 'erp:1', source: 'erp', type: 'foothold.result.shown.v1', subject: 'jane', time: '2026-01-05T09:30:00Z', deployment: 'claims', data: { invocation: 'i-1' } };
    await under.rows('update dead_letter set sealed = $1', [sealer.seal(TENANT, JSON.stringify(value))]);
    expect(await redrive(under.log, { tenant: TENANT })).toEqual(outcome({ rejected: 1 }));
    expect(await letters()).toMatchObject([{ field: 'subject', sealed: null, payload: null }]);
    expect(await ledgerOf()).toMatchObject({ rejected: 1 });
  });

  it.each(['', 'jane', '{"time":', 'null', '7', '[]', '{"time":1e300}', '{"time":7}', '{"time":7,"data":null}', '{"time":7,"type":"result.shown","data":7,"actor":"x"}', `${'['.repeat(5_000)}${']'.repeat(5_000)}`])(
    'has a verdict on whatever a stranger wrote to the topic, and goes on behind it: %#', async (payload) => {
      await source.append([{ refusal: { ...refused(1, {}, { confidence: 7 }).refusal, payload } }, waiting(2)]);
      const [{ dead_letter: first }] = (await letters()) as [{ dead_letter: string }];
      expect(await deadLetter(under.log, TENANT, first)).toMatchObject({ kept: 'readable' });
      await register();
      expect(await redrive(under.log, { tenant: TENANT })).toEqual(outcome({ redriven: 1, stored: 1, rejected: 1 }));
      expect(await letters()).toMatchObject([{ kind: 'rejected', sealed: null }]);
    },
  );

  it('waits for the origins of its letters before it holds a head, as every append does', async () => {
    await source.append([waiting(1)]);
    await register();
    const { redriving } = await under.database.transaction(async (client) => {
      await client.query('select from origin where origin = $1 for update', [source.number]);
      const started = redriveWaiting(under.log, TENANT, LATE);
      started.catch(() => undefined); // told below
      await until('it waits', async () => (await under.rows(`select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)).length > 0);
      await client.query('select from head for update nowait');
      return { redriving: started };
    });
    expect(await redriving).toEqual(outcome({ redriven: 1, stored: 1 }));
  });

  it('moves no letter twice, however many redrive, sweep and expire at once', async () => {
    await source.append(Array.from({ length: 900 }, (_, n) => waiting(n, { person: person(n % 40) })));
    await register();
    await under.rows(`update dead_letter set received = received - interval '100 days' where dead_letter % 9 = 0`);
    const logs = [under.log, openLog(await under.open(), keyOf('right'), sealer), openLog(await under.open(), keyOf('right'), sealer)];
    const done = await Promise.all([
      ...logs.map((log) => redriveWaiting(log, TENANT, LATE)), sweepLetters(logs[1]!, keyOf('right')), expireLetters(logs[2]!, new Date(Date.now() - 86_400_000).toISOString()),
      source.append([arrival(2_000), waiting(2_001)], logs[1]),
    ]);
    const redriven = done.reduce((sum, found) => sum + ('redriven' in found ? found.redriven : 0), 0);
    const { stored } = await ledgerOf();
    expect(stored).toBe(redriven + (done.at(-1) as { stored: number }).stored);
    const { expired } = await tallyLetters(under.database);
    const lying = await under.rows('select dead_letter from dead_letter');
    expect(stored + expired.quarantined + lying.length).toBe(902);
  });
});

describe('letters of the version before', () => {
  /** As it wrote them: the log's own in the log's own form, the boundary's as CloudEvents, both readable. */
  async function plain(): Promise<void> {
    await source.append([waiting(1, { actor: person('two'), type: 'result.accepted' }), refused(2, { type: 'foothold.result.shown.v7' }), refused(3, { subject: 'jane' }), waiting(4)]);
    const { data, ...envelope } = event(1, { deployment: LATE, actor: person('two'), type: 'result.accepted' });
    const own = JSON.stringify({ ...envelope, data: JSON.parse(data) as unknown });
    const rows = opened(await letters(), sealer);
    for (const { dead_letter, field, payload } of rows as { dead_letter: string; field: string; payload: string | null }[]) {
      await under.rows('update dead_letter set sealed = null, payload = $2 where dead_letter = $1 and id is distinct from $3', [dead_letter, field === 'deployment' ? own : payload, id(4)]);
    }
    // A recorder of that version, in the middle of an upgrade, stores what a collector of this one sealed as a text.
    await under.rows(`update dead_letter set payload = 'sealed:' || encode(sealed, 'base64'), sealed = null where id = $1`, [id(4)]);
  }

  it('are shown and redriven as they are', async () => {
    await plain();
    await register();
    const [group] = await deadLetters(under.database, TENANT);
    expect(await deadLetter(under.log, TENANT, group!.id)).toMatchObject({ kept: 'readable', payload: { id: id(4), type: 'foothold.result.shown.v1' } });
    expect(await redriveWaiting(under.log, TENANT, LATE)).toEqual(outcome({ redriven: 2, stored: 2 }));
    expect(await under.rows(`select e.id, type, encode(a.pseudonym, 'hex') as actor, data::text as data from event e left join person a on a.person = e.actor where shard < 16 order by e.id`)).toEqual([
      { id: id(1), type: 'result.accepted', actor: person('two'), data: '{"invocation":"i-1"}' }, { id: id(4), type: 'result.shown', actor: null, data: '{"invocation":"i-4"}' },
    ]);
    expect(await ledgerOf()).toEqual({ received: 4, stored: 2, duplicate: 0, rejected: 1, quarantined: 1 });
  });

  it('are sealed by the next sweep, and none is left open', async () => {
    await plain();
    const readable = (await letters()).map(({ payload }) => payload).filter((text) => text !== null && !(text as string).startsWith('sealed:'));
    expect(readable).toHaveLength(2);
    expect(await sweepLetters(under.log, keyOf('right'))).toEqual({ ...outcome({}), sealed: 3 });
    const rows = opened(await letters(), sealer);
    expect(rows.map(({ payload }) => payload)).toEqual(expect.arrayContaining([...readable, null, expect.stringContaining(id(4))]));
    await register();
    expect(await sweepLetters(under.log, keyOf('right'))).toEqual({ ...outcome({ redriven: 2, stored: 2 }), sealed: 0 });
  });
});

describe('a sweep', () => {
  it('takes what waited for a deployment or for a version, and lets the rest lie', async () => {
    await source.append([waiting(1), waiting(2, { deployment: 'nowhere' }), arrival(3), arrival(3, OTHER), refused(4, { type: 'foothold.result.shown.v7' }), refused(5, { type: 'foothold.result.shown.v7' })]);
    await register();
    // As if a version that did not know this one had kept it.
    const [letter] = await under.rows<{ dead_letter: string; sealed: Buffer }>(`select dead_letter, sealed from dead_letter where field = 'type' order by dead_letter limit 1`);
    const known = sealer.open(TENANT, letter!.sealed)!.replace('.v7', '.v1');
    await under.rows(`update dead_letter set type = 'foothold.result.shown.v1', sealed = $2 where dead_letter = $1`, [letter!.dead_letter, sealer.seal(TENANT, known)]);
    const other = openLog(under.database, keyOf('right'), sealer);
    expect(await sweepLetters(other, keyOf('right'))).toEqual({ ...outcome({ redriven: 2, stored: 2 }), sealed: 0 });
    expect(await sweepLetters(other, keyOf('right'))).toEqual({ ...outcome({}), sealed: 0 });
    expect((await letters()).map(({ field, deployment }) => [field, deployment]).sort()).toEqual([['deployment', 'nowhere'], ['id', 'claims'], ['type', 'claims']]);
    expect(await ledgerOf()).toEqual({ received: 6, stored: 3, duplicate: 0, rejected: 0, quarantined: 3 });
  });

  it('does nothing under another key, which would seal what nobody could open', async () => {
    await source.append([waiting(1)]);
    await under.rows(`update dead_letter set sealed = null, payload = '{}'`);
    await expect(sweepLetters(openLog(under.database, keyOf('wrong'), sealer), keyOf('wrong'))).rejects.toMatchObject({ name: 'WrongInput', field: 'FOOTHOLD_PSEUDONYM_KEY' });
    expect(await letters()).toMatchObject([{ sealed: null, payload: '{}' }]);
  });
});

describe('expiry', () => {
  it('deletes what is older, of one tenant with what names none or of all, and leaves the ledger balanced', async () => {
    await source.append([waiting(1), refused(2, {}, { confidence: 7 }), waiting(3), arrival(4, { deployment: LATE }, TENANTS[1]), { refusal: { ...refused(5, { subject: 7 }).refusal, tenant: null } }]);
    await under.rows(`update dead_letter set received = '2026-02-01T00:00:00Z' where id is distinct from $1`, [id(3)]);
    expect(await expireLetters(under.log, '2026-02-01T00:00:00Z')).toEqual({ rejected: 0, quarantined: 0 });
    expect(await expireLetters(under.log, '2026-02-01T00:00:01Z', TENANT)).toEqual({ rejected: 2, quarantined: 1 });
    expect(await expireLetters(under.log, '2026-02-01T00:00:01Z')).toEqual({ rejected: 0, quarantined: 1 });
    expect(await letters()).toMatchObject([{ id: id(3) }]);
    expect(await ledgerOf()).toEqual({ received: 5, stored: 0, duplicate: 0, rejected: 2, quarantined: 3 });
    expect(await tallyLetters(under.database)).toEqual({ lying: { rejected: 0, quarantined: 1 }, expired: { rejected: 2, quarantined: 2 }, redriven: 0 });
    await under.rows('delete from dead_letter');
    expect((await verify(under.database)).problems).toEqual(['cluster/topic[0]: 3 counted as quarantined, 0 dead letters and 2 expired']);
  });

  it('goes through more than one batch', async () => {
    await source.append(Array.from({ length: 701 }, (_, n) => waiting(n)));
    expect(await expireLetters(under.log, new Date(Date.now() + 60_000).toISOString())).toEqual({ rejected: 0, quarantined: 701 });
    expect(await ledgerOf()).toEqual({ received: 701, stored: 0, duplicate: 0, rejected: 0, quarantined: 701 });
  });
});
