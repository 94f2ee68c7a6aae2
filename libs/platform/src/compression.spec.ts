/** What goes into a codec comes out of it; what would grow beyond measure, and what is none of its own, stops before it takes the memory. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import { randomBytes } from 'node:crypto';
import { readEveryCompression } from './compression.js';

const { CompressionCodecs, CompressionTypes: types } = kafkajs;
interface ForKafkajs {
  compress(encoder: { buffer: Buffer }): Promise<Buffer>;
  decompress(records: Buffer): Promise<Buffer>;
}
const codec = (type: number) => (CompressionCodecs as unknown as Record<number, () => ForKafkajs>)[type]!();

/** 2 MB, half of it noise: long literals, long copies, and more than one block of any format. */
const MIXED = Buffer.concat(Array.from({ length: 500 }, (_, n) => Buffer.concat([randomBytes(2_000 + n), Buffer.alloc(2_000 - n, n % 256)])));

describe.each([['gzip', types.GZIP], ['snappy', types.Snappy], ['lz4', types.LZ4], ['zstd', types.ZSTD]] as const)('%s', (name, type) => {
  beforeAll(() => readEveryCompression());

  it('gives back what went in', async () => {
    for (const records of [MIXED, MIXED.subarray(0, 100), Buffer.alloc(1_000)]) {
      expect((await codec(type).decompress(await codec(type).compress({ buffer: records }))).equals(records)).toBe(true);
    }
  });

  it('says why, and takes no memory, where more than 32 MB or 128 times as much would come out', async () => {
    const zeros = await codec(type).compress({ buffer: Buffer.alloc(100_000_000) });
    const before = process.memoryUsage.rss();
    const standIn = await outcome(codec(type).decompress(behindHeader(zeros)));
    expect(standIn).toContain('grows to more than 128 times its size, or 32 MB');
    expect(process.memoryUsage.rss() - before).toBeLessThan(80_000_000);
  });

  it('says so where it is not its format, or cut off', async () => {
    const whole = await codec(type).compress({ buffer: MIXED });
    for (const records of [Buffer.alloc(500, 'no batch at all, '), Buffer.from([255]), whole.subarray(0, whole.length - 50_000)]) {
      expect(await outcome(codec(type).decompress(behindHeader(records)))).toMatch(new RegExp(`cannot be decompressed with ${name}|knows`));
    }
  });
});

/** The compressed records of a batch that says it holds one. */
function behindHeader(records: Buffer): Buffer {
  const batch = Buffer.concat([Buffer.alloc(61), records]);
  batch.writeInt32BE(49 + records.length, 8);
  batch.writeInt32BE(1, 57);
  return batch.subarray(61);
}

const outcome = async (decompressed: Promise<Buffer>): Promise<string> => (await decompressed).toString('latin1');
