/**
 * What is asked and done about a tenant's deployments, from whichever way in: command line and API call the same.
 *
 * What arrives: who asks, and an understood question or registration. What leaves: a deployment, an answer that is ready
 * to be given, or facts in the log. It stands here because it is the only place that knows both the log and what a
 * registration and a metric are; the log is handed to it, and so is the time.
 */
import { Unknown } from '@foothold/contract';
import { type Agreement, type Change, type Closure } from './lifecycle.js';
import { change, completeThrough, openTenant, stream, streams, VersionConflict, type KeyCheck, type Log, type Stream } from '@foothold/event-log';
import { prepareAnswer, type Prepared } from './metrics/answer.js';
import { type Query, type Subject } from './metrics/metric.js';
import { type Question } from './metrics/question.js';
import { register, type Registration } from './registration.js';
import { usageProjection } from './usage.js';

/** Who asks: a tenant, and the only deployments of it they may see (null: every one). */
export interface Viewer {
  tenant: string;
  deployments: readonly string[] | null;
}

export interface Deployment {
  id: string;
  /** Its number in the log. */
  deployment: number;
  /** Of its stream of lifecycle facts. */
  version: number;
  registration: Registration;
  /** By their first day. */
  closures: readonly Closure[];
  /** Null: nothing was agreed. */
  agreement: Agreement | null;
}

const sees = ({ deployments }: Viewer, id: string): boolean => deployments === null || deployments.includes(id);
/** Closures and the agreement stand beside the registration where they are kept, since there have been any; processes of the version before do not look at them. */
type Kept = Registration & { closures?: Closure[]; agreement?: Agreement };

function asDeployment({ id, deployment, version, registration: kept }: Stream): Deployment {
  const { closures = [], agreement = null, ...registration } = kept as Kept;
  return { id, deployment: deployment!, version, registration, closures, agreement };
}

/** What a deployment's facts led to, as it is kept. */
export const keptOf = ({ registration, closures, agreement }: Pick<Deployment, 'registration' | 'closures' | 'agreement'>): Kept => ({
  ...registration, ...(closures.length > 0 ? { closures: [...closures] } : {}), ...(agreement ? { agreement } : {}),
});

/** The deployments of the tenant that this viewer may see, by id. */
export async function deploymentsOf(log: Log, viewer: Viewer): Promise<Deployment[]> {
  return (await streams(log, viewer.tenant)).filter(({ id }) => sees(viewer, id)).map(asDeployment);
}

/** @throws Unknown where the tenant has no such deployment, or this viewer may not see it: nothing tells the two apart. */
export async function deploymentOf(log: Log, viewer: Viewer, id: string): Promise<Deployment> {
  const found = sees(viewer, id) ? await stream(log, viewer.tenant, id) : null;
  if (!found || found.deployment === null) throw new Unknown('deployment', `tenant "${viewer.tenant}" has no deployment "${id}"`, `register it: foothold deployment register ${id}`);
  return asDeployment(found);
}

/** A deployment as metrics are asked about it now. @throws Unknown as deploymentOf */
export async function subjectOf(log: Log, viewer: Viewer, id: string): Promise<Subject> {
  const { deployment, version, registration, closures, agreement } = await deploymentOf(log, viewer, id);
  return { deployment, version, registration, closures, agreement, completeThrough: await completeThrough(log.database, viewer.tenant, usageProjection.name) };
}

/**
 * Prepares the answer to a question about a deployment.
 * @throws Unknown as deploymentOf; WrongInput where the range is too long.
 */
export async function ask(log: Log, viewer: Viewer, id: string, question: Question): Promise<Prepared> {
  return prepareAnswer(queryOf(log.database), await subjectOf(log, viewer, id), question);
}

/** One function a database: what is held of it from question to question is held by that. */
function queryOf(database: Log['database']): Query {
  const query = queries.get(database) ?? ((sql, values) => database.query(sql, values));
  queries.set(database, query);
  return query;
}
const queries = new WeakMap<Log['database'], Query>();

/** A deployment's registration as it stands: days of pilot and handoff may have been decided since. */
export interface Registered {
  version: number;
  isNew: boolean;
  registration: Registration;
}

/**
 * Registers a deployment, or finds it registered the same; `now` in microseconds since 1970.
 * @throws Conflicting where it is registered otherwise; WrongInput where the tenant's people are under another key.
 */
export async function registerDeployment(log: Log, keyCheck: KeyCheck, tenant: string, id: string, wanted: Registration, now: number): Promise<Registered> {
  await openTenant(log, tenant, keyCheck);
  return undisturbed(undefined, async () => {
    const found = await stream(log, tenant, id);
    const { version } = found;
    const stands = found.registration === null ? null : asDeployment(found).registration;
    const facts = register(id, stands, wanted, now);
    if (facts.length === 0) return { version, isNew: false, registration: stands! };
    await change(log, tenant, id, version, facts, wanted);
    return { version: version + facts.length, isNew: true, registration: wanted };
  });
}

/**
 * What an attempt to decide on what stands comes to, once nobody changed it meanwhile.
 * @param expected the version that whoever asks insists on: then one attempt is all
 */
export async function undisturbed<Made>(expected: number | undefined, attempt: () => Promise<Made>): Promise<Made> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof VersionConflict) || expected !== undefined) throw error; // else it is decided anew, on what they made of it
    }
  }
}

/**
 * Decides something about a deployment until nobody came between; `now` in microseconds since 1970.
 * @param decide what changes by it; null: nothing
 * @param expected the version it must be at; undefined: any, and it is decided anew on what stands
 * @throws VersionConflict where it is at another; Unknown as deploymentOf; what `decide` throws
 */
export async function decideOn(log: Log, viewer: Viewer, id: string, now: number, expected: number | undefined, decide: (stands: Deployment) => Change | null): Promise<{ deployment: Deployment; changed: boolean }> {
  return undisturbed(expected, async () => {
    const stands = await deploymentOf(log, viewer, id);
    const { version } = stands;
    if (expected !== undefined && expected !== version) throw new VersionConflict(id, expected, version);
    const made = decide(stands);
    if (!made) return { deployment: stands, changed: false };
    const { type, data, ...after } = made;
    await change(log, viewer.tenant, id, version, [{ type, time: now, data }], keptOf({ ...stands, ...after }));
    return { deployment: { ...stands, ...after, version: version + 1 }, changed: true };
  });
}
