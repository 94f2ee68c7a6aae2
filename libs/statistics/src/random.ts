/** Seeded draws: the same seed gives the same numbers on every machine, so that a printed interval can be had again. */

/**
 * The generator xoshiro128**: whole numbers of 32 bits with a period of 2^128 - 1.
 *
 * Source: D. Blackman & S. Vigna, "Scrambled linear pseudorandom number generators", ACM Trans. Math. Softw. 47 (2021) 36.
 *
 * @param a first word of the state; the four are read as 32 bits each and must not all be 0
 * @param b second word
 * @param c third word
 * @param d fourth word
 * @returns a function whose every call gives the next number, 0..2^32 - 1
 * @throws RangeError where the whole state is 0, from which nothing but 0 follows
 */
export function xoshiro(a: number, b: number, c: number, d: number): () => number {
  if ((a | b | c | d) === 0) throw new RangeError('xoshiro: one of the four words must not be 0');
  return () => {
    // Shifts and sums of 32 bits: times 5, turned by 7, times 9.
    const five = ((b << 2) + b) | 0;
    const turned = (five << 7) | (five >>> 25);
    const next = ((turned << 3) + turned) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return next;
  };
}

/**
 * Uniform draws from `xoshiro`, whose state is the seed's four successors, each mixed by the finaliser of MurmurHash3
 * (A. Appleby, 2011, public domain): neighbouring seeds give unrelated draws.
 *
 * @param seed a whole number; its lowest 32 bits count
 * @returns a function whose every call gives the next draw, from 0 up to, not including, 1, in steps of 2^-32
 * @throws RangeError unless the seed is a whole number
 */
export function uniform(seed: number): () => number {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`uniform: seed must be a whole number, got ${seed}`);
  const word = (step: number) => {
    let mixed = (seed + Math.imul(step, 0x9e3779b9)) | 0;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return mixed ^ (mixed >>> 16);
  };
  const next = xoshiro(word(1), word(2), word(3), word(4));
  return () => next() / 2 ** 32;
}
