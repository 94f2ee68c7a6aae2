/** Of the eligible tasks people completed, those done with the AI's help. */
import { GRAINS } from '@foothold/contract';
import { withTasks } from './behind.js';
import { completeness, type Completeness } from './completeness.js';
import { LEAST_PEOPLE, type Metric } from './metric.js';
import { amountOf, ratioFigures } from './ratio.js';

const TASKS = amountOf('tasks');

/** Of control totals, the least share that must have arrived. */
const LEAST_COMPLETE = 0.95;

export const coverage: Metric = {
  declaration: {
    id: 'adoption.coverage',
    question: 'Of the work it could help with, how much was done with it?',
    formula: 'completed tasks of eligible kinds with a decision on a result of an invocation that names the task / completed tasks of eligible kinds',
    unit: 'ratio',
    variants: {
      pooled: 'of all tasks', people: 'the mean of each person’s own share', consulted: 'tasks with a result shown and none decided',
      conflicts: 'tasks where the host’s own flag says otherwise than the invocations do',
    },
    grains: GRAINS,
    dimensions: ['team', 'role', 'task_kind', 'stage', 'handoff_week'],
    minimum: LEAST_PEOPLE,
    watchOut: 'A feed that loses tasks looks like adoption. Tasks are counted on the day they were completed.',
    version: 1,
  },
  behind: { '': withTasks },
  feed: true,
  async remarks(asking, days) {
    const [{ counted, arrived }] = (await completeness(asking, 'tasks', [days])) as [Completeness];
    if (counted === 0) return [];
    const percent = Math.floor((1000 * arrived) / counted) / 10; // what is not whole must not be rounded up to it
    return [`The system of record counted ${counted} tasks, and ${arrived} of them arrived (${percent} %).${arrived / counted < LEAST_COMPLETE ? ' Coverage is not to be read.' : ''}`];
  },
  figures: (asking) => {
    const { taskKinds } = asking.subject.registration;
    return ratioFigures(asking, {
      variants: {
        pooled: { x: amountOf('tasks_used'), y: TASKS },
        people: { x: amountOf('tasks_used'), y: TASKS, meanOfPeople: true },
        consulted: { x: amountOf('tasks_consulted'), y: TASKS },
        conflicts: { x: amountOf('tasks_conflicting'), y: TASKS },
      },
      ...(taskKinds ? { where: (values) => `d.task_kind = any($${values.push(taskKinds)})` } : {}),
    });
  },
};
