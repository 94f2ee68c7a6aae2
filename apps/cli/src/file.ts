/** A file that is about to be imported, of events or a roster: can it be read, and does it hold text at all? */
import { WrongInput } from '@foothold/contract';
import { errorText } from '@foothold/platform';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';

const FIX = 'name a file with one CloudEvent a line';

/** What files begin with that hold no line of UTF-8, though people take them for such. */
const FOREIGN: { bytes: number[]; what: string; fix: string }[] = [
  { bytes: [0x1f, 0x8b], what: 'is compressed with gzip', fix: 'unpack it first: gunzip -k' },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], what: 'is compressed with zstd', fix: 'unpack it first: unzstd' },
  { bytes: [0x50, 0x4b, 0x03, 0x04], what: 'is a ZIP archive', fix: 'unpack it first: unzip' },
  { bytes: [0xff, 0xfe], what: 'is encoded as UTF-16', fix: 'write it anew as UTF-8 without byte order mark' },
  { bytes: [0xfe, 0xff], what: 'is encoded as UTF-16', fix: 'write it anew as UTF-8 without byte order mark' },
];

/**
 * The size of a file that can be imported.
 * @throws WrongInput where it cannot be read, or holds no text in UTF-8 whatever its lines say.
 */
export async function sizeOf(file: string, fix = FIX): Promise<number> {
  return reading(file, fix, async () => {
    const found = await stat(file); // before opening: a pipe without a writer would be waited for
    if (!found.isFile()) throw new WrongInput('file', `${file} is not a file`, fix);
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
      const foreign = FOREIGN.find(({ bytes }) => bytes.length <= bytesRead && bytes.every((byte, i) => buffer[i] === byte));
      if (foreign) throw new WrongInput('file', `${file} ${foreign.what}`, foreign.fix);
      return found.size;
    } finally {
      await handle.close();
    }
  });
}

/**
 * All a file holds, at most so many bytes.
 * @throws WrongInput as sizeOf, and where it is larger
 */
export async function bytesOf(file: string, most: number, fix: string): Promise<Buffer> {
  const size = await sizeOf(file, fix);
  if (size > most) throw new WrongInput('file', `${file} has ${size} bytes, more than the ${most} that are read at once`, 'split it, each with the first line');
  return reading(file, fix, () => readFile(file));
}

/** SHA-256 of what the file holds, in hex. */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of contentOf(file)) hash.update(chunk);
  return hash.digest('hex');
}

/** The bytes of a file, piece by piece. */
export async function* contentOf(file: string): AsyncGenerator<Buffer> {
  const stream = createReadStream(file, { highWaterMark: 1 << 18 })[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      const { done, value } = await reading(file, FIX, () => stream.next());
      if (done) return;
      yield value;
    }
  } finally {
    await stream.return?.();
  }
}

async function reading<T>(file: string, fix: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WrongInput) throw error;
    throw new WrongInput('file', `${file} cannot be read: ${errorText(error)}`, fix);
  }
}
