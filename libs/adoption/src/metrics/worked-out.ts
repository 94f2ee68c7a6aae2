/**
 * What somebody who remembers all that was told can work out, by every dimension at once: whether one more sum would give them
 * a sum over facts of few people.
 *
 * What arrives: facts that are told apart at most so far, each with its people, and which of them each sum adds up. What leaves:
 * whether a sum may be told beside those that were. Next is across.ts, which asks in the order in which things are told.
 *
 * Whatever is worked out is a combination of sums that vanishes on all facts but those of some few people. It takes in the new
 * sum only if no other facts stand against it: facts that, added and subtracted, cancel in each sum that was told and do not
 * in the new one. So facts that stand against it are looked for; if those of few people are among them, others without these
 * people, and so on, until there are none, and it is not told, or too few are left to be any few people. Of each few people one
 * is then sure: nothing is missed. A difference of what some of them did and what others did is not told either.
 */

/** Facts that are in the same cell of all dimensions, and the people who did them. */
export interface Facts {
  /** The week: sums of a week are of no facts of others. */
  week: number;
  /** None: it is not known who. They are then not looked for. */
  people: readonly string[];
}

/** Sums that are told of the same facts. */
export class Remembered {
  /** By place of the facts: the sums of their week that they are in, those of several weeks, and both as a text. */
  private readonly ofWeek: number[][];
  private readonly ofSeveral: number[][];
  private readonly marks: string[];
  private readonly sizes = new Map<number, number>();
  private several = 0;

  constructor(private readonly facts: readonly Facts[], private readonly enough: number) {
    this.ofWeek = facts.map(() => []);
    this.ofSeveral = facts.map(() => []);
    this.marks = facts.map(({ week }) => `${week}:`);
  }

  /** A sum is told: of these facts, by their places. */
  tell(sum: readonly number[]): void {
    const weeks = new Set(sum.map((place) => this.facts[place]!.week));
    const [week] = weeks;
    if (week === undefined) return;
    const size = this.sizes.get(week) ?? 0;
    if (weeks.size === 1) this.sizes.set(week, size + 1);
    const column = weeks.size === 1 ? size : this.several++;
    for (const place of sum) {
      (weeks.size === 1 ? this.ofWeek : this.ofSeveral)[place]!.push(column);
      this.marks[place] += weeks.size === 1 ? `${column},` : `+${column},`;
    }
  }

  /** Whether nothing about few people can be worked out that takes in this sum and those that were told. */
  isSafe(sum: readonly number[]): boolean {
    const groups = this.groups(new Set(sum));
    const seen = new Set<string>();
    const hasOthers = (few: ReadonlySet<string>): boolean => {
      const label = [...few].sort().join();
      if (seen.has(label)) return true;
      seen.add(label);
      if (seen.size > MOST_TRIED) return false; // not known, and so not told
      const against = this.against(groups.filter(({ people, isFew }) => !isFew || !isWithin(people, few)));
      if (against === null) return few.size === 0 && this.against(groups) === null; // then the sum follows from what was told
      const tried = new Map(against.filter(({ isFew }) => isFew).map(({ people }) => [[...people].sort().join(), people]));
      return [...tried.values()].every((people) => {
        const more = new Set([...few, ...people]);
        return more.size >= this.enough || hasOthers(more);
      });
    };
    return hasOthers(new Set());
  }

  /** Facts that are in the same sums are as one; those of most people first, so that these stand against a sum where they can. */
  private groups(sum: ReadonlySet<number>): Group[] {
    const groups = new Map<string, Group>();
    for (const [place, { week, people }] of this.facts.entries()) {
      const isIn = sum.has(place);
      const label = `${this.marks[place]!}${isIn ? 'x' : ''}`;
      const group = groups.get(label) ?? { week, ofWeek: this.ofWeek[place]!, ofSeveral: this.ofSeveral[place]!, isIn, people: new Set<string>(), isFew: true };
      for (const person of people) group.people.add(person);
      group.isFew = group.people.size < this.enough;
      groups.set(label, group);
    }
    return [...groups.values()].sort((one, other) => other.people.size - one.people.size);
  }

  /** Some of the facts that cancel in all sums told and not in the new one; null: there are none. */
  private against(groups: readonly Group[]): Group[] | null {
    const byWeek = new Map<number, Vector[]>();
    const bySeveral: Vector[] = [];
    for (const [place, { week, ofWeek, ofSeveral, isIn }] of groups.entries()) {
      const size = this.sizes.get(week) ?? 0;
      const row = new Int32Array(size + this.several + 1);
      for (const column of ofWeek) row[column] = 1;
      for (const column of ofSeveral) row[size + column] = 1;
      if (isIn) row[size + this.several] = 1;
      const own = byWeek.get(week) ?? [];
      byWeek.set(week, own);
      const steps: [Vector, number][] = [];
      reduce(row, own, steps);
      const pivot = row.subarray(0, size).findIndex((entry) => entry !== 0);
      if (pivot >= 0) {
        own.push(vector(row, pivot, place, steps));
        continue;
      }
      const rest = row.slice(size);
      reduce(rest, bySeveral, steps);
      const next = rest.findIndex((entry) => entry !== 0);
      if (next === this.several) return [...combined(place, steps).keys()].map((of) => groups[of]!);
      if (next >= 0) bySeveral.push(vector(rest, next, place, steps));
    }
    return null;
  }
}

/** Groups of people that are tried before a sum is rather not told. */
const MOST_TRIED = 2_000;

interface Group {
  week: number;
  ofWeek: readonly number[];
  ofSeveral: readonly number[];
  isIn: boolean;
  people: Set<string>;
  isFew: boolean;
}

/** Facts added and subtracted, so that in one more column than before all later ones can be made to cancel. */
interface Vector {
  row: Int32Array;
  pivot: number;
  /** How often each was taken, by place. */
  of: Map<number, number>;
}

/** Numbers are remainders of a prime whose square fits 31 bits: no fractions, and quick. */
const PRIME = 46_337;

function inverse(value: number): number {
  let [result, base] = [1, value];
  for (let power = PRIME - 2; power > 0; power >>= 1) {
    if (power & 1) result = (result * base) % PRIME;
    base = (base * base) % PRIME;
  }
  return result;
}

function reduce(row: Int32Array, by: readonly Vector[], steps: [Vector, number][]): void {
  for (const step of by) {
    const entry = row[step.pivot]!;
    if (entry === 0) continue;
    const factor = PRIME - entry;
    const { row: other } = step;
    for (let i = step.pivot; i < other.length; i++) if (other[i] !== 0) row[i] = (row[i]! + factor * other[i]!) % PRIME;
    steps.push([step, factor]);
  }
}

function combined(place: number, steps: readonly [Vector, number][]): Map<number, number> {
  const of = new Map([[place, 1]]);
  for (const [step, factor] of steps) for (const [other, times] of step.of) {
    const sum = ((of.get(other) ?? 0) + factor * times) % PRIME;
    if (sum === 0) of.delete(other);
    else of.set(other, sum);
  }
  return of;
}

function vector(row: Int32Array, pivot: number, place: number, steps: readonly [Vector, number][]): Vector {
  const scale = inverse(row[pivot]!);
  for (let i = pivot; i < row.length; i++) row[i] = (row[i]! * scale) % PRIME;
  return { row, pivot, of: new Map([...combined(place, steps)].map(([of, times]) => [of, (times * scale) % PRIME])) };
}

const isWithin = (people: ReadonlySet<string>, few: ReadonlySet<string>): boolean => people.size <= few.size && [...people].every((person) => few.has(person));
