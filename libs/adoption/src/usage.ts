/**
 * The usage projection: a page of a shard's events into the rows of `invocation`, `task`, `person_day` and what is
 * summed up of them, and into those of the feed itself (feed.ts).
 *
 * What arrives: events in position order and the rows as they were. What leaves: the rows as they are now. Next are
 * the metrics. Each event takes back what its row said before and adds what it says now, one event after the other,
 * so the stamp of every cell is that of the last event that touched it, however the log was cut into pages.
 */
import { keyOf, type LoggedEvent, type Projection, type Store } from '@foothold/event-log';
import { Counts } from './counts.js';
import { feedArrivalTable, feedDayTable, FeedPage, feedSessionTable, feedTotalTable } from './feed.js';
import { CONFIDENCE_COUNTERS, confidenceOf, confidenceTable, dayRevisionTable, decisionTimeOf, decisionTimeTable, type Confidence, type DayRevision, type DecisionTime } from './histograms.js';
import { dated, invocationTable, isAboutInvocation, mergeInvocation, newInvocation, type Invocation } from './invocation.js';
import { mondayOf, timeZone } from './local-day.js';
import {
  addToSum, addToWeek, COUNTERS, newPersonDay, newPersonDaySum, newPersonWeek, personDaySumTable, personDayTable, personWeekTable, SUM_COUNTERS, tallyFeedback, tallyInvocation, tallyTask, WEEK_COUNTERS,
  type Cell, type Counter, type PersonDay,
} from './person-day.js';
import { type Registration } from './registration.js';
import { aidTask, mergeTask, newTask, taskTable, type Task } from './task.js';

const invocationKey = ({ deployment, person, data }: LoggedEvent): string =>
  keyOf(invocationTable, { deployment, person, invocation: data['invocation'] } as Invocation);
const taskKey = (deployment: number, person: number, task: string): string => keyOf(taskTable, { deployment, person, task } as Task);

export const usageProjection: Projection = {
  name: 'usage', version: 4, page: 10_000, fold,
  tables: [invocationTable, taskTable, personDayTable, personDaySumTable, personWeekTable, decisionTimeTable, confidenceTable, dayRevisionTable,
    feedDayTable, feedSessionTable, feedTotalTable, feedArrivalTable],
};

async function fold(events: LoggedEvent[], store: Store): Promise<void> {
  const zone = (deployment: number) => timeZone((store.registration(deployment) as Registration).timeZone);

  const invocations = new Map<string, Invocation>();
  for (const event of events) {
    if (!isAboutInvocation(event)) continue;
    const key = invocationKey(event);
    if (!invocations.has(key)) invocations.set(key, newInvocation(event.deployment, event.person!, event.data['invocation'] as string));
  }
  const known = await store.take(invocationTable, invocations.values());
  for (const [key, row] of known) invocations.set(key, row);

  const tasks = new Map<string, Task>();
  const needTask = (deployment: number, person: number, task: unknown) => {
    if (typeof task !== 'string') return;
    const key = taskKey(deployment, person, task);
    if (!tasks.has(key)) tasks.set(key, newTask(deployment, person, task));
  };
  for (const row of known.values()) needTask(row.deployment, row.person, row.task);
  for (const event of events) {
    if (event.type === 'task.completed' || event.type === 'invocation.started') needTask(event.deployment, event.person!, event.data['task']);
  }
  const knownTasks = await store.take(taskTable, tasks.values());
  for (const [key, row] of knownTasks) tasks.set(key, row);

  const cells = new Counts(personDayTable, COUNTERS, newPersonDay);
  const times = new Counts(decisionTimeTable, ['n'], (cell: Omit<DecisionTime, 'n'>): DecisionTime => ({ ...cell, n: 0 }));
  const confidences = new Counts(confidenceTable, CONFIDENCE_COUNTERS, (cell: Confidence): Confidence => ({ ...cell, n: 0, so: 0, stated: 0, squared: 0 }));
  const revisions = new Counts(dayRevisionTable, ['revisions'], ({ deployment, day }: Pick<DayRevision, 'deployment' | 'day'>): DayRevision => ({ deployment, day, revised_at: 0, revisions: 0 }));
  const tallyAt = (received: number, sign: 1 | -1) => {
    let last: Cell | undefined;
    let row: PersonDay;
    return (cell: Cell, counter: Counter, amount = 1) => {
      if (cell !== last) {
        row = cells.at((last = cell));
        row.revised_at = received;
        const revision = revisions.at(cell);
        revision.revised_at = received;
        revision.revisions++;
      }
      row[counter] += sign * amount;
    };
  };
  const tallyAll = (row: Invocation, received: number, sign: 1 | -1) => {
    tallyInvocation(row, tallyAt(received, sign));
    const time = decisionTimeOf(row);
    if (time) times.at(time).n += sign;
    for (const stated of confidenceOf(row)) {
      const bin = confidences.at(stated);
      for (const counter of CONFIDENCE_COUNTERS) bin[counter] += sign * stated[counter];
    }
  };
  const touchedTask = (row: Task, received: number, merge: () => void) => {
    tallyTask(row, tallyAt(received, -1));
    merge();
    tallyTask(row, tallyAt(received, 1));
  };
  const aid = (row: Invocation, sign: 1 | -1, received: number) => {
    if (row.task === null) return;
    const task = tasks.get(taskKey(row.deployment, row.person, row.task))!;
    touchedTask(task, received, () => aidTask(task, row, sign, received));
  };

  const feed = new FeedPage();
  for (const event of events) {
    const local = zone(event.deployment);
    const dayOf = (micros: number) => local.dayOf(micros);
    feed.take(event, local);
    if (isAboutInvocation(event)) {
      const row = invocations.get(invocationKey(event))!;
      const began = row.revised_at > 0 ? row.first_at : null;
      if (began !== null) {
        tallyAll(row, event.received, -1);
        aid(row, -1, event.received);
      }
      mergeInvocation(row, event, dayOf);
      feed.move('invocations', row.deployment, began, row.first_at);
      tallyAll(row, event.received, 1);
      aid(row, 1, event.received);
    } else if (event.type === 'task.completed') {
      const row = tasks.get(taskKey(event.deployment, event.person!, event.data['task'] as string))!;
      const completed = row.completed_at;
      touchedTask(row, event.received, () => mergeTask(row, event, dayOf));
      feed.move('tasks', row.deployment, completed, row.completed_at!);
    } else if (event.type === 'feedback.given') {
      tallyFeedback(event.deployment, event.person!, dayOf(dated(event)), event.data['score'] as number, tallyAt(event.received, 1));
    }
  }

  await store.put(invocationTable, invocations.values());
  for (const [key, row] of tasks) if (row.completed_at === null && row.named === 0) tasks.delete(key);
  await store.put(taskTable, tasks.values());

  const sums = new Counts(personDaySumTable, SUM_COUNTERS, newPersonDaySum);
  const weeks = new Counts(personWeekTable, WEEK_COUNTERS, newPersonWeek);
  for (const cell of cells.values()) {
    addToSum(sums.at(cell), cell);
    addToWeek(weeks.at({ ...cell, week: mondayOf(cell.day) }), cell);
  }
  for (const counts of [cells, sums, weeks, times, confidences, revisions, feed]) await counts.settle(store);
}
