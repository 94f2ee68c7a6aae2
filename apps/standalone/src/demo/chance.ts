/** Chance that comes again: the same key draws the same numbers on every machine (sfc32, seeded by cyrb128). */

export class Chance {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  /** Each part of the simulation draws from a key of its own, so that a change to one part leaves the others as they were. */
  constructor(...key: (string | number)[]) {
    let [one, two, three, four] = [1_779_033_703, 3_144_134_277, 1_013_904_242, 2_773_480_762];
    for (const unit of key.join('/')) {
      const code = unit.codePointAt(0)!;
      one = two ^ Math.imul(one ^ code, 597_399_067);
      two = three ^ Math.imul(two ^ code, 2_869_860_233);
      three = four ^ Math.imul(three ^ code, 951_274_213);
      four = one ^ Math.imul(four ^ code, 2_716_044_179);
    }
    [this.a, this.b, this.c, this.d] = [one, two, three, four];
    for (let warm = 0; warm < 16; warm++) this.next();
  }

  /** From 0 up to, not including, 1. */
  next(): number {
    const sum = (((this.a + this.b) | 0) + this.d) | 0;
    this.d = (this.d + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum | 0;
    return (sum >>> 0) / 4_294_967_296;
  }

  happens(probability: number): boolean {
    return this.next() < probability;
  }

  /** An integer from 0 up to, not including, `below`. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  between(from: number, to: number): number {
    return from + this.next() * (to - from);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  /** One of the keys, each as likely as its weight says. */
  weighted<Key extends string>(weights: Readonly<Record<Key, number>>): Key {
    const entries = Object.entries(weights) as [Key, number][];
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) if ((left -= weight) < 0) return key;
    return entries.at(-1)![0];
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }

  /** How many of what happens `mean` times on average. */
  poisson(mean: number): number {
    const limit = Math.exp(-mean);
    let count = 0;
    for (let product = this.next(); product > limit; product *= this.next()) count++;
    return count;
  }

  normal(mean: number, deviation: number): number {
    return mean + deviation * Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  /** A UUIDv7 (RFC 9562) of a time in milliseconds since 1970. */
  uuid(milliseconds: number): string {
    const digits = (count: number) => Math.floor(this.next() * 16 ** count).toString(16).padStart(count, '0');
    const time = milliseconds.toString(16).padStart(12, '0');
    return `${time.slice(0, 8)}-${time.slice(8)}-7${digits(3)}-${'89ab'[this.below(4)]!}${digits(3)}-${digits(6)}${digits(6)}`;
  }
}
