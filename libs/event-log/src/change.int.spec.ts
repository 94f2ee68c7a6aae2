import { describe, expect, it } from '@jest/globals';
import { Sealer } from '@foothold/platform';
import { arrival, DEPLOYMENT, freshLog, keyOf, MOMENT } from '../../../test/support/event-log.js';
import { change, LIFECYCLE_SHARD, openLog, openTenant, stream, streams, verify, VersionConflict, type Fact } from './index.js';

const under = freshLog();
const fact = (type: string, data: object = {}, time = MOMENT): Fact => ({ type, time, data });
const facts = (deployment = 'triage') => under.rows(
  `select e.position::int, e.version, e.type, e.data, e.id, s.name as source, t.name as tenant, (extract(epoch from time) * 1000000)::bigint as time, person, actor, e.origin
     from event e join deployment d on d.deployment = e.deployment join source s using (source) join tenant t on t.tenant = s.tenant
    where shard = ${LIFECYCLE_SHARD} and d.id = $1 order by t.name, e.version`, [deployment],
);
/** freshLog registers a deployment for each of two tenants. */
const TAKEN = 2;
const NONE = { id: 'triage', deployment: null, version: 0, registration: null };
const KNOWN = { id: 'triage', deployment: expect.any(Number) };

describe('change', () => {
  it('begins a stream and goes on with it, each fact at its version and the next position', async () => {
    expect(await stream(under.log, 'acme', 'triage')).toEqual(NONE);
    await change(under.log, 'acme', 'triage', 0, [fact('deployment.registered', { timeZone: 'UTC' })], { timeZone: 'UTC' });
    expect(await stream(under.log, 'acme', 'triage')).toEqual({ ...KNOWN, version: 1, registration: { timeZone: 'UTC' } });
    await change(under.log, 'acme', 'triage', 1, [fact('owner.named', { by: 'å' }), fact('owner.accepted', {}, -1)], { timeZone: 'UTC', owner: true });
    expect(await stream(under.log, 'acme', 'triage')).toEqual({ ...KNOWN, version: 3, registration: { timeZone: 'UTC', owner: true } });

    const common = { id: expect.any(String), source: 'foothold', tenant: 'acme', time: String(MOMENT), person: null, actor: null, origin: null };
    expect(await facts()).toEqual([
      { ...common, position: TAKEN + 1, version: 1, type: 'deployment.registered', data: { timeZone: 'UTC' } },
      { ...common, position: TAKEN + 2, version: 2, type: 'owner.named', data: { by: 'å' } },
      { ...common, position: TAKEN + 3, version: 3, type: 'owner.accepted', data: {}, time: '-1' },
    ]);
    expect(await verify(under.database)).toMatchObject({ balanced: true, problems: [] });
  });

  it.each([[0, 2], [1, 2], [3, 2], [1, 0]])('refuses a command that expected version %i of a stream at %i, and writes nothing', async (expected, actual) => {
    if (actual > 0) await change(under.log, 'acme', 'triage', 0, [fact('a'), fact('b')], { state: 'kept' });
    const before = await facts();
    const failure = await change(under.log, 'acme', 'triage', expected, [fact('c')], { state: 'lost' }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(VersionConflict);
    expect(failure).toMatchObject({ deployment: 'triage', expected, actual, message: `deployment "triage" is at version ${actual}, the command expected ${expected}` });
    expect(await facts()).toEqual(before);
    expect(await stream(under.log, 'acme', 'triage')).toEqual(actual > 0 ? { ...KNOWN, version: 2, registration: { state: 'kept' } } : NONE);
    expect(await verify(under.database)).toMatchObject({ balanced: true });
  });

  it('lets one of several concurrent commands through, at the beginning of a stream and later', async () => {
    const logs = [under.log, openLog(await under.open())];
    for (const expected of [0, 1, 2]) {
      const done = await Promise.allSettled(Array.from({ length: 6 }, (_, i) => change(logs[i % 2]!, 'acme', 'triage', expected, [fact('by', { writer: i })], { writer: i })));
      const winners = done.flatMap((result, i) => (result.status === 'fulfilled' ? [i] : []));
      expect(winners).toHaveLength(1);
      for (const result of done) if (result.status === 'rejected') expect(result.reason).toMatchObject({ name: 'VersionConflict', expected, actual: expected + 1 });
      expect(await stream(under.log, 'acme', 'triage')).toEqual({ ...KNOWN, version: expected + 1, registration: { writer: winners[0] } });
      expect((await facts()).at(-1)).toMatchObject({ version: expected + 1, data: { writer: winners[0] } });
    }
    expect(await verify(under.database)).toMatchObject({ balanced: true });
  });

  it('lists the streams of one tenant by id, as they stand', async () => {
    for (const id of ['b', 'B', 'a']) await change(under.log, 'acme', id, 0, [fact('a')], { id });
    await change(under.log, 'acme', 'a', 1, [fact('b')], { id: 'later' });
    await change(under.log, 'globex', 'z', 0, [fact('a')], {});
    expect(await streams(under.log, 'acme')).toEqual([
      { id: 'B', deployment: expect.any(Number), version: 1, registration: { id: 'B' } },
      { id: 'a', deployment: expect.any(Number), version: 2, registration: { id: 'later' } },
      { id: 'b', deployment: expect.any(Number), version: 1, registration: { id: 'b' } },
      { id: DEPLOYMENT, deployment: expect.any(Number), version: 1, registration: { timeZone: 'UTC' } },
    ]);
    expect(await streams(under.log, 'nobody')).toEqual([]);
  });

  it('numbers concurrent changes of many deployments without holes', async () => {
    const logs = [under.log, openLog(await under.open())];
    await Promise.all(Array.from({ length: 20 }, (_, i) => change(logs[i % 2]!, i % 3 ? 'acme' : 'globex', `d-${i}`, 0, [fact('a'), fact('b')], {})));
    expect(await under.rows(`select count(*)::int as rows, max(position)::int as last, (select position::int from head where shard = ${LIFECYCLE_SHARD}) as head from event where shard = ${LIFECYCLE_SHARD}`))
      .toEqual([{ rows: TAKEN + 40, last: TAKEN + 40, head: TAKEN + 40 }]);
  });

  it('gives a fact the identity of its place in its stream, the same in every database', async () => {
    await change(under.log, 'acme', 'triage', 0, [fact('a'), fact('b')], {});
    await change(under.log, 'globex', 'triage', 0, [fact('a')], {});
    // Bytes of SHA-256 of tenant/deployment/version as UUIDv8, worked out in another language.
    expect((await facts()).map(({ id }) => id)).toEqual(['e80edf3d-36d1-843b-8ba4-5d8213360674', '5cc5d51e-8710-812d-ba9d-3e4d053bb3b9', '81389a65-1fc1-8571-a3bd-7a7357a2d636']);
  });

  it('leaves nothing of a change that fails midway', async () => {
    await expect(change(under.log, 'acme', 'triage', 0, [fact('a'), fact(null as unknown as string)], {})).rejects.toThrow();
    expect(await stream(under.log, 'acme', 'triage')).toEqual(NONE);
    expect(await verify(under.database)).toMatchObject({ balanced: true });
  });

  it('stamps facts so that stamps never run backwards, though the clock does', async () => {
    await under.rows(`update head set received = '2200-01-01T00:00:00.000007Z' where shard = ${LIFECYCLE_SHARD}`);
    await change(under.log, 'acme', 'triage', 0, [fact('a'), fact('b')], {});
    await change(under.log, 'acme', 'triage', 2, [fact('c')], {});
    expect(await under.rows(`select to_char(received, 'YYYY-MM-DD HH24:MI:SS.US') as received, count(*)::int as count from event where version > 0 and position > ${TAKEN} group by 1`))
      .toEqual([{ received: '2200-01-01 00:00:00.000007', count: 3 }]);
  });

  it('has nothing to say to a tenant nobody opened', async () => {
    await expect(change(under.log, 'initech', 'triage', 0, [fact('a')], {})).rejects.toThrow(VersionConflict);
    expect(await under.rows(`select from tenant where name = 'initech'`)).toEqual([]);
  });
});

describe('openTenant', () => {
  it('makes a tenant once, with the key of who comes first', async () => {
    await under.rows('delete from deployment');
    await under.rows('delete from source');
    await under.rows('delete from tenant');
    const done = await Promise.allSettled(['one', 'two', 'one', 'two'].map((secret) => openTenant(under.log, 'initech', keyOf(secret))));
    const [[first], [second]] = [[done[0]!, done[2]!], [done[1]!, done[3]!]] as const;
    expect([first!.status, second!.status].sort()).toEqual(['fulfilled', 'rejected']);
    expect([done[2]!.status, done[3]!.status]).toEqual([first!.status, second!.status]);
    const winner = first!.status === 'fulfilled' ? 'one' : 'two';
    await openTenant(under.log, 'initech', keyOf(winner));
    await expect(openTenant(under.log, 'initech', keyOf(winner === 'one' ? 'two' : 'one'))).rejects.toMatchObject(wrong('initech'));
    expect(await under.rows(`select count(*)::int as count from tenant where name = 'initech'`)).toEqual([{ count: 1 }]);
  });

  it('makes no tenant for who does not hold the key of those that are there', async () => {
    await expect(openTenant(under.log, 'initech', keyOf('wrong'))).rejects.toMatchObject(wrong('acme'));
    expect(await under.rows(`select from tenant where name = 'initech'`)).toEqual([]);
    await openTenant(under.log, 'initech', keyOf('right'));
    await expect(openTenant(under.log, 'acme', keyOf('wrong'))).rejects.toMatchObject(wrong('acme'));
  });

  it('makes none for who could not open what waits for it', async () => {
    const source = await under.origin();
    await source.append([arrival(1, { deployment: 'late' }, 'initech')]);
    const stranger = openLog(under.database, keyOf('right'), new Sealer(Buffer.alloc(32, 2)));
    await expect(openTenant(stranger, 'initech', keyOf('right'))).rejects.toMatchObject({ field: 'FOOTHOLD_PSEUDONYM_KEY', reason: expect.stringContaining('initech') });
    expect(await under.rows(`select from tenant where name = 'initech'`)).toEqual([]);
    await openTenant(under.log, 'initech', keyOf('right'));
  });
});

const wrong = (tenant: string) => ({ name: 'WrongInput', field: 'FOOTHOLD_PSEUDONYM_KEY', message: expect.stringContaining(`tenant "${tenant}"`) });
