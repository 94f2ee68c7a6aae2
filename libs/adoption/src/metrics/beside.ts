/**
 * The same as across.ts for figures of single days, of which only is known how many people are behind them: which cells of a
 * dimension are hidden, for what other dimensions tell of the same people on the same day.
 *
 * What arrives: days, and the dimension that is asked for. What leaves: whether a figure is hidden. Dimensions are decided in a
 * fixed order, each beside every one before it. Of cells of two dimensions that hold few people it is not known whether these are
 * the same few: none of them stands against a sum.
 */
import { type Dimension } from '@foothold/contract';
import { OF_DAYS } from './across.js';
import { hideRow, rowOf } from './hide.js';
import { type Asking, type Figure, type Metric } from './metric.js';
import { Remembered } from './worked-out.js';

/** Decides the figures of days by a dimension; stage and week since the handoff beside it are the same for all of a day. */
export async function hideBeside(asking: Asking, { figures, declaration }: Pick<Metric, 'figures' | 'declaration'>, enough: number): Promise<(figure: Figure) => boolean> {
  const asked = asking.by.filter((dimension) => !OF_DAYS.includes(dimension));
  const find = (by: readonly Dimension[]) => figures({ ...asking, by, notes: [] });
  const wholes = byPlace(await find([]));
  const order = asked.length === 1 ? declaration.dimensions.filter((dimension) => !OF_DAYS.includes(dimension)) : [];
  const hidden = new Map<string, ReadonlySet<string>>();
  const decided: { dimension: Dimension; shown: Map<string, string[]> }[] = [];
  for (const dimension of order.slice(0, order.indexOf(asked[0]!) + 1)) {
    const pairs: { shown: Map<string, string[]>; cells: Map<string, Figure[]> }[] = [];
    for (const other of decided) pairs.push({ shown: other.shown, cells: byPlace(await find([other.dimension, dimension])) });
    const shown = new Map<string, string[]>();
    for (const [place, cells] of byPlace(await find([dimension]))) {
      const row = rowOf(cells, wholes.get(place) ?? []);
      const dark = new Set(hideRow(row, enough));
      const beside = pairs.map((pair) => pairOf(pair.cells.get(place) ?? [], pair.shown.get(place) ?? [], enough));
      for (const [label] of [...row.cells].filter(([cell]) => !dark.has(cell)).sort(([one, people], [other, others]) => others - people || (one < other ? -1 : 1))) {
        if (!beside.every(({ isSafe }) => isSafe(label))) {
          dark.add(label);
          continue;
        }
        for (const { tell } of beside) tell(label);
        shown.set(place, [...(shown.get(place) ?? []), label]);
      }
      if (dimension === asked[0]) hidden.set(place, dark);
    }
    decided.push({ dimension, shown });
  }
  if (asked.length !== 1) for (const [place, cells] of byPlace(await find(asking.by))) hidden.set(place, hideRow(rowOf(cells, wholes.get(place) ?? []), enough));
  const at = asking.by.map((dimension, i) => (asked.length !== 1 || dimension === asked[0] ? i : -1)).filter((i) => i >= 0);
  return (figure) => hidden.get(placeOf(figure))?.has(JSON.stringify(at.map((i) => figure.by[i]))) ?? true;
}

/** Of more it would take minutes: there each dimension is decided by itself. */
const MOST_CELLS = 300;

/** What is told of a day by two dimensions, the first of which is decided. */
function pairOf(cells: readonly Figure[], shown: readonly string[], enough: number): { isSafe: (label: string) => boolean; tell: (label: string) => void } {
  if (cells.length > MOST_CELLS) return { isSafe: () => true, tell: () => undefined };
  const remembered = new Remembered(cells.map(({ people }, i) => ({ week: 0, people: people < enough ? [] : Array.from({ length: enough }, (_, n) => `${i} ${n}`) })), enough);
  const places = (nth: number, label: string) => cells.flatMap(({ by }, i) => (JSON.stringify([by[nth]]) === label ? [i] : []));
  remembered.tell([...cells.keys()]);
  for (const label of shown) remembered.tell(places(0, label));
  return { isSafe: (label) => remembered.isSafe(places(1, label)), tell: (label) => remembered.tell(places(1, label)) };
}

const placeOf = ({ variant, period }: Figure): string => JSON.stringify([variant, period]);

function byPlace(figures: readonly Figure[]): Map<string, Figure[]> {
  const found = new Map<string, Figure[]>();
  for (const figure of figures) found.set(placeOf(figure), [...(found.get(placeOf(figure)) ?? []), figure]);
  return found;
}
