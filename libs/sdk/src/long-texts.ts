/**
 * Edit distance of texts too long for the whole matrix: an alignment that is good, if not always the best, so that the answer
 * is never below the true distance, and is the true one wherever what was changed lies between stretches that were not.
 *
 * Stretches that occur once in each text and in the same order are laid on each other (the patience diff of B. Cohen); what
 * lies between them is computed whole where there are cells left for it, and piece by piece where there are not.
 */
import { type Matrix, type Text } from './edit-distance.js';

const STRETCH = 32;
const SHORTEST_PIECE = 64;
const FACTOR = 0x01000193;

interface Anchor {
  x: number;
  y: number;
}

/** @param cells how much of the matrix may be computed */
export function longDistance(x: Text, y: Text, matrix: Matrix, cells: number): number {
  let left = cells;
  let sum = 0;
  let [fromX, fromY] = [0, 0];
  for (const anchor of [...inOrder(anchorsOf(x, y)), { x: x.length, y: y.length }]) {
    if (anchor.y < fromY) continue; // it overlaps the one before
    const [gapX, gapY] = [x.subarray(fromX, anchor.x), y.subarray(fromY, anchor.y)];
    const area = gapX.length * gapY.length;
    sum += area <= left ? matrix.distance(gapX, gapY) : inPieces(gapX, gapY, matrix, left);
    left = Math.max(0, left - area);
    [fromX, fromY] = [anchor.x + STRETCH, anchor.y + STRETCH];
  }
  return sum;
}

/** Stretches of `x`, side by side, that occur once among these and once anywhere in `y`; ascending in `x`. */
function anchorsOf(x: Text, y: Text): Anchor[] {
  const at = new Map<number, number>();
  for (let from = 0; from + STRETCH <= x.length; from += STRETCH) {
    let hash = 0;
    for (let i = from; i < from + STRETCH; i++) hash = (Math.imul(hash, FACTOR) + x[i]!) | 0;
    at.set(hash, at.has(hash) ? -1 : from);
  }
  let leaving = 1;
  for (let i = 0; i < STRETCH; i++) leaving = Math.imul(leaving, FACTOR);
  const found = new Map<number, number>();
  let hash = 0;
  for (let i = 0; i < y.length; i++) {
    hash = (Math.imul(hash, FACTOR) + y[i]! - (i >= STRETCH ? Math.imul(leaving, y[i - STRETCH]!) : 0)) | 0;
    const from = i >= STRETCH - 1 ? at.get(hash) : undefined;
    if (from === undefined || from < 0 || !alike(x, from, y, i + 1 - STRETCH)) continue;
    found.set(from, found.has(from) ? -1 : i + 1 - STRETCH);
  }
  return [...found].filter(([, to]) => to >= 0).map(([from, to]) => ({ x: from, y: to })).sort((a, b) => a.x - b.x);
}

function alike(x: Text, atX: number, y: Text, atY: number): boolean {
  for (let i = 0; i < STRETCH; i++) if (x[atX + i] !== y[atY + i]) return false;
  return true;
}

/** The most anchors that ascend in `y` too: a longest increasing subsequence, by patience. */
function inOrder(anchors: Anchor[]): Anchor[] {
  const before = new Map<Anchor, Anchor | undefined>();
  const tops: Anchor[] = [];
  for (const anchor of anchors) {
    let [low, high] = [0, tops.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (tops[middle]!.y < anchor.y) low = middle + 1;
      else high = middle;
    }
    before.set(anchor, tops[low - 1]);
    tops[low] = anchor;
  }
  const ordered: Anchor[] = [];
  for (let anchor = tops.at(-1); anchor; anchor = before.get(anchor)) ordered.push(anchor);
  return ordered.reverse();
}

/** Each piece of one text is laid against the begin of what is left of the other, and takes as much of it as suits it. */
function inPieces(x: Text, y: Text, matrix: Matrix, cells: number): number {
  const length = Math.max(SHORTEST_PIECE, Math.floor(cells / (2 * x.length)));
  let sum = 0;
  let taken = 0;
  for (let from = 0; from < x.length; from += length) {
    const piece = x.subarray(from, from + length);
    const row = matrix.lastRow(piece, y.subarray(taken, taken + 2 * length));
    const end = bestEnd(row, y.length - taken - (x.length - from - piece.length));
    sum += row[end]!;
    taken += end;
  }
  return sum + y.length - taken;
}

/**
 * Where a piece had best end. What it costs so far decides; but where nothing is alike it hardly differs, and then the rests
 * are to be equally long.
 * @param even where they are
 */
function bestEnd(row: Uint32Array, even: number): number {
  let [end, least] = [0, Infinity];
  for (let i = 0; i < row.length; i++) {
    const cost = row[i]! + Math.abs(even - i) / 2;
    if (cost < least) [end, least] = [i, cost];
  }
  return end;
}
