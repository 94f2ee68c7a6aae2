/**
 * Edit distance (insert, delete, replace) between two texts given as numbers, one a character.
 *
 * Bit-parallel: G. Myers, A fast bit-vector algorithm for approximate string matching, J. ACM 46 (1999); in blocks of 32
 * rows after H. Hyyrö, Explaining and extending the bit-parallel approximate string matching algorithm of Myers (2001).
 */
export type Text = Uint32Array;

export class Matrix {
  /** For each character, in which of 32 rows it stands. */
  private readonly rowsOf: Uint32Array;

  /** @param characters every number in the texts is below this */
  constructor(characters: number) {
    this.rowsOf = new Uint32Array(characters);
  }

  distance(a: Text, b: Text): number {
    return a.length === 0 || b.length === 0 ? a.length + b.length : this.lastRow(a, b)[b.length]!;
  }

  /** The edit distances of the whole of `a` from the first 0, 1, 2 … characters of `b`. */
  lastRow(a: Text, b: Text): Uint32Array {
    const row = new Uint32Array(b.length + 1);
    /** By how much the distance grows from each column to the next, along the lower edge of the rows done so far. */
    const steps = new Int8Array(b.length).fill(1);
    for (let top = 0; top < a.length; top += 32) this.block(a.subarray(top, top + 32), b, steps);
    row[0] = a.length;
    for (let i = 0; i < b.length; i++) row[i + 1] = row[i]! + steps[i]!;
    return row;
  }

  private block(rows: Text, b: Text, steps: Int8Array): void {
    const { rowsOf } = this;
    for (let i = 0; i < rows.length; i++) rowsOf[rows[i]!]! |= 1 << i;
    const lowest = 1 << (rows.length - 1);
    let up = -1;
    let down = 0;
    for (let i = 0; i < b.length; i++) {
      const step = steps[i]!;
      let equal = rowsOf[b[i]!]! | 0;
      const vertical = equal | down;
      if (step < 0) equal |= 1;
      const horizontal = (((equal & up) + up) ^ up) | equal;
      let more = down | ~(horizontal | up);
      let less = up & horizontal;
      steps[i] = more & lowest ? 1 : less & lowest ? -1 : 0;
      more <<= 1;
      less <<= 1;
      if (step < 0) less |= 1;
      else if (step > 0) more |= 1;
      up = less | ~(vertical | more);
      down = more & vertical;
    }
    for (let i = 0; i < rows.length; i++) rowsOf[rows[i]!] = 0;
  }
}
