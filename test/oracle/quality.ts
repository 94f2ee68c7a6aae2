/** The oracle's trust beyond acceptance: what people changed and kept, how long they looked, whether they were right to. */
import { type Fact, type HistoryEvent, type Invocation, type World } from './facts.js';
import { bucketsOf, peopleOf, ratio, rowsOf, share, type Figure, type OracleRow, type Question } from './rows.js';

type Of<F> = (facts: F[]) => Figure[];
const ofResults = (world: World, question: Question, figuresOf: Of<Invocation>): OracleRow[] => rowsOf(bucketsOf(question, world.counted), world.invocations, question, figuresOf);

const isAccepted = (one: Invocation): boolean => one.decision?.type === 'result.accepted';
const isOverridden = (one: Invocation): boolean => one.decision?.type === 'result.overridden';
const isDecided = (one: Invocation): boolean => one.decision !== null;
const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
const flag = (value: unknown): boolean | null => (typeof value === 'boolean' ? value : null);
/** To the nearest millionth. */
const millionth = (value: number): number => Math.round(value * 1e6) / 1e6;
const sum = (values: number[]): number => values.reduce((so, one) => so + one, 0);

const changed = (one: Invocation): number | null => number(one.decision?.data['changed']);

export function verbatim(world: World, question: Question): OracleRow[] {
  return ofResults(world, question, (facts) => [ratio('all', facts.filter((one) => isAccepted(one) && changed(one) !== null), (one) => changed(one) === 0)]);
}

export function edits(world: World, question: Question): OracleRow[] {
  return ofResults(world, question, (facts) => {
    const accepted = facts.filter(isAccepted);
    const known = accepted.filter((one) => changed(one) !== null);
    const band = (variant: string, over: number, upTo: number): Figure => ratio(variant, known, (one) => changed(one)! > over && changed(one)! <= upTo);
    return [
      ratio('none', known, (one) => changed(one) === 0), band('light', 0, 0.2), band('moderate', 0.2, 0.5), band('heavy', 0.5, Infinity),
      ratio('unknown', accepted, (one) => changed(one) === null),
    ];
  });
}

export function kept(world: World, question: Question): OracleRow[] {
  return ofResults(world, question, (facts) => {
    const accepted = facts.filter(isAccepted);
    return [1, 7, 30].flatMap((horizon) => {
      const known = accepted.filter((one) => keptBy(one, horizon) !== null);
      const standing = sum(known.map((one) => millionth(keptBy(one, horizon)!)));
      return [
        { variant: `day_${String(horizon)}`, value: known.length === 0 ? null : standing / known.length, numerator: standing, denominator: known.length, people: peopleOf(known).length },
        ratio(`unknown_${String(horizon)}`, accepted, (one) => keptBy(one, horizon) === null),
      ];
    });
  });
}

/** The last known value at or before that day: rechecks are in order, so of equal days the later one wins. */
function keptBy({ rechecks }: Invocation, horizon: number): number | null {
  let best: HistoryEvent | null = null;
  for (const recheck of rechecks) {
    const after = Number(recheck.data['afterDays']);
    if (after <= horizon && (best === null || after >= Number(best.data['afterDays']))) best = recheck;
  }
  return best === null ? null : Number(best.data['kept']);
}

/** Microseconds from the shown event to the decision; null where nothing told of the first, or it came later. */
function lookedFor({ shown, decision }: Invocation): number | null {
  if (shown === null || decision === null || decision.time < shown.time) return null;
  return decision.time - shown.time;
}

export function decisionTime(world: World, question: Question): OracleRow[] {
  return ofResults(world, question, (facts) => {
    const timed = facts.filter((one) => lookedFor(one) !== null);
    const times = timed.map((one) => lookedFor(one)! / 1_000).sort((a, b) => a - b);
    return [5, 50, 95].map((percent): Figure => {
      const rank = Math.ceil((percent * times.length) / 100);
      return { variant: `p${String(percent)}`, value: times[rank - 1] ?? null, numerator: null, denominator: times.length, people: peopleOf(timed).length };
    });
  });
}

const truthOf = (one: Invocation, field: 'aiRight' | 'firstRight' | 'finalRight'): boolean | null => flag(one.truth?.data[field]);
const weightOf = (one: Invocation): number => millionth(1 / (number(one.truth?.data['sampledWith']) ?? 1));
const weigh = (facts: Invocation[]): number => sum(facts.map(weightOf));

function weighted(variant: string, facts: Invocation[], counts: (one: Invocation) => boolean): Figure {
  const numerator = weigh(facts.filter(counts));
  const denominator = weigh(facts);
  return { variant, value: denominator === 0 ? null : numerator / denominator, numerator, denominator, people: peopleOf(facts).length };
}

export function judged(world: World, question: Question): OracleRow[] {
  return ofResults(world, question, (facts) => {
    const decided = facts.filter(isDecided);
    const wrong = decided.filter((one) => truthOf(one, 'aiRight') === false);
    const right = decided.filter((one) => truthOf(one, 'aiRight') === true);
    if (question.metric === 'trust.over_reliance') return [weighted('all', wrong, isAccepted)];
    if (question.metric === 'trust.under_reliance') return [weighted('all', right, isOverridden)];
    if (question.metric === 'trust.override_correctness') {
      return [weighted('all', decided.filter((one) => isOverridden(one) && truthOf(one, 'finalRight') !== null), (one) => truthOf(one, 'finalRight') === true)];
    }
    const [ofRight, ofWrong] = [weighted('', right, isAccepted).value, weighted('', wrong, isAccepted).value];
    const known = [...right, ...wrong];
    return [{ variant: 'all', value: ofRight === null || ofWrong === null ? null : ofRight - ofWrong, numerator: null, denominator: weigh(known), people: peopleOf(known).length }];
  });
}

export function reliance(world: World, question: Question): OracleRow[] {
  return ofResults(world, question, (facts) => {
    const finished = (first: boolean, ai: boolean): Invocation[] =>
      facts.filter((one) => isDecided(one) && truthOf(one, 'firstRight') === first && truthOf(one, 'aiRight') === ai && truthOf(one, 'finalRight') !== null);
    const isRight = (one: Invocation): boolean => truthOf(one, 'finalRight') === true;
    return [weighted('rair', finished(false, true), isRight), weighted('rsr', finished(true, false), isRight)];
  });
}

export function calibration(world: World, question: Question): OracleRow[] {
  return ofResults(world, question, (facts) => {
    const stated = facts.filter((one) => isDecided(one) && number(one.shown?.data['confidence']) !== null);
    return [
      ...calibrated('acceptance', stated, isAccepted),
      ...calibrated('truth', stated.filter((one) => truthOf(one, 'aiRight') !== null), (one) => truthOf(one, 'aiRight') === true),
    ];
  });
}

/** The slope is not worked out here: its row says of how many results and people it is. */
function calibrated(against: string, facts: Invocation[], holds: (one: Invocation) => boolean): Figure[] {
  const n = facts.length;
  const pairs = facts.map((one) => ({ stated: Number(one.shown!.data['confidence']), outcome: holds(one) ? 1 : 0 }));
  const bins = n < 200 ? 5 : 10;
  const distances = Array.from({ length: bins }, (_, bin) => {
    // A confidence of 1 belongs to the last bin.
    const inside = pairs.filter(({ stated }) => (stated >= bin / bins && stated < (bin + 1) / bins) || (bin === bins - 1 && stated === 1));
    return Math.abs(sum(inside.map((one) => one.stated)) - sum(inside.map((one) => one.outcome)));
  });
  const figure = (name: string, total: number): Figure => ({ variant: `${against}_${name}`, value: n === 0 ? null : total / n, numerator: null, denominator: n, people: peopleOf(facts).length });
  return [
    figure('brier', sum(pairs.map(({ stated, outcome }) => (stated - outcome) ** 2))),
    figure('ece', sum(distances)),
    { ...figure('slope', 0), value: n === 0 ? null : NaN },
  ];
}

export function feedback(world: World, question: Question): OracleRow[] {
  const facts: (Fact & { score: number | null })[] = [...world.feedback, ...world.activities.map(({ day, person, dimensions }) => ({ day, person, dimensions, score: null }))];
  return rowsOf(bucketsOf(question, world.counted), facts, question, (here) => {
    const given = here.filter((one) => one.score !== null);
    const total = sum(given.map((one) => millionth(one.score!)));
    return [
      { variant: 'score', value: given.length === 0 ? null : total / given.length, numerator: total, denominator: given.length, people: peopleOf(given).length },
      share('response_rate', peopleOf(given).length, peopleOf(here).length),
    ];
  });
}
