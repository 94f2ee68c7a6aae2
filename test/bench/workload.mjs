/** Usage as hosts send it: people who ask, are shown, decide and finish tasks, over some weeks. The same events for the same count. */
import { createHash } from 'node:crypto';

export const DEPLOYMENT = 'bench';
const PEOPLE = 2_000;
const START = Date.UTC(2026, 0, 5, 7);
const KINDS = ['triage', 'discharge-letter', 'coding', 'claim'];

/** `count` structured CloudEvents in the order of their times, subjects as pseudonyms, ids UUIDv7. */
export function* usage(count) {
  const pseudonyms = Array.from({ length: PEOPLE }, (_, n) => createHash('sha256').update(`bench person ${n}`).digest('hex'));
  let made = 0;
  let state = 20261125;
  const below = (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * limit);
  };
  for (let n = 0; made < count; n++) {
    const person = pseudonyms[below(PEOPLE)];
    const at = START + n * 9_000;
    const invocation = `inv-${n}`;
    const kind = KINDS[below(KINDS.length)];
    const task = `task-${n}`;
    const story = [
      ['invocation.started', 0, { invocation, task, taskKind: kind, surface: 'in-workflow', initiative: 'person', model: 'triage-large-2.1', release: '2026.1' }],
      ['result.shown', 1_800, { invocation, options: 1 + below(3), latencyMs: 900 + below(900), confidence: below(100) / 100 }],
    ];
    const fate = below(10);
    if (fate < 6) story.push(['result.accepted', 9_000, { invocation, option: 0, changed: below(50) / 100, dwellMs: 7_000 }]);
    else if (fate < 9) story.push(['result.overridden', 9_000, { invocation, reason: 'wrong-facts', dwellMs: 7_000 }]);
    if (below(2) === 0) story.push(['task.completed', 60_000, { task, taskKind: kind, durationMs: 60_000 }]);
    for (const [name, after, data] of story) {
      if (made === count) return;
      yield {
        specversion: '1.0', id: uuid7(at + after, made++), source: 'urn:bench:host', type: `foothold.${name}.v1`, subject: person,
        time: new Date(at + after).toISOString(), deployment: DEPLOYMENT, datacontenttype: 'application/json', data,
      };
    }
  }
}

function uuid7(millis, n) {
  const time = millis.toString(16).padStart(12, '0');
  const low = n.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${low}`;
}
