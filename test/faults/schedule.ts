/**
 * What is to happen in one schedule, drawn from its seed alone: which processes run, what is sent, and what befalls them.
 * Arrives: a seed. Leaves: a plan. Next is `run`, which carries it out.
 */
import { type Decision } from '../support/postgres-proxy.js';
import { type Role } from '../support/fleet.js';
import { seeded, type Seeded } from '../support/seeded.js';

/** Each kind with how it is drawn: how often, whether only where there is a Kafka, and whether it costs so much that a schedule has one at most. */
const TABLE = {
  'process killed': { weight: 4 },
  'process killed at COMMIT': { weight: 6 },
  'COMMIT that is not heard of': { weight: 2 },
  'process stopped, and going on': { weight: 4 },
  'recorder stopped while another takes over': { weight: 3, kafka: true },
  'backends terminated': { weight: 3 },
  'wire to Postgres late': { weight: 2 },
  'wire to Postgres reset': { weight: 2 },
  'wire to Postgres half-open': { weight: 2 },
  'wire to Kafka late': { weight: 2, kafka: true },
  'wire to Kafka reset': { weight: 2, kafka: true },
  'wire to Kafka half-open': { weight: 2, kafka: true },
  'wire from the client late': { weight: 1 },
  'wire from the client reset': { weight: 1 },
  'wire from the client half-open': { weight: 1 },
  'acknowledgements lost': { weight: 3 },
  'recorder joins and leaves': { weight: 3, kafka: true },
  'clock set': { weight: 2 },
  'process started under another clock': { weight: 2 },
  'sent again': { weight: 2 },
  'deployment registered late': { weight: 3 },
  'Kafka killed': { weight: 2, kafka: true, costly: true },
  'Kafka stopped': { weight: 1, kafka: true, costly: true },
  'Postgres killed': { weight: 2, costly: true },
  'Postgres stopped': { weight: 1, costly: true },
  'process stopped past its leases': { weight: 2, costly: true },
  'way on from the collector shut until it refuses': { weight: 2, costly: true },
  'topic made anew': { weight: 2, kafka: true, costly: true },
} satisfies Record<string, Drawn>;

export type Kind = keyof typeof TABLE;
export const KINDS = Object.keys(TABLE) as Kind[];
type Drawn = { weight: number; kafka?: boolean; costly?: boolean };
const DECK = Object.entries(TABLE) as [Kind, Drawn][];

export interface Fault {
  kind: Kind;
  /** Milliseconds after the first event was sent; the last ones for what comes after all was sent. */
  at: number;
  /** Whom it befalls, where it befalls one. */
  role: Role;
  /** The how-manieth of its role; of moments, how many pass before. From 0. */
  which: number;
  ms: number;
  decision: Decision;
}

export interface Plan {
  seed: number;
  /** Without it the collectors write into the log themselves. */
  kafka: boolean;
  processes: Role[];
  partitions: number;
  people: number;
  events: number;
  /** Over how many milliseconds they are sent. */
  window: number;
  faults: Fault[];
}

/** How much later what is drawn for the end comes. */
const AFTER = 500;

/** @param only faults of these kinds, each once, among processes that can have them */
export function drawPlan(seed: number, only?: readonly Kind[]): Plan {
  const draw = seeded(seed);
  const kafka = only ? only.some((kind) => (TABLE[kind] as Drawn).kafka) : draw.next() < 0.75;
  const some = (role: Role, least: number, more: number): Role[] => Array<Role>(least + draw.below(more + 1)).fill(role);
  const processes = [...(kafka ? [...some('collector', 1, 0), ...some('recorder', 2, 1)] : some('collector', 1, 1)), ...some('projector', 2, 1), ...some('sentinel', 1, 0)];
  const window = 2_000 + draw.below(1_500);
  const kinds = only ?? drawKinds(draw, kafka);
  const faults = kinds.map((kind) => drawFault(draw, kind, processes, window)).sort((one, other) => one.at - other.at);
  return { seed, kafka, processes, partitions: 2 + draw.below(4), people: 8 + draw.below(60), events: 300 + draw.below(draw.next() < 0.2 ? 3_000 : 900), window, faults };
}

function drawKinds(draw: Seeded, kafka: boolean): Kind[] {
  const pick = (costly: boolean): Kind => {
    const possible = DECK.filter(([, kind]) => (kafka || !kind.kafka) && (kind.costly ?? false) === costly);
    let at = draw.next() * possible.reduce((sum, [, { weight }]) => sum + weight, 0);
    return possible.find(([, { weight }]) => (at -= weight) < 0)![0];
  };
  const kinds = Array.from({ length: 2 + draw.below(4) }, () => pick(false));
  return draw.next() < 0.35 ? [...kinds, pick(true)] : kinds;
}

function drawFault(draw: Seeded, kind: Kind, processes: Role[], window: number): Fault {
  const roles = rolesOf(kind, processes);
  const { costly }: Drawn = TABLE[kind];
  return {
    kind,
    at: kind === 'topic made anew' ? window + AFTER : 200 + draw.below(costly ? window / 2 : window - 200),
    role: roles[draw.below(roles.length)]!,
    which: draw.below(6),
    ms: kind === 'process stopped past its leases' ? 7_000 + draw.below(5_000) : 300 + draw.below(1_700),
    decision: draw.next() < 0.5 ? 'cut' : 'forward-then-cut',
  };
}

/** Whom a kind can befall. */
function rolesOf(kind: Kind, processes: Role[]): Role[] {
  if (kind.startsWith('recorder')) return ['recorder'];
  if (kind.includes('client') || kind.includes('collector') || kind === 'acknowledgements lost') return ['collector'];
  if (kind.includes('wire to Kafka')) return processes.filter((role) => role === 'collector' || role === 'recorder');
  // A collector that writes to Kafka has nothing to commit, and a sentinel commits nothing where nothing waits.
  if (kind.includes('COMMIT')) return processes.filter((role) => role === 'projector' || role === (processes.includes('recorder') ? 'recorder' : 'collector'));
  return processes;
}

/** Plans that have every kind of fault among them, dealt out anew for each seed. */
export function drawSample(seed: number): Plan[] {
  const draw = seeded(seed);
  // Never two that stop the same server.
  const hands: Kind[][] = [['Kafka killed', 'topic made anew'], ['Kafka stopped', 'Postgres killed'], ['Postgres stopped'], ['process stopped past its leases', 'way on from the collector shut until it refuses']];
  const cheap = DECK.filter(([, { costly }]) => !costly);
  for (const [i, [kind]] of draw.shuffled(cheap.filter(([, { kafka }]) => kafka)).entries()) hands[i % 3]!.push(kind);
  for (const [i, [kind]] of draw.shuffled(cheap.filter(([, { kafka }]) => !kafka)).entries()) hands[i % 4]!.push(kind);
  return hands.map((kinds) => drawPlan(draw.below(2 ** 31), kinds));
}

/** A plan as people read it. */
export function planText({ seed, kafka, processes, partitions, people, events, window, faults }: Plan): string {
  const count = (role: Role) => processes.filter((other) => other === role).length;
  const first = `seed ${seed}: ${events} events of ${people} people in ${window} ms, ${count('collector')} collector, ${kafka ? `${partitions} partitions, ${count('recorder')} recorders` : 'no Kafka'}, ${count('projector')} projectors`;
  return [first, ...faults.map(({ at, kind, role, which, ms, decision }) => `  ${String(at).padStart(5)} ms  ${kind} (${role} ${which}, ${ms} ms, ${decision})`)].join('\n');
}
