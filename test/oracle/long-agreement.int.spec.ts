/** Every metric of the catalogue over most of a year, with rosters, closures and a handoff, as the read tables answer it and as the oracle works it out. */
import { CATALOGUE } from '@foothold/adoption';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { seeded, type Seeded } from '../support/seeded.js';
import { DEPLOYMENT, openSides, recorded, written } from './both-sides.js';
import { dayName, dayNumber } from './days.js';
import { knottedHistory, longHistory } from './long-history.js';
import { ANSWERED, type Question } from './oracle.js';

const HISTORIES = Number(process.env['ORACLE_HISTORIES'] ?? 12);
const QUESTIONS = Number(process.env['ORACLE_QUESTIONS'] ?? 4);
const SEED = Number(process.env['ORACLE_SEED'] ?? randomBytes(4).readUInt32LE());
const KNOWN = CATALOGUE.filter(({ id }) => ANSWERED.includes(id));

let sides: Awaited<ReturnType<typeof openSides>>;

beforeAll(async () => {
  sides = await openSides();
  console.info(`seed ${SEED}: repeat with ORACLE_SEED=${SEED}`);
});

afterAll(() => sides?.close());

/**
 * What the oracle has not been written for: metrics, variants, and dimensions of a metric. Their own specs compare them with figures
 * worked out by hand and, but for the first, with a slow reference.
 */
const WITHOUT = { metrics: ['trust.rubber_stamp', 'telemetry.health'], variant: /_28$/, metric: 'adoption.growth', dimensions: { 'adoption.survival': ['team', 'role'] } as Record<string, string[]> };
const isLacking = (metric: string, variant: string): boolean => metric === WITHOUT.metric && WITHOUT.variant.test(variant);

test('the oracle answers every other metric of the catalogue', () => {
  expect([...ANSWERED, ...WITHOUT.metrics].sort()).toEqual(CATALOGUE.map(({ id }) => id).sort());
});

test(`every metric agrees with the oracle on ${HISTORIES} histories`, async () => {
  const compared: Record<string, { rows: number; notZero: number }> = {};
  // All of them, so that one run shows whether it is one case or a rule.
  const differences: string[] = [];
  for (let run = 0; run < HISTORIES; run++) {
    const seed = (SEED + run) >>> 0;
    const history = run % 2 === 0 ? longHistory(seed) : knottedHistory(seed);
    const { worked, answered } = await recorded(sides.database, `t-${run}`, history);
    const random = seeded(seed ^ 0x5eed);
    for (const metric of KNOWN) {
      for (let i = 0; i < QUESTIONS; i++) {
        const question = questionOf(random, metric, history.completeThrough);
        const expected = worked(question);
        const found = (await answered(question).catch((error: unknown) => failed(differences, seed, question, error))).filter(({ variant }) => !isLacking(metric.id, variant));
        const [product, oracle] = [written(found, expected), written(expected, expected)];
        const lines = [...oracle.filter((row) => !product.includes(row)).map((row) => `- oracle  ${row}`), ...product.filter((row) => !oracle.includes(row)).map((row) => `+ product ${row}`)];
        if (lines.length > 0 || product.length !== oracle.length) differences.push([`seed ${seed} ${JSON.stringify(question)}`, ...lines].join('\n'));
        for (const row of expected) {
          const so = (compared[`${metric.id}.${row.variant}`] ??= { rows: 0, notZero: 0 });
          so.rows += 1;
          if (row.value !== null && row.value !== 0) so.notZero += 1;
        }
      }
    }
  }
  expect(differences.join('\n\n')).toBe('');
  console.info(`rows compared, and those with a figure other than 0: ${Object.entries(compared).map(([variant, { rows, notZero }]) => `${variant} ${rows} (${notZero})`).join(', ')}`);
  const variants = KNOWN.flatMap(({ id, variants: declared }) => Object.keys(declared).filter((variant) => !isLacking(id, variant)).map((variant) => `${id}.${variant}`));
  expect(variants.filter((variant) => compared[variant] === undefined)).toEqual([]);
}, 600_000);

/** An answer that fails is a difference too. */
function failed(differences: string[], seed: number, question: Question, error: unknown): [] {
  differences.push(`seed ${seed} ${JSON.stringify(question)}\n+ product ${String(error)}`);
  return [];
}

/** Ranges that cut weeks and months and that do not, inside what is counted and beyond it, or none. */
function questionOf(random: Seeded, metric: (typeof CATALOGUE)[number], completeThrough: number | null): Question {
  const grain = metric.grains[random.below(metric.grains.length)]!;
  const shuffled = random.shuffled(metric.dimensions.filter((dimension) => !WITHOUT.dimensions[metric.id]?.includes(dimension)));
  const by = shuffled.slice(0, [0, 0, 1, 1, 2][random.below(5)]!);
  const first = dayNumber('2026-01-05');
  const from = first - 20 + random.below(200);
  const spans = grain === 'day' ? [0, 3, 8] : grain === 'all' ? [6, 29, 120, 300] : [6, 20, 100];
  const aligned = random.next() < 0.4;
  const start = aligned ? first + 7 * random.below(25) : from;
  const days = spans[random.below(spans.length)]!;
  // Whether a range that is left out cuts the first and the last week is an open disagreement.
  const ranged = random.next() < 0.8 || metric.id === 'adoption.growth';
  return { deployment: DEPLOYMENT, metric: metric.id, grain, by, completeThrough, ...(ranged ? { from: dayName(start), to: dayName(start + days) } : {}) };
}
