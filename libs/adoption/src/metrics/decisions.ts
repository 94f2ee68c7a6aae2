/** What people decide on results, and why. */
import { FACT_DIMENSIONS, GRAINS } from '@foothold/contract';
import { counted } from './behind.js';
import { cut, groupOf, isOfResults, personDays, type Counted } from './cut.js';
import { spanOf } from './held.js';
import { LEAST_PEOPLE, type Asking, type Figure, type Metric } from './metric.js';
import { amountOf, judged, ratioFigures, ratioSums, type Sums } from './ratio.js';
import { beside, heldSums } from './person-sums.js';

const [ACCEPTED, SHOWN, DECIDED] = [amountOf('accepted'), amountOf('shown'), amountOf('accepted', 'overridden')];
const OF_DECIDED = counted('accepted', 'overridden');
const OF_SHOWN = counted('shown');

export const acceptance: Metric = {
  declaration: {
    id: 'trust.acceptance',
    question: 'Do people take what it offers?',
    formula: 'accepted (as it was or edited) / shown',
    unit: 'ratio',
    variants: {
      shown: 'accepted of shown', decided: 'accepted of decided',
      people: 'the mean over people of accepted of their decided', people_shown: 'the mean over people of accepted of their shown',
    },
    grains: GRAINS,
    dimensions: FACT_DIMENSIONS,
    minimum: LEAST_PEOPLE,
    watchOut: 'Four numbers, four names: they differ by several points on one and the same log. A host without a gesture for overriding has decided = 1: read shown there. Suggestions that come unasked count too.',
    version: 1,
  },
  behind: { shown: OF_SHOWN, decided: OF_DECIDED, people: OF_DECIDED, people_shown: OF_SHOWN },
  figures: (asking) => ratioFigures(asking, {
    variants: {
      shown: { x: ACCEPTED, y: SHOWN },
      decided: { x: ACCEPTED, y: DECIDED },
      people: { x: ACCEPTED, y: DECIDED, meanOfPeople: true },
      people_shown: { x: ACCEPTED, y: SHOWN, meanOfPeople: true },
    },
  }),
};

export const override: Metric = {
  declaration: {
    id: 'trust.override',
    question: 'How often do people decide against it, and why?',
    formula: 'overridden / decided',
    unit: 'ratio',
    variants: { all: 'overridden of decided', none: 'overridden without a reason given, of decided; any other variant is a reason’s code' },
    grains: GRAINS,
    dimensions: FACT_DIMENSIONS,
    minimum: LEAST_PEOPLE,
    watchOut: 'An agreement that the host logs as an override is not one. Reasons are only as good as the list people may choose from.',
    version: 1,
  },
  behind: { '': OF_DECIDED },
  async figures(asking) {
    const sums = await ratioSums(asking, { variants: { all: { x: amountOf('overridden'), y: DECIDED } } });
    const reasons = new Map<string, Counted[]>();
    for (const row of await (isOfResults(asking) ? reasonSums(asking) : heldReasonSums(asking))) {
      const label = JSON.stringify([Number(row['period']), ...groupOf(row, asking.by)]);
      const known = reasons.get(label);
      if (known) known.push(row);
      else reasons.set(label, [row]);
    }
    return sums.filter(({ by, sums: { all } }) => by.length === 0 || all!.y !== 0).flatMap(({ period, by, sums: { all } }): Figure[] => [
      { period, by, variant: 'all', ...judged(all!) },
      ...(reasons.get(JSON.stringify([period, ...by])) ?? []).map((row): Figure => {
        const ofReason: Sums = { ...all!, x: Number(row['x']), xx: Number(row['xx']), xy: Number(row['xy']) };
        return { period, by, variant: (row['reason'] as string) || 'none', ...judged(ofReason) };
      }),
    ]);
  },
};

/** The same from the days that are held: a reason is a counter of those who decided anything that day. */
async function heldReasonSums(asking: Asking): Promise<Counted[]> {
  const { held, periods } = asking;
  const decided = await held.sums(['accepted', 'overridden'], spanOf(periods));
  const given = await held.rows({ table: 'person_day d', keys: { person: 'person', reason: 'code' }, amounts: ['sum(d.overridden)'], where: 'd.overridden > 0' }, spanOf(periods));
  const codes = [...new Set(given.flatMap(({ columns: [, reasons] }) => [...new Set(reasons)]))];
  const days = beside(decided, codes.length, given.map(({ columns: [people, reasons, times] }) => Array.from(people!, (person, i) => ({ person, column: codes.indexOf(reasons![i]!), amount: times![i]! }))));
  const names = codes.map((code) => `of ${held.codes[code]}`);
  const found = await heldSums(asking, days, ['accepted', 'overridden', ...names], names.map((name) => ({ x: amountOf(name), y: DECIDED })));
  const rows = found.flatMap((row) => codes.map((code, i): Counted => ({ ...row, reason: held.codes[code]!, x: row[`x${i}`]!, xx: row[`xx${i}`]!, xy: row[`xy${i}`]! }))).filter(({ x }) => Number(x) > 0);
  return rows.sort((one, other) => Number(other['x']) - Number(one['x']) || (one['reason']! < other['reason']! ? -1 : 1));
}

/** Of each reason that occurs, the sums of its overrides, their squares, and their products with the decided. */
async function reasonSums(asking: Asking): Promise<Counted[]> {
  const values: unknown[] = [];
  const overrides = cut(asking, personDays(asking, true), values);
  const all = cut(asking, personDays(asking), values);
  const { names } = all;
  return asking.query<Counted>(
    `select ${names}, reason, sum(x) as x, sum(x * x) as xx, sum(x * y) as xy
       from (select ${overrides.columns}, d.person, d.reason, sum(d.overridden)::float8 as x ${overrides.from} and d.overridden > 0 group by ${names}, d.person, d.reason) overridden
       join (select ${all.columns}, d.person, sum(d.accepted + d.overridden)::float8 as y ${all.from} and d.accepted + d.overridden > 0 group by ${names}, d.person) decided using (${names}, person)
      group by ${names}, reason order by sum(x) desc, reason`,
    values,
  );
}
