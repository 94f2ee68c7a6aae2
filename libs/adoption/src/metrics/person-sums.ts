/**
 * The sums of a ratio, counted from the person-days that the process holds.
 *
 * What arrives: a question that is by no dimension of results, and the amounts of its variants. What leaves: the rows that SQL
 * would give. Sums are exact, so that the same facts give the same answer to the last digit in whatever order they come.
 */
import { onRoster } from './as-of.js';
import { ofDay, type Counted } from './cut.js';
import { inPeriods, type HeldDay } from './held.js';
import { type Asking } from './metric.js';
import { type Amount, type RatioVariant } from './ratio.js';

/** A cell: the sums of its variants, and, where its period has several days, each person's counters so far. */
interface Cell {
  row: Counted;
  sums: SumsSoFar[];
  people: Map<number, Float64Array>;
}

/**
 * By period and group that holds something, for each variant n, x, y, xx, xy and yy, and where they are wanted shares and squares, with the variant's place behind.
 * @param days of people, with these counters
 */
export async function heldSums(asking: Asking, days: readonly HeldDay[], counters: readonly string[], variants: readonly RatioVariant[]): Promise<Counted[]> {
  const { by, held, periods, subject } = asking;
  const needsRoster = by.includes('team') || by.includes('role');
  const rosterOn = needsRoster ? await onRoster(asking) : null;
  const valuesOf = by.map((dimension) => (dimension === 'stage' || dimension === 'handoff_week' ? ofDay(subject, dimension) : null));
  const wanted = variants.map(({ x, y, meanOfPeople }) => ({ x: evaluated(x, counters), y: evaluated(y, counters), isFine: x.per !== undefined || y.per !== undefined, meanOfPeople }));
  const found: Counted[] = [];
  let cells = new Map<string, Cell>();
  const add = ({ sums }: Cell, own: ArrayLike<number>) => { for (const [i, { x, y }] of wanted.entries()) sums[i]!.add(x(own), y(own)); };
  const close = () => {
    for (const cell of cells.values()) {
      for (const own of cell.people.values()) add(cell, own);
      for (const [i, sums] of cell.sums.entries()) for (const [name, sum] of Object.entries(sums.told())) cell.row[`${name}${i}`] = sum;
      found.push(cell.row);
    }
    cells = new Map();
  };
  let open = 0;
  const scratch = new Float64Array(counters.length);
  for (const { period, day, columns: [people, ...counted] } of inPeriods(days, periods)) {
    if (period !== open) close();
    open = period;
    const isOneDay = periods[period]!.from === periods[period]!.to;
    const ofThisDay = valuesOf.map((value) => value?.(day) ?? '');
    for (let i = 0; i < people!.length; i++) {
      const place = people![i]!;
      const on = rosterOn?.(held.people[place]!, day);
      const values = needsRoster ? by.map((dimension, nth) => (dimension === 'team' || dimension === 'role' ? (on?.[dimension] ?? '') : ofThisDay[nth]!)) : ofThisDay;
      const label = values.length === 1 ? values[0]! : values.join('\u0001');
      let cell = cells.get(label);
      if (!cell) cells.set(label, (cell = { row: { period, ...Object.fromEntries(by.map((dimension, nth) => [dimension, values[nth]!])) }, sums: wanted.map((one) => new SumsSoFar(one)), people: new Map() }));
      if (isOneDay) { // then nobody comes twice
        for (let c = 0; c < scratch.length; c++) scratch[c] = counted[c]![i]!;
        add(cell, scratch);
        continue;
      }
      let own = cell.people.get(place);
      if (!own) cell.people.set(place, (own = new Float64Array(counters.length)));
      for (let c = 0; c < own.length; c++) own[c]! += counted[c]![i]!;
    }
  }
  close();
  return found;
}

/** More of somebody's day. */
export interface Entry {
  /** Their place. */
  person: number;
  column: number;
  amount: number;
}

/** Days with so many more counters. Those of whom nothing else is counted on a day did it between two readings, and are left out. */
export function beside(days: readonly HeldDay[], columns: number, more: readonly (readonly Entry[])[]): HeldDay[] {
  return days.map(({ day, columns: [people, ...counted] }, nth) => {
    const added = Array.from({ length: columns }, () => new Float64Array(people!.length));
    if (more[nth]!.length > 0) {
      const at = new Map(Array.from(people!, (place, i) => [place, i]));
      for (const { person, column, amount } of more[nth]!) {
        const i = at.get(person);
        if (i !== undefined) added[column]![i]! += amount;
      }
    }
    return { day, columns: [people!, ...counted, ...added] };
  });
}

/** An amount of a person's counters. */
function evaluated({ of, any }: Amount, counters: readonly string[]): (own: ArrayLike<number>) => number {
  const terms = Object.entries(of).map(([counter, times]) => [counters.indexOf(counter), times] as const);
  const sum = (own: ArrayLike<number>) => {
    let all = 0;
    for (const [counter, times] of terms) all += times * own[counter]!;
    return all;
  };
  return any ? (own) => Number(sum(own) > 0) : sum;
}

/** Sums over people of x, y and their products. */
class SumsSoFar {
  private n = 0;
  private readonly sums: Record<'x' | 'y' | 'xx' | 'xy' | 'yy', Products>;
  private readonly shares: number[] | null;

  constructor({ isFine, meanOfPeople }: { isFine: boolean; meanOfPeople?: true | undefined }) {
    const sum = () => new Products(isFine);
    this.sums = { x: sum(), y: sum(), xx: sum(), xy: sum(), yy: sum() };
    this.shares = meanOfPeople ? [] : null;
  }

  add(x: number, y: number): void {
    if (x === 0 && y === 0) return;
    if (y > 0) this.n++;
    this.sums.x.add(x, 1);
    this.sums.y.add(y, 1);
    this.sums.xx.add(x, x);
    this.sums.xy.add(x, y);
    this.sums.yy.add(y, y);
    if (this.shares && y !== 0) this.shares.push(x / y);
  }

  told(): Record<string, number> {
    const told: Record<string, number> = { n: this.n, ...Object.fromEntries(Object.entries(this.sums).map(([name, sum]) => [name, sum.total()])) };
    if (!this.shares) return told;
    const shares = Float64Array.from(this.shares).sort(); // fractions are added in the order of their size
    return { ...told, shares: shares.reduce((sum, share) => sum + share, 0), squares: shares.reduce((sum, share) => sum + share ** 2, 0) };
  }
}

/** Half of the bits of the whole numbers that are multiplied in two parts. */
const HALF = 2 ** 20;
/** Products of parts that a plain number adds up exactly. */
const MANY = 2_048;

/**
 * Adds up products of whole numbers exactly. Counts are small enough for plain numbers; parts of something, of which a million or
 * more are one, are multiplied in halves, or as big numbers where they are too large for that.
 */
class Products {
  private whole = 0n;
  private high = 0;
  private middle = 0;
  private low = 0;
  private added = 0;

  constructor(private readonly isFine: boolean) {}

  add(one: number, other: number): void {
    if (!this.isFine) this.low += one * other;
    else if (Math.max(Math.abs(one), Math.abs(other)) >= HALF * HALF) this.whole += BigInt(one) * BigInt(other);
    else {
      const [oneHigh, otherHigh] = [Math.floor(one / HALF), Math.floor(other / HALF)];
      const [oneLow, otherLow] = [one - oneHigh * HALF, other - otherHigh * HALF];
      this.high += oneHigh * otherHigh;
      this.middle += oneHigh * otherLow + oneLow * otherHigh;
      this.low += oneLow * otherLow;
      if (++this.added === MANY) this.carry();
    }
  }

  total(): number {
    if (!this.isFine) return this.low;
    this.carry();
    return Number(this.whole);
  }

  private carry(): void {
    this.whole += BigInt(this.high) * BigInt(HALF) * BigInt(HALF) + BigInt(this.middle) * BigInt(HALF) + BigInt(this.low);
    this.high = this.middle = this.low = this.added = 0;
  }
}
