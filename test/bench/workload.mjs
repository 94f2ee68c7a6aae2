/** Usage as hosts send it: people who ask, are shown, decide and finish tasks. The same events for the same count. */
import { createHash } from 'node:crypto';

export const DEPLOYMENT = 'bench';
const PEOPLE = 2_000;
const START = Date.UTC(2026, 0, 5, 7);
const KINDS = ['triage', 'discharge-letter', 'coding', 'claim'];

/** `count` structured CloudEvents in the order of their times over some weeks, subjects as pseudonyms, ids UUIDv7. */
export function* usage(count) {
  const pseudonyms = pseudonymsOf(PEOPLE);
  const below = random(20261125);
  let made = 0;
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
      yield eventOf(name, person, at + after, made++, data);
    }
  }
}

/** Nine months in which every person works with it on some of their working days: who, and when, is the same whatever `perDay`. */
export const NINE_MONTHS = { people: 5_000, first: '2026-01-05', last: '2026-10-04' };
const DAY_MS = 86_400_000;
const pick = (below, weighted) => {
  let left = below(100);
  return weighted.find(([, share]) => (left -= share) < 0)[0];
};

/** About a million structured CloudEvents for each of the `perDay` invocations that a person makes on a day on which they use it. */
export function* nineMonths(perDay) {
  const pseudonyms = pseudonymsOf(NINE_MONTHS.people);
  const [when, what] = [random(20261127), random(20261128)];
  const eager = pseudonyms.map(() => 4 + when(48));
  let [made, n] = [0, 0];
  for (let day = Date.parse(NINE_MONTHS.first); day <= Date.parse(NINE_MONTHS.last); day += DAY_MS) {
    if ([0, 6].includes(new Date(day).getUTCDay())) continue;
    for (const [i, person] of pseudonyms.entries()) {
      if (when(100) >= eager[i]) continue;
      for (let nth = 0; nth < perDay; nth++, n++) {
        const at = day + 25_200_000 + what(36_000_000);
        const invocation = `inv-${n}`;
        const taskKind = KINDS[what(KINDS.length)];
        const story = [
          ['invocation.started', 0, {
            invocation, task: `task-${n}`, taskKind, surface: pick(what, [['in-workflow', 80], ['side-tool', 15], ['export', 5]]),
            initiative: pick(what, [['person', 80], ['mandated', 10], ['automatic', 10]]), model: pick(what, [['large-2.1', 70], ['small-1.4', 30]]), release: `2026.${1 + new Date(day).getUTCMonth() / 3 | 0}`,
          }],
          ['result.shown', 1_800, { invocation, options: 1 + what(3), latencyMs: 900 + what(900), confidence: what(1_000) / 1_000 }],
        ];
        const fate = what(10);
        const decided = 3_000 + what(60_000);
        if (fate < 6) story.push(['result.accepted', decided, { invocation, option: 0, changed: what(3) === 0 ? 0 : what(100) / 100 }]);
        else if (fate < 9) story.push(['result.overridden', decided, { invocation, reason: pick(what, [['wrong-facts', 50], ['wrong-tone', 30], ['outdated', 20]]) }]);
        if (what(2) === 0) story.push(['task.completed', 120_000, { task: `task-${n}`, taskKind }]);
        if (what(5) === 0) story.push(['task.completed', 180_000, { task: `alone-${n}`, taskKind }]);
        if (fate < 6 && what(5) === 0) story.push(['result.rechecked', 7 * DAY_MS, { invocation, kept: what(100) / 100, afterDays: 7 }]);
        if (fate < 9 && what(10) === 0) story.push(['truth.established', 3 * DAY_MS, { invocation, aiRight: what(4) > 0, firstRight: what(2) === 0, finalRight: what(3) > 0, sampledWith: 0.1 }]);
        if (what(50) === 0) story.push(['feedback.given', 240_000, { score: what(2) * 2 - 1 }]);
        for (const [name, after, data] of story) yield eventOf(name, person, at + after, made++, data);
      }
    }
  }
}

export const pseudonymsOf = (people) => Array.from({ length: people }, (_, n) => createHash('sha256').update(`bench person ${n}`).digest('hex'));

function random(seed) {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * limit);
  };
}

function eventOf(name, subject, at, nth, data) {
  return {
    specversion: '1.0', id: uuid7(at, nth), source: 'urn:bench:host', type: `foothold.${name}.v1`, subject,
    time: new Date(at).toISOString(), deployment: DEPLOYMENT, datacontenttype: 'application/json', data,
  };
}

function uuid7(millis, n) {
  const time = millis.toString(16).padStart(12, '0');
  const low = n.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${low}`;
}
