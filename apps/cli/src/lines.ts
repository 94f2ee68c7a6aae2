import { EVENT_BYTES } from '@foothold/contract';
import { createReadStream } from 'node:fs';

export interface Line {
  /** From 0. */
  number: number;
  /** Without its end; of a line too long to be an event, only as much as shows that. */
  bytes: Buffer;
  /** Bytes of the file up to and with this line. */
  end: number;
}

const LINE_FEED = 10;

/** The lines of a file. However long a line is, memory stays bounded. */
export async function* linesOf(file: string): AsyncGenerator<Line> {
  let number = 0;
  let end = 0;
  let rest: Buffer[] = [];
  let held = 0;
  const hold = (piece: Buffer) => {
    if (held > EVENT_BYTES) return;
    rest.push(piece.subarray(0, EVENT_BYTES + 1));
    held += piece.length;
  };
  const line = (): Line => {
    const bytes = rest.length === 1 ? rest[0]! : Buffer.concat(rest);
    rest = [];
    held = 0;
    return { number: number++, bytes, end };
  };
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>) {
    for (let from = 0; from < chunk.length; ) {
      const at = chunk.indexOf(LINE_FEED, from);
      const to = at < 0 ? chunk.length : at;
      hold(chunk.subarray(from, to));
      end += to - from + (at < 0 ? 0 : 1);
      from = to + 1;
      if (at >= 0) yield line();
    }
  }
  if (held > 0) yield line();
}
