/**
 * The usage projection: a page of a shard's events into the rows of `invocation`, `task` and `person_day`.
 *
 * What arrives: events in position order and the rows as they were. What leaves: the rows as they are now. Next are
 * the metrics. Each event takes back what its row said before and adds what it says now, one event after the other,
 * so the stamp of every cell is that of the last event that touched it, however the log was cut into pages.
 */
import { keyOf, type LoggedEvent, type Projection, type Store } from '@foothold/event-log';
import { invocationTable, isAboutInvocation, mergeInvocation, newInvocation, type Invocation } from './invocation.js';
import { timeZone } from './local-day.js';
import { COUNTERS, isEmpty, newPersonDay, personDayTable, tallyInvocation, tallyTask, type Cell, type Counter, type PersonDay } from './person-day.js';
import { type Registration } from './registration.js';
import { aidTask, mergeTask, newTask, taskTable, type Task } from './task.js';

const invocationKey = ({ deployment, person, data }: LoggedEvent): string =>
  keyOf(invocationTable, { deployment, person, invocation: data['invocation'] } as Invocation);
const taskKey = (deployment: number, person: number, task: string): string => keyOf(taskTable, { deployment, person, task } as Task);

export const usageProjection: Projection = { name: 'usage', version: 2, tables: [invocationTable, taskTable, personDayTable], page: 10_000, fold };

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

  const cells = new Map<string, PersonDay>();
  const rowOf = (cell: Cell): PersonDay => {
    const key = keyOf(personDayTable, cell as PersonDay);
    let row = cells.get(key);
    if (!row) cells.set(key, (row = newPersonDay(cell)));
    return row;
  };
  const tallyAt = (received: number, sign: 1 | -1) => {
    let last: Cell | undefined;
    let row: PersonDay;
    return (cell: Cell, counter: Counter) => {
      if (cell !== last) row = rowOf((last = cell));
      row[counter] += sign;
      row.revised_at = received;
    };
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

  for (const event of events) {
    const dayOf = (micros: number) => zone(event.deployment).dayOf(micros);
    if (isAboutInvocation(event)) {
      const row = invocations.get(invocationKey(event))!;
      if (row.revised_at > 0) {
        tallyInvocation(row, tallyAt(event.received, -1));
        aid(row, -1, event.received);
      }
      mergeInvocation(row, event, dayOf);
      tallyInvocation(row, tallyAt(event.received, 1));
      aid(row, 1, event.received);
    } else if (event.type === 'task.completed') {
      const row = tasks.get(taskKey(event.deployment, event.person!, event.data['task'] as string))!;
      touchedTask(row, event.received, () => mergeTask(row, event, dayOf));
    }
  }

  await store.put(invocationTable, invocations.values());
  for (const [key, row] of tasks) if (row.completed_at === null && row.named === 0) tasks.delete(key);
  await store.put(taskTable, tasks.values());

  for (const [key, old] of await store.take(personDayTable, cells.values())) {
    const row = cells.get(key)!;
    for (const counter of COUNTERS) row[counter] += old[counter];
  }
  for (const [key, row] of cells) if (isEmpty(row)) cells.delete(key);
  await store.put(personDayTable, cells.values());
}
