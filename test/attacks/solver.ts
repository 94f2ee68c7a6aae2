/**
 * What can be worked out from sums: given which facts each published sum is of, whether some combination of the sums is a sum of
 * nothing but facts of a few people. A difference, of what some of a few people did and what others of them did, is none: it
 * says nothing of either. Exact: rows and columns are reduced modulo a prime.
 */

/** Below 2^26, so that products of two remainders are whole numbers. */
const PRIME = 67_108_859;

export interface Fact {
  person: number;
}

/**
 * @param sums for each published sum, the facts it adds up (their places in `facts`)
 * @returns the groups of fewer than `enough` people of whom something can be worked out
 */
export function recovered(facts: readonly Fact[], sums: readonly (readonly number[])[], enough: number): number[][] {
  // Facts that are in the same sums cannot be told from each other: they are one unknown, of all their people.
  const marks = facts.map((): number[] => []);
  for (const [i, sum] of sums.entries()) for (const fact of sum) marks[fact]!.push(i);
  const unknowns = new Map<string, { people: Set<number>; sums: number[] }>();
  for (const [i, { person }] of facts.entries()) {
    const label = marks[i]!.join();
    const unknown = unknowns.get(label) ?? { people: new Set(), sums: marks[i]! };
    unknown.people.add(person);
    unknowns.set(label, unknown);
  }
  const columns = [...unknowns.values()].filter(({ sums: of }) => of.length > 0);
  const rows = sums.map(() => new Float64Array(columns.length));
  for (const [column, { sums: of }] of columns.entries()) for (const i of of) rows[i]![column] = 1;
  const free = nullSpace(rows, columns.length);
  return smallGroups(columns.map(({ people }) => people), enough).filter((group) => {
    const own = columns.flatMap(({ people }, column) => ([...people].every((person) => group.includes(person)) ? [column] : []));
    // Only what vanishes wherever the published sums do can be worked out of them: nothing, where any values of theirs go with these.
    return hasSum(nullSpace(free.map((vector) => Float64Array.from(own, (column) => vector[column]!)), own.length));
  });
}

/** All unions of fewer than `enough` people. */
function smallGroups(sets: readonly Set<number>[], enough: number): number[][] {
  const found = new Map<string, number[]>();
  const add = (people: Iterable<number>): number[] | undefined => {
    const group = [...new Set(people)].sort((one, other) => one - other);
    if (group.length >= enough || found.has(group.join())) return undefined;
    found.set(group.join(), group);
    return group;
  };
  const singles = sets.flatMap((set) => add(set) ?? []).length > 0 ? [...found.values()] : [];
  for (let latest = singles; latest.length > 0; ) latest = latest.flatMap((group) => singles.flatMap((other) => { const union = add([...group, ...other]); return union ? [union] : []; }));
  return [...found.values()];
}

const times = (one: number, other: number): number => (one * other) % PRIME;

function inverse(value: number): number {
  let [result, base] = [1, value];
  for (let power = PRIME - 2; power > 0; power = Math.floor(power / 2)) {
    if (power % 2 === 1) result = times(result, base);
    base = times(base, base);
  }
  return result;
}

/** Reduces the rows in place. @returns for each row that is left, its first column */
function reduce(rows: Float64Array[], width: number): number[] {
  const pivots: number[] = [];
  for (let column = 0; column < width && pivots.length < rows.length; column++) {
    const at = rows.findIndex((row, i) => i >= pivots.length && row[column] !== 0);
    if (at < 0) continue;
    const place = pivots.length;
    [rows[place], rows[at]] = [rows[at]!, rows[place]!];
    const pivot = rows[place]!;
    const scale = inverse(pivot[column]!);
    for (let i = column; i < width; i++) pivot[i] = times(pivot[i]!, scale);
    const filled = Array.from({ length: width - column }, (_, i) => column + i).filter((i) => pivot[i] !== 0);
    for (const [i, row] of rows.entries()) {
      const factor = row[column]!;
      if (i === place || factor === 0) continue;
      for (const k of filled) row[k] = (row[k]! + PRIME - times(factor, pivot[k]!)) % PRIME;
    }
    pivots.push(column);
  }
  return pivots;
}

function nullSpace(rows: Float64Array[], width: number): Float64Array[] {
  const pivots = reduce(rows, width);
  const isPivot = new Set(pivots);
  return Array.from({ length: width }, (_, column) => column).filter((column) => !isPivot.has(column)).map((column) => {
    const vector = new Float64Array(width);
    vector[column] = 1;
    for (const [i, pivot] of pivots.entries()) vector[pivot] = (PRIME - rows[i]![column]!) % PRIME;
    return vector;
  });
}

/** Fractions have no denominators up to this. */
const DENOMINATORS = 60;
/** Whole numbers that small stand for themselves. */
const SMALL = 10_000;

/** The vector times a number that makes its entries whole; null: there is none so small. */
function whole(vector: Float64Array): number[] | null {
  for (let scale = 1; scale <= DENOMINATORS; scale++) {
    const entries = [...vector].map((entry) => times(entry, scale)).map((entry) => (entry > PRIME / 2 ? entry - PRIME : entry));
    if (entries.every((entry) => Math.abs(entry) < SMALL)) return entries;
  }
  return null;
}

/** Whether some combination of the vectors has no two entries of different signs. */
function hasSum(vectors: readonly Float64Array[]): boolean {
  const signed = vectors.map(whole);
  if (vectors.length > 2 || signed.includes(null)) return true; // not looked at closely: it may be one
  const isSum = (entries: readonly number[]) => entries.some((entry) => entry !== 0) && (entries.every((entry) => entry >= 0) || entries.every((entry) => entry <= 0));
  const [one, other] = signed as [number[], number[] | undefined];
  if (vectors.length === 0) return false;
  if (!other) return isSum(one);
  // Combinations of two change signs only where an entry vanishes.
  return [one, other, ...one.map((_, at) => one.map((entry, i) => entry * other[at]! - other[i]! * one[at]!))].some(isSum);
}
