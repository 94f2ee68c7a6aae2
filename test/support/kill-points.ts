/** Where processes are killed, in an order and at transactions drawn from a seed. */
import { type Fleet, type Moment, type Role, type Worker } from './fleet.js';
import { type Decision } from './postgres-proxy.js';

interface Kind {
  /** How many of the points are of this kind. */
  points: number;
  role: Role;
  /** Left out: any moment, by the clock. */
  at?: Moment['kind'];
  /** What becomes of the message at which the process dies. */
  decision?: Decision;
  /** Every process dies, not only the one whose moment it is. */
  all?: boolean;
}

const TABLE = {
  'recorder between COPY and COMMIT': { points: 5, role: 'recorder', at: 'commit', decision: 'cut' },
  'recorder between COMMIT and its answer': { points: 4, role: 'recorder', at: 'commit', decision: 'forward-then-cut' },
  'recorder between the answer to COMMIT and the commit to Kafka': { points: 3, role: 'recorder', at: 'another-stretch', decision: 'cut' },
  'recorder at any moment': { points: 2, role: 'recorder' },
  'projector between COPY and COMMIT': { points: 4, role: 'projector', at: 'commit', decision: 'cut' },
  'projector between COMMIT and its answer': { points: 3, role: 'projector', at: 'commit', decision: 'forward-then-cut' },
  'projector at any moment': { points: 1, role: 'projector' },
  'every process, a recorder between COPY and COMMIT': { points: 1, role: 'recorder', at: 'commit', decision: 'cut', all: true },
  'every process, a recorder between COMMIT and its answer': { points: 1, role: 'recorder', at: 'commit', decision: 'forward-then-cut', all: true },
} satisfies Record<string, Kind>;

export type KindName = keyof typeof TABLE;
export const KINDS: Readonly<Record<KindName, Kind>> = TABLE;

export interface Point {
  kind: KindName;
  /** The how-manieth such moment, of whichever process of the role, since the point came up. */
  nth: number;
  /** By the clock: which process of the role, from 0, and when. */
  process: number;
  afterMs: number;
}

export interface Kill extends Point {
  worker: Worker;
  moment?: Moment;
}

/** All points of every kind, shuffled. */
export function drawPoints(draw: () => number): Point[] {
  const points = Object.entries(KINDS).flatMap(([kind, { points: count, role }]) =>
    Array.from({ length: count }, (): Point => ({
      kind: kind as KindName,
      nth: 1 + Math.floor(draw() * (role === 'recorder' ? 3 : 8)),
      process: Math.floor(draw() * 2),
      afterMs: Math.floor(draw() * 4_000),
    })),
  );
  for (let i = points.length - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1));
    [points[i], points[j]] = [points[j]!, points[i]!];
  }
  return points;
}

/** Waits for the point's moment and kills there. */
export async function killAt(fleet: Fleet, point: Point): Promise<Kill> {
  const kind = KINDS[point.kind];
  if (kind.at === undefined) {
    await new Promise((resolve) => setTimeout(resolve, point.afterMs));
    const worker = fleet.workers.filter(({ role }) => role === kind.role)[point.process]!;
    while (!worker.lives) await new Promise((resolve) => setTimeout(resolve, 1));
    worker.kill();
    return { ...point, worker };
  }
  // A recorder takes a stretch after a full one only where a round has seen to it: the first will do.
  let left = kind.at === 'another-stretch' ? 1 : point.nth;
  return new Promise((resolve) => {
    fleet.trap = (moment) => {
      if (moment.kind !== kind.at || moment.worker.role !== kind.role || --left > 0) return 'forward';
      fleet.trap = () => 'forward';
      for (const worker of kind.all ? fleet.workers.filter(({ lives }) => lives) : [moment.worker]) worker.kill();
      resolve({ ...point, worker: moment.worker, moment });
      return kind.decision!;
    };
  });
}
