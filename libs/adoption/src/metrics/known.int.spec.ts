/**
 * What is known of decisions, on random histories: as the read tables answer it, and worked out from the plain list of events
 * by a slow reference of the same author, result by result.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { checkMessage, RESULT_DIMENSIONS, type Dimension } from '@foothold/contract';
import { append, change, openOrigin, openTenant, type Log } from '@foothold/event-log';
import { brierScore, calibrationError, calibrationSlope, reliabilityBins, wilson } from '@foothold/statistics';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { freshDatabase, type FreshDatabase } from '../../../../test/support/database.js';
import { histories, type History, type HostEvent } from '../../../../test/support/history.js';
import { foldAll, openTestLog, pseudonymiser } from '../../../../test/support/recording.js';
import { seeded } from '../../../../test/support/seeded.js';
import { dayNumber, timeZone } from '../local-day.js';
import { DEFAULT_REGISTRATION } from '../registration.js';
import { prepareAnswer } from './answer.js';
import { buckets } from './bucket.js';
import { CATALOGUE } from './catalogue.js';
import { understand } from './question.js';

const HISTORIES = 80;
const SEED = Number(process.env['KNOWN_SEED'] ?? randomBytes(4).readUInt32LE());
const IDS = ['verbatim', 'edits', 'kept', 'decision_time', 'over_reliance', 'under_reliance', 'override_correctness', 'discrimination', 'reliance', 'calibration', 'feedback'].map((name) => `trust.${name}`);
const METRICS = CATALOGUE.filter(({ id }) => IDS.includes(id));

let fresh: FreshDatabase;
let log: Log;
beforeAll(async () => {
  fresh = await freshDatabase();
  log = await openTestLog(fresh.url);
  console.info(`seed ${SEED}: repeat with KNOWN_SEED=${SEED}`);
});
afterAll(async () => {
  await log?.database.close();
  await fresh?.drop();
});

/** An event as the log has it. */
interface Told { id: string; source: string; type: string; time: number; deployment: string; person: string; actor: string | null; data: Record<string, unknown> }
/** A result with a decision that stands, or what else is counted of a person and a day. */
interface Fact { person: string; day: number; by: Partial<Record<Dimension, string | null>> }
interface Decided extends Fact {
  accepted: boolean;
  changed: number | null;
  confidence: number | null;
  took: number | null;
  truth: { aiRight: boolean; firstRight?: boolean; finalRight?: boolean } | null;
  weight: number;
  kept: Record<number, number | null>;
}
interface Figure { variant: string; value: number | null; numerator: number | null; denominator: number | null; people: number }

const compare = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);
const millionth = (value: number) => Math.round(value * 1e6) / 1e6;
const optional = <T>(value: unknown) => (value ?? null) as T | null;

function decisionsOf(events: Told[], zone: string): Decided[] {
  const stories = new Map<string, Told[]>();
  for (const event of events) if (typeof event.data['invocation'] === 'string' && event.type !== 'feedback.given') {
    const key = JSON.stringify([event.person, event.data['invocation']]);
    stories.set(key, [...(stories.get(key) ?? []), event]);
  }
  return [...stories.values()].flatMap((story): Decided[] => {
    story.sort((a, b) => a.time - b.time || compare(a.id, b.id) || compare(a.source, b.source));
    let decision: Told | null = null;
    for (const event of story) {
      if (event.type === 'result.accepted' || event.type === 'result.overridden') decision = event;
      if (event.type === 'decision.withdrawn') decision = null;
    }
    if (!decision) return [];
    const first = (type: string) => story.find((event) => event.type === type);
    const [started, shown] = [first('invocation.started'), first('result.shown')];
    const truth = optional<Decided['truth'] & { sampledWith?: number }>(story.filter(({ type }) => type === 'truth.established').at(-1)?.data);
    const rechecks = story.filter(({ type }) => type === 'result.rechecked').map(({ data }) => data as { kept: number; afterDays: number });
    const keptBy = (days: number) => {
      const known = rechecks.filter(({ afterDays }) => afterDays <= days);
      const most = Math.max(...known.map(({ afterDays }) => afterDays));
      return known.filter(({ afterDays }) => afterDays === most).at(-1)?.kept ?? null;
    };
    return [{
      person: decision.person, day: timeZone(zone).dayOf((started ?? story[0]!).time),
      by: {
        task_kind: optional(started?.data['taskKind']), surface: optional(started?.data['surface']), initiative: optional(started?.data['initiative']),
        model: optional(shown?.data['model'] ?? started?.data['model']), release: optional(shown?.data['release'] ?? started?.data['release']),
      },
      accepted: decision.type === 'result.accepted', changed: optional(decision.data['changed']), confidence: optional(shown?.data['confidence']),
      took: shown && decision.time >= shown.time ? (decision.time - shown.time) / 1000 : null,
      truth, weight: millionth(Math.min(1e6, 1 / (truth?.sampledWith ?? 1))), kept: Object.fromEntries([1, 7, 30].map((days) => [days, keptBy(days)])),
    }];
  });
}

const sum = <T>(facts: T[], of: (fact: T) => number) => facts.reduce((total, fact) => total + of(fact), 0);
const peopleOf = (facts: Fact[]) => new Set(facts.map(({ person }) => person)).size;

/** Of what belongs to the denominator, the share that is so. */
function share<T extends Fact>(variant: string, whole: T[], so: (fact: T) => number | boolean, weight: (fact: T) => number = () => 1): Figure {
  const [numerator, denominator] = [sum(whole, (fact) => Number(so(fact)) * weight(fact)), sum(whole, weight)];
  return { variant, value: denominator === 0 ? null : numerator / denominator, numerator, denominator, people: peopleOf(whole) };
}

function figuresOf(metric: string, decided: Decided[], given: (Fact & { score: number })[], active: Fact[]): Figure[] {
  const accepted = decided.filter((one) => one.accepted);
  const known = accepted.filter(({ changed }) => changed !== null);
  const judged = decided.filter(({ truth }) => truth !== null);
  const [wrong, right] = [judged.filter(({ truth }) => !truth!.aiRight), judged.filter(({ truth }) => truth!.aiRight)];
  const weight = (one: Decided) => one.weight;
  switch (metric) {
    case 'trust.verbatim': return [share('all', known, ({ changed }) => changed === 0)];
    case 'trust.edits': return [
      share('none', known, ({ changed }) => changed === 0), share('light', known, ({ changed }) => changed! > 0 && changed! <= 0.2), share('moderate', known, ({ changed }) => changed! > 0.2 && changed! <= 0.5),
      share('heavy', known, ({ changed }) => changed! > 0.5), share('unknown', accepted, ({ changed }) => changed === null)];
    case 'trust.kept': return [1, 7, 30].flatMap((days) => [
      share(`day_${days}`, accepted.filter(({ kept }) => kept[days] !== null), ({ kept }) => millionth(kept[days]!)), share(`unknown_${days}`, accepted, ({ kept }) => kept[days] === null)]);
    case 'trust.over_reliance': return [share('all', wrong, (one) => one.accepted, weight)];
    case 'trust.under_reliance': return [share('all', right, (one) => !one.accepted, weight)];
    case 'trust.override_correctness': return [share('all', judged.filter((one) => !one.accepted && one.truth!.finalRight !== undefined), ({ truth }) => truth!.finalRight!, weight)];
    case 'trust.discrimination': {
      const [ofRight, ofWrong] = [share('all', right, (one) => one.accepted, weight), share('all', wrong, (one) => one.accepted, weight)];
      return [{ variant: 'all', value: ofRight.value === null || ofWrong.value === null ? null : ofRight.value - ofWrong.value, numerator: null, denominator: sum(judged, weight), people: peopleOf(judged) }];
    }
    case 'trust.reliance': return [
      share('rair', right.filter(({ truth }) => truth!.firstRight === false && truth!.finalRight !== undefined), ({ truth }) => truth!.finalRight!, weight),
      share('rsr', wrong.filter(({ truth }) => truth!.firstRight === true && truth!.finalRight !== undefined), ({ truth }) => truth!.finalRight!, weight)];
    case 'trust.feedback': {
      const score = share('score', given, (one) => millionth(one.score));
      const [answered, asked] = [peopleOf(given), peopleOf([...given, ...active])];
      return [score, { variant: 'response_rate', value: asked === 0 ? null : answered / asked, numerator: answered, denominator: asked, people: asked }];
    }
    case 'trust.decision_time': {
      const timed = decided.filter(({ took }) => took !== null);
      const times = timed.map(({ took }) => took!).sort((a, b) => a - b);
      return Object.entries({ p5: 0.05, p50: 0.5, p95: 0.95 }).map(([variant, p]) => ({ variant, value: times[Math.max(1, Math.ceil(p * times.length)) - 1] ?? null, numerator: null, denominator: times.length, people: peopleOf(timed) }));
    }
    default: return (['acceptance', 'truth'] as const).flatMap((against) => {
      const stated = decided.filter(({ confidence, truth }) => confidence !== null && (against === 'acceptance' || truth !== null));
      const pairs = stated.map((one) => ({ confidence: one.confidence!, outcome: against === 'acceptance' ? one.accepted : one.truth!.aiRight, weight: 1 }));
      const n = pairs.length;
      const brier = n === 0 ? null : sum(pairs, ({ confidence, outcome }) => (confidence - Number(outcome)) ** 2) / n;
      const width = n < 200 ? 5 : 10;
      const ece = n === 0 ? null : sum(Array.from({ length: width }, (_, bin) => pairs.filter(({ confidence }) => Math.min(width - 1, Math.floor(confidence * width)) === bin)), (bin) => Math.abs(sum(bin, ({ confidence, outcome }) => confidence - Number(outcome)))) / n;
      return Object.entries({ brier, ece, slope: calibrationSlope(pairs)?.slope ?? null }).map(([name, value]) => ({ variant: `${against}_${name}`, value, numerator: null, denominator: n, people: peopleOf(stated) }));
    });
  }
}

const asked = fc.constantFrom(...METRICS).chain((metric) => fc.record({
  metric: fc.constant(metric.id), grain: fc.constantFrom(...metric.grains),
  by: fc.shuffledSubarray(metric.dimensions.filter((dimension) => (RESULT_DIMENSIONS as readonly Dimension[]).includes(dimension))).map((by) => by.slice(0, 2)),
  range: fc.constantFrom(['2026-03-28', '2026-03-30'], ['2026-03-05', '2026-04-20'], ['2025-12-29', '2026-01-04']),
}));

test(`${METRICS.length} metrics are as the events say on ${HISTORIES} histories`, async () => {
  let run = 0;
  const counted: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(histories(200), fc.array(asked, { minLength: 15, maxLength: 15 }), async (history, questions) => {
      const told = await record(`t-${++run}`, history);
      for (const { id, timeZone: zone } of history.deployments) {
        const events = told.filter(({ deployment }) => deployment === id);
        const decided = decisionsOf(events, zone);
        const given = events.filter(({ type }) => type === 'feedback.given').map(({ person, time, data }) => ({ person, day: timeZone(zone).dayOf(time), by: {}, score: data['score'] as number }));
        const [row] = await log.database.query<{ deployment: number }>('select deployment from deployment d join tenant t using (tenant) where t.name = $1 and d.id = $2', [`t-${run}`, id]);
        const subject = { deployment: row!.deployment, version: 1, registration: { ...DEFAULT_REGISTRATION, timeZone: zone, sandbox: true }, closures: [], completeThrough: Date.UTC(2027, 0, 1) * 1000 };
        for (const { metric, grain, by, range } of questions) {
          const { rows } = await (await prepareAnswer((sql, values) => log.database.query(sql, values), subject, understand({ metric, grain, by: by.join(','), from: range[0], to: range[1] }))).answer();
          const found = new Map(rows.map((one) => [JSON.stringify([dayNumber(one.from), ...by.map((dimension) => one.by[dimension]), one.variant]), one]));
          const expected = expectedRows(metric, by, buckets({ grain, from: dayNumber(range[0]!)!, to: dayNumber(range[1]!)! }), decided, given, activityOf(events, zone));
          expect([metric, by, [...found.keys()].sort()]).toEqual([metric, by, [...expected.keys()].sort()]);
          for (const [key, figure] of expected) {
            const { variant, value, numerator, denominator, people, low, high } = found.get(key)!;
            expect([metric, key, variant, denominator?.toFixed(9), numerator?.toFixed(9), people]).toEqual([metric, key, figure.variant, figure.denominator?.toFixed(9), figure.numerator?.toFixed(9), figure.people]);
            const off = metric === 'trust.decision_time' ? Math.max(1, 0.0201 * (figure.value ?? 0)) : variant.endsWith('slope') ? 1e-3 * Math.max(1, Math.abs(figure.value ?? 0)) : 1e-8;
            expect([metric, key, value === null, Math.abs((value ?? 0) - (figure.value ?? 0)) <= off]).toEqual([metric, key, figure.value === null, true]);
            if (low !== null) expect([metric, key, low <= value! + 1e-9, value! <= high! + 1e-9]).toEqual([metric, key, true, true]);
            if (variant === 'response_rate' && denominator! > 0) expect(low).toBeCloseTo(wilson(numerator!, denominator!)!.low, 9);
            if (figure.value !== null) counted[`${metric}.${variant}`] = (counted[`${metric}.${variant}`] ?? 0) + 1;
          }
        }
      }
    }),
    { numRuns: HISTORIES, seed: SEED, endOnFailure: true },
  );
  console.info(`figures compared: ${JSON.stringify(counted)}`);
  // A slope needs more results than these histories have: see below.
  for (const { id, variants } of METRICS) for (const variant of Object.keys(variants)) if (!variant.endsWith('_slope')) expect({ [`${id}.${variant}`]: counted[`${id}.${variant}`] ?? 0 }).not.toEqual({ [`${id}.${variant}`]: 0 });
}, 600_000);

test('the slope and the error of 400 stated confidences are those of the confidences themselves', async () => {
  const random = seeded(SEED);
  const stated = Array.from({ length: 400 }, (_, i) => {
    const confidence = Math.round((0.02 + 0.96 * random.next()) * 10_000) / 10_000;
    return { i, confidence, outcome: random.next() < 0.2 + 0.5 * confidence, aiRight: random.next() < confidence };
  });
  const at = Date.UTC(2026, 2, 3, 12);
  const told = (n: string, type: string, person: number, data: Record<string, unknown>): HostEvent => (
    { specversion: '1.0', id: n, source: 'urn:host:a', type: `foothold.${type}.v1`, time: new Date(at).toISOString(), deployment: 'dep-0', subject: `${person}`.padStart(64, '0'), data });
  await record('slopes', { deployments: [{ id: 'dep-0', timeZone: 'UTC', taskKinds: null }], events: stated.flatMap(({ i, confidence, outcome, aiRight }) => [
    told(`s:${i}`, 'result.shown', i % 20, { invocation: `${i}`, confidence }), told(`d:${i}`, outcome ? 'result.accepted' : 'result.overridden', i % 20, { invocation: `${i}` }),
    told(`t:${i}`, 'truth.established', i % 20, { invocation: `${i}`, aiRight }),
  ]) });
  const [row] = await log.database.query<{ deployment: number }>(`select deployment from deployment d join tenant t using (tenant) where t.name = 'slopes'`);
  const subject = { deployment: row!.deployment, version: 1, registration: { ...DEFAULT_REGISTRATION, sandbox: true }, closures: [], completeThrough: null };
  const { rows } = await (await prepareAnswer((sql, values) => log.database.query(sql, values), subject, understand({ metric: 'trust.calibration' }))).answer();
  for (const [against, outcomeOf] of [['acceptance', (one: (typeof stated)[number]) => one.outcome], ['truth', (one: (typeof stated)[number]) => one.aiRight]] as const) {
    const pairs = stated.map((one) => ({ confidence: one.confidence, outcome: outcomeOf(one), weight: 1 }));
    const value = (name: string) => rows.find(({ variant }) => variant === `${against}_${name}`)!.value!;
    expect([value('brier'), value('ece')]).toEqual([expect.closeTo(brierScore(pairs)!, 7), expect.closeTo(calibrationError(reliabilityBins(pairs))!, 7)]);
    expect(value('slope')).toBeCloseTo(calibrationSlope(pairs)!.slope, 2);
  }
  expect(rows.map(({ denominator, people }) => [denominator, people])).toEqual(rows.map(() => [400, 20]));
});

/** Who decided, on which day. */
function activityOf(events: Told[], zone: string): Fact[] {
  return decisionEvents(events).map(({ person, actor, time }) => ({ person: actor ?? person, day: timeZone(zone).dayOf(time), by: {} }));
}

function decisionEvents(events: Told[]): Told[] {
  const latest = new Map<string, Told | null>();
  const ordered = [...events].sort((a, b) => a.time - b.time || compare(a.id, b.id) || compare(a.source, b.source));
  for (const event of ordered) {
    const key = JSON.stringify([event.person, event.data['invocation']]);
    if (event.type === 'result.accepted' || event.type === 'result.overridden') latest.set(key, event);
    if (event.type === 'decision.withdrawn') latest.set(key, null);
  }
  return [...latest.values()].filter((event) => event !== null);
}

function expectedRows(metric: string, by: readonly Dimension[], periods: { from: number; to: number }[], decided: Decided[], given: (Fact & { score: number })[], active: Fact[]): Map<string, Figure> {
  const rows = new Map<string, Figure>();
  for (const { from, to } of periods) {
    const inside = <T extends Fact>(facts: T[]) => facts.filter(({ day }) => from <= day && day <= to);
    const groups = by.length === 0 ? [[]] : [...new Set(inside(decided).map((one) => JSON.stringify(by.map((dimension) => one.by[dimension] ?? null))))].map((group) => JSON.parse(group) as (string | null)[]);
    for (const group of groups) {
      const own = inside(decided).filter((one) => by.every((dimension, i) => (one.by[dimension] ?? null) === group[i]));
      for (const figure of figuresOf(metric, own, inside(given), inside(active))) {
        if (by.length === 0 || figure.denominator !== 0) rows.set(JSON.stringify([from, ...group, figure.variant]), figure);
      }
    }
  }
  return rows;
}

async function record(tenant: string, history: History): Promise<Told[]> {
  await openTenant(log, tenant, (of) => pseudonymiser.check(of));
  for (const { id, timeZone: zone } of history.deployments) {
    const registration = { ...DEFAULT_REGISTRATION, timeZone: zone };
    await change(log, tenant, id, 0, [{ type: 'deployment.registered', time: Date.UTC(2027, 0, 1) * 1000, data: registration }], registration);
  }
  const events = history.events.map((event) => {
    const verdict = checkMessage(JSON.stringify(event), tenant, Date.UTC(2027, 0, 1) * 1000, { pseudonymise: (_, person) => person, subjects: 'pseudonyms' });
    if (verdict.outcome === 'refused') throw new Error(verdict.refusal.reason);
    return verdict.event;
  });
  const { origin } = await openOrigin(log.database, { kind: 'file', name: tenant, part: 0, tenant, firstOffset: 0 });
  await append(log, events.map((event) => ({ tenant, event })), { origin, from: 0, next: events.length, voids: 0, mark: null, markOffset: null });
  await foldAll(log);
  return events.map((event) => ({ ...event, person: event.person ?? '', data: JSON.parse(event.data) as Record<string, unknown> }));
}
