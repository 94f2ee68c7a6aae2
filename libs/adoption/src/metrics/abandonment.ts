/** Results that were shown and left lying: explicitly, or for longer than decisions take. */
import { FACT_DIMENSIONS, GRAINS } from '@foothold/contract';
import { learnedWindows } from '../decision-window.js';
import { counted } from './behind.js';
import { cut } from './cut.js';
import { LEAST_PEOPLE, type Metric } from './metric.js';
import { amountOf, less, ratioFigures, UNKNOWN } from './ratio.js';
import { joinWaiting, waiting } from './waiting.js';

const EXPLICIT: Record<string, string> = {
  dismissed: 'dismissed', navigated: 'navigated', stopped: 'stopped', 'timed-out': 'timed_out', 'worked-around': 'worked_around',
};
const SHOWN = amountOf('shown');
/** Variants that depend on how long ago a result was shown. */
const DATED = new Set(['all', 'pending', 'soft', 'confirmed']);
/** Dimensions of a result as the table invocation has them. */
const OF_INVOCATION = {
  task_kind: `coalesce(d.task_kind, '')`, surface: `coalesce(d.surface, '')`, initiative: `coalesce(d.initiative, '')`,
  model: `coalesce(d.shown_model, d.started_model, '')`, release: `coalesce(d.shown_release, d.started_release, '')`,
};

export const abandonment: Metric = {
  declaration: {
    id: 'trust.abandonment',
    question: 'How often is a result left lying?',
    formula: '(abandoned explicitly + undecided for longer than the decision window) / shown',
    unit: 'ratio',
    variants: {
      all: 'explicit, soft and confirmed together', dismissed: 'closed by the person', navigated: 'left by going elsewhere', stopped: 'stopped while it was produced',
      'timed-out': 'ended by the host', 'worked-around': 'done in another way',
      pending: 'undecided within the decision window', soft: 'undecided for one to three windows', confirmed: 'undecided for more than three windows',
      undecided: 'pending, soft and confirmed together',
    },
    grains: GRAINS,
    dimensions: FACT_DIMENSIONS,
    minimum: LEAST_PEOPLE,
    watchOut: 'The window is the task kind’s own: the time within which 99 in 100 of its decisions came, learned each week from the 13 weeks before and held for results shown from then on; at least 15 minutes, and 24 hours until 100 decisions have taught one. A late decision always wins, so recent days fall. Explicit abandonment is not in undecided.',
    version: 2,
  },
  behind: { '': counted('shown') },
  async figures(asking) {
    const { deployment, completeThrough } = asking.subject;
    const learned = await learnedWindows(asking.query, deployment);
    const figures = await ratioFigures(asking, {
      variants: {
        all: { x: less(amountOf(...Object.values(EXPLICIT), 'undecided'), 'pending'), y: SHOWN },
        ...Object.fromEntries(Object.entries(EXPLICIT).map(([cause, counter]) => [cause, { x: amountOf(counter), y: SHOWN }])),
        pending: { x: amountOf('pending'), y: SHOWN },
        soft: { x: amountOf('soft'), y: SHOWN },
        confirmed: { x: less(amountOf('undecided'), 'pending', 'soft'), y: SHOWN },
        undecided: { x: amountOf('undecided'), y: SHOWN },
      },
      also: {
        counters: ['pending', 'soft'],
        sql: (cutBy, values) => {
          const { names, columns, from } = cut(cutBy, `(invocation ${joinWaiting(waiting(learned, completeThrough), values)}) d`, values, OF_INVOCATION);
          return `select ${columns}, d.person, count(*) filter (where shown_at >= pending_since) as pending, count(*) filter (where shown_at < pending_since) as soft
            ${from} and d.status = 'undecided' group by ${names}, d.person`;
        },
      },
    });
    return completeThrough === null ? figures.map((figure) => (DATED.has(figure.variant) ? { ...figure, ...UNKNOWN } : figure)) : figures;
  },
};
