/**
 * The organisation at work, in a thread of its own: it stands for the host applications, which share nothing with Foothold
 * but its URL and a key. What arrives: a plan, and where to send. What leaves: events, and word of how far they are.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { simulate, type Plan } from './organisation.js';
import { send, type Place, type Sent } from './sending.js';

export interface Work {
  plan: Plan;
  place: Place;
}

export type Word =
  | { is: 'begun'; calls: number; people: number }
  | { is: 'settled'; more: number }
  | { is: 'trouble'; what: string }
  | ({ is: 'sent' } & Sent);

const say = (word: Word): void => parentPort!.postMessage(word);

const { plan, place } = workerData as Work;
const { calls, people } = simulate(plan);
say({ is: 'begun', calls: calls.length, people: people.length });
const sent = await send(calls, place, (more) => say({ is: 'settled', more }), (what) => say({ is: 'trouble', what }));
say({ is: 'sent', ...sent });
