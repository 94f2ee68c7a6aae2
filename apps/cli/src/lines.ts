import { EVENT_BYTES } from '@foothold/contract';
import { contentOf } from './file.js';

export interface Line {
  /** From 0. */
  number: number;
  /** Without its end; of a line too long to be an event, only a part. */
  bytes: Buffer;
  /** How long the line is without its end. */
  length: number;
  /** Bytes of the file up to and with this line. */
  end: number;
}

const LINE_FEED = 10;

/** The lines of a file. However long a line is, memory stays bounded. */
export async function* linesOf(file: string): AsyncGenerator<Line> {
  let number = 0;
  let end = 0;
  let rest: Buffer[] = [];
  let length = 0;
  const hold = (piece: Buffer) => {
    if (length <= EVENT_BYTES) rest.push(piece.subarray(0, EVENT_BYTES + 1));
    length += piece.length;
  };
  const line = (): Line => {
    const bytes = rest.length === 1 ? rest[0]! : Buffer.concat(rest);
    const whole = { number: number++, bytes, length, end };
    rest = [];
    length = 0;
    return whole;
  };
  for await (const chunk of contentOf(file)) {
    for (let from = 0; from < chunk.length; ) {
      const at = chunk.indexOf(LINE_FEED, from);
      const to = at < 0 ? chunk.length : at;
      hold(chunk.subarray(from, to));
      end += to - from + (at < 0 ? 0 : 1);
      from = to + 1;
      if (at >= 0) yield line();
    }
  }
  if (length > 0) yield line();
}
