/** How far a person changed a text, computed where the text is, so that it need not leave. */
import { Matrix, type Text } from './edit-distance.js';
import { longDistance } from './long-texts.js';

/** Most cells of the matrix of edit distances that are computed for one answer: 8,000 characters by 8,000. */
const CELLS = 64_000_000;

/**
 * Character edit distance (insert, delete, replace; by code points) divided by the longer length: 0 the same, 1 nothing in
 * common, 0 where both are empty.
 *
 * Exact up to 64 million pairs of characters (8,000 by 8,000, not counting what both texts begin and end with alike; some
 * 30 ms, most texts less than one). For longer ones never too small, and exact or nearly so where long stretches were left as
 * they were, in time that grows with their length only. Never throws: where one of them is no text and cannot be made one, or
 * is longer than memory, it is NaN, and a decision that says so is dropped as wrong.
 */
export function changed(before: string, after: string): number {
  try {
    const a = codePoints(String(before ?? ''));
    const b = codePoints(String(after ?? ''));
    const longer = Math.max(a.length, b.length);
    return longer === 0 ? 0 : Math.min(1, distance(a, b) / longer);
  } catch {
    return NaN;
  }
}

function codePoints(text: string): Text {
  const points = new Uint32Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; length++) {
    const point = text.codePointAt(i)!;
    points[length] = point;
    i += point > 0xffff ? 2 : 1;
  }
  return points.subarray(0, length);
}

function distance(a: Text, b: Text): number {
  const shorter = Math.min(a.length, b.length);
  let begin = 0;
  while (begin < shorter && a[begin] === b[begin]) begin++;
  let end = 0;
  while (end < shorter - begin && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const [x, y] = [a.subarray(begin, a.length - end), b.subarray(begin, b.length - end)];

  const largest = [x, y].reduce((most, text) => text.reduce((more, point) => Math.max(more, point), most), 0);
  const matrix = new Matrix(largest + 1);
  return x.length * y.length <= CELLS ? matrix.distance(x, y) : longDistance(x, y, matrix, CELLS);
}
